//! Stored runs that a new run is compared with.

use super::{benchmark::Benchmark, environment::Environment, load::Distribution, metric::Metric};

/// The newest runs of a series that a baseline keeps; more of them add nothing to the test of `statistics.md` (b).
pub const MAX_RUNS: usize = 20;

/// One load trial as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTrial {
    /// Requests that were due.
    pub scheduled: u64,
    /// Those that failed or were not answered; at most `scheduled`.
    pub failed: u64,
    /// Response times from the due time, nanoseconds.
    pub response_time: Distribution,
}

/// One stored run of one benchmark: the slot values of many processes, not one number.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRun {
    /// The commit that was measured, 40 hexadecimal digits.
    pub rev: String,
    /// When, seconds since 1970-01-01T00:00:00Z.
    pub recorded_at: u64,
    /// One value a process (mean of its fastest fifth per iteration), in the metric's unit, in time order; at least one.
    pub values: Vec<f64>,
    /// The load trials behind the values, in their order; kept with `error_rate` for all metrics of its scenario.
    pub trials: Vec<StoredTrial>,
}

/// The stored runs of one metric of one benchmark in one environment, of the current level (since the last accepted change).
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSeries {
    /// Which benchmark.
    pub benchmark: Benchmark,
    /// Which metric.
    pub metric: Metric,
    /// Its runs, oldest first.
    pub runs: Vec<StoredRun>,
}

/// A change that somebody accepted: runs from before it no longer count.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// The commit with the change, 40 hexadecimal digits; its own runs belong to the new level.
    pub rev: String,
    /// When it was accepted, seconds since 1970-01-01T00:00:00Z.
    pub accepted_at: u64,
    /// Who accepted it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The median of what counted until then, in the metric's unit; `None` when nothing did.
    pub before: Option<f64>,
}

/// A stored series with the changes that were accepted in it.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelledSeries {
    /// The series; its runs are of the newest level, and there may be none yet.
    pub series: StoredSeries,
    /// Accepted changes, oldest first.
    pub levels: Vec<Level>,
}

/// What one file under `baselines/` holds: the series of one bench target in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineFile {
    /// Where its runs were measured.
    pub environment: Environment,
    /// The bench target of all its series.
    pub target: String,
    /// Its series, sorted by benchmark and metric; each is of `target`.
    pub series: Vec<LevelledSeries>,
}

/// The values of one metric of one benchmark in one recorded run.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSeries {
    /// Which benchmark.
    pub benchmark: Benchmark,
    /// Which metric.
    pub metric: Metric,
    /// One value a process, as in [`StoredRun::values`].
    pub values: Vec<f64>,
    /// The load trials behind them, as in [`StoredRun::trials`].
    pub trials: Vec<StoredTrial>,
}

/// One run of one revision as the history keeps it, over all bench targets.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// The version of the tollgate that measured it.
    pub tool_version: String,
    /// The commit that was measured, 40 hexadecimal digits.
    pub rev: String,
    /// What people called it: `main`, a tag.
    pub label: String,
    /// When measuring began, seconds since 1970-01-01T00:00:00Z.
    pub recorded_at: u64,
    /// Where it was measured.
    pub environment: Environment,
    /// The seed of the run's deals.
    pub seed: u64,
    /// Its series, sorted by benchmark and metric name.
    pub series: Vec<RecordedSeries>,
}
