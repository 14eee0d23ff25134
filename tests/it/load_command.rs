//! `tollgate load` from the command line: a URL of a server in the test, and a project's own service.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::support::{
    repository::Repository,
    server::{Reply, Server, ok},
    tollgate::{Ran, command, ran},
};
use serde_json::Value;

/// `tollgate load` in an empty folder.
fn load(args: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    ran(&command(folder.path())
        .env("TOLLGATE_CACHE_DIR", folder.path().join("cache"))
        .arg("load")
        .args(args)
        .output()
        .unwrap())
}

fn sums(entry: &Value) {
    let count = |key: &str| entry["requests"][key].as_u64().unwrap();
    assert_eq!(count("scheduled"), count("completed") + count("errors") + count("unfinished"), "{entry:#}");
}

#[test]
fn a_url_at_a_rate_has_both_clocks_targets_and_a_score() {
    let server = Server::start(|_, _| {
        // Long beside what the generator may be late by on a busy machine.
        std::thread::sleep(Duration::from_millis(60));
        Reply::Keep(ok("fine"))
    });
    let url = format!("{}/a?b=c", server.url());
    let folder = tempfile::tempdir().unwrap();
    let (json, page) = (folder.path().join("v.json"), folder.path().join("v.md"));
    let outputs = [format!("json={}", json.display()), format!("markdown={}", page.display())];
    let ran = load(&[
        &url,
        "--rate",
        "40",
        "--duration",
        "2s",
        "--warmup",
        "0s",
        "--seed",
        "5",
        "-o",
        &outputs[0],
        "-o",
        &outputs[1],
    ])
    .exits(0);
    assert!(ran.stdout.contains("response") && ran.stdout.contains("score"), "{}", ran.stdout);
    assert!(ran.stderr.contains("40 requests/s"), "a line a second: {}", ran.stderr);
    assert!(std::fs::read_to_string(page).unwrap().contains("load:url"));

    let bytes = std::fs::read(&json).unwrap();
    let verdict: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        (&verdict["outcome"], &verdict["exit_code"], &verdict["mode"]),
        (&"pass".into(), &0.into(), &"single".into())
    );
    let entry = &verdict["load"][0];
    assert_eq!(
        (&entry["id"], &entry["side"], &entry["requests"]["scheduled"]),
        (&"load:url".into(), &"head".into(), &80.into())
    );
    sums(entry);
    for clock in ["latency_ns", "service_time_ns", "send_lag_ns"] {
        assert!(entry[clock]["p99"].as_f64().unwrap() > 0.0, "{clock}: {entry:#}");
    }
    assert!(entry["latency_ns"]["p50"].as_f64().unwrap() >= 6e7);
    assert_eq!(verdict["targets"].as_array().unwrap().len(), 3);
    assert!(verdict["score"]["points"].is_number());

    // The verdict can be judged again to the same bytes.
    let again =
        command(folder.path()).args(["judge", json.to_str().unwrap(), "--format", "json"]).output().unwrap();
    assert_eq!((again.status.code(), again.stdout.trim_ascii()), (Some(0), bytes.trim_ascii()));
}

#[test]
fn users_post_what_they_were_told_to() {
    let posts = std::sync::Arc::new(AtomicU64::new(0));
    let seen = std::sync::Arc::clone(&posts);
    let server = Server::start(move |_, head| {
        if head.starts_with("post /x ") && head.contains("x-key: v") && head.contains("content-length: 5") {
            seen.fetch_add(1, Ordering::Relaxed);
        }
        std::thread::sleep(Duration::from_millis(30));
        Reply::Keep(ok(""))
    });
    let url = format!("{}/x", server.url());
    let ran = load(&[
        &url,
        "--users",
        "3",
        "--duration",
        "1s",
        "--warmup",
        "0s",
        "-H",
        "X-Key: v",
        "--body",
        "hello",
        "--format",
        "json",
    ])
    .exits(0);
    let entry = &ran.json()["load"][0];
    sums(entry);
    let completed = entry["requests"]["completed"].as_u64().unwrap();
    assert!(completed > 3 && posts.load(Ordering::Relaxed) >= completed, "{entry:#}");
}

#[test]
fn a_dead_server_and_one_that_only_fails_are_errors() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    let ran =
        load(&[&url, "--rate", "20", "--duration", "1s", "--warmup", "0s", "--format", "json"]).exits(5);
    let verdict = ran.json();
    assert_eq!(verdict["outcome"], "error");
    assert_eq!(verdict["load"][0]["requests"]["error_kinds"]["connect"], 20, "{verdict:#}");

    let server = Server::start(|_, _| Reply::Keep(b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n".to_vec()));
    let ran = load(&[&server.url(), "--rate", "20", "--duration", "1s", "--warmup", "0s"]).exits(5);
    assert!(
        ran.stdout.contains("none of 20 requests of load:url was answered as expected (status 20)"),
        "{}",
        ran.stdout
    );
}

#[test]
fn some_errors_are_a_warning_and_a_demanded_tier_makes_them_a_failure() {
    let server = Server::start(|asked, _| {
        std::thread::sleep(Duration::from_millis(30));
        match asked.request % 2 {
            0 => Reply::Keep(b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n".to_vec()),
            _ => Reply::Keep(ok("")),
        }
    });
    let args = [&*server.url(), "--users", "2", "--duration", "1s", "--warmup", "0s", "--format", "json"];
    let verdict = load(&args).exits(0).json();
    assert!(verdict["warnings"].to_string().contains("were not answered as expected (status"), "{verdict:#}");

    let folder = tempfile::tempdir().unwrap();
    let tiers = "[targets]\nrequire = \"clean\"\n[[targets.tier]]\nname = \"clean\"\nerrors = \"1%\"\n";
    std::fs::write(folder.path().join("tollgate.toml"), tiers).unwrap();
    let ran = ran(&command(folder.path()).arg("load").args(args).output().unwrap()).exits(1);
    assert_eq!(ran.json()["outcome"], "regressed");
}

#[test]
fn what_cannot_be_meant_is_a_usage_error_and_no_request_is_sent() {
    for (args, words) in [
        (&["http://127.0.0.1:1/"][..], "--rate"),
        (&["127.0.0.1:1", "--rate", "1"], "http://"),
        (&["http://192.0.2.1/", "--rate", "1"], "--allow-remote"),
        (&["http://127.0.0.1:1/", "--rate", "1", "-H", "nonsense"], "name: value"),
        (&["http://127.0.0.1:1/", "--rate", "1", "--body", "@missing"], "missing"),
        (&[], "there is no load scenario"),
        (&["--scenario", "x"], "could not find the scenario `x`"),
    ] {
        let ran = load(args).exits(2);
        assert!(ran.stderr.contains(words), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn no_request_due_is_incomplete() {
    let server = Server::start(|_, _| Reply::Keep(ok("")));
    let args = [
        &*server.url(),
        "--rate",
        "0.001",
        "--arrivals",
        "poisson",
        "--duration",
        "1s",
        "--warmup",
        "0s",
        "--seed",
        "1",
    ];
    let ran = load(&args).exits(4);
    assert!(ran.stdout.contains("no request was due"), "{}", ran.stdout);
}

#[cfg(unix)]
#[test]
fn a_machine_that_allows_few_descriptors_is_told_to_be_the_limit() {
    let server = Server::start(|_, _| {
        std::thread::sleep(Duration::from_secs(1));
        Reply::Keep(ok("slow, and all the same to any number of requests"))
    });
    let folder = tempfile::tempdir().unwrap();
    let tollgate = command(folder.path());
    let warned = |limit: &str| {
        let mut shell = std::process::Command::new("sh");
        shell.current_dir(folder.path()).env("TOLLGATE_CACHE_DIR", folder.path().join("cache"));
        shell.args(["-c", &format!("ulimit -n {limit}; exec \"$@\""), "sh"]).arg(tollgate.get_program());
        shell.args([
            "load",
            &server.url(),
            "--rate",
            "100",
            "--duration",
            "3s",
            "--warmup",
            "0s",
            "--format",
            "json",
        ]);
        let verdict = ran(&shell.output().unwrap()).exits(0).json();
        let warnings = verdict["warnings"].to_string();
        (warnings.contains("raise `ulimit -n`"), verdict["load"][0]["requests"]["scheduled"].clone())
    };
    // A hundred are under way at once; 240 descriptors leave 40 connections, of which none may be blamed on the server.
    assert_eq!((warned("240"), warned("2000")), ((true, 300.into()), (false, 300.into())));
}

#[cfg(unix)]
#[test]
fn an_interrupt_prints_what_is_known() {
    let server = Server::start(|_, _| {
        std::thread::sleep(Duration::from_millis(30));
        Reply::Keep(ok(""))
    });
    let folder = tempfile::tempdir().unwrap();
    let child = command(folder.path())
        .args([
            "load",
            &server.url(),
            "--rate",
            "50",
            "--duration",
            "60s",
            "--warmup",
            "0s",
            "--format",
            "json",
        ])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    // Signals are heard from the first connection on.
    while server.connections.load(Ordering::Relaxed) == 0 {
        assert!(began.elapsed() < Duration::from_secs(50));
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(500));
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .unwrap();
    let ran = ran(&child.wait_with_output().unwrap()).exits(5);
    assert!(began.elapsed() < Duration::from_secs(50));
    let verdict = ran.json();
    sums(&verdict["load"][0]);
    assert!(verdict.to_string().contains("interrupted by SIGINT"), "{verdict:#}");
}

/// A project whose service needs no build: the program of its command.
fn project(scenario: &str) -> Repository {
    let repository = Repository::new();
    repository.write("tollgate.toml", scenario).write(".gitignore", "target\n");
    repository.commit("base");
    repository
}

const SERVICE: &str = "
[[load]]
name = \"py\"
command = [\"python3\", \"-c\", \"import http.server as h,os,time; H=h.SimpleHTTPRequestHandler; get=H.do_GET; H.do_GET=lambda s: (time.sleep(0.1), get(s)); h.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), H).serve_forever()\"]
rate = 10
warmup = \"0s\"
window = \"1s\"

[[load.request]]
path = \"/tollgate.toml\"
";

#[test]
fn a_service_of_the_project_is_started_asked_and_ended_and_one_that_dies_failed() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("no python3 here: not tested");
        return;
    }
    let dead = "[[load]]\nname = \"dead\"\ncommand = [\"sh\", \"-c\", \"echo bad luck; exit 3\"]\nrate = 5\n[[load.request]]\npath = \"/\"\n";
    let repository = project(&(SERVICE.to_owned() + dead));
    let run = |args: &[&str]| {
        let mut command = command(repository.root());
        ran(&command.env("TOLLGATE_CACHE_DIR", repository.cache()).arg("load").args(args).output().unwrap())
    };
    let alone = run(&["--scenario", "py"]).exits(0);
    let folder = repository.root().join("target/tollgate/load");
    let verdict: Value =
        serde_json::from_slice(&std::fs::read(folder.join("verdict.json")).unwrap()).unwrap();
    assert_eq!(verdict["load"][0]["requests"]["completed"], 10, "{verdict:#}");
    assert!(verdict["head"]["rev"].is_string() && alone.stderr.contains("kept in"), "{}", alone.stderr);
    if cfg!(target_os = "linux") {
        assert!(verdict["load"][0].to_string().contains("rss_peak"), "{verdict:#}");
    }
    assert!(folder.join("py.log").is_file());

    let both = run(&["--format", "json"]).exits(5).json();
    assert_eq!(both["load"][0]["id"], "load:py");
    assert_eq!(both["census"]["failed"][0], "load:dead");
    assert!(both["benchmarks"][0]["reason"].as_str().unwrap().contains("bad luck"), "{both:#}");
}

#[test]
fn a_host_that_does_not_exist_is_one_clear_sentence_and_no_tiers_of_nothing() {
    let ran = load(&["http://no-such-host.invalid/", "--rate", "10", "--duration", "1s", "--allow-remote"])
        .exits(5);
    assert!(ran.stdout.contains("no-such-host.invalid"), "{}", ran.stdout);
    for noise in ["nothing to compare", "not shown", "score"] {
        assert!(!ran.stdout.contains(noise), "`{noise}` in:\n{}", ran.stdout);
    }
}

/// A server that answers so many requests, of which it then fails every second one.
fn failing_after(requests: u64) -> Server {
    let seen = AtomicU64::new(0);
    Server::start(move |_, head| {
        std::thread::sleep(Duration::from_millis(60));
        let mine = if head.starts_with("get /x ") { seen.fetch_add(1, Ordering::Relaxed) } else { 0 };
        match mine >= requests && mine % 2 == 0 {
            true => Reply::Keep(b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n".to_vec()),
            false => Reply::Keep(ok("fine")),
        }
    })
}

#[test]
fn a_quick_look_ends_at_the_level_that_is_too_much_and_says_where_to_look() {
    // One second each at 10, 50 and 100 requests a second are 160 requests; there is a fifth level, which is not asked.
    let server = failing_after(160);
    let url = format!("{}/x", server.url());
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("v.json");
    let output = format!("json={}", json.display());
    let ran = load(&[&url, "--quick", "--duration", "5s", "--warmup", "0s", "-o", &output]).exits(0);
    let bytes = std::fs::read(&json).unwrap();
    let verdict: Value = serde_json::from_slice(&bytes).unwrap();
    let levels = verdict["levels"].as_array().unwrap();
    let rates: Vec<f64> = levels.iter().filter_map(|level| level["rate"].as_f64()).collect();
    assert_eq!(rates, [10.0, 50.0, 100.0, 200.0], "{verdict:#}");
    levels.iter().for_each(sums);
    assert_eq!(levels[2]["requests"]["errors"], 0, "{verdict:#}");
    assert_eq!(verdict["load"].as_array().unwrap().len(), 1);
    assert_eq!(verdict["load"][0]["rate"], 200.0, "{verdict:#}");
    let advice = &verdict["advice"][0];
    assert_eq!((&advice["code"], &advice["id"]), (&"server_errors_under_load".into(), &"load:url".into()));
    let text = advice["text"].as_str().unwrap();
    assert!(text.contains("200 requests/s") && text.contains("mostly 503"), "{text}");
    let reason = verdict["outcomes"][0]["reason"].as_str().unwrap();
    assert!(reason.ends_with("load:url is sane up to 100 requests/s only"), "{reason}");
    let warnings = verdict["warnings"].to_string();
    assert!(warnings.contains("sane up to 100 requests/s, not sane at 200 requests/s"), "{warnings}");
    for words in ["level", "50 requests/s", "what to look at", "targets"] {
        assert!(ran.stdout.contains(words), "`{words}` in:\n{}", ran.stdout);
    }
    assert!(ran.stderr.contains("level 4 of 5: 200 requests/s"), "{}", ran.stderr);

    let again =
        command(folder.path()).args(["judge", json.to_str().unwrap(), "--format", "json"]).output().unwrap();
    assert_eq!((again.status.code(), again.stdout.trim_ascii()), (Some(0), bytes.trim_ascii()));
}

#[test]
fn a_quick_look_at_a_scenario_grows_around_its_own_rate_and_finds_it_sane() {
    let server = failing_after(u64::MAX);
    let folder = tempfile::tempdir().unwrap();
    let scenario = format!(
        "[[load]]\nname = \"calm\"\nurl = \"{}\"\nrate = 20\n[[load.request]]\npath = \"/x\"\n",
        server.url()
    );
    std::fs::write(folder.path().join("tollgate.toml"), scenario).unwrap();
    let run = |args: &[&str]| ran(&command(folder.path()).arg("load").args(args).output().unwrap());
    let verdict = run(&["--quick", "--duration", "4s", "--warmup", "0s", "--format", "json"]).exits(0).json();
    let rates: Vec<f64> =
        verdict["levels"].as_array().unwrap().iter().filter_map(|level| level["rate"].as_f64()).collect();
    assert_eq!(rates, [2.0, 10.0, 20.0, 30.0]);
    let reason = verdict["outcomes"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("62 of 62 requests") && reason.contains("sane up to 30 requests/s"), "{reason}");
    assert!(verdict.get("advice").is_none() && verdict["warnings"] == serde_json::json!([]), "{verdict:#}");

    let ran = run(&["--duration", "4s"]).exits(2);
    assert!(ran.stderr.contains("--quick"), "{}", ran.stderr);
}

#[test]
fn where_nothing_answers_one_sentence_says_so() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    for how in [&["--rate", "20", "--duration", "1s"][..], &["--quick", "--duration", "2s"]] {
        let ran = load(&[&[&*url, "--warmup", "0s"], how].concat()).exits(5);
        for words in ["was answered as expected (connect", "is the service started"] {
            assert!(ran.stdout.replace('\n', " ").contains(words), "`{words}` in:\n{}", ran.stdout);
        }
        for noise in ["minimum viable", "score", "p99.9"] {
            assert!(!ran.stdout.contains(noise), "`{noise}` in:\n{}", ran.stdout);
        }
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_in_a_quick_look_keeps_its_levels() {
    let seen = std::sync::Arc::new(AtomicU64::new(0));
    let count = std::sync::Arc::clone(&seen);
    let server = Server::start(move |_, head| {
        std::thread::sleep(Duration::from_millis(30));
        if head.starts_with("get /x ") {
            count.fetch_add(1, Ordering::Relaxed);
        }
        Reply::Keep(ok(""))
    });
    let url = format!("{}/x", server.url());
    let folder = tempfile::tempdir().unwrap();
    let child = command(folder.path())
        .args(["load", &url, "--quick", "--duration", "10s", "--warmup", "0s", "--format", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    // The first level has 20 requests, so these are of the second.
    while seen.load(Ordering::Relaxed) < 25 {
        assert!(began.elapsed() < Duration::from_secs(50));
        std::thread::sleep(Duration::from_millis(10));
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .unwrap();
    let verdict = ran(&child.wait_with_output().unwrap()).exits(5).json();
    let levels = verdict["levels"].as_array().unwrap();
    levels.iter().for_each(sums);
    assert_eq!(levels[0]["requests"]["scheduled"], 20, "{verdict:#}");
    assert!((2..5).contains(&levels.len()), "{verdict:#}");
    assert!(verdict["outcomes"].to_string().contains("interrupted by SIGINT"), "{verdict:#}");
}
