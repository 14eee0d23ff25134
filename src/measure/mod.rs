//! Measuring: two revisions in paired rounds, or one alone.

pub mod census;
pub mod command;
pub mod cost;
pub mod criterion;
pub mod lockstep;
pub mod scout;
pub mod slot;
pub mod solo;
pub mod stage;
pub mod subject;
pub mod target;
