//! Load trials in version 1 of a run or verdict: block by block, with their histograms.
//!
//! | file | what it owns |
//! |---|---|
//! | `shape` | what is written and read |
//! | `write` | from the model |
//! | `read` | to the model, with what is refused |

mod read;
mod shape;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::{model, stored};
pub(super) use shape::{Block, StoredTrialV1};
