//! A measured run as what is stored of it: one value a process of every benchmark, and why some are left out.

use std::fmt;

use crate::{
    judge::load,
    model::{
        baseline::{RecordedSeries, RunRecord, StoredTrial},
        benchmark::Benchmark,
        metric::Nature,
        run::{Fate, Measurement, Run, Side, Slot},
    },
    stats::location::fastest_fifth,
};

/// The fewest processes of a stored run of a noisy metric: their median counts, so that one outlying process spoils no
/// history (`statistics.md`, part (b)).
pub const MIN_PROCESSES: usize = 6;
/// The fewest of a deterministic one: whether it repeats shows in two (part (c)).
const MIN_DETERMINISTIC: usize = 2;

/// A benchmark that was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub benchmark: Benchmark,
    /// Its metric's name.
    pub metric: String,
    /// Why.
    pub why: Why,
}

/// Why a benchmark was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It was measured in too few processes.
    TooFew {
        /// How many there are.
        have: usize,
        /// How many it takes.
        need: usize,
    },
    /// A process gave a value that cannot be compared: zero, or not finite.
    BadValue,
    /// It could not be measured.
    Failed,
    /// It was not measured: its machine code is that of the base.
    Identical,
}

impl Why {
    /// Whether the run was meant to hold this benchmark, so that it is incomplete without it.
    #[must_use]
    pub fn is_a_gap(&self) -> bool {
        *self != Self::Identical
    }
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { have: 1, need } => {
                write!(formatter, "was measured in 1 process of the {need} it takes")
            }
            Self::TooFew { have, need } => {
                write!(formatter, "was measured in {have} processes of the {need} it takes")
            }
            Self::BadValue => formatter.write_str("gave a value that is zero or not finite"),
            Self::Failed => formatter.write_str("could not be measured"),
            Self::Identical => formatter.write_str("was not measured: its machine code is that of the base"),
        }
    }
}

/// The record of a run's head, which stands for the commit `rev`; and what was left out of it. Benchmarks that only the base
/// has, or that were filtered out, are no part of it.
#[must_use]
pub fn record(run: &Run, rev: &str) -> (RunRecord, Vec<Refused>) {
    let mut series = Vec::new();
    let mut refused = Vec::new();
    for measurement in &run.measurements {
        let why = match measurement.fate {
            Fate::Missing | Fate::Ignored(_) => continue,
            Fate::Failed { .. } => Why::Failed,
            Fate::Identical if measurement.blocks.is_empty() => Why::Identical,
            Fate::Measured | Fate::New | Fate::Identical => match values(measurement) {
                Ok(values) => {
                    let (benchmark, metric) = (measurement.benchmark.clone(), measurement.metric.clone());
                    let trials =
                        if metric.nature == Nature::Counted { trials(run, &benchmark) } else { Vec::new() };
                    series.push(RecordedSeries { benchmark, metric, values, trials });
                    continue;
                }
                Err(why) => why,
            },
        };
        let (benchmark, metric) = (measurement.benchmark.clone(), measurement.metric.name.clone());
        refused.push(Refused { benchmark, metric, why });
    }
    series.sort_by(|a, b| (&a.benchmark, &a.metric.name).cmp(&(&b.benchmark, &b.metric.name)));
    let record = RunRecord {
        tool_version: run.tool_version.clone(),
        rev: rev.to_owned(),
        label: run.head.label.clone(),
        recorded_at: run.started_at,
        environment: run.environment.clone(),
        seed: run.seed,
        series,
    };
    (record, refused)
}

/// One value a head process of the valid blocks, in time order.
fn values(measurement: &Measurement) -> Result<Vec<f64>, Why> {
    let slots = measurement.blocks.iter().filter(|block| block.void.is_none()).flat_map(|block| &block.slots);
    let values: Vec<f64> = slots.filter(|slot| slot.side == Side::Head).filter_map(value).collect();
    let (need, least) = match measurement.metric.nature {
        Nature::Noisy if measurement.metric.may_be_zero() => (MIN_PROCESSES, 0.0),
        Nature::Noisy => (MIN_PROCESSES, f64::MIN_POSITIVE),
        Nature::Deterministic => (MIN_DETERMINISTIC, 0.0),
        Nature::Counted => (MIN_PROCESSES, 0.0),
    };
    if values.len() < need {
        return Err(Why::TooFew { have: values.len(), need });
    }
    let possible = values.iter().all(|value| value.is_finite() && *value >= least);
    if possible { Ok(values) } else { Err(Why::BadValue) }
}

/// Head's valid load trials of a benchmark, in time order.
fn trials(run: &Run, benchmark: &Benchmark) -> Vec<StoredTrial> {
    let scenario = benchmark.id.as_str().strip_prefix(load::PREFIX);
    let valid =
        run.load.iter().filter(|block| block.void.is_none() && Some(block.scenario.as_str()) == scenario);
    let heads = valid.flat_map(|block| &block.trials).filter(|trial| trial.side == Side::Head);
    let stored = heads.map(|trial| StoredTrial {
        scheduled: trial.requests.scheduled,
        failed: trial.requests.errors + trial.requests.unfinished,
        response_time: trial.clocks.response_time.clone(),
    });
    stored.collect()
}

/// The value of a process: the mean of the fastest fifth of its samples per iteration.
fn value(slot: &Slot) -> Option<f64> {
    let samples: Vec<f64> = slot.samples.iter().map(|sample| sample.total / sample.iterations).collect();
    fastest_fifth(&samples)
}
