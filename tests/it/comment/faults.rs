//! What GitHub and the way to it can do to us.

use super::{Job, passed, regressed};
use crate::github::{
    answers::said,
    http::Reply,
    state::{Fault, What},
};
use std::{fs, time::Duration};

const COMMENTS: &str = "issues/{issue_number}/comments";
const PULL: &str = "pulls/{pull_number}";

fn fault(job: &Job, method: &'static str, path: &'static str, times: usize, what: What) {
    job.double.fault(Fault { method, path, times, what });
}

fn answer(reply: Reply) -> What {
    What::Answer(Box::new(reply))
}

#[test]
fn a_comment_that_was_created_before_the_failure_is_not_created_again() {
    for what in [
        What::ActThen(Box::new(Reply::html(502).with("retry-after", "0"))),
        What::ActThenCut,
        What::DropBefore,
        answer(Reply::html(503).with("retry-after", "0")),
    ] {
        let mut job = Job::start();
        fault(&job, "POST", COMMENTS, 1, what.clone());
        fault(&job, "POST", "check-runs", 1, what);
        job.bring(&regressed('a')).exits(1);
        job.only();
        assert_eq!(job.double.state().checks.len(), 1);
    }
}

#[test]
fn what_goes_wrong_for_a_moment_is_tried_again() {
    let mut job = Job::start();
    job.bring(&regressed('a')).exits(1);
    fault(&job, "GET", COMMENTS, 1, What::DropBefore);
    fault(&job, "GET", PULL, 2, answer(Reply::html(502).with("retry-after", "0")));
    fault(&job, "PATCH", "issues/comments/{comment_id}", 1, What::ActThenCut);
    fault(&job, "PATCH", "check-runs/{check_run_id}", 1, What::Slow(Duration::from_millis(300)));
    job.bring(&passed('a')).exits(0);
    assert!(job.only().contains("pass: "));
}

#[test]
fn rate_limits_of_both_kinds_are_waited_out() {
    let mut job = Job::start();
    let secondary = said(403, "You have exceeded a secondary rate limit.").with("retry-after", "0");
    let spent = said(403, "API rate limit exceeded for installation.")
        .with("x-ratelimit-remaining", "0")
        .with("x-ratelimit-reset", "1");
    fault(&job, "POST", COMMENTS, 1, answer(secondary));
    fault(&job, "GET", COMMENTS, 1, answer(spent));
    fault(&job, "GET", PULL, 1, answer(said(429, "Too many requests").with("retry-after", "0")));
    job.bring(&regressed('a')).exits(1);
    job.only();
}

#[test]
fn a_limit_that_takes_too_long_is_told_and_the_verdict_stands() {
    let mut job = Job::start();
    let hour = said(429, "API rate limit exceeded").with("retry-after", "3600");
    fault(&job, "POST", COMMENTS, 1, answer(hour.clone()));
    let done = job.bring(&regressed('a')).exits(1);
    assert!(done.stderr.contains("rate limit") && done.stderr.contains("3600 s"), "{}", done.stderr);
    assert_eq!(job.double.state().checks.len(), 1, "the check run is written all the same");
    fault(&job, "GET", PULL, 1, answer(hour));
    job.bring(&passed('a')).exits(6);
    assert!(fs::read_to_string(job.path("summary.md")).unwrap().contains("pass: "));
}

#[test]
fn every_refusal_says_what_where_and_what_to_do() {
    for (status, message, told, help) in [
        (401, "Bad credentials", "401", "GITHUB_TOKEN"),
        (403, "Resource not accessible by integration", "403", "pull-requests: write"),
        (404, "Not Found", "404", "private repository"),
        (410, "Issues are disabled for this repo", "410", "--comment never"),
        (422, "Validation Failed", "422", "fault of tollgate"),
    ] {
        let mut job = Job::start();
        fault(&job, "POST", COMMENTS, 1, answer(said(status, message)));
        let done = job.bring(&regressed('a')).exits(1);
        for part in ["could not comment on #7", told, message, help] {
            assert!(done.stderr.contains(part), "{part} in\n{}", done.stderr);
        }
        let passed = passed('a');
        job.write("verdict.json", &passed);
        fault(&job, "POST", COMMENTS, 1, answer(said(status, message)));
        job.comment(&["verdict.json", "--comment", "always"]).exits(6);
    }
}

#[test]
fn a_page_instead_of_json_is_no_answer_of_githubs() {
    let mut job = Job::start();
    fault(&job, "GET", PULL, 1, answer(Reply::html(200)));
    let done = job.bring(&passed('a')).exits(6);
    assert!(
        done.stderr.contains("could not be understood") && done.stderr.contains("login page"),
        "{}",
        done.stderr
    );
}

#[test]
fn nobody_there_and_no_such_host_are_told_apart() {
    let mut job = Job::start();
    job.bring(&passed('a')).exits(0);
    let told = |url: &str| {
        let mut command = job.command(&["verdict.json"]);
        let ran = crate::support::tollgate::ran(&command.env("GITHUB_API_URL", url).output().unwrap());
        (ran.code, ran.stderr)
    };
    let (code, stderr) = told("http://127.0.0.1:9");
    assert_eq!(code, Some(6), "{stderr}");
    assert!(stderr.contains("no answer from 127.0.0.1:9") && stderr.contains("HTTPS_PROXY"), "{stderr}");
    let (code, stderr) = told("http://ghe.example");
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("would see the token"), "{stderr}");
}

#[test]
fn no_output_holds_the_token_whatever_happens() {
    for what in [
        answer(said(401, "Bad credentials: ghs_writer0123456789abcdef")),
        answer(said(403, "token ghs_writer0123456789abcdef may not")),
        answer(Reply::html(200)),
        answer(said(429, "rate limit of ghs_writer0123456789abcdef").with("retry-after", "999")),
    ] {
        let job = Job::start();
        fault(&job, "GET", PULL, 1, what);
        job.write("verdict.json", &regressed('a'));
        job.pull_request('a', "octo-org");
        let done = job.comment(&["verdict.json", "-vv"]).exits(1);
        let summary = fs::read_to_string(job.path("summary.md")).unwrap();
        for text in [&done.stdout, &done.stderr, &summary] {
            assert!(!text.contains("ghs_writer"), "{text}");
        }
    }
    let mut job = Job::start();
    let done = job.bring(&regressed('a'));
    assert!(!done.stdout.contains("ghs_") && !done.stderr.contains("ghs_") && !job.only().contains("ghs_"));
}
