//! A new run against stored baselines: pooled residuals tell who is suspect, paired rounds confirm.
//!
//! A stored run counts by the median of its values, a new one by the median of head's slots. Benchmarks with at least five
//! stored runs are compared together; one with fewer has no baseline yet. In a run of mode `stored`, a benchmark whose
//! blocks hold base slots too is a suspect that was confirmed, and is judged by those blocks alone; it stays a test of the
//! stored family. Only where nothing could be confirmed does `regressed` follow from stored residuals, and the row says so.

use std::collections::BTreeMap;

use crate::{
    judge::{
        counted, deterministic,
        evidence::{Basis, Evidence, FamilyName, Shown, Test, Untested},
        family::SUSPECT,
        load::TrialCounts,
        paired,
        policy::Rules,
        subject::{Subject, former_name, shown_value, side_values, subjects},
    },
    model::{
        baseline::{StoredRun, StoredSeries},
        benchmark::Benchmark,
        metric::{Direction, Metric, Nature},
        policy::Policy,
        run::{Fate, Run, Side},
        verdict::{Change, SlotValue},
    },
    stats::{
        location::median,
        prediction::{INTERVAL_LEVEL, LEAST_RUNS, MOST_RUNS, StoredComparison, compare_with_stored},
        proportion::Counted,
    },
};

/// What the stored runs say of all subjects.
#[derive(Debug)]
pub(super) struct StoredEvidence {
    /// One entry a subject; `None` where stored runs are not asked (it was not measured).
    pub(super) evidence: Vec<Option<Evidence>>,
    /// The relative shift of the suite that was taken off, in ln units, "greater" being slower.
    pub(super) shift: f64,
    /// Suspects that were confirmed by paired rounds.
    pub(super) confirmed: usize,
}

/// The benchmarks that look slower than their stored runs by at least their margin: to be confirmed by paired rounds.
#[must_use]
pub fn suspects(run: &Run) -> Vec<Benchmark> {
    let rules = Rules::new(&run.policy);
    let subjects: Vec<Subject> =
        subjects(run, &rules).into_iter().filter(|subject| subject.left_out().is_none()).collect();
    let stored = against_stored(&subjects, &run.baselines, &run.policy);
    let suspect = |evidence: &Option<Evidence>| {
        evidence.as_ref().is_some_and(|evidence| match evidence.test {
            Some(test) => test.worse <= SUSPECT,
            None => evidence.shown == Shown::Worse || evidence.basis == Basis::Untested(Untested::ZeroStored),
        })
    };
    let suspects = subjects.iter().zip(&stored.evidence).filter(|(_, evidence)| suspect(evidence));
    let mut suspects: Vec<Benchmark> = suspects.map(|(subject, _)| subject.benchmark.clone()).collect();
    suspects.dedup();
    suspects
}

/// Compares every measured subject with its stored runs, or by its paired blocks where it has some.
pub(super) fn against_stored(
    subjects: &[Subject],
    baselines: &[StoredSeries],
    policy: &Policy,
) -> StoredEvidence {
    let lookup: BTreeMap<(&Benchmark, &str), &StoredSeries> =
        baselines.iter().map(|series| ((&series.benchmark, series.metric.name.as_str()), series)).collect();
    let series = |subject: &Subject| {
        let former = former_name(&subject.benchmark, &policy.renames);
        let of = |benchmark: &Benchmark| lookup.get(&(benchmark, subject.metric.name.as_str())).copied();
        of(&subject.benchmark).or_else(|| of(&former)).filter(|series| series.metric == subject.metric)
    };
    let runs: Vec<&[StoredRun]> = subjects.iter().map(|s| series(s).map_or(&[][..], newest)).collect();
    let mut stored = compare_all(subjects, &runs);
    for (subject, evidence) in subjects.iter().zip(&mut stored.evidence) {
        if evidence.is_some() && subject.metric.nature != Nature::Deterministic && paired::is_paired(subject)
        {
            *evidence = Some(match subject.metric.nature {
                Nature::Counted => counted::at_looks(subject),
                Nature::Noisy | Nature::Deterministic => paired::evidence(subject),
            });
            stored.confirmed += 1;
        }
    }
    stored
}

/// Compares the subjects metric by metric: residuals of one metric are no measure for another.
fn compare_all(subjects: &[Subject], runs: &[&[StoredRun]]) -> StoredEvidence {
    let mut evidence: Vec<Option<Evidence>> = Vec::new();
    let mut metrics: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, (subject, runs)) in subjects.iter().zip(runs).enumerate() {
        let measured = matches!(subject.fate, Fate::Measured | Fate::New | Fate::Failed { .. });
        let enough = runs.len() >= LEAST_RUNS && head_median(subject).is_some();
        let with_zero = (measured && enough).then(|| by_order(subject, runs)).flatten();
        let is_compared = with_zero.is_none();
        evidence.push(measured.then(|| with_zero.unwrap_or_else(|| uncompared(subject, runs))));
        if measured && enough && is_compared && subject.metric.nature == Nature::Noisy {
            metrics.entry(&subject.metric.name).or_default().push(place);
        }
    }
    let mut shift = 0.0_f64;
    for places in metrics.values() {
        let histories: Vec<Vec<f64>> =
            places.iter().map(|place| logarithms(runs[*place], &subjects[*place].metric)).collect();
        let new: Vec<f64> = places.iter().map(|place| head_logarithm(&subjects[*place])).collect();
        let result = compare_with_stored(&histories, &new);
        let mirror = |values: &[f64]| values.iter().map(|value| -value).collect::<Vec<f64>>();
        let mirrored: Vec<Vec<f64>> = histories.iter().map(|history| mirror(history)).collect();
        let mirrored = compare_with_stored(&mirrored, &mirror(&new));
        if result.suite_shift.abs() > shift.abs() {
            shift = result.suite_shift;
        }
        for ((place, worse), better) in places.iter().zip(result.comparisons).zip(mirrored.comparisons) {
            if let (Some(worse), Some(better)) = (worse, better) {
                evidence[*place] = Some(compared(&subjects[*place], runs[*place], &worse, &better));
            }
        }
    }
    StoredEvidence { evidence, shift, confirmed: 0 }
}

/// Evidence of a subject that residuals say nothing of: an exact metric, too few runs, or a value without a logarithm.
fn uncompared(subject: &Subject, runs: &[StoredRun]) -> Evidence {
    let head = head_slots(subject);
    if subject.metric.nature == Nature::Deterministic {
        let newest = runs.last().map_or(&[][..], |run| &run.values);
        let exact = deterministic::compared(
            subject,
            newest,
            &side_values(&head, Side::Head, subject.metric.direction),
        );
        if let Some(evidence) = exact {
            return evidence;
        }
    }
    if subject.metric.nature == Nature::Counted && runs.len() >= LEAST_RUNS && !head.is_empty() {
        return counted::compared(subject, &with_stored(subject, runs), FamilyName::Stored);
    }
    let why = match runs.len() {
        few if few < LEAST_RUNS => Untested::FewStoredRuns(few),
        _ if head.is_empty() => Untested::NotMeasured,
        _ if subject.metric.nature == Nature::Deterministic => Untested::NoRepeats,
        _ => Untested::NoRatio,
    };
    let base = base_value(runs);
    let untested = Evidence::untested(subject, &head, why);
    Evidence { base, margin: subject.limits.effective_margin(base), ..untested }
}

/// Where a value is zero, residuals of ratios say nothing, and those of its metric's other series must not be compared with it. What is no worse than the best
/// stored run is unchanged for certain; all else is a suspect, which paired rounds can judge. `None` without a zero.
fn by_order(subject: &Subject, runs: &[StoredRun]) -> Option<Evidence> {
    if subject.metric.nature != Nature::Noisy || !subject.metric.may_be_zero() {
        return None;
    }
    let medians: Vec<f64> = runs.iter().filter_map(|run| median(&run.values)).collect();
    let new = head_median(subject)?;
    let is_zero = |value: &f64| value.abs() <= 0.0;
    if !medians.iter().chain([&new]).any(is_zero) {
        return None;
    }
    let no_worse = medians.iter().all(|stored| match subject.metric.direction {
        Direction::Lower => new <= *stored,
        Direction::Higher => new >= *stored,
    });
    let head = head_slots(subject);
    let base = base_value(runs);
    let untested = Evidence::untested(subject, &head, Untested::ZeroStored);
    let margin = subject.limits.effective_margin(base);
    Some(match no_worse {
        true => Evidence {
            base,
            margin,
            change: None,
            shown: Shown::NoWorse,
            rules_out: true,
            basis: Basis::Stored { runs: runs.len(), pool: 0 },
            ..untested
        },
        false => Evidence { base, margin, ..untested },
    })
}

/// The trials of stored runs as base's, and head's own.
fn with_stored(subject: &Subject, runs: &[StoredRun]) -> Vec<Vec<TrialCounts>> {
    let stored = |run: &StoredRun| {
        let counts = run.trials.iter().map(|trial| TrialCounts {
            side: Side::Base,
            requests: Counted { hits: trial.failed, cases: trial.scheduled },
            lower_bound: false,
        });
        counts.collect()
    };
    let heads =
        |block: &Vec<TrialCounts>| block.iter().filter(|trial| trial.side == Side::Head).copied().collect();
    runs.iter().map(stored).chain(subject.trials.iter().map(heads)).collect()
}

fn compared(
    subject: &Subject,
    runs: &[StoredRun],
    worse: &StoredComparison,
    better: &StoredComparison,
) -> Evidence {
    let (limits, head) = (&subject.limits, head_slots(subject));
    let base = base_value(runs);
    let margin = limits.effective_margin(base);
    let bound = limits.bound(margin);
    let below = |bound: f64| worse.interval.is_some_and(|(_, upper)| upper < bound);
    // As at a look: a change counts as a test of the family only when it is at least the margin
    let counted = |estimate: f64, p: f64| if estimate >= bound { p } else { 1.0 };
    Evidence {
        change: Some(change(worse, limits.direction)),
        margin,
        base,
        test: Some(Test {
            family: FamilyName::Stored,
            worse: counted(worse.estimate, worse.p_value),
            better: counted(better.estimate, better.p_value),
        }),
        shown: if below(bound) { Shown::NoWorse } else { Shown::Nothing },
        rules_out: below(limits.bound(limits.must_rule_out).max(bound)),
        basis: Basis::Stored { runs: runs.len(), pool: worse.pool },
        rounds: u32::try_from(head.iter().flatten().count()).unwrap_or(u32::MAX),
        ..Evidence::untested(subject, &head, Untested::NotMeasured)
    }
}

fn change(comparison: &StoredComparison, direction: Direction) -> Change {
    let relative = |ln: f64| match direction {
        Direction::Lower => ln.exp_m1(),
        Direction::Higher => (-ln).exp_m1(),
    };
    let ends = comparison.interval.map(|(lower, upper)| (relative(lower), relative(upper)));
    let ends = ends.map(|(one, other)| (one.min(other), one.max(other)));
    Change {
        estimate: relative(comparison.estimate),
        lower: ends.map(|ends| ends.0),
        upper: ends.map(|ends| ends.1),
        confidence: 1.0 - INTERVAL_LEVEL,
    }
}

/// The newest runs that are looked at, oldest first.
fn newest(series: &StoredSeries) -> &[StoredRun] {
    &series.runs[series.runs.len().saturating_sub(MOST_RUNS)..]
}

/// Head's slots of the stored comparison: those of blocks without base slots, or all of head's where there are none.
fn head_slots(subject: &Subject) -> Vec<Vec<SlotValue>> {
    let head_only = |block: &&Vec<SlotValue>| block.iter().all(|slot| slot.side == Side::Head);
    let alone: Vec<Vec<SlotValue>> = subject.blocks.iter().filter(head_only).cloned().collect();
    if alone.iter().any(|block| !block.is_empty()) {
        return alone;
    }
    let heads =
        |block: &Vec<SlotValue>| block.iter().filter(|slot| slot.side == Side::Head).copied().collect();
    subject.blocks.iter().map(heads).filter(|block: &Vec<SlotValue>| !block.is_empty()).collect()
}

fn head_median(subject: &Subject) -> Option<f64> {
    let direction = subject.metric.direction;
    let values: Vec<f64> =
        head_slots(subject).iter().flatten().map(|slot| shown_value(slot, direction)).collect();
    median(&values)
}

fn head_logarithm(subject: &Subject) -> f64 {
    head_median(subject).map_or(f64::NAN, |value| logarithm(value, &subject.metric))
}

/// ln of the runs' medians, newest first.
fn logarithms(runs: &[StoredRun], metric: &Metric) -> Vec<f64> {
    let of = |run: &StoredRun| median(&run.values).map_or(f64::NAN, |value| logarithm(value, metric));
    runs.iter().rev().map(of).collect()
}

/// ln of a value, "greater" meaning worse.
fn logarithm(value: f64, metric: &Metric) -> f64 {
    match metric.direction {
        Direction::Lower => value.ln(),
        Direction::Higher => -value.ln(),
    }
}

/// What stands for base: the median of the runs' medians.
fn base_value(runs: &[StoredRun]) -> Option<f64> {
    let medians: Vec<f64> = runs.iter().filter_map(|run| median(&run.values)).collect();
    median(&medians).filter(|value| value.is_finite())
}
