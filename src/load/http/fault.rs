//! How a request broke, sorted into the kinds of [`ErrorKind`].

use std::{error::Error as _, io};

use crate::model::load::ErrorKind;

/// What this machine lacked, so that the generator and not the service was at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shortage {
    /// No local port was free for another connection.
    Ports,
    /// No descriptor was free for another connection.
    Descriptors,
}

/// A request that broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Its kind.
    pub(crate) kind: ErrorKind,
    /// What this machine lacked, if that was why.
    pub(crate) shortage: Option<Shortage>,
}

impl Fault {
    /// One of the service's.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        Self { kind, shortage: None }
    }

    /// No connection could be made.
    pub(crate) fn connect(error: &io::Error) -> Self {
        let shortage = match error.raw_os_error() {
            _ if error.kind() == io::ErrorKind::AddrNotAvailable => Some(Shortage::Ports),
            #[cfg(unix)]
            Some(code)
                if [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE]
                    .iter()
                    .any(|errno| errno.raw_os_error() == code) =>
            {
                Some(Shortage::Descriptors)
            }
            _ => None,
        };
        Self { kind: ErrorKind::Connect, shortage }
    }

    /// The exchange broke off.
    pub(crate) fn exchange(error: &hyper::Error) -> Self {
        Self::of(kind_of(error))
    }
}

fn kind_of(error: &hyper::Error) -> ErrorKind {
    if error.is_parse() {
        return ErrorKind::Protocol;
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return ErrorKind::Reset;
    }
    let mut cause = error.source();
    while let Some(source) = cause {
        if let Some(broken) = source.downcast_ref::<io::Error>() {
            return kind_of_stream(broken);
        }
        // The HTTP/2 library's own type is not ours to name; it says whether a frame came from the peer (a stream or the
        // connection was reset) or whether the peer broke the rules.
        let said = source.to_string();
        if said.contains("error received") {
            return ErrorKind::Reset;
        }
        cause = source.source();
    }
    ErrorKind::Protocol
}

fn kind_of_stream(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => ErrorKind::Protocol,
        _ => ErrorKind::Reset,
    }
}
