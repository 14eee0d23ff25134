//! What the tests stand on: a small HTTP client, a bot inside the test, a bot as a process.

pub(crate) mod http;
pub(crate) mod inside;
pub(crate) mod process;

use std::time::{Duration, Instant};

/// Long enough for a busy machine; nothing waits this long unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until the condition holds.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
