//! `tollgate run`.

use super::{build::BuildArgs, command::CommandArgs};
use crate::config::values::Span;
use std::path::PathBuf;

/// Measure only.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// The revision to measure (default: the work tree).
    #[arg(long, value_name = "REV")]
    pub head: Option<String>,
    /// How many fresh processes each benchmark gets.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub processes: u32,
    /// Only benchmarks whose id (or `target:id`) this regular expression matches.
    #[arg(long, value_name = "REGEX")]
    pub filter: Option<String>,
    /// The time that measuring may take; builds do not count (default 5m).
    #[arg(long, value_name = "DURATION")]
    pub budget: Option<Span>,
    /// The seed of every random choice (default: drawn at random and recorded).
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Pin benchmark processes to this processor.
    #[arg(long, value_name = "CPU")]
    pub pin: Option<usize>,
    /// Measure this command instead of criterion benchmarks. By itself it runs here as it is, and its wall time is the value of a
    /// slot; with `--as` or `--base` it runs on both revisions in paired rounds, and `tollgate judge` judges the run.
    #[arg(long, value_name = "CMD", conflicts_with_all = ["benches", "packages", "workspace"])]
    pub command: Option<String>,
    /// The revision that `--command` is compared with (default with `--as`: the merge base with the default branch).
    #[arg(long, value_name = "REV", requires = "command")]
    pub base: Option<String>,
    /// What `--command` writes.
    #[command(flatten)]
    pub program: CommandArgs,
    /// The run file to write (default: `target/tollgate/run.json`, or `run.json` here with `--command`; `-` for standard output).
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What cargo builds.
    #[command(flatten)]
    pub build: BuildArgs,
}
