//! What was accepted on the pull request, judged into the verdict.

use crate::{
    github::acceptance::Accepted,
    judge,
    model::{outcome::Outcome, policy::Waiver, run::Warning, verdict::CheckVerdict},
};

/// Later than every day on which a pull request is open.
const FOR_EVER: &str = "9999-12-31";

/// Whether there is anything that could be accepted.
pub(super) fn is_needed(verdict: &CheckVerdict) -> bool {
    verdict.outcomes.iter().any(|(outcome, _)| *outcome == Outcome::Regressed)
}

/// The verdict with these regressions accepted: its evidence judged again with a waiver for each. Says whether that could be
/// done; without evidence the verdict stays as it is.
pub(super) fn accept(verdict: &mut CheckVerdict, accepted: &[Accepted]) -> bool {
    let Some(run) = verdict.evidence.as_mut() else { return false };
    run.policy.waivers.extend(accepted.iter().map(|accepted| Waiver {
        benchmark: accepted.benchmark.clone(),
        cap: f64::INFINITY,
        reason: accepted.reason.clone(),
        owner: accepted.by.clone(),
        expires: FOR_EVER.to_owned(),
    }));
    let added: Vec<Warning> = std::mem::take(&mut verdict.warnings);
    let judged = judge::judge(run);
    // What was known of the verdict besides its run, such as a missing shard, holds as before
    let apart: Vec<_> = verdict.outcomes.iter().filter(|kept| !judged_by_rows(kept.0)).cloned().collect();
    *verdict = judged;
    for kept in apart {
        if !verdict.outcomes.contains(&kept) {
            verdict.outcomes.retain(|(outcome, _)| *outcome != Outcome::Pass);
            verdict.outcomes.push(kept);
        }
    }
    verdict.outcome =
        verdict.outcomes.iter().map(|(outcome, _)| *outcome).reduce(Outcome::join).unwrap_or(verdict.outcome);
    verdict.outcomes.sort_by_key(|(outcome, _)| *outcome != verdict.outcome);
    for warning in added {
        if !verdict.warnings.contains(&warning) {
            verdict.warnings.push(warning);
        }
    }
    true
}

/// Outcomes that waivers decide, or that only say that nothing else applied.
fn judged_by_rows(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Regressed | Outcome::Pass)
}

#[cfg(test)]
mod tests {
    use super::{accept, is_needed};
    use crate::{
        format::example,
        github::acceptance::Accepted,
        judge,
        model::{
            outcome::Outcome,
            verdict::{CheckVerdict, Verdict},
        },
    };

    fn regressed() -> CheckVerdict {
        let mut run = example::run();
        run.measurements.retain(|measurement| measurement.benchmark.id.as_str() == "num/sieve");
        let blocks = example::blocks(17_000.0, 20_000.0);
        run.measurements[0].blocks = blocks.iter().cycle().take(12).cloned().collect();
        let verdict = judge::judge(&run);
        assert_eq!(verdict.outcome, Outcome::Regressed, "{:?}", verdict.outcomes);
        verdict
    }

    fn by(benchmark: &str) -> Accepted {
        Accepted { benchmark: benchmark.into(), by: "ada".into(), reason: "it buys safety".into(), url: None }
    }

    #[test]
    fn an_accepted_regression_is_waived_and_nothing_else_is() {
        let mut verdict = regressed();
        assert!(is_needed(&verdict));
        assert!(accept(&mut verdict, &[by("*")]));
        assert!(!is_needed(&verdict), "{:?}", verdict.outcomes);
        let waived = verdict.judgements.iter().filter(|row| row.verdict == Verdict::Waived);
        let waived: Vec<_> =
            waived.filter(|row| row.reason.contains("accepted by ada (it buys safety)")).collect();
        assert!(!waived.is_empty());
        assert_eq!(verdict.outcome, verdict.outcomes[0].0);
    }

    #[test]
    fn what_was_not_accepted_still_fails() {
        let mut verdict = regressed();
        assert!(accept(&mut verdict, &[by("no/such")]));
        assert_eq!(verdict.outcome, Outcome::Regressed);
        assert!(verdict.warnings.iter().any(|warning| warning.code == "unmatched_waiver"));
    }

    #[test]
    fn a_missing_shard_stays_missing_and_no_evidence_changes_nothing() {
        let mut verdict = regressed();
        verdict.outcomes.push((Outcome::Incomplete, "1 shard of 3 is missing".into()));
        accept(&mut verdict, &[by("*")]);
        assert_eq!(verdict.outcome, Outcome::Incomplete, "{:?}", verdict.outcomes);
        let mut bare = CheckVerdict { evidence: None, ..regressed() };
        assert!(!accept(&mut bare, &[by("*")]));
        assert_eq!(bare.outcome, Outcome::Regressed);
    }
}
