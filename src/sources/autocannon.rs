//! autocannon `-j`.
//!
//! The trap: with a rate (`-R`) and without `-C`, autocannon fills in latencies for requests that it thinks were missed, and
//! takes the rate for one a millisecond: an answer of L ms becomes L records. Such a file has more latencies than requests and
//! is refused, since its median is an invention.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    input::{Error, Input, InputFile, Source, beginning, holds, json},
    load_result::{LoadResult, Loaded, MILLISECOND},
    pairing::SourceRun,
};

/// autocannon's JSON.
#[derive(Debug, Clone, Copy)]
pub struct Autocannon;

const UNKNOWN: &str = "autocannon counts from the sending in whole milliseconds, so a stall hides and p95 is not told; the warm-up is in it";

/// The document.
#[derive(Deserialize)]
struct Document {
    duration: f64,
    latency: BTreeMap<String, Value>,
    requests: Requests,
    #[serde(default)]
    errors: u64,
    #[serde(default)]
    non2xx: u64,
}

#[derive(Deserialize)]
struct Requests {
    total: f64,
}

impl Source for Autocannon {
    fn name(&self) -> &'static str {
        "autocannon"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file);
        ["\"latency\"", "\"p97_5\"", "\"non2xx\""].iter().all(|key| holds(start, key))
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let document: Document = json(file)?;
        let loaded = Loaded {
            tool: "autocannon",
            version: None,
            format: "the JSON",
            file,
            unknown: UNKNOWN,
            warnings: Vec::new(),
            results: vec![result(file, &document)?],
        };
        loaded.run(input)
    }
}

fn result(file: &InputFile, document: &Document) -> Result<LoadResult, Error> {
    let value = |name: &str| document.latency.get(name).and_then(Value::as_f64);
    let answered = document.requests.total;
    if let Some(records) = value("totalCount").filter(|records| *records > answered) {
        let problem = format!(
            "it holds {records} latencies of {answered} requests: with a rate (`-R`), autocannon invents the rest; measure \
             again with `-C` (`--ignoreCoordinatedOmission`)"
        );
        return Err(Error::malformed(&file.path, None, problem));
    }
    let milliseconds = |name: &str| value(name).map(|value| value * MILLISECOND);
    // `errors` has the timeouts in it; neither is among the answered.
    let requests = answered + document.errors as f64;
    let result = LoadResult {
        latency: [milliseconds("p50"), milliseconds("p90"), None, milliseconds("p99")],
        requests: Some(requests),
        errors: Some((document.non2xx as f64 + document.errors as f64).min(requests)),
        ..LoadResult::default()
    };
    Ok(result.over(document.duration))
}
