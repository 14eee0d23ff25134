//! `tollgate.history/1`: one run record of `refs/tollgate/history`, and the path that it has there.
//!
//! A record is written once and never changed: its path carries the digest of its bytes, so two writers never want the same
//! path for different content, and a union of two histories cannot conflict.

use serde::{Deserialize, Serialize};

use super::stored_v1::{
    self as stored, EnvironmentV1, Error, bounded, check_metric, check_rev, check_values, invalid, shortened,
};
use crate::model::{
    baseline::{RecordedSeries, RunRecord},
    benchmark::{Benchmark, BenchmarkId},
    environment::{Environment, EnvironmentKey},
    metric::Metric,
};

/// The format's name and version.
pub const SCHEMA: &str = "tollgate.history/1";
/// How much of the commit stands in a path.
const REV_DIGITS: usize = 12;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileV1 {
    schema: String,
    tool: ToolV1,
    rev: String,
    label: String,
    recorded_at: String,
    seed: u64,
    environment: EnvironmentV1,
    benchmarks: Vec<SeriesV1>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolV1 {
    name: String,
    version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeriesV1 {
    target: String,
    id: String,
    metric: String,
    unit: String,
    direction: String,
    nature: String,
    values: Vec<f64>,
}

/// A record's place and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// `<environment key>/<year>-<month>/<day>/<commit>-<digest>.json`: folders stay small, and sort by time.
    pub path: String,
    /// Compact JSON.
    pub bytes: Vec<u8>,
}

/// What a record's path tells without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The environment's key.
    pub environment: EnvironmentKey,
    /// The day it was recorded (UTC), `YYYY-MM-DD`.
    pub day: String,
    /// The first twelve digits of its commit.
    pub rev_start: String,
    /// The digest of its bytes.
    pub digest: String,
}

/// The path and bytes of a record; equal records give equal ones.
///
/// # Errors
/// When the record is not sorted, holds duplicates or impossible values, or is too large.
pub fn encode(record: &RunRecord) -> Result<Encoded, Error> {
    check(record)?;
    let recorded_at = stored::moment(record.recorded_at)?;
    let Some((month, day)) = recorded_at.get(..7).zip(recorded_at.get(8..10)) else {
        return invalid(format!("`{recorded_at}` is no moment"));
    };
    let folder = format!("{}/{month}/{day}", record.environment.key);
    let file = FileV1 {
        schema: SCHEMA.into(),
        tool: ToolV1 { name: "tollgate".into(), version: record.tool_version.clone() },
        rev: record.rev.clone(),
        label: record.label.clone(),
        recorded_at,
        seed: record.seed,
        environment: (&record.environment).into(),
        benchmarks: record.series.iter().map(series_to_v1).collect(),
    };
    let bytes = serde_json::to_vec(&file).map_err(|error| Error::Malformed(error.to_string()))?;
    if bytes.len() > stored::MAX_BYTES {
        return Err(Error::TooLarge(bytes.len()));
    }
    let rev = &record.rev[..REV_DIGITS];
    Ok(Encoded { path: format!("{folder}/{rev}-{}.json", stored::digest(&bytes)), bytes })
}

/// Reads the record at `path`, and checks that it is the one that was written there.
///
/// # Errors
/// When the path is none of a record, the bytes do not match the digest in it, or are malformed, of another format, or hold
/// what [`encode`] would have refused.
pub fn decode(path: &str, bytes: &[u8]) -> Result<RunRecord, Error> {
    let place = place(path)?;
    let computed = stored::digest(bytes);
    // A newer record is told as such: its digest may be taken another way.
    let file: Result<FileV1, _> = stored::parse(bytes, SCHEMA);
    if let Err(newer @ Error::Newer { .. }) = file {
        return Err(newer);
    }
    if computed != place.digest {
        return Err(Error::Digest { stated: place.digest, computed });
    }
    let file = file?;
    let record = RunRecord {
        tool_version: file.tool.version,
        recorded_at: stored::seconds(&file.recorded_at)?,
        rev: file.rev,
        label: file.label,
        environment: Environment::try_from(file.environment)?,
        seed: file.seed,
        series: file.benchmarks.into_iter().map(series_from_v1).collect::<Result<_, _>>()?,
    };
    check(&record)?;
    if !record.rev.starts_with(&place.rev_start)
        || record.environment.key != place.environment
        || !file.recorded_at.starts_with(&place.day)
    {
        return invalid("it stands at the path of another record");
    }
    Ok(record)
}

/// Takes a record's path apart.
///
/// # Errors
/// When it is no such path.
pub fn place(path: &str) -> Result<Place, Error> {
    let parsed = || {
        let mut parts = path.split('/');
        let environment = EnvironmentKey::parse(parts.next()?)?;
        let day = format!("{}-{}", parts.next()?, parts.next()?);
        let (rev_start, digest) = parts.next()?.strip_suffix(".json")?.split_once('-')?;
        let hexadecimal =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let well_formed = parts.next().is_none()
            && day.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == day)
            && (rev_start.len(), digest.len()) == (REV_DIGITS, 16)
            && hexadecimal(rev_start)
            && hexadecimal(digest);
        well_formed.then(|| Place {
            environment,
            day,
            rev_start: rev_start.to_owned(),
            digest: digest.to_owned(),
        })
    };
    parsed().map_or_else(|| invalid(format!("`{}` is no path of a run record", shortened(path))), Ok)
}

fn series_to_v1(series: &RecordedSeries) -> SeriesV1 {
    SeriesV1 {
        target: series.benchmark.target.clone(),
        id: series.benchmark.id.as_str().into(),
        metric: series.metric.name.clone(),
        unit: series.metric.unit.clone(),
        direction: series.metric.direction.as_str().into(),
        nature: stored::nature_word(series.metric.nature).into(),
        values: series.values.clone(),
    }
}

fn series_from_v1(series: SeriesV1) -> Result<RecordedSeries, Error> {
    let id = BenchmarkId::new(series.id).map_err(|error| Error::Invalid(error.to_string()))?;
    let metric = Metric {
        name: series.metric,
        unit: series.unit,
        direction: stored::direction(&series.direction)?,
        nature: stored::nature(&series.nature)?,
    };
    Ok(RecordedSeries { benchmark: Benchmark::new(series.target, id), metric, values: series.values })
}

/// All that must hold of a record, written or read.
fn check(record: &RunRecord) -> Result<(), Error> {
    check_rev(&record.rev)?;
    bounded("label", &record.label)?;
    bounded("version", &record.tool_version)?;
    let key = |series: &RecordedSeries| (series.benchmark.clone(), series.metric.name.clone());
    if !record.series.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])) {
        return invalid("its benchmarks are not sorted by target, id and metric, each once");
    }
    for series in &record.series {
        if series.benchmark.target.is_empty() {
            return invalid("a benchmark has no bench target");
        }
        bounded("target", &series.benchmark.target)?;
        check_metric(&series.metric)?;
        let what = format!("benchmark `{}`", shortened(series.benchmark.id.as_str()));
        check_values(&what, &series.metric, &series.values)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::stored_v1::samples;

    #[test]
    fn record_survives_the_way_to_git_and_back_bit_for_bit() {
        let record = samples::record(1_769_860_800);
        let encoded = encode(&record).unwrap();
        assert!(encoded.path.starts_with("00112233445566aa/2026-01/31/aaaaaaaaaaaa-"), "{}", encoded.path);
        assert_eq!(decode(&encoded.path, &encoded.bytes).unwrap(), record);
    }

    #[test]
    fn place_tells_environment_day_and_commit() {
        let place = place(&encode(&samples::record(1_769_860_800)).unwrap().path).unwrap();
        assert_eq!((place.environment.as_str(), place.day.as_str()), ("00112233445566aa", "2026-01-31"));
        assert_eq!(place.rev_start, "a".repeat(12));
    }

    #[test]
    fn changed_bytes_and_moved_records_are_refused() {
        let encoded = encode(&samples::record(1_769_860_800)).unwrap();
        let mut bytes = encoded.bytes.clone();
        let at = bytes.windows(5).position(|five| five == b"17203").unwrap();
        bytes[at] = b'9';
        assert!(matches!(decode(&encoded.path, &bytes), Err(Error::Digest { .. })));
        let moved = encoded.path.replace("/31/", "/30/");
        assert!(decode(&moved, &encoded.bytes).unwrap_err().to_string().contains("another record"));
        let newer = String::from_utf8(encoded.bytes).unwrap().replace(SCHEMA, "tollgate.history/7");
        assert!(matches!(decode(&encoded.path, newer.as_bytes()), Err(Error::Newer { .. })));
    }

    #[test]
    fn path_of_something_else_is_no_place() {
        for path in [
            "",
            "README.md",
            "00112233445566aa/2026-13/01/aaaaaaaaaaaa-0011223344556677.json",
            "00112233445566aa/2026-01/31/AAAAAAAAAAAA-0011223344556677.json",
            "00112233445566aa/2026-01/31/deep/aaaaaaaaaaaa-0011223344556677.json",
            "../2026-01/31/aaaaaaaaaaaa-0011223344556677.json",
        ] {
            assert!(place(path).is_err(), "{path}");
        }
    }
}
