//! Accepting a regression on the pull request.

use super::{Job, regressed, sha};
use crate::{
    github::{
        answers::said,
        state::{Fault, READER, What, bot, person},
    },
    support::verdicts,
};

const COMMAND: &str = "/tollgate accept num/* it buys safety";

#[test]
fn somebody_who_may_write_accepts_with_a_reason() {
    let mut job = Job::start();
    job.double.state().permissions.insert("ada".to_owned(), "write");
    job.bring(&regressed('a')).exits(1);
    job.double.state().say(7, &person("ada"), COMMAND);
    job.bring(&regressed('a')).exits(0);
    let state = job.double.state();
    let body = &state.comments[0].body;
    assert!(body.contains("accepted by ada (it buys safety)"), "{body}");
    assert_eq!(state.checks[0].body["conclusion"], "success");
    drop(state);
    // It holds for later commits, and ends when it is taken back
    job.double.state().pulls[0].head = sha('c');
    job.bring(&regressed('c')).exits(0);
    job.double.state().comments.remove(1);
    job.bring(&regressed('c')).exits(1);
}

#[test]
fn a_job_that_may_only_read_counts_what_was_accepted_and_writes_nothing() {
    let mut job = Job::start();
    job.double.state().permissions.insert("ada".to_owned(), "write");
    job.double.state().say(7, &person("ada"), COMMAND);
    job.token = READER;
    job.write("verdict.json", &regressed('a'));
    job.pull_request('a', "mallory");
    let quiet = ["--comment", "never", "--no-check", "verdict.json"];
    job.comment(&quiet).exits(0);
    let summary = std::fs::read_to_string(job.path("summary.md")).unwrap();
    assert!(summary.contains("accepted by ada (it buys safety)"), "{summary}");
    assert_eq!((job.bodies().len(), job.double.state().checks.len()), (1, 0));
    // Where GitHub does not answer, a regression stays one
    let refused = What::Answer(Box::new(said(403, "Resource not accessible by integration")));
    job.double.fault(Fault { method: "GET", path: "pulls/{pull_number}", times: 1, what: refused });
    let done = job.comment(&quiet).exits(1);
    assert!(
        done.stderr.contains("does not count") && done.stderr.contains("pull-requests: read"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_stranger_accepts_nothing_and_what_they_wrote_is_not_shown() {
    let mut job = Job::start();
    job.double.state().say(7, &person("mallory"), "/tollgate accept num/* CLICK-HERE");
    job.double.state().say(7, &bot(), COMMAND);
    job.bring(&regressed('a')).exits(1);
    let body = job.bodies().pop().unwrap();
    assert!(body.contains("by mallory does not count"), "{body}");
    assert!(!body.contains("CLICK-HERE"));
}

#[test]
fn without_a_reason_or_for_another_benchmark_it_does_not_count() {
    let mut job = Job::start();
    job.double.state().permissions.insert("ada".to_owned(), "admin");
    job.double.state().say(7, &person("ada"), "/tollgate accept num/*");
    job.bring(&regressed('a')).exits(1);
    assert!(job.bodies()[1].contains("does not count without a reason"), "{}", job.bodies()[1]);
    job.double.state().comments[0].body = "/tollgate accept hash/* it buys safety".to_owned();
    job.bring(&regressed('a')).exits(1);
    assert!(job.bodies()[1].contains("matches no benchmark"), "{}", job.bodies()[1]);
}

#[test]
fn only_what_was_accepted_is_accepted() {
    let mut job = Job::start();
    job.double.state().permissions.insert("ada".to_owned(), "write");
    job.double.state().say(7, &person("ada"), "/tollgate accept num/sieve it buys safety");
    let verdict = verdicts::verdict(Some(&sha('a')), &[("num/sieve", 0.2), ("num/fact", 0.2)]);
    job.bring(&verdict).exits(1);
    let body = job.bodies().pop().unwrap();
    assert!(body.lines().next().unwrap().contains("1 of 2 benchmarks"), "{body}");
    assert!(body.contains("accepted by ada"));
}

#[test]
fn the_label_counts_for_who_set_it() {
    let mut job = Job::start();
    job.double.state().pulls[0].labels = vec!["tollgate: accepted".to_owned()];
    job.double.state().labelled = vec![(person("mallory"), "tollgate: accepted".to_owned())];
    job.double.state().permissions.insert("ada".to_owned(), "write");
    job.bring(&regressed('a')).exits(1);
    assert!(job.only().contains("by mallory does not count"), "{}", job.only());
    job.double.state().labelled.push((person("ada"), "tollgate: accepted".to_owned()));
    job.double.state().labelled.push((person("mallory"), "bug".to_owned()));
    job.bring(&regressed('a')).exits(0);
    assert!(job.only().contains("ada"), "{}", job.only());
}

#[test]
fn when_github_does_not_say_who_may_write_nothing_is_accepted() {
    let mut job = Job::start();
    job.double.state().permissions.insert("ada".to_owned(), "write");
    job.double.state().say(7, &person("ada"), COMMAND);
    let refused = What::Answer(Box::new(said(403, "Resource not accessible by integration")));
    let path = "collaborators/{username}/permission";
    job.double.fault(Fault { method: "GET", path, times: 1, what: refused });
    let done = job.bring(&regressed('a')).exits(1);
    assert!(done.stderr.contains("does not count"), "{}", done.stderr);
}

#[test]
fn a_closed_pull_request_accepts_nothing() {
    let mut job = Job::start();
    job.double.state().permissions.insert("ada".to_owned(), "write");
    job.double.state().say(7, &person("ada"), COMMAND);
    job.double.state().pulls[0].state = "closed";
    job.bring(&regressed('a')).exits(1);
}
