//! What may be typed: clap structs, one file a command, checked but not yet resolved.

pub mod baseline;
pub mod build;
pub mod check;
pub mod command;
pub mod comment;
pub mod compare;
pub mod hook;
pub mod import;
pub mod load;
pub mod output;
pub mod run;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A performance gate for CI: a red build means your code got slower, a green one says what it could have seen.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about, long_about = None, max_term_width = 100, propagate_version = true)]
#[command(after_help = "Exit codes: 0 pass, 1 regressed, 2 usage or configuration error, 3 inconclusive, \
    4 incomplete, 5 measurement error, 6 reporting error.")]
pub struct Cli {
    /// What to say besides the result.
    #[command(flatten)]
    pub global: Global,
    /// The job.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Say more on standard error: causes, commands, timings.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Say only warnings and errors on standard error.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// When to use colours (`NO_COLOR` is honoured by `auto`).
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// The configuration file (default: `tollgate.toml` at the repository's root).
    #[arg(long, global = true, value_name = "FILE", env = "TOLLGATE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Change to this directory first, as git does.
    #[arg(short = 'C', global = true, value_name = "DIR")]
    pub directory: Option<PathBuf>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The jobs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// See a real regression caught: a small repository, gated before your eyes.
    Demo(DemoArgs),
    /// Write `tollgate.toml` and the workflows or jobs of the CI service for this project; never overwrites.
    Init(InitArgs),
    /// The main job: measure head against base, judge, report, exit.
    Check(Box<check::CheckArgs>),
    /// Measure only, and write a run file.
    Run(Box<run::RunArgs>),
    /// Put a URL or the services of `tollgate.toml` under load, and say what they reached.
    Load(Box<load::LoadArgs>),
    /// Stored baselines in git.
    Baseline(baseline::BaselineArgs),
    /// Judge two results without measuring: run files, other tools' outputs, or a table of slots.
    Compare(compare::CompareArgs),
    /// Read what other tools measured, and write it as a run file.
    Import(import::ImportArgs),
    /// Judge a run file or a verdict file again, offline.
    Judge(compare::JudgeArgs),
    /// Render a stored verdict in any format.
    Report(compare::ReportArgs),
    /// Bring a stored verdict to GitHub: one comment on the pull request, a check run, the job summary.
    Comment(Box<comment::CommentArgs>),
    /// A check before each `git push`: install it, take it away, or run it as git does.
    Hook(hook::HookArgs),
    /// Is this machine good enough, what is the smallest change it can show, what to fix.
    Doctor(DoctorArgs),
    /// Print a shell completion script.
    Completions(CompletionsArgs),
    /// Print the manual page, or write one page per command.
    Man(ManArgs),
}

/// `tollgate demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// A service under load instead: a chat bot whose cache got worse.
    #[arg(long)]
    pub load: bool,
    /// Where to write the demo repository (default: `tollgate-demo` in this directory, with `--load` `tollgate-load-demo`).
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The time that measuring may take (default 90s, with `--load` 4m).
    #[arg(long, value_name = "DURATION")]
    pub budget: Option<crate::config::values::Span>,
}

/// `tollgate init`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The CI service to write for (default: `gitlab` where there is a `.gitlab-ci.yml` and no `.github`, else `github`).
    #[arg(long, value_enum, value_name = "SERVICE")]
    pub ci: Option<ServiceArg>,
    /// Also write the workflow that stores a run of each commit of the default branch (GitHub).
    #[arg(long)]
    pub baseline: bool,
}

/// A CI service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServiceArg {
    /// GitHub Actions: `.github/workflows/tollgate.yml` and `tollgate-comment.yml`.
    Github,
    /// GitLab CI: `.gitlab/tollgate.yml`.
    Gitlab,
    /// No files of a service.
    None,
}

/// `tollgate doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Under a minute: fewer trials, wider bounds.
    #[arg(long)]
    pub quick: bool,
    /// Print the findings as JSON.
    #[arg(long)]
    pub json: bool,
    /// The seed of every deal (default: drawn at random and printed).
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// `tollgate completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `tollgate man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write `tollgate.1`, `tollgate-check.1`, … into this directory instead of printing.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
