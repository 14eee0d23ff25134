//! The time limit of the whole hook, and git's own end: a thread that asks the work to stop.

use crate::process::{Interrupt, own};
use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// What the interrupt is called when the time is up.
pub(super) const TIME_LIMIT: &str = "the time limit of the hook";
/// What it is called when the process that started the hook is gone.
const ORPHANED: &str = "the end of the process that started the hook";
/// Between two looks at the clock.
const PAUSE: Duration = Duration::from_millis(200);
/// Work that has not stopped so long after it was asked to loses its children.
const GRACE: Duration = Duration::from_secs(5);

/// Watches until it is dropped.
pub(super) struct Deadline {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Deadline {
    /// Asks `interrupt` to stop after `limit`, or when whoever started us is gone.
    ///
    /// Without a thread there is no limit but that of the budget and of each build.
    pub(super) fn start(limit: Duration, interrupt: &Interrupt) -> Self {
        let (done, ended) = mpsc::channel();
        let interrupt = interrupt.clone();
        let parent = own::parent();
        let work = move || {
            let began = Instant::now();
            let mut asked: Option<Instant> = None;
            while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                match asked {
                    None if own::parent() != parent => {
                        interrupt.request(ORPHANED);
                        asked = Some(Instant::now());
                    }
                    None if began.elapsed() >= limit => {
                        interrupt.request(TIME_LIMIT);
                        asked = Some(Instant::now());
                    }
                    Some(since) if since.elapsed() >= GRACE && !interrupt.is_urgent() => {
                        interrupt.request(TIME_LIMIT);
                    }
                    _ => {}
                }
            }
        };
        let thread = thread::Builder::new().name("deadline".into()).spawn(work).ok();
        Self { done: Some(done), thread }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.done.take();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadline, TIME_LIMIT};
    use crate::process::Interrupt;
    use std::time::Duration;

    #[test]
    fn the_limit_is_an_interrupt_and_work_that_ends_in_time_hears_nothing() {
        let interrupt = Interrupt::new();
        drop(Deadline::start(Duration::from_secs(3600), &interrupt));
        assert_eq!(interrupt.requested(), None);
        let watched = Deadline::start(Duration::ZERO, &interrupt);
        while interrupt.requested().is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(watched);
        assert_eq!(interrupt.requested(), Some(TIME_LIMIT));
    }
}
