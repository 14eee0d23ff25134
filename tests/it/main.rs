//! The one integration binary.
//!
//! - `criterion_link`: real benches of criterion 0.5 to 0.8 over the link and by files
//! - `interleave`: order, pairing and replay of paired rounds; benches that misbehave; interrupts; resuming

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod criterion_link;
mod interleave;
mod support;
