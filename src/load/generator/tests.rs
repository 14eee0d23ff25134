//! The whole accounting on a simulated clock: desk and recorder with a service whose every answer is known.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use super::desk::{Desk, Job, Offer};
use crate::{
    load::{
        recorder::{Answered, Moments, Recorded, Recorder},
        scenario::{Arrivals, Stage},
    },
    model::load::Distribution,
};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// An open loop that a service sees through so many connections.
struct Simulated {
    rate: f64,
    seconds: u64,
    warmup: u64,
    connections: usize,
    drain: u64,
    arrivals: Arrivals,
}

impl Simulated {
    fn new(rate: f64, seconds: u64) -> Self {
        let drain = 30 * SECOND;
        Self { rate, seconds, warmup: 0, connections: usize::MAX, drain, arrivals: Arrivals::Constant }
    }

    /// Runs it; `answer` says when the answer to a request that is sent at that moment is there.
    fn run(&self, answer: impl Fn(Job, u64) -> u64) -> Recorded {
        let length = |seconds| Duration::from_secs(seconds);
        let stages = [Stage { level: self.rate, duration: length(self.seconds), ramp: false }];
        let offer = Offer::new(&stages, self.arrivals, (length(self.warmup), length(self.seconds)), 11);
        let start = self.warmup * SECOND;
        let mut desk = Desk::new(&offer, start, 0, 1);
        let mut recorder = Recorder::new(start, 1);
        let mut flying: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::new();
        let mut moments = std::collections::BTreeMap::new();
        let deadline = start + self.seconds * SECOND + self.drain;
        let mut number = 0;
        loop {
            let due = desk.next_due().unwrap_or(u64::MAX);
            let end = flying.peek().map_or(u64::MAX, |Reverse((end, _))| *end);
            let now = due.min(end);
            if now > deadline {
                break;
            }
            if end <= due {
                let Some(Reverse((end, id))) = flying.pop() else { break };
                let of: Moments = moments.remove(&id).unwrap();
                recorder.completed(0, &of, &Answered { end, status: 200, bytes: 10 });
            } else if let Some(due) = desk.release(now) {
                recorder.scheduled(due, Some(now - due));
            }
            while flying.len() < self.connections
                && let Some(job) = desk.take()
            {
                let of = Moments {
                    due: job.due,
                    handed: job.due,
                    taken: now,
                    sent: now,
                    first_byte: now,
                    connect: 0,
                };
                number += 1;
                moments.insert(number, of);
                flying.push(Reverse((answer(job, now), number)));
            }
        }
        for of in moments.values() {
            recorder.unfinished(0, of, deadline);
        }
        while let Some(job) = desk.take() {
            let of = Moments { due: job.due, handed: job.due, ..Moments::default() };
            recorder.unfinished(0, &of, deadline);
        }
        recorder.finish()
    }
}

fn quantile_ms(sample: &Distribution, q: f64) -> f64 {
    sample.quantile(q).unwrap().ns / 1e6
}

/// Within 2 % or 1 ms.
fn assert_near(sample: &Distribution, q: f64, want_ms: f64) {
    let got = quantile_ms(sample, q);
    assert!(
        (got - want_ms).abs() <= (want_ms * 0.02).max(1.0),
        "p{}: {got} ms is not {want_ms} ms",
        q * 100.0
    );
}

fn assert_whole(recorded: &Recorded) {
    let requests = &recorded.requests;
    assert_eq!(requests.scheduled, requests.completed + requests.errors + requests.unfinished);
    assert_eq!(recorded.clocks.response_time.count(), requests.completed + requests.unfinished);
    let parts = recorded.endpoints.iter().map(|(requests, _)| requests.scheduled).sum::<u64>();
    assert_eq!(parts, requests.scheduled);
}

#[test]
fn percentiles_of_a_known_service_are_right_at_every_rate() {
    for (rate, seconds) in [(100.0, 100), (2_000.0, 10), (20_000.0, 5)] {
        let simulated = Simulated::new(rate, seconds);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and positive")]
        let count = rate as u64 * seconds;
        // Every share of 0 to 1 comes once, in mixed order, from 2 to 52 ms with a long tail.
        let share = |number: u64| ((number * 7_919) % count) as f64 / count as f64;
        let latency = |share: f64| 2.0 + 50.0 * share.powi(8);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds, positive")]
        let recorded = simulated.run(|job, now| now + (latency(share(job.number)) * 1e6) as u64);
        assert_whole(&recorded);
        assert_eq!(recorded.requests.completed, count);
        for q in [0.5, 0.9, 0.95, 0.99, 0.999] {
            assert_near(&recorded.clocks.response_time, q, latency(q));
            assert_near(&recorded.clocks.service_time, q, latency(q));
        }
    }
}

#[test]
fn a_stall_shows_in_the_response_time_and_hides_in_the_service_time() {
    let simulated = Simulated { connections: 20, ..Simulated::new(200.0, 8) };
    let stall = 3 * SECOND..4 * SECOND;
    let quick = MS / 20;
    let recorded = simulated.run(|_, now| if stall.contains(&now) { stall.end + quick } else { now + quick });
    assert_whole(&recorded);
    assert_eq!(recorded.requests.completed, 1_600);
    for (q, want) in [(0.5, 0.05), (0.9, 200.0), (0.95, 600.0), (0.99, 920.0)] {
        assert_near(&recorded.clocks.response_time, q, want);
    }
    // What a clock that starts at the send would say: the reason for the other one.
    assert!(quantile_ms(&recorded.clocks.service_time, 0.95) < 2.0);
    assert!(quantile_ms(&recorded.clocks.pool_wait, 0.95) > 500.0);
}

#[test]
fn a_stall_hurts_as_much_when_connections_are_not_short() {
    let stall = 3 * SECOND..4 * SECOND;
    let recorded =
        Simulated::new(200.0, 8).run(|_, now| if stall.contains(&now) { stall.end + MS } else { now + MS });
    for (q, want) in [(0.9, 200.0), (0.95, 600.0), (0.99, 920.0)] {
        assert_near(&recorded.clocks.response_time, q, want);
        assert_near(&recorded.clocks.service_time, q, want);
    }
}

#[test]
fn under_overload_every_scheduled_request_is_counted_and_the_tail_is_a_lower_bound() {
    // Two connections at 30 ms carry 66 a second of 200.
    let simulated = Simulated { connections: 2, drain: SECOND, ..Simulated::new(200.0, 5) };
    let recorded = simulated.run(|_, now| now + 30 * MS);
    assert_whole(&recorded);
    assert_eq!(recorded.requests.scheduled, 1_000);
    assert!((395..=402).contains(&recorded.requests.completed), "{:?}", recorded.requests);
    let p90 = recorded.clocks.response_time.quantile(0.9).unwrap();
    assert!(p90.lower_bound && p90.ns > 3e9, "{p90:?}");
}

#[test]
fn what_was_due_in_the_warm_up_is_left_out_even_when_it_ends_in_the_window() {
    let simulated = Simulated { warmup: 2, connections: 1, ..Simulated::new(10.0, 3) };
    // The first request blocks the only connection until after the warm-up.
    let recorded = simulated.run(|_, now| if now < SECOND { 3 * SECOND } else { now + MS });
    assert_whole(&recorded);
    assert_eq!(recorded.requests.scheduled, 30);
    // Those due in the first second of the window waited for the rest of the freeze: 0.9 to 0 s.
    assert!((quantile_ms(&recorded.clocks.response_time, 1.0) - 920.0).abs() < 25.0);
}

#[test]
fn poisson_arrivals_are_all_counted_and_replay_by_their_seed() {
    let simulated = Simulated { arrivals: Arrivals::Poisson, connections: 4, ..Simulated::new(500.0, 10) };
    let run = || simulated.run(|_, now| now + 6 * MS);
    let recorded = run();
    assert_whole(&recorded);
    assert!((recorded.requests.scheduled as f64 - 5_000.0).abs() < 354.0, "{:?}", recorded.requests);
    // Three of four connections are busy on average: bursts wait.
    assert!(quantile_ms(&recorded.clocks.response_time, 0.9) > 7.0);
    assert_eq!(run().clocks, recorded.clocks);
}
