//! Whether the service was there: the share of time in which it answered. Unlike the error rate this tells a service that fails
//! one request in a hundred all the time from one that is gone for a hundredth of the time.

use super::trial::Interval;

/// Seconds with few requests are joined until this many were due: one failed request a second is no outage.
pub const STRETCH_REQUESTS: u64 = 10;

/// For how long load was on, and for how much of it the service answered.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Availability {
    /// Seconds with requests, over all windows.
    pub seconds: f64,
    /// Those in which at least as many requests ended well as failed, and at least one did.
    pub answered_seconds: f64,
}

impl Availability {
    /// The availability over the intervals of one window.
    ///
    /// Neighbouring intervals are joined to stretches of at least [`STRETCH_REQUESTS`] due requests. A stretch counts as
    /// answered when something ended well in it, and no more failed than that. Time without requests counts as nothing.
    #[must_use]
    pub fn of(intervals: &[Interval]) -> Self {
        let mut total = Self::default();
        let mut stretch = Stretch::default();
        let mut in_flight = 0;
        for interval in intervals {
            let idle = interval.scheduled + interval.completed + interval.errors + in_flight == 0;
            in_flight = interval.in_flight + interval.backlog;
            if idle {
                continue;
            }
            stretch.add(interval);
            if stretch.due >= STRETCH_REQUESTS {
                total.take(std::mem::take(&mut stretch));
            }
        }
        total.take(stretch);
        total
    }

    /// Adds another window.
    pub fn merge(&mut self, other: Self) {
        self.seconds += other.seconds;
        self.answered_seconds += other.answered_seconds;
    }

    /// The share of the time; `None` without time.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.seconds > 0.0).then(|| (self.answered_seconds / self.seconds).clamp(0.0, 1.0))
    }

    fn take(&mut self, stretch: Stretch) {
        self.seconds += stretch.seconds;
        if stretch.completed > 0 && stretch.completed >= stretch.errors {
            self.answered_seconds += stretch.seconds;
        }
    }
}

/// Neighbouring intervals.
#[derive(Default)]
struct Stretch {
    seconds: f64,
    due: u64,
    completed: u64,
    errors: u64,
}

impl Stretch {
    fn add(&mut self, interval: &Interval) {
        self.seconds += interval.seconds.max(0.0);
        // Requests of a backlog that only fail later are demand too; those due before are in flight already.
        self.due += interval.scheduled.max(interval.completed + interval.errors);
        self.completed += interval.completed;
        self.errors += interval.errors;
    }
}

#[cfg(test)]
mod tests {
    use super::{Availability, Interval};

    fn second(scheduled: u64, completed: u64, errors: u64) -> Interval {
        Interval { seconds: 1.0, scheduled, completed, errors, ..Interval::default() }
    }

    #[test]
    fn a_second_without_answers_is_down_and_one_with_few_errors_is_not() {
        let mut window = vec![second(200, 198, 2); 9];
        assert_eq!(Availability::of(&window).share(), Some(1.0));
        window.push(second(200, 0, 0));
        assert_eq!(Availability::of(&window).share(), Some(0.9));
        window.push(second(200, 90, 110));
        let availability = Availability::of(&window);
        assert_eq!((availability.seconds, availability.answered_seconds), (11.0, 9.0));
    }

    #[test]
    fn one_failure_in_a_quiet_second_is_no_outage() {
        let mut window = vec![second(1, 1, 0); 19];
        window.insert(7, second(1, 0, 1));
        assert_eq!(Availability::of(&window).share(), Some(1.0));
    }

    #[test]
    fn time_without_requests_counts_as_nothing() {
        assert_eq!(Availability::of(&[second(0, 0, 0), second(0, 0, 0)]).share(), None);
        assert_eq!(Availability::of(&[]).share(), None);
        // Nothing is due any more, but requests hang.
        let hanging = Interval { in_flight: 20, ..second(20, 0, 0) };
        assert_eq!(Availability::of(&[hanging, second(0, 0, 0)]).seconds, 2.0);
    }
}
