//! One row of the verdict: the correction, the budget and the waivers applied to its evidence.

use crate::{
    judge::{
        budget::{self, Budget},
        evidence::{Basis, Evidence, Shown, Untested},
        explain::{self, Story},
        family::Corrected,
        subject::Subject,
        waiver::{Cover, Waivers},
    },
    model::{
        metric::{Direction, Nature},
        run::Fate,
        verdict::{Judgement, Verdict},
    },
    stats::{
        power::minimum_detectable,
        sequential::{FAST_SHARE, LOOK_ROUNDS, WEIGHTS},
    },
};

/// The power at which the smallest detectable change is stated.
const POWER: f64 = 0.8;

/// The row of a subject.
pub(super) fn judgement(
    subject: &Subject,
    evidence: &Evidence,
    corrected: Option<&Corrected>,
    waivers: &Waivers,
    display_id: String,
) -> Judgement {
    let found = found(evidence, corrected);
    let budget = budget_of(subject, evidence);
    let before_waivers = with_budget(with_fate(subject, evidence, found), budget);
    let cover = match before_waivers {
        Verdict::Regressed => waivers.cover(&subject.benchmark, worsening(subject, evidence, found, budget)),
        _ => Cover::None,
    };
    let verdict = if let Cover::Waived(_) = cover { Verdict::Waived } else { before_waivers };
    let changed = found == Verdict::Regressed;
    let reason = explain::sentence(&Story { subject, evidence, verdict, changed, budget, cover });
    Judgement {
        benchmark: subject.benchmark.clone(),
        display_id,
        metric: subject.metric.clone(),
        verdict,
        rounds: evidence.rounds,
        base: evidence.base,
        head: evidence.head,
        change: evidence.change,
        margin: evidence.margin,
        p_value: corrected.map(|corrected| corrected.p_value),
        q_value: corrected.map(|corrected| corrected.worse),
        minimum_detectable: smallest_found(subject, evidence, corrected, found),
        scatter: evidence.scatter,
        blind: blind(verdict, evidence),
        reason,
        slots: subject.blocks.clone(),
    }
}

/// What the tests found.
fn found(evidence: &Evidence, corrected: Option<&Corrected>) -> Verdict {
    match (corrected, evidence.shown) {
        (Some(corrected), _) if corrected.worse <= corrected.level => Verdict::Regressed,
        (_, Shown::Worse) => Verdict::Regressed,
        (Some(corrected), _) if corrected.better <= corrected.level => Verdict::Improved,
        (_, Shown::Better) => Verdict::Improved,
        (_, Shown::NoWorse) => Verdict::Unchanged,
        (_, Shown::Nothing) => Verdict::Inconclusive,
    }
}

/// The fate of a benchmark decides where it was not compared. One that failed after it was shown to be worse stays so: an
/// error hides no regression.
fn with_fate(subject: &Subject, evidence: &Evidence, found: Verdict) -> Verdict {
    match (&subject.fate, evidence.basis) {
        (Fate::Identical, _) => Verdict::Identical,
        (Fate::New, _) => Verdict::New,
        (Fate::Missing, _) => Verdict::Missing,
        (Fate::Failed { .. }, _) if found != Verdict::Regressed => Verdict::Failed,
        (_, Basis::Untested(Untested::SingleRevision | Untested::FewStoredRuns(0))) => Verdict::New,
        _ => found,
    }
}

/// A broken budget is a regression; one that seems broken settles nothing.
fn with_budget(verdict: Verdict, budget: Budget) -> Verdict {
    match (verdict, budget) {
        (Verdict::Failed | Verdict::Missing | Verdict::Identical, _) => verdict,
        (_, Budget::Broken) => Verdict::Regressed,
        (Verdict::Unchanged | Verdict::Improved, Budget::Unclear) => Verdict::Inconclusive,
        _ => verdict,
    }
}

fn budget_of(subject: &Subject, evidence: &Evidence) -> Budget {
    let Some(bound) = subject.limits.budget else { return Budget::Kept };
    let (head, direction) = (&evidence.head_values, subject.metric.direction);
    match (subject.metric.nature, evidence.basis) {
        (Nature::Deterministic, _) => budget::judge_exact(head, bound, direction),
        (_, Basis::Paired | Basis::Counted { .. }) => {
            budget::judge(head, bound, direction, budget::LOOK_LEVEL)
        }
        _ => budget::judge(head, bound, direction, budget::LEVEL),
    }
}

/// By how much head is worse, for the cap of a waiver: the larger of its change and its excess over the budget.
fn worsening(subject: &Subject, evidence: &Evidence, found: Verdict, budget: Budget) -> f64 {
    let signed = |change: f64| match subject.metric.direction {
        Direction::Lower => change,
        Direction::Higher => -change,
    };
    let changes = [evidence.change.map(|change| change.estimate), evidence.median_change];
    // Something that came out of nothing has no relative size, so no cap covers it
    let change = changes.into_iter().flatten().map(signed).reduce(f64::max).unwrap_or(f64::INFINITY);
    let excess = evidence.head.zip(subject.limits.budget).map(|(head, bound)| signed(head / bound - 1.0));
    match (found == Verdict::Regressed, budget == Budget::Broken) {
        (true, true) => change.max(excess.unwrap_or(f64::INFINITY)),
        (true, false) => change,
        _ => excess.unwrap_or(f64::INFINITY),
    }
}

/// Only what settled nothing can be blind; what is not gated for want of requests is not.
fn blind(verdict: Verdict, evidence: &Evidence) -> Option<bool> {
    match verdict {
        Verdict::Inconclusive if evidence.is_not_gated() => None,
        Verdict::Inconclusive => Some(!evidence.rules_out),
        Verdict::Regressed | Verdict::Waived | Verdict::Improved | Verdict::Unchanged => Some(false),
        Verdict::Identical | Verdict::New | Verdict::Missing | Verdict::Failed => None,
    }
}

/// The true worsening that would have been found with 80 % power at the rounds that the budget allows.
///
/// A benchmark that is still undecided got what the budget allowed; any other would have gone on to the last look. A change
/// must be seen beyond the margin besides being tested, so the margin and the estimate's own error bound it from below.
fn smallest_found(
    subject: &Subject,
    evidence: &Evidence,
    corrected: Option<&Corrected>,
    found: Verdict,
) -> Option<f64> {
    let (scatter, corrected) = (evidence.scatter?, corrected?);
    let (rounds, weight) = match (evidence.basis, found) {
        (Basis::Paired, Verdict::Inconclusive) => (evidence.rounds, weight(evidence.rounds)),
        (Basis::Paired, _) => (LOOK_ROUNDS[LOOK_ROUNDS.len() - 1], WEIGHTS[WEIGHTS.len() - 1]),
        _ => (evidence.rounds, 1.0),
    };
    let share = if evidence.median_change.is_some() { FAST_SHARE } else { 1.0 };
    let alone = corrected.level / corrected.tests.max(1) as f64 * weight * share;
    let tested = minimum_detectable(scatter, rounds, alone, POWER)?;
    let bound = subject.limits.bound(evidence.margin);
    let seen = bound + minimum_detectable(scatter, rounds, 0.5, POWER)?;
    Some(subject.limits.worsening(tested.max(seen)))
}

fn weight(rounds: u32) -> f64 {
    let look = LOOK_ROUNDS.iter().position(|look| *look == rounds);
    look.map_or(0.0, |look| WEIGHTS[look])
}
