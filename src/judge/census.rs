//! Who was expected, measured and compared, and why every other benchmark was not. It counts benchmarks, not rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    judge::{
        evidence::{Basis, Evidence, Untested},
        subject::Subject,
    },
    model::{
        benchmark::Benchmark,
        census::Census,
        metric::Nature,
        run::Fate,
        verdict::{Judgement, Verdict},
    },
};

/// The ids as shown: prefixed by `target:` where two targets share one.
pub(super) fn display_ids(subjects: &[Subject]) -> BTreeMap<Benchmark, String> {
    let mut targets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for subject in subjects {
        targets.entry(subject.benchmark.id.as_str()).or_default().insert(&subject.benchmark.target);
    }
    let shown = |benchmark: &Benchmark| {
        let id = benchmark.id.as_str();
        let shared = targets.get(id).is_some_and(|targets| targets.len() > 1);
        if shared { format!("{}:{id}", benchmark.target) } else { id.to_owned() }
    };
    subjects.iter().map(|subject| (subject.benchmark.clone(), shown(&subject.benchmark))).collect()
}

/// What the rows of one benchmark come to.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    measured: bool,
    compared: bool,
    identical: bool,
    inconclusive: bool,
    sight: Sight,
    new: bool,
    missing: bool,
    failed: bool,
}

/// Counts the benchmarks of the rows, and lists those that were left out of them.
pub(super) fn census(
    rows: &[(&Subject, &Evidence, &Judgement)],
    left_out: &[&Subject],
    display: &BTreeMap<Benchmark, String>,
) -> Census {
    let mut tallies: BTreeMap<&Benchmark, Tally> = BTreeMap::new();
    for (subject, evidence, judgement) in rows {
        tallies.entry(&subject.benchmark).or_default().add(subject, evidence, judgement);
    }
    let count = |of: fn(&Tally) -> bool| tallies.values().filter(|tally| of(tally)).count();
    let list = |of: fn(&Tally) -> bool| {
        let listed = tallies.iter().filter(|(_, tally)| of(tally));
        listed.map(|(benchmark, _)| display[*benchmark].clone()).collect::<Vec<_>>()
    };
    // The metrics of a benchmark share its blocks
    let mut voided: BTreeMap<&Benchmark, usize> = BTreeMap::new();
    for (subject, ..) in rows {
        let most = voided.entry(&subject.benchmark).or_default();
        *most = subject.voided.max(*most);
    }
    Census {
        expected: tallies.len(),
        measured: count(|tally| tally.measured),
        compared: count(|tally| tally.compared),
        identical: count(|tally| tally.identical),
        inconclusive: count(|tally| tally.inconclusive),
        blind: count(|tally| tally.sight.is_blind()),
        voided_blocks: voided.values().sum(),
        new: list(|tally| tally.new),
        missing: list(|tally| tally.missing),
        failed: list(|tally| tally.failed),
        ignored: ignored(left_out, |benchmark| tallies.contains_key(benchmark), display),
    }
}

/// How many metrics of a benchmark saw something, and how many were blind: those that scatter, and those that do not.
#[derive(Debug, Clone, Copy, Default)]
struct Sight {
    noisy: [usize; 2],
    others: [usize; 2],
}

impl Sight {
    fn add(&mut self, judgement: &Judgement) {
        let Some(blind) = judgement.blind else { return };
        let noisy = judgement.metric.nature == Nature::Noisy;
        let counts = if noisy { &mut self.noisy } else { &mut self.others };
        counts[usize::from(blind)] += 1;
    }

    /// A benchmark of several metrics is blind when most of those that scatter are: one noisy percentile does not take away what the
    /// others show. A count of failed requests shows nothing of speed, so it stands for itself only where it is alone.
    fn is_blind(self) -> bool {
        let [seeing, blind] = if self.noisy == [0, 0] { self.others } else { self.noisy };
        blind > seeing
    }
}

impl Tally {
    fn add(&mut self, subject: &Subject, evidence: &Evidence, judgement: &Judgement) {
        let identical = judgement.verdict == Verdict::Identical;
        self.identical |= identical;
        self.measured |= identical || !subject.blocks.is_empty();
        self.compared |= identical || is_compared(evidence, judgement);
        self.inconclusive |= judgement.verdict == Verdict::Inconclusive && !evidence.is_not_gated();
        self.sight.add(judgement);
        self.new |= judgement.verdict == Verdict::New || subject.fate == Fate::New;
        self.missing |= subject.fate == Fate::Missing;
        self.failed |= matches!(subject.fate, Fate::Failed { .. });
    }
}

/// Judged against a base, be it with the answer that nothing could be shown.
fn is_compared(evidence: &Evidence, judgement: &Judgement) -> bool {
    use Verdict::{Improved, Inconclusive, Regressed, Unchanged, Waived};
    let judged = matches!(judgement.verdict, Regressed | Waived | Improved | Unchanged | Inconclusive);
    let tested = match evidence.basis {
        Basis::Untested(Untested::NotMeasured | Untested::SingleRevision | Untested::FewStoredRuns(_)) => {
            false
        }
        Basis::Untested(_) => evidence.base.is_some() && evidence.head.is_some(),
        _ => true,
    };
    judged && tested
}

/// Benchmarks without any row, each once, with the first reason.
fn ignored(
    left_out: &[&Subject],
    has_row: impl Fn(&Benchmark) -> bool,
    display: &BTreeMap<Benchmark, String>,
) -> Vec<(String, String)> {
    let mut reasons: BTreeMap<&Benchmark, &str> = BTreeMap::new();
    for subject in left_out.iter().filter(|subject| !has_row(&subject.benchmark)) {
        reasons.entry(&subject.benchmark).or_insert(subject.left_out().unwrap_or_default());
    }
    reasons.into_iter().map(|(benchmark, reason)| (display[benchmark].clone(), reason.to_owned())).collect()
}
