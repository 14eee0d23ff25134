//! The search for the rate that a service bears.
//!
//! | file | what it owns |
//! |---|---|
//! | `search` | probes, overload and recovery, the steady window |

mod search;

#[cfg(test)]
mod tests;

pub use search::{Found, Hands, Settings, search};
