//! What the modules share.

pub(crate) mod fixtures;
//! Scenes for tests: repositories with sample crates, and the program itself.

pub(crate) mod repository;
pub(crate) mod tollgate;
