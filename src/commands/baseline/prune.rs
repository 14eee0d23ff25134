//! `baseline prune`: the reviewed files and the history cut down to what is worth keeping.

use std::path::Path;

use super::{Error, World, place::Place, save::Send};
use crate::{
    model::{baseline::MAX_RUNS, environment::EnvironmentKey},
    progress::Event,
    store::{
        load::From,
        prune::{self as stored, Effect, Pruned, Retention},
    },
};

/// The runs of an environment that the history keeps unless told otherwise: years of a run a day.
pub const HISTORY_RUNS: usize = 2000;

/// Whether runs of commits that the repository does not have are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownCommits {
    /// They stay: a shallow clone lacks many.
    #[default]
    Keep,
    /// They go from the reviewed files.
    Drop,
}

/// What to prune.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Any folder of the repository.
    pub directory: &'a Path,
    /// Where: the reviewed files, the history, or both.
    pub place: From,
    /// The newest so many runs stay: of every series in the reviewed files (at most 20, which is the default), of every
    /// environment in the history (by default [`HISTORY_RUNS`]).
    pub newest: Option<usize>,
    /// Older runs go.
    pub max_age_seconds: Option<u64>,
    /// All runs of these environments go.
    pub drop_environments: Vec<EnvironmentKey>,
    /// What becomes of runs whose commits are gone.
    pub unknown_commits: UnknownCommits,
    /// Whether the history is pruned at a remote, too. Without it, the next fetch brings back what the remote has.
    pub send: Send,
    /// Whether anything is changed, or what would go is only told.
    pub effect: Effect,
}

/// What was pruned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In the reviewed files, where they were meant.
    pub baselines: Option<Pruned>,
    /// In the history, where it was meant.
    pub history: Option<Pruned>,
    /// Whether it was done or only told.
    pub effect: Effect,
}

/// Prunes.
///
/// # Errors
/// When runs of unknown commits are to go from a shallow clone, a reviewed file that stays cannot be trusted, something cannot be written, or the remote refuses.
pub fn prune(request: &Request<'_>, world: &World<'_>) -> Result<Report, Error> {
    let place = Place::open(request.directory)?;
    if request.unknown_commits == UnknownCommits::Drop && place.commits.is_shallow() {
        return Err(Error::Shallow);
    }
    let retention = |newest: usize| Retention {
        newest: request.newest.unwrap_or(newest),
        max_age_seconds: request.max_age_seconds,
        drop_environments: request.drop_environments.clone(),
    };
    let lock = place.lock("tollgate baseline prune", world)?;
    let baselines = match request.place {
        From::History => None,
        From::WorkTree | From::Both => {
            let knows =
                |rev: &str| request.unknown_commits == UnknownCommits::Keep || place.commits.contains(rev);
            let retention = retention(MAX_RUNS);
            Some(stored::prune_baselines(
                &place.baselines,
                &lock,
                &retention,
                &knows,
                world.now,
                request.effect,
            )?)
        }
    };
    let history = match (request.place, &request.send) {
        (From::WorkTree, _) => None,
        (_, Send::No) => Some(stored::prune_history(
            &place.history,
            &lock,
            &retention(HISTORY_RUNS),
            world.now,
            request.effect,
        )?),
        (_, Send::To(name)) => {
            drop(lock);
            Some(place.with_remote(name.as_deref(), world, |remote| {
                let name = remote.name.escape_debug();
                world.progress.tell(Event::Phase(format!("pruning run records at {name}")));
                Ok(stored::prune_remote(
                    &place.history,
                    remote,
                    &retention(HISTORY_RUNS),
                    world.now,
                    request.effect,
                )?)
            })?)
        }
    };
    Ok(Report { baselines, history, effect: request.effect })
}
