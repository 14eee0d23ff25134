//! Brings the remote's run records here. Only when asked: no other command but a push talks to a remote.

use std::path::Path;

use super::{Error, World, place::Place};
use crate::{git::refs::exchange::Fetched, progress::Event};

/// Unites the history here with that of `remote`, or of the default remote. The remote is only read.
///
/// # Errors
/// When there is no repository or no such remote, or it cannot be reached. Nothing is lost then.
pub fn fetch(directory: &Path, remote: Option<&str>, world: &World<'_>) -> Result<Fetched, Error> {
    let place = Place::open(directory)?;
    place.with_remote(remote, world, |remote| {
        let name = remote.name.escape_debug();
        world.progress.tell(Event::Phase(format!("fetching run records from {name}")));
        Ok(place.history.fetch(remote, world.now)?)
    })
}
