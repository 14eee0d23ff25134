//! The job's environment, as GitHub's runner gives it.

use super::{
    event::{self, Event},
    failure::Error,
    marker::RunId,
    repository::{Repository, is_commit},
};
use std::path::{Path, PathBuf};

/// The API of github.com.
const API: &str = "https://api.github.com";
const SERVER: &str = "https://github.com";

/// What is known of the job that runs; outside of GitHub nearly nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Whether GitHub Actions runs it.
    pub is_action: bool,
    /// The API's address: `GITHUB_API_URL`.
    pub api_url: String,
    /// The pages' address: `GITHUB_SERVER_URL`.
    pub server_url: String,
    /// The repository: `GITHUB_REPOSITORY`, else the event's.
    pub repository: Option<Repository>,
    /// What started it.
    pub event: Option<Event>,
    /// The commit that was checked out: `GITHUB_SHA`. For `pull_request` it is the merge commit.
    pub sha: Option<String>,
    /// The run: `GITHUB_RUN_ID` and `GITHUB_RUN_ATTEMPT`.
    pub run: Option<RunId>,
    /// Where the job's summary is collected: `GITHUB_STEP_SUMMARY`.
    pub summary: Option<PathBuf>,
}

impl Job {
    /// Reads the environment; `event` is an event file that goes before `GITHUB_EVENT_PATH`.
    ///
    /// # Errors
    /// When the event file cannot be used.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>, event: Option<&Path>) -> Result<Self, Error> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let own = event.map(|path| event::read(path, None)).transpose()?;
        let given = || match set("GITHUB_EVENT_PATH") {
            Some(path) => event::read(Path::new(&path), set("GITHUB_EVENT_NAME").as_deref()).map(Some),
            None => Ok(None),
        };
        let event = if own.is_some() { own } else { given()? };
        let number = |name: &str| set(name)?.parse::<u64>().ok();
        let run = number("GITHUB_RUN_ID")
            .map(|id| RunId { id, attempt: number("GITHUB_RUN_ATTEMPT").unwrap_or(1) });
        let of_event = || event.as_ref().and_then(|event| event.repository.clone());
        Ok(Self {
            is_action: set("GITHUB_ACTIONS").as_deref() == Some("true"),
            api_url: set("GITHUB_API_URL").unwrap_or_else(|| API.to_owned()),
            server_url: set("GITHUB_SERVER_URL").unwrap_or_else(|| SERVER.to_owned()),
            repository: set("GITHUB_REPOSITORY").and_then(|name| name.parse().ok()).or_else(of_event),
            sha: set("GITHUB_SHA").filter(|sha| is_commit(sha)).map(|sha| sha.to_ascii_lowercase()),
            run,
            summary: set("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            event,
        })
    }

    /// The page of a workflow run.
    #[must_use]
    pub fn run_url(&self, repository: &Repository, run: RunId) -> String {
        let server = self.server_url.trim_end_matches('/');
        format!("{server}/{repository}/actions/runs/{}/attempts/{}", run.id, run.attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::Job;
    use std::collections::BTreeMap;

    fn job(variables: &[(&str, &str)]) -> Job {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Job::read(&|name| variables.get(name).cloned(), None).unwrap()
    }

    #[test]
    fn the_environment_of_a_job_is_read_and_what_is_no_name_is_left_out() {
        let full = job(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", "https://ghe.example/api/v3"),
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_SHA", &"A".repeat(40)),
            ("GITHUB_RUN_ID", "12"),
            ("GITHUB_STEP_SUMMARY", "/x/y"),
        ]);
        assert_eq!(full.api_url, "https://ghe.example/api/v3");
        assert_eq!(full.sha, Some("a".repeat(40)));
        let url = full.run_url(full.repository.as_ref().unwrap(), full.run.unwrap());
        assert_eq!(url, "https://github.com/o/r/actions/runs/12/attempts/1");
        let bare = job(&[("GITHUB_REPOSITORY", "../.."), ("GITHUB_SHA", "main"), ("GITHUB_API_URL", "")]);
        assert_eq!(
            (bare.repository, bare.sha, bare.api_url.as_str()),
            (None, None, "https://api.github.com")
        );
    }
}
