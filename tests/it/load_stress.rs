//! `tollgate load --stress` on servers whose capacity is known.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::support::{
    server::{Reply, Server, ok},
    tollgate::{Ran, command, ran},
};
use serde_json::Value;

/// Requests a second that the server below can answer.
const CAPACITY: f64 = 200.0;

/// Answers one request after the other, each of which takes its time; so many a second and no more, however busy the machine is: who
/// is behind does not fall back further.
fn server() -> (Server, Arc<AtomicU64>) {
    let free = Mutex::new(Instant::now());
    let asked = Arc::<AtomicU64>::default();
    let count = Arc::clone(&asked);
    let server = Server::start(move |_, _| {
        count.fetch_add(1, Ordering::Relaxed);
        let until = {
            let mut free = free.lock().unwrap();
            *free = Instant::now().max(*free) + Duration::from_secs_f64(1.0 / CAPACITY);
            *free
        };
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
        Reply::Keep(ok("fine"))
    });
    (server, asked)
}

fn load(args: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    ran(&command(folder.path())
        .env("TOLLGATE_CACHE_DIR", folder.path().join("cache"))
        .arg("load")
        .args(args)
        .output()
        .unwrap())
}

#[test]
fn the_breaking_point_of_a_server_of_known_capacity_is_found_and_it_comes_back() {
    let (server, _) = server();
    let folder = tempfile::tempdir().unwrap();
    let (json, page) = (folder.path().join("v.json"), folder.path().join("v.md"));
    let outputs = [format!("json={}", json.display()), format!("markdown={}", page.display())];
    let url = server.url();
    let args = [
        "--stress",
        "--rate",
        "190",
        "--duration",
        "1s",
        "--seed",
        "5",
        "-o",
        &outputs[0],
        "-o",
        &outputs[1],
    ];
    let ran = load(&[&[&*url][..], &args].concat()).exits(0);
    assert!(ran.stdout.contains("breaking point between"), "{}", ran.stdout);
    assert!(std::fs::read_to_string(page).unwrap().contains("Steps of the search"));

    let bytes = std::fs::read(&json).unwrap();
    let verdict: Value = serde_json::from_slice(&bytes).unwrap();
    let stress = &verdict["stress"][0];
    let (lower, upper) = (stress["lower"].as_f64().unwrap(), stress["upper"].as_f64().unwrap());
    assert!(lower < upper && upper <= 1.06 * lower, "{lower} {upper}");
    let middle = (lower * upper).sqrt();
    assert!((middle / CAPACITY - 1.0).abs() <= 0.15, "{lower} {upper}: {stress:#}");
    for probe in stress["probes"].as_array().unwrap() {
        let count = |key: &str| probe[key].as_u64().unwrap();
        assert_eq!(
            count("scheduled"),
            count("completed") + count("errors") + count("unfinished"),
            "{probe:#}"
        );
    }
    assert!(stress["gives"].as_str().unwrap().contains("requests/s"), "{stress:#}");
    let recovery = &stress["recovery"];
    assert!(
        recovery["overload"].as_f64().unwrap() > upper && recovery["seconds"].is_number(),
        "{recovery:#}"
    );
    // The steady window at half of it has the clocks, targets and score of a service at work.
    let entry = &verdict["load"][0];
    assert!((entry["rate"].as_f64().unwrap() / (lower / 2.0) - 1.0).abs() < 0.05, "{entry:#}");
    assert!(verdict["score"]["points"].is_number());

    // The verdict can be judged again to the same bytes.
    let again =
        command(folder.path()).args(["judge", json.to_str().unwrap(), "--format", "json"]).output().unwrap();
    assert_eq!((again.status.code(), again.stdout.trim_ascii()), (Some(0), bytes.trim_ascii()));
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_the_probes_that_were_made() {
    let (server, asked) = server();
    let folder = tempfile::tempdir().unwrap();
    let child = command(folder.path())
        .args(["load", &server.url(), "--stress", "--duration", "1s", "--rate", "20", "--format", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    // The first probe asks 30 times with its warm-up: when more came, it is over.
    while asked.load(Ordering::Relaxed) < 40 {
        assert!(began.elapsed() < Duration::from_secs(50));
        std::thread::sleep(Duration::from_millis(10));
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .unwrap();
    let verdict = ran(&child.wait_with_output().unwrap()).exits(5).json();
    assert!(began.elapsed() < Duration::from_secs(50));
    assert!(verdict.to_string().contains("interrupted by SIGINT"), "{verdict:#}");
    let probes = verdict["stress"][0]["probes"].as_array().unwrap();
    assert!(!probes.is_empty() && probes[0]["rate"] == 20.0, "{verdict:#}");
    assert!(verdict["stress"][0]["recovery"].is_null());
}

#[test]
fn a_rate_that_may_not_be_passed_is_the_end_of_a_search() {
    let (server, _) = server();
    let ran =
        load(&[&server.url(), "--stress", "--duration", "1s", "--rate", "10", "--max-rate", "10"]).exits(0);
    assert!(ran.stdout.contains("breaking point at least 10 requests/s"), "{}", ran.stdout);
}

#[test]
fn a_search_that_makes_no_sense_is_refused_before_a_request_is_sent() {
    for (args, words) in [
        (&["http://127.0.0.1:1/", "--stress", "--duration", "100ms"][..], "at least `1s`"),
        (&["http://127.0.0.1:1/", "--stress", "--rate", "9", "--max-rate", "5"], "--max-rate"),
        (&["http://127.0.0.1:1/", "--stress", "--users", "3"], "--users"),
        (&["http://127.0.0.1:1/", "--stress", "--soak", "1h"], "--soak"),
        (&["http://127.0.0.1:1/", "--rate", "9", "--target-p95", "1s"], "--stress"),
    ] {
        let ran = load(args).exits(2);
        assert!(ran.stderr.contains(words), "{args:?}: {}", ran.stderr);
    }
    let folder = tempfile::tempdir().unwrap();
    let users = "[[load]]\nname = \"crowd\"\nurl = \"http://127.0.0.1:1\"\nusers = 3\n[[load.request]]\npath = \"/\"\n";
    std::fs::write(folder.path().join("tollgate.toml"), users).unwrap();
    let ran = ran(&command(folder.path()).args(["load", "--stress"]).output().unwrap()).exits(2);
    assert!(ran.stderr.contains("`crowd`") && ran.stderr.contains("users"), "{}", ran.stderr);
}
