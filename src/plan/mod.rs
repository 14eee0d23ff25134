//! What to do next, given what was seen: state machines without a clock, and deals from the stored seed.

pub mod arrivals;
pub mod deal;
pub mod looks;
