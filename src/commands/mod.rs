//! The jobs: one module a command, each a function from a request to a report with an outcome. They print nothing.

pub mod baseline;
