//! The repository: git2 for reading and refs, the git program where the user's credentials count.
//!
//! - [`refs`]: refs that hold data beside the code, exchanged with remotes by compare-and-swap.

pub mod refs;
