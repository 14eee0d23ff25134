//! Scenes for tests: repositories with sample crates, the program itself, and files of other tools.

pub(crate) mod fixtures;
pub(crate) mod repository;
pub(crate) mod tollgate;
