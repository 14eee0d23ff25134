//! `baseline accept`: a change becomes the new level of the benchmarks that it names.

use std::{cell::RefCell, collections::BTreeSet, path::Path};

use globset::{Glob, GlobMatcher};

use super::{Error, World, place::Place, show::is_called, show::similar};
use crate::{
    model::{baseline::StoredSeries, benchmark::Benchmark, environment::EnvironmentKey, metric::Metric},
    stats::location::median,
    store::{
        accept::{self as levels, Acceptance, Accepted, Choice, Unreviewed},
        history::Extent,
        load::From,
    },
};

/// The longest reason, in characters: it stands in one line of a reviewed file.
const MAX_REASON: usize = 1000;
/// How many records of each environment tell which benchmarks the history knows.
const RECORDS_LOOKED_AT: usize = 20;

/// What to accept.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Any folder of the repository.
    pub directory: &'a Path,
    /// Globs over the benchmark id or `target:id`; an id itself matches, too.
    pub benchmarks: Vec<String>,
    /// Of this metric only.
    pub metric: Option<String>,
    /// In this environment only; a change of the code is one everywhere.
    pub environment: Option<EnvironmentKey>,
    /// The commit with the change; `None` is `HEAD`.
    pub rev: Option<String>,
    /// Who accepts it; `None` is git's user.
    pub by: Option<String>,
    /// Why.
    pub reason: String,
    /// Where stored runs are used from: with the history, benchmarks count that have no reviewed file yet.
    pub from: From,
}

/// What was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// By whom, when, for which commit, why.
    pub acceptance: Acceptance,
    /// The series that have a new level.
    pub accepted: Vec<Accepted>,
    /// Series in which this commit had been accepted before.
    pub already: usize,
}

/// Accepts a change.
///
/// # Errors
/// When there is no reason or nobody to answer for it, a revision or benchmark is unknown, or a file cannot be trusted or
/// written. Nothing is changed then.
pub fn accept(request: &Request<'_>, world: &World<'_>) -> Result<Report, Error> {
    let place = Place::open(request.directory)?;
    let names = request.benchmarks.iter().map(|glob| Name::new(glob)).collect::<Result<Vec<_>, _>>()?;
    let acceptance = Acceptance {
        rev: place.resolve(request.rev.as_deref().unwrap_or("HEAD"))?,
        accepted_at: world.now,
        by: one_line(request.by.as_deref()).or_else(|| place.commits.user()).ok_or(Error::Nobody)?,
        reason: one_line(Some(&request.reason))
            .filter(|reason| reason.chars().count() <= MAX_REASON)
            .ok_or(Error::Reason(MAX_REASON))?,
    };
    let lock = place.lock("tollgate baseline accept", world)?;
    let unreviewed = if request.from == From::WorkTree { Vec::new() } else { from_history(&place)? };
    let seen = RefCell::new(BTreeSet::new());
    let chosen = |key: &EnvironmentKey, benchmark: &Benchmark, metric: &Metric| {
        seen.borrow_mut().insert(benchmark.id.as_str().to_owned());
        request.environment.as_ref().is_none_or(|wanted| wanted == key)
            && request.metric.as_ref().is_none_or(|wanted| *wanted == metric.name)
            && names.iter().any(|name| name.matches(benchmark))
    };
    let choice = Choice { chosen: &chosen, typical: &typical };
    let done = levels::accept(&place.baselines, &lock, &acceptance, &choice, &unreviewed, &place.commits)?;
    if done.accepted.is_empty() && done.already == 0 {
        return Err(no_match(&request.benchmarks, &seen.into_inner()));
    }
    Ok(Report { acceptance, accepted: done.accepted, already: done.already })
}

/// A name on the command line: a glob, and an id that may hold the glob's own characters.
struct Name {
    text: String,
    glob: GlobMatcher,
}

impl Name {
    fn new(text: &str) -> Result<Self, Error> {
        let glob = Glob::new(text).or_else(|source| {
            // An id such as `sort/[u8` is no glob; taken literally it may still be what is meant.
            Glob::new(&globset::escape(text)).map_err(|_| source)
        });
        let glob = glob.map_err(|source| Error::Glob { glob: text.escape_debug().to_string(), source })?;
        Ok(Self { text: text.to_owned(), glob: glob.compile_matcher() })
    }

    fn matches(&self, benchmark: &Benchmark) -> bool {
        is_called(benchmark, &self.text)
            || self.glob.is_match(benchmark.id.as_str())
            || self.glob.is_match(format!("{}:{}", benchmark.target, benchmark.id))
    }
}

/// The value that stored runs stand for: the median of their medians.
fn typical(series: &StoredSeries) -> Option<f64> {
    let medians: Vec<f64> = series.runs.iter().filter_map(|run| median(&run.values)).collect();
    median(&medians)
}

/// What the history's newest records know.
fn from_history(place: &Place) -> Result<Vec<Unreviewed>, Error> {
    let mut known = Vec::new();
    for key in place.history.environments()?.into_keys() {
        let mut seen = BTreeSet::new();
        let records = place.history.records(&key, Extent::Newest(RECORDS_LOOKED_AT))?.records;
        for record in records.iter().rev() {
            for series in &record.series {
                if seen.insert((series.benchmark.clone(), series.metric.name.clone())) {
                    known.push(Unreviewed {
                        environment: record.environment.clone(),
                        benchmark: series.benchmark.clone(),
                        metric: series.metric.clone(),
                    });
                }
            }
        }
    }
    Ok(known)
}

fn no_match(globs: &[String], seen: &BTreeSet<String>) -> Error {
    let ids: Vec<String> = seen.iter().cloned().collect();
    let mut found: Vec<String> = globs.iter().flat_map(|glob| similar(glob, &ids)).collect();
    found.dedup();
    let quoted: Vec<String> = globs.iter().map(|glob| format!("`{}`", glob.escape_debug())).collect();
    Error::NoMatch { wanted: quoted.join(" or "), similar: found }
}

/// A text on one line, without control characters; `None` when nothing is left.
fn one_line(text: Option<&str>) -> Option<String> {
    let words: Vec<&str> = text?.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}
