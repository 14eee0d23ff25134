//! `tollgate baseline`.

use super::build::BuildArgs;
use crate::config::values::Span;
use clap::Subcommand;
use std::path::PathBuf;

/// Stored baselines in git.
#[derive(Debug, Clone, clap::Args)]
pub struct BaselineArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub action: BaselineAction,
}

/// What to do with stored baselines.
#[derive(Debug, Clone, Subcommand)]
pub enum BaselineAction {
    /// Measure this revision (or take a run file) and store it.
    Save(Box<SaveArgs>),
    /// Which environments, targets and runs are stored.
    List(ListArgs),
    /// The stored runs of one benchmark.
    Show(ShowArgs),
    /// Accept the present level of benchmarks: older runs stay in history but no longer count.
    Accept(AcceptArgs),
    /// Drop old runs.
    Prune(PruneArgs),
    /// Find corrupted, hand-edited or inconsistent baselines.
    Verify(VerifyArgs),
}

/// `tollgate baseline save`.
#[derive(Debug, Clone, clap::Args)]
pub struct SaveArgs {
    /// Store this run file instead of measuring.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// The revision to measure (default: the work tree, which must be clean).
    #[arg(long, value_name = "REV", conflicts_with = "from")]
    pub head: Option<String>,
    /// How many fresh processes each benchmark gets.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(6..=600))]
    pub processes: u32,
    /// How many runs to measure.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub runs: u32,
    /// The time that measuring one run may take (default 5m).
    #[arg(long, value_name = "DURATION")]
    pub budget: Option<Span>,
    /// Only benchmarks whose id (or `target:id`) this regular expression matches.
    #[arg(long, value_name = "REGEX")]
    pub filter: Option<String>,
    /// Also push the record to the remote's `refs/tollgate/history`.
    #[arg(long)]
    pub push: bool,
    /// The remote to push to (default `origin`).
    #[arg(long, value_name = "NAME")]
    pub remote: Option<String>,
    /// Write only the history record, not the reviewed files under `baselines/`.
    #[arg(long)]
    pub history_only: bool,
    /// What cargo builds.
    #[command(flatten)]
    pub build: BuildArgs,
}

/// `tollgate baseline list`.
#[derive(Debug, Clone, clap::Args)]
pub struct ListArgs {
    /// Also list the records of `refs/tollgate/history`.
    #[arg(long)]
    pub history: bool,
}

/// `tollgate baseline show`.
#[derive(Debug, Clone, clap::Args)]
pub struct ShowArgs {
    /// The benchmark's id, or `target:id`.
    #[arg(value_name = "BENCHMARK")]
    pub benchmark: String,
    /// Only of this environment key.
    #[arg(long, value_name = "KEY")]
    pub environment: Option<String>,
}

/// `tollgate baseline accept`.
#[derive(Debug, Clone, clap::Args)]
pub struct AcceptArgs {
    /// Glob over benchmark ids or `target:id`.
    #[arg(value_name = "GLOB")]
    pub benchmarks: String,
    /// Why the new level is right.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Only in this environment (default: all of them).
    #[arg(long, value_name = "KEY")]
    pub environment: Option<String>,
}

/// `tollgate baseline prune`.
#[derive(Debug, Clone, clap::Args)]
pub struct PruneArgs {
    /// Keep this many runs of each benchmark.
    #[arg(long, value_name = "N")]
    pub keep: Option<u32>,
    /// Drop runs older than this many days.
    #[arg(long, value_name = "DAYS")]
    pub max_age_days: Option<u32>,
    /// Drop everything of this environment key (repeatable).
    #[arg(long, value_name = "KEY")]
    pub drop_environment: Vec<String>,
    /// Also prune `refs/tollgate/history`.
    #[arg(long)]
    pub history: bool,
    /// Push the pruned history to the remote.
    #[arg(long, requires = "history")]
    pub push: bool,
    /// The remote to push to (default `origin`).
    #[arg(long, value_name = "NAME")]
    pub remote: Option<String>,
    /// Say what would go; change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `tollgate baseline verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct VerifyArgs {}
