//! What a pacer has to do by the clock beside sending: when to wake, when a second is over, when to look for requests that took too long, and
//! the processor time of its window.

use super::{course::Course, seconds::Stretch};
use crate::process::own::thread_cpu_ns;

/// A second, nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// The pacer wakes for due requests no oftener than this, nanoseconds. Up to 2,500 a second each is sent on its own; above that
/// several go together, the first of them up to this late. To sleep and wake for each would cost several times what a request does.
const WAKE_GAP: u64 = 400_000;

/// What a pacer has to do by the clock beside sending.
#[derive(Debug)]
pub(super) struct Timetable {
    window_start: u64,
    /// Where the running stretch began.
    turned: u64,
    next_turn: u64,
    turned_last: bool,
    sweep: u64,
    next_sweep: u64,
    /// The moment before and the one for which the pacer was last set to wake because a request is due.
    woken: u64,
    wake: u64,
    /// Processor time and moment when the window began and when it ended.
    cpu: [Option<(u64, u64)>; 2],
}

impl Timetable {
    /// For a worker of that course.
    pub(super) fn new(course: &Course) -> Self {
        // Seconds are counted from the window's start, so the warm-up's first may be shorter.
        let first = course.window_start % SECOND;
        Self {
            window_start: course.window_start,
            turned: 0,
            next_turn: if first == 0 { SECOND } else { first },
            turned_last: false,
            sweep: (course.timeout / 50).clamp(1_000_000, 20_000_000),
            next_sweep: 0,
            woken: 0,
            wake: u64::MAX,
            cpu: [None, None],
        }
    }

    /// When to wake for a request that is due then. Counts from the moment that was meant, not from that of waking, or each lag
    /// would add to the next.
    pub(super) fn wake_for(&mut self, due: u64, now: u64) -> u64 {
        if now >= self.wake {
            self.woken = self.wake;
        }
        self.wake = due.max(self.woken.saturating_add(WAKE_GAP));
        self.wake
    }

    /// When the running second ends.
    pub(super) fn next_turn(&self) -> u64 {
        self.next_turn
    }

    /// When requests that took too long are looked for.
    pub(super) fn next_sweep(&self) -> u64 {
        self.next_sweep
    }

    /// Whether to look for them now; then the next time is a while later.
    pub(super) fn wants_sweep(&mut self, now: u64) -> bool {
        let wants = now >= self.next_sweep;
        if wants {
            self.next_sweep = now + self.sweep;
        }
        wants
    }

    /// Notes the processor time when the window begins.
    pub(super) fn cpu_at(&mut self, now: u64) {
        if self.cpu[0].is_none() && now >= self.window_start {
            self.cpu[0] = thread_cpu_ns().map(|used| (used, now));
        }
    }

    /// Notes it when the window ends.
    pub(super) fn cpu_end(&mut self, now: u64) {
        self.cpu[1] = thread_cpu_ns().map(|used| (used, now));
    }

    /// The share of a processor used over the window; 0 where it is not known.
    pub(super) fn cpu(&self) -> f64 {
        match self.cpu {
            [Some((used, start)), Some((used_then, end))] if end > start => {
                (used_then.saturating_sub(used)) as f64 / (end - start) as f64
            }
            _ => 0.0,
        }
    }

    /// Sends the stretches that are over by `now`; with the window's end the last, whatever its length.
    pub(super) fn turn(&mut self, now: u64, ended: bool, mut send: impl FnMut(Stretch)) {
        while !self.turned_last && self.next_turn <= now {
            send(self.stretch(self.next_turn));
            self.turned = self.next_turn;
            self.next_turn += SECOND;
        }
        if ended && !self.turned_last {
            self.turned_last = true;
            if now > self.turned {
                send(self.stretch(now));
            }
        }
    }

    fn stretch(&self, end: u64) -> Stretch {
        let from_window =
            |at: u64| i64::try_from(i128::from(at) - i128::from(self.window_start)).unwrap_or(i64::MAX);
        Stretch { start: from_window(self.turned), end: from_window(end) }
    }
}
