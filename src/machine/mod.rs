//! The host: what it is, how noisy it is, what it does to measurements, and what would make it better.

pub mod advice;
pub mod inspect;
pub mod noise;
