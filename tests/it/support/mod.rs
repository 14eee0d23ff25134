//! Scenes for tests: repositories with sample crates, and the program itself.

pub(crate) mod repository;
pub(crate) mod tollgate;
