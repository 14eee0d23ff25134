//! Locust's own files: the list of `--json-file` and the table `…_stats.csv`. The table `…_stats_history.csv` is refused:
//! its percentiles are of the last ten seconds each second, so they overlap and cannot be joined.
//!
//! What the master of a generated locustfile writes is read by `locust_slices`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    input::{
        Error, Input, InputFile, MAX_BENCHMARKS, MAX_LINES_BYTES, Source, beginning, holds, json, shown,
    },
    load_result::{Counts, LoadResult, Loaded, MILLISECOND},
    locust_slices,
    pairing::SourceRun,
};

/// Locust's JSON, its table of statistics, and the slices of a generated locustfile.
#[derive(Debug, Clone, Copy)]
pub struct Locust;

const UNKNOWN: &str = "Locust's users wait for each answer, so a stall hides; times are whole ms, two digits above 100; the warm-up is in it";

const TABLE: &str = "Type,Name,Request Count,Failure Count,";

const HISTORY: &str = "Timestamp,User Count,Type,Name,";

impl Source for Locust {
    fn name(&self) -> &'static str {
        "locust"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file).trim_ascii_start();
        let list = start.first() == Some(&b'[')
            && holds(start, "\"response_times\"")
            && holds(start, "\"num_none_requests\"");
        let table = [TABLE, HISTORY].iter().any(|header| start.starts_with(header.as_bytes()));
        list || table || locust_slices::is_slices(start)
    }

    fn limit(&self) -> usize {
        MAX_LINES_BYTES
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let start = beginning(file).trim_ascii_start();
        if locust_slices::is_slices(start) {
            return locust_slices::read(file)?.run(input);
        }
        if start.starts_with(HISTORY.as_bytes()) {
            let problem = "its percentiles are of a window of ten seconds that slides, so they cannot be joined; give \
                           `…_stats.csv` or the file of `--json-file`";
            return Err(Error::malformed(&file.path, None, problem));
        }
        let loaded = if start.first() == Some(&b'[') { list(file)? } else { table(file)? };
        loaded.run(input)
    }
}

fn loaded<'a>(file: &'a InputFile, format: &'static str, results: Vec<LoadResult>) -> Loaded<'a> {
    Loaded { tool: "locust", version: None, format, file, unknown: UNKNOWN, warnings: Vec::new(), results }
}

/// One method and name.
#[derive(Deserialize)]
struct Entry {
    name: String,
    method: Option<String>,
    num_requests: u64,
    #[serde(default)]
    num_none_requests: u64,
    num_failures: u64,
    response_times: BTreeMap<String, u64>,
    start_time: f64,
    last_request_timestamp: Option<f64>,
}

fn list(file: &InputFile) -> Result<Loaded<'_>, Error> {
    let malformed = |problem: String| Error::malformed(&file.path, None, problem);
    let entries: Vec<Entry> = json(file)?;
    if entries.len() > MAX_BENCHMARKS {
        return Err(malformed(format!("more than {MAX_BENCHMARKS} names")));
    }
    let mut all = Counts::default();
    let (mut requests, mut errors) = (0_u64, 0_u64);
    let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut results = Vec::new();
    for entry in &entries {
        let counts = counts(&entry.response_times).map_err(malformed)?;
        let answered = entry.num_requests.saturating_sub(entry.num_none_requests);
        if counts.len() != answered {
            let (found, name) = (counts.len(), shown(&entry.name));
            return Err(malformed(format!("`{name}` has {found} times of {answered} requests")));
        }
        all.merge(&counts);
        requests = requests.saturating_add(entry.num_requests);
        errors = errors.saturating_add(entry.num_failures);
        let (start, end) = (entry.start_time, entry.last_request_timestamp.unwrap_or(entry.start_time));
        (first, last) = (first.min(start), last.max(end));
        let mut result = result(&counts, entry.num_requests, entry.num_failures, end - start);
        let method = entry.method.as_deref().unwrap_or_default();
        result.name = Some(format!("locust/{method} {}", entry.name));
        results.push(result);
    }
    let whole = result(&all, requests, errors, last - first);
    // A single name is the whole.
    let parts = if results.len() > 1 { results } else { Vec::new() };
    let parts = parts.into_iter().filter(|result| result.requests > Some(0.0));
    Ok(loaded(file, "the JSON", std::iter::once(whole).chain(parts).collect()))
}

fn result(counts: &Counts, requests: u64, errors: u64, seconds: f64) -> LoadResult {
    let mut result = LoadResult::of(&counts.distribution(None));
    result.requests = Some(requests as f64);
    result.errors = Some(errors as f64);
    result.over(seconds)
}

/// Requests by milliseconds as Locust rounded them.
pub(super) fn counts(times: &BTreeMap<String, u64>) -> Result<Counts, String> {
    let mut counts = Counts::default();
    for (milliseconds, count) in times {
        counts.add(self::milliseconds(milliseconds)?, *count);
    }
    Ok(counts)
}

/// A key of `response_times`, as nanoseconds.
pub(super) fn milliseconds(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0);
    value.map(|value| value * MILLISECOND).ok_or_else(|| format!("`{}` is no response time", shown(text)))
}

fn table(file: &InputFile) -> Result<Loaded<'_>, Error> {
    let mut reader = csv::Reader::from_reader(&*file.bytes);
    let header =
        reader.headers().map_err(|_| Error::malformed(&file.path, Some(1), "the row is not UTF-8"))?.clone();
    let column = |name: &str| {
        let missing = || Error::malformed(&file.path, Some(1), format!("no column `{name}`"));
        header.iter().position(|field| field == name).ok_or_else(missing)
    };
    let names = ["Request Count", "Failure Count", "Requests/s", "50%", "90%", "95%", "99%"];
    let places: Vec<usize> = names.iter().map(|name| column(name)).collect::<Result<_, _>>()?;
    let name = column("Name")?;
    for record in reader.records() {
        let record = record.map_err(|_| Error::malformed(&file.path, None, "a row that is no CSV"))?;
        if record.get(name) != Some("Aggregated") {
            continue;
        }
        let line = record.position().map(csv::Position::line);
        let value = |at: usize| {
            let text = record.get(places[at]).unwrap_or_default();
            let number = text.parse::<f64>();
            number.map_err(|_| Error::malformed(&file.path, line, format!("`{}` is no number", shown(text))))
        };
        let quantile = |at: usize| value(at).map(|value| Some(value * MILLISECOND));
        let result = LoadResult {
            latency: [quantile(3)?, quantile(4)?, quantile(5)?, quantile(6)?],
            requests: Some(value(0)?),
            errors: Some(value(1)?),
            rate: Some(value(2)?),
            ..LoadResult::default()
        };
        return Ok(loaded(file, "the table", vec![result]));
    }
    Err(Error::malformed(&file.path, None, "no row `Aggregated`: the file is cut off"))
}
