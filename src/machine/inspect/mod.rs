//! Looks at the machine: what it is, what state it is in, and what it did while something was measured.
//!
//! - [`findings`]: what was found; `None` is "could not be read", never a guess.
//! - [`parse`]: texts of `/proc` and `/sys` into values, pure.
//! - [`activity`]: the difference between two moments: steal, other processes, swapping, throttling.
//! - [`timer`]: how the clock behaves.
//! - [`system`]: the only place that opens the files.

pub mod activity;
pub mod findings;
pub mod parse;
pub mod system;
pub mod timer;

pub use activity::{Activity, Busy, Counters};
pub use findings::Findings;
pub use system::System;
