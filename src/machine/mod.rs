//! The host: what it is, how noisy it is, what it does to measurements, and what would make it better.
//!
//! - [`fingerprint`]: the factors that two runs must share before their values may be compared.
//! - [`inspect`]: what the system tells. [`noise`]: what it takes away. [`advice`]: what to change.

pub mod advice;
pub mod fingerprint;
pub mod inspect;
pub mod noise;
