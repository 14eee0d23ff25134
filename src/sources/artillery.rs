//! Artillery 2: the file of `run -o`.
//!
//! Traps that are handled: its `histograms` hold the same summaries as `summaries`, so nothing can be merged; its periods of
//! 10 s are shown as a range; `http.response_time` ends with the first byte; virtual users that were skipped are told.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    input::{Error, Input, InputFile, Source, beginning, holds, json},
    load_result::{LoadResult, Loaded, MILLISECOND, slices_warning},
    pairing::SourceRun,
};
use crate::model::run::Warning;

/// Artillery's report.
#[derive(Debug, Clone, Copy)]
pub struct Artillery;

const UNKNOWN: &str = "Artillery's time ends with the first byte of the answer, so a slow body is not in it; the warm-up is in it";

/// The summary that is read.
const RESPONSE_TIME: &str = "http.response_time";

/// Artillery reports every 10 s.
const PERIOD_SECONDS: f64 = 10.0;

#[derive(Deserialize)]
struct Document {
    aggregate: Period,
    #[serde(default)]
    intermediate: Vec<Period>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Period {
    #[serde(default)]
    counters: BTreeMap<String, f64>,
    #[serde(default)]
    summaries: BTreeMap<String, BTreeMap<String, Option<f64>>>,
    first_metric_at: Option<f64>,
    last_metric_at: Option<f64>,
}

impl Source for Artillery {
    fn name(&self) -> &'static str {
        "artillery"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file);
        holds(start, "\"aggregate\"")
            && (holds(start, "\"vusers.created\"") || holds(start, "\"http.requests\""))
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let document: Document = json(file)?;
        let periods = document.intermediate.iter().filter_map(|period| {
            let times = period.summaries.get(RESPONSE_TIME)?;
            let value = |name: &str| times.get(name).copied().flatten().map(|value| value * MILLISECOND);
            Some([value("p50").or_else(|| value("median")), value("p95")])
        });
        let periods: Vec<_> = periods.collect();
        let mut warnings: Vec<Warning> = skipped(file, &document.aggregate).into_iter().collect();
        warnings.extend(slices_warning(file, PERIOD_SECONDS, &periods));
        let loaded = Loaded {
            tool: "artillery",
            version: None,
            format: "the report",
            file,
            unknown: UNKNOWN,
            warnings,
            results: vec![result(file, &document.aggregate)?],
        };
        loaded.run(input)
    }
}

fn result(file: &InputFile, all: &Period) -> Result<LoadResult, Error> {
    let Some(times) = all.summaries.get(RESPONSE_TIME) else {
        let problem = format!("no `{RESPONSE_TIME}` in it: only HTTP tests are read");
        return Err(Error::malformed(&file.path, None, problem));
    };
    let value = |name: &str| times.get(name).copied().flatten().map(|value| value * MILLISECOND);
    let sum = |wanted: &dyn Fn(&str) -> bool| -> f64 {
        all.counters.iter().filter(|(name, _)| wanted(name)).map(|(_, count)| *count).sum()
    };
    let errors = sum(&|name| name.starts_with("errors."));
    let bad = sum(&|name| {
        let status = name.strip_prefix("http.codes.").and_then(|code| code.parse::<u16>().ok());
        status.is_some_and(|status| status >= 400)
    });
    let requests = sum(&|name| name == "http.requests").max(bad + errors);
    let result = LoadResult {
        latency: [value("p50").or_else(|| value("median")), value("p90"), value("p95"), value("p99")],
        requests: Some(requests),
        errors: Some(bad + errors),
        ..LoadResult::default()
    };
    let milliseconds = all.last_metric_at.zip(all.first_metric_at).map_or(0.0, |(last, first)| last - first);
    Ok(result.over(milliseconds / 1e3))
}

fn skipped(file: &InputFile, all: &Period) -> Option<Warning> {
    let count = all.counters.get("vusers.skipped").copied().filter(|count| *count > 0.0)?;
    let message = format!(
        "`{}`: Artillery skipped {count} virtual users: they are in no latency and no error rate, so the true ones are worse",
        file.path
    );
    Some(Warning::new("dropped", message))
}
