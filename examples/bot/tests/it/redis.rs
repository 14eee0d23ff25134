//! Beside a real Redis, and beside what only looks like one.

use std::{
    env,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use tempfile::TempDir;

use crate::support::{
    PATIENCE,
    http::{ask, get, metric},
    inside::Inside,
    process::Kept,
    wait_until,
};

const UP: &str = "bot_redis_up";
const HITS: &str = "bot_cache_layer_hits_total{layer=\"redis\"}";
const ERRORS: &str = "bot_redis_errors_total";
const QUERIES: &str = "bot_sqlite_queries_total";

/// A server of the test's own. Nothing of it is left when it is dropped.
struct Server {
    process: Option<Kept>,
    address: SocketAddr,
    folder: TempDir,
    program: PathBuf,
}

impl Server {
    /// Starts one on a free port; `None`, said aloud, when Redis is not installed.
    fn start() -> Option<Self> {
        let paths = env::var_os("PATH").unwrap_or_default();
        let Some(program) =
            env::split_paths(&paths).map(|path| path.join("redis-server")).find(|file| file.is_file())
        else {
            assert!(env::var_os("BOT_TESTS_NEED_REDIS").is_none(), "redis-server is not on PATH");
            eprintln!("SKIPPED: redis-server is not on PATH, so nothing was tested with a real Redis");
            return None;
        };
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut server = Self { process: None, address, folder: tempfile::tempdir().unwrap(), program };
        server.run();
        Some(server)
    }

    /// Starts it, again perhaps, at its address.
    fn run(&mut self) {
        let port = self.address.port().to_string();
        let mut command = Command::new(&self.program);
        command.args([
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--daemonize",
            "no",
        ]);
        command.arg("--dir").arg(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(Kept(command.spawn().unwrap()));
        wait_until("Redis answers", || self.say("PING").is_some_and(|answer| answer.starts_with("+PONG")));
    }

    fn stop(&mut self) {
        self.process = None;
    }

    /// One command as a line, and its answer.
    fn say(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }
}

/// A bot that keeps answers only there.
fn beside(url: &str, settings: &[(&str, &str)]) -> Inside {
    // Patient: a busy machine must not look like a dead server.
    Inside::start(
        &[settings, &[("CACHE", "redis"), ("REDIS_URL", url), ("REDIS_TIMEOUT_MS", "20000")]].concat(),
    )
}

#[test]
fn what_one_bot_worked_out_another_finds_in_redis() {
    let Some(server) = Server::start() else { return };
    let (first, second) = (beside(&server.url(), &[]), beside(&server.url(), &[]));
    let answer = ask(first.address, "/price chai latte");
    assert_eq!(ask(second.address, "/price chai latte"), answer);
    assert_eq!((metric(first.address, QUERIES), metric(first.address, HITS)), (1, 0));
    assert_eq!((metric(second.address, QUERIES), metric(second.address, HITS)), (0, 1));
    assert!(get(second.address, "/health").body.contains("\"redis\":\"up\""));
    let ttl =
        server.say(&format!("TTL \"example-bot:{}:price:chai latte\"", env!("CARGO_PKG_VERSION"))).unwrap();
    let seconds: i64 = ttl.lines().next().unwrap().trim_start_matches(':').parse().unwrap();
    assert!((1..=300).contains(&seconds), "{ttl}");
}

#[test]
fn memory_is_asked_before_redis() {
    let Some(server) = Server::start() else { return };
    let url = server.url();
    let bot = Inside::start(&[("REDIS_URL", url.as_str()), ("REDIS_TIMEOUT_MS", "20000")]);
    for _ in 0..3 {
        ask(bot.address, "/price chai latte");
    }
    assert_eq!(metric(bot.address, "bot_cache_layer_hits_total{layer=\"memory\"}"), 2);
    assert_eq!(metric(bot.address, "bot_cache_layer_misses_total{layer=\"redis\"}"), 1);
}

#[test]
fn redis_may_die_and_come_back() {
    let Some(mut server) = Server::start() else { return };
    let bot = beside(&server.url(), &[]);
    ask(bot.address, "/price latte");
    assert_eq!(metric(bot.address, UP), 1);
    server.stop();
    assert_eq!(ask(bot.address, "/price latte"), "latte: 3.70 EUR a glass.");
    assert_eq!(ask(bot.address, "/price mocha"), "mocha: 4.20 EUR a glass.");
    assert_eq!(metric(bot.address, UP), 0);
    assert!(metric(bot.address, ERRORS) >= 1);
    assert!(get(bot.address, "/health").body.contains("\"redis\":\"away\""));
    server.run();
    wait_until("the bot is back with Redis", || {
        ask(bot.address, "/price bagel");
        metric(bot.address, UP) == 1
    });
    let hits = metric(bot.address, HITS);
    ask(bot.address, "/price bagel");
    assert_eq!(metric(bot.address, HITS), hits + 1);
}

#[cfg(unix)]
#[test]
fn a_redis_that_hangs_costs_its_time_limit_once() {
    let Some(server) = Server::start() else { return };
    let bot = Inside::start(&[
        ("CACHE", "redis"),
        ("REDIS_URL", server.url().as_str()),
        ("REDIS_TIMEOUT_MS", "300"),
    ]);
    // On a busy machine the first attempts may take too long already.
    wait_until("the bot is with Redis", || {
        ask(bot.address, "/price latte");
        metric(bot.address, UP) == 1
    });
    server.process.as_ref().unwrap().signal("STOP");
    assert_eq!(ask(bot.address, "/price latte"), "latte: 3.70 EUR a glass.");
    assert_eq!(metric(bot.address, UP), 0);
    server.process.as_ref().unwrap().signal("CONT");
    wait_until("the bot is back with Redis", || {
        ask(bot.address, "/price latte");
        metric(bot.address, UP) == 1
    });
}

#[test]
fn what_others_left_in_redis_is_no_answer() {
    let Some(server) = Server::start() else { return };
    let bot = beside(&server.url(), &[]);
    let key = |item: &str| format!("example-bot:{}:price:{item}", env!("CARGO_PKG_VERSION"));
    assert!(server.say(&format!("LPUSH {} x", key("latte"))).unwrap().starts_with(":1"));
    assert!(server.say(&format!("SET {} \"\\xff\\xfe\"", key("mocha"))).unwrap().starts_with("+OK"));
    assert!(server.say(&format!("SET {} \"\"", key("bagel"))).unwrap().starts_with("+OK"));
    assert!(server.say(&format!("SET {} {}", key("quiche"), "x".repeat(5_000))).unwrap().starts_with("+OK"));
    for item in ["latte", "mocha", "bagel", "quiche"] {
        assert!(ask(bot.address, &format!("/price {item}")).starts_with(&format!("{item}: ")), "{item}");
    }
    assert_eq!((metric(bot.address, UP), metric(bot.address, HITS)), (1, 0), "the connection is still good");
    ask(bot.address, "/price quiche");
    assert_eq!(metric(bot.address, HITS), 1, "what was wrong is overwritten");
}

#[test]
fn without_a_redis_there_the_bot_starts_and_answers() {
    // A port that nobody listens on, and a listener that never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [gone, silent.local_addr().unwrap()] {
        let url = format!("redis://{address}/");
        let bot =
            Inside::start(&[("CACHE", "redis"), ("REDIS_URL", url.as_str()), ("REDIS_TIMEOUT_MS", "50")]);
        assert_eq!(bot.warnings, ["Redis does not answer: doing without until it does"]);
        let start = Instant::now();
        for _ in 0..20 {
            assert_eq!(ask(bot.address, "/price latte"), "latte: 3.70 EUR a glass.");
        }
        assert_eq!(metric(bot.address, UP), 0);
        // Not 20 time limits a second: between attempts Redis is left alone.
        let attempts = metric(bot.address, ERRORS);
        assert!(attempts <= 3 + start.elapsed().as_secs(), "{attempts} in {:?}", start.elapsed());
        assert!(metric(bot.address, "bot_redis_skipped_total") > 0);
    }
    drop(silent);
}
