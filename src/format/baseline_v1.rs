//! `tollgate.baseline/1`: the stored runs of one bench target in one environment, made to be reviewed. One run a line.
//!
//! Every series has a digest of its own (of its values, its identity and the environment), so that a hand edit or damage is
//! found, and two branches that store different benchmarks still merge.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    layout,
    parts_v1::{Direction, Environment, Nature, Series, SeriesRun},
    reading::{self, Error, Fault, MAX_BENCHMARKS, invalid, shown},
    version::Kind,
};
use crate::model::{
    baseline::{BaselineFile, StoredSeries},
    metric,
};

/// Containers down to this depth stand on lines of their own: the deepest is the list of runs.
const DEPTH: usize = 4;

/// A baseline file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Document {
    /// `tollgate.baseline/1`.
    pub(super) schema: String,
    /// Where its runs were measured.
    environment: Environment,
    /// The bench target of all its series.
    target: String,
    /// Its series, sorted by id and metric.
    benchmarks: Vec<Entry>,
}

/// The stored runs of one metric of one benchmark, of the current level (since the last accepted change).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Entry {
    /// The benchmark's id within the target.
    id: String,
    /// The metric's name.
    metric: String,
    /// The metric's unit.
    unit: String,
    /// Which way is better.
    direction: Direction,
    /// How the metric scatters.
    nature: Nature,
    /// The first 16 hexadecimal digits of the SHA-256 of all this; `tollgate baseline verify` checks it.
    digest: String,
    /// Its runs, oldest first.
    runs: Vec<SeriesRun>,
}

/// Writes a baseline file with its series in order; the same content gives the same bytes.
#[must_use]
pub fn to_json(file: &BaselineFile) -> Vec<u8> {
    let mut series: Vec<&StoredSeries> = file.series.iter().collect();
    series.sort_by(|a, b| key(a).cmp(&key(b)));
    let document = Document {
        schema: Kind::Baseline.schema(),
        environment: Environment::from(&file.environment),
        target: file.target.clone(),
        benchmarks: series.into_iter().map(|series| entry(file, series)).collect(),
    };
    layout::to_json(&document, DEPTH)
}

/// Reads a baseline file, whose series come sorted.
///
/// # Errors
/// When the bytes are no baseline file of a version that is read, break a rule of the model, or a series does not match
/// its digest ([`verify`] lists all of them).
pub fn from_json(bytes: &[u8]) -> Result<BaselineFile, Error> {
    let (file, digests) = parse(bytes)?;
    let mismatch = mismatches(&file, &digests).next();
    match mismatch {
        Some(fault) => Err(fault.into()),
        None => Ok(file),
    }
}

/// Everything that is wrong with a baseline file: the fault that makes it unreadable, or every series that does not match
/// its digest.
#[must_use]
pub fn verify(bytes: &[u8]) -> Vec<Error> {
    match parse(bytes) {
        Ok((file, digests)) => mismatches(&file, &digests).map(Error::from).collect(),
        Err(error) => vec![error],
    }
}

/// The file and the digest that it states of each series.
fn parse(bytes: &[u8]) -> Result<(BaselineFile, Vec<String>), Error> {
    let document: Document = reading::read(bytes, Kind::Baseline, |document: &Document| &document.schema)?;
    if document.benchmarks.len() > MAX_BENCHMARKS {
        return Err(invalid("benchmarks", format!("more than {MAX_BENCHMARKS} entries")).into());
    }
    let target = document.target;
    let mut entries = Vec::with_capacity(document.benchmarks.len());
    for (at, entry) in document.benchmarks.into_iter().enumerate() {
        entries.push(entry.model(&target).map_err(|fault| fault.under(&format!("benchmarks[{at}]")))?);
    }
    entries.sort_by(|(a, _), (b, _)| key(a).cmp(&key(b)));
    let mut seen = HashSet::new();
    if let Some((twice, _)) = entries.iter().find(|(series, _)| !seen.insert(key(series))) {
        return Err(invalid("benchmarks", format!("`{}` is there twice", twice.benchmark.id)).into());
    }
    let (series, digests) = entries.into_iter().unzip();
    let environment = document.environment.model().map_err(|fault| fault.under("environment"))?;
    Ok((BaselineFile { environment, target, series }, digests))
}

fn mismatches(file: &BaselineFile, digests: &[String]) -> impl Iterator<Item = Fault> {
    let pairs = file.series.iter().zip(digests);
    pairs.filter(|(series, stated)| digest(file, series) != **stated).map(|(series, _)| Fault::Digest {
        series: format!("`{}` ({})", shown(series.benchmark.id.as_str()), shown(&series.metric.name)),
    })
}

fn key(series: &StoredSeries) -> (&str, &str) {
    (series.benchmark.id.as_str(), &series.metric.name)
}

fn entry(file: &BaselineFile, series: &StoredSeries) -> Entry {
    let Series { id, metric, unit, direction, nature, runs, .. } = Series::from(series);
    Entry { id, metric, unit, direction, nature, digest: digest(file, series), runs }
}

impl Entry {
    fn model(self, target: &str) -> Result<(StoredSeries, String), Fault> {
        let Self { id, metric, unit, direction, nature, digest, runs } = self;
        let series = Series { target: target.to_owned(), id, metric, unit, direction, nature, runs };
        Ok((series.model()?, digest))
    }
}

/// The digest of a series: everything with its length in front, so that nothing runs together.
fn digest(file: &BaselineFile, series: &StoredSeries) -> String {
    let environment = &file.environment;
    let metric = &series.metric;
    let nature = match metric.nature {
        metric::Nature::Noisy => "noisy",
        metric::Nature::Deterministic => "deterministic",
    };
    let machine = format!("{} {}", environment.cores, environment.memory_gib);
    let identity = [
        "tollgate.baseline/1",
        environment.key.as_str(),
        &environment.cpu,
        &machine,
        &environment.os,
        &environment.kernel,
        &environment.virtualisation,
        &environment.rustc,
        &environment.profile,
        &environment.flags,
        &series.benchmark.target,
        series.benchmark.id.as_str(),
        &metric.name,
        &metric.unit,
        metric.direction.as_str(),
        nature,
    ];
    let mut bytes = Vec::new();
    identity.iter().for_each(|text| append(&mut bytes, text.as_bytes()));
    for run in &series.runs {
        append(&mut bytes, run.rev.as_bytes());
        append(&mut bytes, &run.recorded_at.to_le_bytes());
        let values: Vec<u8> = run.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        append(&mut bytes, &values);
    }
    Sha256::digest(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn append(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend((part.len() as u64).to_le_bytes());
    bytes.extend(part);
}

#[cfg(test)]
mod tests {
    use super::{from_json, to_json, verify};
    use crate::format::example;
    use crate::model::{baseline::BaselineFile, benchmark::BenchmarkId};

    fn file() -> BaselineFile {
        let mut second = example::stored();
        second.benchmark.id = BenchmarkId::new("hash/fnv").unwrap();
        BaselineFile {
            environment: example::environment(),
            target: "kernels".into(),
            series: vec![second, example::stored()],
        }
    }

    #[test]
    fn a_baseline_reads_well_in_a_diff() {
        let mut file = file();
        file.series.remove(0);
        insta::assert_snapshot!(String::from_utf8(to_json(&file)).unwrap(), @r#"
        {
          "schema": "tollgate.baseline/1",
          "environment": {
            "key": "a3f09c0d4e5b6172",
            "cpu": "AMD EPYC 7763 64-Core Processor",
            "cores": 4,
            "memory_gib": 16,
            "os": "linux-x86_64",
            "kernel": "6.8",
            "virtualisation": "kvm",
            "rustc": "rustc 1.95.0 (f2d3ce0bd 2026-03-21)",
            "profile": "bench",
            "flags": "-C llvm-args=-align-all-functions=6"
          },
          "target": "kernels",
          "benchmarks": [
            {
              "id": "num/sieve",
              "metric": "time",
              "unit": "ns",
              "direction": "lower",
              "nature": "noisy",
              "digest": "7ef538262b10db5a",
              "runs": [
                {"rev": "1111111111111111111111111111111111111111", "recorded_at": 1795000000, "values": [17200.25,17199.0,17310.5]},
                {"rev": "2222222222222222222222222222222222222222", "recorded_at": 1795100000, "values": [0.30000000000000004,1e-7]}
              ]
            }
          ]
        }
        "#);
    }

    #[test]
    fn a_baseline_comes_back_and_is_written_sorted() {
        let mut shuffled = file();
        shuffled.series.reverse();
        assert_eq!(to_json(&shuffled), to_json(&file()));
        assert_eq!(from_json(&to_json(&shuffled)).unwrap(), file());
        assert_eq!(verify(&to_json(&file())), []);
    }

    #[test]
    fn a_hand_edit_of_any_part_is_found_and_named() {
        let text = String::from_utf8(to_json(&file())).unwrap();
        for (from, to) in [
            ("17310.5", "17210.5"),
            ("1795000000", "1795000001"),
            (&"1".repeat(40), &"3".repeat(40)),
            ("\"id\": \"hash/fnv\"", "\"id\": \"hash/fnw\""),
            ("\"unit\": \"ns\"", "\"unit\": \"us\""),
        ] {
            assert!(text.contains(from), "{from}");
            let edited = text.replacen(from, to, 1);
            assert_eq!(verify(edited.as_bytes()).len(), 1, "{from}");
            assert!(from_json(edited.as_bytes()).is_err());
        }
        let other_machine = text.replacen("EPYC", "Ryzen", 1);
        let found: Vec<String> = verify(other_machine.as_bytes()).iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(found.join("\n"), @"
        the document does not match its digest at `hash/fnv` (time): edited by hand or damaged
        the document does not match its digest at `num/sieve` (time): edited by hand or damaged
        ");
    }

    #[test]
    fn a_broken_file_is_one_finding() {
        let text = to_json(&file());
        assert_eq!(verify(&text[..text.len() / 2]).len(), 1);
        assert_eq!(verify(b"").len(), 1);
        let conflict =
            String::from_utf8(text).unwrap().replacen("  \"target\"", "<<<<<<< ours\n  \"target\"", 1);
        insta::assert_snapshot!(verify(conflict.as_bytes())[0], @"the document cannot be read in line 15, column 1: key must be a string");
    }
}
