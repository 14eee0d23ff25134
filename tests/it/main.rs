//! The integration tests, one binary: whole parts of Tollgate against real repositories, real cargo builds and real processes.
//!
//! - [`baseline`]: stored runs in real repositories with real remotes.
//! - [`builds`]: base and head built alike, from real repositories.
//! - [`check`]: the main job from the command line, on real criterion benches.
//! - [`compare`]: `compare`, `judge` and `report` from the command line, and the exit codes that they reach.
//! - [`hostile`]: one corpus of nasty names and broken files through every reader and renderer.
//! - [`reports`]: a stored verdict in every format.
//! - [`schema`]: the committed JSON Schemas are current, and documents keep to them.
//! - [`sources`]: real outputs of other tools as runs.
//! - [`tidy`]: rules of the house that a machine can keep.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may panic, and one that cannot run here says so"
)]

mod baseline;
mod builds;
mod check;
mod compare;
mod hostile;
mod reports;
mod schema;
mod sources;
mod support;
mod tidy;
