//! The history: every recorded run, append-only, in the tree of `refs/tollgate/history`.

use std::collections::BTreeMap;

use super::{Error, lock::WriteLock, prune::Stamp};
use crate::{
    format::{
        self, history_v1,
        reading::{Fault, MAX_VERDICT_BYTES},
    },
    git::refs::{
        archive::{Appended, Archive, Entry, File, Message, Tip},
        exchange::{Fetched, Pushed, Remote},
    },
    model::{baseline::RunRecord, environment::EnvironmentKey},
};

/// The ref.
pub const REF: &str = "refs/tollgate/history";

/// The run records of a clone.
pub struct History {
    archive: Archive,
}

/// What was read: records, and what could not be.
#[derive(Debug, Default)]
pub struct Records {
    /// The records, oldest first.
    pub records: Vec<RunRecord>,
    /// The places that cannot be trusted, with the reason.
    pub broken: Vec<(String, format::Error)>,
}

/// How much of an environment's history is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    All,
    /// Whole days, newest first, until there are at least so many records.
    Newest(usize),
}

impl History {
    /// The history of the clone that `directory` belongs to. There need not be any yet.
    ///
    /// # Errors
    /// When there is no repository.
    pub fn open(directory: &std::path::Path) -> Result<Self, Error> {
        Ok(Self { archive: Archive::open(directory, REF)? })
    }

    /// The ref behind it.
    #[must_use]
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Adds records in one commit; those that are there already are left alone. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// When the ref cannot be written; nothing is added then.
    pub fn append(&self, _lock: &WriteLock, records: &[RunRecord], now: u64) -> Result<Appended, Error> {
        let mut files = Vec::with_capacity(records.len());
        for record in records {
            let history_v1::Written { path, bytes } = history_v1::to_json(record);
            history_v1::from_json(&path, &bytes)
                .map_err(|source| Error::Unreadable { path: place(&path).into(), source })?;
            files.push(File { path, bytes });
        }
        let subject = match records {
            [one] => format!("Record {} ({})", one.rev.get(..9).unwrap_or(&one.rev), one.environment.key),
            many => format!("Record {} runs", many.len()),
        };
        Ok(self.archive.append(&files, &Message { subject, time: now })?)
    }

    /// The environments that have records, sorted, with how many each has.
    ///
    /// # Errors
    /// When the ref cannot be read.
    pub fn environments(&self) -> Result<BTreeMap<EnvironmentKey, usize>, Error> {
        let mut counts = BTreeMap::new();
        for entry in self.entries()? {
            if let Ok(place) = history_v1::place(&entry.path) {
                *counts.entry(place.environment).or_insert(0) += 1;
            }
        }
        Ok(counts)
    }

    /// Every file of the history, whether it is a record or not, sorted by path.
    ///
    /// # Errors
    /// When the ref cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>, Error> {
        match self.archive.tip()? {
            Some(tip) => Ok(self.archive.list(tip)?),
            None => Ok(Vec::new()),
        }
    }

    /// The records of one environment, as far back as `extent` says.
    ///
    /// # Errors
    /// When the ref cannot be read. Records that cannot be trusted are listed beside the others.
    pub fn records(&self, environment: &EnvironmentKey, extent: Extent) -> Result<Records, Error> {
        let Some(tip) = self.archive.tip()? else { return Ok(Records::default()) };
        let mut read = Records::default();
        let mut newest: Option<String> = None;
        for entry in self.archive.list_below(tip, environment.as_str())?.iter().rev() {
            let folder = entry.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let enough = matches!(extent, Extent::Newest(most) if read.records.len() >= most);
            if enough && newest.as_deref() != Some(folder) {
                break;
            }
            newest = Some(folder.to_owned());
            match self.read(entry)? {
                Ok(record) => read.records.push(record),
                Err(error) => read.broken.push((place(&entry.path), error)),
            }
        }
        read.records.sort_by(|a, b| (a.recorded_at, &a.rev).cmp(&(b.recorded_at, &b.rev)));
        Ok(read)
    }

    /// One record; the inner error says why it cannot be trusted.
    ///
    /// # Errors
    /// When git cannot read it.
    pub fn read(&self, entry: &Entry) -> Result<Result<RunRecord, format::Error>, Error> {
        let bytes = self.archive.read(entry, MAX_VERDICT_BYTES)?;
        Ok(history_v1::from_json(&entry.path, &bytes).map_err(|error| error.in_file(place(&entry.path))))
    }

    /// What retention looks at in a record; `None` when it cannot be trusted. One of a newer format counts by its day.
    pub(super) fn stamp(&self, entry: &Entry) -> Result<Option<Stamp>, Error> {
        let Ok(place) = history_v1::place(&entry.path) else { return Ok(None) };
        let recorded_at = match self.read(entry)? {
            Ok(record) => Some(record.recorded_at),
            Err(error) if matches!(error.fault(), Fault::Newer { .. }) => history_v1::day_start(&place),
            Err(_) => None,
        };
        Ok(recorded_at.map(|recorded_at| Stamp { environment: place.environment, recorded_at }))
    }

    /// Brings the remote's records here, keeping ours.
    ///
    /// # Errors
    /// When the remote does not exist, refuses, or cannot be reached.
    pub fn fetch(&self, remote: &Remote<'_>, now: u64) -> Result<Fetched, Error> {
        Ok(self.archive.fetch(remote, &union(now))?)
    }

    /// Sends our records, uniting them with what others have sent meanwhile.
    ///
    /// # Errors
    /// As [`History::fetch`], or when others were faster every time; the records stay in the local ref then.
    pub fn push(&self, remote: &Remote<'_>, now: u64) -> Result<Pushed, Error> {
        Ok(self.archive.push(remote, &union(now))?)
    }

    /// Where it stands.
    ///
    /// # Errors
    /// When the ref cannot be read.
    pub fn tip(&self) -> Result<Option<Tip>, Error> {
        Ok(self.archive.tip()?)
    }
}

/// How messages name a file of the history; `git show` takes it as it is.
#[must_use]
pub fn place(path: &str) -> String {
    format!("{REF}:{}", path.escape_debug())
}

fn union(now: u64) -> Message {
    Message { subject: "Unite with the remote's runs".into(), time: now }
}
