//! The disk: every write, lock and temporary folder of Tollgate goes through here.
//!
//! - [`atomic`]: a file is either the old one or the whole new one.
//! - [`lock`]: two runs never work in the same folder.
//! - [`scratch`]: folders that go when their owner goes.
//! - [`tree`]: whole folders of source files.
//! - [`Error`]: which step failed on which path.

pub mod atomic;
mod failure;
pub mod lock;
pub mod scratch;
pub mod tree;

pub use failure::Error;
