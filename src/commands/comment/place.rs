//! Where a verdict belongs: which repository, pull request and commit, from flags and the event, never from the verdict.

use super::{Request, When};
use crate::{
    commands::failure::Failure,
    github::{
        event::{Kind, WorkflowRun},
        marker::RunId,
        repository::Repository,
    },
    model::outcome::ErrorClass,
};

/// Where a verdict belongs, as far as it is known without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The repository; `None` only in a dry run.
    pub(super) repository: Option<Repository>,
    /// The pull request.
    pub(super) number: Option<u64>,
    /// The commit that the job is about: the head of the pull request, not its merge.
    pub(super) head: Option<String>,
    /// The merge commit that the job checked out, if it did.
    pub(super) merge: Vec<String>,
    /// Whether the job's token is that of a fork, which can only read.
    pub(super) is_fork: bool,
    /// The run that measured, where that is another one.
    pub(super) measured_by: Option<RunId>,
    /// The run whose pull request has to be looked up.
    pub(super) run: Option<WorkflowRun>,
    /// Whether the pull request has to be looked up by the commit.
    pub(super) by_commit: bool,
}

impl Place {
    /// Where the verdict of this request belongs.
    pub(super) fn of(request: &Request) -> Result<Self, Failure> {
        let repository = request.repository.clone().or_else(|| request.job.repository.clone());
        let mut place = Self {
            repository,
            number: request.pull_request,
            head: None,
            merge: Vec::new(),
            is_fork: false,
            measured_by: None,
            run: None,
            by_commit: false,
        };
        place.take_event(request)?;
        if !request.dry_run
            && place.repository.is_none()
            && (request.when != When::Never || request.wants_check())
        {
            return Err(refuse(
                "could not tell which repository to write to",
                "give `--repo OWNER/NAME`; in a workflow GitHub sets GITHUB_REPOSITORY",
            ));
        }
        Ok(place)
    }

    fn take_event(&mut self, request: &Request) -> Result<(), Failure> {
        let event = request.job.event.as_ref().map(|event| &event.kind);
        if request.from_artifact.is_some() && !matches!(event, Some(Kind::WorkflowRun(_))) {
            return Err(refuse(
                "could not use `--from-artifact`: the pull request and its commit come from a `workflow_run` event, and there is none",
                "run it in a workflow with `on: workflow_run`, or give such an event with `--event FILE`",
            ));
        }
        match event {
            // A number by hand may be another pull request than the event's
            _ if request.pull_request.is_some_and(|number| event_number(event) != Some(number)) => {}
            Some(Kind::PullRequest { number, head, merge, is_fork }) => {
                self.number = Some(*number);
                self.head = Some(head.clone());
                self.merge = merge.iter().chain(&request.job.sha).cloned().collect();
                self.is_fork = *is_fork;
            }
            Some(Kind::Comment { number }) => self.number = Some(*number),
            Some(Kind::WorkflowRun(run)) => {
                self.head = Some(run.head.clone());
                self.measured_by = Some(run.run);
                self.by_commit = run.started_by.starts_with("pull_request");
                self.run = self.by_commit.then(|| run.clone());
            }
            Some(Kind::Commit { head }) => self.head = Some(head.clone()),
            Some(Kind::Other) | None => self.head = request.job.sha.clone(),
        }
        Ok(())
    }
}

fn event_number(event: Option<&Kind>) -> Option<u64> {
    match event {
        Some(Kind::PullRequest { number, .. } | Kind::Comment { number }) => Some(*number),
        _ => None,
    }
}

fn refuse(what: &str, help: &str) -> Failure {
    Failure::message(ErrorClass::Configuration, what, help)
}
