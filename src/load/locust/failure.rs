//! Why Locust could not put the service under load.

use std::{io, path::PathBuf, time::Duration};

use crate::{files, hint::Hint, process};

/// The versions that are known to do what is asked.
pub(super) const VERSIONS: &str = "2.43.4 or newer, below 3";

/// When a process ended: what a worker on another host says then is mostly of ssh.
pub(super) const BEFORE: &str = "before the load began";

/// A trial that Locust could not make.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such program.
    #[error("could not start Locust: there is no program `{program}`")]
    Missing {
        /// As the scenario names it.
        program: String,
    },
    /// A process could not be started.
    #[error("could not start {who}")]
    Start {
        /// Which one.
        who: String,
        /// Why.
        source: process::Error,
    },
    /// Our own files.
    #[error("could not write the locustfile")]
    File(#[from] files::Error),
    /// What the master writes.
    #[error("could not read what Locust tells in `{}`", path.display())]
    Slices {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What the master wrote makes no sense.
    #[error("could not read what Locust tells: {0}")]
    Malformed(String),
    /// The schedule is too long to be handed over.
    #[error("could not plan the load for Locust: {reason}")]
    Plan {
        /// What there is too much of.
        reason: String,
    },
    /// The port of the master is in use.
    #[error("could not start the Locust master: port {port} is taken")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// No port could be had.
    #[error("could not find a free port for the Locust master")]
    NoPort(#[source] io::Error),
    /// The master or a worker ended before all was told.
    #[error("{who} {status} {when}{}", below(tail))]
    Ended {
        /// Which one.
        who: String,
        /// How.
        status: String,
        /// When: before or under load.
        when: &'static str,
        /// The end of what it said.
        tail: String,
    },
    /// Not all workers came.
    #[error("not all {workers} Locust workers joined the master within {} s{}", limit.as_secs(), below(tail))]
    NotJoined {
        /// How many were expected.
        workers: u32,
        /// How long they were waited for.
        limit: Duration,
        /// The end of what the master said.
        tail: String,
    },
    /// Not all requests were told of.
    #[error("Locust told of {told} of {planned} requests that were due{silent}")]
    Lost {
        /// How many it told of.
        told: u64,
        /// How many were due.
        planned: u64,
        /// Which workers were silent: a clause that begins with a comma, or nothing.
        silent: String,
    },
    /// The version of the master is none that we know.
    #[error("Locust {version} is not known to do what is asked: {VERSIONS} is")]
    Version {
        /// What it said.
        version: String,
    },
    /// A worker has another version than the master.
    #[error("a Locust worker has version {worker}, and the master {master}")]
    VersionsDiffer {
        /// The worker's.
        worker: String,
        /// The master's.
        master: String,
    },
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Missing { .. } => {
                "install it with `pip install 'locust>=2.43.4,<3'`, or name the program by `locust = \"/path/to/locust\"`"
            }
            Self::Start { source, .. } => return source.hint(),
            Self::File(_) | Self::Slices { .. } => "make room on the disk for temporary files",
            Self::Malformed(_) => return None,
            Self::Plan { .. } => "lower the rate, or shorten warm-up and window",
            Self::PortTaken { .. } => {
                "end what uses it, or leave the port out of `master` so that a free one is picked"
            }
            Self::NoPort(_) => return None,
            Self::Ended { tail, .. } if tail.contains("not found") => {
                "install Locust on every host, or name the program there by `locust = \"/path/to/locust\"`"
            }
            Self::Ended { who, when, .. } if who.contains("(on ") && *when == BEFORE => {
                "`ssh HOST` must work from here without a question: port, user and key are what `~/.ssh/config` says of it"
            }
            Self::Ended { .. } => "see what it said; all workers must live until the end",
            Self::NotJoined { .. } => {
                "check that every host reaches the address of `master`, and that Locust starts there"
            }
            Self::Lost { .. } => {
                "use more workers, lower the rate, or see whether a host lost its connection"
            }
            Self::Version { .. } | Self::VersionsDiffer { .. } => {
                "install the same version on all machines: `pip install 'locust>=2.43.4,<3'`"
            }
        };
        Some(text.into())
    }
}

fn below(tail: &str) -> String {
    if tail.trim().is_empty() { String::new() } else { format!(":\n{}", tail.trim_end()) }
}
