//! `tollgate baseline`.

use super::build::BuildArgs;
use crate::config::values::Span;
use clap::{Subcommand, ValueEnum};
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

/// Which of the two stores is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreArg {
    /// The reviewed files under `baselines/`.
    Files,
    /// The records under `refs/tollgate/history`.
    History,
    /// Both.
    Both,
}

/// `tollgate baseline save`.
#[derive(Debug, Clone, clap::Args)]
pub struct SaveArgs {
    /// Store this run file instead of measuring.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// The commit that the values stand for, where the run file names none.
    #[arg(long, value_name = "REV", requires = "from")]
    pub stands_for: Option<String>,
    /// The revision to measure (default: the work tree, which must be clean).
    #[arg(long, value_name = "REV", conflicts_with = "from")]
    pub head: Option<String>,
    /// How many fresh processes each benchmark gets.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(6..=600))]
    pub processes: u32,
    /// How many runs to measure; a check against baselines needs at least five.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub runs: u32,
    /// The time that measuring one run may take (default 5m).
    #[arg(long, value_name = "DURATION")]
    pub budget: Option<Span>,
    /// Only benchmarks whose id (or `target:id`) this regular expression matches.
    #[arg(long, value_name = "REGEX")]
    pub filter: Option<String>,
    /// Where the run goes.
    #[arg(long = "to", value_enum, value_name = "STORE", default_value = "both")]
    pub store: StoreArg,
    /// Also push the record to the remote's `refs/tollgate/history`.
    #[arg(long)]
    pub push: bool,
    /// The remote to push to (default: `baseline.remote`, else `origin`).
    #[arg(long, value_name = "NAME", requires = "push")]
    pub remote: Option<String>,
    /// Pin benchmark processes to this processor.
    #[arg(long, value_name = "CPU")]
    pub pin: Option<usize>,
    /// What cargo builds.
    #[command(flatten)]
    pub build: BuildArgs,
}

/// `tollgate baseline list`.
#[derive(Debug, Clone, clap::Args)]
pub struct ListArgs {
    /// What to do before.
    #[command(flatten)]
    pub fetch: FetchArgs,
}

/// Bringing run records here first.
#[derive(Debug, Clone, clap::Args)]
pub struct FetchArgs {
    /// First fetch the remote's `refs/tollgate/history`.
    #[arg(long)]
    pub fetch: bool,
    /// The remote to fetch from (default: `baseline.remote`, else `origin`).
    #[arg(long, value_name = "NAME", requires = "fetch")]
    pub remote: Option<String>,
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
    /// Where its runs are taken from.
    #[arg(long = "from", value_enum, value_name = "STORE", default_value = "both")]
    pub store: StoreArg,
    /// What to do before.
    #[command(flatten)]
    pub fetch: FetchArgs,
}

/// `tollgate baseline accept`.
#[derive(Debug, Clone, clap::Args)]
pub struct AcceptArgs {
    /// Globs over benchmark ids or `target:id`.
    #[arg(value_name = "GLOB", required = true)]
    pub benchmarks: Vec<String>,
    /// Why the new level is right.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The commit that made the change (default: HEAD).
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Who accepts it (default: git's user).
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Only in this environment (default: all of them).
    #[arg(long, value_name = "KEY")]
    pub environment: Option<String>,
    /// Only of this metric.
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,
}

/// `tollgate baseline prune`.
#[derive(Debug, Clone, clap::Args)]
pub struct PruneArgs {
    /// Keep this many runs: of each benchmark in the files (at most 20), of each environment in the history.
    #[arg(long, value_name = "N")]
    pub keep: Option<usize>,
    /// Drop runs older than this many days.
    #[arg(long, value_name = "DAYS")]
    pub max_age_days: Option<u32>,
    /// Drop everything of this environment key (repeatable).
    #[arg(long, value_name = "KEY")]
    pub drop_environment: Vec<String>,
    /// Drop runs whose commits are gone (not in a shallow clone, which lacks many).
    #[arg(long)]
    pub unknown_commits: bool,
    /// Where to prune.
    #[arg(long = "in", value_enum, value_name = "STORE", default_value = "files")]
    pub store: StoreArg,
    /// Say what would go; change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Prune the history at the remote, too; else the next fetch brings it back.
    #[arg(long)]
    pub push: bool,
    /// The remote (default: `baseline.remote`, else `origin`).
    #[arg(long, value_name = "NAME", requires = "push")]
    pub remote: Option<String>,
}

/// `tollgate baseline verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct VerifyArgs {
    /// What to read.
    #[arg(long = "in", value_enum, value_name = "STORE", default_value = "both")]
    pub store: StoreArg,
}
