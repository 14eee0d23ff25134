//! `tollgate.baseline/1`: the reviewed baseline of one bench target in one environment, as it stands under `baselines/`.
//!
//! Made to be read in a diff: sorted, pretty, one line a run and an accepted change. A digest over the content makes
//! corruption, bad merges and hand edits visible; it is taken over the parsed values, so line ends and spaces do not matter.

use serde::{Deserialize, Serialize};

use super::{
    pretty,
    stored_v1::{
        self as stored, EnvironmentV1, Error, bounded, check_metric, check_rev, check_values, invalid,
        shortened,
    },
};
use crate::model::{
    baseline::{Level, LevelledSeries, MAX_RUNS, StoredRun, StoredSeries, TargetBaseline},
    benchmark::{Benchmark, BenchmarkId},
    metric::Metric,
};

/// The format's name and version.
pub const SCHEMA: &str = "tollgate.baseline/1";
/// The accepted changes that a series remembers; older ones are in the file's git history.
pub const MAX_LEVELS: usize = 50;
/// Runs and accepted changes are this deep in the file: they stand on one line each.
const PRETTY_DEPTH: usize = 4;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileV1 {
    schema: String,
    digest: String,
    environment: EnvironmentV1,
    target: String,
    benchmarks: Vec<SeriesV1>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeriesV1 {
    id: String,
    metric: String,
    unit: String,
    direction: String,
    nature: String,
    levels: Vec<LevelV1>,
    runs: Vec<RunV1>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelV1 {
    rev: String,
    accepted_at: String,
    by: String,
    reason: String,
    before: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunV1 {
    rev: String,
    recorded_at: String,
    values: Vec<f64>,
}

/// The bytes of a baseline file; equal baselines give equal bytes.
///
/// # Errors
/// When the baseline is not sorted, holds duplicates or impossible values, or is larger than a file may be: what is
/// written can always be read again.
pub fn encode(baseline: &TargetBaseline) -> Result<Vec<u8>, Error> {
    check(baseline)?;
    let mut file = FileV1 {
        schema: SCHEMA.into(),
        digest: String::new(),
        environment: (&baseline.environment).into(),
        target: baseline.target.clone(),
        benchmarks: baseline.series.iter().map(series_to_v1).collect::<Result<_, _>>()?,
    };
    file.digest = content_digest(&file)?;
    let bytes = pretty::to_vec(&file, PRETTY_DEPTH).map_err(|error| Error::Malformed(error.to_string()))?;
    if bytes.len() > stored::MAX_BYTES {
        return Err(Error::TooLarge(bytes.len()));
    }
    Ok(bytes)
}

/// Reads a baseline file and checks all that can be checked without the repository.
///
/// # Errors
/// When it is too large, malformed, of another or a newer format, does not match its digest, or holds what [`encode`]
/// would have refused.
pub fn decode(bytes: &[u8]) -> Result<TargetBaseline, Error> {
    let mut file: FileV1 = stored::parse(bytes, SCHEMA)?;
    let stated = std::mem::take(&mut file.digest);
    let computed = content_digest(&file)?;
    if stated != computed {
        return Err(Error::Digest { stated: shortened(&stated), computed });
    }
    let target = file.target;
    let series = file.benchmarks.into_iter().map(|series| series_from_v1(&target, series));
    let baseline = TargetBaseline {
        environment: file.environment.try_into()?,
        series: series.collect::<Result<_, _>>()?,
        target,
    };
    check(&baseline)?;
    Ok(baseline)
}

/// The file name of a bench target's baseline: its name, with every byte escaped (`%2f`) that some file system minds.
///
/// Distinct targets have distinct names, also where case does not count. An overlong one is cut and told apart by its digest.
#[must_use]
pub fn file_name(target: &str) -> String {
    use std::fmt::Write;
    /// Far below the 255 bytes of common file systems, with room for temporary names.
    const MAX_STEM_BYTES: usize = 120;
    let reserved = is_device(target);
    let mut stem = String::new();
    for (index, byte) in target.bytes().enumerate() {
        let plain = byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'_' | b'-')
            || (byte == b'.' && index > 0);
        if plain && !(reserved && index == 0) {
            stem.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(stem, "%{byte:02x}");
        }
    }
    if stem.len() > MAX_STEM_BYTES {
        stem.truncate(MAX_STEM_BYTES - 17);
        stem = format!("{stem}~{}", stored::digest(target.as_bytes()));
    }
    format!("{stem}.json")
}

/// Whether Windows keeps this name for a device, as it does whatever its extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let numbered = |prefix| stem.strip_prefix(prefix).is_some_and(|rest: &str| rest.len() == 1);
    matches!(stem, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// The digest of a file whose own digest field is empty.
fn content_digest(file: &FileV1) -> Result<String, Error> {
    let content = serde_json::to_vec(file).map_err(|error| Error::Malformed(error.to_string()))?;
    Ok(stored::digest(&content))
}

fn series_to_v1(levelled: &LevelledSeries) -> Result<SeriesV1, Error> {
    let StoredSeries { benchmark, metric, runs } = &levelled.series;
    let level = |level: &Level| {
        Ok(LevelV1 {
            rev: level.rev.clone(),
            accepted_at: stored::moment(level.accepted_at)?,
            by: level.by.clone(),
            reason: level.reason.clone(),
            before: level.before,
        })
    };
    let run = |run: &StoredRun| {
        Ok(RunV1 {
            rev: run.rev.clone(),
            recorded_at: stored::moment(run.recorded_at)?,
            values: run.values.clone(),
        })
    };
    Ok(SeriesV1 {
        id: benchmark.id.as_str().into(),
        metric: metric.name.clone(),
        unit: metric.unit.clone(),
        direction: metric.direction.as_str().into(),
        nature: stored::nature_word(metric.nature).into(),
        levels: levelled.levels.iter().map(level).collect::<Result<_, Error>>()?,
        runs: runs.iter().map(run).collect::<Result<_, Error>>()?,
    })
}

fn series_from_v1(target: &str, series: SeriesV1) -> Result<LevelledSeries, Error> {
    let id = BenchmarkId::new(series.id).map_err(|error| Error::Invalid(error.to_string()))?;
    let level = |level: LevelV1| {
        Ok(Level {
            accepted_at: stored::seconds(&level.accepted_at)?,
            rev: level.rev,
            by: level.by,
            reason: level.reason,
            before: level.before,
        })
    };
    let run = |run: RunV1| {
        Ok(StoredRun { recorded_at: stored::seconds(&run.recorded_at)?, rev: run.rev, values: run.values })
    };
    Ok(LevelledSeries {
        levels: series.levels.into_iter().map(level).collect::<Result<_, Error>>()?,
        series: StoredSeries {
            benchmark: Benchmark::new(target, id),
            metric: Metric {
                name: series.metric,
                unit: series.unit,
                direction: stored::direction(&series.direction)?,
                nature: stored::nature(&series.nature)?,
            },
            runs: series.runs.into_iter().map(run).collect::<Result<_, Error>>()?,
        },
    })
}

/// All that must hold of a baseline, written or read.
fn check(baseline: &TargetBaseline) -> Result<(), Error> {
    if baseline.target.is_empty() {
        return invalid("it names no bench target");
    }
    bounded("target", &baseline.target)?;
    let sorted = baseline.series.windows(2).all(|pair| sort_key(&pair[0].series) < sort_key(&pair[1].series));
    if !sorted {
        return invalid("its benchmarks are not sorted by id and metric, each once");
    }
    baseline.series.iter().try_for_each(|series| check_series(&baseline.target, series))
}

/// What the series of a file are sorted by.
fn sort_key(series: &StoredSeries) -> (&str, &str) {
    (series.benchmark.id.as_str(), &series.metric.name)
}

fn check_series(target: &str, levelled: &LevelledSeries) -> Result<(), Error> {
    let StoredSeries { benchmark, metric, runs } = &levelled.series;
    let what = format!("benchmark `{}`", shortened(benchmark.id.as_str()));
    if benchmark.target != target {
        return invalid(format!("{what} belongs to target `{}`", shortened(&benchmark.target)));
    }
    check_metric(metric)?;
    if runs.len() > MAX_RUNS {
        return invalid(format!("{what} has {} runs; at most {MAX_RUNS} are kept", runs.len()));
    }
    for run in runs {
        check_rev(&run.rev)?;
        check_values(&what, metric, &run.values)?;
    }
    let ordered = |pair: &[StoredRun]| {
        (pair[0].recorded_at, &pair[0].rev) <= (pair[1].recorded_at, &pair[1].rev) && pair[0] != pair[1]
    };
    if !runs.windows(2).all(ordered) {
        return invalid(format!("the runs of {what} are not sorted by time, each once"));
    }
    check_levels(&what, &levelled.levels)
}

fn check_levels(what: &str, levels: &[Level]) -> Result<(), Error> {
    if levels.len() > MAX_LEVELS {
        return invalid(format!("{what} has {} levels; at most {MAX_LEVELS} are kept", levels.len()));
    }
    for level in levels {
        check_rev(&level.rev)?;
        bounded("by", &level.by)?;
        bounded("reason", &level.reason)?;
        if level.before.is_some_and(|before| !before.is_finite() || before < 0.0) {
            return invalid(format!("a level of {what} has an impossible value"));
        }
    }
    if !levels.windows(2).all(|pair| pair[0].accepted_at <= pair[1].accepted_at) {
        return invalid(format!("the levels of {what} are not sorted by time"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{format::stored_v1::samples, hint::Hint};

    fn text(baseline: &TargetBaseline) -> String {
        String::from_utf8(encode(baseline).unwrap()).unwrap()
    }

    #[test]
    fn baseline_survives_the_way_to_disk_and_back_bit_for_bit() {
        let baseline = samples::baseline("kernels");
        let bytes = encode(&baseline).unwrap();
        assert_eq!(decode(&bytes).unwrap(), baseline);
        assert_eq!(encode(&decode(&bytes).unwrap()).unwrap(), bytes);
    }

    #[test]
    fn run_and_level_stand_on_one_line_each() {
        let text = text(&samples::baseline("kernels"));
        let run = text.lines().find(|line| line.contains("\"values\"")).unwrap();
        let expected = format!(
            "        {{\"rev\": \"{}\", \"recorded_at\": \"2026-01-31T12:00:00Z\", \"values\": [17203.1, 17204.1, \
             17205.1, 17206.1, 17207.1, 17208.1]}},",
            "a".repeat(40)
        );
        assert_eq!(run, expected);
        assert_eq!(text.lines().filter(|line| line.contains("\"reason\"")).count(), 1);
    }

    #[test]
    fn other_line_ends_are_no_hand_edit() {
        let baseline = samples::baseline("kernels");
        let windows = text(&baseline).replace('\n', "\r\n");
        assert_eq!(decode(windows.as_bytes()).unwrap(), baseline);
    }

    #[test]
    fn edited_value_does_not_match_the_digest() {
        let edited = text(&samples::baseline("kernels")).replacen("17203.1", "17900.1", 1);
        let error = decode(edited.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::Digest { .. }), "{error}");
        assert!(error.hint().unwrap().contains("git checkout"));
    }

    #[test]
    fn truncated_foreign_and_newer_files_are_told_apart() {
        let whole = text(&samples::baseline("kernels"));
        let cut = &whole.as_bytes()[..whole.len() / 2];
        assert!(matches!(decode(cut), Err(Error::Malformed(_))));
        assert!(matches!(decode(b"{}"), Err(Error::Malformed(_))));
        let foreign = whole.replace(SCHEMA, "tollgate.run/1");
        assert!(matches!(decode(foreign.as_bytes()), Err(Error::Schema { .. })));
        let newer = whole.replace(SCHEMA, "tollgate.baseline/2");
        let error = decode(newer.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::Newer { .. }), "{error}");
        assert_eq!(error.hint().as_deref(), Some("update tollgate"));
    }

    #[test]
    fn what_could_not_be_read_is_not_written() {
        let refused = |change: fn(&mut TargetBaseline)| {
            let mut baseline = samples::baseline("kernels");
            change(&mut baseline);
            encode(&baseline).unwrap_err().to_string()
        };
        assert!(refused(|b| b.series[0].series.runs[0].values[1] = f64::NAN).contains("NaN"));
        assert!(refused(|b| b.series[0].series.runs[0].values[1] = -1.0).contains("-1"));
        assert!(refused(|b| b.series[0].series.runs[0].values.clear()).contains("0 values"));
        assert!(refused(|b| b.series[0].series.runs[0].rev = "HEAD".into()).contains("`HEAD`"));
        assert!(refused(|b| b.series.reverse()).contains("not sorted"));
        assert!(refused(|b| b.series[0].series.runs.reverse()).contains("not sorted by time"));
        assert!(
            refused(|b| b.series[1].series.benchmark.target = "other".into()).contains("belongs to target")
        );
        assert!(refused(|b| b.series[0].levels[0].reason = "x".repeat(5000)).contains("5000 bytes"));
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
