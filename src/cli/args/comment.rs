//! `tollgate comment`.

use crate::{
    commands::comment::{GATE, When},
    github::{marker::is_gate, repository::Repository},
};
use clap::ValueEnum;
use std::path::PathBuf;

/// When to comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CommentWhen {
    /// Whatever the verdict.
    Always,
    /// When something regressed, improved or could not be judged, or a comment stands already.
    OnChange,
    /// Not at all.
    Never,
}

impl From<CommentWhen> for When {
    fn from(when: CommentWhen) -> Self {
        match when {
            CommentWhen::Always => Self::Always,
            CommentWhen::OnChange => Self::OnChange,
            CommentWhen::Never => Self::Never,
        }
    }
}

/// Bring a stored verdict to GitHub: one comment on the pull request, a check run, the job summary.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "The token comes from GITHUB_TOKEN or GH_TOKEN and needs `pull-requests: write` for comments, `checks: write` for check \
    runs. The exit code is the verdict's, after what was accepted on the pull request (`/tollgate accept <benchmark glob> <reason>`, or \
    the label `tollgate: accepted`, by people who may write to the repository); 6 if it would be 0 but something could not be written."
)]
pub struct CommentArgs {
    /// Verdict files (`tollgate.verdict/1`); several are shards of one check.
    #[arg(value_name = "VERDICT", required_unless_present = "from_artifact")]
    pub verdicts: Vec<PathBuf>,
    /// The unpacked artifact of an untrusted run, in a job with `on: workflow_run`; taken as hostile.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["verdicts", "pull_request"])]
    pub from_artifact: Option<PathBuf>,
    /// How many verdicts there must be; a missing one makes the check incomplete.
    #[arg(long, value_name = "N")]
    pub expect_shards: Option<usize>,
    /// The repository (default: the job's).
    #[arg(long, value_name = "OWNER/NAME")]
    pub repo: Option<Repository>,
    /// The pull request (default: the event's).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub pull_request: Option<u64>,
    /// The event that started the job (default: GITHUB_EVENT_PATH).
    #[arg(long, value_name = "FILE")]
    pub event: Option<PathBuf>,
    /// Which gate this is, where a repository has several: each has its own comment.
    #[arg(long, value_name = "GATE", default_value = GATE, value_parser = gate)]
    pub name: String,
    /// When to comment.
    #[arg(long, value_enum, value_name = "WHEN", default_value = "on-change")]
    pub comment: CommentWhen,
    /// Write a check run (default in a job of GitHub's).
    #[arg(long, overrides_with = "no_check")]
    pub check: bool,
    /// Write no check run.
    #[arg(long)]
    pub no_check: bool,
    /// The check run's name (default: `tollgate verdict`).
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub check_name: Option<String>,
    /// Write the job summary (default where GITHUB_STEP_SUMMARY is set).
    #[arg(long, overrides_with = "no_summary")]
    pub summary: bool,
    /// Write no job summary.
    #[arg(long)]
    pub no_summary: bool,
    /// The address of the HTML report, to link to.
    #[arg(long, value_name = "URL", value_parser = address)]
    pub html_url: Option<String>,
    /// Only advise: a check that did not pass becomes a `neutral` check run, which does not block a merge.
    #[arg(long)]
    pub advisory: bool,
    /// Print what would be written, and ask and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

impl CommentArgs {
    /// Whether a check run was asked for or forbidden.
    #[must_use]
    pub fn wants_check(&self) -> Option<bool> {
        wants(self.check, self.no_check)
    }

    /// Whether the summary was asked for or forbidden.
    #[must_use]
    pub fn wants_summary(&self) -> Option<bool> {
        wants(self.summary, self.no_summary)
    }
}

fn wants(yes: bool, no: bool) -> Option<bool> {
    (yes || no).then_some(yes && !no)
}

fn gate(text: &str) -> Result<String, String> {
    let good = is_gate(text).then(|| text.to_owned());
    good.ok_or_else(|| "a gate's name is 1 to 50 letters, digits, `-`, `_` and `.`".to_owned())
}

fn address(text: &str) -> Result<String, String> {
    let plain = text.chars().all(|c| c.is_ascii_graphic() && !"<>\"`\\()[]".contains(c));
    let good = plain && text.len() <= 2_000 && (text.starts_with("https://") || text.starts_with("http://"));
    good.then(|| text.to_owned()).ok_or_else(|| "it is no address that begins with `https://`".to_owned())
}
