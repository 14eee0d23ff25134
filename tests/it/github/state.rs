//! What the double knows: people, pull requests, comments, check runs; and what shall go wrong.

use super::http::Reply;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Barrier},
    time::Duration,
};

/// The repository.
pub(crate) const REPOSITORY: &str = "octo-org/hello";
/// Its number.
pub(crate) const ID: &str = "1296269";
/// The token of a job that may write.
pub(crate) const WRITER: &str = "ghs_writer0123456789abcdef";
/// The token of a job on a pull request from a fork.
pub(crate) const READER: &str = "ghs_reader0123456789abcdef";
/// The token of a person.
pub(crate) const PERSON: &str = "ghp_person0123456789abcdef";

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) id: u64,
    pub(crate) login: String,
    pub(crate) kind: &'static str,
}

/// A person.
pub(crate) fn person(login: &str) -> Account {
    let id = login.bytes().map(u64::from).sum();
    Account { id, login: login.to_owned(), kind: "User" }
}

/// The account of a job's token.
pub(crate) fn bot() -> Account {
    Account { id: 41_898_282, login: "github-actions[bot]".to_owned(), kind: "Bot" }
}

/// A comment.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) issue: u64,
    pub(crate) by: Account,
    pub(crate) body: String,
}

/// A pull request.
#[derive(Debug, Clone)]
pub(crate) struct Pull {
    pub(crate) number: u64,
    pub(crate) state: &'static str,
    pub(crate) head: String,
    pub(crate) branch: String,
    /// Who owns the repository of the branch.
    pub(crate) owner: String,
    pub(crate) merge: Option<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) is_locked: bool,
}

/// A check run.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) id: u64,
    pub(crate) head: String,
    pub(crate) body: Value,
    pub(crate) annotations: Vec<Value>,
}

/// Something that goes wrong.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) method: &'static str,
    /// The end of the path as the description writes it.
    pub(crate) path: &'static str,
    /// How often.
    pub(crate) times: usize,
    pub(crate) what: What,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// This answer, and nothing is done.
    Answer(Box<Reply>),
    /// No answer, and nothing is done.
    DropBefore,
    /// Later than it could be.
    Slow(Duration),
    /// It is done, and this is answered.
    ActThen(Box<Reply>),
    /// It is done, and the answer breaks off.
    ActThenCut,
    /// It is done, and answered when the others have come as far.
    Together(Arc<Barrier>),
}

impl What {
    fn is_after(&self) -> bool {
        matches!(self, Self::ActThen(_) | Self::ActThenCut | Self::Together(_))
    }
}

/// All of it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) url: String,
    pub(crate) base: String,
    pub(crate) comments: Vec<Comment>,
    pub(crate) pulls: Vec<Pull>,
    pub(crate) checks: Vec<Check>,
    /// What people may do: `admin`, `write`, `read`.
    pub(crate) permissions: BTreeMap<String, &'static str>,
    /// Who set which label, in order.
    pub(crate) labelled: Vec<(Account, String)>,
    /// The parents of commits.
    pub(crate) commits: BTreeMap<String, Vec<String>>,
    /// Whose the job's tokens are.
    pub(crate) bot: Account,
    /// The name that the repository had.
    pub(crate) old_name: Option<&'static str>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) log: Vec<String>,
    pub(crate) violations: Vec<String>,
    next: u64,
}

impl State {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            url: String::new(),
            base: base.to_owned(),
            comments: Vec::new(),
            pulls: Vec::new(),
            checks: Vec::new(),
            permissions: BTreeMap::new(),
            labelled: Vec::new(),
            commits: BTreeMap::new(),
            bot: bot(),
            old_name: None,
            faults: Vec::new(),
            log: Vec::new(),
            violations: Vec::new(),
            next: 1_000,
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// An open pull request of this repository.
    pub(crate) fn open(&mut self, number: u64, head: &str) -> &mut Pull {
        self.pulls.push(Pull {
            number,
            state: "open",
            head: head.to_owned(),
            branch: "topic".to_owned(),
            owner: "octo-org".to_owned(),
            merge: None,
            labels: Vec::new(),
            is_locked: false,
        });
        self.pulls.last_mut().unwrap()
    }

    /// A comment by somebody.
    pub(crate) fn say(&mut self, issue: u64, by: &Account, body: &str) {
        let id = self.next();
        self.comments.push(Comment { id, issue, by: by.clone(), body: body.to_owned() });
    }

    pub(crate) fn account(&self, token: &str) -> Option<Account> {
        match token {
            WRITER | READER => Some(self.bot.clone()),
            PERSON => Some(person("ada")),
            _ => None,
        }
    }

    /// How often something was asked for: the beginning of `METHOD PATH`.
    pub(crate) fn asked(&self, beginning: &str) -> usize {
        self.log.iter().filter(|line| line.starts_with(beginning)).count()
    }

    pub(super) fn take_fault(&mut self, method: &str, template: &str) -> Option<What> {
        self.take(method, template, false)
    }

    pub(super) fn take_fault_after(&mut self, method: &str, template: &str) -> Option<What> {
        self.take(method, template, true)
    }

    fn take(&mut self, method: &str, template: &str, after: bool) -> Option<What> {
        let fault = self.faults.iter_mut().find(|fault| {
            fault.times > 0
                && fault.method == method
                && template.ends_with(fault.path)
                && fault.what.is_after() == after
        })?;
        fault.times -= 1;
        Some(fault.what.clone())
    }
}
