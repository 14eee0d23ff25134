//! What is judged: one metric of one benchmark with its slot values and limits, renames applied.

use std::collections::BTreeSet;

use crate::{
    judge::{
        load::{self, TrialCounts},
        policy::{Limits, Rules},
    },
    model::{
        benchmark::{Benchmark, BenchmarkId},
        metric::{Direction, Metric},
        policy::Rename,
        run::{Block, Fate, Measurement, Mode, Run, Side, TrialBlock},
        verdict::SlotValue,
    },
    stats::location::median,
};

/// One metric of one benchmark, reduced to what judging reads.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) benchmark: Benchmark,
    pub(super) metric: Metric,
    pub(super) fate: Fate,
    /// Values of the valid slots in time order, block by block.
    pub(super) blocks: Vec<Vec<SlotValue>>,
    pub(super) voided: usize,
    pub(super) limits: Limits,
    /// The valid load trials behind it, block by block; empty for other benchmarks.
    pub(super) trials: Vec<Vec<TrialCounts>>,
}

impl Subject {
    fn new(measurement: &Measurement, load: &[TrialBlock], rules: &Rules) -> Self {
        Self {
            benchmark: measurement.benchmark.clone(),
            metric: measurement.metric.clone(),
            fate: measurement.fate.clone(),
            blocks: valid_blocks(measurement),
            voided: measurement.blocks.iter().filter(|block| block.void.is_some()).count(),
            limits: rules.limits(&measurement.benchmark, &measurement.metric),
            trials: load::counts(&measurement.benchmark, &measurement.metric, load),
        }
    }

    /// Why it is left out, if it is.
    pub(super) fn left_out(&self) -> Option<&str> {
        match &self.fate {
            Fate::Ignored(reason) => Some(reason),
            _ => self.limits.left_out.as_deref(),
        }
    }
}

/// The subjects of a run in the order of their rows: by benchmark, then metric.
pub(super) fn subjects(run: &Run, rules: &Rules) -> Vec<Subject> {
    let mut subjects: Vec<Subject> =
        run.measurements.iter().map(|m| Subject::new(m, &run.load, rules)).collect();
    if run.mode == Mode::Stored {
        subjects.extend(vanished(run, rules));
    }
    for rename in &run.policy.renames {
        join_renamed(&mut subjects, rename);
    }
    subjects.sort_by(|a, b| (&a.benchmark, &a.metric.name).cmp(&(&b.benchmark, &b.metric.name)));
    subjects
}

/// The values of a measurement's valid slots, block by block.
pub(super) fn valid_blocks(measurement: &Measurement) -> Vec<Vec<SlotValue>> {
    let valid = measurement.blocks.iter().filter(|block| block.void.is_none());
    valid.map(|block: &Block| block.slots.iter().map(SlotValue::of).collect()).collect()
}

/// The value of a slot that is shown and compared with budgets: of the fast end where less is better, else the median.
pub(super) fn shown_value(slot: &SlotValue, direction: Direction) -> f64 {
    match direction {
        Direction::Lower => slot.fast,
        Direction::Higher => slot.median,
    }
}

/// The shown values of one side.
pub(super) fn side_values(blocks: &[Vec<SlotValue>], side: Side, direction: Direction) -> Vec<f64> {
    blocks.iter().flatten().filter(|slot| slot.side == side).map(|s| shown_value(s, direction)).collect()
}

/// The median of one side's shown values; `None` without slots or where it is no number.
pub(super) fn side_median(blocks: &[Vec<SlotValue>], side: Side, direction: Direction) -> Option<f64> {
    median(&side_values(blocks, side, direction)).filter(|value| value.is_finite())
}

/// The id under which base or the stored runs know a benchmark.
pub(super) fn former_name(benchmark: &Benchmark, renames: &[Rename]) -> Benchmark {
    let rename = renames.iter().find(|rename| rename.to == benchmark.id.as_str());
    let former = rename.and_then(|rename| BenchmarkId::new(rename.from.as_str()).ok());
    Benchmark::new(benchmark.target.clone(), former.unwrap_or_else(|| benchmark.id.clone()))
}

/// Benchmarks that only the stored runs know; those that a filter left out are in the run, as ignored.
fn vanished(run: &Run, rules: &Rules) -> Vec<Subject> {
    let renames = &run.policy.renames;
    let known: BTreeSet<Benchmark> = run
        .measurements
        .iter()
        .flat_map(|m| [m.benchmark.clone(), former_name(&m.benchmark, renames)])
        .collect();
    let lost = run.baselines.iter().filter(|series| !known.contains(&series.benchmark));
    lost.map(|series| Subject {
        benchmark: series.benchmark.clone(),
        metric: series.metric.clone(),
        fate: Fate::Missing,
        blocks: Vec::new(),
        voided: 0,
        limits: rules.limits(&series.benchmark, &series.metric),
        trials: Vec::new(),
    })
    .collect()
}

/// Puts base's slots under the old name and head's under the new one into one subject, block by block.
fn join_renamed(subjects: &mut Vec<Subject>, rename: &Rename) {
    let is = |subject: &Subject, id: &str, fate: &Fate| {
        subject.benchmark.id.as_str() == id && subject.fate == *fate && !subject.blocks.is_empty()
    };
    while let Some(old) = subjects.iter().position(|subject| is(subject, &rename.from, &Fate::Missing)) {
        let (target, metric) = (&subjects[old].benchmark.target, &subjects[old].metric);
        let same = |s: &Subject| s.benchmark.target == *target && s.metric == *metric;
        let Some(new) = subjects.iter().position(|s| is(s, &rename.to, &Fate::New) && same(s)) else {
            return;
        };
        let base = subjects[old].blocks.clone();
        let head = &mut subjects[new];
        head.blocks.resize(head.blocks.len().max(base.len()), Vec::new());
        for (block, slots) in head.blocks.iter_mut().zip(base) {
            block.extend(slots);
        }
        head.fate = Fate::Measured;
        subjects[new].voided += subjects[old].voided;
        subjects.remove(old);
    }
}
