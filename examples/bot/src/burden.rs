//! What makes the bot worse on purpose: time, work and memory that no answer needs.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use crate::settings::Faults;

/// Carries the faults that are set.
#[derive(Debug)]
pub struct Burden {
    faults: Faults,
    _ballast: Vec<u8>,
}

impl Burden {
    /// Takes the extra memory.
    #[must_use]
    pub fn new(faults: Faults) -> Self {
        Self { faults, _ballast: touched(faults.ballast_bytes) }
    }

    /// What every message suffers.
    pub async fn bear(&self) {
        let Faults { delay, work, leak_bytes, .. } = self.faults;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if !work.is_zero() {
            spin(work);
        }
        if leak_bytes > 0 {
            black_box(touched(leak_bytes).leak());
        }
    }
}

/// Memory that is resident, not only promised: zeroed pages are not there until they are written.
fn touched(bytes: usize) -> Vec<u8> {
    black_box(vec![0xA5; bytes])
}

/// Keeps this thread's processor busy. It looks at the clock, so it takes as long on a slow machine as on a fast one.
fn spin(work: Duration) {
    let start = Instant::now();
    while start.elapsed() < work {
        std::hint::spin_loop();
    }
}
