//! Scenes for tests: repositories with sample crates, measurements of sample benches, the program itself, and files of
//! other tools.

pub(crate) mod chromium;
pub(crate) mod fixtures;
pub(crate) mod measuring;
pub(crate) mod recorded;
pub(crate) mod repository;
pub(crate) mod samples;
pub(crate) mod server;
pub(crate) mod service;
pub(crate) mod tollgate;
pub(crate) mod trial;
pub(crate) mod verdicts;
