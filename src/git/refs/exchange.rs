//! The remote side of a data ref: fetch, union, push by compare-and-swap with retry.
//!
//! Files are written once under names that carry their content's digest, so two histories are united without conflict:
//! what the remote has, plus what only we have. A clone remembers in a ref of its own where the remote last stood
//! (`refs/tollgate/remotes/REMOTE/…`): files that were there and are gone were pruned by somebody, and are not sent again.
//!
//! A push is never forced. Git checks that it only adds, the remote checks under its lock that the ref still stands where
//! we saw it, and whoever comes second fetches, unites and tries again after a pause. [`Archive::replace`] alone may take
//! something away, and says where it expects the remote to stand (`--force-with-lease`).
//!
//! The union is one commit on top of the remote's tip, without a second parent: a merge would bring back for ever what was
//! pruned.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};

use git2::Oid;

use super::{
    archive::{Archive, Entry, Message, Swap, Tip},
    failure::Error,
    program,
};
use crate::{
    files::lock::Lock,
    process::{self, Finished, Interrupt},
};

/// How long another push of this clone is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(300);
/// How often the union is made anew because the local ref moved meanwhile.
const LOCAL_ATTEMPTS: usize = 100;
/// How much of a remote's words is kept.
const MAX_REASON_CHARACTERS: usize = 300;

/// A remote and the patience one has with it.
#[derive(Debug, Clone)]
pub struct Remote<'a> {
    /// Its name in the repository's configuration.
    pub name: &'a str,
    /// Whether the user wants us to stop.
    pub interrupt: &'a Interrupt,
    /// How long one fetch or push may take.
    pub timeout: Duration,
    /// The pauses before the second, third, … try of a push that another writer got ahead of; there are no more tries than
    /// that. They should differ from writer to writer.
    pub pauses: &'a [Duration],
}

/// Where local and remote stand after a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// The remote's tip; `None` when it has no such ref.
    pub remote: Option<Tip>,
    /// The local tip: what the remote has, plus what only we have. `None` when neither has anything.
    pub local: Option<Tip>,
    /// Files that only we have.
    pub unsent: usize,
}

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// Where local and remote stand now; `None` when there was nothing to push.
    pub tip: Option<Tip>,
    /// Files that the remote did not have.
    pub sent: usize,
    /// How often it was tried, 1 when nobody else was writing.
    pub attempts: usize,
}

/// Says which of all files are kept.
pub type Choose<'a> = dyn FnMut(&[Entry]) -> Result<Vec<Entry>, Error> + 'a;

/// How the remote answered a push.
enum Answer {
    Taken,
    /// Somebody else was faster; try again.
    Overtaken,
}

impl Archive {
    /// The remote to use when none is named: `origin`, or the only one there is.
    #[must_use]
    pub fn default_remote(&self) -> Option<String> {
        let remotes = self.repository.remotes().ok()?;
        let names: Vec<String> =
            remotes.iter().filter_map(|name| name.ok().flatten().map(str::to_owned)).collect();
        match names.as_slice() {
            [only] => Some(only.clone()),
            _ => names.into_iter().find(|name| name == "origin"),
        }
    }

    /// Brings the remote's files here, keeping what only we have.
    ///
    /// # Errors
    /// When the remote does not exist, refuses or cannot be reached. Nothing is lost then.
    pub fn fetch(&self, remote: &Remote<'_>, message: &Message) -> Result<Fetched, Error> {
        let _lock = self.exchange_lock(remote)?;
        self.fetch_locked(remote, message)
    }

    /// Sends what only we have, uniting it with what others have sent meanwhile.
    ///
    /// # Errors
    /// As [`Archive::fetch`]; [`Error::Contended`] when others were faster every time. What was recorded stays in the local
    /// ref in any case.
    pub fn push(&self, remote: &Remote<'_>, message: &Message) -> Result<Pushed, Error> {
        let _lock = self.exchange_lock(remote)?;
        let mut sent = 0;
        for attempt in 0..=remote.pauses.len() {
            pause(remote, attempt)?;
            let fetched = self.fetch_locked(remote, message)?;
            let attempts = attempt + 1;
            let Some(local) = fetched.local else { return Ok(Pushed { tip: None, sent, attempts }) };
            if fetched.remote == Some(local) {
                return Ok(Pushed { tip: Some(local), sent, attempts });
            }
            sent = fetched.unsent;
            let refspec = format!("{local}:{}", self.name());
            if let Answer::Taken = self.send(remote, &[], &refspec)? {
                self.remember(remote, fetched.remote, local)?;
                return Ok(Pushed { tip: Some(local), sent, attempts });
            }
        }
        Err(Error::Contended { name: self.name().to_owned(), attempts: remote.pauses.len() + 1 })
    }

    /// Replaces the history here and at the remote by one commit that keeps what `choose` keeps of all files there are.
    ///
    /// Returns how many files were dropped. Other writers lose nothing: when one gets ahead, it is done again with its files.
    ///
    /// # Errors
    /// As [`Archive::push`].
    pub fn replace(
        &self,
        remote: &Remote<'_>,
        message: &Message,
        choose: &mut Choose<'_>,
    ) -> Result<usize, Error> {
        let _lock = self.exchange_lock(remote)?;
        for attempt in 0..=remote.pauses.len() {
            pause(remote, attempt)?;
            let fetched = self.fetch_locked(remote, message)?;
            let Some(local) = fetched.local else { return Ok(0) };
            let entries = self.list(local)?;
            let kept = choose(&entries)?;
            let dropped = entries.len() - kept.len();
            let next = if dropped == 0 { local } else { self.root(&kept, message)? };
            if fetched.remote == Some(next) {
                return Ok(0);
            }
            let expected = fetched.remote.map_or_else(String::new, |tip| tip.to_string());
            let lease = format!("--force-with-lease={}:{expected}", self.name());
            let refspec = format!("{next}:{}", self.name());
            if let Answer::Taken = self.send(remote, &[&lease], &refspec)? {
                self.settle(remote, local, next, message)?;
                return Ok(dropped);
            }
        }
        Err(Error::Contended { name: self.name().to_owned(), attempts: remote.pauses.len() + 1 })
    }

    /// One exchange of a clone at a time. Moving refs is safe without it; but processes that fetch and push side by side
    /// share the ref that is fetched into, and would only make each other's pushes fail.
    fn exchange_lock(&self, remote: &Remote<'_>) -> Result<Lock, Error> {
        if self.repository.find_remote(remote.name).is_err() {
            return Err(Error::NoRemote(remote.name.to_owned()));
        }
        let until = Instant::now() + LOCK_WAIT;
        let path = self.common_dir().join("tollgate/exchange.lock");
        let lock = Lock::acquire(&path, "tollgate baseline, exchanging history", |_| {
            let stop = remote.interrupt.requested().is_some() || Instant::now() >= until;
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match remote.interrupt.requested() {
            Some(signal) => Err(Error::Interrupted(signal)),
            None => Ok(lock?),
        }
    }

    fn fetch_locked(&self, remote: &Remote<'_>, message: &Message) -> Result<Fetched, Error> {
        let theirs = self.receive(remote)?;
        let tracking = self.tracking(remote);
        for _ in 0..LOCAL_ATTEMPTS {
            let (ours, known) = (self.tip()?, self.tip_of(&tracking)?);
            let (local, unsent) = self.unite(ours, theirs, known, message)?;
            let moved = [(self.name(), ours, local), (tracking.as_str(), known, theirs)];
            if self.swap_all(&moved)? == Swap::Done {
                return Ok(Fetched { remote: theirs, local, unsent });
            }
        }
        Err(Error::Contended { name: self.name().to_owned(), attempts: LOCAL_ATTEMPTS })
    }

    /// The commit that holds what `theirs` has, plus what of `ours` is not `known` to have been there; and how many files
    /// the latter are.
    fn unite(
        &self,
        ours: Option<Tip>,
        theirs: Option<Tip>,
        known: Option<Tip>,
        message: &Message,
    ) -> Result<(Option<Tip>, usize), Error> {
        let Some(ours) = ours else { return Ok((theirs, 0)) };
        if theirs == Some(ours) {
            return Ok((theirs, 0));
        }
        let Some(theirs) = theirs else { return Ok((Some(ours), self.list(ours)?.len())) };
        let there = self.paths(theirs)?;
        let gone = known.map(|known| self.paths(known)).transpose()?.unwrap_or_default();
        let fresh: BTreeMap<String, Oid> = self
            .list(ours)?
            .into_iter()
            .filter(|entry| !there.contains(&entry.path) && !gone.contains(&entry.path))
            .map(|entry| (entry.path.clone(), entry.id()))
            .collect();
        let unsent = fresh.len();
        if unsent == 0 {
            return Ok((Some(theirs), 0));
        }
        let descends = self.repository.graph_descendant_of(ours.0, theirs.0);
        if descends.map_err(Error::git(format!("compare `{}` with the remote's", self.name())))? {
            return Ok((Some(ours), unsent));
        }
        Ok((Some(self.commit_on(Some(theirs), &fresh, message)?), unsent))
    }

    /// Takes over what the remote holds after a replacement. A run that was recorded here since `fetched` stays.
    fn settle(&self, remote: &Remote<'_>, fetched: Tip, next: Tip, message: &Message) -> Result<(), Error> {
        let tracking = self.tracking(remote);
        for _ in 0..LOCAL_ATTEMPTS {
            let (ours, known) = (self.tip()?, self.tip_of(&tracking)?);
            let (local, _) = self.unite(ours, Some(next), Some(fetched), message)?;
            let moved = [(self.name(), ours, local), (tracking.as_str(), known, Some(next))];
            if self.swap_all(&moved)? == Swap::Done {
                return Ok(());
            }
        }
        Err(Error::Contended { name: self.name().to_owned(), attempts: LOCAL_ATTEMPTS })
    }

    fn paths(&self, tip: Tip) -> Result<BTreeSet<String>, Error> {
        Ok(self.list(tip)?.into_iter().map(|entry| entry.path).collect())
    }

    /// Where this clone remembers the remote's tip.
    fn tracking(&self, remote: &Remote<'_>) -> String {
        format!("refs/tollgate/remotes/{}/{}", remote.name, self.short_name())
    }

    /// The last part of the ref's name.
    fn short_name(&self) -> &str {
        self.name().rsplit('/').next().unwrap_or(self.name())
    }

    fn remember(&self, remote: &Remote<'_>, before: Option<Tip>, now: Tip) -> Result<(), Error> {
        // Should somebody else have moved it: it is a memory only, set right by every fetch.
        self.swap_all(&[(&self.tracking(remote), before, Some(now))])?;
        Ok(())
    }

    /// Fetches the remote's tip into a ref of its own; `None` when the remote has none.
    fn receive(&self, remote: &Remote<'_>) -> Result<Option<Tip>, Error> {
        let incoming = format!("refs/tollgate/incoming/{}/{}", remote.name, self.short_name());
        let refspec = format!("+{}:{incoming}", self.name());
        let args = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            // A partial clone would leave out the very files that are wanted.
            "--no-filter",
            // Without it a mirror's settings would move other refs, too.
            "--refmap=",
            remote.name,
            &refspec,
        ];
        let finished = self.git(remote, &args)?;
        if finished.status.success() {
            let theirs = self.tip_of(&incoming)?;
            self.swap_all(&[(&incoming, theirs, None)])?;
            return Ok(theirs);
        }
        if finished.stderr_tail.contains("couldn't find remote ref") {
            return Ok(None);
        }
        Err(self.refusal(remote, "read", &args, &finished))
    }

    /// Sends one commit to the remote's ref.
    fn send(&self, remote: &Remote<'_>, options: &[&str], refspec: &str) -> Result<Answer, Error> {
        let mut args = vec![
            "push",
            "--porcelain",
            // Our own pre-push hook would check performance once more.
            "--no-verify",
            "--no-follow-tags",
            "--no-signed",
            "--recurse-submodules=no",
        ];
        args.extend_from_slice(options);
        args.extend([remote.name, refspec]);
        let finished = self.git(remote, &args)?;
        if finished.status.success() {
            return Ok(Answer::Taken);
        }
        let report = String::from_utf8_lossy(&finished.stdout);
        match report.lines().find(|line| line.starts_with('!')) {
            Some(line) if was_overtaken(line) => Ok(Answer::Overtaken),
            Some(line) => Err(Error::Denied {
                remote: remote.name.to_owned(),
                verb: "update",
                name: self.name().to_owned(),
                reason: bounded(line.rsplit('\t').next().unwrap_or(line)),
            }),
            None => Err(self.refusal(remote, "update", &args, &finished)),
        }
    }

    fn git(&self, remote: &Remote<'_>, args: &[&str]) -> Result<Finished, Error> {
        if let Some(signal) = remote.interrupt.requested() {
            return Err(Error::Interrupted(signal));
        }
        let spec = program::exchange(self.common_dir(), args, remote.timeout);
        process::run(&spec, remote.interrupt).map_err(|error| match error {
            process::Error::Interrupted { signal, .. } => Error::Interrupted(signal),
            process::Error::TimedOut { limit, stderr_tail, .. } => Error::Unreachable {
                remote: remote.name.to_owned(),
                reason: bounded(&format!("no answer within {} s {stderr_tail}", limit.as_secs_f64())),
            },
            other => other.into(),
        })
    }

    /// Sorts git's words about a failed exchange. They are in English: the language is fixed.
    fn refusal(&self, remote: &Remote<'_>, verb: &'static str, args: &[&str], finished: &Finished) -> Error {
        let said = &finished.stderr_tail;
        let remote = remote.name.to_owned();
        let reason = bounded(said);
        if DENIED.iter().any(|words| said.contains(words)) {
            return Error::Denied { remote, verb, name: self.name().to_owned(), reason };
        }
        if UNREACHABLE.iter().any(|words| said.contains(words)) {
            return Error::Unreachable { remote, reason };
        }
        Error::Program { command: format!("git {}", args.join(" ")), status: finished.status, reason }
    }
}

/// What git and its transports say when rights are missing.
const DENIED: [&str; 9] = [
    "Permission denied",
    "permission denied",
    "Permission to ",
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "error: 403",
    "error: 401",
    "access denied",
];

/// What they say when nobody answers. After the list above: ssh says both when a key is refused.
const UNREACHABLE: [&str; 7] = [
    "Could not read from remote repository",
    "Could not resolve host",
    "unable to access",
    "unable to connect",
    "does not appear to be a git repository",
    "unable to look up",
    "the remote end hung up",
];

/// Whether a refused push is one that lost a race.
fn was_overtaken(line: &str) -> bool {
    const WORDS: [&str; 8] = [
        "(fetch first)",
        "(non-fast-forward)",
        "(stale info)",
        "(remote ref updated since checkout)",
        "cannot lock ref",
        "failed to update ref",
        "incorrect old value",
        "unable to migrate objects",
    ];
    WORDS.iter().any(|words| line.contains(words))
}

/// The end of what a remote said, safe and short enough for a message.
fn bounded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: Vec<char> = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    let start = line.len().saturating_sub(MAX_REASON_CHARACTERS);
    line[start..].iter().collect()
}

/// Waits before another attempt, unless the user wants us to stop.
fn pause(remote: &Remote<'_>, attempt: usize) -> Result<(), Error> {
    /// How soon an interrupt is heard.
    const SLICE: Duration = Duration::from_millis(50);
    let mut left = attempt.checked_sub(1).map_or(Duration::ZERO, |index| remote.pauses[index]);
    while !left.is_zero() {
        if let Some(signal) = remote.interrupt.requested() {
            return Err(Error::Interrupted(signal));
        }
        thread::sleep(left.min(SLICE));
        left = left.saturating_sub(SLICE);
    }
    Ok(())
}
