//! `baseline list`: which environments and targets have stored runs, and how fresh they are.

use std::{collections::BTreeMap, path::Path};

use super::{Error, World, place::Place};
use crate::{
    model::{
        baseline::BaselineFile,
        environment::{Environment, EnvironmentKey},
        outcome::{ErrorClass, Outcome},
    },
    store::{self, history::Extent, load::From},
};

/// What to list.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Any folder of the repository.
    pub directory: &'a Path,
    /// The key of this machine, to be marked in the list.
    pub current: Option<EnvironmentKey>,
    /// Where to look: with the history, its records are counted, too. The reviewed files are always listed.
    pub from: From,
}

/// What is stored.
#[derive(Debug, Default)]
pub struct Report {
    /// The environments, this machine's first, then by key.
    pub environments: Vec<Listed>,
    /// Files that cannot be read.
    pub broken: Vec<store::Error>,
    /// The moment of the list, seconds since 1970; ages count from it.
    pub now: u64,
}

/// An environment with stored runs.
#[derive(Debug)]
pub struct Listed {
    /// Its key.
    pub key: EnvironmentKey,
    /// Its factors; `None` when nothing of it can be read.
    pub environment: Option<Environment>,
    /// Whether it is this machine's.
    pub current: bool,
    /// Its reviewed baselines by target.
    pub targets: Vec<Target>,
    /// Its records in the history.
    pub records: usize,
}

/// The reviewed baseline of one bench target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub target: String,
    /// Its file, from the top of the work tree.
    pub path: String,
    /// How many series it has: one a benchmark and metric.
    pub series: usize,
    /// The fewest runs of any of them.
    pub fewest_runs: usize,
    /// The most runs of any of them.
    pub most_runs: usize,
    /// Changes that were accepted in any of them, each counted once.
    pub levels: usize,
    /// Its newest run.
    pub newest: Option<Newest>,
}

/// The newest run of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// Its commit.
    pub rev: String,
    /// When, seconds since 1970.
    pub recorded_at: u64,
    /// How many commits `HEAD` has that it has not; `None` when this clone cannot say.
    pub behind: Option<usize>,
}

impl Report {
    /// `pass`; a configuration error when a file cannot be read.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.broken.is_empty() { Outcome::Pass } else { Outcome::Error(ErrorClass::Configuration) }
    }
}

/// Lists what is stored.
///
/// # Errors
/// When there is no repository, or a folder or the history cannot be read. A broken file is part of the report.
pub fn list(request: &Request<'_>, world: &World<'_>) -> Result<Report, Error> {
    let place = Place::open(request.directory)?;
    let head = place.commits.resolve("HEAD");
    let mut report = Report { now: world.now, ..Report::default() };
    let mut all: BTreeMap<EnvironmentKey, Listed> = BTreeMap::new();
    for key in place.baselines.environments()? {
        for path in place.baselines.files(&key)? {
            let listed = entry(&mut all, &key, request);
            match place.baselines.read(&path) {
                Ok(file) => {
                    listed.targets.push(target(&file, place.baselines.shown(&path), &place, head.as_deref()));
                    listed.environment.get_or_insert(file.environment);
                }
                Err(error) => report.broken.push(error),
            }
        }
    }
    let recorded = match request.from {
        From::WorkTree => BTreeMap::new(),
        From::History | From::Both => place.history.environments()?,
    };
    for (key, records) in recorded {
        let listed = entry(&mut all, &key, request);
        listed.records = records;
        if listed.environment.is_none() {
            let newest = place.history.records(&key, Extent::Newest(1))?.records.pop();
            listed.environment = newest.map(|record| record.environment);
        }
    }
    report.environments = all.into_values().collect();
    report.environments.sort_by_key(|listed| !listed.current);
    Ok(report)
}

fn entry<'a>(
    all: &'a mut BTreeMap<EnvironmentKey, Listed>,
    key: &EnvironmentKey,
    request: &Request<'_>,
) -> &'a mut Listed {
    all.entry(key.clone()).or_insert_with(|| Listed {
        key: key.clone(),
        environment: None,
        current: request.current.as_ref() == Some(key),
        targets: Vec::new(),
        records: 0,
    })
}

fn target(file: &BaselineFile, path: String, place: &Place, head: Option<&str>) -> Target {
    let runs = || file.series.iter().map(|levelled| levelled.series.runs.len());
    let mut levels: Vec<&str> =
        file.series.iter().flat_map(|levelled| &levelled.levels).map(|level| level.rev.as_str()).collect();
    levels.sort_unstable();
    levels.dedup();
    let newest = file
        .series
        .iter()
        .flat_map(|levelled| &levelled.series.runs)
        .max_by_key(|run| (run.recorded_at, &run.rev));
    Target {
        target: file.target.clone(),
        path,
        series: file.series.len(),
        fewest_runs: runs().min().unwrap_or(0),
        most_runs: runs().max().unwrap_or(0),
        levels: levels.len(),
        newest: newest.map(|run| Newest {
            rev: run.rev.clone(),
            recorded_at: run.recorded_at,
            behind: head.and_then(|head| place.commits.distance(&run.rev, head)),
        }),
    }
}
