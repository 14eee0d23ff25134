//! Tollgate: a performance gate for CI.
//!
//! The code is laid in floors; a floor imports only floors below it (`ARCHITECTURE.md` holds the table, a test enforces it):
//! [`hint`] and [`stats`] (numbers), [`model`] (words), rules, the world, engines, jobs, the door.
//!
//! The library exists for the `tollgate` binary and its tests; its Rust API may change in any release.

pub mod calibrate;
pub mod cargo;
pub mod cli;
pub mod commands;
pub mod config;
pub mod files;
pub mod format;
pub mod git;
pub mod github;
pub mod hint;
pub mod judge;
pub mod live;
pub mod load;
pub mod machine;
pub mod measure;
pub mod model;
pub mod plan;
pub mod process;
pub mod progress;
pub mod report;
pub mod sources;
pub mod stats;
pub mod store;
pub mod text;
