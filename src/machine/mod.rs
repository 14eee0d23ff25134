//! The host: what it is, how noisy it is, and what would make it better.

pub mod inspect;
