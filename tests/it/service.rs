//! The service under load: its start, readiness, costs and end, with real processes.

#![cfg(target_os = "linux")]

use crate::support::service::{ask, server};
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tollgate::{
    hint::Hint,
    load::{
        scenario::{Formula, Launch, Ready},
        service::{Error, Running, Start, build},
        trust::Trust,
    },
    process::{ExitStatus, Interrupt},
};

/// Longer than any test takes: a wait that reaches it has failed.
const LONG: Duration = Duration::from_secs(60);

/// A tree and a launch in it.
struct Scene {
    tree: TempDir,
    launch: Launch,
    socket: Option<PathBuf>,
}

impl Scene {
    fn new(command: &[&str]) -> Self {
        let launch = Launch {
            build: Vec::new(),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            directory: PathBuf::new(),
            environment: Vec::new(),
            url: "http://127.0.0.1:{port}/".into(),
            ready: Ready::Url("/ready".into()),
            ready_timeout: LONG,
            stop_timeout: LONG,
            executable: None,
        };
        Self { tree: tempfile::tempdir().unwrap(), launch, socket: None }
    }

    fn server() -> Self {
        Self::new(&[server().to_str().unwrap()])
    }

    /// A shell script; `$SERVER` is the sample service.
    fn shell(script: &str) -> Self {
        let mut scene = Self::new(&["sh", "-c", script]);
        scene.launch.environment.push(("SERVER".into(), server().to_str().unwrap().into()));
        scene
    }

    fn ready(mut self, ready: Ready) -> Self {
        self.launch.ready = ready;
        self
    }

    fn log(&self) -> PathBuf {
        self.tree.path().join("logs/service.log")
    }

    fn start_under(&self, interrupt: &Interrupt) -> Result<Running, Error> {
        let start = Start {
            launch: &self.launch,
            tree: self.tree.path(),
            log: &self.log(),
            padding: 123,
            socket: self.socket.as_deref(),
            environment: &[],
            trust: &Trust::default(),
        };
        Running::start(&start, interrupt)
    }

    fn start(&self) -> Result<Running, Error> {
        self.start_under(&Interrupt::new())
    }

    /// The message of a start that fails, with the tree's path made short.
    fn failure(&self) -> (String, String) {
        let error = self.start().unwrap_err();
        let message = error.to_string().replace(self.tree.path().to_str().unwrap(), "TREE");
        (message, error.hint().unwrap_or_default())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.tree.path().join(name)
    }
}

/// Waits for a file that a script writes, and reads it.
fn awaited(path: &Path) -> String {
    let until = Instant::now() + LONG;
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => assert!(Instant::now() < until, "{} was never written", path.display()),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process runs; one that was killed and not yet taken note of has no command line.
fn runs(id: &str) -> bool {
    std::fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| !line.is_empty())
}

fn must_be_gone(id: &str) {
    assert!(id.parse::<u32>().is_ok(), "{id}");
    let until = Instant::now() + LONG;
    while runs(id) {
        assert!(Instant::now() < until, "process {id} lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn processor_time_of_ended_threads_and_children_memory_and_formulas_are_right() {
    let mut scene = Scene::server();
    scene.launch.environment.push(("GREETING".into(), "to {port}".into()));
    let running = scene.start().unwrap();
    let port = running.port().unwrap();
    assert_eq!(running.url(), format!("http://127.0.0.1:{port}"));
    assert_eq!(ask(port, "/environment"), format!("123 to {port}"));
    let formula = |name: &str, formula: &str| Formula {
        name: name.into(),
        formula: formula.into(),
        higher_is_better: true,
        unit: String::new(),
    };
    let formulas = [
        formula("rate", "hits_total{cache=\"memory\"} / lookups_total"),
        formula("pool", "pool_size"),
        formula("unknown", "hitz"),
        formula("nothing", "1 / misses_total"),
    ];
    let mut watch = running.watch(&formulas, "/metrics").unwrap();
    // What was used before the window is none of it.
    ask(port, "/burn?100");
    watch.begin();
    let _ = watch.tick();
    ask(port, "/burn?200");
    ask(port, "/child?150");
    ask(port, &format!("/keep?{}", 64 << 20));
    ask(port, "/hit?50");
    let tick = watch.tick();
    assert!(tick.cpu.unwrap() > 0.0 && tick.rss_bytes.unwrap() > 64 << 20, "{tick:?}");
    let costs = watch.finish();
    watch.alive().unwrap();

    let cpu = costs.cpu_ns.unwrap() as f64 / 1e6;
    // The service measures itself by a clock that lags a little; the rest is memory touched and a program started.
    assert!((335.0..600.0).contains(&cpu), "{cpu} ms");
    let rss = costs.rss_peak_bytes.unwrap() as f64 / f64::from(1 << 20);
    assert!((64.0..84.0).contains(&rss), "{rss} MiB");
    assert_eq!(costs.threads_peak, Some(1));
    assert!(costs.descriptors_peak.unwrap() >= 4);
    assert!(costs.memory_limit_bytes.unwrap() > 64 << 20 && costs.cpu_limit.unwrap() > 0.0);
    let metrics: Vec<_> = costs.metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(metrics, [("pool", 7.0), ("rate", 1.0)]);

    let stopped = running.stop();
    assert_eq!(stopped.status, Some(ExitStatus::Signal(15)));
    assert!(!stopped.by_itself && !stopped.killed);
    assert_eq!(stopped.tail, format!("listening on {port}"));
    assert_eq!(watch.alive().unwrap_err(), "the service was stopped");
}

#[test]
fn reading_the_costs_takes_under_a_millisecond_or_so() {
    let running = Scene::server().start().unwrap();
    let mut watch = running.watch(&[], "/metrics").unwrap();
    watch.begin();
    let mut took: Vec<Duration> = (0..50)
        .map(|_| {
            let began = Instant::now();
            let _ = watch.tick();
            began.elapsed()
        })
        .collect();
    took.sort();
    // Generous: the fastest of many, with a busy machine and an unoptimised build in mind.
    assert!(took[0] < Duration::from_millis(5), "{took:?}");
}

#[test]
fn a_service_is_ready_by_port_or_by_a_line_of_either_stream() {
    let by = |ready: Ready| Scene::server().ready(ready).start().unwrap();
    assert!(!ask(by(Ready::Port).port().unwrap(), "/").is_empty());
    let line = Ready::Log("^listening on {port}$".into());
    assert!(!ask(by(line.clone()).port().unwrap(), "/").is_empty());
    let on_stderr = Scene::shell("echo noise; exec \"$SERVER\" >&2").ready(line);
    assert!(!ask(on_stderr.start().unwrap().port().unwrap(), "/").is_empty());
    let whole = Ready::Url("http://127.0.0.1:{port}/metrics".into());
    assert!(by(whole).ready_after() > Duration::ZERO);
}

#[test]
fn a_service_on_a_unix_socket_is_asked_there_and_its_socket_is_removed() {
    let mut scene = Scene::new(&[server().to_str().unwrap(), "s-{port}.sock"]);
    scene.socket = Some("s-{port}.sock".into());
    let running = scene.start().unwrap();
    let socket = running.socket().unwrap().to_owned();
    assert!(socket.exists());
    let formulas = [Formula {
        name: "pool".into(),
        formula: "pool_size".into(),
        higher_is_better: false,
        unit: String::new(),
    }];
    let mut watch = running.watch(&formulas, "/metrics").unwrap();
    watch.begin();
    assert_eq!(watch.finish().metrics.get("pool"), Some(&7.0));
    assert_eq!(running.stop().status, Some(ExitStatus::Signal(15)));
    assert!(!socket.exists());

    // One that a dead service left is in nobody's way.
    let mut scene = Scene::new(&[server().to_str().unwrap(), "stale.sock"]);
    scene.socket = Some("stale.sock".into());
    drop(std::os::unix::net::UnixListener::bind(scene.file("stale.sock")).unwrap());
    let running = scene.start().unwrap();
    // And one that somebody answers on is.
    assert!(matches!(scene.start().unwrap_err(), Error::Taken { .. }));
    drop(running);
    assert!(!scene.file("stale.sock").exists());
}

#[test]
fn a_service_that_ends_before_it_is_ready_is_told_at_once_with_the_end_of_its_log() {
    let scene = Scene::shell("echo out; echo no database >&2; exit 3");
    let began = Instant::now();
    let (message, hint) = scene.failure();
    assert!(began.elapsed() < LONG);
    assert!(message.starts_with("the service `sh -c "), "{message}");
    assert!(
        message.contains("` exited with status 3 before it was ready; its log is `TREE/logs/service.log`:\n")
    );
    assert!(message.contains("no database") && message.contains("out"), "{message}");
    assert!(hint.contains("logs/service.log"), "{hint}");
    let (_, hint) = Scene::shell("sleep 600 & exit 0").failure();
    assert!(hint.contains("in the foreground"), "{hint}");
}

#[test]
fn a_service_that_never_gets_ready_is_ended_and_told_what_was_waited_for() {
    let mut scene = Scene::shell("echo $$ > id; echo thinking; exec sleep 600");
    scene.launch.ready_timeout = Duration::from_millis(400);
    let (message, hint) = scene.failure();
    assert!(message.contains("was not ready within 0.4 s: waited for an answer with a status below 400"));
    assert!(
        message.contains("and at last Connection refused") && message.ends_with(":\nthinking"),
        "{message}"
    );
    assert!(hint.contains("`PORT`"), "{hint}");
    must_be_gone(&awaited(&scene.file("id")));

    let mut scene = Scene::server().ready(Ready::Url("/nowhere".into()));
    scene.launch.ready_timeout = Duration::from_millis(400);
    assert!(scene.failure().0.contains("and at last it answered 404; its log is"));
    let mut scene = Scene::server().ready(Ready::Log("never said".into()));
    scene.launch.ready_timeout = Duration::from_millis(400);
    let (message, _) = scene.failure();
    assert!(message.contains("waited for a line of output that matches `never said`"), "{message}");
}

#[test]
fn a_picked_port_that_somebody_took_is_picked_anew() {
    let script =
        "[ -e second ] && exec \"$SERVER\"; touch second; echo 'bind: Address already in use'; exit 1";
    assert!(!ask(Scene::shell(script).start().unwrap().port().unwrap(), "/").is_empty());
    let (message, hint) = Scene::shell("echo listen EADDRINUSE; exit 1").failure();
    assert!(message.contains("exited with status 1") && hint.contains("uses its port"), "{message} {hint}");
}

#[test]
fn a_stranger_on_a_fixed_port_is_never_put_under_load() {
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut scene = Scene::shell("touch started; sleep 600");
    scene.launch.url = format!("http://{}", stranger.local_addr().unwrap());
    let (message, hint) = scene.failure();
    assert!(message.contains(&format!("http://{}/ is taken", stranger.local_addr().unwrap())), "{message}");
    assert!(hint.contains("`{port}`") && !scene.file("started").exists());
}

#[test]
fn what_is_missing_or_wrong_is_named_before_anything_starts() {
    assert_eq!(Scene::new(&[]).failure().0, "the service has no command");
    let (message, hint) = Scene::new(&["no-such-program-here", "x"]).failure();
    assert!(
        message.ends_with("there is no program `no-such-program-here` in the folders of `PATH`"),
        "{message}"
    );
    assert_eq!(hint, "install `no-such-program-here`, or add its folder to `PATH`");
    let mut scene = Scene::new(&["target/release/app"]);
    std::fs::create_dir(scene.file("sub")).unwrap();
    scene.launch.directory = "sub".into();
    let (message, hint) = scene.failure();
    let places = "looked for `TREE/sub/target/release/app` and `TREE/target/release/app`";
    assert!(message.ends_with(places) && hint.contains("`build`"), "{message}");
    scene.launch.directory = "gone".into();
    assert!(scene.failure().0.ends_with("its directory `TREE/gone` does not exist"));
    let mut scene = Scene::server();
    scene.launch.url = "127.0.0.1:{port}".into();
    assert!(matches!(scene.start().unwrap_err(), Error::Url { .. }));
    assert!(matches!(
        Scene::server().ready(Ready::Log("(".into())).start().unwrap_err(),
        Error::Pattern { .. }
    ));
}

#[test]
fn a_build_runs_in_the_tree_and_its_failure_is_told_with_its_log() {
    let run = |script: &str, timeout: Duration| {
        let mut scene = Scene::new(&["unused"]);
        scene.launch.build = ["sh", "-c", script].map(str::to_owned).into();
        let log = scene.file("build.log");
        let done = build(&scene.launch, scene.tree.path(), &log, timeout, &Interrupt::new());
        (done.map_err(|error| error.to_string()), scene)
    };
    let (done, scene) = run("touch made; echo fine", LONG);
    done.unwrap();
    assert!(scene.file("made").exists());
    assert!(std::fs::read_to_string(scene.file("build.log")).unwrap().ends_with("fine\n"));
    let message = run("echo out of luck; exit 2", LONG).0.unwrap_err();
    assert!(
        message.contains("exited with status 2; its log is") && message.ends_with(":\nout of luck"),
        "{message}"
    );
    let (done, scene) = run("echo $$ > id; echo slow; exec sleep 600", Duration::from_millis(400));
    let message = done.unwrap_err();
    assert!(message.contains("did not end within 0.4 s") && message.ends_with(":\nslow"), "{message}");
    must_be_gone(&awaited(&scene.file("id")));
    build(&Scene::server().launch, Path::new("/"), Path::new("/nowhere"), LONG, &Interrupt::new()).unwrap();
}

#[test]
fn a_service_may_clean_up_even_behind_a_shell_that_ends_first() {
    let worker = "trap 'sleep 0.3; echo cleaned up; exit' TERM; touch up; while :; do sleep 0.05; done";
    // The shell that leads the group dies of the signal at once.
    let scene = Scene::shell(&format!("sh -c \"{worker}\" & exec \"$SERVER\""));
    let running = scene.start().unwrap();
    while !scene.file("up").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let stopped = running.stop();
    assert!(!stopped.killed && stopped.tail.contains("cleaned up"), "{stopped:?}");
    assert_eq!(stopped.status, Some(ExitStatus::Signal(15)));
}

#[test]
fn a_service_that_ignores_the_request_to_end_is_killed_with_its_daemons() {
    // The daemon's parents are gone, it leads a session of its own, and it ignores the signal as well.
    let daemon = "(setsid sh -c 'trap \"\" TERM; echo $$ > daemon; while :; do sleep 600; done' & exit 0)";
    let mut scene = Scene::shell(&format!("{daemon}; trap '' TERM; \"$SERVER\"; sleep 600"));
    scene.launch.stop_timeout = Duration::from_millis(300);
    let running = scene.start().unwrap();
    let daemon = awaited(&scene.file("daemon"));
    assert!(runs(&daemon));
    let stopped = running.stop();
    assert!(stopped.killed, "{stopped:?}");
    must_be_gone(&daemon);
}

#[test]
fn nothing_is_left_of_a_service_that_is_dropped_in_a_panic() {
    let scene = Scene::shell(
        "(setsid sh -c 'echo $$ > daemon; exec sleep 600' & exit 0); echo $$ > id; exec \"$SERVER\"",
    );
    let caught = std::panic::catch_unwind(|| {
        let _running = scene.start().unwrap();
        awaited(&scene.file("daemon"));
        panic!("on purpose");
    });
    assert!(caught.is_err());
    must_be_gone(&awaited(&scene.file("daemon")));
    must_be_gone(&awaited(&scene.file("id")));
}

#[test]
fn an_interrupt_ends_the_wait_and_the_service() {
    let scene = Scene::shell("echo $$ > id; exec sleep 600");
    let interrupt = Interrupt::new();
    std::thread::scope(|scope| {
        let started = scope.spawn(|| scene.start_under(&interrupt).unwrap_err());
        let id = awaited(&scene.file("id"));
        interrupt.request("SIGINT");
        assert!(matches!(started.join().unwrap(), Error::Interrupted { signal: "SIGINT" }));
        must_be_gone(&id);
    });
    assert!(matches!(scene.start_under(&interrupt), Err(Error::Interrupted { .. })));
}

#[test]
fn a_second_interrupt_kills_daemons_too_without_waiting_for_us() {
    let scene = Scene::shell("(setsid sh -c 'echo $$ > daemon; exec sleep 600' & exit 0); exec \"$SERVER\"");
    let interrupt = Interrupt::new();
    let running = scene.start_under(&interrupt).unwrap();
    let daemon = awaited(&scene.file("daemon"));
    let mut watch = running.watch(&[], "/metrics").unwrap();
    // The daemon may still have become its program's group leader after the service was ready: a look finds it. While it turns into `sleep` the system
    // says nothing of its environment, by which it is known.
    let until = Instant::now() + LONG;
    while std::fs::read_to_string(format!("/proc/{daemon}/comm")).is_ok_and(|name| name.trim() != "sleep") {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(5));
    }
    watch.begin();
    interrupt.request("SIGINT");
    interrupt.request("SIGINT");
    must_be_gone(&daemon);
    assert_eq!(running.stop().status, Some(ExitStatus::Signal(9)));
}

#[test]
fn a_service_that_closes_its_streams_still_runs() {
    let scene = Scene::shell("exec \"$SERVER\" >/dev/null 2>&1");
    let running = scene.start().unwrap();
    let mut watch = running.watch(&[], "/metrics").unwrap();
    watch.begin();
    assert_eq!(ask(running.port().unwrap(), "/ready"), "ok");
    watch.alive().unwrap();
    assert!(watch.finish().rss_peak_bytes.is_some());
    assert_eq!(running.stop().tail, "");
}

#[test]
fn a_service_that_dies_under_load_is_told_with_its_status_and_its_last_words() {
    let scene = Scene::server();
    let running = scene.start().unwrap();
    let mut watch = running.watch(&[], "/metrics").unwrap();
    watch.begin();
    ask(running.port().unwrap(), "/exit?9");
    let until = Instant::now() + LONG;
    let sentence = loop {
        match watch.alive() {
            Err(sentence) => break sentence,
            Ok(()) => assert!(Instant::now() < until),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(
        sentence.contains("exited with status 9 under load; its log is") && sentence.ends_with("asked to go")
    );
    let _ = (watch.tick(), watch.finish());
    let stopped = running.stop();
    assert!(stopped.by_itself && !stopped.killed);
    assert_eq!(stopped.status, Some(ExitStatus::Code(9)));
}

#[test]
fn a_metrics_page_that_cannot_be_read_is_an_error_only_when_a_formula_needs_it() {
    let running = Scene::server().start().unwrap();
    assert!(running.watch(&[], "/nowhere").is_ok());
    let formulas = |formula: &str| {
        [Formula {
            name: "rate".into(),
            formula: formula.into(),
            higher_is_better: true,
            unit: String::new(),
        }]
    };
    let message = |formula: &str, url: &str| match running.watch(&formulas(formula), url) {
        Ok(_) => panic!("it is watched"),
        Err(error) => error.to_string(),
    };
    let url = running.url();
    assert_eq!(
        message("a", "/nowhere"),
        format!("could not read the metrics page {url}/nowhere: it answered 404")
    );
    assert!(message("a", "/environment").ends_with("none of its lines could be read"));
    assert_eq!(message("a +", "/metrics"), "could not use the formula of `rate`");
    assert!(message("a", "http://127.0.0.1:1/metrics").contains("Connection refused"));
}

#[test]
fn a_service_that_already_runs_is_neither_watched_nor_stopped() {
    let ours = Scene::server().start().unwrap();
    let attached = Running::attach(&format!("{}/", ours.url()), Trust::default());
    assert_eq!((attached.url(), attached.port()), (ours.url(), None));
    let formulas = [Formula {
        name: "pool".into(),
        formula: "pool_size".into(),
        higher_is_better: false,
        unit: String::new(),
    }];
    let mut watch = attached.watch(&formulas, "/metrics").unwrap();
    watch.begin();
    let costs = watch.finish();
    assert_eq!((costs.cpu_ns, costs.rss_peak_bytes, costs.cpu_limit), (None, None, None));
    assert_eq!(costs.metrics.get("pool"), Some(&7.0));
    watch.alive().unwrap();
    assert_eq!(attached.stop().status, None);
    assert_eq!(ask(ours.port().unwrap(), "/ready"), "ok");
}
