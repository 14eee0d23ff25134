//! k6: the file of `--summary-export`, `handleSummary`'s data, the newer machine-readable summary, and the lines of
//! `--out json`.
//!
//! Traps that are handled: in `--summary-export` a threshold of `true` has *failed* (k6 writes whether it was crossed), and a
//! rate's `passes` are how often it was true, which for `http_req_failed` are the failed requests. Arrivals without a free VU
//! are counted in `dropped_iterations` and nowhere else, so they are told.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::{
    input::{Error, Input, InputFile, MAX_LINES_BYTES, Source, beginning, holds, json, shown},
    lines::json_lines,
    load_result::{Counts, LoadResult, Loaded, MILLISECOND, Slices},
    pairing::SourceRun,
};
use crate::{model::run::Warning, text::plural};

/// k6's summaries and lines.
#[derive(Debug, Clone, Copy)]
pub struct K6;

const UNKNOWN: &str = "k6 counts from the sending, so waiting for a free VU or connection is left out; the warm-up may be in it";

/// Thresholds that are named at most.
const MOST_NAMED: usize = 5;

const DURATION: &str = "http_req_duration";

impl Source for K6 {
    fn name(&self) -> &'static str {
        "k6"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file);
        let summary = holds(start, "\"metrics\"")
            && (holds(start, "\"http_reqs\"")
                || holds(start, "\"http_req_duration\"")
                || holds(start, "\"vus\""))
            && !holds(start, "\"aggregate\"");
        start.trim_ascii_start().first() == Some(&b'{') && (summary || is_lines(start))
    }

    fn limit(&self) -> usize {
        MAX_LINES_BYTES
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        if is_lines(beginning(file)) {
            return points(file)?.run(input);
        }
        let document: Value = json(file)?;
        if document.get("results").is_some_and(|results| results.get("metrics").is_some()) {
            return machine_readable(file, &document)?.run(input);
        }
        summary(file, &document)?.run(input)
    }
}

fn is_lines(start: &[u8]) -> bool {
    let first = start.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    holds(first, "\"metric\":") && (holds(first, "\"Metric\"") || holds(first, "\"Point\""))
}

fn loaded<'a>(file: &'a InputFile, format: &'static str) -> Loaded<'a> {
    Loaded {
        tool: "k6",
        version: None,
        format,
        file,
        unknown: UNKNOWN,
        warnings: Vec::new(),
        results: Vec::new(),
    }
}

fn no_http(file: &InputFile) -> Error {
    Error::malformed(&file.path, None, format!("no metric `{DURATION}` in it: only HTTP tests are read"))
}

/// The values of one metric by their names.
struct Values<'a>(&'a Value);

impl Values<'_> {
    fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    fn milliseconds(&self, name: &str) -> Option<f64> {
        self.get(name).map(|value| value * MILLISECOND)
    }

    fn latency(&self) -> [Option<f64>; 4] {
        let median = self.milliseconds("med").or_else(|| self.milliseconds("p(50)"));
        [median, self.milliseconds("p(90)"), self.milliseconds("p(95)"), self.milliseconds("p(99)")]
    }
}

/// `--summary-export` (the values stand in the metric itself) and `handleSummary`'s data (they stand under `values`).
fn summary<'a>(file: &'a InputFile, document: &Value) -> Result<Loaded<'a>, Error> {
    let nothing = Value::Null;
    let metric =
        |name: &str| document.get("metrics").and_then(|metrics| metrics.get(name)).unwrap_or(&nothing);
    let values = |name: &str| {
        let metric = metric(name);
        Values(metric.get("values").unwrap_or(metric))
    };
    if metric(DURATION).is_null() {
        return Err(no_http(file));
    }
    let (requests, failed) = (values("http_reqs"), values("http_req_failed"));
    let count = requests.get("count");
    let share = failed.get("value").or_else(|| failed.get("rate"));
    let result = LoadResult {
        latency: values(DURATION).latency(),
        requests: count,
        errors: failed.get("passes").or_else(|| Some(share? * count?)),
        rate: requests.get("rate"),
        ..LoadResult::default()
    };
    let mut loaded = loaded(file, "a summary");
    loaded.warnings.extend(dropped(file, values("dropped_iterations").get("count")));
    loaded.warnings.extend(crossed(file, document.get("metrics")));
    loaded.results.push(result);
    Ok(loaded)
}

/// The summary of `--new-machine-readable-summary`, schema 1.
fn machine_readable<'a>(file: &'a InputFile, document: &Value) -> Result<Loaded<'a>, Error> {
    let at = |keys: [&str; 2]| document.get(keys[0]).and_then(|value| value.get(keys[1]));
    let metrics = at(["results", "metrics"]).and_then(Value::as_array);
    let nothing = Value::Null;
    let values = |name: &str| {
        let named = |metric: &&Value| metric.get("name").and_then(Value::as_str) == Some(name);
        let metric = metrics.and_then(|metrics| metrics.iter().find(named));
        Values(metric.and_then(|metric| metric.get("values")).unwrap_or(&nothing))
    };
    if values(DURATION).0.is_null() {
        return Err(no_http(file));
    }
    let mut result = LoadResult {
        latency: values(DURATION).latency(),
        requests: values("http_reqs").get("count"),
        errors: values("http_req_failed").get("matches"),
        ..LoadResult::default()
    };
    if let Some(seconds) = at(["config", "duration"]).and_then(Value::as_f64) {
        result = result.over(seconds);
    }
    let mut loaded = loaded(file, "a machine-readable summary");
    loaded.version = at(["metadata", "k6Version"]).and_then(Value::as_str).map(shown);
    loaded.warnings.extend(dropped(file, values("dropped_iterations").get("count")));
    loaded.results.push(result);
    Ok(loaded)
}

/// Arrivals that k6 never started.
fn dropped(file: &InputFile, count: Option<f64>) -> Option<Warning> {
    let count = count.filter(|count| *count > 0.0)?;
    let message = format!(
        "`{}`: k6 dropped {count} iterations for want of a free VU: they are in no latency, no count and no error rate, so \
         the true ones are worse",
        file.path
    );
    Some(Warning::new("dropped", message))
}

/// The thresholds that were crossed: `true` in `--summary-export`, `{"ok": false}` in `handleSummary`'s data.
fn crossed(file: &InputFile, metrics: Option<&Value>) -> Option<Warning> {
    let mut names = Vec::new();
    for (metric, value) in metrics.and_then(Value::as_object)? {
        let Some(thresholds) = value.get("thresholds").and_then(Value::as_object) else { continue };
        for (expression, state) in thresholds {
            let is_crossed = match state {
                Value::Bool(crossed) => *crossed,
                other => other.get("ok").and_then(Value::as_bool) == Some(false),
            };
            if is_crossed {
                names.push(format!("{} {}", shown(metric), shown(expression)));
            }
        }
    }
    let message = format!(
        "`{}`: k6 says that {} failed: {}",
        file.path,
        plural::count(names.len(), "threshold"),
        plural::list(&names, MOST_NAMED)
    );
    (!names.is_empty()).then(|| Warning::new("thresholds", message))
}

/// A line of `--out json`. Lines of type `Metric` say what there is and have no value.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    metric: Cow<'a, str>,
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    data: Point<'a>,
}

#[derive(Deserialize, Default)]
struct Point<'a> {
    #[serde(borrow, default)]
    time: Option<Cow<'a, str>>,
    #[serde(default)]
    value: Option<f64>,
}

/// What the lines add up to.
#[derive(Default)]
struct Points {
    durations: Counts,
    slices: Slices,
    span: Option<(f64, f64)>,
    failed: f64,
    judged: u64,
    dropped: f64,
}

impl Points {
    fn add(&mut self, line: &Line<'_>) -> Result<(), String> {
        let wanted = matches!(&*line.metric, DURATION | "http_req_failed" | "dropped_iterations");
        if line.r#type != "Point" || !wanted {
            return Ok(());
        }
        let value = line.data.value.ok_or("a point without a value")?;
        if !(value.is_finite() && value >= 0.0) {
            return Err(format!("a point of {value}"));
        }
        match &*line.metric {
            DURATION => {
                let at = seconds(line.data.time.as_deref().ok_or("a point without a time")?)?;
                self.durations.add(value * MILLISECOND, 1);
                self.slices.add(at, value * MILLISECOND, 1);
                // k6 stamps a point when the request has ended.
                let began = at - value / 1e3;
                self.span = Some(self.span.map_or((began, at), |(from, to)| (from.min(began), to.max(at))));
            }
            "http_req_failed" => {
                self.judged += 1;
                self.failed += value.min(1.0);
            }
            _ => self.dropped += value,
        }
        Ok(())
    }
}

fn points(file: &InputFile) -> Result<Loaded<'_>, Error> {
    let mut points = Points::default();
    json_lines(file, |line: Line<'_>| points.add(&line))?;
    if points.durations.len() == 0 {
        return Err(no_http(file));
    }
    let (from, to) = points.span.unwrap_or_default();
    let mut result = LoadResult::of(&points.durations.distribution(None)).over(to - from);
    result.errors = (points.judged == points.durations.len()).then_some(points.failed);
    let mut loaded = loaded(file, "the JSON lines");
    loaded.warnings.extend(dropped(file, Some(points.dropped)));
    loaded.warnings.extend(points.slices.warning(file));
    loaded.results.push(result);
    Ok(loaded)
}

/// Seconds since 1970 of a moment as Go writes it.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    let moment: jiff::Timestamp = text.parse().map_err(|_| format!("`{}` is no moment", shown(text)))?;
    Ok(moment.as_nanosecond() as f64 / 1e9)
}
