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
