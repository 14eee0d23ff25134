//! `tollgate import`: what other tools measured, as a run file.

use crate::{
    commands::{compare::refuse_other_environment, failure::Failure, results::read_all, session::day},
    format::run_v1,
    model::{
        benchmark::BenchmarkId,
        outcome::{ErrorClass, Outcome},
        policy::Policy,
        run::{Fate, Run, Warning},
    },
    sources::pairing::{self, SourceRun},
    text::plural,
};
use std::path::PathBuf;

/// What to import.
#[derive(Debug, Clone)]
pub struct Request {
    /// At least one file or directory; several are several rounds of one revision, in time order.
    pub files: Vec<PathBuf>,
    /// The tool that wrote them; `None` to find out.
    pub from: Option<String>,
    /// What to call the benchmark; `None`: as the tool calls it.
    pub name: Option<String>,
    /// The rules that the run is to be judged by.
    pub policy: Policy,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// What was imported.
#[derive(Debug)]
pub struct Done {
    /// The run.
    pub run: Run,
    /// The tools, each once.
    tools: Vec<&'static str>,
    files: usize,
}

impl Done {
    /// The run file.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        run_v1::to_json(&self.run)
    }

    /// What cannot be known of it, and what is odd.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.run.warnings
    }

    /// One line: what was read.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut benchmarks: Vec<_> = self.run.measurements.iter().map(|m| &m.benchmark).collect();
        benchmarks.dedup();
        format!(
            "imported {} of {} from {} of {}",
            plural::count(self.run.measurements.len(), "metric"),
            plural::count(benchmarks.len(), "benchmark"),
            plural::count(self.files, "file"),
            plural::list(&self.tools, 5)
        )
    }

    /// Pass, unless what was measured failed.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let failed = |fate: &Fate| matches!(fate, Fate::Failed { .. });
        match self.run.measurements.iter().any(|measurement| failed(&measurement.fate)) {
            true => Outcome::Error(ErrorClass::Measurement),
            false => Outcome::Pass,
        }
    }
}

/// Reads the files.
///
/// # Errors
/// When one cannot be read or understood, they were measured in different environments, or the name fits none or too many.
pub fn run(request: &Request) -> Result<Done, Failure> {
    let mut inputs = read_all(&request.files, request.from.as_deref())?;
    refuse_other_environment(&[], &inputs)?;
    if let Some(name) = &request.name {
        rename(&mut inputs, request, name)?;
    }
    let mut tools: Vec<&'static str> = inputs.iter().map(|input| input.tool).collect();
    tools.sort_unstable();
    tools.dedup();
    let mut run = pairing::single(inputs);
    run.policy = request.policy.clone();
    run.day = day(request.now);
    run.started_at = request.now;
    Ok(Done { run, tools, files: request.files.len() })
}

fn rename(inputs: &mut [SourceRun], request: &Request, name: &str) -> Result<(), Failure> {
    let refuse = |why: String, hint: &str| {
        Failure::message(ErrorClass::Configuration, format!("could not use `--name {name}`: {why}"), hint)
    };
    BenchmarkId::new(name).map_err(|invalid| refuse(invalid.to_string(), "give another name"))?;
    for (input, file) in inputs.iter_mut().zip(&request.files) {
        let why = |error| refuse(format!("`{}`: {error}", file.display()), "leave `--name` out");
        input.rename(name).map_err(why)?;
    }
    Ok(())
}
