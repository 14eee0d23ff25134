//! GitHub: what its artifacts hold.

pub mod artifact;
