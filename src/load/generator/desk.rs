//! Which requests are due and which of them still wait, by a clock that is an argument.
//!
//! The queue of waiting requests takes no memory: it is a second cursor over the same arrivals, as far behind the first as
//! requests wait.

use std::{sync::Arc, time::Duration};

use crate::{
    load::scenario,
    plan::arrivals::{Arrival, Arrivals, Curve, Spread, Stage},
};

/// Sessions of the warm-up are numbered from here, so that those of the window do not depend on its length. It fits into 32 bits with a
/// sign: a service that reads `{{ number }}` as its ids do would refuse every request of a warm-up that is numbered higher, and stay cold.
const WARMUP: u64 = 1 << 30;

/// A session that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Job {
    /// Its number: the same one asks for the same session.
    pub(crate) number: u64,
    /// When it was due, nanoseconds from the start of the warm-up.
    pub(crate) due: u64,
}

/// The arrivals of warm-up and window, one after the other.
#[derive(Debug, Clone)]
struct Course {
    warmup: Arrivals,
    window: Arrivals,
    window_start: u64,
}

impl Iterator for Course {
    type Item = Job;

    fn next(&mut self) -> Option<Job> {
        let job = |Arrival { number, due_ns }, first: u64, start: u64| Job {
            number: first.wrapping_add(number),
            due: start.saturating_add(due_ns),
        };
        if let Some(arrival) = self.warmup.next() {
            let mut last = job(arrival, WARMUP, 0);
            // The last of the warm-up falls on the window's start, but is not of the window.
            last.due = last.due.min(self.window_start.saturating_sub(1));
            return Some(last);
        }
        self.window.next().map(|arrival| job(arrival, 0, self.window_start))
    }
}

/// The open loop of one worker: what is due, what waits.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    ahead: Course,
    next: Option<Job>,
    behind: Course,
    waiting: u64,
    closed: bool,
}

/// What an open loop offers, for [`Desk::new`].
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// Arrivals a second over the window.
    pub(crate) curve: Arc<Curve>,
    /// Arrivals a second over the warm-up: as many as the first stage has on average.
    pub(crate) warmup: Arc<Curve>,
    /// How they are spread.
    pub(crate) spread: Spread,
    /// Of the arrivals.
    pub(crate) seed: u64,
}

impl Offer {
    /// From the words of a scenario.
    pub(crate) fn new(
        stages: &[scenario::Stage],
        arrivals: scenario::Arrivals,
        times: (Duration, Duration),
        seed: u64,
    ) -> Self {
        let (warmup, window) = times;
        let stages = plain(stages);
        let first =
            stages.first().map_or(0.0, |first| if first.ramp { first.level / 2.0 } else { first.level });
        let warm = Stage { level: first, seconds: warmup.as_secs_f64(), ramp: false };
        Self {
            curve: Arc::new(Curve::new(&stages, window.as_secs_f64())),
            warmup: Arc::new(Curve::new(&[warm], warmup.as_secs_f64())),
            spread: match arrivals {
                scenario::Arrivals::Constant => Spread::Constant,
                scenario::Arrivals::Poisson => Spread::Poisson,
            },
            seed,
        }
    }
}

/// Stages as the plan wants them.
pub(crate) fn plain(stages: &[scenario::Stage]) -> Vec<Stage> {
    stages
        .iter()
        .map(|stage| Stage { level: stage.level, seconds: stage.duration.as_secs_f64(), ramp: stage.ramp })
        .collect()
}

impl Desk {
    /// The share of `worker` of `workers`; the window starts after the warm-up.
    pub(crate) fn new(offer: &Offer, window_start: u64, worker: u32, workers: u32) -> Self {
        let of = |curve: &Arc<Curve>, purpose| {
            Arrivals::new(Arc::clone(curve), offer.spread, offer.seed, purpose).share(worker, workers)
        };
        let behind = Course {
            warmup: of(&offer.warmup, "warmup"),
            window: of(&offer.curve, "arrivals"),
            window_start,
        };
        let mut ahead = behind.clone();
        let next = ahead.next();
        Self { ahead, next, behind, waiting: 0, closed: false }
    }

    /// When the next one is due; `None` when there is none.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.next.filter(|_| !self.closed).map(|job| job.due)
    }

    /// Puts the next one that is due by `now` into the queue and says when it was due.
    pub(crate) fn release(&mut self, now: u64) -> Option<u64> {
        let job = self.next.filter(|job| !self.closed && job.due <= now)?;
        self.next = self.ahead.next();
        self.waiting += 1;
        Some(job.due)
    }

    /// Takes the one that has waited longest.
    pub(crate) fn take(&mut self) -> Option<Job> {
        self.waiting = self.waiting.checked_sub(1)?;
        self.behind.next()
    }

    /// How many are due and wait.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Nothing becomes due any more.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Desk, Job, Offer, WARMUP};
    use crate::load::scenario::{Arrivals, Stage};

    fn desk(rate: f64, warmup: u64, window: u64) -> Desk {
        let stages = [Stage { level: rate, duration: Duration::from_secs(window), ramp: false }];
        let times = (Duration::from_secs(warmup), Duration::from_secs(window));
        Desk::new(&Offer::new(&stages, Arrivals::Constant, times, 1), warmup * 1_000_000_000, 0, 1)
    }

    #[test]
    fn the_queue_gives_back_what_was_released_in_order_with_its_due_time() {
        let mut desk = desk(10.0, 1, 2);
        assert_eq!(desk.next_due(), Some(100_000_000));
        assert_eq!(desk.take(), None);
        let mut released = Vec::new();
        while let Some(due) = desk.release(1_250_000_000) {
            released.push(due);
        }
        assert_eq!((released.len(), desk.waiting()), (12, 12));
        let taken: Vec<Job> = std::iter::from_fn(|| desk.take()).collect();
        assert_eq!(taken.iter().map(|job| job.due).collect::<Vec<_>>(), released);
        assert_eq!(taken[0].number, WARMUP);
        assert_eq!(taken[10], Job { number: 0, due: 1_100_000_000 });
    }

    #[test]
    fn a_closed_desk_keeps_its_queue_and_lets_nothing_new_in() {
        let mut desk = desk(10.0, 0, 2);
        while desk.release(500_000_000).is_some() {}
        desk.close();
        assert_eq!((desk.release(u64::MAX), desk.next_due(), desk.waiting()), (None, None, 5));
        assert_eq!(desk.take().map(|job| job.due), Some(100_000_000));
    }
}
