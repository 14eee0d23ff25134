//! The parts that version 1 of several documents share: frozen spellings of the model's nouns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    histogram::Room,
    load_v1::{self, StoredTrialV1},
    reading::{Fault, invalid},
};
use crate::model::{
    baseline::{StoredRun, StoredSeries},
    benchmark::{Benchmark, BenchmarkId},
    environment, metric, revision,
    run::{self, Fate},
    targets,
};

/// An enum of words in a document, with both ways between it and the model's enum.
macro_rules! words {
    ($(#[$docs:meta])* $name:ident = $model:path { $($(#[$variant_docs:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub(super) enum $name { $($(#[$variant_docs])* $variant),+ }

        impl From<$model> for $name {
            fn from(word: $model) -> Self {
                match word { $(<$model>::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $model {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}
pub(super) use words;

words! {
    /// Which of the two revisions.
    Side = run::Side { Base, Head }
}

words! {
    /// Which way is better.
    Direction = metric::Direction { Lower, Higher }
}

words! {
    /// How a metric scatters: `noisy` ones are tested, `deterministic` ones compared exactly, `counted` ones tested by counts.
    #[derive(Default)]
    Nature = metric::Nature { #[default] Noisy, Deterministic, Counted }
}

words! {
    /// How the slots were obtained.
    Method = run::SlotMethod { Lockstep, Solo, Files, Foreign, Load, Command }
}

words! {
    /// What a target or a line of the score is about.
    PartWord = targets::Part {
        /// Median response time, nanoseconds.
        #[serde(rename = "latency.p50")]
        LatencyP50,
        /// 90th percentile of the response time, nanoseconds.
        #[serde(rename = "latency.p90")]
        LatencyP90,
        /// 95th percentile of the response time, nanoseconds.
        #[serde(rename = "latency.p95")]
        LatencyP95,
        /// 99th percentile of the response time, nanoseconds.
        #[serde(rename = "latency.p99")]
        LatencyP99,
        /// Share of due requests that were not answered as expected.
        #[serde(rename = "error_rate")]
        ErrorRate,
        /// The most requests in flight at once.
        #[serde(rename = "concurrent_users")]
        ConcurrentUsers,
        /// Share of the time in which the service answered.
        Availability,
        /// Requests a second that were answered as expected.
        Throughput,
        /// Share of look-ups that a cache answered.
        #[serde(rename = "cache_hit_rate")]
        CacheHitRate,
        /// Peak resident memory as a share of what the service may use.
        Memory,
        /// Processors kept busy as a share of what the service may use.
        Cpu,
    }
}

words! {
    /// How the values are judged.
    Mode = run::Mode { Paired, Stored, OneLook, Single }
}

/// Who wrote a document.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Tool {
    /// `tollgate`.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
}

impl Tool {
    pub(super) fn new(version: &str) -> Self {
        Self { name: "tollgate".to_owned(), version: version.to_owned() }
    }
}

/// A revision of the code under test.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Revision {
    /// The commit in hexadecimal digits; null when the measured tree differs from it or is unknown.
    pub(super) rev: Option<String>,
    /// What people call it: `main`, `work tree`, a file name.
    pub(super) label: String,
    /// The git tree that was measured, in hexadecimal digits.
    #[serde(default)]
    pub(super) tree: Option<String>,
}

impl From<&revision::Revision> for Revision {
    fn from(revision: &revision::Revision) -> Self {
        Self { rev: revision.rev.clone(), label: revision.label.clone(), tree: revision.tree.clone() }
    }
}

impl Revision {
    pub(super) fn model(self) -> Result<revision::Revision, Fault> {
        for (key, id) in [("rev", &self.rev), ("tree", &self.tree)] {
            if let Some(id) = id {
                check_object_id(id).map_err(|problem| invalid(key, problem))?;
            }
        }
        Ok(revision::Revision { rev: self.rev, tree: self.tree, label: self.label })
    }
}

/// git's object ids: 40 digits (SHA-1) or 64 (SHA-256).
pub(super) fn check_object_id(id: &str) -> Result<(), String> {
    let hexadecimal = id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if hexadecimal && matches!(id.len(), 40 | 64) {
        Ok(())
    } else {
        Err(format!("`{}` is no git object id", super::reading::shown(id)))
    }
}

/// Where something was measured. A factor that is not known is an empty string or 0.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Environment {
    /// The digest of the factors below: 16 hexadecimal digits. Stored values are compared only where it is the same.
    pub(super) key: String,
    /// CPU model name.
    pub(super) cpu: String,
    /// Logical cores.
    #[serde(default)]
    pub(super) cores: u32,
    /// Memory in GiB.
    #[serde(default)]
    pub(super) memory_gib: u32,
    /// Operating system and architecture: `linux-x86_64`.
    #[serde(default)]
    pub(super) os: String,
    /// Kernel major.minor.
    #[serde(default)]
    pub(super) kernel: String,
    /// Hypervisor or container word.
    #[serde(default)]
    pub(super) virtualisation: String,
    /// `rustc -V` of the toolchain that built the benchmarks.
    #[serde(default)]
    pub(super) rustc: String,
    /// Cargo profile.
    #[serde(default)]
    pub(super) profile: String,
    /// Build flags that change code.
    #[serde(default)]
    pub(super) flags: String,
}

impl From<&environment::Environment> for Environment {
    fn from(environment: &environment::Environment) -> Self {
        let environment::Environment {
            cpu,
            cores,
            memory_gib,
            os,
            kernel,
            virtualisation,
            rustc,
            profile,
            flags,
            key,
        } = environment.clone();
        Self {
            key: key.as_str().to_owned(),
            cpu,
            cores,
            memory_gib,
            os,
            kernel,
            virtualisation,
            rustc,
            profile,
            flags,
        }
    }
}

impl Environment {
    pub(super) fn model(self) -> Result<environment::Environment, Fault> {
        let key = environment::EnvironmentKey::parse(&self.key)
            .ok_or_else(|| invalid("key", "an environment key is 16 lowercase hexadecimal digits"))?;
        let Self { cpu, cores, memory_gib, os, kernel, virtualisation, rustc, profile, flags, .. } = self;
        Ok(environment::Environment {
            cpu,
            cores,
            memory_gib,
            os,
            kernel,
            virtualisation,
            rustc,
            profile,
            flags,
            key,
        })
    }
}

/// A warning with a stable code.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Warning {
    /// A stable word for scripts.
    pub(super) code: String,
    /// The sentence for people.
    pub(super) message: String,
}

impl From<&run::Warning> for Warning {
    fn from(warning: &run::Warning) -> Self {
        Self { code: warning.code.clone(), message: warning.message.clone() }
    }
}

impl From<Warning> for run::Warning {
    fn from(warning: Warning) -> Self {
        Self { code: warning.code, message: warning.message }
    }
}

/// What became of a benchmark.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FateV1 {
    /// Measured.
    Measured,
    /// Both sides' machine code is the same.
    Identical,
    /// Only head has it.
    New,
    /// Only base has it.
    Missing,
    /// It could not be measured.
    Failed {
        /// The side that failed, if one in particular did.
        side: Option<Side>,
        /// What happened.
        message: String,
    },
    /// Left out, and by what.
    Ignored(String),
}

impl From<&Fate> for FateV1 {
    fn from(fate: &Fate) -> Self {
        match fate {
            Fate::Measured => Self::Measured,
            Fate::Identical => Self::Identical,
            Fate::New => Self::New,
            Fate::Missing => Self::Missing,
            Fate::Failed { side, message } => {
                Self::Failed { side: side.map(Side::from), message: message.clone() }
            }
            Fate::Ignored(reason) => Self::Ignored(reason.clone()),
        }
    }
}

impl From<FateV1> for Fate {
    fn from(fate: FateV1) -> Self {
        match fate {
            FateV1::Measured => Self::Measured,
            FateV1::Identical => Self::Identical,
            FateV1::New => Self::New,
            FateV1::Missing => Self::Missing,
            FateV1::Failed { side, message } => Self::Failed { side: side.map(run::Side::from), message },
            FateV1::Ignored(reason) => Self::Ignored(reason),
        }
    }
}

/// What a row, measurement or series is about: a metric of a benchmark.
pub(super) fn benchmark(target: String, id: String) -> Result<Benchmark, Fault> {
    let id = BenchmarkId::new(id).map_err(|problem| invalid("id", problem.to_string()))?;
    Ok(Benchmark { target, id })
}

/// The metric that four keys of a row, measurement or series spell.
pub(super) fn metric(name: String, unit: String, direction: Direction, nature: Nature) -> metric::Metric {
    metric::Metric { name, unit, direction: direction.into(), nature: nature.into() }
}

/// The stored runs of one metric of one benchmark, of the current level.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Series {
    /// The bench target.
    pub(super) target: String,
    /// The benchmark's id within the target.
    pub(super) id: String,
    /// The metric's name.
    pub(super) metric: String,
    /// The metric's unit.
    pub(super) unit: String,
    /// Which way is better.
    pub(super) direction: Direction,
    /// How the metric scatters.
    pub(super) nature: Nature,
    /// Its runs, oldest first.
    pub(super) runs: Vec<SeriesRun>,
}

/// One stored run: one value a process, in time order.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct SeriesRun {
    /// The commit that was measured.
    pub(super) rev: String,
    /// When, seconds since 1970-01-01T00:00:00Z.
    pub(super) recorded_at: u64,
    /// One value a process, in the metric's unit.
    pub(super) values: Vec<f64>,
    /// The load trials behind the values of an `error_rate`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) trials: Vec<StoredTrialV1>,
}

impl From<&StoredSeries> for Series {
    fn from(series: &StoredSeries) -> Self {
        Self {
            target: series.benchmark.target.clone(),
            id: series.benchmark.id.as_str().to_owned(),
            metric: series.metric.name.clone(),
            unit: series.metric.unit.clone(),
            direction: series.metric.direction.into(),
            nature: series.metric.nature.into(),
            runs: series.runs.iter().map(SeriesRun::from).collect(),
        }
    }
}

impl From<&StoredRun> for SeriesRun {
    fn from(run: &StoredRun) -> Self {
        Self {
            rev: run.rev.clone(),
            recorded_at: run.recorded_at,
            values: run.values.clone(),
            trials: run.trials.iter().map(StoredTrialV1::from).collect(),
        }
    }
}

impl Series {
    pub(super) fn model(self, room: &mut Room) -> Result<StoredSeries, Fault> {
        let runs = self.runs.into_iter().enumerate();
        let metric = metric(self.metric, self.unit, self.direction, self.nature);
        let runs = runs
            .map(|(at, run)| run.model(&metric, room).map_err(|fault| fault.under(&format!("runs[{at}]"))))
            .collect::<Result<_, _>>()?;
        Ok(StoredSeries { benchmark: benchmark(self.target, self.id)?, metric, runs })
    }
}

/// Whether a stored run can have measured these values: counts may be 0, a duration is positive.
pub(super) fn check_values(metric: &metric::Metric, values: &[f64]) -> Result<(), String> {
    if values.is_empty() {
        return Err("a stored run holds at least one value".to_owned());
    }
    let possible = |value: f64| value.is_finite() && (value > 0.0 || metric.may_be_zero() && value >= 0.0);
    match values.iter().find(|value| !possible(**value)) {
        Some(value) => Err(format!("{value} cannot have been measured")),
        None => Ok(()),
    }
}

impl SeriesRun {
    fn model(self, metric: &metric::Metric, room: &mut Room) -> Result<StoredRun, Fault> {
        check_object_id(&self.rev).map_err(|problem| invalid("rev", problem))?;
        check_values(metric, &self.values).map_err(|problem| invalid("values", problem))?;
        let trials = load_v1::stored(self.trials, room)?;
        Ok(StoredRun { rev: self.rev, recorded_at: self.recorded_at, values: self.values, trials })
    }
}
