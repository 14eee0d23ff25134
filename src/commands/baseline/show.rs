//! `baseline show`: the stored runs of one benchmark.

use std::path::Path;

use super::{Error, World, place::Place};
use crate::{
    model::{
        baseline::{Level, StoredRun},
        benchmark::Benchmark,
        environment::{Environment, EnvironmentKey},
        metric::Metric,
    },
    stats::location::median,
    store::{
        history::Extent,
        load::{self, From},
    },
};

/// How unlike an id may be to be offered instead.
const MIN_LIKENESS: f64 = 0.7;
/// How many are offered.
const MOST_SIMILAR: usize = 3;

/// What to show.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Any folder of the repository.
    pub directory: &'a Path,
    /// The benchmark: its id, or `target:id`.
    pub benchmark: String,
    /// Of one environment only.
    pub environment: Option<EnvironmentKey>,
    /// Where its runs are taken from.
    pub from: From,
}

/// The stored runs of a benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// One entry an environment, target and metric.
    pub series: Vec<Shown>,
    /// The moment of the report, seconds since 1970; ages count from it.
    pub now: u64,
}

/// The stored runs of one metric of a benchmark in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The environment's key.
    pub key: EnvironmentKey,
    /// Its factors, where they can be read.
    pub environment: Option<Environment>,
    /// The benchmark.
    pub benchmark: Benchmark,
    /// The metric.
    pub metric: Metric,
    /// Changes that were accepted, oldest first.
    pub levels: Vec<Level>,
    /// The runs that count, oldest first.
    pub runs: Vec<ShownRun>,
}

/// One run, summed up.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownRun {
    /// Its commit.
    pub rev: String,
    /// When, seconds since 1970.
    pub recorded_at: u64,
    /// How many processes it holds.
    pub processes: usize,
    /// The median of their values, which is what counts; in the metric's unit.
    pub median: f64,
    /// Their lowest value.
    pub lowest: f64,
    /// Their highest value.
    pub highest: f64,
}

/// Collects a benchmark's stored runs.
///
/// # Errors
/// When nothing is stored of it (the error offers ids that are like it), or a file or the history cannot be trusted.
pub fn show(request: &Request<'_>, world: &World<'_>) -> Result<Report, Error> {
    let place = Place::open(request.directory)?;
    let mut series = Vec::new();
    let mut ids = Vec::new();
    for key in environments(&place, request)? {
        place.check_keys(&key, world.key_of)?;
        let loaded = load::load_from(request.from, &place.baselines, &place.history, &place.commits, &key)?;
        for stored in loaded.series {
            if !is_called(&stored.benchmark, &request.benchmark) {
                ids.push(stored.benchmark.id.as_str().to_owned());
                continue;
            }
            let file = place.baselines.find(&key, &stored.benchmark.target)?;
            let levels = file.iter().flat_map(|file| &file.series).find(|levelled| {
                (&levelled.series.benchmark, &levelled.series.metric) == (&stored.benchmark, &stored.metric)
            });
            series.push(Shown {
                key: key.clone(),
                environment: match &file {
                    Some(file) => Some(file.environment.clone()),
                    None => newest_environment(&place, &key)?,
                },
                levels: levels.map(|levelled| levelled.levels.clone()).unwrap_or_default(),
                benchmark: stored.benchmark,
                metric: stored.metric,
                runs: stored.runs.iter().map(summary).collect(),
            });
        }
    }
    if series.is_empty() {
        let wanted = format!("`{}`", request.benchmark.escape_debug());
        return Err(Error::NoMatch { wanted, similar: similar(&request.benchmark, &ids) });
    }
    Ok(Report { series, now: world.now })
}

/// Whether a benchmark is called so: by its id, or by `target:id`.
pub(super) fn is_called(benchmark: &Benchmark, name: &str) -> bool {
    benchmark.id.as_str() == name
        || name.strip_prefix(benchmark.target.as_str()).and_then(|rest| rest.strip_prefix(':'))
            == Some(benchmark.id.as_str())
}

/// The ids most like a name, escaped.
pub(super) fn similar(name: &str, ids: &[String]) -> Vec<String> {
    let mut ranked: Vec<(f64, &String)> = ids
        .iter()
        .map(|id| (strsim::jaro_winkler(name, id), id))
        .filter(|(likeness, _)| *likeness >= MIN_LIKENESS)
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    ranked.dedup_by(|a, b| a.1 == b.1);
    ranked.iter().take(MOST_SIMILAR).map(|(_, id)| id.escape_debug().to_string()).collect()
}

/// The environments to look in, sorted.
fn environments(place: &Place, request: &Request<'_>) -> Result<Vec<EnvironmentKey>, Error> {
    if let Some(key) = &request.environment {
        return Ok(vec![key.clone()]);
    }
    let mut keys = place.baselines.environments()?;
    if request.from != From::WorkTree {
        keys.extend(place.history.environments()?.into_keys());
    }
    keys.sort();
    keys.dedup();
    Ok(keys)
}

fn newest_environment(place: &Place, key: &EnvironmentKey) -> Result<Option<Environment>, Error> {
    let newest = place.history.records(key, Extent::Newest(1))?.records.pop();
    Ok(newest.map(|record| record.environment))
}

fn summary(run: &StoredRun) -> ShownRun {
    ShownRun {
        rev: run.rev.clone(),
        recorded_at: run.recorded_at,
        processes: run.values.len(),
        median: median(&run.values).unwrap_or(f64::NAN),
        lowest: run.values.iter().copied().fold(f64::INFINITY, f64::min),
        highest: run.values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}
