//! Whole parts of Tollgate against real repositories, real cargo builds and real processes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

/// Base and head built alike, from real repositories.
mod builds;
mod support;
//! The integration tests, one binary.
//!
//! - [`baseline`]: stored runs in real repositories with real remotes.
//! - [`tidy`]: rules of the house that a machine can keep.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may panic, and one that cannot run here says so"
)]

mod baseline;
mod tidy;
