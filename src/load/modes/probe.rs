//! A window at one rate as a probe: what of it counts for an aim, and whether the aim was met.

use crate::model::load::{Aim, Interval, Offered, Probe, Trial};

/// Requests without an answer may grow by this share of what comes: less is within the noise of a window.
const GROWTH: f64 = 0.02;
/// Or by what comes in this time, seconds: a stall at the window's end leaves as much without being a trend.
const STALL: f64 = 0.05;
/// Or by so many requests.
const FEW: f64 = 4.0;

/// What a window says of its rate. `before` is the last second of the warm-up.
pub(super) fn probe(trial: &Trial, aim: &Aim, before: Option<&Interval>) -> Probe {
    let requests = &trial.requests;
    let response = &trial.clocks.response_time;
    let due = requests.scheduled as f64;
    let answered = response.known();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; saturates")]
    let share =
        |ns: f64| if due > 0.0 { answered.count_between(0, (ns as u64).max(1)) as f64 / due } else { 0.0 };
    let latency = [0.5, 0.9, 0.95, 0.99].map(|q| response.quantile(q).map(|quantile| quantile.ns));
    let left = left_over(trial, before);
    let throughput = trial.throughput();
    let mut probe = Probe {
        rate: match trial.offered {
            Offered::Rate(rate) => rate,
            Offered::Users(users) => f64::from(users),
        },
        seconds: trial.seconds,
        scheduled: requests.scheduled,
        completed: requests.completed,
        errors: requests.errors,
        unfinished: requests.unfinished,
        error_kinds: requests.error_kinds.clone(),
        throughput,
        within: aim.within.iter().map(|within| share(within.ns)).collect(),
        growth: left.filter(|_| due > 0.0).map(|left| left / due),
        latency_ns: match latency {
            [Some(a), Some(b), Some(c), Some(d)] => Some([a, b, c, d]),
            _ => None,
        },
        // Little's law.
        in_flight: (!answered.is_empty()).then(|| throughput * answered.mean() / 1e9),
        in_flight_peak: trial.in_flight_peak,
        cpu: trial.costs.cpu_ns.filter(|_| trial.seconds > 0.0).map(|ns| ns as f64 / 1e9 / trial.seconds),
        cpu_limit: trial.costs.cpu_limit,
        rss_bytes: trial.costs.rss_peak_bytes,
        descriptors: trial.costs.descriptors_peak,
        met: false,
        void: trial.void.clone(),
    };
    let allowed = (GROWTH * due).max(STALL * due / trial.seconds.max(1e-9)).max(FEW);
    let in_time = aim.within.iter().zip(&probe.within).all(|(limit, share)| *share >= limit.share);
    probe.met = probe.void.is_none()
        && probe.scheduled > 0
        && in_time
        && probe.error_rate() < aim.errors.max(f64::MIN_POSITIVE)
        && left.is_none_or(|left| left <= allowed);
    probe
}

/// By how many the requests without an answer grew in the window.
fn left_over(trial: &Trial, before: Option<&Interval>) -> Option<f64> {
    let open = |interval: &Interval| interval.in_flight.saturating_add(interval.backlog) as f64;
    Some(open(trial.intervals.last()?) - before.map_or(0.0, open))
}

/// Whether a second of load met an aim: its percentiles and its errors.
pub(super) fn is_good(interval: &Interval, aim: &Aim) -> bool {
    let ended = interval.completed.saturating_add(interval.errors);
    let Some([p50, p90, p95, p99]) = interval.latency_ns.filter(|_| interval.completed > 0) else {
        return false;
    };
    let at = |share: f64| match share {
        share if share <= 0.5 => p50,
        share if share <= 0.9 => p90,
        share if share <= 0.95 => p95,
        _ => p99,
    };
    aim.within.iter().all(|within| at(within.share) <= within.ns)
        && (interval.errors as f64) < aim.errors.max(f64::MIN_POSITIVE) * ended as f64
}

/// Whether nothing ended in a second and at most one request waited: so it is between the requests of a service that takes less than one a second.
pub(super) fn says_nothing(interval: &Interval) -> bool {
    interval.completed == 0
        && interval.errors == 0
        && interval.in_flight.saturating_add(interval.backlog) <= 1
}

#[cfg(test)]
pub(super) mod tests {
    use super::{is_good, probe, says_nothing};
    use crate::model::{
        load::{Aim, Clocks, Costs, Interval, Offered, Requests, Trial},
        run::Side,
    };

    /// A window of so many seconds in which requests take `ns`, of which the last `open` have no answer at its end.
    pub(in crate::load::modes) fn window(rate: f64, seconds: f64, ns: u64, open: u64) -> Trial {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let due = (rate * seconds).round() as u64;
        let mut clocks = Clocks::default();
        (0..due).for_each(|_| clocks.response_time.record(ns));
        let last =
            Interval { seconds, completed: due.saturating_sub(open), in_flight: open, ..Interval::default() };
        Trial {
            scenario: "s".into(),
            side: Side::Head,
            offered: Offered::Rate(rate),
            seconds,
            warmup_seconds: 0.5,
            requests: Requests { scheduled: due, completed: due, ..Requests::default() },
            clocks,
            endpoints: Vec::new(),
            in_flight_peak: open,
            answered: Some(due.saturating_sub(open)),
            received_bytes: 0,
            generator_cpu: 0.1,
            costs: Costs { cpu_ns: Some(1_500_000_000), ..Costs::default() },
            knee: None,
            varied: false,
            intervals: vec![last],
            void: None,
        }
    }

    #[test]
    fn answers_in_time_and_no_backlog_meet_the_aim() {
        let aim = Aim::default();
        let fine = probe(&window(100.0, 3.0, 1_000_000, 0), &aim, None);
        assert!(fine.met && fine.within == [1.0] && fine.cpu == Some(0.5), "{fine:?}");
        assert!((fine.in_flight.unwrap() - 0.1).abs() < 0.001, "{fine:?}");
        assert!(!probe(&window(100.0, 3.0, 300_000_000, 2), &aim, None).met, "slow");
        assert!(!probe(&window(100.0, 3.0, 1_000_000, 20), &aim, None).met, "a backlog");
        let before = Interval { in_flight: 19, ..Interval::default() };
        assert!(probe(&window(100.0, 3.0, 1_000_000, 20), &aim, Some(&before)).met, "no growth");
        let mut failing = window(100.0, 3.0, 1_000_000, 2);
        (failing.requests.completed, failing.requests.errors) = (290, 10);
        assert!(!probe(&failing, &aim, None).met, "errors");
        let void = Trial { void: Some("late".into()), ..window(100.0, 3.0, 1_000_000, 2) };
        assert!(!probe(&void, &aim, None).met);
        assert!(!probe(&window(0.0, 3.0, 1, 0), &aim, None).met, "nothing was due");
    }

    #[test]
    fn a_second_is_good_by_its_percentiles_and_errors() {
        let aim = Aim::default();
        let second =
            Interval { completed: 100, latency_ns: Some([1e6, 1e8, 1.9e8, 9e8]), ..Interval::default() };
        assert!(is_good(&second, &aim));
        assert!(!is_good(&Interval { errors: 3, ..second.clone() }, &aim));
        assert!(!is_good(&Interval { latency_ns: Some([1e6, 1e8, 2.1e8, 9e8]), ..second }, &aim));
        assert!(!is_good(&Interval::default(), &aim));
    }

    #[test]
    fn a_second_between_two_requests_says_nothing() {
        let between = |in_flight, errors| Interval { in_flight, errors, ..Interval::default() };
        assert!(says_nothing(&between(0, 0)) && says_nothing(&between(1, 0)));
        assert!(!says_nothing(&between(2, 0)) && !says_nothing(&between(0, 1)));
    }
}
