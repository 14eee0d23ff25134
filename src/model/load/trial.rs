//! What a load trial recorded: requests by what became of them, how long they took on two clocks, and what the service cost.
//!
//! Response time counts from the moment a request was *due*, service time from the moment it was *sent*. A request that was due
//! but got no answer by the deadline stays in the sample as "at least this long": dropping it would hide the very stall that
//! caused it.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::model::{metric::percentile, run::Side};

/// Significant digits of every distribution: values are right to 0.1 %.
pub const DIGITS: u8 = 3;

/// The longest duration that is told apart, nanoseconds: one hour. Longer ones count as this long.
pub const LONGEST_NS: u64 = 3_600_000_000_000;

/// The share of a processor beyond which a worker of the generator has no more to give: answers wait in its own queue, and look slow.
pub const FULL_CPU: f64 = 0.95;

/// What a service may use.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Allowance {
    /// Memory, bytes; `None` where it is not known.
    pub memory_bytes: Option<u64>,
    /// Processors, parts of one counted; `None` where it is not known.
    pub processors: Option<f64>,
}

/// A value of a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// Nanoseconds.
    pub ns: f64,
    /// Whether requests without an answer reach down to it: the true value is this or more.
    pub lower_bound: bool,
}

/// Durations in nanoseconds at three digits, with those of which only a lower bound is known kept apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    known: Histogram<u64>,
    at_least: Option<Histogram<u64>>,
}

impl Default for Distribution {
    fn default() -> Self {
        Self { known: empty(), at_least: None }
    }
}

fn empty() -> Histogram<u64> {
    let mut histogram = match Histogram::new(DIGITS) {
        Ok(histogram) => histogram,
        Err(_) => unreachable!("three digits are within the library's range"),
    };
    histogram.auto(true);
    histogram
}

impl Distribution {
    /// Adds a duration that was seen to its end.
    pub fn record(&mut self, ns: u64) {
        // `record` grows the range, `saturating_record` would clip to what there is; within an hour it cannot fail.
        let _ = self.known.record(ns.clamp(1, LONGEST_NS));
    }

    /// Adds a duration that had not ended after `ns`.
    pub fn record_at_least(&mut self, ns: u64) {
        let _ = self.at_least.get_or_insert_with(empty).record(ns.clamp(1, LONGEST_NS));
    }

    /// Adds all of another distribution.
    pub fn merge(&mut self, other: &Self) {
        // Both resize themselves, so adding cannot fail for want of range.
        let _ = self.known.add(&other.known);
        if let Some(theirs) = &other.at_least {
            let _ = self.at_least.get_or_insert_with(empty).add(theirs);
        }
    }

    /// Rebuilds a distribution from its two parts.
    #[must_use]
    pub fn from_parts(known: Histogram<u64>, at_least: Option<Histogram<u64>>) -> Self {
        Self { known, at_least }
    }

    /// The durations that were seen to their end.
    #[must_use]
    pub fn known(&self) -> &Histogram<u64> {
        &self.known
    }

    /// The lower bounds, where there are any.
    #[must_use]
    pub fn at_least(&self) -> Option<&Histogram<u64>> {
        self.at_least.as_ref()
    }

    /// How many durations it holds, bounds included.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.known.len() + self.at_least.as_ref().map_or(0, Histogram::len)
    }

    /// The smallest value that at least the share `q` (0 to 1) of the sample does not exceed, with bounds counted at their value.
    ///
    /// It is a lower bound of the true quantile when a bound lies at or below it. `None` for an empty sample.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Quantile> {
        if self.count() == 0 {
            return None;
        }
        let Some(bounds) = self.at_least.as_ref().filter(|bounds| !bounds.is_empty()) else {
            return Some(Quantile { ns: self.known.value_at_quantile(q) as f64, lower_bound: false });
        };
        let mut all = self.known.clone();
        let _ = all.add(bounds);
        let value = all.value_at_quantile(q);
        Some(Quantile { ns: value as f64, lower_bound: bounds.min() <= value })
    }

    /// The largest value. `None` for an empty sample.
    #[must_use]
    pub fn max(&self) -> Option<Quantile> {
        let bound = self.at_least.as_ref().filter(|bounds| !bounds.is_empty()).map(Histogram::max);
        let known = (!self.known.is_empty()).then(|| self.known.max());
        let ns = known.into_iter().chain(bound).max()?;
        Some(Quantile { ns: ns as f64, lower_bound: bound.is_some() })
    }

    /// The share of the sample that was seen to end within `ns`; `None` for an empty sample.
    #[must_use]
    pub fn share_within(&self, ns: u64) -> Option<f64> {
        let total = self.count();
        (total > 0).then(|| self.known.count_between(0, ns.max(1)) as f64 / total as f64)
    }
}

/// How a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// The host's name could not be resolved.
    Dns,
    /// No connection could be made.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The connection was reset or closed before the answer was whole.
    Reset,
    /// No whole answer within the time limit.
    Timeout,
    /// Not HTTP.
    Protocol,
    /// An answer with a status that was not expected.
    Status,
    /// An answer with a body that was not expected, or without a value that had to be captured.
    Body,
    /// An answer longer than is read.
    TooLarge,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Reset,
        Self::Timeout,
        Self::Protocol,
        Self::Status,
        Self::Body,
        Self::TooLarge,
    ];

    /// The word in files: `dns`, `connect`, `tls`, `reset`, `timeout`, `protocol`, `status`, `body`, `too_large`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Status => "status",
            Self::Body => "body",
            Self::TooLarge => "too_large",
        }
    }
}

/// Requests by what became of them: `scheduled == completed + errors + unfinished`, always.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requests {
    /// Those that were due.
    pub scheduled: u64,
    /// Those that were answered as expected.
    pub completed: u64,
    /// Those that failed.
    pub errors: u64,
    /// Those due but not sent, or sent but not answered, at the deadline.
    pub unfinished: u64,
    /// The errors by kind.
    pub error_kinds: BTreeMap<ErrorKind, u64>,
    /// Answers by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests sent a second time because the server had closed the idle connection; not counted twice above.
    pub retried: u64,
}

impl Requests {
    /// The share of due requests that were not answered as expected; `None` when none was due.
    #[must_use]
    pub fn error_rate(&self) -> Option<f64> {
        (self.scheduled > 0).then(|| (self.errors + self.unfinished) as f64 / self.scheduled as f64)
    }

    /// Adds another count.
    pub fn merge(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.completed += other.completed;
        self.errors += other.errors;
        self.unfinished += other.unfinished;
        self.retried += other.retried;
        for (kind, count) in &other.error_kinds {
            *self.error_kinds.entry(*kind).or_default() += count;
        }
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
    }
}

/// What was asked of the service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Offered {
    /// Open loop: requests (or sessions) a second, the mean over the window.
    Rate(f64),
    /// Closed loop: users, the peak.
    Users(u32),
}

/// The clocks of a trial; each in nanoseconds, one entry a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Clocks {
    /// From due to the end of the answer. What ran into its time limit or was unfinished is in it as "at least this long"; other
    /// failures are no latencies and are left out.
    pub response_time: Distribution,
    /// From sent to the end of the answer; the same requests, those that were never sent left out.
    pub service_time: Distribution,
    /// Connecting, TLS included; only requests that opened a connection.
    pub connect: Distribution,
    /// Waiting for a free connection.
    pub pool_wait: Distribution,
    /// From sent to the first byte of the answer.
    pub first_byte: Distribution,
    /// How late the pacer handed the request on; waiting for a connection is not in it. Requests that follow an answer at once
    /// (later steps, users who do not think) need no pacer and are left out.
    pub send_lag: Distribution,
}

impl Clocks {
    /// Adds all of another trial's clocks.
    pub fn merge(&mut self, other: &Self) {
        self.response_time.merge(&other.response_time);
        self.service_time.merge(&other.service_time);
        self.connect.merge(&other.connect);
        self.pool_wait.merge(&other.pool_wait);
        self.first_byte.merge(&other.first_byte);
        self.send_lag.merge(&other.send_lag);
    }
}

/// What the service used over the window: its process tree, or nothing where it is not ours to look at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Costs {
    /// Processor time, nanoseconds.
    pub cpu_ns: Option<u64>,
    /// The largest resident memory of the tree since its start, bytes.
    pub rss_peak_bytes: Option<u64>,
    /// The most threads.
    pub threads_peak: Option<u64>,
    /// The most open descriptors.
    pub descriptors_peak: Option<u64>,
    /// The memory that it may use (its cgroup's limit, else the machine's), bytes.
    pub memory_limit_bytes: Option<u64>,
    /// The processors that it may use (its cgroup's quota, else the machine's).
    pub cpu_limit: Option<f64>,
    /// The scenario's own metrics by name; a formula that divides by zero has no entry.
    pub metrics: BTreeMap<String, f64>,
}

/// One second or so of a trial.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Interval {
    /// Its start, seconds after the window's.
    pub start_seconds: f64,
    /// Its length, seconds.
    pub seconds: f64,
    /// Requests that were due in it.
    pub scheduled: u64,
    /// Requests that ended well in it.
    pub completed: u64,
    /// Requests that failed in it.
    pub errors: u64,
    /// Response time of what ended in it: p50, p90, p95 and p99, nanoseconds; `None` when nothing did.
    pub latency_ns: Option<[f64; 4]>,
    /// Requests in flight at its end.
    pub in_flight: u64,
    /// Requests due but not sent at its end.
    pub backlog: u64,
    /// Processors that the service kept busy in it.
    pub cpu: Option<f64>,
    /// Resident memory of the service at its end, bytes.
    pub rss_bytes: Option<u64>,
    /// The scenario's own metrics over it.
    pub metrics: BTreeMap<String, f64>,
}

impl Interval {
    /// Whether it is what is left of a second in which a window ended: too short for a rate, which would be nothing or a peak.
    #[must_use]
    pub fn is_scrap(&self) -> bool {
        self.seconds < 0.1
    }
}

/// One kind of request within a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its name in the scenario, or its method and path.
    pub name: String,
    /// Its requests.
    pub requests: Requests,
    /// Its response time.
    pub response_time: Distribution,
}

/// The highest rate that a service still met its aim at, as an interval, requests a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knee {
    /// The highest rate that was met; `None` where none was.
    pub met: Option<f64>,
    /// The lowest rate that was missed; `None` where none was.
    pub missed: Option<f64>,
}

impl Knee {
    /// One number for it: the middle of the interval by ratio, or the lowest rate where all were missed. `None` where none was missed: the
    /// service may bear any rate more.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        match (self.met, self.missed) {
            (Some(met), Some(missed)) => Some((met * missed).sqrt()),
            (_, missed) => missed,
        }
    }
}

/// One window of load on one service.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The scenario's name; its benchmark is `load:` and this.
    pub scenario: String,
    /// Whose service.
    pub side: Side,
    /// What was asked.
    pub offered: Offered,
    /// The window's length without the warm-up, seconds.
    pub seconds: f64,
    /// The warm-up before it, seconds.
    pub warmup_seconds: f64,
    /// What became of the requests.
    pub requests: Requests,
    /// Requests that were answered as expected while the window lasted, those due in the warm-up too. `None` where nobody told:
    /// files of older versions.
    pub answered: Option<u64>,
    /// How long they took.
    pub clocks: Clocks,
    /// The same by kind of request, in the scenario's order.
    pub endpoints: Vec<Endpoint>,
    /// The most requests in flight at once.
    pub in_flight_peak: u64,
    /// Bytes of answers.
    pub received_bytes: u64,
    /// Share of one processor that the generator's busiest worker used.
    pub generator_cpu: f64,
    /// What the service used.
    pub costs: Costs,
    /// What the service was found to bear after the window, where the scenario asks for it.
    pub knee: Option<Knee>,
    /// Whether the load was meant to change while the window lasted, as stages have it.
    pub varied: bool,
    /// The window second by second.
    pub intervals: Vec<Interval>,
    /// Why it does not count, if it does not: `the generator was late: send lag p99 12 ms`.
    pub void: Option<String>,
}

impl Trial {
    /// Requests that were answered as expected while the window lasted. What the drain brings after it is left out: divided by the
    /// window's length it would make an overload look borne. All that were answered, where it is not known.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered.unwrap_or(self.requests.completed)
    }

    /// The same a second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        if self.seconds > 0.0 { self.answered() as f64 / self.seconds } else { 0.0 }
    }

    /// The value of a gated metric: `latency.*` and `cpu` in nanoseconds (`cpu` a completed request), `rss.max` in bytes,
    /// `error_rate` a share, `throughput` and `knee` a second, else one of the scenario's own. `None` where there is none.
    #[must_use]
    pub fn value(&self, metric: &str) -> Option<f64> {
        let value = match metric {
            "cpu" => self.cpu_per_request_ns(),
            "rss.max" => self.costs.rss_peak_bytes.map(|bytes| bytes as f64),
            "error_rate" => self.requests.error_rate(),
            "throughput" => Some(self.throughput()),
            "knee" => self.knee.as_ref().and_then(Knee::value),
            name => match percentile(name) {
                Some(share) => self.clocks.response_time.quantile(share).map(|quantile| quantile.ns),
                None => self.costs.metrics.get(name).copied(),
            },
        };
        value.filter(|value| value.is_finite() && *value >= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Distribution;
    use crate::model::{
        load::{Requests, Trial, summary::tests_support::trial},
        run::Side,
    };

    #[test]
    fn what_is_answered_behind_the_window_is_no_throughput() {
        // 1,000 requests in 5 s of which the window saw 250 answered, and the drain the others.
        let requests = Requests { scheduled: 1_000, completed: 1_000, ..Requests::default() };
        let overload = Trial { requests, answered: Some(250), ..trial(Side::Head, 1_000, 1_000_000) };
        assert!((overload.throughput() - 50.0).abs() < 1e-12);
        assert_eq!(overload.value("throughput"), Some(50.0));
        // Who does not tell is believed to have answered all in time.
        let silent = Trial { answered: None, ..overload.clone() };
        assert_eq!(silent.value("throughput"), Some(200.0));
        let nothing = Trial { seconds: 0.0, ..overload };
        assert_eq!(nothing.value("throughput"), Some(0.0));
    }

    #[test]
    fn an_unanswered_request_makes_the_quantiles_above_it_lower_bounds() {
        let mut sample = Distribution::default();
        for ns in 1..=90 {
            sample.record(ns * 1_000);
        }
        assert!(!sample.quantile(1.0).unwrap().lower_bound);
        for _ in 0..10 {
            sample.record_at_least(50_500);
        }
        assert_eq!(sample.count(), 100);
        let (p50, p90) = (sample.quantile(0.5).unwrap(), sample.quantile(0.9).unwrap());
        assert!(!p50.lower_bound && (p50.ns - 50_000.0).abs() < 60.0);
        assert!(p90.lower_bound && p90.ns >= 80_000.0);
        assert!(sample.max().unwrap().lower_bound);
        assert!((sample.share_within(50_000).unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn merging_keeps_every_request() {
        let mut left = Distribution::default();
        left.record(5);
        let mut right = Distribution::default();
        right.record(7_000_000_000);
        right.record_at_least(3_000_000);
        left.merge(&right);
        assert_eq!(left.count(), 3);
        assert!(left.max().unwrap().ns >= 6.99e9);
    }

    #[test]
    fn durations_of_every_length_keep_three_digits() {
        for ns in
            [1_u64, 900, 2_047, 2_049, 65_432, 1_234_567, 987_654_321, 45_000_000_000, 3_600_000_000_000]
        {
            let mut sample = Distribution::default();
            for value in [ns, 1, 1] {
                sample.record(value);
            }
            // Not the largest, which the histogram keeps beside its counters.
            sample.record(ns.saturating_mul(2));
            let middle = sample.quantile(0.75).unwrap().ns;
            assert!((middle / ns as f64 - 1.0).abs() < 1.1e-3, "{ns} became {middle}");
        }
    }
}
