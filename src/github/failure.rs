//! What can go wrong with GitHub: what was being done, why it failed, and what to do about it.

use crate::hint::Hint;
use std::{path::PathBuf, time::Duration};

/// An error of this module.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that the job's environment names cannot be used.
    #[error("could not read `{}`: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The address of the API cannot be used.
    #[error("could not use `{address}` as the address of GitHub's API: {why}")]
    Address {
        /// The address.
        address: String,
        /// Why not.
        why: String,
    },
    /// The client could not be made.
    #[error("could not start the client of GitHub: {0}")]
    Start(String),
    /// GitHub refused a request.
    #[error("could not {doing}: GitHub answered {status} ({message})")]
    Refused {
        /// What was being done.
        doing: String,
        /// The status of the answer.
        status: u16,
        /// What GitHub said, bounded and made visible.
        message: String,
        /// What kind of refusal it is.
        refusal: Refusal,
    },
    /// A limit of GitHub's is reached, and waiting it out takes too long.
    #[error(
        "could not {doing}: GitHub's rate limit is reached, and it asks for {} s, more than the {} s that are left for waiting",
        wait.as_secs(), left.as_secs()
    )]
    Limited {
        /// What was being done.
        doing: String,
        /// How long GitHub asks to wait.
        wait: Duration,
        /// How long would have been waited.
        left: Duration,
    },
    /// No answer came.
    #[error("could not {doing}: no answer from {host}: {why}")]
    Transport {
        /// What was being done.
        doing: String,
        /// Whom it was asked of.
        host: String,
        /// Why no answer came.
        why: String,
    },
    /// An answer that is none of GitHub's.
    #[error("could not {doing}: the answer of {host} could not be understood: {why}")]
    Answer {
        /// What was being done.
        doing: String,
        /// Who answered.
        host: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Why GitHub refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 401: the token is none, wrong or expired.
    Token,
    /// 403: the token may not do this.
    Permission,
    /// 403 or 422: the conversation is locked.
    Locked,
    /// 404: not there, or not to be seen with this token.
    NotFound,
    /// 410: switched off or deleted.
    Gone,
    /// 422: GitHub does not take what was sent.
    Invalid,
    /// 5xx, again and again.
    Server,
    /// Anything else.
    Other,
}

impl Error {
    /// Why GitHub refused, if it did.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }

    /// Whether what was asked for does not exist (any more).
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.refusal(), Some(Refusal::NotFound | Refusal::Gone))
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::File { .. } => "check the path; in a workflow GitHub sets it by itself",
            Self::Address { .. } => "set GITHUB_API_URL to `https://HOST/api/v3`, or unset it for github.com",
            Self::Start(_) => return None,
            Self::Refused { refusal, .. } => refused(*refusal),
            Self::Limited { .. } => {
                "wait for the limit to end and run the job again; the verdict needs no new measurement"
            }
            Self::Transport { why, .. } => transport(why),
            Self::Answer { .. } => {
                "check that GITHUB_API_URL is the API's address and that no proxy or login page stands in between"
            }
        };
        Some(text.to_owned())
    }
}

fn refused(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Token => {
            "set GITHUB_TOKEN to a token that is still valid: `GITHUB_TOKEN: ${{ github.token }}` under `env:`"
        }
        Refusal::Permission => {
            "give the job `permissions:` `pull-requests: write` for comments and `checks: write` for check runs; a pull request from \
             a fork never gets them, so comment from a `workflow_run` job with `--from-artifact` (see docs/comment.md)"
        }
        Refusal::Locked => {
            "unlock the conversation, or read the verdict in the check run and the job summary"
        }
        Refusal::NotFound => {
            "check `--repo` and `--pull-request`; a private repository looks missing to a token that may not see it"
        }
        Refusal::Gone => "issues and comments may be switched off in this repository; use `--comment never`",
        Refusal::Invalid => "this is likely a fault of tollgate's; report it with this message",
        Refusal::Server => {
            "see https://www.githubstatus.com, and run the job again; the verdict needs no new measurement"
        }
        Refusal::Other => "run the job again; if it stays, report it with this message",
    }
}

fn transport(why: &str) -> &'static str {
    let why = why.to_ascii_lowercase();
    if why.contains("dns") || why.contains("lookup") || why.contains("resolve") {
        "check the host's name in GITHUB_API_URL and the machine's DNS; tollgate connects directly and uses no proxy"
    } else if why.contains("certificate") || why.contains("tls") || why.contains("ssl") {
        "the host's certificate must come from a public authority: tollgate brings its own list of them, and a proxy that \
         opens TLS is not on it"
    } else {
        "check the network; tollgate connects directly and uses no proxy (HTTPS_PROXY is not read)"
    }
}
