//! What is asked of measuring, and what comes back.

use super::{builds::TargetPair, stage::SlotSettings};
use crate::{
    files,
    hint::Hint,
    model::{
        benchmark::Benchmark,
        policy::{FamilyMethod, Rename},
        run::{Measurement, Warning},
    },
    plan::looks::Standing,
};
use regex::Regex;
use std::{path::Path, time::Duration};

/// Why a benchmark of any kind is left out by the filter.
pub const NOT_MATCHED: &str = "not matched by `--filter`";

/// What to do with targets whose machine code is the same on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdenticalCode {
    /// Their benchmarks are `identical` at once.
    #[default]
    Skip,
    /// They are measured all the same, as A/A trials are.
    Measure,
}

/// What is to be measured.
pub struct Request<'a> {
    /// The bench targets of both sides.
    pub pairs: &'a [TargetPair],
    /// Only benchmarks whose id it is found in.
    pub filter: Option<&'a Regex>,
    /// Why a benchmark is left out by rule.
    pub ignored: &'a dyn Fn(&Benchmark) -> Option<String>,
    /// Names that changed.
    pub renames: &'a [Rename],
    /// Targets of the same machine code.
    pub identical: IdenticalCode,
    /// The seed of all deals.
    pub seed: u64,
    /// What measuring may take.
    pub budget: Duration,
    /// The share of false regressions that the family may have.
    pub false_discovery_rate: f64,
    /// How the family shares it.
    pub family: FamilyMethod,
    /// The smallest change of a benchmark that matters, relative.
    pub margin: &'a dyn Fn(&Benchmark) -> f64,
    /// Where a measurement stands at its last complete look; `judge::paired::standing` with the limits of its policy.
    pub standing: &'a dyn Fn(&Measurement) -> Option<Standing>,
    /// Slot lengths and limits.
    pub slot: SlotSettings,
    /// The core that bench processes are bound to.
    pub pin: Option<usize>,
    /// Where what benches write may go, in a folder of its own that is removed, and where the processes alive are on record.
    pub folder: &'a Path,
    /// What an earlier run of the same request measured: it is gone on from.
    pub previous: &'a [Measurement],
}

impl Request<'_> {
    /// Why a benchmark is left out, if it is.
    #[must_use]
    pub fn left_out(&self, benchmark: &Benchmark) -> Option<String> {
        let filtered = self.filter.is_some_and(|filter| !filter.is_match(benchmark.id.as_str()));
        if filtered { Some(NOT_MATCHED.into()) } else { (self.ignored)(benchmark) }
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// Every benchmark seen on either side, sorted.
    pub measurements: Vec<Measurement>,
    /// What the reader should know.
    pub warnings: Vec<Warning>,
    /// Why measuring ended before everything was decided: `interrupted by SIGINT`.
    pub interrupted: Option<String>,
    /// The measuring time that was spent.
    pub spent: Duration,
    /// The part of it in which no bench process was at work or waited for.
    pub outside: Duration,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Our own files.
    #[error("could not prepare a folder for what benches write")]
    Folder(#[from] files::Error),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        Some("make room on the disk, or point `CARGO_TARGET_DIR` to a folder that can be written".into())
    }
}
