//! What can go wrong with a service, and what to do then.

use crate::{
    hint::Hint,
    load::formula,
    process::{self, ExitStatus},
};
use std::{io, path::PathBuf, time::Duration};

/// Why a service could not be built, started or watched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to start.
    #[error("the service has no command")]
    NoCommand,
    /// Its working directory is missing.
    #[error("could not start the service `{line}`: its directory `{}` does not exist", directory.display())]
    Directory {
        /// The command line.
        line: String,
        /// The directory.
        directory: PathBuf,
    },
    /// Its program is missing.
    #[error("could not start the service `{line}`: there is no program `{program}`{}", places(.searched))]
    Program {
        /// The command line.
        line: String,
        /// The program as written.
        program: String,
        /// Where it was looked for; empty for the folders of `PATH`.
        searched: Vec<PathBuf>,
    },
    /// The system refused.
    #[error("could not start the service `{line}`")]
    Start {
        /// The command line.
        line: String,
        /// Why.
        source: process::Error,
    },
    /// The build step failed.
    #[error("could not build the service: `{line}` {status}; its log is `{}`{}", log.display(), below(.tail))]
    Build {
        /// The command line.
        line: String,
        /// How it ended.
        status: ExitStatus,
        /// Its log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
    /// The build step took too long.
    #[error(
        "could not build the service: `{line}` did not end within {} s; its log is `{}`{}",
        limit.as_secs_f64(), log.display(), below(.tail)
    )]
    BuildTimedOut {
        /// The command line.
        line: String,
        /// What it was allowed.
        limit: Duration,
        /// Its log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
    /// It ended before it was ready.
    #[error("the service `{line}` {status} before it was ready; its log is `{}`{}", log.display(), below(.tail))]
    Died {
        /// The command line.
        line: String,
        /// How it ended.
        status: ExitStatus,
        /// Its log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
    /// It never got ready.
    #[error(
        "the service `{line}` was not ready within {} s: waited for {waited}; its log is `{}`{}",
        limit.as_secs_f64(), log.display(), below(.tail)
    )]
    NeverReady {
        /// The command line.
        line: String,
        /// What it was allowed.
        limit: Duration,
        /// What was waited for, and what was found at last instead.
        waited: String,
        /// Its log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
    /// Somebody else answers where it should.
    #[error("could not start the service `{line}`: {address} is taken, something answers there already")]
    Taken {
        /// The command line.
        line: String,
        /// The address.
        address: String,
    },
    /// No port could be picked.
    #[error("could not find a free port on 127.0.0.1")]
    NoPort(#[source] io::Error),
    /// A URL of the scenario is not one.
    #[error("could not use the URL `{url}`: {reason}")]
    Url {
        /// As written.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The pattern of the ready line is not one.
    #[error("could not use the pattern `{pattern}` of the line that says ready")]
    Pattern {
        /// As written.
        pattern: String,
        /// What is wrong with it.
        source: regex::Error,
    },
    /// A formula is not one.
    #[error("could not use the formula of `{name}`")]
    Formula {
        /// The metric's name.
        name: String,
        /// What is wrong with it.
        source: formula::Error,
    },
    /// Its metrics page cannot be read.
    #[error("could not read the metrics page {url}: {reason}")]
    Metrics {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The user wants us to stop.
    #[error("the service was interrupted by {signal}")]
    Interrupted {
        /// What came.
        signal: &'static str,
    },
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NoCommand => "give the scenario's service a `command`, or a `url` that already runs".into(),
            Self::Directory { .. } => "correct the service's `directory`; it is relative to the tree".into(),
            Self::Program { searched, program, .. } if searched.is_empty() => {
                format!("install `{program}`, or add its folder to `PATH`")
            }
            Self::Program { .. } => "give the service a `build` step that makes it, or correct `command`".into(),
            Self::Start { source, .. } => return source.hint(),
            Self::Build { log, .. } => {
                format!("see `{}`, and run the step by hand in the same tree", log.display())
            }
            Self::BuildTimedOut { .. } => "allow it more time, or find out what it waits for".into(),
            Self::Died { tail, .. } | Self::NeverReady { tail, .. } if says_port_taken(tail) => {
                "something else uses its port: let it listen on `{port}` or on the variable `PORT`".into()
            }
            Self::Died { status: ExitStatus::Code(0), .. } => {
                "let it stay in the foreground: a service that goes to the background cannot be watched".into()
            }
            Self::Died { log, .. } => format!("see `{}`", log.display()),
            Self::NeverReady { .. } => {
                "check that it listens on `{port}` or the variable `PORT`, correct `ready`, or raise `ready_timeout`".into()
            }
            Self::Taken { .. } => {
                "stop what listens there, or write `{port}` in the `url` so that a free port is picked".into()
            }
            Self::Metrics { .. } => "correct `metrics_url`, or remove the scenario's own metrics".into(),
            Self::NoPort(_) | Self::Url { .. } | Self::Pattern { .. } | Self::Formula { .. } => return None,
            Self::Interrupted { .. } => return None,
        };
        Some(text)
    }
}

fn places(searched: &[PathBuf]) -> String {
    if searched.is_empty() {
        return " in the folders of `PATH`".into();
    }
    let places: Vec<String> = searched.iter().map(|path| format!("`{}`", path.display())).collect();
    format!("; looked for {}", places.join(" and "))
}

pub(super) fn below(tail: &str) -> String {
    if tail.trim().is_empty() { ", which is empty".into() } else { format!(":\n{}", tail.trim_end()) }
}

/// Whether a log says that the port was taken, in the words of the usual runtimes.
pub(super) fn says_port_taken(tail: &str) -> bool {
    let tail = tail.to_ascii_lowercase();
    ["address already in use", "address in use", "eaddrinuse", "addrinuse", "os error 98)", "os error 48)"]
        .iter()
        .any(|words| tail.contains(words))
}
