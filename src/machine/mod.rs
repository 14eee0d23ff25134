//! The host: what it is, and what it does to measurements.

pub mod noise;
