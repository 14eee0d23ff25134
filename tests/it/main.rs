//! One binary for all tests that use tollgate from outside.
//!
//! | module | what it tests |
//! |---|---|
//! | `hostile` | one corpus of nasty names and broken files through every reader and renderer |
//! | `reports` | a stored verdict in every format |
//! | `schema` | the committed JSON Schemas are current, and documents keep to them |
//! | `sources` | real outputs of other tools as runs |
//! | `support` | what the modules share |

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

mod hostile;
mod reports;
mod schema;
mod sources;
mod support;
