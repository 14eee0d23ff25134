//! The live page of a load run: its server over loopback, and the page in a real browser.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tollgate::{
    live::page::Dashboard,
    model::{
        load::Interval,
        targets::{Limit, Part},
    },
};

use crate::support::{
    chromium::Browser,
    server::{Reply, Server, ok},
    tollgate::command,
};

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\u{202e}'\"`{{7*7}}";

/// What stands for the run's own report.
const RESULT: &str = "<!doctype html><title>the result</title><p>\u{201c}</script>\u{201d}\n";

fn limits() -> [Limit; 3] {
    [
        Limit { part: Part::LatencyP95, limit: 2e8 },
        Limit { part: Part::ErrorRate, limit: 0.02 },
        Limit { part: Part::CacheHitRate, limit: 0.7 },
    ]
}

/// A second of a run that is calm, stalls, and recovers.
fn second(at: i32) -> Interval {
    let stall = if (20..26).contains(&at) { 6.0 } else { 1.0 };
    let wave = 1.0 + 0.2 * (f64::from(at) / 5.0).sin();
    let errors = if stall > 1.0 { 14 } else { 0 };
    let metrics =
        [("cache_hit_rate".to_owned(), 0.62 + 0.005 * f64::from(at)), (HOSTILE.to_owned(), 7.0 * wave)];
    Interval {
        start_seconds: f64::from(at),
        seconds: 1.0,
        scheduled: 200,
        completed: 200 - errors,
        errors,
        latency_ns: Some([9e6, 2.1e7, 4.2e7, 9.5e7].map(|ns| ns * wave * stall)),
        in_flight: if stall > 1.0 { 90 } else { 4 },
        backlog: if stall > 1.0 { 30 } else { 0 },
        cpu: Some(0.6 * wave),
        rss_bytes: Some(48_000_000 + 200_000 * u64::from((at + 10).unsigned_abs())),
        metrics: metrics.into(),
    }
}

/// The answer to one request; `host` as a browser would send it.
fn ask(dashboard: &Dashboard, head: &str) -> String {
    exchange(&format!("localhost:{}", dashboard.port()), head)
}

fn exchange(host: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(host.replace("localhost", "127.0.0.1")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "{head}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(dashboard: &Dashboard, path: &str) -> String {
    ask(dashboard, &format!("GET {path} HTTP/1.1\r\nHost: localhost:{}", dashboard.port()))
}

fn body(answer: &str) -> &str {
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1
}

fn token(dashboard: &Dashboard) -> String {
    token_of(&get(dashboard, "/"))
}

fn token_of(page: &str) -> String {
    page.split("name=\"tollgate-token\" content=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[test]
fn a_taken_port_is_left_alone_and_the_next_one_used() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let dashboard = Dashboard::open(port, "checkout", &[]).unwrap();
    assert!(dashboard.port() > port || port > 65_000, "{} {port}", dashboard.port());
    assert_eq!(dashboard.url(), format!("http://localhost:{}", dashboard.port()));
    assert!(body(&get(&dashboard, "/")).contains("<title>tollgate load</title>"));
}

#[test]
fn other_names_and_other_sites_are_turned_away() {
    let dashboard = Dashboard::open(0, "checkout", &[]).unwrap();
    let port = dashboard.port();
    for path in ["/", "/api/state", "/events", "/page.js", "/report", "/shell", "/nowhere"] {
        let rebound = ask(&dashboard, &format!("GET {path} HTTP/1.1\r\nHost: evil.example:{port}"));
        assert!(rebound.starts_with("HTTP/1.1 403"), "{path}: {rebound}");
        let origin = format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://evil.example");
        assert!(ask(&dashboard, &origin).starts_with("HTTP/1.1 403"), "{path}");
    }
    let page = get(&dashboard, "/").to_lowercase();
    assert!(
        page.contains("content-security-policy: default-src 'none'") && page.contains("nosniff"),
        "{page}"
    );
    assert!(!page.contains("access-control-allow"));
}

#[test]
fn only_the_pages_own_token_stops_the_run() {
    let dashboard = Dashboard::open(0, "checkout", &[]).unwrap();
    let token = token(&dashboard);
    let stop = |line: &str| {
        ask(
            &dashboard,
            &format!(
                "POST /stop HTTP/1.1\r\nHost: localhost:{}{line}\r\nContent-Length: 0",
                dashboard.port()
            ),
        )
    };
    assert!(stop("").starts_with("HTTP/1.1 403"));
    assert!(stop("\r\nX-Tollgate-Token: 00000000000000000000000000000000").starts_with("HTTP/1.1 403"));
    assert!(
        stop(&format!("\r\nOrigin: http://evil.example\r\nX-Tollgate-Token: {token}"))
            .starts_with("HTTP/1.1 403")
    );
    assert!(get(&dashboard, "/stop").starts_with("HTTP/1.1 405"));
    assert!(!dashboard.wants_stop());
    assert!(stop(&format!("\r\nX-Tollgate-Token: {token}")).starts_with("HTTP/1.1 202"));
    assert!(dashboard.wants_stop());
    let state: Value = serde_json::from_str(body(&get(&dashboard, "/api/state"))).unwrap();
    assert_eq!(state["standing"], "stopping");
}

/// The events of a reader, as they come.
fn events(dashboard: &Dashboard) -> impl Iterator<Item = (String, Value)> + use<> {
    let mut stream = TcpStream::connect(("127.0.0.1", dashboard.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET /events HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", dashboard.port()).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    std::iter::from_fn(move || {
        let name = lines.by_ref().find_map(|line| line.strip_prefix("event: ").map(str::to_owned))?;
        let data = lines.by_ref().find_map(|line| line.strip_prefix("data: ").map(str::to_owned))?;
        Some((name, serde_json::from_str(&data).unwrap()))
    })
}

#[test]
fn a_reader_hears_every_second_once_and_then_the_end() {
    let dashboard = Dashboard::open(0, "checkout", &limits()).unwrap();
    (-2..3).for_each(|at| dashboard.interval(&second(at)));
    let mut events = events(&dashboard);
    let (name, first) = events.next().unwrap();
    assert!(
        name == "news" && first["from"] == 0 && first["points"].as_array().unwrap().len() == 5,
        "{first}"
    );
    dashboard.interval(&second(3));
    let (_, second_event) = events.next().unwrap();
    assert!(second_event["from"] == 5 && second_event["points"][0]["at"] == 5.0, "{second_event}");
    assert_eq!(second_event["totals"]["scheduled"], 800);
    let port = dashboard.port();
    dashboard.finish("2 targets are met", None);
    let (name, last) = events.next().unwrap();
    assert!(name == "over" && last["words"] == "2 targets are met");
    assert!(events.next().is_none());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the server is gone with the run");
}

#[test]
fn readers_that_do_not_read_hold_up_neither_the_run_nor_the_others_nor_the_end() {
    let dashboard = Dashboard::open(0, "checkout", &[]).unwrap();
    let request = format!("GET /events HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", dashboard.port());
    let mut stuck: Vec<TcpStream> = Vec::new();
    for _ in 0..31 {
        let mut stream = TcpStream::connect(("127.0.0.1", dashboard.port())).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stuck.push(stream);
    }
    (0..5_000).for_each(|at| dashboard.interval(&second(at)));
    let state: Value = serde_json::from_str(body(&get(&dashboard, "/api/state"))).unwrap();
    assert!(state["points"].as_array().unwrap().len() <= 1_200 && state["totals"]["scheduled"] == 1_000_000);
    // Each holds one seat; when all are taken the next reader is told so, and the page still answers.
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut stream = TcpStream::connect(("127.0.0.1", dashboard.port())).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        if &start == b"HTTP/1.1 503" {
            break;
        }
        stuck.push(stream);
        assert!(Instant::now() < deadline && stuck.len() < 200, "nobody is turned away");
    }
    let start = Instant::now();
    dashboard.finish("over", None);
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[test]
fn hostile_names_are_data_wherever_they_go() {
    let dashboard = Dashboard::open(0, HOSTILE, &[]).unwrap();
    dashboard.mark(HOSTILE);
    dashboard.interval(&second(0));
    let report = get(&dashboard, "/report");
    assert!(report.to_lowercase().contains("content-disposition: attachment"));
    assert!(!report.contains("<img") && report.contains("\\u003c/script>\\u003cimg"), "{report}");
    let state: Value = serde_json::from_str(body(&get(&dashboard, "/api/state"))).unwrap();
    assert!(!state["title"].as_str().unwrap().contains('\u{202e}'));
    assert!(!get(&dashboard, "/").contains("onerror"));
}

/// `tollgate load` with its live page.
struct Shown {
    child: Child,
    /// Host and port of the page.
    url: String,
    rest: thread::JoinHandle<String>,
    _folder: tempfile::TempDir,
}

impl Shown {
    fn start(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command(folder.path())
            .env("TOLLGATE_CACHE_DIR", folder.path().join("cache"))
            .arg("load")
            .args(args)
            .args(["--monitor=0", "--format", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let page = |line: String| line.strip_prefix("live page: http://").map(str::to_owned);
        let url = errors.by_ref().find_map(page).unwrap();
        // Nobody may be held up by a full pipe.
        let rest = thread::spawn(move || errors.collect::<Vec<_>>().join("\n"));
        Self { child, url, rest, _folder: folder }
    }

    fn get(&self, path: &str) -> String {
        exchange(&self.url, &format!("GET {path} HTTP/1.1\r\nHost: {}", self.url))
    }

    fn state(&self) -> Value {
        serde_json::from_str(body(&self.get("/api/state"))).unwrap()
    }

    fn stop(&self) {
        let (url, token) = (&self.url, token_of(&self.get("/")));
        let stop =
            format!("POST /stop HTTP/1.1\r\nHost: {url}\r\nContent-Length: 0\r\nX-Tollgate-Token: {token}");
        assert!(exchange(url, &stop).starts_with("HTTP/1.1 202"));
    }

    /// Waits for its end: its exit code, its verdict, and what it told.
    fn end(self) -> (Option<i32>, Value, String) {
        let output = self.child.wait_with_output().unwrap();
        let verdict = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), verdict, self.rest.join().unwrap())
    }
}

#[test]
fn a_search_shows_its_probes_and_is_stopped_from_its_page_with_those_it_has() {
    let server = Server::start(|_, _| {
        // Long beside what the generator may be late by on a busy machine.
        thread::sleep(Duration::from_millis(200));
        Reply::Keep(ok("fine"))
    });
    let url = server.url();
    let run = Shown::start(&[&url, "--stress", "--rate", "10", "--duration", "1s", "--target-p95", "2s"]);
    let (started, mut browser) = (Instant::now(), Browser::start());
    if let Some(browser) = &mut browser {
        browser.look(1_280, "light");
        browser.open(&format!("http://{}", run.url));
    }
    // A rate is told with the one before it, which so has an answer.
    let second_probe = |state: &Value| {
        let marks = state["marks"].as_array().unwrap();
        marks.last().is_some_and(|mark| mark["label"].as_str().unwrap().contains("10 met the target"))
    };
    let mut state = run.state();
    while !second_probe(&state) {
        assert!(started.elapsed() < Duration::from_secs(60), "{state:#}");
        thread::sleep(Duration::from_millis(50));
        state = run.state();
    }
    // What is watched is the target of the search and no tier's.
    assert!(state["limits"]["latency.p95"] == 2e9 && state["limits"]["error_rate"] == 0.02, "{state:#}");
    match &mut browser {
        Some(browser) => {
            browser.wait_for("document.getElementById('phase').textContent.includes(' met the target')");
            for (width, scheme) in [(1_280, "light"), (1_280, "dark"), (375, "light"), (375, "dark")] {
                browser.look(width, scheme);
                picture(browser, &format!("search-{width}-{scheme}.png"));
            }
            let press = "document.getElementById('stop').click()";
            browser.value(press);
            browser.value(press);
            browser.wait_for("document.getElementById('standing').textContent === 'over'");
            let notice = "document.getElementById('notice').textContent";
            let words = browser.value(notice).as_str().unwrap().to_owned();
            assert!(words.starts_with("The run was stopped from its page: pass."), "{words}");
            assert!(words.contains("breaking point at least "), "{words}");
            assert_eq!(browser.value("document.getElementById('phase').textContent"), "");
            picture(browser, "search-over.png");
            browser.value("document.getElementById('result').click()");
            let report = read_download(browser, "tollgate-report.html");
            assert!(report.contains("breaking point at least ") && report.contains("target met"));
            assert!(browser.complaints().is_empty(), "{:#?}", browser.complaints());
        }
        None => run.stop(),
    }
    let (code, verdict, told) = run.end();
    assert_eq!(code, Some(0), "{told}\n{verdict:#}");
    assert!(started.elapsed() < Duration::from_secs(100), "it did not stop");
    let probes = verdict["stress"][0]["probes"].as_array().unwrap();
    assert!(!probes.is_empty() && probes[0]["rate"] == 10.0 && probes[0]["met"] == true, "{verdict:#}");
    assert!(verdict["stress"][0]["recovery"].is_null() && verdict["stress"][0]["upper"].is_null());
    assert!(verdict["warnings"].to_string().contains("stopped from its page"), "{}", verdict["warnings"]);
    assert!(told.contains("10 requests/s met the target"), "{told}");
}

#[test]
fn a_run_shows_itself_and_is_stopped_from_its_page_with_what_it_has() {
    let server = Server::start(|_, _| Reply::Keep(ok("fine")));
    let url = format!("{}/x", server.url());
    let run = Shown::start(&[&url, "--rate", "20", "--warmup", "0s", "--duration", "5m"]);
    let (started, state) = (Instant::now(), || run.state());
    while state()["totals"]["completed"].as_u64().unwrap() == 0 {
        assert!(started.elapsed() < Duration::from_secs(60), "{}", state());
        thread::sleep(Duration::from_millis(100));
    }
    assert!(state()["title"].as_str().unwrap().contains("/x") && state()["limits"]["latency.p95"] == 5e8);
    run.stop();
    let (_, verdict, told) = run.end();
    assert!(started.elapsed() < Duration::from_secs(120), "it did not stop");
    let requests = &verdict["load"][0]["requests"];
    let count = |key: &str| requests[key].as_u64().unwrap();
    assert!(count("completed") > 0 && count("scheduled") < 6_000, "{requests}");
    assert_eq!(count("scheduled"), count("completed") + count("errors") + count("unfinished"));
    assert!(
        verdict["warnings"].to_string().contains("stopped from its page"),
        "{} {told}",
        verdict["warnings"]
    );
}

/// Where pictures go: a folder that the caller names, else they are not taken.
fn picture(browser: &mut Browser, name: &str) {
    if let Some(folder) = std::env::var_os("DASHBOARD_PICTURES") {
        browser.picture(&Path::new(&folder).join(name));
    }
}

#[test]
fn in_a_real_browser_the_page_draws_stops_saves_and_asks_nobody_else() {
    let Some(mut browser) = Browser::start() else {
        eprintln!("skipped: chromium is not installed");
        return;
    };
    let dashboard = Dashboard::open(0, HOSTILE, &limits()).unwrap();
    dashboard.mark("checkout, production");
    (-5..58).for_each(|at| dashboard.interval(&second(at)));
    browser.look(1_280, "light");
    browser.open(&dashboard.url());
    browser.wait_for("document.documentElement.dataset.points === '63'");
    dashboard.interval(&second(58));
    browser.wait_for("document.documentElement.dataset.points === '64'");
    assert_eq!(browser.value("document.querySelectorAll('.plot').length"), 8);
    assert_eq!(browser.value("document.querySelectorAll('#charts img, h1 img').length"), 0);
    assert_eq!(browser.value("document.querySelectorAll('#alert-list li').length"), 3);
    assert!(
        browser
            .value("document.getElementById('title').textContent")
            .as_str()
            .unwrap()
            .starts_with("</script>")
    );
    picture(&mut browser, "light.png");
    browser.look(1_280, "dark");
    picture(&mut browser, "dark.png");
    for width in [375, 320] {
        browser.look(width, "light");
        let settled = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))";
        browser.wait_for(&format!("{settled}.then(() => document.documentElement.scrollWidth <= {width})"));
        picture(&mut browser, &format!("phone-{width}.png"));
    }
    // By keyboard: the newest point is read out.
    browser.value("document.querySelector('.plot').focus()");
    let key = |kind: &str| serde_json::json!({ "type": kind, "key": "End", "code": "End" });
    browser.ask("Input.dispatchKeyEvent", &key("keyDown"));
    browser.ask("Input.dispatchKeyEvent", &key("keyUp"));
    browser.wait_for("document.querySelector('.readout').textContent.startsWith('01:03: answered 200')");
    browser.value("document.querySelector('#table').open = true");
    browser.wait_for("document.querySelectorAll('tbody tr').length === 60");
    // Stopping takes two presses.
    browser.value("document.getElementById('stop').click()");
    assert!(!dashboard.wants_stop());
    browser.value("document.getElementById('stop').click()");
    browser.wait_for("document.getElementById('standing').textContent === 'stopping'");
    assert!(dashboard.wants_stop());

    let origin = format!("{}/", dashboard.url());
    dashboard.finish("stopped from the page", Some(RESULT.to_owned()));
    browser.wait_for("document.getElementById('standing').textContent === 'over'");
    assert_eq!(browser.value("document.getElementById('notice').textContent"), "stopped from the page");
    // The server is gone; what the page has can still be saved.
    browser.value("document.getElementById('save').click()");
    assert!(!read_download(&browser, "tollgate-load.html").is_empty());
    let saved = browser.downloads().join("tollgate-load.html");
    // So can the run's own result, byte by byte.
    browser.value("document.getElementById('result').click()");
    assert_eq!(read_download(&browser, "tollgate-report.html"), RESULT);
    let foreign: Vec<String> = browser
        .requests()
        .into_iter()
        .filter(|url| !url.starts_with(&origin) && !url.starts_with("data:") && !url.starts_with("blob:"))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    assert!(browser.complaints().is_empty(), "{:#?}", browser.complaints());
    saved_page_opens_alone(&mut browser, &saved);
}

/// A file that the page saved, once it is there.
fn read_download(browser: &Browser, name: &str) -> String {
    let path = browser.downloads().join(name);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !path.is_file() {
        assert!(Instant::now() < deadline, "{name} was not saved");
        thread::sleep(Duration::from_millis(50));
    }
    fs::read_to_string(path).unwrap()
}

fn saved_page_opens_alone(browser: &mut Browser, saved: &Path) {
    assert!(!fs::read_to_string(saved).unwrap().contains("<img"));
    browser.events.clear();
    browser.look(1_280, "light");
    browser.open(&format!("file://{}", saved.display()));
    browser.wait_for("document.documentElement.dataset.points === '64'");
    assert_eq!(
        browser.value("document.getElementById('stop').hidden && document.getElementById('save').hidden"),
        true
    );
    assert_eq!(browser.value("document.getElementById('standing').textContent"), "over");
    assert_eq!(browser.value("document.getElementById('result').hidden"), true);
    picture(browser, "saved.png");
    let others =
        browser.requests().into_iter().filter(|url| !url.starts_with("file:") && !url.starts_with("data:"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<String>::new());
    assert!(browser.complaints().is_empty(), "{:#?}", browser.complaints());
}
