//! Load benchmarks in the gate: fresh servers of two revisions, the same load for both, in an order dealt at random.
//!
//! | file | what it owns |
//! |---|---|
//! | [`request`] | what is asked, what comes back |
//! | [`metrics`] | which metrics a scenario has, and what a block of it costs |
//! | [`paired`] | base and head in blocks: plan, measure, look, plan again |
//! | [`alone`] | head alone, a trial a block |
//! | `course` | one scenario on its way |
//! | [`services`] | both revisions' servers built, and whether they are the same code |
//! | [`stand`] | one slot: a fresh server, the load, its end |
//! | `knees` | the rate that a service bears, searched for in each slot where a scenario judges it |
//! | `alike` | the same questions to both sides |

mod alike;
pub mod alone;
mod course;
mod knees;
pub mod metrics;
pub mod paired;
pub mod request;
pub mod services;
pub mod stand;
#[cfg(test)]
mod tests;

pub use request::{Measured, Request};
