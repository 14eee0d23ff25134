//! What the two stored formats share: how environments and metrics are spelt, what a stored value may be, and why a file is refused.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    hint::Hint,
    model::{
        environment::{Environment, EnvironmentKey},
        metric::{Direction, Metric, Nature},
    },
};

/// The largest file that is read; ten thousand benchmarks of twenty runs stay below it.
pub const MAX_BYTES: usize = 64 << 20;
/// The most values of one run of one benchmark: many times the 39 slots of the last look.
pub(super) const MAX_VALUES: usize = 10_000;
/// The longest name, label or reason.
pub(super) const MAX_TEXT_BYTES: usize = 4096;

/// Why a stored file cannot be trusted (or would not be, once written).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is larger than [`MAX_BYTES`].
    #[error("it is {0} bytes long; at most {MAX_BYTES} are read")]
    TooLarge(usize),
    /// It is no JSON of this format: truncated, or something else altogether.
    #[error("it is malformed: {0}")]
    Malformed(String),
    /// It says that it is another format.
    #[error("it has format `{found}`, not `{expected}`")]
    Schema {
        /// What it says.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// It was written by a newer tollgate.
    #[error("it has format `{found}`; this tollgate reads up to `{readable}`")]
    Newer {
        /// What it says.
        found: String,
        /// The newest format that can be read.
        readable: &'static str,
    },
    /// Its content is not what was written.
    #[error("its content does not match its digest (it says `{stated}`, the content gives `{computed}`)")]
    Digest {
        /// The digest that it carries.
        stated: String,
        /// The digest of what it holds.
        computed: String,
    },
    /// It holds something that cannot be true.
    #[error("{0}")]
    Invalid(String),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Newer { .. } => "update tollgate".into(),
            _ => "restore it from git (`git checkout -- FILE`), or delete it and run `tollgate baseline save` again"
                .into(),
        })
    }
}

/// Makes an [`Error::Invalid`].
pub(super) fn invalid<T>(reason: impl Into<String>) -> Result<T, Error> {
    Err(Error::Invalid(reason.into()))
}

/// The environment as stored files spell it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvironmentV1 {
    key: String,
    cpu: String,
    cores: u32,
    memory_gib: u32,
    os: String,
    kernel: String,
    virtualisation: String,
    rustc: String,
    profile: String,
    flags: String,
}

impl From<&Environment> for EnvironmentV1 {
    fn from(environment: &Environment) -> Self {
        Self {
            key: environment.key.as_str().into(),
            cpu: environment.cpu.clone(),
            cores: environment.cores,
            memory_gib: environment.memory_gib,
            os: environment.os.clone(),
            kernel: environment.kernel.clone(),
            virtualisation: environment.virtualisation.clone(),
            rustc: environment.rustc.clone(),
            profile: environment.profile.clone(),
            flags: environment.flags.clone(),
        }
    }
}

impl TryFrom<EnvironmentV1> for Environment {
    type Error = Error;

    fn try_from(stored: EnvironmentV1) -> Result<Self, Error> {
        let Some(key) = EnvironmentKey::parse(&stored.key) else {
            return invalid(format!("`{}` is no environment key", stored.key.escape_debug()));
        };
        let texts = [
            ("cpu", &stored.cpu),
            ("os", &stored.os),
            ("kernel", &stored.kernel),
            ("virtualisation", &stored.virtualisation),
            ("rustc", &stored.rustc),
            ("profile", &stored.profile),
            ("flags", &stored.flags),
        ];
        for (name, text) in texts {
            bounded(name, text)?;
        }
        Ok(Self {
            cpu: stored.cpu,
            cores: stored.cores,
            memory_gib: stored.memory_gib,
            os: stored.os,
            kernel: stored.kernel,
            virtualisation: stored.virtualisation,
            rustc: stored.rustc,
            profile: stored.profile,
            flags: stored.flags,
            key,
        })
    }
}

/// The word of a direction in stored files.
pub(super) fn direction(word: &str) -> Result<Direction, Error> {
    match word {
        "lower" => Ok(Direction::Lower),
        "higher" => Ok(Direction::Higher),
        other => invalid(format!("`{}` is no direction", other.escape_debug())),
    }
}

/// A nature's word in stored files.
pub(super) fn nature_word(nature: Nature) -> &'static str {
    match nature {
        Nature::Noisy => "noisy",
        Nature::Deterministic => "deterministic",
    }
}

/// The nature that a word means.
pub(super) fn nature(word: &str) -> Result<Nature, Error> {
    match word {
        "noisy" => Ok(Nature::Noisy),
        "deterministic" => Ok(Nature::Deterministic),
        other => invalid(format!("`{}` is no nature of a metric", other.escape_debug())),
    }
}

/// Refuses an empty or overlong metric name.
pub(super) fn check_metric(metric: &Metric) -> Result<(), Error> {
    if metric.name.is_empty() {
        return invalid("a metric has no name");
    }
    bounded("metric", &metric.name)?;
    bounded("unit", &metric.unit)
}

/// Refuses values that no process can have given: none, too many, not finite, or not positive (counts may be 0).
pub(super) fn check_values(what: &str, metric: &Metric, values: &[f64]) -> Result<(), Error> {
    if values.is_empty() || values.len() > MAX_VALUES {
        return invalid(format!("{what} has {} values; 1 to {MAX_VALUES} are accepted", values.len()));
    }
    let plausible = |value: f64| match metric.nature {
        Nature::Noisy => value.is_finite() && value > 0.0,
        Nature::Deterministic => value.is_finite() && value >= 0.0,
    };
    match values.iter().find(|&&value| !plausible(value)) {
        Some(value) => invalid(format!("{what} has the value {value}, which cannot have been measured")),
        None => Ok(()),
    }
}

/// Refuses what is no full commit id in lowercase.
pub(super) fn check_rev(rev: &str) -> Result<(), Error> {
    let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if rev.len() == 40 && rev.bytes().all(digits) {
        return Ok(());
    }
    invalid(format!("`{}` is no commit (40 hexadecimal digits)", shortened(rev)))
}

/// Refuses an overlong text.
pub(super) fn bounded(name: &str, text: &str) -> Result<(), Error> {
    if text.len() > MAX_TEXT_BYTES {
        return invalid(format!(
            "`{name}` is {} bytes long; at most {MAX_TEXT_BYTES} are accepted",
            text.len()
        ));
    }
    Ok(())
}

/// The start of a text from a file, safe to show.
pub(super) fn shortened(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    let dots = if start.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", start.escape_debug())
}

/// A moment as stored files spell it: `2026-01-31T12:00:00Z`.
pub(super) fn moment(seconds: u64) -> Result<String, Error> {
    let timestamp = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    match timestamp {
        Some(timestamp) => Ok(timestamp.to_string()),
        None => invalid(format!("{seconds} seconds since 1970 is no moment")),
    }
}

/// The seconds since 1970 that a stored moment means.
pub(super) fn seconds(moment: &str) -> Result<u64, Error> {
    let parsed =
        moment.parse::<Timestamp>().ok().and_then(|timestamp| u64::try_from(timestamp.as_second()).ok());
    parsed.map_or_else(|| invalid(format!("`{}` is no moment", shortened(moment))), Ok)
}

/// The first 16 hexadecimal digits of a content's SHA-256.
pub(super) fn digest(content: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(content).iter().take(8).fold(String::with_capacity(16), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Parses a file that says `schema: expected`, with a message of its own for a newer or foreign one.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8], expected: &'static str) -> Result<T, Error> {
    #[derive(Deserialize)]
    struct Header {
        schema: String,
    }
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLarge(bytes.len()));
    }
    let malformed = |error: serde_json::Error| Error::Malformed(error.to_string());
    let Header { schema } = serde_json::from_slice(bytes).map_err(malformed)?;
    if schema == expected {
        return serde_json::from_slice(bytes).map_err(malformed);
    }
    let newer = |(name, version): (&str, &str)| {
        let (known, readable) = expected.split_once('/')?;
        Some(name == known && version.parse::<u32>().ok()? > readable.parse::<u32>().ok()?)
    };
    if schema.split_once('/').and_then(newer) == Some(true) {
        return Err(Error::Newer { found: schema, readable: expected });
    }
    Err(Error::Schema { found: shortened(&schema), expected })
}

/// Small stored things for the tests of both formats.
#[cfg(test)]
pub(super) mod samples {
    use crate::model::{
        baseline::{
            Level, LevelledSeries, RecordedSeries, RunRecord, StoredRun, StoredSeries, TargetBaseline,
        },
        benchmark::{Benchmark, BenchmarkId},
        environment::{Environment, EnvironmentKey},
        metric::Metric,
    };

    fn environment() -> Environment {
        Environment {
            cpu: "Imaginary CPU".into(),
            cores: 4,
            memory_gib: 16,
            os: "linux-x86_64".into(),
            kernel: "6.1".into(),
            virtualisation: "kvm".into(),
            rustc: "rustc 1.90.0".into(),
            profile: "bench".into(),
            flags: String::new(),
            key: EnvironmentKey::parse("00112233445566aa").unwrap(),
        }
    }

    fn series(target: &str, id: &str) -> StoredSeries {
        let run = |rev: &str, recorded_at: u64| StoredRun {
            rev: rev.repeat(40),
            recorded_at,
            values: (0..6).map(|slot| 17203.1 + f64::from(slot)).collect(),
        };
        StoredSeries {
            benchmark: Benchmark::new(target, BenchmarkId::new(id).unwrap()),
            metric: Metric::time(),
            runs: vec![run("a", 1_769_860_800), run("b", 1_769_947_200)],
        }
    }

    pub(crate) fn baseline(target: &str) -> TargetBaseline {
        let level = Level {
            rev: "a".repeat(40),
            accepted_at: 1_769_860_000,
            by: "Jane Doe".into(),
            reason: "checks its input now".into(),
            before: Some(1.0e4 / 3.0),
        };
        TargetBaseline {
            environment: environment(),
            target: target.into(),
            series: vec![
                LevelledSeries { series: series(target, "num/sieve"), levels: vec![level] },
                LevelledSeries { series: series(target, "text/\u{202e} ü\n"), levels: vec![] },
            ],
        }
    }

    pub(crate) fn record(recorded_at: u64) -> RunRecord {
        let StoredSeries { benchmark, metric, runs } = series("kernels", "num/sieve");
        RunRecord {
            tool_version: "0.1.0".into(),
            rev: "a".repeat(40),
            label: "main".into(),
            recorded_at,
            environment: environment(),
            seed: u64::MAX,
            series: vec![RecordedSeries { benchmark, metric, values: runs[0].values.clone() }],
        }
    }
}
