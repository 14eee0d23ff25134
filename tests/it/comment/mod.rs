//! `tollgate comment` against a double of GitHub: the one comment, the check run, what was accepted, forks, faults.

mod accepting;
mod faults;
mod forks;
mod sticky;

use crate::{
    github::{
        Double,
        state::{self, WRITER},
    },
    support::{
        tollgate::{Ran, command, ran},
        verdicts,
    },
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf, process::Command};
use tempfile::TempDir;
use tollgate::{format::verdict_v1, model::verdict::CheckVerdict};

/// A commit of one digit.
fn sha(digit: char) -> String {
    digit.to_string().repeat(40)
}

fn regressed(head: char) -> CheckVerdict {
    verdicts::verdict(Some(&sha(head)), &[("num/sieve", 0.2), ("num/fact", 0.0)])
}

fn passed(head: char) -> CheckVerdict {
    verdicts::verdict(Some(&sha(head)), &[("num/sieve", 0.0), ("num/fact", 0.0)])
}

/// A job on GitHub: the double, and a folder with a verdict and an event.
pub(crate) struct Job {
    double: Double,
    folder: TempDir,
    run: u64,
    token: &'static str,
}

impl Job {
    /// A job on pull request 7, whose head is `aaa…`.
    pub(crate) fn start() -> Self {
        let job = Self::on(Double::start());
        job.double.state().open(7, &sha('a'));
        job
    }

    fn on(double: Double) -> Self {
        Self { double, folder: tempfile::tempdir().unwrap(), run: 100, token: WRITER }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, verdict: &CheckVerdict) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), verdict_v1::to_json(verdict)).unwrap();
    }

    fn event(&self, value: &Value) {
        fs::write(self.path("event.json"), value.to_string()).unwrap();
    }

    /// The event of a push to pull request 7.
    fn pull_request(&self, head: char, from: &str) {
        self.event(&json!({ "pull_request": { "number": 7, "merge_commit_sha": null,
            "head": { "sha": sha(head), "ref": "$(touch pwned)", "repo": { "full_name": format!("{from}/hello") } },
            "base": { "sha": sha('b'), "repo": { "full_name": state::REPOSITORY } } } }));
    }

    /// `tollgate comment ARGS` in the environment of the job.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(self.folder.path());
        self.double.environment(&mut command, self.token);
        command.args(["comment"]).args(args);
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_RUN_ID", self.run.to_string());
        command.env("GITHUB_RUN_ATTEMPT", "1").env("GITHUB_STEP_SUMMARY", self.path("summary.md"));
        if self.path("event.json").exists() {
            command.env("GITHUB_EVENT_PATH", self.path("event.json"));
        }
        command
    }

    fn comment(&self, args: &[&str]) -> Ran {
        ran(&self.command(args).output().unwrap())
    }

    /// Brings a verdict on pull request 7 as the next run of the workflow.
    pub(crate) fn bring(&mut self, verdict: &CheckVerdict) -> Ran {
        self.run += 1;
        let head = verdict.head.rev.as_deref().and_then(|rev| rev.chars().next()).unwrap_or('a');
        self.write("verdict.json", verdict);
        self.pull_request(head, "octo-org");
        self.comment(&["verdict.json"])
    }

    /// The texts of the comments of pull request 7.
    fn bodies(&self) -> Vec<String> {
        self.double.state().comments.iter().filter(|one| one.issue == 7).map(|one| one.body.clone()).collect()
    }

    /// The only comment.
    #[track_caller]
    pub(crate) fn only(&self) -> String {
        let mut bodies = self.bodies();
        assert_eq!(bodies.len(), 1, "{bodies:#?}");
        bodies.remove(0)
    }
}

#[test]
fn a_regression_is_one_comment_a_failed_check_run_and_a_summary() {
    let mut job = Job::start();
    let done = job.bring(&regressed('a')).exits(1);
    assert!(done.stdout.contains("comment: created") && done.stdout.contains("failure"), "{}", done.stdout);
    let body = job.only();
    assert!(body.lines().next().unwrap().contains("regressed: 1 of 2 benchmarks"), "{body}");
    assert!(fs::read_to_string(job.path("summary.md")).unwrap().contains("regressed: 1 of 2 benchmarks"));
    let state = job.double.state();
    let check = &state.checks[0];
    assert_eq!((state.checks.len(), check.head.as_str()), (1, sha('a').as_str()));
    assert_eq!(check.body["conclusion"], "failure");
    assert_eq!(check.body["name"], "tollgate verdict");
    assert_eq!(check.annotations.len(), 1);
    assert!(check.annotations[0]["title"].as_str().unwrap().contains("num/sieve"));
}

#[test]
fn a_pass_says_nothing_until_a_comment_stands_and_earlier_verdicts_are_kept() {
    let mut job = Job::start();
    let done = job.bring(&passed('a')).exits(0);
    assert!(done.stdout.contains("comment: none, nothing changed"), "{}", done.stdout);
    assert_eq!(job.double.state().checks[0].body["conclusion"], "success");
    job.bring(&regressed('a')).exits(1);
    job.double.state().pulls[0].head = sha('c');
    job.bring(&passed('c')).exits(0);
    let body = job.only();
    assert!(
        body.contains("pass: ") && body.contains("aaaaaaaaa"),
        "the earlier verdict is there to read: {body}"
    );
    let marker = tollgate::github::marker::Marker::read(&body).unwrap();
    let words: Vec<_> =
        marker.shown.iter().map(|shown| (shown.commit.as_str(), shown.outcome.as_str())).collect();
    assert_eq!(words, [(sha('c').as_str(), "pass"), (sha('a').as_str(), "regressed")]);
}

#[test]
fn when_to_comment_is_the_users_choice() {
    let mut job = Job::start();
    job.bring(&passed('a')).exits(0);
    job.comment(&["verdict.json", "--comment", "always", "--no-check"]).exits(0);
    assert!(job.only().contains("pass: "));
    job.write("verdict.json", &regressed('a'));
    job.comment(&["verdict.json", "--comment", "never"]).exits(1);
    assert!(job.only().contains("pass: "), "it was left alone");
}

#[test]
fn what_could_not_be_judged_is_never_neutral_unless_it_is_only_advice() {
    let mut job = Job::start();
    let empty = verdicts::verdict(Some(&sha('a')), &[]);
    job.bring(&empty).exits(4);
    assert_eq!(job.double.state().checks[0].body["conclusion"], "failure");
    job.comment(&["verdict.json", "--advisory"]).exits(4);
    let state = job.double.state();
    assert_eq!((state.checks.len(), &state.checks[0].body["conclusion"]), (1, &json!("neutral")));
}

#[test]
fn many_annotations_go_in_batches_and_only_once() {
    let mut job = Job::start();
    let changes: Vec<_> = (0..120).map(|n| (format!("group/bench-{n}"), 0.3)).collect();
    let verdict = tollgate::judge::judge(&verdicts::run(Some(&sha('a')), &changes));
    job.bring(&verdict).exits(1);
    assert_eq!(job.double.state().checks[0].annotations.len(), 120);
    job.comment(&["verdict.json"]).exits(1);
    assert_eq!(job.double.state().checks[0].annotations.len(), 120);
}

#[test]
fn a_push_has_a_check_run_and_no_comment() {
    let job = Job::start();
    job.event(&json!({ "after": sha('e') }));
    job.write("verdict.json", &passed('e'));
    let done =
        ran(&job.command(&["verdict.json"]).env("GITHUB_EVENT_NAME", "push").output().unwrap()).exits(0);
    assert!(done.stdout.contains("no open pull request"), "{}", done.stdout);
    assert_eq!((job.bodies().len(), job.double.state().checks[0].head.clone()), (0, sha('e')));
}

#[test]
fn a_verdict_of_two_thousand_benchmarks_fits_with_every_regression() {
    let mut job = Job::start();
    let change = |n: usize| if n.is_multiple_of(100) { 0.3 } else { 0.0 };
    let changes: Vec<_> = (0..2_000)
        .map(|n| (format!("a_group_of_some_length/benchmark_{n}/with/parameters"), change(n)))
        .collect();
    let verdict = tollgate::judge::judge(&verdicts::run(Some(&sha('a')), &changes));
    job.bring(&verdict).exits(1);
    let body = job.only();
    assert!(body.chars().count() <= 65_536);
    assert!(
        body.lines().next().unwrap().contains("20 of 2,000 benchmarks"),
        "{}",
        body.lines().next().unwrap()
    );
    for n in (0..2_000).step_by(100) {
        assert!(body.contains(&format!("benchmark_{n}/")), "{n}");
    }
}

#[test]
fn a_dry_run_needs_no_network_no_token_and_writes_nothing() {
    let job = Job::start();
    job.write("verdict.json", &regressed('a'));
    job.pull_request('a', "octo-org");
    let mut command = job.command(&["verdict.json", "--dry-run"]);
    command.env_remove("GITHUB_TOKEN").env("GITHUB_API_URL", "https://api.invalid");
    let done = ran(&command.output().unwrap()).exits(1);
    assert!(done.stdout.contains("comment: octo-org/hello#7, this:"), "{}", done.stdout);
    assert!(done.stdout.contains("regressed: 1 of 2 benchmarks"));
    assert!(done.stdout.contains(&format!("check run: `tollgate verdict` of {}: failure", sha('a'))));
    assert!(!job.path("summary.md").exists() && job.double.state().log.is_empty());
}

#[test]
fn without_a_place_or_a_token_the_message_says_what_to_give() {
    let job = Job::start();
    job.write("verdict.json", &regressed('a'));
    let bare = |args: &[&str], token: &str| {
        let mut command = job.command(args);
        for name in ["GITHUB_ACTIONS", "GITHUB_EVENT_PATH", "GITHUB_REPOSITORY", "GITHUB_STEP_SUMMARY"] {
            command.env_remove(name);
        }
        ran(&command.env("GITHUB_TOKEN", token).output().unwrap()).exits(2).stderr
    };
    assert!(bare(&["verdict.json"], WRITER).contains("--repo OWNER/NAME"));
    assert!(bare(&["verdict.json", "--repo", "octo-org/hello"], "").contains("set GITHUB_TOKEN"));
    assert!(bare(&["verdict.json", "--repo", "octo-org/hello"], WRITER).contains("--pull-request N"));
    assert!(bare(&["verdict.json", "--repo", "no repo"], WRITER).contains("OWNER/NAME"));
    assert!(bare(&["verdict.json", "--name", "a--b"], WRITER).contains("a gate's name"));
    assert!(bare(&["verdict.json", "--html-url", "javascript:alert(1)"], WRITER).contains("no address"));
}

#[test]
fn a_pull_request_by_hand_needs_no_job() {
    let job = Job::start();
    job.write("verdict.json", &regressed('a'));
    let mut command = job.command(&["verdict.json", "--repo", "octo-org/hello", "--pull-request", "7"]);
    for name in
        ["GITHUB_ACTIONS", "GITHUB_EVENT_PATH", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_STEP_SUMMARY"]
    {
        command.env_remove(name);
    }
    ran(&command.output().unwrap()).exits(1);
    assert!(job.only().contains("regressed: "));
    assert!(job.double.state().checks.is_empty(), "a check run only when asked for");
}

#[test]
fn every_command_of_the_docs_is_understood() {
    let mut job = Job::start();
    let shard = |id: &str| verdicts::verdict(Some(&sha('a')), &[(id, 0.0)]);
    job.write("verdict.json", &regressed('a'));
    job.write("artifact/verdict.json", &regressed('a'));
    job.write("shard-1.json", &shard("num/one"));
    job.write("shard-2.json", &shard("num/two"));
    let text = include_str!("../../../docs/comment.md");
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("tollgate comment ")).collect();
    assert!(lines.len() >= 6, "{lines:?}");
    for line in lines {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.extend(["--dry-run"].iter().filter(|_| !line.contains("--dry-run")));
        job.pull_request('a', "octo-org");
        if line.contains("--event") {
            job.event(
                &json!({ "workflow_run": { "id": 77, "head_sha": sha('a'), "event": "pull_request" } }),
            );
        }
        job.run += 1;
        let done = job.comment(&words);
        let expected = if line.contains("shard") { 0 } else { 1 };
        assert_eq!(done.code, Some(expected), "{line}:\n{}", done.stderr);
    }
}
