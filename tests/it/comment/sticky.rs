//! One comment, whatever happens around it.

use super::{Job, passed, regressed, sha};
use crate::{
    github::{
        Double,
        state::{Account, Fault, PERSON, What, bot, person},
    },
    support::tollgate::ran,
};
use std::{
    process::Stdio,
    sync::{Arc, Barrier},
};
use tollgate::github::marker::Marker;

const LIST: &str = "issues/{issue_number}/comments";

#[test]
fn two_jobs_at_once_end_with_one_comment_of_the_newer_run() {
    let mut job = Job::start();
    job.write("verdict.json", &regressed('a'));
    job.pull_request('a', "octo-org");
    // Both have read that there is none before either creates one
    let together = What::Together(Arc::new(Barrier::new(2)));
    job.double.fault(Fault { method: "GET", path: LIST, times: 2, what: together });
    let mut start = |run: u64| {
        job.run = run;
        let mut command = job.command(&["verdict.json", "--no-check", "--no-summary"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let (older, newer) = (start(500), start(501));
    ran(&older.wait_with_output().unwrap()).exits(1);
    ran(&newer.wait_with_output().unwrap()).exits(1);
    assert_eq!(Marker::read(&job.only()).unwrap().run.unwrap().id, 501);
    assert_eq!(job.double.state().asked("POST"), 2);
}

#[test]
fn among_a_thousand_comments_it_is_still_the_right_one() {
    let mut job = Job::start();
    for n in 0..700 {
        job.double.state().say(7, &person("someone"), &format!("comment {n}"));
    }
    job.bring(&regressed('a')).exits(1);
    let ours = job.bodies().pop().unwrap();
    let mut forged = Marker::read(&ours).unwrap();
    forged.run = None;
    for n in 0..500 {
        job.double.state().say(7, &person("someone"), &format!("comment {n}"));
    }
    let stranger = format!("I am the verdict: pass\n\n{}", forged.lines());
    job.double.state().say(7, &person("mallory"), &stranger);
    job.bring(&passed('a')).exits(0);
    let bodies = job.bodies();
    assert_eq!(bodies.len(), 1_202);
    assert!(bodies[700].contains("pass: ") && bodies[1_201] == stranger);
    assert_eq!(bodies.iter().filter(|body| Marker::read(body).is_some()).count(), 2);
}

#[test]
fn an_older_run_never_overwrites_a_newer_one() {
    let mut job = Job::start();
    job.bring(&regressed('a')).exits(1);
    let newer = job.only();
    job.run = 50;
    job.write("verdict.json", &passed('a'));
    let done = job.comment(&["verdict.json"]).exits(0);
    assert!(done.stdout.contains("left alone, a newer run wrote it"), "{}", done.stdout);
    assert_eq!(job.only(), newer);
    assert_eq!(job.double.state().checks[0].body["conclusion"], "failure");
}

#[test]
fn the_same_verdict_again_is_not_written_again() {
    let mut job = Job::start();
    job.bring(&regressed('a')).exits(1);
    let done = job.comment(&["verdict.json"]).exits(1);
    assert!(done.stdout.contains("comment: unchanged"), "{}", done.stdout);
    assert_eq!(job.double.state().asked("PATCH /repos/octo-org/hello/issues"), 0);
}

#[test]
fn a_comment_edited_by_hand_is_written_over_and_one_without_its_marker_is_left() {
    let mut job = Job::start();
    job.bring(&regressed('a')).exits(1);
    let edited = job.only().replace("regressed", "all is fine");
    job.double.state().comments[0].body = edited;
    job.bring(&regressed('a')).exits(1);
    assert!(job.only().contains("regressed: "));
    job.double.state().comments[0].body = "I took it out.".to_owned();
    job.bring(&regressed('a')).exits(1);
    let bodies = job.bodies();
    assert_eq!((bodies.len(), bodies[0].as_str()), (2, "I took it out."));
}

#[test]
fn a_comment_deleted_by_hand_comes_back_once() {
    let mut job = Job::start();
    job.bring(&regressed('a')).exits(1);
    job.double.state().comments.clear();
    job.bring(&regressed('a')).exits(1);
    assert!(job.only().contains("regressed: "));
    // Deleted after the list was read
    let gone = What::Answer(Box::new(crate::github::answers::said(404, "Not Found")));
    job.double.fault(Fault { method: "GET", path: "issues/comments/{comment_id}", times: 1, what: gone });
    job.bring(&passed('a')).exits(0);
    assert!(job.only().contains("pass: "), "the double that this made is merged with the first");
}

#[test]
fn a_renamed_bot_finds_its_comment() {
    let mut job = Job::start();
    job.bring(&regressed('a')).exits(1);
    let renamed = Account { login: "release-robot[bot]".to_owned(), ..bot() };
    job.double.state().comments[0].by = renamed.clone();
    job.double.state().bot = renamed;
    job.bring(&passed('a')).exits(0);
    assert!(job.only().contains("pass: "));
}

#[test]
fn a_persons_token_finds_its_own_comment_and_check_runs_need_an_app() {
    let mut job = Job::start();
    job.token = PERSON;
    let done = job.bring(&regressed('a')).exits(1);
    assert!(done.stderr.contains("--no-check"), "{}", done.stderr);
    job.write("verdict.json", &passed('a'));
    job.comment(&["verdict.json"]).exits(0);
    assert!(job.only().contains("pass: "));
    let asked = job.comment(&["verdict.json", "--check"]).exits(6);
    assert!(asked.stderr.contains("GitHub App"), "{}", asked.stderr);
}

#[test]
fn a_locked_conversation_is_a_warning_and_the_rest_is_written() {
    let mut job = Job::start();
    job.double.state().pulls[0].is_locked = true;
    let done = job.bring(&regressed('a')).exits(1);
    assert!(
        done.stderr.contains("warning: ") && done.stderr.contains("the conversation is locked"),
        "{}",
        done.stderr
    );
    assert!(job.bodies().is_empty() && job.double.state().checks.len() == 1);
    job.write("verdict.json", &passed('a'));
    job.comment(&["verdict.json", "--comment", "always"]).exits(0);
}

#[test]
fn two_gates_have_two_comments_and_two_check_runs() {
    let mut job = Job::start();
    job.bring(&regressed('a')).exits(1);
    job.comment(&["verdict.json", "--name", "api"]).exits(1);
    job.comment(&["verdict.json", "--name", "api"]).exits(1);
    let bodies = job.bodies();
    assert_eq!(bodies.len(), 2);
    assert!(bodies[1].contains("Gate `api`"));
    let state = job.double.state();
    let names: Vec<_> = state.checks.iter().map(|check| check.body["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["tollgate verdict", "tollgate verdict (api)"]);
}

#[test]
fn a_pull_request_that_moved_on_keeps_its_newer_comment() {
    let mut job = Job::start();
    job.double.state().pulls[0].head = sha('c');
    job.bring(&regressed('a')).exits(1);
    assert!(job.only().contains("moved on to `ccccccccc`"), "{}", job.only());
    job.bring(&regressed('c')).exits(1);
    let newer = job.only();
    let done = job.bring(&passed('a')).exits(0);
    assert!(done.stdout.contains("it is of a newer commit"), "{}", done.stdout);
    assert_eq!(job.only(), newer);
}

#[test]
fn a_renamed_repository_and_one_below_a_path_are_found() {
    let mut job = Job::on(Double::below("/api/v3"));
    job.double.state().open(7, &sha('a'));
    job.double.state().old_name = Some("octo-org/old");
    job.bring(&regressed('a')).exits(1);
    job.write("verdict.json", &passed('a'));
    let mut command = job.command(&["verdict.json"]);
    ran(&command.env("GITHUB_REPOSITORY", "octo-org/old").output().unwrap()).exits(0);
    assert!(job.only().contains("pass: "));
    assert_eq!(job.double.state().checks.len(), 1);
}
