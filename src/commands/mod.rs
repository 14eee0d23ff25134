//! The jobs: one module a command, each a function from a request to a report with an outcome. They print nothing.

pub mod baseline;
//! The jobs: one file a command, each a function from a request to what came of it. They print nothing.

pub mod failure;
pub mod judge;
