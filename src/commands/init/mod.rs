//! `tollgate init`: a commented `tollgate.toml` and the files of the CI service for this project. Never overwrites.

mod files;
mod job;

pub use files::Service;
pub use job::{Request, run};
