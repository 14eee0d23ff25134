//! A change becomes the new level: what was measured before it no longer counts, and the reviewed file says who decided so.

use super::{Error, baselines::Baselines, levels, lock::WriteLock, save::series_of};
use crate::{
    format::baseline_v1::MAX_LEVELS,
    git::refs::commits::Commits,
    model::{
        baseline::{BaselineFile, Level, LevelledSeries, StoredSeries},
        benchmark::Benchmark,
        environment::{Environment, EnvironmentKey},
        metric::Metric,
    },
};

/// Who accepts which change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The commit with the change, 40 hexadecimal digits.
    pub rev: String,
    /// When, seconds since 1970-01-01T00:00:00Z.
    pub accepted_at: u64,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A series that only the history knows: accepting a change in it needs a place in the reviewed files.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreviewed {
    /// Where it was measured.
    pub environment: Environment,
    /// Which benchmark.
    pub benchmark: Benchmark,
    /// Which metric.
    pub metric: Metric,
}

/// A series in which the change was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// Its environment.
    pub environment: EnvironmentKey,
    /// Its benchmark.
    pub benchmark: Benchmark,
    /// Its metric.
    pub metric: Metric,
    /// The value that counted until now.
    pub before: Option<f64>,
    /// Runs that belong to the new level already.
    pub kept: usize,
    /// Runs that no longer count, and left the file.
    pub dropped: usize,
}

/// What to choose series by, and how to sum one up.
pub struct Choice<'a> {
    /// Whether the change is accepted in this series.
    pub chosen: &'a dyn Fn(&EnvironmentKey, &Benchmark, &Metric) -> bool,
    /// The value that a series' runs stand for.
    pub typical: &'a dyn Fn(&StoredSeries) -> Option<f64>,
}

/// What accepting a change did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Acceptances {
    /// The series that have a new level.
    pub accepted: Vec<Accepted>,
    /// Chosen series in which this commit had been accepted before; they are left as they are.
    pub already: usize,
}

/// Starts a new level in every series that `choice` chooses, in all environments.
///
/// Every file is read and made up before the first is written.
///
/// # Errors
/// When a file cannot be trusted or written.
pub fn accept(
    baselines: &Baselines,
    lock: &WriteLock,
    acceptance: &Acceptance,
    choice: &Choice<'_>,
    unreviewed: &[Unreviewed],
    commits: &Commits,
) -> Result<Acceptances, Error> {
    let mut files = files(baselines)?;
    for missing in unreviewed {
        give_place(&mut files, missing)?;
    }
    let mut done = Acceptances::default();
    for file in &mut files {
        let key = file.environment.key.clone();
        for levelled in &mut file.series {
            let StoredSeries { benchmark, metric, .. } = &levelled.series;
            if !(choice.chosen)(&key, benchmark, metric) {
                continue;
            }
            match start_level(levelled, acceptance, choice, commits, &key) {
                Some(accepted) => done.accepted.push(accepted),
                None => done.already += 1,
            }
        }
        // Places that were given in vain.
        file.series.retain(|levelled| !levelled.series.runs.is_empty() || !levelled.levels.is_empty());
    }
    if !done.accepted.is_empty() {
        for file in files.iter().filter(|file| !file.series.is_empty()) {
            baselines.write(lock, file)?;
        }
    }
    Ok(done)
}

fn files(baselines: &Baselines) -> Result<Vec<BaselineFile>, Error> {
    let mut files = Vec::new();
    for environment in baselines.environments()? {
        files.extend(baselines.read_all(&environment)?);
    }
    Ok(files)
}

/// Makes room for a series that the files do not know.
fn give_place(files: &mut Vec<BaselineFile>, missing: &Unreviewed) -> Result<(), Error> {
    let home = |file: &BaselineFile| {
        file.environment.key == missing.environment.key && file.target == missing.benchmark.target
    };
    let at = files.iter().position(home).unwrap_or_else(|| {
        files.push(BaselineFile {
            environment: missing.environment.clone(),
            target: missing.benchmark.target.clone(),
            series: Vec::new(),
        });
        files.len() - 1
    });
    let is_there = |levelled: &LevelledSeries| {
        levelled.series.benchmark == missing.benchmark && levelled.series.metric.name == missing.metric.name
    };
    if !files[at].series.iter().any(is_there) {
        series_of(&mut files[at], &missing.benchmark, &missing.metric)?;
    }
    Ok(())
}

/// Starts a new level in a series, unless the change was accepted there before.
fn start_level(
    levelled: &mut LevelledSeries,
    acceptance: &Acceptance,
    choice: &Choice<'_>,
    commits: &Commits,
    environment: &EnvironmentKey,
) -> Option<Accepted> {
    if levelled.levels.iter().any(|level| level.rev == acceptance.rev) {
        return None;
    }
    let newest = levelled.levels.last().map_or(0, |level| level.accepted_at);
    let level = Level {
        rev: acceptance.rev.clone(),
        // A clock that went backwards must not put the new level before the old one.
        accepted_at: acceptance.accepted_at.max(newest),
        by: acceptance.by.clone(),
        reason: acceptance.reason.clone(),
        before: None,
    };
    levelled.levels.push(level);
    let StoredSeries { benchmark, metric, runs } = levelled.series.clone();
    let (kept, dropped): (Vec<_>, Vec<_>) = runs
        .into_iter()
        .partition(|run| levels::counts(&levelled.levels, &run.rev, run.recorded_at, commits));
    let (kept_count, dropped_count) = (kept.len(), dropped.len());
    let old = StoredSeries { benchmark: benchmark.clone(), metric: metric.clone(), runs: dropped };
    let before = (choice.typical)(&old);
    if let Some(level) = levelled.levels.last_mut() {
        level.before = before;
    }
    levelled.series.runs = kept;
    let too_many = levelled.levels.len().saturating_sub(MAX_LEVELS);
    levelled.levels.drain(..too_many);
    Some(Accepted {
        environment: environment.clone(),
        benchmark,
        metric,
        before,
        kept: kept_count,
        dropped: dropped_count,
    })
}
