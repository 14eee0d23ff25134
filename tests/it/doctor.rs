//! `doctor` on this machine with tiny counts: what it says has its structure, whatever the hour; nothing here depends on timing.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tollgate::{
    calibrate::{Options, kernel::Shape},
    commands::doctor::{Plan, Report, Request, run_plan},
    commands::failure::Failure,
    model::outcome::{ErrorClass, Outcome},
    process::Interrupt,
    progress::Silent,
};

use crate::support::tollgate::{command, tollgate};

fn examine(executable: &Path, state: &Path, interrupt: &Interrupt) -> Result<Report, Failure> {
    let request =
        Request { quick: true, seed: 7, executable: executable.to_owned(), state: state.to_owned() };
    let self_test = Options {
        shape: Shape { warm_up_ms: 1, measure_ms: 2, samples: 3 },
        budget: Duration::from_secs(3),
        null_series: 1,
        ..Options::quick(7)
    };
    run_plan(&request, &Plan { rest: Duration::ZERO, self_test }, &Silent, interrupt)
}

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_tollgate"))
}

#[test]
fn a_tiny_examination_with_real_processes_has_all_its_parts() {
    let state = tempfile::tempdir().unwrap();
    let report = examine(&program(), state.path(), &Interrupt::new()).unwrap();
    assert!(matches!(report.outcome(), Outcome::Pass | Outcome::Inconclusive));
    let (_, blocks) = report.self_test.voided_blocks();
    assert!(blocks >= 1, "a block of six slots of 3 ms fits into 3 s");
    for series in &report.self_test.recording.series {
        for block in series.values() {
            let heads = block.iter().filter(|slot| slot.side == tollgate::model::run::Side::Head).count();
            assert_eq!((block.len(), heads), (6, 3));
            assert!(block.iter().all(|slot| slot.fast > 0.0 && slot.fast <= slot.median));
        }
    }
    let text = report.to_text(100);
    for part in ["\nmachine (", "\nself-test (", "  measured ", "\nwhat to change\n"] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    let json: serde_json::Value = serde_json::from_slice(&report.to_json()).unwrap();
    assert_eq!(json["seed"], 7);
    assert_eq!(json["self_test"]["blocks"], blocks);
    assert_eq!(json["exit_code"], report.outcome().exit_code());
    let slots = std::fs::read_to_string(report.recorded.unwrap()).unwrap();
    assert!(slots.starts_with("benchmark,position,block,side,value\n"));
}

#[test]
fn an_interrupt_keeps_what_was_measured_and_is_an_error() {
    let state = tempfile::tempdir().unwrap();
    let interrupt = Interrupt::new();
    interrupt.request("SIGTERM");
    let report = examine(&program(), state.path(), &interrupt).unwrap();
    assert_eq!(report.outcome(), Outcome::Error(ErrorClass::Measurement));
    assert!(report.to_text(80).starts_with("interrupted by SIGTERM after"));
    assert!(report.self_test.recording.series.is_empty());
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_costs_nothing_else() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("file");
    std::fs::write(&file, "").unwrap();
    let report = examine(&program(), &file.join("folder"), &Interrupt::new()).unwrap();
    assert!(report.recorded.is_err());
    assert!(report.to_text(200).contains("not kept: "));
}

#[cfg(unix)]
#[test]
fn a_program_that_is_not_ours_is_an_error_and_no_value() {
    use std::os::unix::fs::PermissionsExt;
    let state = tempfile::tempdir().unwrap();
    let script = |name: &str, body: &str| {
        let path = state.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let garbage = "could not read the answer of kernel `sort` of the self-test";
    let cases = [
        (script("prints", "echo hello"), garbage),
        (script("silent", "true"), garbage),
        (script("torn", "printf 'tollgate-slot/1 0\\n10 5\\n10 5\\n10'"), garbage),
        (script("zero", "printf 'tollgate-slot/1 0\\n10 0\\n10 5\\n10 5\\nend\\n'"), garbage),
        (
            script("fails", "echo broken >&2; exit 3"),
            "kernel `sort` of the self-test exited with status 3: broken",
        ),
        (state.path().join("missing"), "could not measure kernel `sort` of the self-test"),
    ];
    for (executable, message) in cases {
        let failure = examine(&executable, state.path(), &Interrupt::new()).unwrap_err();
        assert_eq!(failure.to_string(), message, "{}", executable.display());
        assert_eq!(failure.outcome().exit_code(), 5);
        assert!(failure.hint().is_some());
    }
}

#[test]
fn the_slots_of_the_self_test_are_asked_for_by_an_argument_that_no_help_shows() {
    let here = tempfile::tempdir().unwrap();
    let ran = tollgate(here.path(), &["__doctor-slot", "hash", "105", "001", "002", "003"]).exits(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("tollgate-slot/1 "), "{}", ran.stdout);
    assert_eq!((lines.len(), lines[4]), (5, "end"));
    let broken = tollgate(here.path(), &["__doctor-slot", "hash", "105"]).exits(2);
    assert_eq!(broken.stdout, "");
    for help in [&["--help"][..], &["help"], &["doctor", "--help"]] {
        assert!(!tollgate(here.path(), help).exits(0).stdout.contains("__doctor-slot"));
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_self_test_with_exit_code_five() {
    let here = tempfile::tempdir().unwrap();
    let mut child = command(here.path())
        .args(["doctor", "--quick", "--seed", "7"])
        .env("TMPDIR", here.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The phase is announced before the first slot starts, so the signal always comes during the self-test
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let announced = stderr.by_ref().any(|line| line.unwrap().contains("self-test"));
    assert!(announced, "the self-test was not announced");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    stderr.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(5), "{stdout}");
    assert!(stdout.starts_with("interrupted by SIGINT after "), "{stdout}");
}
