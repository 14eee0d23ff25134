//! What to do next, given what was seen: state machines without a clock, and deals from the stored seed.

pub mod arrivals;
pub mod breaking_point;
pub mod deal;
pub mod looks;
