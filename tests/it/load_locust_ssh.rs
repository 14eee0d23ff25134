//! Workers of a real Locust on another host: this machine behind a real sshd, on a port of its own with keys of its own. Where one
//! of the two is missing, the tests say so and pass over.
#![cfg(target_os = "linux")]

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    load_locust::{Project, count, locust, slow_server},
    support::{
        server::Server,
        tollgate::{Ran, ran},
    },
};
use rustix::process::{Pid, Signal, kill_process};

/// It wants to be started by its whole path.
const SSHD: &str = "/usr/sbin/sshd";

/// The words of a worker on the other side; those of the ssh that started it stand in quotes.
const WORKER: &str = "-f - --worker";

/// The other host; it goes down with this value.
struct Host {
    folder: PathBuf,
    user: String,
    port: u16,
    sshd: Child,
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.sshd.kill());
        drop(self.sshd.wait());
    }
}

fn keygen(file: &Path) {
    let args = ["-q", "-t", "ed25519", "-N", "", "-f"];
    assert!(Command::new("ssh-keygen").args(args).arg(file).status().unwrap().success());
}

impl Host {
    /// Starts an sshd that lets in who has the key in the project's folder, whose processes bear the project's mark.
    fn start(project: &Project) -> Option<Self> {
        if !Path::new(SSHD).is_file() {
            eprintln!("no {SSHD}: the test is passed over");
            return None;
        }
        let folder = project.folder.path().canonicalize().unwrap();
        let file = |name: &str| folder.join(name);
        keygen(&file("host_key"));
        keygen(&file("user_key"));
        fs::copy(file("user_key.pub"), file("authorized_keys")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nAuthorizedKeysFile {keys}\nStrictModes no\nUsePAM no\n\
             PidFile none\nPermitRootLogin yes\nPasswordAuthentication no\nSetEnv {mark}\n",
            host = file("host_key").display(),
            keys = file("authorized_keys").display(),
            mark = project.mark,
        );
        fs::write(file("sshd_config"), config).unwrap();
        let sshd = |option: &str| {
            let mut command = Command::new(SSHD);
            command.arg(option).arg("-f").arg(file("sshd_config")).stdin(Stdio::null());
            command
        };
        let able = sshd("-t").output().unwrap();
        if !able.status.success() {
            eprintln!("sshd cannot run here: {}", String::from_utf8_lossy(&able.stderr));
            return None;
        }
        let log = fs::File::create(file("sshd.log")).unwrap();
        let sshd = sshd("-D").arg("-e").stderr(log).spawn().unwrap();
        let output = Command::new("id").arg("-un").output().unwrap();
        let user = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let host = Self { folder, user, port, sshd };
        host.configure();
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", host.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(host)
    }

    /// What stands in `~/.ssh/config` of a user. ssh finds that folder by the account and not by a variable, so a script in front of
    /// it names the file.
    fn configure(&self) {
        let (folder, bin) = (self.folder.display(), self.folder.join("bin"));
        let config = format!(
            "Host far\n  HostName 127.0.0.1\n  Port {}\n  User {}\nHost *\n  IdentityFile {folder}/user_key\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {folder}/known_hosts\n  StrictHostKeyChecking accept-new\n",
            self.port, self.user
        );
        fs::write(self.folder.join("ssh_config"), config).unwrap();
        let script = format!("#!/bin/sh\nPATH=${{PATH#*:}}\nexec ssh -F {folder}/ssh_config \"$@\"\n");
        fs::create_dir(&bin).unwrap();
        fs::write(bin.join("ssh"), script).unwrap();
        fs::set_permissions(bin.join("ssh"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("sshd.log")).unwrap_or_default()
    }

    fn command(&self, project: &Project) -> Command {
        let mut command = project.command(&["--format", "json"]);
        let path = format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// The hosts of a scenario.
type Hosts<'a> = &'a dyn Fn(&Host) -> Vec<String>;

/// A project with these hosts, its other host, and the server that it asks.
fn scene(window: &str, hosts: Hosts<'_>) -> Option<(Project, Host, Server)> {
    let locust = locust()?;
    let (server, _) = slow_server();
    let project = Project::new("");
    let host = Host::start(&project)?;
    let scenario = format!(
        "[[load]]\nname = \"far\"\ndriver = \"locust\"\nrate = 40\nwarmup = \"1s\"\ntimeout = \"10s\"\nlocust = {locust:?}
window = \"{window}\"\nurl = \"http://0.0.0.0:{}\"\nallow_remote = true\nhosts = {:?}\nmaster = \"127.0.0.1\"
[[load.request]]\npath = \"/\"\nheaders = {{ X-Key = \"hunter2\" }}\n",
        server.address.port(),
        hosts(&host),
    );
    fs::write(project.folder.path().join("tollgate.toml"), scenario).unwrap();
    Some((project, host, server))
}

/// A name of the user's configuration, and an address with its port.
fn two(host: &Host) -> Vec<String> {
    vec!["far".to_owned(), format!("ssh://{}@127.0.0.1:{}", host.user, host.port)]
}

/// Starts a run and waits until its server was asked. Beside tests that keep both processors busy, Locust's workers may take longer to start than they
/// are waited for: then it is started once more.
fn under_load(project: &Project, host: &Host, server: &Server) -> Child {
    for _ in 0..3 {
        let mut run = host.command(project).spawn().unwrap();
        while run.try_wait().unwrap().is_none() {
            if server.connections.load(std::sync::atomic::Ordering::Relaxed) > 0 {
                return run;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let ended = ran(&run.wait_with_output().unwrap());
        assert!(ended.stdout.contains("joined the master"), "{}{}{}", ended.stdout, ended.stderr, host.log());
    }
    panic!("the workers never joined: {}", host.log())
}

fn ended(run: Child) -> Ran {
    ran(&run.wait_with_output().unwrap())
}

#[test]
fn two_workers_behind_sshd_ask_all_that_is_due() {
    let Some((project, host, _server)) = scene("2s", &two) else { return };
    let ran = ran(&host.command(&project).output().unwrap());
    project.is_clean();
    let verdict = ran.exits(0).json();
    let entry = &verdict["load"][0];
    assert_eq!((count(entry, "scheduled"), count(entry, "completed")), (80, 80), "{entry:#}\n{}", host.log());
}

#[test]
fn an_interrupt_leaves_no_worker_on_the_other_host() {
    let Some((project, host, server)) = scene("60s", &two) else { return };
    let run = under_load(&project, &host, &server);
    assert_eq!(project.processes(WORKER).len(), 2, "{}", host.log());
    kill_process(Pid::from_child(&run), Signal::INT).unwrap();
    ended(run).exits(5);
    project.is_clean();
}

#[test]
fn a_worker_that_is_killed_on_its_host_is_named_with_the_host_and_the_other_one_ends_too() {
    let Some((project, host, server)) = scene("60s", &two) else { return };
    let run = under_load(&project, &host, &server);
    let workers = project.processes(WORKER);
    assert_eq!(workers.len(), 2, "{}", host.log());
    kill_process(workers[0], Signal::KILL).unwrap();
    let verdict = ended(run).exits(5).json().to_string();
    assert!(verdict.contains("of 2 (on ") && verdict.contains("under load"), "{verdict}");
    project.is_clean();
}

#[test]
fn a_host_that_lets_nobody_in_is_named_with_what_ssh_says_and_what_to_do() {
    let nobody = |host: &Host| vec!["far".to_owned(), format!("ssh://no-such-user@127.0.0.1:{}", host.port)];
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = move |_: &Host| vec!["far".to_owned(), format!("ssh://127.0.0.1:{free}")];
    let nowhere = |_: &Host| vec!["far".to_owned(), "no-such-host.invalid".to_owned()];
    let cases: [(Hosts<'_>, &str); 3] =
        [(&nobody, "Permission denied"), (&closed, "Connection refused"), (&nowhere, "no-such-host.invalid")];
    for (hosts, words) in cases {
        let Some((project, host, _server)) = scene("2s", hosts) else { return };
        let verdict = ended(host.command(&project).spawn().unwrap()).exits(5).json().to_string();
        for words in ["worker 2 of 2 (on ", "before the load began", words, "`ssh HOST` must work from here"]
        {
            assert!(verdict.contains(words), "`{words}` in {verdict}");
        }
        project.is_clean();
    }
}
