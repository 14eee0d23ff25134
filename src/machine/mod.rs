//! The host: what it is, how noisy it is, and what would make it better.

pub mod inspect;
//! The host: what it is, and what it does to measurements.

pub mod noise;
