//! Which runs still count after an accepted change.

use crate::{
    git::refs::commits::{Commits, Kinship},
    model::baseline::Level,
};

/// Whether a run belongs to the newest of `levels`.
///
/// The commits decide where they can: the accepted commit and what is built on it belong to the level, what the accepted
/// commit was built on does not. Where they cannot (a squashed merge, a shallow clone, a commit that is gone), the time
/// decides: what was recorded after the acceptance belongs to it.
#[must_use]
pub fn counts(levels: &[Level], rev: &str, recorded_at: u64, commits: &Commits) -> bool {
    let Some(level) = levels.last() else { return true };
    match commits.kinship(rev, &level.rev) {
        Kinship::Same | Kinship::Descendant => true,
        Kinship::Ancestor => false,
        Kinship::Unrelated | Kinship::Unknown => recorded_at >= level.accepted_at,
    }
}
