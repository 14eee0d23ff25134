//! Refs that hold data beside the code: write-once files in the tree of a ref, never in the work tree.
//!
//! - [`archive`]: the local side: append, list, read, rewrite, each by compare-and-swap.
//! - [`exchange`]: the remote side: fetch, union, push by compare-and-swap with retry.
//! - [`commits`]: what the repository knows of the commits that the data speak of.
//!
//! Nothing here touches the work tree, the index, `HEAD`, a branch or a tag.

pub mod archive;
pub mod commits;
pub mod exchange;
mod failure;
mod program;

pub use failure::Error;

#[cfg(test)]
mod tests;
