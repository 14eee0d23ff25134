//! `import --history`: what github-action-benchmark kept, commit by commit, joins the history as runs of an unknown machine.
//!
//! Such runs have one value each and an environment of their own, whose key no machine has: they show where a project comes from,
//! and no check is ever compared with them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{Error, World, place::Place};
use crate::{
    commands::{failure::Failure, judge::read_bytes},
    machine::fingerprint,
    model::{
        baseline::{RecordedSeries, RunRecord},
        environment::Environment,
        outcome::Outcome,
    },
    sources::{
        data_js::{Past, history, is_commit},
        input::InputFile,
        pairing::unknown_environment,
    },
    text::plural,
};

/// What the unknown machine is called in lists.
const UNKNOWN: &str = "unknown machine (github-action-benchmark)";

/// What files hold, ready to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Entries {
    records: Vec<RunRecord>,
    left_out: usize,
}

/// What was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Runs that the history has more now.
    pub written: usize,
    /// Runs that it had already.
    pub known: usize,
    /// Entries whose commit is no whole hash, or without any value.
    pub left_out: usize,
}

impl Report {
    /// `incomplete` when nothing could be taken in.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.written + self.known == 0 { Outcome::Incomplete } else { Outcome::Pass }
    }

    /// One line: what was taken in.
    #[must_use]
    pub fn summary(&self) -> String {
        let left_out = match self.left_out {
            0 => String::new(),
            count => {
                let entries = if count == 1 { "entry names" } else { "entries name" };
                format!("; {count} {entries} no whole commit, or hold no value, and were left out")
            }
        };
        format!(
            "recorded {} of an unknown machine in the history, {} there already{left_out}",
            plural::count(self.written, "run"),
            self.known
        )
    }
}

/// Reads `data.js` files.
///
/// # Errors
/// When one cannot be read or is no `data.js`.
pub fn read(paths: &[PathBuf]) -> Result<Entries, Failure> {
    let mut all = Vec::new();
    for path in paths {
        let file = InputFile { path: path.display().to_string(), bytes: read_bytes(path)? };
        all.extend(history(&file).map_err(Failure::configuration)?);
    }
    let entries = all.len();
    let records: Vec<RunRecord> = all.into_iter().filter_map(run).collect();
    let left_out = entries - records.len();
    Ok(Entries { records, left_out })
}

/// Records them in the history of the repository around `directory`.
///
/// # Errors
/// When the history cannot be written; nothing is recorded then.
pub fn record(directory: &Path, entries: &Entries, world: &World<'_>) -> Result<Report, Error> {
    let (records, left_out) = (&entries.records, entries.left_out);
    let place = Place::open(directory)?;
    let lock = place.lock("tollgate import", world)?;
    let written =
        if records.is_empty() { 0 } else { place.history.append(&lock, records, world.now)?.written };
    Ok(Report { written, known: records.len() - written, left_out })
}

/// An entry as a run; `None` where it names no commit or has no value.
fn run(past: Past) -> Option<RunRecord> {
    let mut series = BTreeMap::new();
    for measurement in past.measurements {
        let values: Vec<f64> = measurement.processes.iter().flatten().map(|sample| sample.total).collect();
        if !values.is_empty() {
            let key = (measurement.benchmark.clone(), measurement.metric.name.clone());
            let (benchmark, metric) = (measurement.benchmark, measurement.metric);
            series.insert(key, RecordedSeries { benchmark, metric, values, trials: Vec::new() });
        }
    }
    (is_commit(&past.commit) && !series.is_empty()).then(|| RunRecord {
        tool_version: env!("CARGO_PKG_VERSION").into(),
        rev: past.commit,
        label: "github-action-benchmark".into(),
        recorded_at: past.recorded_at,
        environment: environment(),
        seed: 0,
        series: series.into_values().collect(),
    })
}

fn environment() -> Environment {
    let mut environment = Environment { cpu: UNKNOWN.into(), ..unknown_environment() };
    environment.key = fingerprint::key(&environment);
    environment
}
