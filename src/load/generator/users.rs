//! The closed loop of one worker: who of its users is ready when, by a clock that is an argument.
//!
//! A user is ready when its last flow has ended and it has thought about it. While fewer users are wanted, those with the highest
//! numbers rest.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::plan::arrivals::Curve;

/// How often it is looked whether more users are wanted, nanoseconds.
const LOOK: u64 = 10_000_000;

/// A user whose connection was refused asks again after this long at the earliest, nanoseconds, or it would ask without end.
const REFUSED_PAUSE: u64 = 10_000_000;

/// The users of one worker.
#[derive(Debug, Clone)]
pub(crate) struct Users {
    curve: Curve,
    warmup: u64,
    window_start: u64,
    think: u64,
    worker: u64,
    workers: u64,
    thinking: BinaryHeap<Reverse<(u64, usize)>>,
    /// Of each user that ever worked, whether it rests.
    resting: Vec<bool>,
    next_look: u64,
    /// How many of them were wanted at the last look.
    wanted: usize,
    started: u64,
    closed: bool,
}

impl Users {
    /// The share of `worker` of `workers`: `curve` over the window, its first level (half of it for a ramp) before.
    pub(crate) fn new(
        curve: Curve,
        warmup: u64,
        window_start: u64,
        think: u64,
        (worker, workers): (u32, u32),
    ) -> Self {
        Self {
            curve,
            warmup,
            window_start,
            think,
            worker: worker.into(),
            workers: workers.into(),
            thinking: BinaryHeap::new(),
            resting: Vec::new(),
            next_look: 0,
            wanted: 0,
            started: 0,
            closed: false,
        }
    }

    /// How many of this worker's users are wanted.
    fn wanted(&self, now: u64) -> usize {
        let all = match now.checked_sub(self.window_start) {
            None => self.warmup,
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a level, 0 or more")]
            Some(within) => self.curve.level_at(within as f64 / 1e9).round() as u64,
        };
        usize::try_from((all + self.workers - 1).saturating_sub(self.worker) / self.workers)
            .unwrap_or(usize::MAX)
    }

    /// When somebody is ready, or it must be looked again.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let thinking = self.thinking.peek().map(|Reverse((at, _))| *at);
        (!self.closed).then(|| thinking.map_or(self.next_look, |at| at.min(self.next_look)))
    }

    /// A user who is ready by `now`, and since when.
    pub(crate) fn release(&mut self, now: u64) -> Option<(usize, u64)> {
        if self.closed {
            return None;
        }
        if now >= self.next_look {
            self.next_look = now + LOOK;
            self.wake(now);
        }
        while let Some(Reverse((at, user))) = self.thinking.peek().copied() {
            if at > now {
                return None;
            }
            self.thinking.pop();
            if user < self.wanted {
                return Some((user, at));
            }
            self.resting[user] = true;
        }
        None
    }

    fn wake(&mut self, now: u64) {
        let wanted = self.wanted(now);
        self.wanted = wanted;
        if self.resting.len() < wanted {
            self.resting.resize(wanted, true);
        }
        for (user, resting) in self.resting.iter_mut().enumerate().take(wanted) {
            if std::mem::take(resting) {
                self.thinking.push(Reverse((now, user)));
            }
        }
    }

    /// A user's flow has ended: when it is ready for the next, if that is at once; else it thinks or rests.
    pub(crate) fn ended(&mut self, user: usize, now: u64, refused: bool) -> Option<u64> {
        let pause = if refused { self.think.max(REFUSED_PAUSE) } else { self.think };
        if self.closed {
            return None;
        }
        if pause == 0 && user < self.wanted {
            return Some(now);
        }
        self.thinking.push(Reverse((now + pause, user)));
        None
    }

    /// The number of the next session, unlike that of any other worker.
    pub(crate) fn next_session(&mut self) -> u64 {
        self.started += 1;
        (self.started - 1) * self.workers + self.worker
    }

    /// Nobody becomes ready any more.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::Users;
    use crate::plan::arrivals::{Curve, Stage};

    fn ready(users: &mut Users, now: u64) -> Vec<usize> {
        std::iter::from_fn(|| users.release(now)).map(|(user, _)| user).collect()
    }

    #[test]
    fn users_come_and_go_with_the_curve_and_think_between_flows() {
        let stages = [
            Stage { level: 3.0, seconds: 1.0, ramp: false },
            Stage { level: 1.0, seconds: 1.0, ramp: false },
        ];
        let mut users = Users::new(Curve::new(&stages, 2.0), 2, 1_000_000_000, 5_000_000, (0, 1));
        assert_eq!(ready(&mut users, 0), [0, 1]);
        assert_eq!(ready(&mut users, 1_000_000_000), [2]);
        assert_eq!(users.ended(2, 1_100_000_000, false), None);
        assert_eq!(ready(&mut users, 1_104_000_000), [0_usize; 0]);
        assert_eq!(users.release(1_105_000_001), Some((2, 1_105_000_000)));
        // In the second stage only the first user is wanted.
        assert_eq!(users.ended(2, 2_100_000_000, false), None);
        assert_eq!(users.ended(0, 2_100_000_000, false), None);
        assert_eq!(ready(&mut users, 2_200_000_000), [0]);
    }

    #[test]
    fn without_thinking_the_next_flow_is_due_at_once_unless_the_last_was_refused() {
        let stages = [Stage { level: 1.0, seconds: 9.0, ramp: false }];
        let mut users = Users::new(Curve::new(&stages, 9.0), 1, 0, 0, (0, 1));
        assert_eq!(ready(&mut users, 0), [0]);
        assert_eq!(users.ended(0, 7, false), Some(7));
        assert_eq!(users.ended(0, 9, true), None);
        assert_eq!(users.release(10_000_009), Some((0, 10_000_009)));
    }

    #[test]
    fn workers_share_the_users_without_losing_one() {
        let stages = [Stage { level: 7.0, seconds: 1.0, ramp: false }];
        let count: usize = (0..3)
            .map(|worker| ready(&mut Users::new(Curve::new(&stages, 1.0), 7, 0, 1, (worker, 3)), 0).len())
            .sum();
        assert_eq!(count, 7);
    }
}
