//! The host: what kind of machine this is.
//!
//! - [`fingerprint`]: the factors that two runs must share before their values may be compared.

pub mod fingerprint;
