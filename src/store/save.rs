//! A measured run becomes stored runs in the reviewed files.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    Error,
    baselines::{Baselines, Change},
    levels,
    lock::WriteLock,
};
use crate::{
    git::refs::commits::Commits,
    model::{
        baseline::{
            BaselineFile, LevelledSeries, MAX_RUNS, RecordedSeries, RunRecord, StoredRun, StoredSeries,
        },
        benchmark::Benchmark,
        metric::Metric,
    },
};

/// What saving a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    /// The files that were written, from the top of the work tree.
    pub files: Vec<PathBuf>,
    /// Series that have one run more.
    pub added: usize,
    /// Series that held this very run already.
    pub already_there: usize,
    /// Benchmarks whose run is from before an accepted change, and was left out.
    pub before_level: Vec<Benchmark>,
    /// Runs that made room, because a series keeps the newest [`MAX_RUNS`] only.
    pub dropped: usize,
}

/// What became of one run in its series.
enum Place {
    Added { dropped: usize },
    AlreadyThere,
    BeforeLevel,
}

/// Adds a run to the reviewed baseline of its environment.
///
/// The same commit measured twice is two runs: more runs of the same code are good history. Only the very same run (same
/// commit, moment and values) is not stored twice, so that saving again after a failure completes what is missing.
///
/// Every file is read and made up before the first is written; each is then replaced whole or not at all.
///
/// # Errors
/// When a file that is there cannot be trusted, a metric means something else than it did, or the disk refuses.
pub fn save(
    baselines: &Baselines,
    lock: &WriteLock,
    record: &RunRecord,
    commits: &Commits,
) -> Result<Saved, Error> {
    let mut targets: BTreeMap<&str, Vec<&RecordedSeries>> = BTreeMap::new();
    for series in &record.series {
        targets.entry(&series.benchmark.target).or_default().push(series);
    }
    let mut saved = Saved::default();
    let mut files = Vec::new();
    for (target, recorded) in targets {
        let mut file = baselines.find(&record.environment.key, target)?.unwrap_or_else(|| BaselineFile {
            environment: record.environment.clone(),
            target: target.to_owned(),
            series: Vec::new(),
        });
        for series in recorded {
            match add(&mut file, record, series, commits)? {
                Place::Added { dropped } => {
                    saved.added += 1;
                    saved.dropped += dropped;
                }
                Place::AlreadyThere => saved.already_there += 1,
                Place::BeforeLevel => saved.before_level.push(series.benchmark.clone()),
            }
        }
        files.push(file);
    }
    for file in files.iter().filter(|file| !file.series.is_empty()) {
        let (path, change) = baselines.write(lock, file)?;
        if change != Change::Unchanged {
            saved.files.push(baselines.shown(&path).into());
        }
    }
    Ok(saved)
}

/// Adds one run to its series.
fn add(
    file: &mut BaselineFile,
    record: &RunRecord,
    recorded: &RecordedSeries,
    commits: &Commits,
) -> Result<Place, Error> {
    let levelled = series_of(file, &recorded.benchmark, &recorded.metric)?;
    if !levels::counts(&levelled.levels, &record.rev, record.recorded_at, commits) {
        return Ok(Place::BeforeLevel);
    }
    let run = StoredRun {
        rev: record.rev.clone(),
        recorded_at: record.recorded_at,
        values: recorded.values.clone(),
        trials: recorded.trials.clone(),
    };
    let runs = &mut levelled.series.runs;
    if runs.contains(&run) {
        return Ok(Place::AlreadyThere);
    }
    runs.push(run);
    sort(runs);
    let dropped = runs.len().saturating_sub(MAX_RUNS);
    runs.drain(..dropped);
    Ok(Place::Added { dropped })
}

/// Oldest first; runs of one second by commit, so that every clone sorts them alike.
pub(super) fn sort(runs: &mut [StoredRun]) {
    runs.sort_by(|a, b| (a.recorded_at, &a.rev).cmp(&(b.recorded_at, &b.rev)));
}

/// The series of a benchmark's metric in a file, made where it is missing.
pub(super) fn series_of<'a>(
    file: &'a mut BaselineFile,
    benchmark: &Benchmark,
    metric: &Metric,
) -> Result<&'a mut LevelledSeries, Error> {
    let place = file.series.binary_search_by(|levelled| {
        let there = &levelled.series;
        (&there.benchmark.id, &there.metric.name).cmp(&(&benchmark.id, &metric.name))
    });
    let at = match place {
        Ok(at) => at,
        Err(at) => {
            let series =
                StoredSeries { benchmark: benchmark.clone(), metric: metric.clone(), runs: Vec::new() };
            file.series.insert(at, LevelledSeries { series, levels: Vec::new() });
            at
        }
    };
    let levelled = &mut file.series[at];
    if levelled.series.metric == *metric {
        return Ok(levelled);
    }
    let meaning = |metric: &Metric| format!("{} ({} is better)", metric.unit, metric.direction.as_str());
    Err(Error::Redefined {
        benchmark: benchmark.id.as_str().escape_debug().to_string(),
        metric: metric.name.escape_debug().to_string(),
        stored: meaning(&levelled.series.metric),
        measured: meaning(metric),
    })
}
