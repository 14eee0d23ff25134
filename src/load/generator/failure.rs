//! Why no trial could be had.

use std::{io, net::IpAddr, path::PathBuf};

use crate::{hint::Hint, load::locust};

/// A trial that could not begin, or whose service ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL is none that we can load.
    #[error("could not load `{url}`: {reason}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The host has no address.
    #[error("could not resolve host `{host}`")]
    Resolve {
        /// Its name.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// The host is not this machine, and the scenario does not allow that.
    #[error(
        "host `{host}` is not this machine (its address is {address}), and load goes to other machines only when allowed"
    )]
    Remote {
        /// Its name.
        host: String,
        /// The address.
        address: IpAddr,
    },
    /// The user's own certificate.
    #[error("could not use the certificate `{}`: {reason}", .path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// TLS could not be set up.
    #[error("could not set up TLS: {reason}")]
    Tls {
        /// Why.
        reason: String,
    },
    /// The system refused what a worker needs.
    #[error("could not start a worker of the generator")]
    Worker(#[source] io::Error),
    /// Locust was to send the requests, and could not.
    #[error(transparent)]
    Locust(#[from] locust::Error),
    /// The service ended under load.
    #[error("the service ended under load: {0}")]
    ServiceDied(String),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Url { .. } => Some("give a URL such as `http://127.0.0.1:8080`".into()),
            Self::Resolve { .. } => Some("check the name, or give an address".into()),
            Self::Remote { .. } => Some(
                "if the machine is yours to load, pass `--allow-remote` or set `allow_remote = true`".into(),
            ),
            Self::Certificate { .. } => Some("name a PEM file with the certificate in `tls_ca`".into()),
            Self::Tls { .. } => None,
            Self::Worker(_) => {
                Some("raise the limits of processes and open files (`ulimit -u`, `ulimit -n`)".into())
            }
            Self::Locust(error) => error.hint(),
            Self::ServiceDied(_) => Some("see the service's log".into()),
        }
    }
}
