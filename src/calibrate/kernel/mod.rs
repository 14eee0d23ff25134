//! The embedded benchmark: a few small kernels, each slot of which is a fresh process of this very program.
//!
//! - [`work`]: the kernels, whose inner work is counted in units so that a slowdown of 5 % is 5 % more work really done.
//! - [`child`]: what such a process does: warm up, take samples, print them.
//! - [`protocol`]: what is asked of it and what it prints; the reader trusts none of it.

pub mod child;
pub mod protocol;
pub mod work;

pub use child::child_main;
pub use protocol::{Order, Reading, Shape};
pub use work::Kernel;
