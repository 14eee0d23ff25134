//! Stored runs: reviewed baselines in the work tree, and every recorded run in `refs/tollgate/history`.
//!
//! - [`baselines`]: `baselines/<environment key>/<target>.json`, the newest runs of every series.
//! - [`history`]: append-only run records outside the work tree, exchanged with remotes.
//! - [`levels`]: which runs still count after an accepted change.
//! - [`save`]: a measured run becomes stored runs.
//! - [`load`]: stored runs for a check, from either place.
//! - [`accept`]: a change becomes the new level.
//! - [`prune`]: what is kept, as a pure function; and both places cut down to it.
//! - [`verify`]: everything that is wrong with what is stored.
//! - [`lock`]: one writer at a time in a clone.

pub mod accept;
pub mod baselines;
mod failure;
pub mod history;
pub mod levels;
pub mod load;
pub mod lock;
pub mod prune;
pub mod save;
pub mod verify;

pub use failure::Error;
