//! What every load tool tells in one way or another: quantiles of latency, a rate, a share of errors. Made into rows
//! `load:NAME`, with all that the tool cannot tell said beside.
//!
//! One result is one value of each metric, however many requests are behind it: requests of one run share its minute, its
//! processes and its caches, so they say nothing of the next run. Slices of time are shown as a range and never tested.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::{
    input::{Error, Input, InputFile},
    pairing::{SourceMeasurement, SourceRun},
};
use crate::{
    model::{
        benchmark::{Benchmark, BenchmarkId},
        load::{DIGITS, Distribution, LONGEST_NS},
        metric::{Direction, Metric, Nature},
        run::{Sample, Warning},
    },
    text::{plural, quantity},
};

/// The quantiles that are taken, with their metrics' names.
pub(super) const QUANTILES: [(f64, &str); 4] =
    [(0.5, "latency.p50"), (0.9, "latency.p90"), (0.95, "latency.p95"), (0.99, "latency.p99")];

/// A quantile with fewer requests beyond it is told to be unsteady.
const LEAST_BEYOND: f64 = 20.0;

/// What is odd in one file is told this often at most.
const MOST_REMARKS: usize = 20;

/// Nanoseconds of a millisecond.
pub(super) const MILLISECOND: f64 = 1e6;

/// Nanoseconds of a second.
pub(super) const SECOND: f64 = 1e9;

/// One load test, as far as its tool told of it.
#[derive(Debug, Clone, Default)]
pub(super) struct LoadResult {
    /// What it is called, if it has a name: `load:NAME`; else it is called after the tool.
    pub(super) name: Option<String>,
    /// The [`QUANTILES`] of latency, nanoseconds.
    pub(super) latency: [Option<f64>; 4],
    /// Requests that ended, well or not.
    pub(super) requests: Option<f64>,
    /// Of them, those that failed.
    pub(super) errors: Option<f64>,
    /// Requests a second, failed ones included.
    pub(super) rate: Option<f64>,
    /// Why it is no measurement of the service, if it is none.
    pub(super) failure: Option<String>,
}

impl LoadResult {
    /// A result whose latencies are all there.
    pub(super) fn of(sample: &Distribution) -> Self {
        let latency = QUANTILES.map(|(q, _)| sample.quantile(q).map(|quantile| quantile.ns));
        Self { latency, requests: Some(sample.count() as f64), ..Self::default() }
    }

    /// Sets the rate where the time is long enough for one.
    pub(super) fn over(mut self, seconds: f64) -> Self {
        self.rate = self.requests.filter(|_| seconds > 0.0).map(|requests| requests / seconds);
        self
    }

    fn error_share(&self) -> Option<f64> {
        Some(self.errors? / self.requests.filter(|requests| *requests > 0.0)?)
    }

    /// The metrics that it has, each with its one sample.
    fn samples(&self) -> Vec<(Metric, Sample)> {
        let single = |total: f64| Sample { iterations: 1.0, total };
        let quantiles = QUANTILES.iter().zip(self.latency);
        let mut samples: Vec<(Metric, Sample)> = quantiles
            .filter_map(|((_, name), ns)| {
                Some((metric(name, "ns", Direction::Lower), single(ns.filter(|ns| *ns > 0.0)?)))
            })
            .collect();
        let well = 1.0 - self.error_share().unwrap_or(0.0);
        samples.extend(
            self.rate.map(|rate| (metric("throughput", "req/s", Direction::Higher), single(rate * well))),
        );
        if let (Some(total), Some(iterations)) =
            (self.errors, self.requests.filter(|requests| *requests > 0.0))
        {
            samples.push((metric("error_rate", "ratio", Direction::Lower), Sample { iterations, total }));
        }
        samples
    }

    /// Refuses what no tool writes: values below zero or without a bound, more errors than requests.
    fn check(&self, file: &InputFile) -> Result<(), Error> {
        let all = self.latency.iter().flatten().chain(&self.requests).chain(&self.errors).chain(&self.rate);
        if let Some(odd) = all.into_iter().find(|value| !(value.is_finite() && **value >= 0.0)) {
            return Err(Error::malformed(&file.path, None, format!("a latency, count or rate of {odd}")));
        }
        if self.errors > self.requests {
            return Err(Error::malformed(&file.path, None, "more errors than requests"));
        }
        let none = self.latency.iter().all(Option::is_none) || self.requests.is_some_and(|n| n < 1.0);
        if none && self.failure.is_none() {
            return Err(Error::malformed(&file.path, None, "no request in it was answered"));
        }
        Ok(())
    }
}

fn metric(name: &str, unit: &str, direction: Direction) -> Metric {
    Metric { name: name.to_owned(), unit: unit.to_owned(), direction, nature: Nature::Noisy }
}

/// One file of a load tool: its results and what has to be said of them.
#[derive(Debug, Clone)]
pub(super) struct Loaded<'a> {
    /// The tool.
    pub(super) tool: &'static str,
    /// Its version, where the file tells.
    pub(super) version: Option<String>,
    /// What of the tool's output it is: `JSON lines`.
    pub(super) format: &'static str,
    /// The file.
    pub(super) file: &'a InputFile,
    /// What nobody can tell from it, a few words: each row ends with them.
    pub(super) unknown: &'static str,
    /// What is odd in this one.
    pub(super) warnings: Vec<Warning>,
    /// Its results.
    pub(super) results: Vec<LoadResult>,
}

impl Loaded<'_> {
    /// The rows of all results.
    pub(super) fn run(self, input: &Input) -> Result<SourceRun, Error> {
        let mut measurements = Vec::new();
        let mut warnings = vec![self.provenance(), self.unknown()];
        warnings.extend(self.warnings.into_iter().take(MOST_REMARKS));
        for (place, result) in self.results.iter().enumerate() {
            result.check(self.file)?;
            // The first is the whole; of thousands of parts nobody reads the remarks.
            warnings.extend(remarks(self.file, result).into_iter().filter(|_| place == 0));
            measurements.extend(rows(self.tool, self.file, result)?);
        }
        let mut run = SourceRun::foreign(self.tool, &input.name, measurements);
        run.warnings = warnings;
        Ok(run)
    }

    fn provenance(&self) -> Warning {
        let version = self.version.as_ref().map_or(String::new(), |version| format!(" {version}"));
        let message = format!("`{}` is {} of {}{version}", self.file.path, self.format, self.tool);
        Warning::new("provenance", message)
    }

    fn unknown(&self) -> Warning {
        Warning::new(format!("{}_unknown", self.tool), self.unknown)
    }
}

fn rows(tool: &'static str, file: &InputFile, result: &LoadResult) -> Result<Vec<SourceMeasurement>, Error> {
    let id = BenchmarkId::new(format!("load:{}", result.name.as_deref().unwrap_or(tool)))
        .map_err(|invalid| Error::malformed(&file.path, None, invalid.to_string()))?;
    let benchmark = Benchmark::new(tool, id);
    let row = |metric: Metric, processes: Vec<Vec<Sample>>| SourceMeasurement {
        benchmark: benchmark.clone(),
        metric,
        processes,
        failure: result.failure.clone(),
    };
    let mut rows: Vec<SourceMeasurement> = result
        .samples()
        .into_iter()
        .map(|(metric, sample)| {
            row(metric, if result.failure.is_some() { vec![] } else { vec![vec![sample]] })
        })
        .collect();
    if rows.is_empty() && result.failure.is_some() {
        rows.push(row(metric(QUANTILES[0].1, "ns", Direction::Lower), Vec::new()));
    }
    Ok(rows)
}

/// What the numbers of a result themselves leave open.
fn remarks(file: &InputFile, result: &LoadResult) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let names = |wanted: &dyn Fn(f64, f64) -> bool| -> Vec<&str> {
        let known = QUANTILES.iter().zip(result.latency).filter_map(|((q, name), ns)| Some((*q, *name, ns?)));
        known.filter(|(q, _, ns)| wanted(*q, *ns)).map(|(_, name, _)| name).collect()
    };
    let zero = names(&|_, ns| ns <= 0.0);
    if !zero.is_empty() {
        let message = format!(
            "`{}`: {} is below what the tool can tell apart and left out",
            file.path,
            zero.join(", ")
        );
        warnings.push(Warning::new("below_resolution", message));
    }
    let requests = result.requests.unwrap_or(f64::INFINITY);
    let few = names(&|q, ns| ns > 0.0 && requests * (1.0 - q) < LEAST_BEYOND - 1e-6);
    if !few.is_empty() {
        let message = format!(
            "`{}`: fewer than {LEAST_BEYOND} of its {requests} requests lie beyond {}: expect it to jump from run to run",
            file.path,
            few.join(", ")
        );
        warnings.push(Warning::new("few_requests", message));
    }
    warnings
}

/// Durations by count, at three digits.
#[derive(Debug, Clone)]
pub(super) struct Counts(Histogram<u64>);

impl Default for Counts {
    fn default() -> Self {
        let mut histogram = match Histogram::new(DIGITS) {
            Ok(histogram) => histogram,
            Err(_) => unreachable!("three digits are within the library's range"),
        };
        histogram.auto(true);
        Self(histogram)
    }
}

impl Counts {
    /// Adds `count` durations of `ns` nanoseconds, which is at least 0.
    pub(super) fn add(&mut self, ns: f64, count: u64) {
        // It resizes itself, which recording within the range cannot fail at. (The saturating way would not resize.)
        let _ = self.0.record_n(whole_ns(ns), count);
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.0.len()
    }

    /// As a distribution, with those of which only a lower bound is known.
    pub(super) fn distribution(&self, at_least: Option<&Self>) -> Distribution {
        Distribution::from_parts(self.0.clone(), at_least.map(|bounds| bounds.0.clone()))
    }

    fn quantile(&self, q: f64) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(q) as f64)
    }

    /// Adds all of another.
    pub(super) fn merge(&mut self, other: &Self) {
        // It resizes itself, so adding cannot fail for want of range.
        let _ = self.0.add(&other.0);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
fn whole_ns(ns: f64) -> u64 {
    ns.clamp(1.0, LONGEST_NS as f64).round() as u64
}

/// More slices than this are joined two by two.
const MOST_SLICES: usize = 120;

/// Slices with fewer requests have no range of their own.
const LEAST_IN_SLICE: u64 = 20;

/// A run cut into slices of time, at first a second long.
#[derive(Debug, Clone)]
pub(super) struct Slices {
    first: Option<f64>,
    width: f64,
    parts: BTreeMap<u64, Counts>,
}

impl Default for Slices {
    fn default() -> Self {
        Self { first: None, width: 1.0, parts: BTreeMap::new() }
    }
}

impl Slices {
    /// Adds `count` durations that belong to the moment `at`, seconds since any fixed one.
    pub(super) fn add(&mut self, at: f64, ns: f64, count: u64) {
        let first = *self.first.get_or_insert(at);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
        let place = ((at - first) / self.width) as u64;
        self.parts.entry(place).or_default().add(ns, count);
        while self.parts.len() > MOST_SLICES {
            self.join();
        }
    }

    fn join(&mut self) {
        self.width *= 2.0;
        for (place, counts) in std::mem::take(&mut self.parts) {
            self.parts.entry(place / 2).or_default().merge(&counts);
        }
    }

    /// The range of p50 and p95 over the slices.
    pub(super) fn warning(&self, file: &InputFile) -> Option<Warning> {
        let full = self.parts.values().filter(|part| part.len() >= LEAST_IN_SLICE);
        let values: Vec<[Option<f64>; 2]> =
            full.map(|part| [part.quantile(0.5), part.quantile(0.95)]).collect();
        slices_warning(file, self.width, &values)
    }
}

/// The range of p50 and p95 over slices of `width` seconds; `None` where there are fewer than two.
pub(super) fn slices_warning(file: &InputFile, width: f64, values: &[[Option<f64>; 2]]) -> Option<Warning> {
    let range = |place: usize| {
        let known = || values.iter().filter_map(|pair| pair[place]);
        let least = known().min_by(f64::total_cmp)?;
        let most = known().max_by(f64::total_cmp)?;
        Some(format!("{} and {}", quantity::value(least, "ns"), quantity::value(most, "ns")))
    };
    if values.len() < 2 {
        return None;
    }
    let message = format!(
        "`{}`: over {} of {}, p50 lay between {} and p95 between {}; slices of one run are not runs of their own and not \
         tested",
        file.path,
        plural::count(values.len(), "slice"),
        quantity::value(width * SECOND, "ns"),
        range(0)?,
        range(1)?,
    );
    Some(Warning::new("slices", message))
}

/// A count that a file may leave out.
pub(super) fn count(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

#[cfg(test)]
mod tests {
    use super::{Counts, LoadResult, Loaded, SECOND, Slices};
    use crate::sources::input::{Input, InputFile};

    fn file() -> InputFile {
        InputFile { path: "a.json".into(), bytes: Vec::new() }
    }

    fn loaded(result: LoadResult, file: &InputFile) -> Loaded<'_> {
        Loaded {
            tool: "k6",
            version: Some("v2".into()),
            format: "a summary",
            file,
            unknown: "nothing",
            warnings: Vec::new(),
            results: vec![result],
        }
    }

    fn result() -> LoadResult {
        LoadResult {
            latency: [Some(1e6), Some(2e6), None, Some(9e6)],
            requests: Some(200.0),
            errors: Some(10.0),
            rate: Some(50.0),
            ..LoadResult::default()
        }
    }

    #[test]
    fn a_result_is_one_row_a_metric_with_one_value() {
        let file = file();
        let run = loaded(result(), &file).run(&Input::default()).unwrap();
        let rows: Vec<String> = run
            .measurements
            .iter()
            .map(|m| {
                let sample = m.processes[0][0];
                format!(
                    "{} {} {} {}",
                    m.benchmark.id,
                    m.metric.name,
                    sample.total / sample.iterations,
                    m.metric.unit
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                "load:k6 latency.p50 1000000 ns",
                "load:k6 latency.p90 2000000 ns",
                "load:k6 latency.p99 9000000 ns",
                "load:k6 throughput 47.5 req/s",
                "load:k6 error_rate 0.05 ratio",
            ]
        );
        let warnings: Vec<&str> = run.warnings.iter().map(|warning| warning.message.as_str()).collect();
        assert_eq!(
            warnings,
            [
                "`a.json` is a summary of k6 v2",
                "nothing",
                "`a.json`: fewer than 20 of its 200 requests lie beyond latency.p99: expect it to jump from run to run",
            ]
        );
    }

    #[test]
    fn a_latency_of_zero_is_left_out_and_what_no_tool_writes_is_refused() {
        let file = file();
        let zero = LoadResult { latency: [Some(0.0), Some(1e6), None, None], ..result() };
        let run = loaded(zero, &file).run(&Input::default()).unwrap();
        assert_eq!(run.measurements[0].metric.name, "latency.p90");
        assert!(run.warnings.iter().any(|warning| warning.code == "below_resolution"));
        for odd in [
            LoadResult { latency: [Some(-1.0), None, None, None], ..result() },
            LoadResult { latency: [Some(f64::INFINITY), None, None, None], ..result() },
            LoadResult { rate: Some(f64::NAN), ..result() },
            LoadResult { errors: Some(201.0), ..result() },
            LoadResult { latency: [None; 4], ..result() },
            LoadResult { requests: Some(0.0), errors: None, ..result() },
        ] {
            assert!(loaded(odd, &file).run(&Input::default()).is_err());
        }
    }

    #[test]
    fn a_result_that_measured_the_generator_has_no_value() {
        let file = file();
        let late = LoadResult { failure: Some("a worker was short of CPU".into()), ..result() };
        let run = loaded(late, &file).run(&Input::default()).unwrap();
        assert!(run.measurements.iter().all(|m| m.processes.is_empty() && m.failure.is_some()));
        assert_eq!(run.measurements.len(), 5);
    }

    #[test]
    fn slices_stay_few_however_long_the_run_is() {
        let mut slices = Slices::default();
        for second in 0..10_000 {
            slices.add(f64::from(second), if second < 5000 { 1e6 } else { 4e6 }, 5);
        }
        assert!(slices.parts.len() <= 120 && slices.parts.values().map(Counts::len).sum::<u64>() == 50_000);
        let text = slices.warning(&file()).unwrap().message;
        assert!(
            text.contains("79 slices of 128 s") && text.contains("p50 lay between 1.00 ms and 4.00 ms"),
            "{text}"
        );
        slices.add(f64::MAX, SECOND, 1);
        slices.add(-f64::MAX, SECOND, 1);
        assert!(slices.parts.len() <= 120);
    }
}
