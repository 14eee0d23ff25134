//! Whole parts of Tollgate against real repositories, real cargo builds and real processes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

/// Base and head built alike, from real repositories.
mod builds;
/// Revisions by name and by default, and what a work tree holds.
mod revisions;
mod support;
