//! Driving unmodified criterion benches: the wire protocol that `cargo criterion` speaks with them, and, where a bench does
//! not connect, the files that criterion writes.

pub mod files;
pub mod filter;
pub mod link;
pub mod protocol;
