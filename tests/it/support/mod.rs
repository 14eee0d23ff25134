//! Scenes for tests: repositories with sample crates.

pub(crate) mod repository;
