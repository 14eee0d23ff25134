//! What is asked of measuring commands.

use super::Program;
use crate::{
    judge::policy::Limits,
    model::{
        benchmark::Benchmark,
        metric::Metric,
        policy::FamilyMethod,
        run::{Measurement, Side},
    },
    process::Interrupt,
};
use std::{path::Path, time::Duration};

/// Where commands run, and on what.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The root of the user's work tree.
    pub root: &'a Path,
    /// Base's files, where base is wanted.
    pub base: Option<&'a Path>,
    /// Head's files.
    pub head: &'a Path,
    /// What `{rev}` is on both sides.
    pub revs: (&'a str, &'a str),
    /// Whether both sides have the same files and need no measuring.
    pub same_files: bool,
    /// A folder of ours for what commands write.
    pub scratch: &'a Path,
    /// How long the build of one side may take.
    pub build_timeout: Duration,
    /// The processor that processes are bound to.
    pub pin: Option<usize>,
    /// The share of a block that the machine may take away before the block is void.
    pub void_share: f64,
    /// Whether the user wants us to stop.
    pub interrupt: &'a Interrupt,
}

impl<'a> Site<'a> {
    /// The files of a side.
    #[must_use]
    pub fn tree(&self, side: Side) -> &'a Path {
        match side {
            Side::Base => self.base.unwrap_or(self.head),
            Side::Head => self.head,
        }
    }

    /// What `{rev}` is on a side.
    #[must_use]
    pub fn rev(&self, side: Side) -> &'a str {
        if side == Side::Base { self.revs.0 } else { self.revs.1 }
    }
}

/// What is to be measured.
pub struct Request<'a> {
    /// The commands; their names differ.
    pub programs: &'a [Program],
    /// Where and on what.
    pub site: Site<'a>,
    /// Why a metric of a benchmark is left out by filter or rule.
    pub left_out: &'a dyn Fn(&Benchmark, &Metric) -> Option<String>,
    /// What the policy says of a metric of a benchmark.
    pub limits: &'a dyn Fn(&Benchmark, &Metric) -> Limits,
    /// The seed of all deals.
    pub seed: u64,
    /// What measuring may take.
    pub budget: Duration,
    /// The share of false regressions that the family may have.
    pub false_discovery_rate: f64,
    /// How the family shares it.
    pub family: FamilyMethod,
    /// What an earlier run of the same request measured: it is gone on from.
    pub previous: &'a [Measurement],
}
