//! Commands of any language in `check` and `run`: tiny scripts that print Go's lines, in repositories without a `Cargo.toml`.
//!
//! The scripts print numbers that the revision holds, with a scatter of their own, so that no machine and no hour plays a part.

use crate::support::{
    repository::{self, Repository},
    tollgate::{Ran, command, ran},
};
use serde_json::Value;

/// Prints two benchmarks: `BenchmarkA` takes what the file `a` says, `BenchmarkB` always 500 ns; both scatter by a few tenths of a per cent.
const SCRIPT: &str = "#!/bin/sh
jitter=$(( ($$ + ${#TOLLGATE_PADDING}) % 7 ))
echo \"pkg: example.com/x\"
echo \"BenchmarkA-2 1000 $(cat a).$jitter ns/op 16 B/op\"
echo \"BenchmarkB-2 1000 500.$jitter ns/op\"
[ -f more ] && echo \"BenchmarkC-2 1000 5 ns/op\"
exit 0
";

const FILE: &str = "[[command]]\nname = \"go\"\nrun = \"sh bench.sh\"\nas = \"go\"\n";

fn repository() -> Repository {
    let repository = Repository::new();
    repository.write("bench.sh", SCRIPT).write("a", "200").write("tollgate.toml", FILE);
    repository.commit("base");
    repository
}

fn tollgate(repository: &Repository, args: &[&str]) -> Ran {
    let mut command = command(repository.root());
    command.env("TOLLGATE_CACHE_DIR", repository.cache()).args(args);
    ran(&command.output().unwrap())
}

fn check(repository: &Repository, args: &[&str]) -> Ran {
    let always = ["check", "--base", "HEAD", "--seed", "7", "--budget", "60s", "--format", "json"];
    tollgate(repository, &[&always, args].concat())
}

/// Verdicts by id and metric.
fn verdicts(verdict: &Value) -> Vec<String> {
    let rows = verdict["benchmarks"].as_array().unwrap().iter();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let mut found: Vec<String> = rows
        .map(|row| format!("{} {} {}", text(row, "id"), text(row, "metric"), text(row, "verdict")))
        .collect();
    found.sort();
    found
}

#[test]
fn a_slowdown_is_found_and_the_rest_is_unchanged() {
    let repository = repository();
    repository.write("a", "220");
    let ran = check(&repository, &[]).exits(1);
    let verdict = ran.json();
    assert_eq!(
        verdicts(&verdict),
        ["go:BenchmarkA allocated unchanged", "go:BenchmarkA time regressed", "go:BenchmarkB time unchanged"]
    );
    let row =
        &verdict["benchmarks"].as_array().unwrap().iter().find(|row| row["verdict"] == "regressed").unwrap();
    assert!((row["change"]["estimate"].as_f64().unwrap() - 0.1).abs() < 0.01, "{row}");
    assert_eq!((row["target"].as_str(), row["unit"].as_str()), (Some("example.com/x"), Some("ns")));
    // Nothing is left in the user's tree, and the same run is judged again to the same bytes.
    assert_eq!(repository.git(&["status", "--porcelain"]), " M a");
    let again = tollgate(&repository, &["judge", "target/tollgate/run.json", "--format", "json"]).exits(1);
    assert_eq!(verdicts(&again.json()), verdicts(&verdict));
}

#[test]
fn a_change_that_changes_nothing_passes_and_the_same_files_are_not_measured() {
    let repository = repository();
    let same = check(&repository, &[]).exits(0).json();
    assert!(verdicts(&same).iter().all(|row| row.ends_with("identical")), "{same}");
    repository.write("notes", "x");
    let verdict = check(&repository, &[]).exits(0).json();
    assert!(verdicts(&verdict).iter().all(|row| row.ends_with("unchanged")), "{verdict}");
}

#[test]
fn a_typed_command_needs_no_file_and_is_built_once_a_side() {
    let repository = Repository::new();
    repository.write("bench.sh", SCRIPT).write("a", "200").write(".gitignore", "/target\nbuilt\n");
    repository.commit("base");
    repository.write("a", "150").write("more", "");
    let line = "cat built > /dev/null && sh bench.sh > {out}; echo noise";
    let args = [
        "--command",
        line,
        "--as",
        "go",
        "--name",
        "words",
        "--build",
        "test ! -e built && echo {side} > built",
    ];
    let verdict = check(&repository, &args).exits(0).json();
    let expected = [
        "words:BenchmarkA allocated unchanged",
        "words:BenchmarkA time improved",
        "words:BenchmarkB time unchanged",
        "words:BenchmarkC time new",
    ];
    assert_eq!(verdicts(&verdict), expected);
    assert_eq!(verdict["census"]["new"][0], "words:BenchmarkC");
}

#[test]
fn a_command_that_fails_on_a_side_is_an_error_that_says_its_words() {
    let repository = repository();
    repository.write("bench.sh", "echo 'no such gopher' >&2; exit 3\n");
    let ran = check(&repository, &[]).exits(5);
    let verdict = ran.json();
    assert!(verdicts(&verdict).iter().all(|row| row.ends_with("failed")), "{verdict}");
    let reason = verdict["benchmarks"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("head") && reason.contains("no such gopher"), "{reason}");
    // A benchmark that vanished is no pass either.
    repository.write("bench.sh", &SCRIPT.replace("BenchmarkB", "Benchmark_"));
    let verdict = check(&repository, &[]).exits(4).json();
    assert_eq!(verdict["census"]["missing"][0], "go:BenchmarkB");
}

#[test]
fn a_hung_command_is_ended() {
    let repository = repository();
    repository
        .write("bench.sh", "sleep 600\n")
        .write("tollgate.toml", &format!("{FILE}timeout = \"300ms\"\n"));
    let verdict = check(&repository, &[]).exits(5).json();
    let reason = verdict["benchmarks"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("did not end within 0.3 s"), "{reason}");
}

#[test]
fn names_of_revisions_never_reach_the_shell() {
    let repository = repository();
    repository.git(&["branch", "x;touch${IFS}pwned;#"]);
    repository.write("a", "220");
    let args = [
        "check",
        "--base",
        "x;touch${IFS}pwned;#",
        "--seed",
        "7",
        "--format",
        "json",
        "--as",
        "go",
        "--command",
    ];
    let line = "test {rev} && test -d {dir} && sh bench.sh";
    tollgate(&repository, &[&args[..], &[line]].concat()).exits(1);
    assert!(!repository.root().join("pwned").exists());
    assert_eq!(repository.git(&["status", "--porcelain"]), " M a");
}

#[test]
fn run_measures_both_revisions_and_judge_judges_them() {
    let repository = repository();
    repository.write("a", "220");
    let args = [
        "run",
        "--base",
        "HEAD",
        "--seed",
        "7",
        "--command",
        "sh bench.sh",
        "--as",
        "go",
        "--name",
        "go",
        "-o",
        "target/run.json",
    ];
    tollgate(&repository, &args).exits(0);
    let verdict = tollgate(&repository, &["judge", "target/run.json", "--format", "json"]).exits(1).json();
    assert!(verdicts(&verdict).contains(&"go:BenchmarkA time regressed".to_owned()), "{verdict}");
}

#[test]
fn the_wall_time_of_any_program_is_a_benchmark() {
    let repository = Repository::new();
    repository.write("wait", "0.02");
    repository.commit("base");
    repository.write("wait", "0.2");
    let verdict = check(&repository, &["--command", "sleep $(cat wait)"]).exits(1).json();
    assert_eq!(verdicts(&verdict), ["sleep time regressed"]);
}

#[test]
fn an_entry_that_is_wrong_is_refused_with_its_line() {
    let repository = repository();
    repository.write("tollgate.toml", "[[command]]\nname = \"go\"\nrun = \"x\"\nas = \"gopher\"\n");
    let ran = check(&repository, &[]).exits(2);
    assert!(ran.stderr.contains("line 4") && ran.stderr.contains("`gopher` is no format"), "{}", ran.stderr);
}

#[test]
fn a_bench_target_by_name_leaves_commands_out_and_says_so() {
    let repository = repository();
    repository
        .write("Cargo.toml", &repository::manifest("sample", &["kernel"]))
        .write("src/lib.rs", &repository::library("\"fine\".to_owned()"))
        .write("benches/kernel.rs", &repository::bench("sample"));
    repository.commit("a crate beside it");
    repository.write("a", "220");
    let listed = tollgate(&repository, &["check", "--base", "HEAD", "--list", "--bench", "kernel"]);
    assert!(listed.stdout.contains("go  left out: no bench target of `--bench`"), "{}", listed.stdout);
    let verdict = check(&repository, &["--bench", "kernel"]).json();
    assert_eq!(verdict["census"]["ignored"][0]["id"], "go", "{verdict}");
}
