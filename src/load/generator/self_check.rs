//! Whether the generator itself was the bottleneck, so that its figures say nothing of the service.
//!
//! Only what the generator did late or could not do counts here. A service that is slow, stalls or refuses never voids a trial:
//! waiting for a connection or an answer is not the pacer's lateness.

use std::fmt::Write as _;

use crate::load::recorder::Recorded;

/// A lag of up to this is never held against the generator, nanoseconds.
const FINE_LAG_NS: f64 = 1e6;

/// A larger lag is not either while it is at most this share of the median response time, of which it is a part.
const FINE_LAG_SHARE: f64 = 0.1;

/// The largest share of requests that may be handed on only after the window.
const MOST_LATE: f64 = 0.01;

/// The largest share of a processor that a worker may use. Beyond it answers wait in our own queue, and look slow.
const MOST_CPU: f64 = 0.95;

/// What a worker lacked, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shortages {
    /// Connections that failed for want of a local port.
    pub(crate) ports: u64,
    /// Connections that failed for want of a descriptor.
    pub(crate) descriptors: u64,
}

/// Why the trial does not count, if it does not.
pub(crate) fn void(recorded: &Recorded, shortages: Shortages, cpu: f64) -> Option<String> {
    if shortages.descriptors > 0 {
        return Some(format!(
            "the generator ran out of descriptors {} times: raise `ulimit -n` or lower `connections`",
            shortages.descriptors
        ));
    }
    if shortages.ports > 0 {
        return Some(format!(
            "the generator ran out of local ports {} times: keep connections alive or lower the rate",
            shortages.ports
        ));
    }
    let scheduled = recorded.requests.scheduled;
    if recorded.late as f64 > MOST_LATE * scheduled as f64 {
        return Some(format!(
            "the generator was late: {} of {scheduled} requests were handed on only after the window",
            recorded.late
        ));
    }
    if cpu > MOST_CPU {
        return Some(format!(
            "the generator was the bottleneck: a worker used {:.0} % of a processor",
            cpu * 100.0
        ));
    }
    lag(recorded)
}

fn lag(recorded: &Recorded) -> Option<String> {
    let lag = recorded.clocks.send_lag.quantile(0.99)?.ns;
    let median = recorded.clocks.response_time.quantile(0.5).map_or(0.0, |median| median.ns);
    (lag > FINE_LAG_NS.max(FINE_LAG_SHARE * median)).then(|| {
        let mut text = format!("the generator was late: send lag p99 {:.1} ms", lag / 1e6);
        if median > 0.0 {
            let _ = write!(text, " at a median response time of {:.1} ms", median / 1e6);
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{Shortages, void};
    use crate::load::recorder::{Answered, Moments, Recorded, Recorder};

    fn recorded(lag: u64, response: u64) -> Recorded {
        let mut recorder = Recorder::new(0, 1);
        for due in 0..1_000 {
            recorder.scheduled(due, Some(lag));
            let answer = Answered { end: due + response, status: 200, bytes: 1 };
            recorder.completed(0, &Moments { due, sent: due, ..Moments::default() }, &answer);
        }
        recorder.finish()
    }

    #[test]
    fn a_lag_counts_when_it_is_long_and_a_notable_part_of_the_answer() {
        let fine = |lag, response| void(&recorded(lag, response), Shortages::default(), 0.5).is_none();
        assert!(fine(900_000, 200_000));
        assert!(!fine(1_100_000, 200_000));
        assert!(fine(1_100_000, 12_000_000));
        assert!(!fine(30_000_000, 200_000_000));
    }

    #[test]
    fn what_the_machine_lacked_and_a_full_processor_void_the_trial() {
        let good = recorded(1_000, 200_000);
        assert_eq!(void(&good, Shortages::default(), 0.94), None);
        let text = |ports, descriptors, cpu| void(&good, Shortages { ports, descriptors }, cpu).unwrap();
        assert!(text(0, 0, 0.96).contains("96 % of a processor"));
        assert!(text(3, 0, 0.1).contains("local ports 3 times"));
        assert!(text(0, 2, 0.1).contains("descriptors 2 times"));
    }

    #[test]
    fn requests_handed_on_after_the_window_void_it_above_one_in_a_hundred() {
        let mut late = recorded(1_000, 200_000);
        late.late = 10;
        assert_eq!(void(&late, Shortages::default(), 0.1), None);
        late.late = 11;
        assert!(void(&late, Shortages::default(), 0.1).unwrap().contains("11 of 1000"));
    }
}
