//! The generator: load on a service, by a schedule that the service cannot slow down, and a record of what became of it.
//!
//! One thread a worker, each with a runtime of its own; a worker shares nothing with the others but a few counters, and with the
//! one who looks on only a channel that takes one message a second.
//!
//! | file | what it owns |
//! |---|---|
//! | `course` | what all workers of a trial share |
//! | `desk` | which requests are due and which wait |
//! | [`drive`] | a whole trial: workers, seconds, the end |
//! | `failure` | why no trial could be had |
//! | `lane` | one request after another on one connection |
//! | `pool` | HTTP/2 connections that requests share |
//! | `seconds` | the trial second by second |
//! | `self_check` | whether the generator itself was the bottleneck |
//! | `timetable` | what a pacer does by the clock beside sending |
//! | `users` | the closed loop: who is ready when |
//! | `worker` | the pacer of one thread |

mod course;
pub(crate) mod desk;
mod drive;
mod failure;
mod lane;
mod pool;
pub(crate) mod seconds;
pub(crate) mod self_check;
mod timetable;
mod users;
mod worker;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod truth;

pub use drive::{Drive, MOST_CONNECTIONS, drive, most_connections};
pub use failure::Error;
