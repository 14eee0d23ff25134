//! What all workers of a trial share: its moments, whether somebody wants an end, and how many requests are in flight.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Instant,
};

/// What all workers of a trial share.
#[derive(Debug)]
pub(crate) struct Course {
    /// When the warm-up begins; every moment counts from here.
    pub(crate) origin: Instant,
    /// When the window begins.
    pub(crate) window_start: u64,
    /// When it ends.
    pub(crate) window_end: u64,
    /// How long answers are waited for after it.
    pub(crate) drain: u64,
    /// The longest that a request may take from being sent.
    pub(crate) timeout: u64,
    /// Somebody wants the window to end now.
    pub(crate) stop: AtomicBool,
    /// Everything ends at once.
    pub(crate) abort: AtomicBool,
    in_flight: AtomicU64,
    in_flight_peak: AtomicU64,
}

impl Course {
    pub(crate) fn new(
        origin: Instant,
        (window_start, window_end): (u64, u64),
        drain: u64,
        timeout: u64,
    ) -> Self {
        Self {
            origin,
            window_start,
            window_end,
            drain,
            timeout,
            stop: AtomicBool::new(false),
            abort: AtomicBool::new(false),
            in_flight: AtomicU64::new(0),
            in_flight_peak: AtomicU64::new(0),
        }
    }

    /// A moment as nanoseconds from the origin; 0 before it.
    pub(crate) fn at(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.origin).as_nanos()).unwrap_or(u64::MAX)
    }

    /// A request is under way.
    pub(super) fn took_off(&self) {
        let all = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        if all > self.in_flight_peak.load(Ordering::Relaxed) {
            self.in_flight_peak.fetch_max(all, Ordering::Relaxed);
        }
    }

    /// A request is no longer under way.
    pub(super) fn landed(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// The most requests in flight at once, over all workers.
    pub(crate) fn peak(&self) -> u64 {
        self.in_flight_peak.load(Ordering::Relaxed)
    }
}
