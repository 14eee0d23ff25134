//! `tollgate check`, the main job: build both sides, measure what differs, judge, keep the results.
//!
//! What was measured is one [`Run`], and the verdict is `judge(&run)` and nothing else, so that `tollgate judge` gives the same
//! bytes from the file. The run is kept after every block: a re-run goes on from it, and a killed one loses at most a block.

use crate::{
    commands::{failure::Failure, sides::{self, Sides}},
    config::resolve::{ModeChoice, Settings},
    format::{run_v1, verdict_v1},
    judge,
    measure,
    model::{
        benchmark::Benchmark,
        outcome::ErrorClass,
        run::{Fate, Measurement, Mode, Run, Warning},
        verdict::CheckVerdict,
    },
    process::Interrupt,
    progress::{Event, Progress},
    report, store,
};
use std::{collections::BTreeSet, path::{Path, PathBuf}};

/// What to check.
#[derive(Debug, Clone)]
pub struct Request {
    /// A directory inside the repository.
    pub directory: PathBuf,
    /// The path of this program, for the compiler wrapper.
    pub executable: PathBuf,
    /// Everything that flags and file say.
    pub settings: Settings,
    /// A seed that was asked for: starts afresh.
    pub seed: Option<u64>,
    /// The seed of a check that cannot resume.
    pub fresh_seed: u64,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// A finished check.
#[derive(Debug)]
pub struct Done {
    /// What it came to.
    pub verdict: CheckVerdict,
    /// Where the last results are kept: `run.json`, `verdict.json`, `verdict.md`.
    pub folder: PathBuf,
    /// A result that could not be kept; the verdict stands.
    pub not_kept: Option<Failure>,
}
