//! The self-test.

pub mod kernel;
