//! The processes of a Locust run: a master and workers on this machine, and workers on other hosts, each behind an ssh of ours.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::Path,
    time::{Duration, Instant},
};

use super::{
    failure::{BEFORE, Error},
    plan::workers,
};
use crate::{
    load::scenario::Locust,
    process::{self, Child, Interrupt, Spec},
    sources::locustfile::LocustPlan,
};

/// How long the workers may take to join the master: Python and ssh are slow to start on a busy machine.
pub(super) const JOIN: Duration = Duration::from_secs(60);

/// How long processes may take to end by themselves when all was told.
const LEAVE: Duration = Duration::from_secs(5);

/// How long they are asked to end, before they are killed.
const GRACE: Duration = Duration::from_secs(2);

/// The name of the locustfile in its folder.
pub(super) const LOCUSTFILE: &str = "tollgate_locustfile.py";

/// A process and its name in messages.
struct Member {
    who: String,
    child: Child,
}

/// All processes. Their groups are killed when this is dropped.
pub(super) struct Crew {
    port: u16,
    workers: u32,
    /// The master first.
    members: Vec<Member>,
}

impl Crew {
    /// Starts all processes; the locustfile is in `folder`.
    pub(super) fn start(
        locust: &Locust,
        plan: &LocustPlan,
        folder: &Path,
        interrupt: &Interrupt,
    ) -> Result<Self, Error> {
        let port = port(locust)?;
        let mut crew = Self { port, workers: workers(locust), members: Vec::new() };
        crew.add("the Locust master".into(), &master(locust, plan, port, folder), locust, interrupt)?;
        for number in 1..=locust.workers {
            let who = format!("Locust worker {number} of {}", crew.workers);
            let args = worker_args(LOCUSTFILE, "127.0.0.1", port);
            crew.add(who, &spec(&locust.program, folder).args(args), locust, interrupt)?;
        }
        let address = locust.master.as_deref().unwrap_or("127.0.0.1");
        for (host, number) in locust.hosts.iter().zip(locust.workers + 1..) {
            let who = format!("Locust worker {number} of {} (on {host})", crew.workers);
            let mut words = vec![locust.program.clone()];
            // A worker elsewhere has its locustfile from the master.
            words.extend(worker_args("-", address, port));
            crew.add(who, &ssh(host, &words, folder), locust, interrupt)?;
        }
        Ok(crew)
    }

    fn add(&mut self, who: String, spec: &Spec, locust: &Locust, interrupt: &Interrupt) -> Result<(), Error> {
        let child = Child::spawn(spec, interrupt).map_err(|source| match &source {
            process::Error::Start { source: reason, .. }
                if reason.kind() == std::io::ErrorKind::NotFound
                    && spec.program == locust.program.as_str() =>
            {
                Error::Missing { program: locust.program.clone() }
            }
            _ => Error::Start { who: who.clone(), source },
        })?;
        self.members.push(Member { who, child });
        Ok(())
    }

    /// The first process that ended, as an error of its own; `started`: whether the load has begun.
    pub(super) fn ended(&mut self, started: bool) -> Option<Error> {
        let mut ended: Vec<usize> = Vec::new();
        for (place, member) in self.members.iter_mut().enumerate() {
            if member.child.wait_for(Duration::ZERO).is_some() {
                ended.push(place);
            }
        }
        // When a worker falls, the master may end over it, and not the other way round: workers wait for a master.
        let place = ended.iter().rev().find(|place| **place > 0).or_else(|| ended.first())?;
        Some(self.error(*place, started))
    }

    fn error(&mut self, place: usize, started: bool) -> Error {
        let (port, workers) = (self.port, self.workers);
        let member = &mut self.members[place];
        let status =
            member.child.wait_for(Duration::ZERO).map_or_else(String::new, |status| status.to_string());
        let tail = member.child.last_words();
        if place == 0 && tail.to_ascii_lowercase().contains("address already in use") {
            return Error::PortTaken { port };
        }
        if place == 0 && tail.contains("Gave up waiting for workers") {
            return Error::NotJoined { workers, limit: JOIN, tail: String::new() };
        }
        let when = if started { "under load" } else { BEFORE };
        Error::Ended { who: member.who.clone(), status, when, tail }
    }

    /// The end of what the master said.
    pub(super) fn master_tail(&self) -> String {
        self.members.first().map(|master| master.child.last_words()).unwrap_or_default()
    }

    /// How many workers there are.
    pub(super) fn workers(&self) -> u32 {
        self.workers
    }

    /// Ends all: in good order where the master lets them go by itself, else at once.
    pub(super) fn stop(mut self, in_order: bool) {
        let until = Instant::now() + if in_order { LEAVE } else { Duration::ZERO };
        for member in &mut self.members {
            let left = until.saturating_duration_since(Instant::now());
            if member.child.wait_for(left).is_none() {
                member.child.ask_to_end();
            }
        }
        for member in &mut self.members {
            member.child.end(GRACE);
        }
    }
}

fn port(locust: &Locust) -> Result<u16, Error> {
    if let Some(port) = locust.port {
        return Ok(port);
    }
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(Error::NoPort)?;
    listener.local_addr().map(|address| address.port()).map_err(Error::NoPort)
}

/// Locust in `folder`, which has no configuration of its own, without the variables that would change what it does.
fn spec(program: &str, folder: &Path) -> Spec {
    let mut spec = Spec::new(program, folder).set("PYTHONDONTWRITEBYTECODE", "1");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LOCUST_") {
            spec = spec.remove(name);
        }
    }
    spec
}

fn master(locust: &Locust, plan: &LocustPlan, port: u16, folder: &Path) -> Spec {
    // Nobody but this machine needs to reach a master whose workers are all here.
    let bind = if locust.hosts.is_empty() { "127.0.0.1" } else { "*" };
    let numbers = [
        ("--master-bind-port", u64::from(port)),
        ("--expect-workers", u64::from(plan.workers)),
        ("--expect-workers-max-wait", JOIN.as_secs()),
        ("--users", u64::from(plan.users)),
        ("--spawn-rate", u64::from(plan.users)),
        ("--exit-code-on-error", 0),
    ];
    let run = Duration::try_from_secs_f64(plan.run_seconds().ceil()).unwrap_or(Duration::MAX);
    spec(&locust.program, folder)
        .args(["-f", LOCUSTFILE, "--master", "--headless", "--only-summary", "--loglevel", "WARNING"])
        .args(["--master-bind-host", bind, "--run-time"])
        .args([format!("{}s", run.as_secs())])
        .args(numbers.iter().flat_map(|(name, value)| [(*name).to_owned(), value.to_string()]))
}

fn worker_args(locustfile: &str, address: &str, port: u16) -> Vec<String> {
    let port = port.to_string();
    let args = [
        "-f",
        locustfile,
        "--worker",
        "--loglevel",
        "WARNING",
        "--master-host",
        address,
        "--master-port",
        &port,
    ];
    args.map(str::to_owned).to_vec()
}

/// A command on another host. A terminal is asked for, so that the host ends it when the connection ends.
fn ssh(host: &str, words: &[String], folder: &Path) -> Spec {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    Spec::new("ssh", folder)
        .args([
            "-tt",
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=15",
            "-o",
            "ServerAliveInterval=5",
            "--",
            host,
        ])
        .args([format!("exec {}", quoted.join(" "))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_on_another_host_is_words_that_its_shell_cannot_misread() {
        let words = ["/opt/lo cust".to_owned(), "a'b; rm".to_owned()];
        let spec = ssh("user@host", &words, Path::new("/"));
        assert_eq!(spec.args.last().unwrap(), r"exec '/opt/lo cust' 'a'\''b; rm'");
        assert_eq!(spec.args[spec.args.len() - 3..][..2], ["--", "user@host"]);
    }

    #[test]
    fn a_master_listens_to_other_machines_only_when_there_are_hosts() {
        let plan = LocustPlan {
            name: "a".into(),
            url: "http://127.0.0.1:1".into(),
            names: Vec::new(),
            requests: Vec::new(),
            schedule: Vec::new(),
            warmup_requests: 0,
            users: 20,
            workers: 2,
            warmup_seconds: 1.0,
            window_seconds: 5.2,
            drain_seconds: 1.0,
            timeout_seconds: 1.0,
            insecure: false,
            slices: "s".into(),
        };
        let here =
            Locust { program: "locust".into(), workers: 2, hosts: Vec::new(), master: None, port: Some(7) };
        let line = master(&here, &plan, 7, Path::new("/")).line();
        assert!(line.contains("--master-bind-host 127.0.0.1 --run-time 19s --master-bind-port 7"), "{line}");
        let there = Locust { hosts: vec!["h".into()], master: Some("10.0.0.5".into()), ..here };
        assert!(master(&there, &plan, 7, Path::new("/")).line().contains("--master-bind-host \"*\""));
    }
}
