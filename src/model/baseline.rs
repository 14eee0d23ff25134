//! Stored runs that a new run is compared with.

use super::{benchmark::Benchmark, environment::Environment, metric::Metric};

/// One stored run of one benchmark: the slot values of many processes, not one number.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRun {
    /// The commit that was measured, 40 hexadecimal digits.
    pub rev: String,
    /// When, seconds since 1970-01-01T00:00:00Z.
    pub recorded_at: u64,
    /// One value a process (mean of its fastest fifth per iteration), in the metric's unit, in time order; at least one.
    pub values: Vec<f64>,
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

/// What one file under `baselines/` holds: the series of one bench target in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineFile {
    /// Where its runs were measured.
    pub environment: Environment,
    /// The bench target of all its series.
    pub target: String,
    /// Its series, sorted by benchmark and metric; each is of `target`.
    pub series: Vec<StoredSeries>,
}
