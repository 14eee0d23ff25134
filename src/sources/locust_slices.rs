//! What the master of a [generated locustfile](super::locustfile) writes: a line that says what was planned, a line a worker
//! and second with the requests of that second alone, and a last line.
//!
//! Latency is that of the events `INTENDED`, which count from the due time; requests that were due but had no answer at the
//! deadline (`UNFINISHED`) stay in as "at least this long". A run in which a worker was short of CPU, went missing or did not
//! tell of every request measured the generator: it has no values.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;

use super::{
    input::{Error, InputFile, MAX_BENCHMARKS, holds, shown},
    lines::json_lines,
    load_result::{Counts, LoadResult, Loaded, QUANTILES, Slices},
    locust::{counts, milliseconds},
};
use crate::model::{load::Distribution, run::Warning};

const UNKNOWN: &str = "Locust counted from the due times, at three digits";

/// Whether the first line is of our making.
pub(super) fn is_slices(start: &[u8]) -> bool {
    let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    holds(first, "\"tollgate_locust\"")
}

/// Any line: the first has the plan, one says `started`, the last `end`, all others a worker.
#[derive(Deserialize)]
struct Line<'a> {
    tollgate_locust: Option<u32>,
    locust: Option<String>,
    name: Option<String>,
    workers: Option<u64>,
    window_seconds: Option<f64>,
    scheduled: Option<u64>,
    started: Option<bool>,
    end: Option<bool>,
    cpu_warning: Option<bool>,
    time: Option<f64>,
    #[serde(borrow, default)]
    stats: Vec<Entry<'a>>,
}

/// One kind of request of one worker in one second.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    num_requests: u64,
    num_failures: u64,
    response_times: BTreeMap<String, u64>,
}

/// What was planned.
struct Plan {
    version: Option<String>,
    name: String,
    workers: u64,
    window_seconds: f64,
    scheduled: u64,
}

impl Plan {
    fn of(line: Line<'_>) -> Result<Self, String> {
        match line.tollgate_locust {
            Some(1) => {}
            Some(other) => return Err(format!("version {other} of the slices; this tollgate reads 1")),
            None => return Err("the first line does not tell what was planned".to_owned()),
        }
        let missing = |key: &str| format!("the plan has no `{key}`");
        Ok(Self {
            version: line.locust.map(|version| shown(&version)),
            name: line.name.ok_or_else(|| missing("name"))?,
            workers: line.workers.ok_or_else(|| missing("workers"))?,
            window_seconds: line.window_seconds.ok_or_else(|| missing("window_seconds"))?,
            scheduled: line.scheduled.ok_or_else(|| missing("scheduled"))?,
        })
    }
}

/// What became of the requests of one name, or of all.
#[derive(Default)]
struct Fate {
    ended: Counts,
    unfinished: Counts,
    failures: u64,
}

impl Fate {
    fn add(&mut self, entry: &Entry<'_>, times: &Counts) {
        if entry.method == "UNFINISHED" {
            self.unfinished.merge(times);
        } else {
            self.ended.merge(times);
            self.failures = self.failures.saturating_add(entry.num_failures);
        }
    }

    fn seen(&self) -> u64 {
        self.ended.len().saturating_add(self.unfinished.len())
    }

    fn distribution(&self) -> Distribution {
        self.ended.distribution(Some(&self.unfinished))
    }

    fn result(&self, name: String, seconds: f64) -> LoadResult {
        let mut result = LoadResult::of(&self.distribution()).over(seconds);
        result.name = Some(name);
        result.errors = Some(self.failures.saturating_add(self.unfinished.len()) as f64);
        result
    }
}

/// The lines so far.
#[derive(Default)]
struct Read {
    plan: Option<Plan>,
    end: Option<(u64, bool)>,
    all: Fate,
    names: BTreeMap<String, Fate>,
    slices: Slices,
}

impl Read {
    fn add(&mut self, line: Line<'_>) -> Result<(), String> {
        if self.plan.is_none() {
            self.plan = Some(Plan::of(line)?);
            return Ok(());
        }
        if self.end.is_some() {
            return Err("a line behind the last one".to_owned());
        }
        if line.end == Some(true) {
            self.end = Some((line.workers.unwrap_or(0), line.cpu_warning.unwrap_or(false)));
            return Ok(());
        }
        // Says only that the load is about to begin.
        if line.started == Some(true) {
            return Ok(());
        }
        let at = line.time.ok_or("a slice without a time")?;
        line.stats.iter().try_for_each(|entry| self.add_entry(entry, at))
    }

    fn add_entry(&mut self, entry: &Entry<'_>, at: f64) -> Result<(), String> {
        if !matches!(&*entry.method, "INTENDED" | "UNFINISHED") {
            return Ok(());
        }
        let times = counts(&entry.response_times)?;
        if times.len() != entry.num_requests || entry.num_failures > entry.num_requests {
            return Err(format!(
                "`{}` has {} times of {} requests",
                shown(&entry.name),
                times.len(),
                entry.num_requests
            ));
        }
        for (time, count) in &entry.response_times {
            self.slices.add(at, milliseconds(time)?, *count);
        }
        self.all.add(entry, &times);
        if !self.names.contains_key(&*entry.name) && self.names.len() == MAX_BENCHMARKS {
            return Err(format!("more than {MAX_BENCHMARKS} names"));
        }
        self.names.entry(entry.name.clone().into_owned()).or_default().add(entry, &times);
        Ok(())
    }
}

/// Reads the slices of one run.
pub(super) fn read(file: &InputFile) -> Result<Loaded<'_>, Error> {
    let mut read = Read::default();
    json_lines(file, |line: Line<'_>| read.add(line))?;
    let Some(plan) = &read.plan else { return Err(Error::malformed(&file.path, None, "the file is empty")) };
    let Some(end) = read.end else {
        let problem =
            "the last line is missing: the file is cut off, or the master did not end in good order";
        return Err(Error::malformed(&file.path, None, problem));
    };
    let mut results = vec![read.all.result(plan.name.clone(), plan.window_seconds)];
    if read.names.len() > 1 {
        let part = |(name, fate): (&String, &Fate)| {
            fate.result(format!("{}/{name}", plan.name), plan.window_seconds)
        };
        results.extend(read.names.iter().map(part));
    }
    let failure = failure(plan, end, read.all.seen());
    for result in &mut results {
        result.failure.clone_from(&failure);
    }
    let mut warnings: Vec<Warning> = bounds(file, &read.all).into_iter().collect();
    warnings.extend(read.slices.warning(file));
    let version = plan.version.clone();
    Ok(Loaded { tool: "locust", version, format: "the slices", file, unknown: UNKNOWN, warnings, results })
}

/// Why the run measured its generator rather than the service.
fn failure(plan: &Plan, (workers, cpu_warning): (u64, bool), seen: u64) -> Option<String> {
    if workers < plan.workers {
        return Some(format!("{workers} of {} Locust workers took part", plan.workers));
    }
    if cpu_warning {
        return Some(
            "a Locust worker was short of CPU, so the latencies are its own: use more workers".to_owned(),
        );
    }
    (seen != plan.scheduled)
        .then(|| format!("Locust told of {seen} of {} requests that were due", plan.scheduled))
}

/// Quantiles that reach into the requests without an answer.
fn bounds(file: &InputFile, all: &Fate) -> Option<Warning> {
    let sample = all.distribution();
    let bound = |q: f64| sample.quantile(q).is_some_and(|quantile| quantile.lower_bound);
    let names: Vec<&str> = QUANTILES.iter().filter(|(q, _)| bound(*q)).map(|(_, name)| *name).collect();
    let message = format!(
        "`{}`: {} requests had no answer at the deadline: {} may be larger than told",
        file.path,
        all.unfinished.len(),
        names.join(", ")
    );
    (!names.is_empty()).then(|| Warning::new("lower_bound", message))
}
