//! Scenes for tests: repositories with sample crates, measurements of sample benches, and the program itself.
//! What the modules share.

pub(crate) mod fixtures;
//! Scenes for tests: repositories with sample crates, and the program itself.

pub(crate) mod measuring;
pub(crate) mod repository;
pub(crate) mod samples;
pub(crate) mod tollgate;
