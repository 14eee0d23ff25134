//! Stored runs for a check: from the reviewed files, from the history, or from both.

use std::{collections::BTreeMap, path::Path};

use super::{
    Error,
    baselines::Baselines,
    history::{Extent, History},
    levels,
    save::sort,
};
use crate::{
    format,
    git::refs::commits::Commits,
    model::{
        baseline::{Level, LevelledSeries, MAX_RUNS, RunRecord, StoredRun, StoredSeries},
        benchmark::Benchmark,
        environment::{Environment, EnvironmentKey},
    },
};

/// How many records of the history are looked at: five times what a series keeps, because not every run holds every benchmark.
const NEWEST_RECORDS: usize = 5 * MAX_RUNS;

/// Where stored runs are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum From {
    /// The reviewed files.
    #[default]
    WorkTree,
    /// The recorded runs; accepted changes are still those of the reviewed files.
    History,
    /// Both, each run once.
    Both,
}

/// What is stored for one environment.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The series, sorted by target, id and metric, each with the newest runs of its level: at most [`MAX_RUNS`], and none at
    /// all where a change was accepted and nothing measured since.
    pub series: Vec<StoredSeries>,
    /// The other environments that have stored runs. They are never compared with; they say where to look.
    pub others: Vec<Known>,
    /// Records of the history that were left out because they cannot be trusted.
    pub broken: Vec<(String, format::Error)>,
}

/// An environment that has stored runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its key.
    pub key: EnvironmentKey,
    /// Its factors; `None` when no file of it can be trusted.
    pub environment: Option<Environment>,
}

impl Loaded {
    /// Whether no series holds a run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.runs.is_empty())
    }
}

/// What the reviewed files of the work tree hold for `environment`.
///
/// # Errors
/// When a file of that environment cannot be read or trusted. Those of other environments are not opened unless there is
/// none of this one, and then a broken one only goes without its factors.
pub fn load(work_tree: &Path, environment: &EnvironmentKey) -> Result<Loaded, Error> {
    let baselines = Baselines::of(work_tree);
    let mut series = Vec::new();
    for file in baselines.read_all(environment)? {
        series.extend(file.series.into_iter().map(|levelled| levelled.series));
    }
    Ok(Loaded { series, others: others(&baselines, None, environment)?, broken: Vec::new() })
}

/// What is stored for `environment` in either place.
///
/// # Errors
/// As [`load`], or when the history cannot be read.
pub fn load_from(
    from: From,
    baselines: &Baselines,
    history: &History,
    commits: &Commits,
    environment: &EnvironmentKey,
) -> Result<Loaded, Error> {
    let mut all = SeriesMap::new();
    for mut levelled in baselines.read_all(environment)?.into_iter().flat_map(|file| file.series) {
        if from == From::History {
            levelled.series.runs.clear();
        }
        all.insert((levelled.series.benchmark.clone(), levelled.series.metric.name.clone()), levelled);
    }
    let mut broken = Vec::new();
    if from != From::WorkTree {
        let read = history.records(environment, Extent::Newest(NEWEST_RECORDS))?;
        broken = read.broken;
        for record in read.records {
            add_record(&mut all, record, commits);
        }
    }
    let series = all.into_values().map(|levelled| newest(levelled.series)).collect();
    Ok(Loaded { series, others: others(baselines, Some(history), environment)?, broken })
}

/// Series by benchmark and metric name.
type SeriesMap = BTreeMap<(Benchmark, String), LevelledSeries>;

/// Adds the runs of a record to their series.
fn add_record(all: &mut SeriesMap, record: RunRecord, commits: &Commits) {
    for recorded in record.series {
        let key = (recorded.benchmark.clone(), recorded.metric.name.clone());
        let levelled = all.entry(key).or_insert_with(|| LevelledSeries {
            series: StoredSeries {
                benchmark: recorded.benchmark,
                metric: recorded.metric.clone(),
                runs: vec![],
            },
            levels: vec![],
        });
        // A metric that meant something else then cannot be compared with what it means now.
        if levelled.series.metric == recorded.metric {
            let run = StoredRun {
                rev: record.rev.clone(),
                recorded_at: record.recorded_at,
                values: recorded.values,
                trials: recorded.trials,
            };
            add(&mut levelled.series.runs, run, &levelled.levels, commits);
        }
    }
}

/// Adds a run that still counts and is not there yet.
fn add(runs: &mut Vec<StoredRun>, run: StoredRun, levels: &[Level], commits: &Commits) {
    if levels::counts(levels, &run.rev, run.recorded_at, commits) && !runs.contains(&run) {
        runs.push(run);
    }
}

fn newest(mut series: StoredSeries) -> StoredSeries {
    sort(&mut series.runs);
    let dropped = series.runs.len().saturating_sub(MAX_RUNS);
    series.runs.drain(..dropped);
    series
}

/// The other environments that have stored runs, sorted by key.
fn others(
    baselines: &Baselines,
    history: Option<&History>,
    environment: &EnvironmentKey,
) -> Result<Vec<Known>, Error> {
    let mut others = BTreeMap::new();
    for key in baselines.environments()? {
        if key == *environment {
            continue;
        }
        let files = baselines.files(&key)?;
        if files.is_empty() {
            continue;
        }
        let factors = files.iter().find_map(|path| baselines.read(path).ok()).map(|file| file.environment);
        others.insert(key, factors);
    }
    if let Some(history) = history {
        for key in history.environments()?.into_keys() {
            if key != *environment && others.get(&key).is_none_or(Option::is_none) {
                let newest = history.records(&key, Extent::Newest(1))?.records.pop();
                others.insert(key, newest.map(|record| record.environment));
            }
        }
    }
    Ok(others.into_iter().map(|(key, environment)| Known { key, environment }).collect())
}
