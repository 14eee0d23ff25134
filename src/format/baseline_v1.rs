//! `tollgate.baseline/1`: the stored runs of one bench target in one environment, made to be reviewed: one run and one
//! accepted change a line, moments as people write them.
//!
//! Every series has a digest of its own (of its values, its identity and the environment), so that a hand edit or damage is
//! found, and two branches that store different benchmarks still merge.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    histogram::{Durations, Room},
    layout,
    load_v1::{self, StoredTrialV1},
    moment,
    parts_v1::{self, Direction, Environment, Nature, check_values},
    reading::{self, Error, Fault, MAX_BENCHMARKS, invalid, shown},
    version::Kind,
};
use crate::model::{
    baseline::{BaselineFile, Level, LevelledSeries, MAX_RUNS, StoredRun, StoredSeries},
    metric,
};

/// The accepted changes that a series remembers; older ones are in the file's git history.
pub const MAX_LEVELS: usize = 50;
/// Containers down to this depth stand on lines of their own: the deepest are the lists of levels and runs.
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
    /// The changes that were accepted, oldest first.
    #[serde(default)]
    levels: Vec<LevelLine>,
    /// Its runs, oldest first.
    runs: Vec<RunLine>,
}

/// A change that somebody accepted: runs from before it are no longer here.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct LevelLine {
    /// The commit with the change.
    rev: String,
    /// When it was accepted, `YYYY-MM-DDThh:mm:ssZ`.
    accepted_at: String,
    /// Who accepted it.
    by: String,
    /// Why.
    reason: String,
    /// The median of what counted until then, in the metric's unit; null when nothing did.
    before: Option<f64>,
}

/// One stored run: one value a process, in time order.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct RunLine {
    /// The commit that was measured.
    rev: String,
    /// When, `YYYY-MM-DDThh:mm:ssZ`.
    recorded_at: String,
    /// One value a process, in the metric's unit.
    values: Vec<f64>,
    /// The load trials behind the values of an `error_rate`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    trials: Vec<StoredTrialV1>,
}

/// Writes a baseline file with its series in order; the same content gives the same bytes.
#[must_use]
pub fn to_json(file: &BaselineFile) -> Vec<u8> {
    let mut series: Vec<&LevelledSeries> = file.series.iter().collect();
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
    let mut room = Room::default();
    let mut entries = Vec::with_capacity(document.benchmarks.len());
    for (at, entry) in document.benchmarks.into_iter().enumerate() {
        entries.push(
            entry.model(&target, &mut room).map_err(|fault| fault.under(&format!("benchmarks[{at}]")))?,
        );
    }
    entries.sort_by(|(a, _), (b, _)| key(a).cmp(&key(b)));
    let mut seen = HashSet::new();
    if let Some((twice, _)) = entries.iter().find(|(series, _)| !seen.insert(key(series))) {
        return Err(invalid("benchmarks", format!("`{}` is there twice", twice.series.benchmark.id)).into());
    }
    let (series, digests) = entries.into_iter().unzip();
    let environment = document.environment.model().map_err(|fault| fault.under("environment"))?;
    Ok((BaselineFile { environment, target, series }, digests))
}

fn mismatches(file: &BaselineFile, digests: &[String]) -> impl Iterator<Item = Fault> {
    let pairs = file.series.iter().zip(digests);
    pairs.filter(|(series, stated)| digest(file, series) != **stated).map(|(levelled, _)| {
        let StoredSeries { benchmark, metric, .. } = &levelled.series;
        Fault::Digest { series: format!("`{}` ({})", shown(benchmark.id.as_str()), shown(&metric.name)) }
    })
}

fn key(levelled: &LevelledSeries) -> (&str, &str) {
    (levelled.series.benchmark.id.as_str(), &levelled.series.metric.name)
}

fn entry(file: &BaselineFile, levelled: &LevelledSeries) -> Entry {
    let StoredSeries { benchmark, metric, runs } = &levelled.series;
    let level = |level: &Level| LevelLine {
        rev: level.rev.clone(),
        accepted_at: moment::text(level.accepted_at),
        by: level.by.clone(),
        reason: level.reason.clone(),
        before: level.before,
    };
    let run = |run: &StoredRun| RunLine {
        rev: run.rev.clone(),
        recorded_at: moment::text(run.recorded_at),
        values: run.values.clone(),
        trials: run.trials.iter().map(StoredTrialV1::from).collect(),
    };
    Entry {
        id: benchmark.id.as_str().to_owned(),
        metric: metric.name.clone(),
        unit: metric.unit.clone(),
        direction: metric.direction.into(),
        nature: metric.nature.into(),
        digest: digest(file, levelled),
        levels: levelled.levels.iter().map(level).collect(),
        runs: runs.iter().map(run).collect(),
    }
}

impl Entry {
    fn model(self, target: &str, room: &mut Room) -> Result<(LevelledSeries, String), Fault> {
        if self.levels.len() > MAX_LEVELS {
            return Err(invalid("levels", format!("more than {MAX_LEVELS} entries")));
        }
        if self.runs.len() > MAX_RUNS {
            return Err(invalid("runs", format!("more than {MAX_RUNS} entries")));
        }
        let metric = parts_v1::metric(self.metric, self.unit, self.direction, self.nature);
        let mut levels = Vec::with_capacity(self.levels.len());
        for (at, line) in self.levels.into_iter().enumerate() {
            levels.push(line.model().map_err(|fault| fault.under(&format!("levels[{at}]")))?);
        }
        let mut runs = Vec::with_capacity(self.runs.len());
        for (at, line) in self.runs.into_iter().enumerate() {
            runs.push(line.model(&metric, room).map_err(|fault| fault.under(&format!("runs[{at}]")))?);
        }
        let benchmark = parts_v1::benchmark(target.to_owned(), self.id)?;
        Ok((LevelledSeries { series: StoredSeries { benchmark, metric, runs }, levels }, self.digest))
    }
}

impl LevelLine {
    fn model(self) -> Result<Level, Fault> {
        parts_v1::check_object_id(&self.rev).map_err(|problem| invalid("rev", problem))?;
        if self.before.is_some_and(|before| !before.is_finite() || before < 0.0) {
            return Err(invalid("before", "it is negative or not finite"));
        }
        let accepted_at =
            moment::seconds(&self.accepted_at).map_err(|problem| invalid("accepted_at", problem))?;
        Ok(Level { rev: self.rev, accepted_at, by: self.by, reason: self.reason, before: self.before })
    }
}

impl RunLine {
    fn model(self, metric: &metric::Metric, room: &mut Room) -> Result<StoredRun, Fault> {
        parts_v1::check_object_id(&self.rev).map_err(|problem| invalid("rev", problem))?;
        check_values(metric, &self.values).map_err(|problem| invalid("values", problem))?;
        let recorded_at =
            moment::seconds(&self.recorded_at).map_err(|problem| invalid("recorded_at", problem))?;
        let trials = load_v1::stored(self.trials, room)?;
        Ok(StoredRun { rev: self.rev, recorded_at, values: self.values, trials })
    }
}

/// The digest of a series: everything with its length in front, so that nothing runs together.
fn digest(file: &BaselineFile, levelled: &LevelledSeries) -> String {
    let environment = &file.environment;
    let StoredSeries { benchmark, metric, runs } = &levelled.series;
    let nature = match metric.nature {
        metric::Nature::Noisy => "noisy",
        metric::Nature::Deterministic => "deterministic",
        metric::Nature::Counted => "counted",
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
        &benchmark.target,
        benchmark.id.as_str(),
        &metric.name,
        &metric.unit,
        metric.direction.as_str(),
        nature,
    ];
    let mut bytes = Vec::new();
    identity.iter().for_each(|text| append(&mut bytes, text.as_bytes()));
    for level in &levelled.levels {
        append(&mut bytes, b"level");
        [&level.rev, &level.by, &level.reason].iter().for_each(|text| append(&mut bytes, text.as_bytes()));
        append(&mut bytes, &level.accepted_at.to_le_bytes());
        append(&mut bytes, &level.before.map(f64::to_le_bytes).unwrap_or_default());
    }
    for run in runs {
        append(&mut bytes, run.rev.as_bytes());
        append(&mut bytes, &run.recorded_at.to_le_bytes());
        let values: Vec<u8> = run.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        append(&mut bytes, &values);
        for trial in &run.trials {
            append(&mut bytes, &trial.scheduled.to_le_bytes());
            append(&mut bytes, &trial.failed.to_le_bytes());
            Durations::from(&trial.response_time)
                .texts()
                .for_each(|text| append(&mut bytes, text.as_bytes()));
        }
    }
    short_digest(&bytes)
}

/// The first 16 hexadecimal digits of a content's SHA-256.
pub(super) fn short_digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn append(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend((part.len() as u64).to_le_bytes());
    bytes.extend(part);
}

/// The file name of a bench target's baseline: its name, with every byte escaped (`%2f`) that some file system minds.
///
/// Distinct targets have distinct names, also where case does not count. An overlong one is cut and told apart by its digest.
#[must_use]
pub fn file_name(target: &str) -> String {
    /// Far below the 255 bytes of common file systems, with room for temporary names.
    const MAX_STEM_BYTES: usize = 120;
    let reserved = is_device(target);
    let escaped = |(index, byte): (usize, u8)| {
        let plain = byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'_' | b'-')
            || (byte == b'.' && index > 0);
        match plain && !(reserved && index == 0) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02x}"),
        }
    };
    let mut stem: String = target.bytes().enumerate().map(escaped).collect();
    if stem.len() > MAX_STEM_BYTES {
        stem.truncate(MAX_STEM_BYTES - 17);
        stem = format!("{stem}~{}", short_digest(target.as_bytes()));
    }
    format!("{stem}.json")
}

/// Whether Windows keeps this name for a device, as it does whatever its extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let numbered = |prefix| stem.strip_prefix(prefix).is_some_and(|rest: &str| rest.len() == 1);
    matches!(stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::{file_name, from_json, to_json, verify};
    use crate::format::example;
    use crate::model::{
        baseline::{BaselineFile, Level, LevelledSeries},
        benchmark::BenchmarkId,
    };

    fn file() -> BaselineFile {
        let mut second = example::stored();
        second.benchmark.id = BenchmarkId::new("hash/fnv").unwrap();
        let level = Level {
            rev: "1".repeat(40),
            accepted_at: 1_794_990_000,
            by: "Jane Doe <jane@example.org>".into(),
            reason: "checks its input now".into(),
            before: Some(1.0e4 / 3.0),
        };
        BaselineFile {
            environment: example::environment(),
            target: "kernels".into(),
            series: vec![
                LevelledSeries { series: second, levels: vec![] },
                LevelledSeries { series: example::stored(), levels: vec![level] },
            ],
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
              "digest": "6e08cff709815adf",
              "levels": [
                {"rev": "1111111111111111111111111111111111111111", "accepted_at": "2026-11-18T08:20:00Z", "by": "Jane Doe <jane@example.org>", "reason": "checks its input now", "before": 3333.3333333333335}
              ],
              "runs": [
                {"rev": "1111111111111111111111111111111111111111", "recorded_at": "2026-11-18T11:06:40Z", "values": [17200.25,17199.0,17310.5]},
                {"rev": "2222222222222222222222222222222222222222", "recorded_at": "2026-11-19T14:53:20Z", "values": [0.30000000000000004,1e-7]}
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
            ("2026-11-18T11:06:40Z", "2026-11-18T11:06:41Z"),
            (&"1".repeat(40), &"3".repeat(40)),
            ("\"id\": \"hash/fnv\"", "\"id\": \"hash/fnw\""),
            ("checks its input", "checks no input"),
            ("3333.3333333333335", "null"),
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

    #[test]
    fn other_line_ends_are_no_hand_edit() {
        let windows = String::from_utf8(to_json(&file())).unwrap().replace('\n', "\r\n");
        assert_eq!(from_json(windows.as_bytes()).unwrap(), file());
    }

    #[test]
    fn a_benchmark_that_another_branch_stored_merges() {
        let text = String::from_utf8(to_json(&file())).unwrap();
        let mut alone = file();
        alone.series.remove(0);
        let start = text.find("    {\n      \"id\": \"hash/fnv\"").unwrap();
        let end = text.find("    {\n      \"id\": \"num/sieve\"").unwrap();
        let without = format!("{}{}", &text[..start], &text[end..]);
        assert_eq!(from_json(without.as_bytes()).unwrap(), alone);
    }

    #[test]
    fn file_names_are_plain_distinct_and_short() {
        assert_eq!(file_name("kernels"), "kernels.json");
        assert_eq!(file_name("pkg/Kernels"), "pkg%2f%4bernels.json");
        assert_eq!(file_name(".hidden"), "%2ehidden.json");
        assert_eq!(file_name("nul.x"), "%6eul.x.json");
        assert_eq!(file_name("console"), "console.json");
        assert_eq!(file_name("../../x"), "%2e.%2f..%2fx.json");
        let (long, other) = ("x".repeat(300), format!("{}y", "x".repeat(299)));
        assert!(file_name(&long).len() < 130 && file_name(&long) != file_name(&other));
    }
}
