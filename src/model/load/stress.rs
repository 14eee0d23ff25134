//! A search for the rate that a service still bears: what it was asked to hold, what each probe saw, and what the search came to.

use std::collections::BTreeMap;

use super::trial::ErrorKind;
use crate::model::targets::{Limit, Part, STANDARD, Targets};

/// The limit on p95 where no tier gives a limit on latency, nanoseconds.
const DEFAULT_P95_NS: f64 = 2e8;
/// The limit on errors where no tier gives one.
const DEFAULT_ERRORS: f64 = 0.02;

/// One limit on the response time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Within {
    /// The share of requests that must be answered in time: 0.95 for a limit on p95.
    pub share: f64,
    /// The time, nanoseconds.
    pub ns: f64,
}

/// What a probe must hold for its rate to count as borne.
#[derive(Debug, Clone, PartialEq)]
pub struct Aim {
    /// Limits on the response time, at least one.
    pub within: Vec<Within>,
    /// The share of requests that may fail: they must stay below it.
    pub errors: f64,
}

impl Aim {
    /// The limits on latency and errors of the tier that the project demands, else of *production*; p95 below 200 ms and errors below
    /// 2 % where the tier says nothing of them.
    #[must_use]
    pub fn of(targets: &Targets) -> Self {
        let name = targets.require.as_deref().unwrap_or(STANDARD[1]);
        let tier = targets.tiers.iter().find(|tier| tier.name == name);
        let limits = tier.map(|tier| tier.limits.as_slice()).unwrap_or_default();
        let share = |part: Part| match part {
            Part::LatencyP50 => Some(0.5),
            Part::LatencyP90 => Some(0.9),
            Part::LatencyP95 => Some(0.95),
            Part::LatencyP99 => Some(0.99),
            _ => None,
        };
        let within: Vec<Within> = limits
            .iter()
            .filter_map(|limit| Some(Within { share: share(limit.part)?, ns: limit.limit }))
            .collect();
        let errors = limits.iter().find(|limit| limit.part == Part::ErrorRate).map(|limit| limit.limit);
        let within =
            if within.is_empty() { vec![Within { share: 0.95, ns: DEFAULT_P95_NS }] } else { within };
        Self { within, errors: errors.unwrap_or(DEFAULT_ERRORS) }
    }

    /// The same with this limit on p95 (nanoseconds) in place of its limits on latency, if one is given.
    #[must_use]
    pub fn with_p95(self, p95_ns: Option<f64>) -> Self {
        let within = p95_ns.map_or(self.within, |ns| vec![Within { share: 0.95, ns }]);
        Self { within, errors: self.errors }
    }

    /// The same as limits of a tier, so that a second of load can be held against them.
    #[must_use]
    pub fn limits(&self) -> Vec<Limit> {
        let part = |share: f64| match share {
            share if share <= 0.5 => Part::LatencyP50,
            share if share <= 0.9 => Part::LatencyP90,
            share if share <= 0.95 => Part::LatencyP95,
            _ => Part::LatencyP99,
        };
        let within = self.within.iter().map(|within| Limit { part: part(within.share), limit: within.ns });
        within.chain([Limit { part: Part::ErrorRate, limit: self.errors }]).collect()
    }

    /// The longest of its limits, nanoseconds.
    #[must_use]
    pub fn longest_ns(&self) -> f64 {
        self.within.iter().map(|within| within.ns).fold(0.0, f64::max)
    }
}

impl Default for Aim {
    fn default() -> Self {
        Self::of(&Targets::default())
    }
}

/// What one window at one rate saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Requests (or sessions) a second that were offered.
    pub rate: f64,
    /// Its length, seconds.
    pub seconds: f64,
    /// Requests that were due, answered as expected, failed, and without an answer at the deadline.
    pub scheduled: u64,
    /// See above.
    pub completed: u64,
    /// See above.
    pub errors: u64,
    /// See above.
    pub unfinished: u64,
    /// The errors by kind.
    pub error_kinds: BTreeMap<ErrorKind, u64>,
    /// Requests a second that were answered as expected within the window.
    pub throughput: f64,
    /// The share of requests within each limit of the aim, in its order.
    pub within: Vec<f64>,
    /// By how much requests without an answer grew, as a share of the rate: 0.1 where a tenth of what came was left over.
    pub growth: Option<f64>,
    /// p50, p90, p95 and p99 of the response time, nanoseconds.
    pub latency_ns: Option<[f64; 4]>,
    /// Requests in flight, the mean: throughput times mean response time (Little's law).
    pub in_flight: Option<f64>,
    /// Requests in flight, the most.
    pub in_flight_peak: u64,
    /// Processors that the service kept busy.
    pub cpu: Option<f64>,
    /// The processors that it may use.
    pub cpu_limit: Option<f64>,
    /// Its peak resident memory, bytes.
    pub rss_bytes: Option<u64>,
    /// The most descriptors that it had open.
    pub descriptors: Option<u64>,
    /// Whether the aim was met.
    pub met: bool,
    /// Why it does not count, if the generator was the bottleneck.
    pub void: Option<String>,
}

impl Probe {
    /// The share of due requests that were not answered as expected; 0 where none was due.
    #[must_use]
    pub fn error_rate(&self) -> f64 {
        let failed = self.errors.saturating_add(self.unfinished);
        if self.scheduled > 0 { failed as f64 / self.scheduled as f64 } else { 0.0 }
    }

    /// The share of the processors that it may use which the service kept busy.
    #[must_use]
    pub fn cpu_share(&self) -> Option<f64> {
        let limit = self.cpu_limit.filter(|limit| *limit > 0.0)?;
        Some(self.cpu? / limit)
    }
}

/// How the service came back after more than it bears.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovery {
    /// The rate that was too much, requests a second.
    pub overload: f64,
    /// For how long, seconds.
    pub overload_seconds: f64,
    /// The rate after it.
    pub calm: f64,
    /// For how long it was watched, seconds.
    pub watched_seconds: f64,
    /// Until the first of three seconds in a row that met the aim, seconds after the overload, to the second; `None` when there were
    /// none in that time.
    pub seconds: Option<f64>,
}

/// A search for the rate that a service bears.
#[derive(Debug, Clone, PartialEq)]
pub struct Stress {
    /// The scenario's name.
    pub scenario: String,
    /// What had to be held.
    pub aim: Aim,
    /// Every probe in time order.
    pub probes: Vec<Probe>,
    /// The highest rate that was borne; `None` where none was.
    pub lower: Option<f64>,
    /// The lowest rate that was not; `None` where none was found.
    pub upper: Option<f64>,
    /// Why no higher rate could be tried: the generator's own limit.
    pub limit: Option<String>,
    /// How it came back after overload; `None` where that was not tried.
    pub recovery: Option<Recovery>,
}

/// The Universal Scalability Law through the steps of a search. Loads are requests in flight.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// The share of the work that is done one after the other, 0 to 1.
    pub contention: f64,
    /// What requests cost each other.
    pub coherency: f64,
    /// The share of the variance that the law explains, at most 1.
    pub explained: f64,
    /// The load at which throughput peaks; `None` where it never falls.
    pub peak_in_flight: Option<f64>,
    /// The most throughput at any load, requests a second; `None` where the law has no bound.
    pub capacity: Option<f64>,
    /// What so many replicas would carry, requests a second: an extrapolation.
    pub replicas: Vec<Replicas>,
}

/// What replicas would carry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Replicas {
    /// How many.
    pub count: u32,
    /// If they wait for each other as requests inside one do, requests a second.
    pub lower: f64,
    /// If they share nothing, requests a second.
    pub upper: f64,
}

/// A search, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct StressResult {
    /// What was seen.
    pub stress: Stress,
    /// What gave first, as a sentence; `None` where nothing did.
    pub gives: Option<String>,
    /// The law through its steps; `None` where they do not tell it.
    pub scaling: Option<Scaling>,
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the same numbers are meant")]
mod tests {
    use super::{Aim, Within};
    use crate::model::targets::{Limit, Part, Targets, Tier};

    #[test]
    fn the_aim_is_the_demanded_tier_or_production() {
        assert_eq!(Aim::default(), Aim { within: vec![Within { share: 0.95, ns: 2e8 }], errors: 0.02 });
        let limits =
            vec![Limit { part: Part::LatencyP99, limit: 5e8 }, Limit { part: Part::Throughput, limit: 9.0 }];
        let own = Tier { name: "friday".into(), limits };
        let targets = Targets { tiers: vec![own], require: Some("friday".into()) };
        let aim = Aim::of(&targets);
        assert_eq!(aim, Aim { within: vec![Within { share: 0.99, ns: 5e8 }], errors: 0.02 });
        let given = aim.with_p95(Some(1e8));
        assert_eq!((given.within[0].share, given.longest_ns(), given.errors), (0.95, 1e8, 0.02));
        let watched =
            [Limit { part: Part::LatencyP95, limit: 1e8 }, Limit { part: Part::ErrorRate, limit: 0.02 }];
        assert_eq!(given.limits(), watched);
    }
}
