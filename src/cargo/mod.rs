//! Builds: which bench targets there are, how they are built, and whether two executables are the same code.
//!
//! - [`invocation`]: cargo called for one tree, as its user would call it there.
//! - [`config`]: the configuration files that cargo reads, as far as we must know them.
//! - [`metadata`]: packages and bench targets; which of them are measured, and why the others are not.
//! - [`build`]: bench executables of one tree.
//! - [`aligned`]: the compiler wrapper against layout luck.
//! - [`cache`]: executables kept for the next run.
//! - [`identical`]: same machine code? [`loaded`]: what of a file that takes.
//! - [`outside`]: what a tree needs from beside the repository.

pub mod aligned;
pub mod build;
pub mod cache;
pub mod config;
mod failure;
pub mod identical;
pub mod invocation;
pub mod loaded;
pub mod metadata;
pub mod outside;

pub use failure::Error;
