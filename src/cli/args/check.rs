//! `tollgate check`.

use super::{build::BuildArgs, command::CommandArgs, output::OutputArgs};
use crate::config::values::{Percent, Span};
use clap::ValueEnum;

/// How head is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// Base and head are built and measured in turns.
    Paired,
    /// Head is compared with stored baselines of this environment.
    Stored,
    /// Paired when the base can be built, stored otherwise.
    Auto,
}

/// The main job.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// The revision to compare with (default: the merge base with the default branch).
    #[arg(long, value_name = "REV", env = "TOLLGATE_BASE")]
    pub base: Option<String>,
    /// The revision under test (default: the work tree).
    #[arg(long, value_name = "REV")]
    pub head: Option<String>,
    /// What head is compared with.
    #[arg(long, value_enum, value_name = "MODE", env = "TOLLGATE_MODE")]
    pub mode: Option<ModeArg>,
    /// The time that measuring may take; builds do not count (default 5m).
    #[arg(long, value_name = "DURATION", env = "TOLLGATE_BUDGET")]
    pub budget: Option<Span>,
    /// The smallest change that matters: `2%` or `0.02` (default 2%).
    #[arg(long, value_name = "SHARE", env = "TOLLGATE_MARGIN")]
    pub margin: Option<Percent>,
    /// Only benchmarks whose id (or `target:id`) this regular expression matches.
    #[arg(long, value_name = "REGEX")]
    pub filter: Option<String>,
    /// Any inconclusive benchmark makes the check inconclusive.
    #[arg(long)]
    pub strict: bool,
    /// The seed of every deal; starts afresh instead of resuming (default: drawn at random and recorded).
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Say what would run and what it would cost; build, but do not measure.
    #[arg(long)]
    pub list: bool,
    /// Measure also when both executables are the same (an A/A trial).
    #[arg(long)]
    pub measure_identical: bool,
    /// Pin benchmark processes to this processor.
    #[arg(long, value_name = "CPU")]
    pub pin: Option<usize>,
    /// Measure this command on both revisions, and nothing else: `{out}` is a file for its output, `{dir}` the root of the side's
    /// files, `{rev}` its commit, `{side}` is `base` or `head`.
    #[arg(long, value_name = "CMD", conflicts_with_all = ["benches", "packages", "workspace"])]
    pub command: Option<String>,
    /// What `--command` writes.
    #[command(flatten)]
    pub program: CommandArgs,
    /// What cargo builds.
    #[command(flatten)]
    pub build: BuildArgs,
    /// Where results go.
    #[command(flatten)]
    pub output: OutputArgs,
}
