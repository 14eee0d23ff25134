//! The self-test: measures on this machine what the statistics promise on paper.
//!
//! - [`kernel`]: the embedded benchmark and the protocol of its slots.
//! - [`runner`]: who runs the slots. [`series`]: one comparison through the looks of a check. [`recorder`]: all of them.
//! - [`null`]: false alarms where nothing changed. [`injected`]: what was found of changes that were made.
//! - [`plain`]: what a fixed rule would have said. [`floor`]: the smallest change that can be shown.
//! - [`self_test`]: all of it together, and what it comes to.

pub mod failure;
pub mod floor;
pub mod injected;
pub mod kernel;
pub mod null;
pub mod plain;
pub mod recorder;
pub mod runner;
pub mod self_test;
pub mod series;

pub use failure::Error;
pub use recorder::{Options, Recording, record};
pub use self_test::SelfTest;

#[cfg(test)]
pub(crate) mod simulated;
#[cfg(test)]
mod tests;
