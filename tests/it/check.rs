//! `tollgate check` from the command line on real repositories with real criterion benches.
//!
//! Changes here are of × 2 and more, so that no machine and no hour can hide them; finer ones are replayed or simulated.

use crate::support::{
    repository::Repository,
    tollgate::{Ran, command, ran, tollgate},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

const MANIFEST: &str = "[package]
name = \"sample\"
version = \"0.1.0\"
edition = \"2021\"

[lib]
bench = false

[dev-dependencies]
criterion = { version = \"0.8\", default-features = false, features = [\"cargo_bench_support\"] }

[[bench]]
name = \"kernels\"
harness = false
";

/// Work of `units` small steps that no optimiser can shorten.
pub(crate) const LIBRARY: &str = "pub fn work(units: u64) -> u64 {
    (0..units).fold(7, |state, unit| std::hint::black_box(state).rotate_left(5) ^ unit)
}
";

/// A bench target with one benchmark a line: name, then what it does.
pub(crate) fn bench(rows: &[(&str, &str)]) -> String {
    let functions: String =
        rows.iter().map(|(name, body)| format!("    g.bench_function({name:?}, |b| {body});\n")).collect();
    format!(
        "use criterion::{{criterion_group, criterion_main, Criterion}};\nuse sample::work;\n\
         fn kernels(c: &mut Criterion) {{\n    let mut g = c.benchmark_group(\"g\");\n{functions}    g.finish();\n}}\n\
         criterion_group!(benches, kernels);\ncriterion_main!(benches);\n"
    )
}

pub(crate) fn units(units: u64) -> String {
    format!("b.iter(|| work({units}))")
}

pub(crate) fn sample(rows: &[(&str, &str)]) -> Repository {
    let repository = Repository::new();
    repository
        .write("Cargo.toml", MANIFEST)
        .write("src/lib.rs", LIBRARY)
        .write("benches/kernels.rs", &bench(rows));
    repository.commit("base");
    repository
}

fn check(repository: &Repository, args: &[&str]) -> Ran {
    let base: &[&str] = if args.contains(&"--base") { &[] } else { &["--base", "HEAD"] };
    let all = [&["check", "--budget", "60s", "--seed", "7"], base, args].concat();
    ran(&command(repository.root()).env("TOLLGATE_CACHE_DIR", repository.cache()).args(all).output().unwrap())
}

fn row<'v>(verdict: &'v Value, id: &str) -> &'v Value {
    let rows = verdict["benchmarks"].as_array().unwrap();
    rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no row `{id}` in {verdict:#}"))
}

/// The folder of results: the shared target folder's.
fn results(verdict: &Ran) -> PathBuf {
    let line = verdict
        .stderr
        .lines()
        .find(|line| line.starts_with("kept in "))
        .unwrap_or_else(|| panic!("{}", verdict.stderr));
    PathBuf::from(line.trim_start_matches("kept in ").split(": ").next().unwrap())
}

/// What a check must leave as it was: status, refs, stash, worktrees, index.
pub(crate) fn traces(repository: &Repository) -> Vec<String> {
    let index = fs::read(repository.root().join(".git/index")).unwrap();
    vec![
        repository.git(&["--no-optional-locks", "status", "--porcelain"]),
        repository.git(&["for-each-ref"]),
        repository.git(&["stash", "list"]),
        repository.git(&["worktree", "list"]),
        repository.git(&["reflog"]),
        format!("{index:?}"),
    ]
}

#[test]
fn one_check_tells_slower_faster_steady_new_and_missing_apart() {
    let odd = "odd |name| *(x)* é/1 <b>";
    let base = [
        ("steady", &*units(900)),
        ("slower", &*units(600)),
        ("faster", &*units(1800)),
        ("gone", &*units(300)),
        (odd, &*units(700)),
    ];
    let repository = sample(&base);
    let head = [
        ("steady", &*units(900)),
        ("slower", &*units(1800)),
        ("faster", &*units(600)),
        ("fresh", &*units(300)),
        (odd, &*units(700)),
    ];
    repository.write("benches/kernels.rs", &bench(&head));
    let before = traces(&repository);
    let ran = check(&repository, &["--format", "json"]).exits(1);
    assert_eq!(traces(&repository), before);

    let verdict = ran.json();
    assert_eq!(verdict["outcome"], "regressed");
    assert_eq!(verdict["mode"], "paired");
    assert_eq!(verdict["seed"], 7);
    assert!(verdict["head"]["rev"].is_null() && verdict["base"]["rev"].as_str().unwrap().len() == 40);
    assert_eq!(row(&verdict, "g/slower")["verdict"], "regressed");
    let change = row(&verdict, "g/slower")["change"]["estimate"].as_f64().unwrap();
    assert!((1.0..4.0).contains(&change), "three times the work: {change}");
    assert_eq!(row(&verdict, "g/faster")["verdict"], "improved");
    assert_eq!(row(&verdict, "g/gone")["verdict"], "missing");
    assert_eq!(row(&verdict, "g/fresh")["verdict"], "new");
    for steady in ["g/steady", &format!("g/{odd}")] {
        let word = row(&verdict, steady)["verdict"].as_str().unwrap();
        assert!(["unchanged", "inconclusive"].contains(&word), "{steady}: {word}");
    }
    let census = &verdict["census"];
    assert_eq!((census["expected"].as_u64(), census["compared"].as_u64()), (Some(6), Some(4)));
    assert_eq!((&census["missing"][0], &census["new"][0]), (&"g/gone".into(), &"g/fresh".into()));

    // What was kept is what was printed, and it can be judged again from the samples and from the verdict.
    let folder = results(&ran);
    assert_eq!(fs::read_to_string(folder.join("verdict.json")).unwrap(), ran.stdout);
    for file in ["run.json", "verdict.json"] {
        let path = folder.join(file).display().to_string();
        let again = tollgate(repository.root(), &["judge", &path, "--format", "json"]).exits(1);
        assert_eq!(again.stdout, ran.stdout, "{file}");
    }
}

#[test]
fn a_change_of_documents_is_identical_at_once() {
    let repository = sample(&[("a", &units(500)), ("b", &units(700))]);
    repository.write("README.md", "Words.\n").write("src/lib.rs", &format!("//! More words.\n{LIBRARY}"));
    let ran = check(&repository, &["--format", "json"]).exits(0);
    let verdict = ran.json();
    assert_eq!(verdict["outcome"], "pass");
    assert_eq!(verdict["census"]["identical"], 2);
    assert_eq!(row(&verdict, "g/a")["verdict"], "identical");
    assert_eq!(row(&verdict, "g/a")["rounds"], 0);
}

#[test]
fn a_benchmark_that_panics_is_failed_with_its_words_and_the_others_go_on() {
    let repository = sample(&[("bad", &units(300)), ("good", &units(500))]);
    let panics = "b.iter(|| if work(3) != 1 { panic!(\"the disk is made of cheese\") })";
    repository.write("benches/kernels.rs", &bench(&[("bad", panics), ("good", &units(2000))]));
    let ran = check(&repository, &["--format", "json"]);
    let verdict = ran.exits(1).json();
    assert_eq!(row(&verdict, "g/bad")["verdict"], "failed");
    assert!(row(&verdict, "g/bad")["reason"].as_str().unwrap().contains("made of cheese"), "{verdict:#}");
    assert_eq!(row(&verdict, "g/good")["verdict"], "regressed");
    assert_eq!(verdict["census"]["failed"][0], "g/bad");

    let alone = check(&repository, &["--format", "json", "--filter", "bad"]).exits(5).json();
    assert_eq!(alone["outcome"], "error");
    assert_eq!(alone["census"]["ignored"][0]["id"], "g/good");
}

#[test]
fn a_check_that_fails_leaves_no_old_verdict_and_a_report_in_the_work_tree_is_no_change() {
    let repository = sample(&[("a", &units(500))]);
    repository.write("src/lib.rs", &LIBRARY.replace("rotate_left(5)", "rotate_left(6)"));
    repository.commit("second");
    let default = |args: &[&str]| {
        let all = [&["check", "--budget", "5s", "-o", "v.json"], args].concat();
        ran(&command(repository.root())
            .env("TOLLGATE_CACHE_DIR", repository.cache())
            .args(all)
            .output()
            .unwrap())
    };
    default(&[]);
    let read = || fs::read_to_string(repository.root().join("v.json"));
    let first: Value = serde_json::from_str(&read().unwrap()).unwrap();
    default(&[]);
    let second: Value = serde_json::from_str(&read().unwrap()).unwrap();
    assert_eq!(first["base"]["rev"], second["base"]["rev"], "a report of ours must not move the base");
    assert!(!second["head"]["rev"].is_null());
    assert!(
        second["warnings"].to_string().contains("went on from an earlier check"),
        "{}",
        second["warnings"]
    );

    repository.write("src/lib.rs", "this is no Rust\n");
    default(&[]).exits(5);
    assert!(read().is_err(), "the old verdict is gone");
}

#[test]
fn a_base_that_does_not_compile_is_an_error_that_still_shows_head() {
    let repository = sample(&[("a", &units(500))]);
    repository.write("src/lib.rs", "this is no Rust\n");
    repository.commit("broken");
    repository.write("src/lib.rs", LIBRARY);
    let ran = check(&repository, &["--format", "json"]).exits(5);
    let verdict = ran.json();
    assert!(row(&verdict, "g/a")["head"].as_f64().unwrap() > 0.0);
    assert!(ran.stderr.contains("could not be built"), "{}", ran.stderr);
}

#[test]
fn stored_runs_are_compared_with_and_those_of_targets_that_were_left_out_have_not_vanished() {
    let repository = sample(&[("a", &units(500))]);
    let manifest = format!("{MANIFEST}\n[[bench]]\nname = \"more\"\nharness = false\n");
    repository.write("Cargo.toml", &manifest).write("benches/more.rs", &bench(&[("b", &units(700))]));
    repository.commit("another target");
    let tollgate = |args: &[&str]| {
        ran(&command(repository.root())
            .env("TOLLGATE_CACHE_DIR", repository.cache())
            .args(args)
            .output()
            .unwrap())
    };
    let none = tollgate(&["check", "--mode", "stored", "--format", "json"]).exits(4);
    let warnings = none.json()["warnings"].to_string();
    assert!(warnings.contains("`tollgate baseline list --fetch`"), "{warnings}");

    tollgate(&["baseline", "save", "--runs", "5", "--to", "files"]).exits(0);
    let all = tollgate(&["check", "--mode", "stored", "--base", "HEAD~1", "--format", "json"]).json();
    assert_eq!((&all["mode"], &all["census"]["compared"]), (&"stored".into(), &2.into()), "{all:#}");
    let narrow = ["check", "--mode", "stored", "--base", "HEAD~1", "--bench", "kernels", "--format", "json"];
    let one = tollgate(&narrow).json();
    assert_eq!((&one["census"]["compared"], &one["census"]["missing"]), (&1.into(), &Value::Array(vec![])));
    assert_ne!(one["outcome"], "incomplete", "{one:#}");

    repository.write("benches/more.rs", &bench(&[("c", &units(700))]));
    let lost = tollgate(&["check", "--mode", "stored", "--base", "HEAD~1", "--format", "json"]).json();
    assert_eq!(lost["census"]["missing"], Value::Array(vec!["g/b".into()]), "{lost:#}");
}

#[test]
fn wrong_questions_have_clear_answers() {
    let repository = sample(&[("a", &units(500))]);
    let unknown = check(&repository, &["--base", "no-such-branch"]).exits(2);
    assert!(unknown.stderr.contains("no-such-branch"), "{}", unknown.stderr);
    let filter = check(&repository, &["--filter", "("]).exits(2);
    assert!(filter.stderr.contains("--filter ("), "{}", filter.stderr);

    let nowhere = tempfile::tempdir().unwrap();
    let no_git = tollgate(nowhere.path(), &["check"]).exits(2);
    assert!(no_git.stderr.contains("help: "), "{}", no_git.stderr);

    repository.write("Cargo.toml", &MANIFEST.replace("[[bench]]\nname = \"kernels\"\nharness = false\n", ""));
    fs::remove_dir_all(repository.root().join("benches")).unwrap();
    repository.commit("no benches");
    check(&repository, &[]).exits(4);
}

#[test]
fn an_interrupted_check_keeps_what_was_measured_leaves_nothing_behind_and_a_rerun_goes_on() {
    let rows: Vec<_> = (0..12).map(|n| (format!("b{n:02}"), units(400 + 40 * n))).collect();
    let rows: Vec<_> = rows.iter().map(|(name, body)| (name.as_str(), body.as_str())).collect();
    let repository = sample(&rows);
    repository.write("src/lib.rs", &LIBRARY.replace("rotate_left(5)", "rotate_left(6)"));
    let before = traces(&repository);
    let start = |signal: &str| {
        let mut child = command(repository.root())
            .env("TOLLGATE_CACHE_DIR", repository.cache())
            .args(["check", "--base", "HEAD", "--budget", "120s", "--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_for_state(&repository, &mut child);
        let status =
            std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(status.success());
        ran(&child.wait_with_output().unwrap())
    };

    let interrupted = start("-INT").exits(5);
    let verdict = interrupted.json();
    assert_eq!(verdict["outcome"], "error");
    assert!(interrupted.stdout.contains("SIGINT"), "{}", interrupted.stdout);
    assert_eq!(traces(&repository), before);
    assert_eq!(strays(&repository), Vec::<String>::new());

    // A killed run can clean up nothing itself: the next one does.
    let killed = start("-KILL");
    assert_eq!(killed.code, None);
    let seed = &verdict["seed"];
    let resumed = ran(&command(repository.root())
        .env("TOLLGATE_CACHE_DIR", repository.cache())
        .args(["check", "--base", "HEAD", "--budget", "1s", "--format", "json"])
        .output()
        .unwrap());
    let again = resumed.json();
    assert_eq!(&again["seed"], seed, "a re-run goes on with the seed of the first");
    assert!(again["warnings"].to_string().contains("went on from an earlier check"), "{}", again["warnings"]);
    assert!(again["census"]["measured"].as_u64().unwrap() > 0);
    assert_eq!(traces(&repository), before);
    assert_eq!(strays(&repository), Vec::<String>::new());
}

/// Waits until a block was measured and kept.
fn wait_for_state(repository: &Repository, child: &mut std::process::Child) {
    let listing = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().collect::<Vec<_>>();
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("sample-crates/tollgate/state");
    let tree = repository.git(&["rev-parse", "HEAD^{tree}"]);
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let known = listing(&target).iter().any(|entry| {
            let recent = entry
                .metadata()
                .and_then(|m| m.modified())
                .is_ok_and(|at| at.elapsed().is_ok_and(|age| age < Duration::from_secs(2)));
            recent && fs::read_to_string(entry.path()).is_ok_and(|text| text.contains(&tree))
        });
        if known {
            return;
        }
        if child.try_wait().unwrap().is_some() || Instant::now() > deadline {
            panic!("the check ended before it measured anything");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Processes that work in the repository's trees.
pub(crate) fn strays(repository: &Repository) -> Vec<String> {
    let trees = repository.cache();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let directory = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        if directory.starts_with(&trees) {
            found.push(format!("{} in {}", entry.path().display(), directory.display()));
        }
    }
    found
}
