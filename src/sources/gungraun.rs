//! gungraun's and iai-callgrind's summaries: counts of valgrind's tools.
//!
//! Read are `summary.json` files (`--save-summary`, pretty or not) and what `--output-format=json` prints, other lines in
//! between included; versions 6 (iai-callgrind 0.15 and 0.16) and 7 (gungraun 0.20). Of callgrind and cachegrind the
//! executed instructions (`Ir`) are taken, of DHAT the allocated bytes and blocks. Cache hits and estimated cycles are
//! left out: they move by some per cent with the addresses of one and the same code.
//!
//! A summary may carry the values of the run before as well; only the new ones count, one file a side.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use super::{
    input::{Error, Input, InputFile, MAX_BENCHMARKS, Source, beginning, check_numbers, holds},
    pairing::{SourceMeasurement, SourceRun},
};
use crate::model::{
    benchmark::{Benchmark, BenchmarkId},
    metric::Metric,
    run::{Sample, Warning},
};

/// gungraun's summaries.
#[derive(Debug, Clone, Copy)]
pub struct Gungraun;

/// The counts that are taken: the tool's name of it, ours, and the unit.
const COUNTS: [(&str, &str, &str); 3] = [
    ("Ir", "instructions", "instructions"),
    ("TotalBytes", "allocated", "bytes"),
    ("TotalBlocks", "allocations", "allocations"),
];

/// What tells the version; the rest is read only if it is known.
#[derive(Deserialize)]
struct Header {
    version: String,
}

/// Version 6 and 7 of a summary: what both have.
#[derive(Deserialize)]
struct Summary {
    module_path: String,
    id: Option<String>,
    profiles: Vec<Profile>,
}

/// What one tool of valgrind counted: `summaries` in version 6, `data` in version 7.
#[derive(Deserialize)]
struct Profile {
    summaries: Option<Totals6>,
    data: Option<Totals7>,
}

#[derive(Deserialize)]
struct Totals6 {
    total: Total6,
}

/// The counts by tool: `{"Callgrind": {"Ir": …}}`, or a mere word where there are none.
#[derive(Deserialize)]
struct Total6 {
    summary: serde_json::Value,
}

#[derive(Deserialize)]
struct Count6 {
    metrics: NewOld6,
}

/// The new value, the old one, or both in this order.
#[derive(Deserialize)]
enum NewOld6 {
    Both(Number6, serde::de::IgnoredAny),
    Left(Number6),
    Right(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
enum Number6 {
    Int(u64),
    Float(f64),
}

#[derive(Deserialize)]
struct Totals7 {
    total: Total7,
}

#[derive(Deserialize)]
struct Total7 {
    #[serde(default)]
    metrics: BTreeMap<String, Count7>,
}

#[derive(Deserialize)]
struct Count7 {
    values: New7,
}

#[derive(Deserialize)]
struct New7 {
    new: Option<f64>,
}

impl Source for Gungraun {
    fn name(&self) -> &'static str {
        "gungraun"
    }

    fn detect(&self, input: &Input) -> bool {
        input.files.iter().any(|file| {
            let start = beginning(file);
            holds(start, "\"module_path\"")
                && (holds(start, "\"profiles\"") || holds(start, "\"benchmark_exe\""))
        })
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let mut files: Vec<&InputFile> = input.files.iter().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut measurements = Vec::new();
        let mut seen = HashSet::new();
        for file in files {
            for (line, document) in documents(file)? {
                let malformed = |problem: String| Error::malformed(&file.path, Some(line), problem);
                let (benchmark, counts) = read(file, document)?;
                if !seen.insert(benchmark.clone()) {
                    return Err(malformed(format!("`{}` is there twice", benchmark.id)));
                }
                if seen.len() > MAX_BENCHMARKS {
                    return Err(malformed(format!("more than {MAX_BENCHMARKS} benchmarks")));
                }
                measurements.extend(counts.into_iter().map(|(metric, count)| SourceMeasurement {
                    benchmark: benchmark.clone(),
                    metric,
                    processes: vec![vec![Sample { iterations: 1.0, total: count }]],
                    failure: None,
                }));
            }
        }
        let mut run = SourceRun::foreign(self.name(), &input.name, measurements);
        run.warnings = vec![Warning::new(
            "gungraun_summary",
            "gungraun's summary does not tell commit or machine, and one count cannot tell whether it repeats",
        )];
        Ok(run)
    }
}

/// The JSON documents of a file with the line on which each begins: a whole file, or those between lines of text.
fn documents(file: &InputFile) -> Result<Vec<(u64, serde_json::Value)>, Error> {
    check_numbers(file)?;
    let mut documents = Vec::new();
    let mut line = 1;
    let mut rest: &[u8] = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
    while !rest.is_empty() {
        let indent = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(0);
        let taken = if rest.get(indent) == Some(&b'{') {
            let mut stream = serde_json::Deserializer::from_slice(rest).into_iter();
            let document = stream.next().transpose().map_err(|error| {
                let at = line + (error.line() as u64).saturating_sub(1);
                Error::malformed(&file.path, Some(at), "a summary that is no JSON, or cut off")
            })?;
            // Cargo prints documents of its own between them with `--message-format=json`.
            let summary =
                document.filter(|document: &serde_json::Value| document.get("module_path").is_some());
            documents.extend(summary.map(|document| (line, document)));
            stream.byte_offset()
        } else {
            rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1)
        };
        let (done, left) = rest.split_at(taken.clamp(1, rest.len()));
        line += done.iter().filter(|byte| **byte == b'\n').count() as u64;
        rest = left;
    }
    Ok(documents)
}

/// The benchmark of a summary and its counts.
fn read(file: &InputFile, document: serde_json::Value) -> Result<(Benchmark, Vec<(Metric, f64)>), Error> {
    let malformed = |problem: String| Error::malformed(&file.path, None, problem);
    let header = Header::deserialize(&document).map_err(|error| malformed(error.to_string()))?;
    if !matches!(header.version.as_str(), "6" | "7") {
        let (file, found) = (file.path.clone(), header.version);
        return Err(Error::Version { file, found, reads: "6 and 7" });
    }
    let summary = Summary::deserialize(document).map_err(|error| malformed(error.to_string()))?;
    let benchmark = benchmark(&summary).map_err(&malformed)?;
    let mut counts = BTreeMap::new();
    for profile in summary.profiles {
        for (name, count) in values(profile).map_err(|error| malformed(error.to_string()))? {
            counts.entry(name).or_insert(count);
        }
    }
    let taken = COUNTS.into_iter().filter_map(|(theirs, name, unit)| {
        let count = counts.get(theirs).copied()?;
        (count.is_finite() && count >= 0.0).then(|| (Metric::count(name, unit), count))
    });
    Ok((benchmark, taken.collect()))
}

/// `counts::num::sieve` with the id `small` is `num::sieve/small` of the target `counts`.
fn benchmark(summary: &Summary) -> Result<Benchmark, String> {
    let (target, function) =
        summary.module_path.split_once("::").unwrap_or(("gungraun", summary.module_path.as_str()));
    let id = match &summary.id {
        Some(id) => format!("{function}/{id}"),
        None => function.to_owned(),
    };
    let id = BenchmarkId::new(id).map_err(|invalid| invalid.to_string())?;
    Ok(Benchmark::new(target, id))
}

/// The new values of a profile by the tool's names.
fn values(profile: Profile) -> Result<Vec<(String, f64)>, serde_json::Error> {
    if let Some(data) = profile.data {
        let metrics = data.total.metrics.into_iter();
        return Ok(metrics.filter_map(|(name, count)| Some((name, count.values.new?))).collect());
    }
    let Some(summaries) = profile.summaries else { return Ok(Vec::new()) };
    let serde_json::Value::Object(tools) = summaries.total.summary else { return Ok(Vec::new()) };
    let mut values = Vec::new();
    for (_, counts) in tools {
        let serde_json::Value::Object(counts) = counts else { continue };
        // Only what is taken is read: other entries need not look like counts.
        for (name, count) in counts.into_iter().filter(|(name, _)| COUNTS.iter().any(|known| known.0 == name))
        {
            let count = Count6::deserialize(count)?;
            let (NewOld6::Both(new, _) | NewOld6::Left(new)) = count.metrics else { continue };
            #[expect(clippy::cast_precision_loss, reason = "counts above 2^53 instructions do not occur")]
            let value = match new {
                Number6::Int(value) => value as f64,
                Number6::Float(value) => value,
            };
            values.push((name, value));
        }
    }
    Ok(values)
}
