//! The host: what it is, how noisy it is, what it does to measurements, and what would make it better.

pub mod advice;
pub mod inspect;
pub mod noise;
//! The host: what kind of machine this is.
//!
//! - [`fingerprint`]: the factors that two runs must share before their values may be compared.

pub mod fingerprint;
