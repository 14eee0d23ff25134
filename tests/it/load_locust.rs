//! `driver = "locust"` by a real Locust, one master and two workers on this machine. Where there is no Locust, the tests say so and
//! pass over; `scripts/test` brings it where PyPI is reached.
#![cfg(target_os = "linux")]

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::support::{
    server::{Reply, Server, ok},
    tollgate::{Ran, command, ran},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A service in the language that is there where Locust is; it answers only those who know the secret.
const SERVICE: &str = r#"
import http.server, os, socketserver, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        time.sleep(0.06)
        known = self.headers.get("X-Key") == "hunter2" and self.path.startswith("/item/")
        self.send_response(200 if known else 500)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *_):
        pass
class Service(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 100
Service(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"#;

/// The program, or nothing with a line that says so.
pub(crate) fn locust() -> Option<PathBuf> {
    let named = std::env::var_os("TOLLGATE_TEST_LOCUST").map(PathBuf::from);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = named
        .into_iter()
        .chain(std::env::split_paths(&folders).map(|folder| folder.join("locust")))
        .find(|path| path.is_file());
    if found.is_none() {
        eprintln!("no locust: the test is passed over");
    }
    found
}

/// A folder with this scenario, and what marks its processes.
pub(crate) struct Project {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) mark: String,
}

impl Project {
    pub(crate) fn new(scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "[[load]]\nname = \"far\"\ndriver = \"locust\"\nrate = 40\nwarmup = \"1s\"\ntimeout = \"10s\"\n{scenario}"
        );
        fs::write(folder.path().join("tollgate.toml"), text).unwrap();
        let mark = format!("TOLLGATE_TEST_MARK={}", folder.path().display());
        Self { folder, mark }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = command(self.folder.path());
        let (name, value) = self.mark.split_once('=').unwrap();
        command
            .env("TOLLGATE_CACHE_DIR", self.folder.path().join("cache"))
            .env("TMPDIR", self.folder.path())
            .env(name, value)
            .arg("load")
            .args(args);
        command
    }

    fn load(&self) -> Ran {
        ran(&self.command(&["--format", "json"]).output().unwrap())
    }

    fn start(&self) -> Child {
        let mut command = self.command(&["--format", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The processes of ours whose command line holds these words.
    pub(crate) fn processes(&self, words: &str) -> Vec<Pid> {
        let holds = |path: &Path, what: &str| {
            fs::read(path)
                .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " ").contains(what))
        };
        let entries = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok().map(|entry| entry.path()));
        entries
            .filter(|path| holds(&path.join("environ"), &self.mark) && holds(&path.join("cmdline"), words))
            .filter_map(|path| Pid::from_raw(path.file_name()?.to_str()?.parse().ok()?))
            .collect()
    }

    /// Nothing is left of a run, neither processes nor files with secrets.
    pub(crate) fn is_clean(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        while !self.processes("").is_empty() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(self.processes("").is_empty());
        let left: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("tollgate-locust-"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

pub(crate) fn count(entry: &Value, key: &str) -> u64 {
    entry["requests"][key].as_u64().unwrap_or_else(|| panic!("{entry:#}"))
}

/// A server that says when it was first asked.
pub(crate) fn slow_server() -> (Server, mpsc::Receiver<()>) {
    let (sender, first) = mpsc::channel();
    let server = Server::start(move |_, _| {
        let _ = sender.send(());
        std::thread::sleep(Duration::from_millis(60));
        Reply::Keep(ok("hello"))
    });
    (server, first)
}

#[test]
fn two_workers_ask_what_is_due_and_tell_of_all_of_it() {
    let Some(locust) = locust() else { return };
    let project = Project::new(&format!(
        "locust = {locust:?}\nwindow = \"3s\"\ncommand = [\"python3\", \"service.py\"]
[[load.request]]\nname = \"item\"\nweight = 9\npath = \"/item/{{{{ number }}}}\"\nheaders = {{ X-Key = \"hunter2\" }}
[[load.request]]\nname = \"wrong\"\npath = \"/wrong\"\n"
    ));
    fs::write(project.folder.path().join("service.py"), SERVICE).unwrap();
    let ran = project.load();
    project.is_clean();
    let verdict = ran.json();
    let entry = &verdict["load"][0];
    assert_eq!((count(entry, "scheduled"), count(entry, "unfinished")), (120, 0), "{}", ran.stderr);
    assert_eq!(count(entry, "completed") + count(entry, "errors"), 120, "{entry:#}");
    // About one in ten is asked what the service does not know; the seed decides which.
    assert!((1..60).contains(&count(entry, "errors")), "{entry:#}");
    assert_eq!(entry["requests"]["error_kinds"]["status"], count(entry, "errors"), "{entry:#}");
    let p50 = entry["latency_ns"]["p50"].as_f64().unwrap();
    assert!((6e7..5e9).contains(&p50), "{entry:#}");
    assert!(entry["service_time_ns"]["p50"].as_f64().unwrap() >= 5.9e7, "{entry:#}");
    assert!(entry.to_string().contains("\"cpu_per_request_ns\":"), "{entry:#}");
    assert!(!ran.stdout.contains("hunter2") && !ran.stderr.contains("hunter2"));
}

#[test]
fn a_worker_that_is_killed_midway_is_an_error_that_says_so() {
    let Some(locust) = locust() else { return };
    let (server, first) = slow_server();
    let project = Project::new(&format!(
        "locust = {locust:?}\nwindow = \"60s\"\nurl = \"{}\"\n[[load.request]]\npath = \"/\"\n",
        server.url()
    ));
    let run = project.start();
    first.recv_timeout(Duration::from_secs(100)).unwrap();
    let workers = project.processes("--worker");
    assert_eq!(workers.len(), 2);
    kill_process(workers[0], Signal::KILL).unwrap();
    let ran = ran(&run.wait_with_output().unwrap()).exits(5);
    let verdict = ran.json().to_string();
    assert!(verdict.contains("of 2 was killed by signal 9 (SIGKILL) under load"), "{verdict}");
    project.is_clean();
}

#[test]
fn an_interrupt_ends_master_and_workers() {
    let Some(locust) = locust() else { return };
    let (server, first) = slow_server();
    let project = Project::new(&format!(
        "locust = {locust:?}\nwindow = \"60s\"\nurl = \"{}\"\n[[load.request]]\npath = \"/\"\n",
        server.url()
    ));
    let run = project.start();
    first.recv_timeout(Duration::from_secs(100)).unwrap();
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    ran(&run.wait_with_output().unwrap()).exits(5);
    project.is_clean();
}

#[test]
fn workers_on_other_hosts_are_started_by_ssh_and_no_command_line_holds_a_secret() {
    use std::os::unix::fs::PermissionsExt;
    let Some(locust) = locust() else { return };
    let (server, _first) = slow_server();
    let project = Project::new(&format!(
        "locust = {locust:?}\nwindow = \"2s\"\nurl = \"http://0.0.0.0:{}\"\nallow_remote = true\nhosts = [\"me@one\", \"two\"]
master = \"127.0.0.1\"\n[[load.request]]\npath = \"/\"\nheaders = {{ X-Key = \"hunter2\" }}\n",
        server.address.port()
    ));
    let folder = project.folder.path();
    let (ssh, log) = (folder.join("ssh"), folder.join("log"));
    // It is the other host: it runs the words by a shell, as sshd does.
    let text = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >> {}\nfor last; do :; done\nexec sh -c \"$last\"\n",
        log.display()
    );
    fs::write(&ssh, text).unwrap();
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let ran = ran(&project.command(&["--format", "json"]).env("PATH", path).output().unwrap());
    let entry = &ran.json()["load"][0];
    assert_eq!((count(entry, "scheduled"), count(entry, "completed")), (80, 80), "{}", ran.stderr);
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("-- me@one exec ") && log.contains("-- two exec "), "{log}");
    assert!(log.contains("'--worker'") && !log.contains("hunter2"), "{log}");
    project.is_clean();
}

#[test]
fn a_port_that_is_taken_is_named() {
    let Some(locust) = locust() else { return };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let project = Project::new(&format!(
        "locust = {locust:?}\nurl = \"http://127.0.0.1:1\"\nmaster = \"127.0.0.1:{port}\"\n[[load.request]]\npath = \"/\"\n"
    ));
    let verdict = project.load().exits(5).json().to_string();
    assert!(verdict.contains(&format!("port {port} is taken")), "{verdict}");
    project.is_clean();
}

#[test]
fn a_machine_without_locust_is_told_how_to_get_it() {
    let project = Project::new(
        "locust = \"no-such-locust\"\nurl = \"http://127.0.0.1:1\"\n[[load.request]]\npath = \"/\"\n",
    );
    let verdict = project.load().exits(5).json().to_string();
    assert!(verdict.contains("there is no program `no-such-locust`"), "{verdict}");
    assert!(verdict.contains("pip install 'locust>=2.43.4,<3'"), "{verdict}");
    project.is_clean();
}
