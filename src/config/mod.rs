//! `tollgate.toml`: its keys, how it is read with positions, and how flags, environment, file and defaults are joined.

pub mod command;
pub mod file;
pub mod load;
pub mod read;
pub mod resolve;
pub mod values;
