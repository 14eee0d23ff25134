//! `tollgate compare`, `tollgate judge`, `tollgate report`: verdicts without measuring.

use super::output::OutputArgs;
use crate::{
    config::values::Percent,
    sources::input::{SOURCES, Source},
};
use clap::builder::PossibleValuesParser;
use std::path::PathBuf;

/// The tools whose output is understood.
pub(super) fn tools() -> PossibleValuesParser {
    PossibleValuesParser::new(SOURCES.map(Source::name))
}

/// Judge two results without measuring.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "A and B may be run files of `tollgate run` or `tollgate import`, criterion directories (DIR or DIR:BASELINE), \
    hyperfine JSON, libtest bench output, gungraun summaries, what Go, pytest-benchmark, Google Benchmark, JMH, divan or Bencher \
    wrote, or what k6, oha, vegeta, autocannon, Artillery, Locust or wrk wrote. \
    Several files a side are several rounds."
)]
pub struct CompareArgs {
    /// The base result.
    #[arg(value_name = "A", requires = "second", conflicts_with_all = ["slots", "base", "head"], required_unless_present_any = ["slots", "base", "head"])]
    pub first: Option<PathBuf>,
    /// The head result.
    #[arg(value_name = "B", required_unless_present_any = ["slots", "base", "head"])]
    pub second: Option<PathBuf>,
    /// Base results (repeatable; one a round).
    #[arg(long, value_name = "PATH", requires = "head", conflicts_with = "slots")]
    pub base: Vec<PathBuf>,
    /// Head results (repeatable; one a round).
    #[arg(long, value_name = "PATH", requires = "base", conflicts_with = "slots")]
    pub head: Vec<PathBuf>,
    /// The tool that wrote them, where it cannot be told from the file.
    #[arg(long, value_name = "TOOL", conflicts_with = "slots", value_parser = tools())]
    pub from: Option<String>,
    /// A table of slots measured by anything: CSV with header `position,block,side,value`, optional first column `benchmark`.
    #[arg(long, value_name = "FILE.csv")]
    pub slots: Option<PathBuf>,
    /// The smallest change that matters: `2%` or `0.02` (default 2%).
    #[arg(long, value_name = "SHARE", env = "TOLLGATE_MARGIN")]
    pub margin: Option<Percent>,
    /// Any inconclusive benchmark makes the comparison inconclusive.
    #[arg(long)]
    pub strict: bool,
    /// Where results go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Judge stored samples again.
#[derive(Debug, Clone, clap::Args)]
pub struct JudgeArgs {
    /// A run file (`tollgate.run/1`) or a verdict file (`tollgate.verdict/1`).
    #[arg(value_name = "VERDICT-OR-RUNS")]
    pub file: PathBuf,
    /// Judge with this margin instead of the recorded one.
    #[arg(long, value_name = "SHARE")]
    pub margin: Option<Percent>,
    /// Judge strictly, whatever was recorded.
    #[arg(long)]
    pub strict: bool,
    /// Where results go.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Render a stored verdict.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Without `--merge` it succeeds whatever the verdict says. With it, the exit code is that of the merged verdict: \
    the measurements of all shards are judged again as one check."
)]
pub struct ReportArgs {
    /// A verdict file (`tollgate.verdict/1`), a run file, or what another tool wrote; with `--merge`, a verdict a shard.
    #[arg(value_name = "VERDICT", required = true)]
    pub files: Vec<PathBuf>,
    /// Merge the verdicts of shards of one check (same base, head and policy) into one.
    #[arg(long)]
    pub merge: bool,
    /// How many shards there are: one that is missing makes the merged verdict incomplete.
    #[arg(long, value_name = "N", requires = "merge", value_parser = clap::value_parser!(u16).range(1..))]
    pub expect: Option<u16>,
    /// Where results go.
    #[command(flatten)]
    pub output: OutputArgs,
}
