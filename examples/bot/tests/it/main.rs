//! The bot from outside: over HTTP, as a process, and beside a real Redis.

#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected fails, and one that is skipped says so"
)]

mod cache;
mod faults;
mod process;
mod redis;
mod support;
mod webhook;
