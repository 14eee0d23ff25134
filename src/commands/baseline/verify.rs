//! `baseline verify`: everything that is wrong with what is stored.

use std::path::Path;

use super::{Error, World, place::Place};
use crate::{
    model::outcome::{ErrorClass, Outcome},
    store::{
        load::From,
        verify::{self as stored, Knowledge, Verified},
    },
};

/// What to verify.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Any folder of the repository.
    pub directory: &'a Path,
    /// With the history, every record of it is read, too. The reviewed files always are.
    pub from: From,
}

/// Verifies.
///
/// # Errors
/// When there is no repository, or a folder or the history cannot be read at all.
pub fn verify(request: &Request<'_>, world: &World<'_>) -> Result<Verified, Error> {
    let place = Place::open(request.directory)?;
    let knowledge = Knowledge { commits: &place.commits, key_of: world.key_of };
    let history = (request.from != From::WorkTree).then_some(&place.history);
    Ok(stored::verify(&place.baselines, history, &knowledge)?)
}

/// `pass`; a configuration error when something cannot be trusted.
#[must_use]
pub fn outcome(verified: &Verified) -> Outcome {
    if verified.is_broken() { Outcome::Error(ErrorClass::Configuration) } else { Outcome::Pass }
}
