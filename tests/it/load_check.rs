//! `tollgate check` with `[[load]]` from the command line: a real server crate on both sides, built, started, loaded and stopped.
//!
//! Changes here are of × 2 and more, so that no machine and no hour can hide them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::support::{
    repository::Repository,
    tollgate::{Ran, command, ran, tollgate},
};
use serde_json::Value;

const SCENARIO: &str = "
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
gate = [\"latency.p50\", \"cpu\", \"rss.max\"]
alike = 6

[[load.request]]
path = \"/a\"
";

fn project(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/load").join(name)).unwrap()
}

/// The tiny service, committed as the base.
fn service() -> Repository {
    with(SCENARIO)
}

fn with(scenario: &str) -> Repository {
    let repository = Repository::new();
    repository
        .write("Cargo.toml", &project("Cargo_test.toml"))
        .write("src/main.rs", &project("main.rs"))
        .write("src/lib.rs", &project("lib.rs"))
        .write("tollgate.toml", scenario);
    repository.commit("base");
    repository
}

fn check(repository: &Repository, args: &[&str]) -> Ran {
    let budget: &[&str] = if args.contains(&"--budget") { &[] } else { &["--budget", "60s"] };
    let all = [&["check", "--base", "HEAD", "--seed", "7"], budget, args].concat();
    let mut command = command(repository.root());
    command.env("TOLLGATE_CACHE_DIR", repository.cache());
    // A folder of its own: the tests run side by side, and each knows what is its own.
    command.env("CARGO_TARGET_DIR", target(repository));
    let ran = ran(&command.args(all).output().unwrap());
    assert_nothing_left(repository);
    ran
}

fn target(repository: &Repository) -> PathBuf {
    repository.cache().join("target")
}

/// No server outlives a check, whatever came of it.
fn assert_nothing_left(repository: &Repository) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let Ok(ours) = repository.cache().canonicalize() else { return };
    let alive = || -> Vec<PathBuf> {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let programs = processes.filter_map(|entry| fs::read_link(entry.path().join("exe")).ok());
        programs.filter(|program| program.starts_with(&ours)).collect()
    };
    // A process that was killed may take a moment to vanish.
    for _ in 0..40 {
        if alive().is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("still alive: {:?}", alive());
}

fn verdict(repository: &Repository) -> Value {
    let file = target(repository).join("tollgate/verdict.json");
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn row<'v>(verdict: &'v Value, metric: &str) -> &'v Value {
    let rows = verdict["benchmarks"].as_array().unwrap();
    rows.iter()
        .find(|row| row["id"] == "load:tiny" && row["metric"] == metric)
        .unwrap_or_else(|| panic!("no row `{metric}` in {verdict:#}"))
}

#[test]
fn a_service_that_works_and_waits_longer_regressed_and_is_judged_again_to_the_same_bytes() {
    let repository = service();
    let slower = project("lib.rs")
        .replace("work(20_000)", "work(1_000_000)")
        .replace("from_millis(100)", "from_millis(300)");
    repository.write("src/lib.rs", &slower);
    let ran = check(&repository, &[]);
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.stdout, ran.stderr);
    let verdict = verdict(&repository);
    assert_eq!(row(&verdict, "cpu")["verdict"], "regressed", "{verdict:#}");
    assert_eq!(row(&verdict, "latency.p50")["verdict"], "regressed");
    assert_ne!(row(&verdict, "error_rate")["verdict"], "regressed");
    // Memory may regress with them or not: what waits longer has more requests, and so more threads, in flight.
    assert_eq!(verdict["families"][0]["name"], "load");
    assert!(ran.stdout.contains("load:tiny"), "{}", ran.stdout);

    let sides: Vec<&str> =
        verdict["load"].as_array().unwrap().iter().map(|entry| entry["side"].as_str().unwrap()).collect();
    assert_eq!(sides, ["base", "head"]);
    let requests = &verdict["load"][1]["requests"];
    let count = |key: &str| requests[key].as_u64().unwrap();
    assert_eq!(count("scheduled"), count("completed") + count("errors") + count("unfinished"));
    assert_eq!(count("scheduled") % 48, 0);

    let folder = target(&repository).join("tollgate");
    let again = tollgate(
        repository.root(),
        &["judge", folder.join("run.json").to_str().unwrap(), "--format", "json"],
    );
    assert_eq!(again.stdout.trim(), fs::read_to_string(folder.join("verdict.json")).unwrap().trim());
    let again = tollgate(
        repository.root(),
        &["judge", folder.join("verdict.json").to_str().unwrap(), "--format", "json"],
    );
    assert_eq!(again.stdout.trim(), fs::read_to_string(folder.join("verdict.json")).unwrap().trim());
}

/// A service in Python: how long it sleeps is a line of it.
fn python_service(milliseconds: u32) -> String {
    format!(
        "import os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    wbufsize = -1

    def do_GET(self):
        time.sleep({milliseconds} / 1000)
        self.send_response(200)
        self.send_header('content-length', '4')
        self.end_headers()
        self.wfile.write(b'fine')

    def log_message(self, *words):
        pass


ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Answer).serve_forever()
"
    )
}

#[test]
fn a_service_in_another_language_is_checked_in_a_repository_without_a_crate() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("passed over: there is no python3");
        return;
    }
    let scenario = SCENARIO
        .replace("build = [\"cargo\", \"build\", \"--release\", \"--offline\"]\n", "")
        .replace("[\"target/release/tiny\"]", "[\"python3\", \"serve.py\"]")
        .replace("\"latency.p50\", \"cpu\", \"rss.max\"", "\"latency.p50\"");
    let repository = Repository::new();
    repository.write("serve.py", &python_service(60)).write("tollgate.toml", &scenario);
    repository.commit("base");
    repository.write("serve.py", &python_service(180));
    let ran = check(&repository, &["--format", "json"]);
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.stdout, ran.stderr);
    let verdict = ran.json();
    assert_eq!(row(&verdict, "latency.p50")["verdict"], "regressed", "{verdict:#}");
    assert_eq!(verdict["census"]["expected"], 1, "{verdict:#}");
    assert!(repository.root().join("target/tollgate/verdict.json").exists());

    // A flag that asks for a bench target still says that there is no crate.
    assert_eq!(check(&repository, &["--bench", "kernel"]).code.map(|code| code == 0), Some(false));
    // So does a repository that has neither.
    repository.write("tollgate.toml", "");
    assert_eq!(check(&repository, &[]).code.map(|code| code == 0), Some(false));
}

#[cfg(target_os = "linux")]
#[test]
fn locust_asks_both_sides_slot_by_slot() {
    let Some(locust) = crate::load_locust::locust() else { return };
    let scenario = SCENARIO
        .replace("build = [\"cargo\", \"build\", \"--release\", \"--offline\"]\n", "driver = \"locust\"\n")
        .replace("[\"target/release/tiny\"]", "[\"python3\", \"serve.py\"]")
        .replace("rate = 80", &format!("rate = 40\nlocust = {locust:?}"))
        .replace("timeout = \"1s\"\ndrain = \"500ms\"", "timeout = \"10s\"")
        // The median of fewer than 40 requests is not judged.
        .replace("window = \"600ms\"", "window = \"1200ms\"")
        .replace("\"latency.p50\", \"cpu\", \"rss.max\"", "\"latency.p50\"");
    let repository = Repository::new();
    repository.write("serve.py", &python_service(40)).write("tollgate.toml", &scenario);
    repository.commit("base");
    repository.write("serve.py", &python_service(120));
    // A block of six takes most of a minute, since each slot starts a Locust; whether it is proven depends on how many there is room for.
    let ran = check(&repository, &["--format", "json", "--budget", "45s"]);
    assert!(matches!(ran.code, Some(1 | 3)), "{}\n{}", ran.stdout, ran.stderr);
    let verdict = ran.json();
    let p50 = row(&verdict, "latency.p50");
    assert!(p50["rounds"].as_u64() >= Some(3), "{verdict:#}");
    let change = p50["change"]["estimate"].as_f64().unwrap();
    assert!((1.0..2.5).contains(&change), "{p50:#}");
    for side in [0, 1] {
        let requests = &verdict["load"][side]["requests"];
        assert_eq!(
            (&requests["errors"], &requests["unfinished"]),
            (&Value::from(0), &Value::from(0)),
            "{requests:#}"
        );
    }
}

#[test]
fn a_check_goes_on_from_its_trials_but_not_when_the_questions_changed() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("passed over: there is no python3");
        return;
    }
    let scenario = SCENARIO
        .replace("build = [\"cargo\", \"build\", \"--release\", \"--offline\"]\n", "")
        .replace("[\"target/release/tiny\"]", "[\"python3\", \"serve.py\"]")
        .replace("path = \"/a\"", "path = \"/{{ user }}\"\ndata = \"target/users.csv\"");
    let repository = Repository::new();
    repository.write("serve.py", &python_service(20)).write("tollgate.toml", &scenario);
    // Git does not see this file: the trees stay the same when it changes.
    repository.write("target/users.csv", "user\nann\n");
    repository.commit("base");
    repository.write("serve.py", &python_service(21));
    let check = |budget: &str| {
        let mut command = command(repository.root());
        command.env("TOLLGATE_CACHE_DIR", repository.cache());
        let args = ["check", "--base", "HEAD", "--format", "json", "--budget", budget];
        let ran = ran(&command.args(args).output().unwrap());
        assert_nothing_left(&repository);
        let verdict = ran.json();
        let rounds = row(&verdict, "error_rate")["rounds"].as_u64().unwrap_or(0);
        (rounds, verdict["warnings"].to_string().contains("went on from an earlier check"))
    };
    let (rounds, resumed) = check("12s");
    assert!(rounds >= 3 && !resumed, "{rounds} {resumed}");
    // There is no room for another block: what is told is what was measured before.
    assert_eq!(check("1s"), (rounds, true));
    repository.write("target/users.csv", "user\nbob\n");
    assert_eq!(check("1s"), (0, false));
}

#[cfg(unix)]
#[test]
fn an_interrupt_under_load_ends_the_servers_keeps_the_trials_and_is_told() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("passed over: there is no python3");
        return;
    }
    let scenario = SCENARIO
        .replace("build = [\"cargo\", \"build\", \"--release\", \"--offline\"]\n", "")
        .replace("[\"target/release/tiny\"]", "[\"python3\", \"serve.py\"]");
    let repository = Repository::new();
    // It says who it is, so that one that was left would be found.
    let serve = |milliseconds| {
        python_service(milliseconds).replace(
            "import os, time",
            "import os, time\nopen(os.environ['PIDS'], 'a').write(f'{os.getpid()}\\n')",
        )
    };
    repository.write("serve.py", &serve(20)).write("tollgate.toml", &scenario);
    repository.commit("base");
    repository.write("serve.py", &serve(21));
    let pids = repository.cache().join("pids");
    fs::create_dir_all(repository.cache()).unwrap();
    let started = || fs::read_to_string(&pids).unwrap_or_default().lines().count();
    let mut command = command(repository.root());
    command.env("TOLLGATE_CACHE_DIR", repository.cache()).env("PIDS", &pids);
    command.args(["check", "--base", "HEAD", "--format", "json", "--budget", "120s"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    // Two are asked the same questions, six are the first block: the ninth is in the second one.
    for _ in 0..2_400 {
        if started() >= 9 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .unwrap();
    let ran = ran(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(5), "{}\n{}", ran.stdout, ran.stderr);
    let verdict = ran.json();
    assert!(verdict.to_string().contains("interrupted by SIGINT"), "{verdict:#}");
    assert!(row(&verdict, "error_rate")["rounds"].as_u64() >= Some(3), "{verdict:#}");
    let left: Vec<String> = fs::read_to_string(&pids)
        .unwrap()
        .lines()
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains("serve.py")
        })
        .map(str::to_owned)
        .collect();
    assert!(left.is_empty(), "still alive: {left:?}");
    assert_eq!(repository.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn a_comment_more_leaves_the_service_identical_and_unloaded() {
    let repository = service();
    repository.write("src/lib.rs", &(project("lib.rs") + "// One comment more.\n"));
    let ran = check(&repository, &[]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    let verdict = verdict(&repository);
    assert_eq!(verdict["census"]["identical"], 1, "{verdict:#}");
    assert_eq!(verdict["load"].as_array().map_or(0, Vec::len), 0);
}

#[test]
fn a_head_that_dies_under_load_failed_with_the_end_of_its_log() {
    let repository = service();
    let dies = "if number > 30 { eprintln!(\"out of luck\"); std::process::exit(3) }";
    repository.write("src/lib.rs", &project("lib.rs").replace("let _ = number;", dies));
    let ran = check(&repository, &[]);
    assert_eq!(ran.code, Some(5), "{}\n{}", ran.stdout, ran.stderr);
    let verdict = verdict(&repository);
    assert_eq!(verdict["census"]["failed"][0], "load:tiny");
    let reason = row(&verdict, "error_rate")["reason"].as_str().unwrap();
    assert!(reason.starts_with("failed on head") && reason.contains("out of luck"), "{reason}");
}

#[test]
fn a_head_that_answers_errors_fast_is_never_improved() {
    let repository = service();
    let fails = project("lib.rs")
        .replace("from_millis(100)", "from_millis(80)")
        .replace("(200,", "(if number % 5 == 4 { 200 } else { 500 },");
    repository.write("src/lib.rs", &fails);
    let ran = check(&repository, &[]);
    assert_eq!(ran.code, Some(5), "{}\n{}", ran.stdout, ran.stderr);
    let reason = row(&verdict(&repository), "error_rate")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("do not answer alike") && reason.contains("status 500"), "{reason}");
    assert!(reason.contains("`alike = 0`"), "{reason}");

    // Without the questions the load itself shows it.
    repository.write("tollgate.toml", &SCENARIO.replace("alike = 6", "alike = 0"));
    let ran = check(&repository, &["--budget", "30s"]);
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.stdout, ran.stderr);
    let verdict = verdict(&repository);
    assert_eq!(row(&verdict, "error_rate")["verdict"], "regressed", "{verdict:#}");
    let rows = verdict["benchmarks"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["verdict"] != "improved"), "{verdict:#}");
}

#[test]
fn a_head_that_does_not_build_or_never_listens_failed() {
    let repository = service();
    repository.write("src/lib.rs", "this is no Rust");
    let ran = check(&repository, &[]);
    assert_eq!(ran.code, Some(5), "{}\n{}", ran.stdout, ran.stderr);

    let deaf = project("main.rs").replace(
        "let listener",
        "loop { std::thread::park() }\n    #[allow(unreachable_code)]\n    let listener",
    );
    repository.write("src/lib.rs", &project("lib.rs")).write("src/main.rs", &deaf);
    repository.write("tollgate.toml", &SCENARIO.replace("rate = 80", "rate = 80\nready_timeout = \"500ms\""));
    let ran = check(&repository, &[]);
    assert_eq!(ran.code, Some(5), "{}\n{}", ran.stdout, ran.stderr);
    let reason = row(&verdict(&repository), "error_rate")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("was not ready within 0.5 s"), "{reason}");
}

#[test]
fn the_list_names_load_benchmarks_with_their_cost_and_a_filter_applies_to_them() {
    let repository = service();
    let ran = check(&repository, &["--list"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stdout.starts_with("load:tiny  ") && ran.stdout.contains("a fresh server a slot"),
        "{}",
        ran.stdout
    );
    let ran = check(&repository, &["--list", "--filter", "nothing"]);
    assert!(ran.stdout.contains("not matched by `--filter`"), "{}", ran.stdout);
}

#[test]
fn the_rate_that_a_service_bears_is_a_value_of_each_slot_where_a_scenario_asks_for_it() {
    // One answer after the other, each of which takes 5 ms: 200 a second and no more, however busy the machine is.
    let queue = "use std::{sync::Mutex, time::{Duration, Instant}};
static FREE: Mutex<Option<Instant>> = Mutex::new(None);
pub fn ballast() -> Vec<u8> { vec![1; 1 << 20] }
pub fn answer(_: &str, _: u64) -> (u16, String) {
    let until = {
        let mut free = FREE.lock().unwrap();
        let until = free.unwrap_or_else(Instant::now).max(Instant::now()) + Duration::from_millis(5);
        *free = Some(until);
        until
    };
    std::thread::sleep(until.saturating_duration_since(Instant::now()));
    (200, \"fine\".into())
}
";
    let scenario = SCENARIO
        .replace("rate = 80", "rate = 100")
        .replace("gate = [\"latency.p50\", \"cpu\", \"rss.max\"]", "gate = [\"knee\"]");
    let repository = with(&scenario);
    repository.write("src/lib.rs", queue);
    let file = repository.cache().join("run.json");
    // A machine that stands still for a moment makes a rate look too much: one of three runs must be right.
    let mut seen = Vec::new();
    for seed in ["7", "8", "9"] {
        let mut command = command(repository.root());
        command.env("TOLLGATE_CACHE_DIR", repository.cache()).env("CARGO_TARGET_DIR", target(&repository));
        let args = ["run", "--processes", "1", "--seed", seed, "--output", file.to_str().unwrap()];
        let ran = ran(&command.args(args).output().unwrap());
        assert_nothing_left(&repository);
        let run: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let blocks = run["load"].as_array().unwrap().iter();
        let mut trials = blocks.flat_map(|block| block["trials"].as_array().unwrap());
        let Some(trial) = trials.find(|trial| trial["valid"] == true) else {
            seen.push(format!("no valid trial: {}", ran.stderr));
            continue;
        };
        // Its own load is what it was: the search comes after the window.
        assert_eq!(trial["requests"]["scheduled"], 60);
        let measured = run["measurements"].as_array().unwrap();
        assert!(measured.iter().any(|measured| measured["metric"] == "knee"), "{measured:#?}");
        let (met, missed) = (trial["knee"]["met"].as_f64(), trial["knee"]["missed"].as_f64());
        if let (Some(met), Some(missed)) = (met, missed) {
            assert!(met < missed && missed / met <= 1.03, "{met} {missed}");
            if ((met * missed).sqrt() / 200.0 - 1.0).abs() < 0.15 {
                return;
            }
        }
        seen.push(format!("{met:?} {missed:?}"));
    }
    panic!("{seen:?}");
}

#[test]
fn stored_trials_are_a_baseline_for_load_benchmarks_too() {
    let repository = service();
    let run = |args: &[&str]| {
        let mut command = command(repository.root());
        command.env("TOLLGATE_CACHE_DIR", repository.cache()).env("CARGO_TARGET_DIR", target(&repository));
        ran(&command.args(args).output().unwrap())
    };
    let saved = run(&["baseline", "save", "--runs", "5", "--to", "history"]);
    assert_eq!(saved.code, Some(0), "{}\n{}", saved.stdout, saved.stderr);
    let ran = run(&["check", "--mode", "stored", "--budget", "30s", "--seed", "3"]);
    let verdict = verdict(&repository);
    assert_eq!(verdict["mode"], "stored", "{}\n{}", ran.stdout, ran.stderr);
    assert!(verdict["census"]["compared"].as_u64() == Some(1), "{verdict:#}");
    assert_ne!(row(&verdict, "error_rate")["verdict"], "new");

    // A run is compared with another one, counts included.
    let file = repository.cache().join("run.json");
    let file = file.to_str().unwrap();
    assert_eq!(run(&["run", "--processes", "3", "--output", file]).code, Some(0));
    let compared = run(&["compare", file, file, "--format", "json"]).json();
    let reason = row(&compared, "error_rate")["reason"].as_str().unwrap();
    assert_eq!(reason.split(':').next(), Some("0 of 144 requests failed, 0 of 144 on base"));
}
