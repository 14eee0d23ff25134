//! The check run of a gate: what a branch protection can require.
//!
//! `neutral` and `skipped` satisfy a required check, so what could not be judged is a `failure`; only a gate that the user calls
//! advisory is ever `neutral`. Ours is known by its external id and not by its name, which the job's own check run may share.

use super::{client::Client, failure::Error, marker::RunId, repository::Repository};
use serde::Deserialize;
use serde_json::{Value, json};

/// The most characters of a summary that GitHub takes.
pub const MAX_SUMMARY: usize = 65_535;
/// The most annotations of one request; further ones are appended.
const PER_REQUEST: usize = 50;
/// The most annotations altogether.
pub const MAX_ANNOTATIONS: usize = 200;
/// The most characters of a title; GitHub states none, and its page shows one line.
const MAX_TITLE: usize = 250;

/// A check run as it shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The name that a branch protection requires.
    pub name: String,
    /// Which gate it is of.
    pub gate: String,
    /// The run that writes it.
    pub run: Option<RunId>,
    /// The commit that it is about.
    pub head: String,
    /// What it says.
    pub conclusion: Conclusion,
    /// One line.
    pub title: String,
    /// Markdown, at most [`MAX_SUMMARY`] characters.
    pub summary: String,
    /// A page with more.
    pub details_url: Option<String>,
    /// What stands beside the code, at most [`MAX_ANNOTATIONS`].
    pub annotations: Vec<Annotation>,
}

/// The conclusions that we draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// It may be merged.
    Success,
    /// It may not.
    Failure,
    /// It is only advice.
    Neutral,
}

impl Conclusion {
    /// GitHub's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
        }
    }
}

/// A remark on a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The file, from the repository's root.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// One line.
    pub title: String,
    /// A sentence.
    pub message: String,
    /// Whether it is a reason not to merge.
    pub is_failure: bool,
}

/// What became of the check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It stands at this address.
    Written(Option<String>),
    /// A newer run has written it, and it was left alone.
    Newer(Option<String>),
}

#[derive(Debug, Clone, Deserialize)]
struct CheckRun {
    id: u64,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    output: Output,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Output {
    #[serde(default)]
    annotations_count: usize,
}

#[derive(Deserialize)]
struct List {
    check_runs: Vec<CheckRun>,
}

/// Creates the check run of the commit, or replaces the one that this gate made before.
///
/// # Errors
/// When GitHub refuses.
pub fn write(client: &Client, repository: &Repository, wanted: &Wanted) -> Result<Written, Error> {
    let find = || find(client, repository, wanted);
    let annotations = &wanted.annotations[..wanted.annotations.len().min(MAX_ANNOTATIONS)];
    let (run, sent) = match find()? {
        Some(run) if is_newer(&run, wanted) => return Ok(Written::Newer(run.html_url)),
        Some(run) => {
            // Annotations can only be added: those of an earlier try are not sent again
            let sent = run.output.annotations_count.min(annotations.len());
            (update(client, repository, run.id, wanted, batch(annotations, sent))?, sent)
        }
        None => {
            let path = repository.path("check-runs");
            let mut body = wanted.body(batch(annotations, 0));
            body["head_sha"] = json!(wanted.head);
            let doing = format!("create the check run `{}`", wanted.name);
            (client.create::<CheckRun>(&path, &body, &doing, find)?, 0)
        }
    };
    let rest = annotations.get(sent + PER_REQUEST..).unwrap_or_default();
    for more in rest.chunks(PER_REQUEST) {
        update(client, repository, run.id, wanted, more)?;
    }
    Ok(Written::Written(run.html_url))
}

fn batch(annotations: &[Annotation], from: usize) -> &[Annotation] {
    &annotations[from..annotations.len().min(from + PER_REQUEST)]
}

/// The newest check run of the commit that this gate made.
fn find(client: &Client, repository: &Repository, wanted: &Wanted) -> Result<Option<CheckRun>, Error> {
    let doing = format!("list the check runs of {}", wanted.head.get(..9).unwrap_or(&wanted.head));
    let path = repository.path(&format!("commits/{}/check-runs?filter=all", wanted.head));
    let runs = client.pages(&path, &doing, |page: List| page.check_runs)?;
    let ours = format!("tollgate/{}/", wanted.gate);
    let mut ours =
        runs.into_iter().filter(|run| run.external_id.as_ref().is_some_and(|id| id.starts_with(&ours)));
    Ok(ours.by_ref().max_by_key(|run| run.id))
}

fn update(
    client: &Client,
    repository: &Repository,
    id: u64,
    wanted: &Wanted,
    annotations: &[Annotation],
) -> Result<CheckRun, Error> {
    let path = repository.path(&format!("check-runs/{id}"));
    let doing = format!("update the check run `{}`", wanted.name);
    client.patch(&path, &wanted.body(annotations), &doing)
}

/// Whether a check run was written by a later run of the workflow.
fn is_newer(run: &CheckRun, wanted: &Wanted) -> bool {
    let theirs = run.external_id.as_deref().and_then(|id| {
        let mut parts = id.rsplit('/');
        let attempt = parts.next()?.parse().ok()?;
        Some(RunId { id: parts.next()?.parse().ok()?, attempt })
    });
    matches!((theirs, wanted.run), (Some(theirs), Some(mine)) if theirs > mine)
}

impl Wanted {
    fn body(&self, annotations: &[Annotation]) -> Value {
        let run = self.run.map_or_else(|| "0/0".to_owned(), |run| format!("{}/{}", run.id, run.attempt));
        let summary: String = self.summary.chars().take(MAX_SUMMARY).collect();
        let title: String = self.title.chars().take(MAX_TITLE).collect();
        let mut output = json!({ "title": title, "summary": summary });
        if !annotations.is_empty() {
            output["annotations"] = annotations.iter().map(Annotation::body).collect();
        }
        let mut body = json!({
            "name": self.name,
            "external_id": format!("tollgate/{}/{run}", self.gate),
            "status": "completed",
            "conclusion": self.conclusion.as_str(),
            "output": output,
        });
        if let Some(url) = &self.details_url {
            body["details_url"] = json!(url);
        }
        body
    }
}

impl Annotation {
    fn body(&self) -> Value {
        json!({
            "path": self.path,
            "start_line": self.line,
            "end_line": self.line,
            "annotation_level": if self.is_failure { "failure" } else { "warning" },
            "title": self.title.chars().take(MAX_TITLE).collect::<String>(),
            "message": self.message,
        })
    }
}
