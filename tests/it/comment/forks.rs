//! Pull requests from forks, and the trusted job that reports for them.

use super::{Job, passed, regressed, sha};
use crate::{
    github::state::READER,
    support::{tollgate::Ran, verdicts},
};
use serde_json::json;
use std::fs;

/// A job that was started by the end of an untrusted run on the fork of `mona`.
fn trusted() -> Job {
    let job = Job::start();
    {
        let mut state = job.double.state();
        let pull = &mut state.pulls[0];
        pull.owner = "mona".to_owned();
        pull.branch = "fix/a&b #1".to_owned();
    }
    workflow_run(&job, 'a');
    job
}

fn workflow_run(job: &Job, head: char) {
    job.event(&json!({ "workflow_run": { "id": 77, "run_attempt": 1, "head_sha": sha(head), "head_branch": "fix/a&b #1",
        "event": "pull_request", "pull_requests": [], "head_repository": { "owner": { "login": "mona" } } },
        "repository": { "full_name": "octo-org/hello" } }));
}

fn report(job: &Job) -> Ran {
    job.comment(&["--from-artifact", "artifact", "--event", "event.json"])
}

#[test]
fn a_fork_with_a_token_that_can_only_read_gets_a_warning_and_the_verdicts_exit_code() {
    let mut job = Job::start();
    job.double.state().pulls[0].owner = "mona".to_owned();
    job.token = READER;
    for (verdict, code) in [(regressed('a'), 1), (passed('a'), 0)] {
        job.write("verdict.json", &verdict);
        job.pull_request('a', "mona");
        let done = job.comment(&["verdict.json", "--comment", "always", "--check"]).exits(code);
        assert!(
            done.stderr.contains("warning: ") && done.stderr.contains("--from-artifact"),
            "{}",
            done.stderr
        );
        assert!(done.stdout.contains("summary: written"));
    }
    assert!(fs::read_to_string(job.path("summary.md")).unwrap().contains("pass: "));
    assert!(job.bodies().is_empty());
    // The same refusal of a token of our own is a fault to mend
    job.pull_request('a', "octo-org");
    let done = job.comment(&["verdict.json", "--comment", "always"]).exits(6);
    assert!(done.stderr.contains("pull-requests: write"), "{}", done.stderr);
}

#[test]
fn the_trusted_job_finds_the_pull_request_of_a_fork_by_its_branch() {
    let job = trusted();
    job.write("artifact/verdict.json", &regressed('a'));
    report(&job).exits(1);
    assert!(job.only().contains("regressed: "));
    let state = job.double.state();
    assert_eq!(state.checks[0].head, sha('a'));
    let url = state.checks[0].body["details_url"].as_str().unwrap();
    assert!(
        url.ends_with("/octo-org/hello/actions/runs/77/attempts/1"),
        "the run that measured is linked: {url}"
    );
}

#[test]
fn the_merge_that_was_measured_is_known_by_its_parents() {
    let job = trusted();
    job.double.state().commits.insert(sha('d'), vec![sha('b'), sha('a')]);
    job.write("artifact/verdict.json", &regressed('d'));
    report(&job).exits(1);
    assert!(job.only().contains("aaaaaaaaa merged with its base"), "{}", job.only());
}

#[test]
fn a_verdict_of_another_commit_is_refused() {
    let job = trusted();
    job.double.state().commits.insert(sha('e'), vec![sha('b')]);
    for other in ['e', 'f'] {
        job.write("artifact/verdict.json", &passed(other));
        let done = report(&job).exits(2);
        assert!(done.stderr.contains("neither aaaaaaaaa nor a merge of it"), "{}", done.stderr);
    }
    assert!(job.bodies().is_empty() && job.double.state().checks.is_empty());
}

#[test]
fn a_verdict_of_no_commit_says_so() {
    let job = trusted();
    job.write("artifact/verdict.json", &verdicts::verdict(None, &[("num/sieve", 0.2)]));
    report(&job).exits(1);
    assert!(job.only().contains("differ from every commit"), "{}", job.only());
}

#[test]
fn a_fork_that_was_pushed_to_meanwhile_is_told_of_which_commit_it_is() {
    let job = trusted();
    job.double.state().pulls[0].head = sha('c');
    job.write("artifact/verdict.json", &regressed('a'));
    report(&job).exits(1);
    assert!(job.only().contains("moved on to `ccccccccc`"), "{}", job.only());
    assert_eq!(job.double.state().checks[0].head, sha('a'));
}

#[test]
fn nothing_in_an_artifact_says_where_it_belongs() {
    let job = trusted();
    job.double.state().open(8, &sha('f'));
    let mut verdict = regressed('a');
    verdict.head.label = "refs/pull/8/merge".to_owned();
    job.write("artifact/verdict.json", &verdict);
    fs::write(job.path("artifact/pr.txt"), "8").unwrap();
    report(&job).exits(1);
    job.only();
    assert!(job.double.state().comments.iter().all(|comment| comment.issue == 7));
    let no_event = job.comment(&["--from-artifact", "artifact"]);
    assert_eq!(no_event.code, Some(1), "the job's own event will do: {}", no_event.stderr);
    job.pull_request('a', "mona");
    let wrong = job.comment(&["--from-artifact", "artifact"]).exits(2);
    assert!(wrong.stderr.contains("workflow_run"), "{}", wrong.stderr);
}

#[test]
fn an_artifact_without_all_its_verdicts_is_incomplete_and_a_broken_one_is_refused() {
    let job = trusted();
    fs::create_dir(job.path("artifact")).unwrap();
    fs::write(job.path("artifact/verdict.json"), "{\"schema\": \"tollgate.verdict/1\"}").unwrap();
    report(&job).exits(2);
    assert!(job.double.state().log.is_empty(), "nothing was asked or written");
    fs::remove_file(job.path("artifact/verdict.json")).unwrap();
    let done = report(&job).exits(4);
    assert!(done.stderr.contains("left no verdict"), "{}", done.stderr);
    assert_eq!(job.double.state().checks[0].body["conclusion"], "failure");
    job.write("artifact/one/verdict.json", &passed('a'));
    job.comment(&["--from-artifact", "artifact", "--expect-shards", "2"]).exits(4);
    assert_eq!(job.double.state().checks[0].body["conclusion"], "failure");
    assert!(job.only().contains("incomplete: "), "{}", job.only());
}
