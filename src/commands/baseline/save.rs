//! `baseline save`: a measured run joins the reviewed baseline, the history, or both.

use std::path::Path;

use super::{
    Error, World,
    place::Place,
    record::{self, Refused},
};
use crate::{
    files,
    format::{reading::MAX_RUN_BYTES, run_v1},
    git::refs::exchange::Pushed,
    model::{
        baseline::RunRecord,
        outcome::{ErrorClass, Outcome},
        run::Run,
    },
    progress::Event,
    store::{
        load::From,
        save::{self as stored, Saved},
    },
};

/// A run to be saved.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// One that was just measured.
    Run(&'a Run),
    /// A run file.
    File(&'a Path),
}

/// Whether what was recorded is sent to a remote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Send {
    /// It stays in this clone.
    #[default]
    No,
    /// To the remote of this name; `None` is the default one.
    To(Option<String>),
}

/// What to save, and where.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Any folder of the repository.
    pub directory: &'a Path,
    /// The run.
    pub run: Source<'a>,
    /// The revision that the values stand for, where the run measured no commit (a dirty work tree, foreign data).
    pub stands_for: Option<String>,
    /// Where it goes: the reviewed files, the history, or both.
    pub to: From,
    /// Whether the history is pushed then.
    pub send: Send,
}

/// What was saved.
#[derive(Debug)]
pub struct Report {
    /// The record.
    pub record: RunRecord,
    /// What it did to the reviewed files, where they were meant; their paths are from the top of the work tree.
    pub saved: Option<Saved>,
    /// Whether the history has a record more, where it was meant.
    pub recorded: Option<Recorded>,
    /// What was sent, where that was asked; when it failed, everything saved is kept in this clone.
    pub pushed: Option<Result<Pushed, Error>>,
    /// Benchmarks that were left out.
    pub refused: Vec<Refused>,
}

/// What happened to a record in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is there now.
    New,
    /// It was there already.
    AlreadyThere,
}

impl Report {
    /// `pass`; `incomplete` when a benchmark could not be stored that should have been; a reporting error when the push
    /// failed.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let gaps = self.refused.iter().any(|refused| refused.why.is_a_gap());
        let stored = if gaps { Outcome::Incomplete } else { Outcome::Pass };
        match &self.pushed {
            Some(Err(_)) => stored.join(Outcome::Error(ErrorClass::Reporting)),
            _ => stored,
        }
    }
}

/// Saves a run.
///
/// # Errors
/// When the run names no commit, was changed by hand, holds nothing to store, or cannot be written. Nothing is stored then,
/// except that a disk that fills up between two files leaves the first of them, whole; saving again completes the rest.
pub fn save(request: &Request<'_>, world: &World<'_>) -> Result<Report, Error> {
    let place = Place::open(request.directory)?;
    let from_file = match request.run {
        Source::Run(_) => None,
        Source::File(path) => Some(read(path)?),
    };
    let run = match (&request.run, &from_file) {
        (Source::Run(run), _) => run,
        (Source::File(_), Some(run)) => run,
        (Source::File(_), None) => return Err(Error::NothingToSave(Vec::new())),
    };
    let (record, refused) = checked_record(run, request.stands_for.as_deref(), &place, world)?;
    let lock = place.lock("tollgate baseline save", world)?;
    let saved = match request.to {
        From::History => None,
        From::WorkTree | From::Both => Some(stored::save(&place.baselines, &lock, &record, &place.commits)?),
    };
    let recorded = match request.to {
        From::WorkTree => None,
        From::History | From::Both => {
            let appended = place.history.append(&lock, std::slice::from_ref(&record), world.now)?;
            Some(if appended.written == 0 { Recorded::AlreadyThere } else { Recorded::New })
        }
    };
    // A push takes as long as the network; other writers of this clone need not wait for it.
    drop(lock);
    let pushed = match &request.send {
        Send::No => None,
        Send::To(remote) => Some(push(&place, remote.as_deref(), world)),
    };
    Ok(Report { record, saved, recorded, pushed, refused })
}

fn push(place: &Place, remote: Option<&str>, world: &World<'_>) -> Result<Pushed, Error> {
    place.with_remote(remote, world, |remote| {
        world.progress.tell(Event::Phase(format!("pushing run records to {}", remote.name.escape_debug())));
        Ok(place.history.push(remote, world.now)?)
    })
}

/// The record of a run that may be stored.
fn checked_record(
    run: &Run,
    stands_for: Option<&str>,
    place: &Place,
    world: &World<'_>,
) -> Result<(RunRecord, Vec<Refused>), Error> {
    let asked = stands_for.map(|revision| place.resolve(revision)).transpose()?;
    let rev = match (&run.head.rev, asked) {
        (Some(measured), Some(asked)) if *measured != asked => {
            return Err(Error::OtherCommit { measured: measured.clone(), asked });
        }
        (Some(measured), _) => measured.clone(),
        (None, Some(asked)) => asked,
        (None, None) => return Err(Error::NoCommit(run.head.label.escape_debug().to_string())),
    };
    let computed = (world.key_of)(&run.environment);
    if computed != run.environment.key {
        let stated = run.environment.key.to_string();
        return Err(Error::WrongKey { stated, computed: computed.to_string() });
    }
    let (record, refused) = record::record(run, &rev);
    if record.series.is_empty() {
        return Err(Error::NothingToSave(refused));
    }
    Ok((record, refused))
}

fn read(path: &Path) -> Result<Run, Error> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let limit = MAX_RUN_BYTES as u64 + 1;
    std::fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(files::Error::at("read", path))?;
    run_v1::from_json(&bytes).map_err(|error| Error::RunFile(error.in_file(path.display().to_string())))
}
