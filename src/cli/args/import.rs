//! `tollgate import`.

use super::compare::tools;
use std::path::PathBuf;

/// Read what other tools measured, and write it as a run file that `compare`, `judge` and `report` read.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Read are k6 (summaries, JSON lines), oha (JSON, CSV), vegeta (JSON lines, CSV, report), autocannon, Artillery, \
    Locust (JSON, table, slices), wrk and wrk2, HdrHistogram logs; criterion directories (DIR or DIR:BASELINE), hyperfine, \
    libtest, divan, gungraun; Go's benchmarks, JSON of pytest-benchmark, Google Benchmark, JMH and Bencher, data.js of \
    github-action-benchmark (its newest entries; all of them with --history); run files of tollgate. What a file cannot tell is told as a warning."
)]
pub struct ImportArgs {
    /// Files or directories; several are several rounds of one revision, in the order in which they were measured.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The tool that wrote them, where it cannot be told from the file.
    #[arg(long, value_name = "TOOL", value_parser = tools())]
    pub from: Option<String>,
    /// What to call the benchmark: `load:NAME` for a load test (default: what the tool calls it, or the tool).
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Record every commit of a `data.js` of github-action-benchmark in the history (`refs/tollgate/history`) instead, as runs of an
    /// unknown machine: they show where a project comes from, and no check is compared with them.
    #[arg(long, conflicts_with_all = ["output", "name", "from"])]
    pub history: bool,
    /// The run file to write (default: standard output).
    #[arg(short, long, value_name = "RUN.json")]
    pub output: Option<PathBuf>,
}
