//! `tollgate check` that judges criterion benches and a service of one crate together: one verdict, two families.
//!
//! Changes here are of × 2 and more, and margins of 50 %, so that no machine and no hour can hide or make one.

use std::{fs, path::Path};

use crate::{
    check::{bench, units},
    comment::Job,
    support::{
        repository::Repository,
        tollgate::{Ran, command, ran},
    },
};
use serde_json::{Value, json};
use tollgate::format::verdict_v1;

const MANIFEST: &str = "[package]
name = \"tiny\"
version = \"0.1.0\"
edition = \"2021\"

[lib]
bench = false

[[bin]]
name = \"tiny\"
bench = false

[dev-dependencies]
criterion = { version = \"0.8\", default-features = false, features = [\"cargo_bench_support\"] }

[[bench]]
name = \"kernels\"
harness = false
";

const FILE: &str = "[policy]
margin = \"50%\"

[[rule]]
benchmark = \"load:*\"
margin = \"50%\"

[[load]]
name = \"tiny\"
build = [\"cargo\", \"build\", \"--release\", \"--offline\"]
command = [\"target/release/tiny\"]
ready = { port = true }
rate = 80
warmup = \"100ms\"
window = \"600ms\"
timeout = \"1s\"
drain = \"500ms\"
gate = [\"latency.p50\"]
alike = 6

[[load.request]]
path = \"/a\"
";

fn library() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/load/lib.rs");
    fs::read_to_string(path).unwrap()
}

/// A crate with one bench and one service, committed as the base.
fn both() -> Repository {
    let project = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/load").join(name);
    let repository = Repository::new();
    repository
        .write("Cargo.toml", MANIFEST)
        .write("src/lib.rs", &library())
        .write("src/main.rs", &fs::read_to_string(project("main.rs")).unwrap())
        .write("benches/kernels.rs", &bench(&[("steps", &units(600))]).replace("sample::work", "tiny::work"))
        .write("tollgate.toml", FILE);
    repository.commit("base");
    repository
}

fn tollgate(repository: &Repository, args: &[&str]) -> Ran {
    let mut command = command(repository.root());
    command.env("TOLLGATE_CACHE_DIR", repository.cache());
    ran(&command.args(args).output().unwrap())
}

fn check(repository: &Repository, args: &[&str]) -> Ran {
    let budget: &[&str] = if args.contains(&"--budget") { &[] } else { &["--budget", "60s"] };
    tollgate(repository, &[&["check", "--base", "HEAD"], budget, args].concat())
}

/// `id metric verdict`, in the order of the verdict.
fn rows(verdict: &Value) -> Vec<String> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = verdict["benchmarks"].as_array().unwrap().iter();
    rows.map(|row| format!("{} {} {}", text(row, "id"), text(row, "metric"), text(row, "verdict"))).collect()
}

/// The name, the number of tests and the share of false alarms of each family.
fn families(verdict: &Value) -> Vec<(String, u64, f64)> {
    let family = |family: &Value| {
        let name = family["name"].as_str().unwrap().to_owned();
        (name, family["tests"].as_u64().unwrap(), family["false_discovery_rate"].as_f64().unwrap())
    };
    verdict["families"].as_array().unwrap().iter().map(family).collect()
}

/// Expected, measured, compared, identical.
fn census(verdict: &Value) -> [u64; 4] {
    ["expected", "measured", "compared", "identical"].map(|key| verdict["census"][key].as_u64().unwrap())
}

#[test]
fn a_head_that_is_slower_in_both_kinds_fails_once_and_every_report_holds_both() {
    let repository = both();
    let slower =
        library().replace("(0..steps)", "(0..2 * steps)").replace("from_millis(100)", "from_millis(300)");
    repository.write("src/lib.rs", &slower);
    let file = |name: &str| repository.around().join(name);
    let outputs = ["markdown", "html", "junit"].map(|format| format!("{format}={}", file(format).display()));
    let [markdown, html, junit] = &outputs;
    let ran =
        check(&repository, &["--seed", "7", "--format", "json", "-o", markdown, "-o", html, "-o", junit])
            .exits(1);

    let verdict = ran.json();
    let found = rows(&verdict);
    for row in ["g/steps time regressed", "load:tiny latency.p50 regressed"] {
        assert!(found.iter().any(|found| found == row), "{found:?}");
    }
    // Whether no more requests fail may be open; that more do is not.
    assert!(found.iter().any(|row| row.starts_with("load:tiny error_rate ")), "{found:?}");
    assert!(!found.contains(&"load:tiny error_rate regressed".to_owned()), "{found:?}");
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(families(&verdict), [("time".to_owned(), 1, 0.005), ("load".to_owned(), 2, 0.005)]);
    assert_eq!(census(&verdict), [2, 2, 2, 0]);
    let reason = verdict["outcomes"][0]["reason"].as_str().unwrap();
    assert_eq!(reason, "2 benchmarks regressed: g/steps and load:tiny");
    let sides: Vec<&Value> =
        verdict["load"].as_array().unwrap().iter().flat_map(|load| [&load["id"], &load["side"]]).collect();
    assert_eq!(sides, ["load:tiny", "base", "load:tiny", "head"]);

    for format in ["markdown", "html", "junit"] {
        let text = fs::read_to_string(file(format)).unwrap();
        for name in ["g/steps", "load:tiny", "latency.p50"] {
            assert!(text.contains(name), "no `{name}` in the {format} report:\n{text}");
        }
    }
    let mut verdict = verdict_v1::from_json(ran.stdout.as_bytes()).unwrap();
    // The job's commit is a made-up one.
    verdict.head.rev = Some("a".repeat(40));
    if let Some(run) = &mut verdict.evidence {
        run.head.rev.clone_from(&verdict.head.rev);
    }
    let mut job = Job::start();
    job.bring(&verdict).exits(1);
    let comment = job.only();
    for name in ["g/steps", "load:tiny", "latency.p50"] {
        assert!(comment.contains(name), "no `{name}` in the comment:\n{comment}");
    }
}

#[test]
fn other_code_of_the_same_speed_passes_and_a_filter_or_a_bench_target_leaves_one_kind() {
    let repository = both();
    repository.write("src/lib.rs", &library().replace("rotate_left(5)", "rotate_left(6)"));
    // Room for a look at each; whether no more requests fail stays open, and would take all of any budget.
    let verdict = check(&repository, &["--format", "json", "--budget", "50s"]).exits(0).json();
    let found = rows(&verdict);
    assert!(found.iter().all(|row| !row.ends_with("regressed")), "{found:?}");
    assert!(found.contains(&"load:tiny latency.p50 unchanged".to_owned()), "{found:?}");
    assert_eq!(families(&verdict), [("time".to_owned(), 1, 0.005), ("load".to_owned(), 2, 0.005)]);
    assert_eq!(census(&verdict), [2, 2, 2, 0]);

    // What was measured before belongs to a check only if it is asked for; then one family has the whole rate.
    let one = check(&repository, &["--format", "json", "--filter", "^g/"]).exits(0).json();
    assert!(one["warnings"].to_string().contains("went on from an earlier check"), "{one:#}");
    assert_eq!(rows(&one), ["g/steps time unchanged"]);
    assert_eq!(families(&one), [("time".to_owned(), 1, 0.01)]);
    assert_eq!(one["census"]["ignored"], json!([{"id": "load:tiny", "reason": "not matched by `--filter`"}]));
    assert!(one.get("load").is_none_or(|load| *load == json!([])), "{one:#}");
    assert!(one.get("score").is_none_or(Value::is_null), "{one:#}");

    // It is still there for a check that asks for it: the budget has no room for a block.
    let other = check(&repository, &["--format", "json", "--budget", "1s", "--filter", "^load:"]).json();
    assert_eq!(rows(&other), rows(&verdict)[1..]);
    assert_eq!(families(&other), [("load".to_owned(), 2, 0.01)]);
    assert_eq!(other["census"]["ignored"], json!([{"id": "g/steps", "reason": "not matched by `--filter`"}]));

    let bench = check(&repository, &["--format", "json", "--bench", "kernels"]).exits(0).json();
    assert_eq!(rows(&bench), ["g/steps time unchanged"]);
    let left_out = json!([{"id": "load:tiny", "reason": "no bench target of `--bench`"}]);
    assert_eq!(bench["census"]["ignored"], left_out);
}

#[test]
fn the_list_holds_both_kinds_and_what_one_of_them_leaves_out() {
    let repository = both();
    repository.write("src/lib.rs", &library().replace("rotate_left(5)", "rotate_left(6)"));
    let list = |args: &[&str]| check(&repository, &[&["--list"], args].concat()).exits(0).stdout;
    let all = list(&[]);
    for words in
        ["kernels:g/steps  ", "load:tiny  ", "2 benchmarks would be measured", "load benchmarks come last"]
    {
        assert!(all.contains(words), "`{words}` in:\n{all}");
    }
    for (args, words) in [
        (["--filter", "^g/"], "load:tiny  left out: not matched by `--filter`"),
        (["--filter", "^load:"], "kernels:g/steps  left out: not matched by `--filter`"),
        (["--bench", "kernels"], "load:tiny  left out: no bench target of `--bench`"),
    ] {
        let one = list(&args);
        assert!(one.contains(words) && one.contains("1 benchmark would be measured"), "`{words}` in:\n{one}");
    }

    // Comments are no change of either.
    repository.write("src/lib.rs", &(library() + "// One comment more.\n"));
    let verdict = check(&repository, &["--format", "json"]).exits(0).json();
    assert_eq!(census(&verdict), [2, 2, 2, 2], "{verdict:#}");
}
