//! oha: `--output-format json` and `--output-format csv`.
//!
//! Traps that are handled: oha does not record its own flags, so whether latencies count from the due time
//! (`--latency-correction`) cannot be known; what the deadline cut off stands among the errors but in no rate; what was never
//! sent stands nowhere; the CSV holds answered requests only.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    input::{Error, Input, InputFile, MAX_LINES_BYTES, Source, beginning, holds, json, shown},
    lines::text_lines,
    load_result::{Counts, LoadResult, Loaded, SECOND, Slices},
    pairing::SourceRun,
};
use crate::model::run::Warning;

/// oha's JSON and CSV.
#[derive(Debug, Clone, Copy)]
pub struct Oha;

const UNKNOWN: &str = "oha tells neither whether latencies count from the due time (`--latency-correction`) nor what it never sent; the \
                       warm-up is in it";
const UNKNOWN_CSV: &str = "oha's CSV leaves out requests without an answer, and does not tell whether latencies count from the due time; \
                           the warm-up is in it";

const HEADER: &str = "request-start,DNS,DNS+dialup,Response-delay,request-duration,bytes,status";

/// What oha calls a request that was under way when the time was up.
const ABORTED: &str = "aborted due to deadline";

/// The document: numbers that do not exist are null.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    summary: Summary,
    latency_percentiles: BTreeMap<String, Option<f64>>,
    status_code_distribution: BTreeMap<String, u64>,
    #[serde(default)]
    error_distribution: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Summary {
    total: Option<f64>,
}

impl Source for Oha {
    fn name(&self) -> &'static str {
        "oha"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file);
        is_csv(start)
            || (holds(start, "\"latencyPercentiles\"") && holds(start, "\"statusCodeDistribution\""))
    }

    fn limit(&self) -> usize {
        MAX_LINES_BYTES
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let loaded = if is_csv(beginning(file)) { rows(file)? } else { document(file)? };
        loaded.run(input)
    }
}

fn is_csv(start: &[u8]) -> bool {
    start.trim_ascii_start().starts_with(HEADER.as_bytes())
}

fn document(file: &InputFile) -> Result<Loaded<'_>, Error> {
    let document: Document = json(file)?;
    let statuses = document.status_code_distribution.iter();
    let bad = statuses.filter(|(status, _)| status.parse().is_ok_and(|status: u16| status >= 400));
    let bad: u64 = bad.fold(0, |sum, (_, count)| sum.saturating_add(*count));
    let answered = document.status_code_distribution.values().fold(0_u64, |sum, n| sum.saturating_add(*n));
    let aborted = document.error_distribution.get(ABORTED).copied().unwrap_or(0);
    let errors = document.error_distribution.iter().filter(|(message, _)| *message != ABORTED);
    let errors: u64 = errors.fold(0, |sum, (_, count)| sum.saturating_add(*count));
    let percentile = |name: &str| {
        document.latency_percentiles.get(name).copied().flatten().map(|seconds| seconds * SECOND)
    };
    let result = LoadResult {
        latency: ["p50", "p90", "p95", "p99"].map(percentile),
        requests: Some((answered as f64) + errors as f64),
        errors: Some(bad as f64 + errors as f64),
        ..LoadResult::default()
    };
    let result = result.over(document.summary.total.unwrap_or(0.0));
    Ok(Loaded {
        tool: "oha",
        version: None,
        format: "the JSON",
        file,
        unknown: UNKNOWN,
        warnings: cut_off(file, aborted).into_iter().collect(),
        results: vec![result],
    })
}

/// Requests that had no answer when the time was up.
fn cut_off(file: &InputFile, aborted: u64) -> Option<Warning> {
    let message = format!(
        "`{}`: {aborted} requests were cut off at the deadline: they are in no latency and no rate, and requests that were \
         due but never sent are not even counted",
        file.path
    );
    (aborted > 0).then(|| Warning::new("cut_off", message))
}

fn rows(file: &InputFile) -> Result<Loaded<'_>, Error> {
    let (mut durations, mut slices) = (Counts::default(), Slices::default());
    let (mut first, mut last, mut bad) = (f64::INFINITY, f64::NEG_INFINITY, 0_u64);
    for line in text_lines(file).skip(1) {
        let (number, line) = line?;
        let malformed = |problem: String| Error::malformed(&file.path, Some(number), problem);
        let fields: Vec<&str> = line.split(',').collect();
        let [start, _, _, _, duration, _, status] = fields.as_slice() else {
            return Err(malformed(format!("{} fields where the header has 7", fields.len())));
        };
        let seconds = |text: &str| {
            let value = text.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0);
            value.ok_or_else(|| malformed(format!("`{}` is no time", shown(text))))
        };
        let (start, duration) = (seconds(start)?, seconds(duration)?);
        let status: u16 =
            status.parse().map_err(|_| malformed(format!("`{}` is no status", shown(status))))?;
        durations.add(duration * SECOND, 1);
        slices.add(start, duration * SECOND, 1);
        (first, last) = (first.min(start), last.max(start + duration));
        bad += u64::from(status >= 400);
    }
    let mut result = LoadResult::of(&durations.distribution(None)).over(last - first);
    result.errors = Some(bad as f64);
    Ok(Loaded {
        tool: "oha",
        version: None,
        format: "the CSV",
        file,
        unknown: UNKNOWN_CSV,
        warnings: slices.warning(file).into_iter().collect(),
        results: vec![result],
    })
}
