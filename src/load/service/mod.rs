//! The service under test: built once, then started fresh for each slot, waited for, and stopped with everything it started.
//!
//! A service that we start is a child in a group of its own. It carries a mark in its environment that all of its descendants
//! inherit, so that a daemon which leaves the group is still counted with it and ended with it.
//!
//! | file | what it owns |
//! |---|---|
//! | `error` | what can go wrong, and what to do then |
//! | `launch` | from a launch's words to a program; the build step |
//! | `running` | start, readiness, watch |
//! | `family` | its processes: whether they live, how they are ended |

mod error;
mod family;
mod launch;
mod running;

pub use error::Error;
pub use family::Stopped;
pub(super) use family::{Family, lock};
pub use launch::build;
pub use running::{Running, Start};
