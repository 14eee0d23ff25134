//! The event that started a job, from the file that GitHub hands over.
//!
//! Titles, branches and names in it are a stranger's words; only numbers, commits, and names fit for a request are taken.

use super::{
    failure::Error,
    marker::RunId,
    repository::{Repository, is_commit, is_login},
};
use serde_json::Value;
use std::{fs::File, io::Read, path::Path};

/// GitHub's own bound is 25 MB.
const MAX_BYTES: u64 = 32 << 20;
/// The most characters of a branch's name: git's names are bounded by the file system.
const MAX_BRANCH: usize = 1_000;

/// What started the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The repository of the job, where the event says it.
    pub repository: Option<Repository>,
    /// What happened.
    pub kind: Kind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A pull request was opened or pushed to (`pull_request`, `pull_request_target`).
    PullRequest {
        /// Its number.
        number: u64,
        /// Its head commit.
        head: String,
        /// The commit that merges it with its base, as GitHub knew it then.
        merge: Option<String>,
        /// Whether it comes from another repository: the job's token can then only read.
        is_fork: bool,
    },
    /// Somebody commented on a pull request.
    Comment {
        /// Its number.
        number: u64,
    },
    /// Another workflow ended.
    WorkflowRun(WorkflowRun),
    /// A merge queue or a push: a commit without a pull request.
    Commit {
        /// The commit.
        head: String,
    },
    /// Anything else.
    Other,
}

/// A workflow run that ended, of which a trusted job reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRun {
    /// Which run.
    pub run: RunId,
    /// The head commit that it ran for.
    pub head: String,
    /// The branch of that commit.
    pub branch: String,
    /// Who owns the repository of that branch.
    pub owner: Option<String>,
    /// What started it: `pull_request`, `push`, …
    pub started_by: String,
}

/// Reads an event file. `name` is `GITHUB_EVENT_NAME`; without it the event is known by its keys.
///
/// # Errors
/// When the file cannot be read, is too long, or is no JSON object.
pub fn read(path: &Path, name: Option<&str>) -> Result<Event, Error> {
    let failed = |why: String| Error::File { path: path.to_owned(), why };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed(format!("it is longer than {MAX_BYTES} bytes")));
    }
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|error| failed(format!("it is no JSON: {error}")))?;
    if !value.is_object() {
        return Err(failed("it is no JSON object".to_owned()));
    }
    let repository = text(&value, "/repository/full_name").and_then(|name| name.parse().ok());
    let kind = kind(&value, name)
        .map_err(|missing| failed(format!("`{missing}` is missing or is not what it should be")))?;
    Ok(Event { repository, kind })
}

fn kind(event: &Value, name: Option<&str>) -> Result<Kind, &'static str> {
    let has = |key: &str| event.get(key).is_some_and(Value::is_object);
    let name = name.unwrap_or_else(|| {
        let keys = ["workflow_run", "merge_group", "pull_request"];
        let by_key = keys.into_iter().find(|key| has(key));
        by_key.unwrap_or(if has("issue") && has("comment") { "issue_comment" } else { "push" })
    });
    match name {
        "pull_request" | "pull_request_target" | "pull_request_review" => pull_request(event),
        "issue_comment" if has("issue") && event["issue"]["pull_request"].is_object() => {
            Ok(Kind::Comment { number: number(event, "/issue/number").ok_or("issue.number")? })
        }
        "workflow_run" => workflow_run(event),
        "merge_group" => {
            Ok(Kind::Commit { head: commit(event, "/merge_group/head_sha").ok_or("merge_group.head_sha")? })
        }
        "push" => Ok(commit(event, "/after").map_or(Kind::Other, |head| Kind::Commit { head })),
        _ => Ok(Kind::Other),
    }
}

fn pull_request(event: &Value) -> Result<Kind, &'static str> {
    let of = |key: &str| text(event, &format!("/pull_request/{key}/repo/full_name"));
    Ok(Kind::PullRequest {
        number: number(event, "/pull_request/number").ok_or("pull_request.number")?,
        head: commit(event, "/pull_request/head/sha").ok_or("pull_request.head.sha")?,
        merge: commit(event, "/pull_request/merge_commit_sha"),
        // The repository of a fork may be gone: it is then null
        is_fork: of("head") != of("base"),
    })
}

fn workflow_run(event: &Value) -> Result<Kind, &'static str> {
    let owner = text(event, "/workflow_run/head_repository/owner/login").filter(|login| is_login(login));
    let branch: String =
        text(event, "/workflow_run/head_branch").unwrap_or_default().chars().take(MAX_BRANCH).collect();
    Ok(Kind::WorkflowRun(WorkflowRun {
        run: RunId {
            id: number(event, "/workflow_run/id").ok_or("workflow_run.id")?,
            attempt: number(event, "/workflow_run/run_attempt").unwrap_or(1),
        },
        head: commit(event, "/workflow_run/head_sha").ok_or("workflow_run.head_sha")?,
        branch,
        owner: owner.map(str::to_owned),
        started_by: text(event, "/workflow_run/event").unwrap_or_default().chars().take(50).collect(),
    }))
}

fn text<'e>(event: &'e Value, at: &str) -> Option<&'e str> {
    event.pointer(at)?.as_str()
}

fn number(event: &Value, at: &str) -> Option<u64> {
    event.pointer(at)?.as_u64().filter(|number| *number > 0)
}

fn commit(event: &Value, at: &str) -> Option<String> {
    text(event, at).filter(|sha| is_commit(sha)).map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::{Kind, read};
    use serde_json::json;
    use std::io::Write as _;

    fn event(value: &serde_json::Value, name: Option<&str>) -> Result<Kind, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(value.to_string().as_bytes()).unwrap();
        read(file.path(), name).map(|event| event.kind).map_err(|error| error.to_string())
    }

    fn sha(digit: &str) -> String {
        digit.repeat(40)
    }

    #[test]
    fn a_pull_request_of_a_fork_is_known_by_its_repositories() {
        let of = |head: serde_json::Value| {
            event(
                &json!({"pull_request": {"number": 7, "merge_commit_sha": sha("c"),
                    "head": {"sha": sha("A"), "repo": head}, "base": {"sha": sha("b"), "repo": {"full_name": "o/r"}}}}),
                Some("pull_request"),
            )
        };
        let expected =
            |is_fork| Kind::PullRequest { number: 7, head: sha("a"), merge: Some(sha("c")), is_fork };
        assert_eq!(of(json!({"full_name": "o/r"})), Ok(expected(false)));
        assert_eq!(of(json!({"full_name": "x/r"})), Ok(expected(true)));
        assert_eq!(of(json!(null)), Ok(expected(true)), "the fork was deleted");
    }

    #[test]
    fn the_other_events_are_read_by_name_or_by_keys() {
        let run = json!({"workflow_run": {"id": 9, "run_attempt": 2, "head_sha": sha("a"), "head_branch": "x; rm -rf /",
            "event": "pull_request", "head_repository": {"owner": {"login": "../evil"}}}});
        let Ok(Kind::WorkflowRun(run)) = event(&run, None) else { panic!() };
        assert_eq!((run.run.id, run.run.attempt, run.owner), (9, 2, None));
        let group = json!({"merge_group": {"head_sha": sha("d")}});
        assert_eq!(event(&group, None), Ok(Kind::Commit { head: sha("d") }));
        assert_eq!(event(&json!({"after": sha("e")}), Some("push")), Ok(Kind::Commit { head: sha("e") }));
        let comment = json!({"issue": {"number": 3, "pull_request": {}}, "comment": {"body": "x"}});
        assert_eq!(event(&comment, None), Ok(Kind::Comment { number: 3 }));
        let issue = json!({"issue": {"number": 3}, "comment": {"body": "x"}});
        assert_eq!(event(&issue, Some("issue_comment")), Ok(Kind::Other));
        assert_eq!(event(&json!({}), Some("schedule")), Ok(Kind::Other));
    }

    #[test]
    fn a_broken_event_is_refused_with_what_is_wrong() {
        let wrong = |value: serde_json::Value| event(&value, Some("workflow_run")).unwrap_err();
        assert!(
            wrong(json!({"workflow_run": {"id": 1, "head_sha": "main"}})).contains("workflow_run.head_sha")
        );
        assert!(wrong(json!({})).contains("workflow_run.id"));
        assert!(wrong(json!([])).contains("no JSON object"));
    }
}
