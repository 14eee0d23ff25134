//! Outcomes, outputs and reports of the action, what foreign text can do to them, and where the token goes.

use super::{
    runner::{Ended, Job, TOKEN, root},
    scene::{Scene, nothing_was_run},
};
use crate::support::tollgate::tollgate;
use clap::Parser as _;
use std::path::Path;
use tollgate::cli::args::Cli;

fn slots(name: &str) -> String {
    format!("--slots '{}'", root().join("tests/fixtures/action").join(name).display())
}

/// A job that judges recorded slots by the real program.
fn comparing(table: &str) -> (tempfile::TempDir, Job) {
    let (workspace, job) = Job::anywhere();
    (workspace, job.input("command", "compare").input("args", &slots(table)))
}

/// Whether the built program can write a format.
fn writes(format: &str) -> bool {
    tollgate(root(), &["report", "--help"]).stdout.contains(format)
}

fn artifacts(ended: &Ended) -> Vec<&str> {
    let uploads = ended.used.iter().filter(|(uses, _)| uses.starts_with("actions/upload-artifact@"));
    uploads.map(|(_, with)| with.get("name").map_or("one file", String::as_str)).collect()
}

#[test]
fn a_regression_fails_the_job_after_everything_was_reported() {
    let (_workspace, job) = comparing("regressed.csv");
    let ended = job.run();
    assert!(!ended.success);
    assert_eq!(ended.step("Gate").code, 0, "{ended:#?}");
    assert_eq!(ended.step("Decide").code, 1, "{ended:#?}");
    assert_eq!(
        (ended.output("outcome"), ended.output("exit-code"), ended.output("regressions")),
        ("regressed", "1", "1")
    );
    let verdict: serde_json::Value =
        serde_json::from_slice(&std::fs::read(ended.output("verdict")).unwrap()).unwrap();
    assert_eq!(verdict["outcome"], "regressed");
    assert!(ended.step("Gate").summary.contains("regressed"), "{ended:#?}");
    assert!(artifacts(&ended).contains(&"tollgate-verdict-tollgate"));
    assert!(ended.step("Decide").log.contains("::error title=Tollgate::regressed"));
    assert_eq!(!ended.output("html").is_empty(), writes("html"), "{ended:#?}");
    assert_eq!(artifacts(&ended).contains(&"one file"), writes("html"));
    if writes("html") {
        assert!(std::fs::read_to_string(ended.output("html")).unwrap().contains("<html"));
        assert!(ended.output("html").ends_with("/tollgate.html"));
    }
    if writes("annotations") {
        assert!(ended.step("Gate").log.contains("\n::error"), "{ended:#?}");
    }
}

#[test]
fn a_pass_passes() {
    let (_workspace, job) = comparing("unchanged.csv");
    let ended = job.input("name", "kernels-x86").run();
    assert!(ended.success, "{ended:#?}");
    assert_eq!(
        (ended.output("outcome"), ended.output("exit-code"), ended.output("regressions")),
        ("pass", "0", "0")
    );
    assert!(artifacts(&ended).contains(&"tollgate-verdict-kernels-x86"));
    assert!(!ended.log().contains("::error"), "{}", ended.log());
}

#[test]
fn fail_on_says_which_outcomes_fail() {
    let fails = |fail_on: &str| {
        let (_workspace, job) = comparing("regressed.csv");
        !job.input("fail-on", fail_on).run().success
    };
    assert!(fails("regressed"));
    assert!(fails("inconclusive,regressed"));
    assert!(!fails("inconclusive,error"));
    assert!(!fails("never"));
    // A word that is none is a mistake, not a gate that never fails.
    assert!(fails("regresed"));
}

#[test]
fn a_shallow_pull_request_is_built_and_checked_by_the_real_program() {
    let scene = Scene::new("feature", 1);
    let workspace = scene.checkout(&scene.merge, 1);
    let job = Job::new(&workspace, "pull_request", scene.pull_request()).input("budget", "20s");
    let ended = job.run();
    // The note changes no executable, so there is nothing to measure.
    assert!(ended.success, "{ended:#?}");
    let verdict: serde_json::Value =
        serde_json::from_slice(&std::fs::read(ended.output("verdict")).unwrap()).unwrap();
    assert_eq!(verdict["base"]["rev"], scene.main.as_str());
    assert_eq!(verdict["head"]["rev"], scene.merge.as_str());
    assert_eq!(verdict["census"]["identical"], verdict["census"]["expected"]);
    let (_, cache) = ended.used.iter().find(|(uses, _)| uses.starts_with("actions/cache@")).unwrap();
    assert!(cache["key"].contains(&scene.main), "{cache:?}");
    assert!(Path::new(&cache["path"]).is_dir(), "what is cached lies where the action says: {cache:?}");
}

#[test]
fn a_program_that_says_pass_without_a_verdict_does_not_pass() {
    let (_workspace, job) = comparing("unchanged.csv");
    let ended = job.program("tollgate", "exit 0").run();
    assert!(!ended.success);
    assert_eq!(ended.output("outcome"), "error");
}

#[test]
fn what_benchmarks_print_is_not_obeyed() {
    let (_workspace, job) = comparing("unchanged.csv");
    let ended = job.program("tollgate", "printf '::error::evil\\n::add-mask::x'; exit 1").run();
    let log = &ended.step("Gate").log;
    let (before, after) = log.split_once("::error::evil").unwrap();
    let word = before.lines().find_map(|line| line.strip_prefix("::stop-commands::")).unwrap();
    assert_eq!(word.len(), 32);
    // On a line of its own, though what was printed ended without one.
    assert!(after.contains(&format!("\n::{word}::\n")), "{log}");
}

#[test]
fn measured_code_sees_no_token_and_no_file_that_steers_later_steps() {
    let (_workspace, job) = comparing("unchanged.csv");
    let seen = job.temp().join("seen");
    let script = format!("env >>'{}'; exit 3", seen.display());
    let job = job.program("tollgate", &script);
    let ended = job.run();
    assert_eq!(ended.output("outcome"), "inconclusive");
    let seen = std::fs::read_to_string(seen).unwrap();
    for name in ["GITHUB_TOKEN", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        assert!(!seen.contains(&format!("{name}=")), "{name}");
    }
    assert!(!seen.contains(TOKEN));
}

/// A stand-in that judges by the real program, writes down how `comment` is started, and ends that with a code.
fn commenting(job: Job, code: i32) -> (Job, std::path::PathBuf) {
    let asked = job.temp().join("asked");
    let script = format!(
        "if [ \"$1\" = comment ]; then\n  printf '%s\\n' \"$@\" >'{}'\n  [ \"$GITHUB_TOKEN\" = {TOKEN} ] || exit 9\n  exit {code}\nfi\nexec '{}' \"$@\"",
        asked.display(),
        env!("CARGO_BIN_EXE_tollgate"),
    );
    (job.program("tollgate", &script), asked)
}

/// The lines that `comment` was started with; they must be what the built program takes.
fn asked(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let words: Vec<String> = text.lines().map(str::to_owned).collect();
    if tollgate(root(), &["--help"]).stdout.contains("\n  comment") {
        let line = std::iter::once("tollgate".to_owned()).chain(words.iter().cloned());
        Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{error}"));
    }
    words
}

#[test]
fn only_the_step_that_reports_gets_the_token_and_its_code_counts() {
    for (code, outcome) in [(1, "regressed"), (0, "pass")] {
        let (_workspace, job) = comparing("regressed.csv");
        let (job, said) = commenting(job.input("comment", "on-change").input("check", "true"), code);
        let ended = job.run();
        // A regression that was accepted on the pull request passes.
        assert_eq!((ended.output("outcome"), ended.success), (outcome, code == 0), "{ended:#?}");
        let words = asked(&said);
        assert!(words.starts_with(&["comment".into(), "--name".into(), "tollgate".into()]), "{words:?}");
        assert!(words.contains(&"--check".into()) && words.contains(&"--summary".into()));
        assert_eq!(words.last().map(String::as_str), Some(ended.output("verdict")));
        assert_eq!(words.iter().any(|word| word.starts_with("--html-url=https://")), writes("html"));
        // The summary is written by `comment` then, once.
        assert_eq!(ended.step("Gate").summary, "");
    }
}

#[test]
fn a_comment_that_worked_hides_no_check_that_did_not() {
    let (_workspace, job) = comparing("unchanged.csv");
    let script = format!(
        "[ \"$1\" != comment ] || exit 0\n'{}' \"$@\"\n[ \"$1\" != compare ] || exit 4",
        env!("CARGO_BIN_EXE_tollgate")
    );
    let ended = job.program("tollgate", &script).input("comment", "always").run();
    assert!(!ended.success);
    assert_eq!((ended.output("outcome"), ended.output("exit-code")), ("incomplete", "4"), "{ended:#?}");
}

#[test]
fn the_trusted_job_measures_nothing_and_hands_over_the_folder_and_the_event() {
    let (_workspace, job) = Job::anywhere();
    let folder = job.temp().join("verdicts");
    let job = job
        .input("command", "comment")
        .input("from-artifact", &folder.display().to_string())
        .input("comment", "on-change")
        .input("check", "true")
        .input("expect-shards", "2");
    for (code, success) in [(1, true), (0, true), (6, false), (2, false)] {
        let (job, said) = commenting(job.again(), code);
        let ended = job.run();
        assert_eq!(ended.success, success, "{code}: {ended:#?}");
        let words = asked(&said);
        assert!(words.iter().any(|word| word.starts_with("--from-artifact=")), "{words:?}");
        assert!(words.iter().any(|word| word.starts_with("--event=")), "{words:?}");
        assert!(words.contains(&"--expect-shards=2".into()), "{words:?}");
        assert!(ended.used.is_empty(), "{:?}", ended.used);
    }
    // Where nothing was uploaded there was no folder; it is there, and empty, for the command to say so.
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
}

#[test]
fn hostile_inputs_are_arguments_and_nothing_more() {
    for hostile in ["$(touch pwned)", "`touch pwned`", "; touch pwned", "a' 'b; touch pwned", "%0A::error::x"]
    {
        for input in ["budget", "margin", "config", "args"] {
            let (workspace, job) = Job::anywhere();
            let job = job.program("tollgate", "printf '<%s>\\n' \"$@\"; exit 2");
            let ended = job.input("command", "compare").input(input, hostile).run();
            assert!(!ended.success, "{input}={hostile}");
            nothing_was_run(&[workspace.path()]);
        }
        for input in ["name", "command", "fail-on", "comment", "version", "working-directory", "summary"] {
            let (workspace, job) = comparing("unchanged.csv");
            let ended = job.input(input, hostile).run();
            assert!(!ended.success, "{input}={hostile}: {ended:#?}");
            assert!(ended.log().contains("::error title=Tollgate::"), "{input}={hostile}: {ended:#?}");
            nothing_was_run(&[workspace.path()]);
        }
    }
    let (_workspace, job) = Job::anywhere();
    let job = job.program("tollgate", "printf '<%s>\\n' \"$@\"; exit 2").input("command", "compare");
    let log = job.input("args", "--a \"two words\" '$HOME' *").run().log();
    assert!(log.contains("<--a>\n<two words>\n<$HOME>\n<*>"), "{log}");
}

#[test]
fn an_input_that_a_command_does_not_heed_is_refused() {
    for (input, value) in [("budget", "5m"), ("base", "main")] {
        let (_workspace, job) = comparing("unchanged.csv");
        let ended = job.input(input, value).run();
        assert!(!ended.success);
        assert!(ended.log().contains(&format!("input `{input}` is ")), "{}", ended.log());
    }
}
