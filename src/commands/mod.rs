//! The jobs: one module a command, each a function from a request to what came of it. They print nothing.

pub mod baseline;
pub mod failure;
pub mod judge;
