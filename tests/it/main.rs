//! Whole parts of Tollgate against real repositories, real cargo builds and real processes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

/// Base and head built alike, from real repositories.
mod builds;
mod support;
