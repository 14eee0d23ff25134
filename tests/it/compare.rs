//! `compare`, `judge` and `report` from the command line, and the exit codes that they reach.

use crate::support::tollgate::tollgate;
use std::{fmt::Write, fs, path::Path};

/// A table of `blocks` blocks of six slots of one benchmark, head `factor` times as slow as base, with a little scatter.
fn table(blocks: usize, factor: f64) -> String {
    let orders = ["AABBAB", "BABABA", "ABBAAB", "BBAABA", "ABABBA"];
    let mut text = String::from("position,block,side,value\n");
    let mut position = 0;
    for block in 0..blocks {
        for side in orders[block % orders.len()].chars() {
            let noise = 1.0 + 0.002 * ((position * 7919) % 11) as f64;
            let value = 1000.0 * noise * if side == 'B' { factor } else { 1.0 };
            writeln!(text, "{position},{block},{side},{value}").unwrap();
            position += 1;
        }
    }
    text
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_slower_head_is_regressed_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let slots = write(folder.path(), "parse.csv", &table(4, 1.2));
    let ran = tollgate(folder.path(), &["compare", "--slots", &slots, "--format", "json"]).exits(1);
    let verdict = ran.json();
    assert_eq!(verdict["schema"], "tollgate.verdict/1");
    assert_eq!(verdict["outcome"], "regressed");
    assert_eq!(verdict["exit_code"], 1);
    let row = &verdict["benchmarks"][0];
    assert_eq!(row["id"], "parse");
    assert_eq!(row["verdict"], "regressed");
    assert_eq!(row["rounds"], 12);
    let estimate = row["change"]["estimate"].as_f64().unwrap();
    assert!((0.17..0.23).contains(&estimate), "{estimate}");
    assert!(row["q_value"].as_f64().unwrap() <= 0.01);
    assert_eq!(verdict["families"][0]["tests"], 1);
    assert_eq!(verdict["census"]["compared"], 1);
}

#[test]
fn equal_sides_are_unchanged_and_a_faster_head_is_improved_and_both_exit_with_0() {
    let folder = tempfile::tempdir().unwrap();
    for (factor, verdict) in [(1.0, "unchanged"), (0.8, "improved")] {
        let slots = write(folder.path(), "a.csv", &table(4, factor));
        let ran = tollgate(folder.path(), &["compare", "--slots", &slots, "--format", "json"]).exits(0);
        assert_eq!(ran.json()["benchmarks"][0]["verdict"], verdict, "{}", ran.stdout);
    }
}

#[test]
fn a_margin_above_the_change_lets_it_through() {
    let folder = tempfile::tempdir().unwrap();
    let slots = write(folder.path(), "a.csv", &table(4, 1.2));
    tollgate(folder.path(), &["compare", "--slots", &slots, "--margin", "50%"]).exits(0);
    tollgate(folder.path(), &["compare", "--slots", &slots, "--margin", "0"]).exits(1);
}

#[test]
fn one_value_a_side_is_reported_and_never_tested() {
    let folder = tempfile::tempdir().unwrap();
    let slots = write(folder.path(), "a.csv", "position,block,side,value\n0,0,A,100\n1,0,B,900\n");
    let ran = tollgate(folder.path(), &["compare", "--slots", &slots, "--format", "json"]).exits(3);
    let row = &ran.json()["benchmarks"][0];
    assert_eq!(row["verdict"], "inconclusive");
    assert_eq!(row["base"], 100.0);
    assert_eq!(row["head"], 900.0);
    assert!(row["p_value"].is_null(), "{row}");
}

#[test]
fn nothing_to_compare_is_incomplete_and_exits_with_4() {
    let folder = tempfile::tempdir().unwrap();
    let slots = write(folder.path(), "a.csv", "position,block,side,value\n");
    tollgate(folder.path(), &["compare", "--slots", &slots]).exits(4);
    let slots = write(folder.path(), "b.csv", "position,block,side,value\n0,0,B,1\n1,0,B,2\n");
    tollgate(folder.path(), &["compare", "--slots", &slots]).exits(4);
}

#[test]
fn bad_input_is_named_by_file_and_line_and_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let slots = write(folder.path(), "bad.csv", "position,block,side,value\n0,0,A,1\n1,0,B,zero\n");
    let ran = tollgate(folder.path(), &["compare", "--slots", &slots]).exits(2);
    assert!(ran.stderr.contains("bad.csv") && ran.stderr.contains('3'), "{}", ran.stderr);
    tollgate(folder.path(), &["compare", "--slots", "missing.csv"]).exits(2);
    tollgate(folder.path(), &["compare", "--slots", &slots, "--margin", "lots"]).exits(2);
    tollgate(folder.path(), &["compare"]).exits(2);
    tollgate(folder.path(), &["no-such-command"]).exits(2);
}

#[test]
fn a_bad_configuration_exits_with_2_and_names_the_line_and_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let slots = write(folder.path(), "a.csv", &table(4, 1.0));
    write(folder.path(), "tollgate.toml", "[policy]\nmargn = \"2%\"\n");
    let ran = tollgate(folder.path(), &["compare", "--slots", &slots]).exits(2);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("unknown key `policy.margn`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("line 2") && ran.stderr.contains("did you mean `margin`?"), "{}", ran.stderr);
}

#[test]
fn a_file_that_cannot_be_written_exits_with_6_unless_something_worse_applies() {
    let folder = tempfile::tempdir().unwrap();
    let good = write(folder.path(), "good.csv", &table(4, 1.0));
    let bad = write(folder.path(), "bad.csv", &table(4, 1.5));
    let output = ["--output", "json=/dev/null/v.json"];
    let ran = tollgate(folder.path(), &[&["compare", "--slots", &good][..], &output].concat()).exits(6);
    assert!(ran.stderr.contains("/dev/null/v.json"), "{}", ran.stderr);
    assert!(ran.stdout.contains("good"), "the verdict is printed all the same: {}", ran.stdout);
    let verdict = tollgate(folder.path(), &["compare", "--slots", &bad, "--format", "json"]).exits(1);
    let kept = write(folder.path(), "kept.json", &verdict.stdout);
    tollgate(folder.path(), &["report", &kept]).exits(0);
    tollgate(folder.path(), &[&["report", &kept][..], &output].concat()).exits(6);
    tollgate(folder.path(), &[&["compare", "--slots", &bad][..], &output].concat()).exits(1);
}

#[test]
fn a_verdict_is_judged_again_to_the_same_bytes_and_rendered_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let slots = write(folder.path(), "parse.csv", &table(6, 1.05));
    let output = ["--output", "v.json", "--output", "markdown=v.md", "--output", "table=v.txt"];
    tollgate(folder.path(), &[&["compare", "--slots", &slots][..], &output].concat()).exits(1);
    let verdict = fs::read(folder.path().join("v.json")).unwrap();
    let again = tollgate(folder.path(), &["judge", "v.json", "--format", "json"]).exits(1);
    assert_eq!(again.stdout.as_bytes(), verdict);
    for (format, name) in [("json", "v.json"), ("markdown", "v.md"), ("table", "v.txt")] {
        let rendered = tollgate(folder.path(), &["report", "v.json", "--format", format]).exits(0);
        assert_eq!(rendered.stdout, fs::read_to_string(folder.path().join(name)).unwrap(), "{format}");
    }
    let lenient = tollgate(folder.path(), &["judge", "v.json", "--margin", "20%"]);
    lenient.exits(0);
}

#[test]
fn a_newer_format_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "v.json", r#"{"schema": "tollgate.verdict/2"}"#);
    for command in ["judge", "report"] {
        let ran = tollgate(folder.path(), &[command, &file]).exits(2);
        assert!(
            ran.stderr.contains("tollgate.verdict/2") && ran.stderr.contains("update tollgate"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn the_usage_names_both_results_once() {
    let folder = tempfile::tempdir().unwrap();
    let ran = tollgate(folder.path(), &["compare", "--help"]).exits(0);
    assert_eq!(
        (ran.stdout.matches("A B").count(), ran.stdout.matches("[A] [B]").count()),
        (0, 1),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_is_no_file_of_ours_is_told_by_how_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "v.json", "[]");
    // `report` reads other tools' results too, so it cannot know what the file was meant to be.
    for (command, words) in [
        ("judge", "is no run, verdict or baseline file: it starts with `[]`"),
        ("report", "is no output of a tool that is known"),
    ] {
        let ran = tollgate(folder.path(), &[command, &file]).exits(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let slots = write(folder.path(), "a.csv", &table(4, 1.0));
    let line = format!(
        "'{}' compare --slots '{slots}' --format json | true; echo ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_tollgate")
    );
    let output =
        std::process::Command::new("bash").args(["-c", &line]).current_dir(folder.path()).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "0",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
