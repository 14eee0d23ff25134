//! The jobs: one module a command, each a function from a request to what came of it. They print nothing.

pub mod baseline;
pub mod check;
pub mod comment;
pub mod compare;
pub mod demo;
pub mod doctor;
pub mod failure;
pub mod hook;
pub mod import;
pub mod init;
pub mod judge;
mod listing;
pub mod load;
pub mod merge;
mod programs;
mod results;
pub mod run;
mod session;
mod state;
