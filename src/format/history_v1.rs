//! `tollgate.history/1`: one run record of `refs/tollgate/history`, and the path that it has there.
//!
//! A record is written once and never changed: its path carries the digest of its bytes, so two writers never want the same
//! path for different content, and a union of two histories cannot conflict.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    baseline_v1::short_digest,
    histogram::Room,
    load_v1::{self, StoredTrialV1},
    moment,
    parts_v1::{self, Direction, Environment, Nature, Tool, check_values},
    reading::{self, Error, Fault, MAX_BENCHMARKS, invalid, shown},
    version::Kind,
};
use crate::model::{
    baseline::{RecordedSeries, RunRecord},
    environment::EnvironmentKey,
};

/// How much of the commit stands in a path.
const REV_DIGITS: usize = 12;

/// One run of one revision in one environment.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Document {
    /// `tollgate.history/1`.
    pub(super) schema: String,
    /// Who measured.
    tool: Tool,
    /// The commit that was measured.
    rev: String,
    /// What people called it.
    label: String,
    /// When measuring began, `YYYY-MM-DDThh:mm:ssZ`.
    recorded_at: String,
    /// The seed of the run's deals.
    seed: u64,
    /// Where it was measured.
    environment: Environment,
    /// Its benchmarks, sorted by target, id and metric.
    benchmarks: Vec<Entry>,
}

/// One metric of one benchmark.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Entry {
    /// The bench target.
    target: String,
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
    /// One value a process, in time order.
    values: Vec<f64>,
    /// The load trials behind the values of an `error_rate`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    trials: Vec<StoredTrialV1>,
}

/// A record's place and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
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
#[must_use]
pub fn to_json(record: &RunRecord) -> Written {
    let recorded_at = moment::text(record.recorded_at);
    let rev: String = record.rev.chars().take(REV_DIGITS).collect();
    let (month, day) = (&recorded_at[..7], &recorded_at[8..10]);
    let folder = format!("{}/{month}/{day}", record.environment.key);
    let document = Document {
        schema: Kind::History.schema(),
        tool: Tool::new(&record.tool_version),
        rev: record.rev.clone(),
        label: record.label.clone(),
        recorded_at,
        seed: record.seed,
        environment: Environment::from(&record.environment),
        benchmarks: record.series.iter().map(Entry::from).collect(),
    };
    let bytes = serde_json::to_vec(&document)
        .expect("our documents have string keys and a vector takes every write, so serialising cannot fail");
    Written { path: format!("{folder}/{rev}-{}.json", short_digest(&bytes)), bytes }
}

/// Reads the record at `path`, and checks that it is the one that was written there.
///
/// # Errors
/// When the path is none of a record, the bytes do not match the digest in it, are no record of a version that is read, or
/// break a rule of the model.
pub fn from_json(path: &str, bytes: &[u8]) -> Result<RunRecord, Error> {
    let place = place(path)?;
    let document: Result<Document, Fault> =
        reading::read(bytes, Kind::History, |document: &Document| &document.schema);
    // A newer version is told first: its digests may be taken another way.
    if !matches!(document, Err(Fault::Newer { .. })) && short_digest(bytes) != place.digest {
        return Err(Fault::Digest { series: "its path".to_owned() }.into());
    }
    let document = document?;
    let at_home = document.rev.starts_with(&place.rev_start)
        && document.recorded_at.starts_with(&place.day)
        && document.environment.key == place.environment.as_str();
    if !at_home {
        return Err(invalid("rev", "it stands at the path of another record").into());
    }
    Ok(document.model()?)
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
    parsed().ok_or_else(|| invalid("path", format!("`{}` is no path of a run record", shown(path))).into())
}

/// The first second of a record's day, in seconds since 1970; `None` before that year.
#[must_use]
pub fn day_start(place: &Place) -> Option<u64> {
    moment::seconds(&format!("{}T00:00:00Z", place.day)).ok()
}

impl From<&RecordedSeries> for Entry {
    fn from(series: &RecordedSeries) -> Self {
        Self {
            target: series.benchmark.target.clone(),
            id: series.benchmark.id.as_str().to_owned(),
            metric: series.metric.name.clone(),
            unit: series.metric.unit.clone(),
            direction: series.metric.direction.into(),
            nature: series.metric.nature.into(),
            values: series.values.clone(),
            trials: series.trials.iter().map(StoredTrialV1::from).collect(),
        }
    }
}

impl Document {
    fn model(self) -> Result<RunRecord, Fault> {
        if self.benchmarks.len() > MAX_BENCHMARKS {
            return Err(invalid("benchmarks", format!("more than {MAX_BENCHMARKS} entries")));
        }
        parts_v1::check_object_id(&self.rev).map_err(|problem| invalid("rev", problem))?;
        let mut series = Vec::with_capacity(self.benchmarks.len());
        let mut seen = HashSet::new();
        let mut room = Room::default();
        for (at, entry) in self.benchmarks.into_iter().enumerate() {
            let entry = entry.model(&mut room).map_err(|fault| fault.under(&format!("benchmarks[{at}]")))?;
            if !seen.insert((entry.benchmark.clone(), entry.metric.name.clone())) {
                return Err(invalid("benchmarks", format!("`{}` is there twice", entry.benchmark.id)));
            }
            series.push(entry);
        }
        Ok(RunRecord {
            tool_version: self.tool.version,
            recorded_at: moment::seconds(&self.recorded_at)
                .map_err(|problem| invalid("recorded_at", problem))?,
            rev: self.rev,
            label: self.label,
            environment: self.environment.model().map_err(|fault| fault.under("environment"))?,
            seed: self.seed,
            series,
        })
    }
}

impl Entry {
    fn model(self, room: &mut Room) -> Result<RecordedSeries, Fault> {
        let metric = parts_v1::metric(self.metric, self.unit, self.direction, self.nature);
        check_values(&metric, &self.values).map_err(|problem| invalid("values", problem))?;
        Ok(RecordedSeries {
            benchmark: parts_v1::benchmark(self.target, self.id)?,
            metric,
            values: self.values,
            trials: load_v1::stored(self.trials, room)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{from_json, place, to_json};
    use crate::{format::example, model::baseline::RunRecord};

    fn record() -> RunRecord {
        let stored = example::stored();
        let series = crate::model::baseline::RecordedSeries {
            benchmark: stored.benchmark,
            metric: stored.metric,
            values: stored.runs[0].values.clone(),
            trials: Vec::new(),
        };
        RunRecord {
            tool_version: "0.1.0".into(),
            rev: "a".repeat(40),
            label: "main".into(),
            recorded_at: 1_769_860_800,
            environment: example::environment(),
            seed: u64::MAX,
            series: vec![series],
        }
    }

    #[test]
    fn a_record_comes_back_bit_for_bit() {
        let written = to_json(&record());
        assert!(written.path.starts_with("a3f09c0d4e5b6172/2026-01/31/aaaaaaaaaaaa-"), "{}", written.path);
        assert_eq!(from_json(&written.path, &written.bytes).unwrap(), record());
    }

    #[test]
    fn a_place_tells_environment_day_and_commit() {
        let place = place(&to_json(&record()).path).unwrap();
        assert_eq!((place.environment.as_str(), place.day.as_str()), ("a3f09c0d4e5b6172", "2026-01-31"));
        assert_eq!(place.rev_start, "a".repeat(12));
    }

    #[test]
    fn changed_bytes_and_moved_records_are_refused() {
        let written = to_json(&record());
        let changed = String::from_utf8(written.bytes.clone()).unwrap().replace("17310.5", "17210.5");
        let problem = |path: &str, bytes: &[u8]| from_json(path, bytes).unwrap_err().to_string();
        assert!(problem(&written.path, changed.as_bytes()).contains("does not match its digest"));
        let moved = written.path.replace("/31/", "/30/");
        assert!(problem(&moved, &written.bytes).contains("path of another record"));
        let newer =
            String::from_utf8(written.bytes).unwrap().replace("tollgate.history/1", "tollgate.history/7");
        assert!(problem(&written.path, newer.as_bytes()).contains("reads up to `/1`"));
    }

    #[test]
    fn a_path_of_something_else_is_no_place() {
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
