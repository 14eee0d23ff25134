//! Which benchmark gets the next block, and when to stop: the budget goes where it can still change a verdict.
//!
//! The order is that of the sequential design: one block of every benchmark; then the suspects (those that look slower and
//! are not below futility), smallest sequential p first; then the undecided, nearest to `unchanged` first. A benchmark stops
//! when the family's correction rejects it, when it is shown to be no worse than its margin (unless it looks improved), or
//! after 39 rounds. Stopping early or late never raises an error rate: each look has its own share of it.
//!
//! The planner holds no grant and no clock. What it does next follows from what was recorded, so a check that was broken off
//! and goes on from its stored looks does what the unbroken one would have done.

mod planner;
mod standing;
mod tally;
#[cfg(test)]
mod tests;

pub use planner::{BlockPlan, Next, Planner, ROUNDS_PER_BLOCK, Settings};
pub use standing::Standing;
pub use tally::Item;
