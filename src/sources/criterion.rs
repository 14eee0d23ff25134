//! criterion's directory: `target/criterion/**/new/{benchmark,sample}.json`, or a named baseline in place of `new`.
//!
//! The samples of a directory all come from one process, however many they are: taking them for independent is the
//! mistake behind most false alarms. So one directory is one slot, and several are needed for a test.
//!
//! Read as written by criterion 0.3 to 0.8: `benchmark.json` holds the id (`full_id`), `sample.json` the iterations and
//! nanoseconds of each sample. Estimates and `change/` are criterion's own judgement and not read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    input::{Error, Input, InputFile, MAX_BENCHMARKS, MAX_READINGS, Source, json},
    pairing::{SourceMeasurement, SourceRun},
};
use crate::model::{
    benchmark::{Benchmark, BenchmarkId},
    metric::Metric,
    run::{Sample, Warning},
};

/// criterion's directory.
#[derive(Debug, Clone, Copy)]
pub struct Criterion;

/// The baseline that criterion writes unless told otherwise.
const NEWEST: &str = "new";

/// `benchmark.json`.
#[derive(Deserialize)]
struct Identity {
    full_id: String,
}

/// `sample.json`.
#[derive(Deserialize)]
struct Samples {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// The two files of one benchmark.
#[derive(Default)]
struct Folder<'a> {
    identity: Option<&'a InputFile>,
    samples: Option<&'a InputFile>,
}

impl Source for Criterion {
    fn name(&self) -> &'static str {
        "criterion"
    }

    fn detect(&self, input: &Input) -> bool {
        input.files.iter().any(|file| matches!(split(&file.path).1, "benchmark.json" | "sample.json"))
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let baseline = input.baseline.as_deref().unwrap_or(NEWEST);
        let folders = folders(input, baseline);
        if folders.len() > MAX_BENCHMARKS {
            return Err(Error::malformed(
                &input.name,
                None,
                format!("more than {MAX_BENCHMARKS} benchmarks"),
            ));
        }
        let mut measurements: BTreeMap<BenchmarkId, SourceMeasurement> = BTreeMap::new();
        let mut incomplete = 0;
        for folder in folders.values() {
            let (Some(identity), Some(samples)) = (folder.identity, folder.samples) else {
                incomplete += 1;
                continue;
            };
            let measurement = measurement(identity, samples)?;
            let id = measurement.benchmark.id.clone();
            if measurements.insert(id, measurement).is_some() {
                return Err(Error::malformed(&identity.path, None, "its benchmark is there twice"));
            }
        }
        let label = input
            .baseline
            .as_ref()
            .map_or_else(|| input.name.clone(), |name| format!("{}:{name}", input.name));
        let mut run = SourceRun::foreign(self.name(), &label, measurements.into_values().collect());
        run.warnings = warnings(incomplete);
        Ok(run)
    }
}

/// The benchmarks' folders of one baseline, by path.
fn folders<'a>(input: &'a Input, baseline: &str) -> BTreeMap<&'a str, Folder<'a>> {
    let mut folders: BTreeMap<&str, Folder<'_>> = BTreeMap::new();
    for file in &input.files {
        let (folder, name) = split(&file.path);
        // `benchmark.json` at the top means that the folder of one benchmark's baseline itself was given.
        if !folder.is_empty() && split(folder).1 != baseline {
            continue;
        }
        match name {
            "benchmark.json" => folders.entry(folder).or_default().identity = Some(file),
            "sample.json" => folders.entry(folder).or_default().samples = Some(file),
            _ => {}
        }
    }
    folders
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once(['/', '\\']).unwrap_or(("", path))
}

fn measurement(identity: &InputFile, file: &InputFile) -> Result<SourceMeasurement, Error> {
    let Identity { full_id } = json(identity)?;
    let id = BenchmarkId::new(full_id)
        .map_err(|problem| Error::malformed(&identity.path, None, problem.to_string()))?;
    let samples = samples(file)?;
    let failure = samples
        .iter()
        .all(|sample| sample.total <= 0.0)
        .then(|| "every sample took no time: the compiler may have removed the work".to_owned());
    Ok(SourceMeasurement {
        benchmark: Benchmark::new("criterion", id),
        metric: Metric::time(),
        processes: if failure.is_some() { Vec::new() } else { vec![samples] },
        failure,
    })
}

fn samples(file: &InputFile) -> Result<Vec<Sample>, Error> {
    let problem = |problem: String| Error::malformed(&file.path, None, problem);
    let Samples { iters, times } = json(file)?;
    if iters.len() != times.len() || iters.is_empty() {
        return Err(problem(format!("{} `iters` and {} `times`", iters.len(), times.len())));
    }
    if iters.len() > MAX_READINGS {
        return Err(problem(format!("more than {MAX_READINGS} samples")));
    }
    let samples = iters.into_iter().zip(times);
    samples
        .map(|(iterations, total)| {
            let sound = iterations.is_finite() && iterations > 0.0 && total.is_finite() && total >= 0.0;
            sound
                .then_some(Sample { iterations, total })
                .ok_or_else(|| problem(format!("a sample of {iterations} iterations in {total} ns")))
        })
        .collect()
}

fn warnings(incomplete: usize) -> Vec<Warning> {
    let mut warnings = vec![Warning::new(
        "criterion_files",
        "criterion's files do not tell commit, machine, bench target or unit: nanoseconds are taken for granted, and the \
         samples of one directory are those of one process",
    )];
    if incomplete > 0 {
        warnings.push(Warning::new(
            "incomplete_folder",
            format!("{incomplete} benchmark folders lack `benchmark.json` or `sample.json` and are left out"),
        ));
    }
    warnings
}
