//! hyperfine's `--export-json`: the seconds of each run of a command, every run a fresh process.
//!
//! hyperfine runs all of one command before the next, so the processes of a file share their hour: see
//! [`pairing`](super::pairing) for what that means. Written by hyperfine 1.0 and later.

use std::collections::HashSet;

use serde::Deserialize;

use super::{
    input::{Error, Input, InputFile, MAX_BENCHMARKS, MAX_READINGS, Source, beginning, holds, json},
    pairing::{SourceMeasurement, SourceRun},
};
use crate::model::{
    benchmark::{Benchmark, BenchmarkId},
    metric::Metric,
    run::{Sample, Warning},
};

/// hyperfine's JSON file.
#[derive(Debug, Clone, Copy)]
pub struct Hyperfine;

/// Below this, the start of a shell is a large part of what hyperfine measures.
const SHELL_NANOSECONDS: f64 = 5e6;

/// The file.
#[derive(Deserialize)]
struct Document {
    results: Vec<Entry>,
}

/// One command.
#[derive(Deserialize)]
struct Entry {
    command: String,
    mean: Option<f64>,
    #[serde(default)]
    times: Option<Vec<f64>>,
    #[serde(default)]
    exit_codes: Vec<Option<i32>>,
}

impl Source for Hyperfine {
    fn name(&self) -> &'static str {
        "hyperfine"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file);
        start.trim_ascii_start().first() == Some(&b'{')
            && holds(start, "\"results\"")
            && holds(start, "\"command\"")
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let mut measurements = Vec::new();
        let mut seen = HashSet::new();
        for file in &input.files {
            let document: Document = json(file)?;
            if document.results.len() > MAX_BENCHMARKS {
                return Err(Error::malformed(
                    &file.path,
                    None,
                    format!("more than {MAX_BENCHMARKS} results"),
                ));
            }
            for entry in document.results {
                let measurement = measurement(file, entry)?;
                if !seen.insert(measurement.benchmark.clone()) {
                    let problem = format!("the command `{}` is there twice", measurement.benchmark.id);
                    return Err(Error::malformed(&file.path, None, problem));
                }
                measurements.push(measurement);
            }
        }
        let mut run = SourceRun::foreign(self.name(), &input.name, measurements);
        run.names_are_commands = true;
        run.warnings = warnings(&run.measurements);
        Ok(run)
    }
}

fn measurement(file: &InputFile, entry: Entry) -> Result<SourceMeasurement, Error> {
    let problem = |problem: String| Error::malformed(&file.path, None, problem);
    let id = BenchmarkId::new(entry.command).map_err(|invalid| problem(invalid.to_string()))?;
    let seconds = match (entry.times, entry.mean) {
        (Some(times), _) if !times.is_empty() => times,
        (_, Some(mean)) => vec![mean],
        _ => return Err(problem(format!("the command `{id}` has neither `times` nor `mean`"))),
    };
    if seconds.len() > MAX_READINGS {
        return Err(problem(format!("the command `{id}` has more than {MAX_READINGS} `times`")));
    }
    if let Some(bad) = seconds.iter().find(|value| !(value.is_finite() && **value >= 0.0)) {
        return Err(problem(format!("the command `{id}` took {bad} s")));
    }
    let failure = failure(&entry.exit_codes).or_else(|| {
        let nothing = seconds.iter().any(|value| *value <= 0.0);
        nothing.then(|| "it took no time that hyperfine could measure".to_owned())
    });
    let process = |&value: &f64| vec![Sample { iterations: 1.0, total: value * 1e9 }];
    Ok(SourceMeasurement {
        benchmark: Benchmark::new("hyperfine", id),
        metric: Metric::time(),
        processes: if failure.is_some() { Vec::new() } else { seconds.iter().map(process).collect() },
        failure,
    })
}

/// The time of a command that failed is not the time of its work.
fn failure(exit_codes: &[Option<i32>]) -> Option<String> {
    let failed = exit_codes.iter().filter(|code| **code != Some(0)).count();
    let first = exit_codes.iter().find(|code| **code != Some(0))?;
    let how = first.map_or_else(|| "ended by a signal".to_owned(), |code| format!("exited with code {code}"));
    Some(format!("{how} in {failed} of {} runs", exit_codes.len()))
}

fn warnings(measurements: &[SourceMeasurement]) -> Vec<Warning> {
    let mut warnings = vec![Warning::new(
        "hyperfine_files",
        "hyperfine's file does not tell commit or machine, and the runs of a command follow one another",
    )];
    let short = measurements
        .iter()
        .flat_map(|measurement| measurement.processes.iter().flatten())
        .any(|sample| sample.total < SHELL_NANOSECONDS);
    if short {
        warnings.push(Warning::new(
            "shell_start",
            "some commands take less than 5 ms: unless hyperfine ran with `-N`, much of that is the shell's start",
        ));
    }
    warnings
}
