//! The search for the rate that a service bears.
//!
//! | file | what it owns |
//! |---|---|
//! | `search` | probes, overload and recovery, the steady window |

mod search;

#[cfg(test)]
pub(super) mod tests;

pub use super::prober::Hands;
pub use search::{Found, Settings, search};
