//! All trials of one scenario on one side as one: histograms are merged, so a percentile is one of all requests and never a
//! mean of percentiles.

use std::collections::BTreeMap;

use super::{
    availability::Availability,
    trial::{Clocks, Distribution, Endpoint, Offered, Quantile, Requests, Trial},
};
use crate::model::run::Side;

/// The quantiles that are shown, with the names that they have in files; after them comes `max`.
pub const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)];

/// Quantiles of one clock, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantiles {
    /// How many durations they are of, bounds included.
    pub count: u64,
    /// p50, p90, p95, p99 and p99.9, as [`QUANTILES`] names them.
    pub quantiles: [Quantile; 5],
    /// The largest.
    pub max: Quantile,
}

impl Quantiles {
    /// Those of a distribution; `None` for an empty one.
    #[must_use]
    pub fn of(distribution: &Distribution) -> Option<Self> {
        let max = distribution.max()?;
        let quantile = |(_, q): (&str, f64)| distribution.quantile(q).unwrap_or(max);
        Some(Self { count: distribution.count(), quantiles: QUANTILES.map(quantile), max })
    }

    /// The quantile with this name in [`QUANTILES`], or `max`.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Quantile> {
        let at = QUANTILES.iter().position(|(word, _)| *word == name);
        at.map(|at| self.quantiles[at]).or((name == "max").then_some(self.max))
    }

    /// Name and value of each, `max` last.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Quantile)> {
        let named = QUANTILES.iter().map(|(name, _)| *name).zip(self.quantiles);
        named.chain([("max", self.max)])
    }
}

/// One kind of request, over all trials.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointSummary {
    /// Its name in the scenario, or its method and path.
    pub name: String,
    /// What became of its requests.
    pub requests: Requests,
    /// Its response time; `None` without requests.
    pub latency: Option<Quantiles>,
}

/// What the service used, over all trials. What was not measured, or makes no sense, is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CostSummary {
    /// Processor time for each request that was answered as expected, nanoseconds.
    pub cpu_per_request_ns: Option<f64>,
    /// Processors kept busy, the mean.
    pub cpu: Option<f64>,
    /// The same as a share of the processors that it may use; the largest of the trials.
    pub cpu_share: Option<f64>,
    /// The largest resident memory, bytes.
    pub rss_peak_bytes: Option<u64>,
    /// The same as a share of the memory that it may use.
    pub memory_share: Option<f64>,
    /// The most threads.
    pub threads_peak: Option<u64>,
    /// The most open descriptors.
    pub descriptors_peak: Option<u64>,
    /// The scenario's own metrics by name: the mean over trials (of equal windows), by length where they differ.
    pub metrics: BTreeMap<String, f64>,
}

/// How many windows there were, and why some do not count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slots {
    /// All of them.
    pub measured: u64,
    /// The reason of each that is void.
    pub void: Vec<String>,
}

impl Slots {
    /// How many count.
    #[must_use]
    pub fn valid(&self) -> u64 {
        self.measured.saturating_sub(self.void.len() as u64)
    }
}

/// All windows of load of one scenario on one side.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The scenario's name; its benchmark is `load:` and this.
    pub scenario: String,
    /// Whose service.
    pub side: Side,
    /// What was asked: the mean rate, or the most users.
    pub offered: Offered,
    /// The windows of load. Void ones are left out of everything below, unless all are void: then it shows those.
    pub slots: Slots,
    /// Their length together, seconds.
    pub seconds: f64,
    /// The warm-up of each, seconds; the longest.
    pub warmup_seconds: f64,
    /// What became of the requests.
    pub requests: Requests,
    /// Requests a second that were answered as expected while the windows lasted.
    pub throughput: Option<f64>,
    /// Response time, from due to the end of the answer.
    pub latency: Option<Quantiles>,
    /// Service time, from sent to the end of the answer.
    pub service_time: Option<Quantiles>,
    /// How late the pacer handed requests on.
    pub send_lag: Option<Quantiles>,
    /// Connecting.
    pub connect: Option<Quantiles>,
    /// Waiting for a free connection.
    pub pool_wait: Option<Quantiles>,
    /// From sent to the first byte of the answer.
    pub first_byte: Option<Quantiles>,
    /// The most requests in flight at once: the concurrent users.
    pub in_flight_peak: u64,
    /// For how much of the time the service answered.
    pub availability: Availability,
    /// Bytes of answers.
    pub received_bytes: u64,
    /// Share of one processor that the generator's busiest worker used; the largest.
    pub generator_cpu: f64,
    /// What the service used.
    pub costs: CostSummary,
    /// The same by kind of request, in the scenario's order.
    pub endpoints: Vec<EndpointSummary>,
}

impl Summary {
    /// One summary a scenario and side: scenarios in the order of their first trial, base before head.
    #[must_use]
    pub fn of(trials: &[Trial]) -> Vec<Self> {
        let mut scenarios: Vec<&str> = Vec::new();
        for trial in trials {
            if !scenarios.contains(&trial.scenario.as_str()) {
                scenarios.push(&trial.scenario);
            }
        }
        let sides = scenarios.iter().flat_map(|name| [(*name, Side::Base), (*name, Side::Head)]);
        sides
            .filter_map(|(name, side)| {
                let mine: Vec<&Trial> =
                    trials.iter().filter(|trial| trial.scenario == name && trial.side == side).collect();
                Self::of_one(&mine)
            })
            .collect()
    }

    /// The summary of trials of one scenario and side; `None` without trials.
    #[must_use]
    pub fn of_one(trials: &[&Trial]) -> Option<Self> {
        let first = trials.first()?;
        let void: Vec<String> = trials.iter().filter_map(|trial| trial.void.clone()).collect();
        let slots = Slots { measured: trials.len() as u64, void };
        let counted: Vec<&Trial> =
            trials.iter().copied().filter(|trial| trial.void.is_none() || slots.valid() == 0).collect();
        let mut requests = Requests::default();
        let mut clocks = Clocks::default();
        let mut availability = Availability::default();
        for trial in &counted {
            requests.merge(&trial.requests);
            clocks.merge(&trial.clocks);
            availability.merge(Availability::of(&trial.intervals));
        }
        let seconds: f64 = counted.iter().map(|trial| trial.seconds).sum();
        let answered = counted.iter().fold(0_u64, |sum, trial| sum.saturating_add(trial.answered()));
        let largest = |value: fn(&Trial) -> f64| counted.iter().map(|trial| value(trial)).fold(0.0, f64::max);
        Some(Self {
            scenario: first.scenario.clone(),
            side: first.side,
            offered: offered(&counted).unwrap_or(first.offered),
            seconds,
            warmup_seconds: largest(|trial| trial.warmup_seconds),
            throughput: (seconds > 0.0).then(|| answered as f64 / seconds),
            latency: Quantiles::of(&clocks.response_time),
            service_time: Quantiles::of(&clocks.service_time),
            send_lag: Quantiles::of(&clocks.send_lag),
            connect: Quantiles::of(&clocks.connect),
            pool_wait: Quantiles::of(&clocks.pool_wait),
            first_byte: Quantiles::of(&clocks.first_byte),
            in_flight_peak: counted.iter().map(|trial| trial.in_flight_peak).max().unwrap_or(0),
            availability,
            received_bytes: counted.iter().fold(0, |sum, trial| sum.saturating_add(trial.received_bytes)),
            generator_cpu: largest(|trial| trial.generator_cpu),
            costs: costs(&counted),
            endpoints: endpoints(&counted),
            requests,
            slots,
        })
    }

    /// Whether at least one window counts.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.slots.valid() > 0
    }
}

impl Trial {
    /// Processor time for each request that was answered as expected, nanoseconds: errors cost too, so a service that fails
    /// half is dearer. `None` where it was not measured or nothing was answered.
    #[must_use]
    pub fn cpu_per_request_ns(&self) -> Option<f64> {
        let cpu_ns = self.costs.cpu_ns?;
        (self.requests.completed > 0).then(|| cpu_ns as f64 / self.requests.completed as f64)
    }
}

/// The mean rate, by length; or the most users. `None` without trials.
fn offered(trials: &[&Trial]) -> Option<Offered> {
    let users = trials.iter().filter_map(|trial| match trial.offered {
        Offered::Users(users) => Some(users),
        Offered::Rate(_) => None,
    });
    if let Some(most) = users.max() {
        return Some(Offered::Users(most));
    }
    let rates = trials.iter().filter_map(|trial| match trial.offered {
        Offered::Rate(rate) => Some((rate, trial.seconds)),
        Offered::Users(_) => None,
    });
    mean(rates).map(Offered::Rate)
}

/// The mean of values by weight; `None` without weight.
fn mean(values: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (sum, weight) =
        values.fold((0.0, 0.0), |(sum, total), (value, weight)| (sum + value * weight, total + weight));
    (weight > 0.0).then(|| sum / weight)
}

fn costs(trials: &[&Trial]) -> CostSummary {
    let watched = || trials.iter().filter_map(|trial| Some((trial, trial.costs.cpu_ns?)));
    let (mut cpu_ns, mut completed) = (0.0, 0_u64);
    for (trial, trial_cpu_ns) in watched() {
        cpu_ns += trial_cpu_ns as f64;
        completed += trial.requests.completed;
    }
    let busy = |cpu_ns: u64, seconds: f64| cpu_ns as f64 / 1e9 / seconds;
    let cpu = watched()
        .filter(|(trial, _)| trial.seconds > 0.0)
        .map(|(trial, cpu_ns)| (busy(cpu_ns, trial.seconds), trial.seconds));
    let cpu_share = watched().filter(|(trial, _)| trial.seconds > 0.0).filter_map(|(trial, cpu_ns)| {
        let limit = trial.costs.cpu_limit.filter(|limit| *limit > 0.0)?;
        Some(busy(cpu_ns, trial.seconds) / limit)
    });
    let memory_share = trials.iter().filter_map(|trial| {
        let limit = trial.costs.memory_limit_bytes.filter(|limit| *limit > 0)?;
        Some(trial.costs.rss_peak_bytes? as f64 / limit as f64)
    });
    CostSummary {
        cpu_per_request_ns: (completed > 0).then(|| cpu_ns / completed as f64),
        cpu: mean(cpu),
        cpu_share: cpu_share.max_by(f64::total_cmp),
        rss_peak_bytes: trials.iter().filter_map(|trial| trial.costs.rss_peak_bytes).max(),
        memory_share: memory_share.max_by(f64::total_cmp),
        threads_peak: trials.iter().filter_map(|trial| trial.costs.threads_peak).max(),
        descriptors_peak: trials.iter().filter_map(|trial| trial.costs.descriptors_peak).max(),
        metrics: metrics(trials),
    }
}

fn metrics(trials: &[&Trial]) -> BTreeMap<String, f64> {
    let names: std::collections::BTreeSet<&String> =
        trials.iter().flat_map(|trial| trial.costs.metrics.keys()).collect();
    let value = |name: &String| {
        mean(trials.iter().filter_map(|trial| Some((*trial.costs.metrics.get(name)?, trial.seconds))))
    };
    names.into_iter().filter_map(|name| Some((name.clone(), value(name)?))).collect()
}

fn endpoints(trials: &[&Trial]) -> Vec<EndpointSummary> {
    let mut merged: Vec<Endpoint> = Vec::new();
    for endpoint in trials.iter().flat_map(|trial| &trial.endpoints) {
        match merged.iter_mut().find(|known| known.name == endpoint.name) {
            Some(known) => {
                known.requests.merge(&endpoint.requests);
                known.response_time.merge(&endpoint.response_time);
            }
            None => merged.push(endpoint.clone()),
        }
    }
    merged
        .into_iter()
        .map(|endpoint| EndpointSummary {
            latency: Quantiles::of(&endpoint.response_time),
            name: endpoint.name,
            requests: endpoint.requests,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Offered, Requests, Side, Summary, Trial, tests_support::trial};
    use crate::model::load::Costs;

    #[test]
    fn percentiles_are_of_all_requests_and_not_of_percentiles() {
        // 1,000 requests of 1 ms in one window, 10 of 100 ms in the other: the p95 of all is 1 ms, a mean of p95s is 50 ms.
        let trials = [trial(Side::Head, 1_000, 1_000_000), trial(Side::Head, 10, 100_000_000)];
        let [summary] = Summary::of(&trials).try_into().unwrap();
        let latency = summary.latency.unwrap();
        assert_eq!(latency.count, 1_010);
        assert!((latency.named("p95").unwrap().ns - 1e6).abs() < 1e3);
        assert!((latency.named("max").unwrap().ns - 1e8).abs() < 1e5);
        assert_eq!(summary.throughput, Some(101.0));
        assert_eq!(summary.offered, Offered::Rate(100.0));
    }

    #[test]
    fn the_throughput_of_windows_is_what_was_answered_while_they_lasted() {
        let mut trials = [trial(Side::Head, 1_000, 1_000), trial(Side::Head, 1_000, 1_000)];
        trials[0].answered = Some(250);
        trials[1].answered = Some(350);
        let throughput = |trials: &[Trial]| Summary::of(trials)[0].throughput;
        assert_eq!(throughput(&trials), Some(60.0));
        // The shorter window has the smaller say, and one of an older file has all of its answers.
        (trials[0].seconds, trials[1].answered) = (2.5, None);
        assert_eq!(throughput(&trials), Some(1_250.0 / 7.5));
        assert_eq!(Summary::of(&trials)[0].requests.completed, 2_000);
    }

    #[test]
    fn a_void_window_counts_only_where_nothing_else_is_left() {
        let mut trials = [trial(Side::Head, 10, 1_000), trial(Side::Head, 10, 9_000_000)];
        trials[1].void = Some("the generator was late".into());
        let summary = &Summary::of(&trials)[0];
        assert_eq!((summary.slots.measured, summary.slots.valid(), summary.requests.completed), (2, 1, 10));
        assert!(summary.is_valid() && summary.latency.unwrap().max.ns < 2e3);
        trials[0].void = trials[1].void.clone();
        let summary = &Summary::of(&trials)[0];
        assert!(!summary.is_valid() && summary.requests.completed == 20);
    }

    #[test]
    fn base_comes_before_head_and_scenarios_in_their_order() {
        let named = |scenario: &str, side| Trial { scenario: scenario.into(), ..trial(side, 1, 1) };
        let trials = [named("z", Side::Head), named("a", Side::Head), named("z", Side::Base)];
        let summaries = Summary::of(&trials);
        let order: Vec<_> = summaries.iter().map(|s| (s.scenario.as_str(), s.side)).collect();
        assert_eq!(order, [("z", Side::Base), ("z", Side::Head), ("a", Side::Head)]);
        assert!(Summary::of(&[]).is_empty());
    }

    #[test]
    fn costs_are_of_the_windows_that_know_them() {
        let mut trials = [trial(Side::Head, 100, 1), trial(Side::Head, 100, 1), trial(Side::Head, 100, 1)];
        let costs = |cpu_ns, hits| Costs {
            cpu_ns: Some(cpu_ns),
            rss_peak_bytes: Some(600),
            memory_limit_bytes: Some(1_000),
            cpu_limit: Some(2.0),
            metrics: [("hits".to_owned(), hits)].into(),
            ..Costs::default()
        };
        trials[0].costs = costs(1_000_000_000, 0.8);
        trials[1].costs = costs(3_000_000_000, 0.6);
        let summary = Summary::of(&trials).remove(0).costs;
        assert_eq!(summary.cpu_per_request_ns, Some(2e7));
        assert_eq!((summary.cpu, summary.cpu_share), (Some(0.4), Some(0.3)));
        assert_eq!((summary.rss_peak_bytes, summary.memory_share), (Some(600), Some(0.6)));
        assert!((summary.metrics["hits"] - 0.7).abs() < 1e-12);
        assert_eq!(summary.threads_peak, None);
        let nothing = Trial { requests: Requests::default(), ..trials[0].clone() };
        assert_eq!((nothing.cpu_per_request_ns(), trials[0].cpu_per_request_ns()), (None, Some(1e7)));
    }
}

#[cfg(test)]
pub(crate) mod tests_support {
    use super::{Clocks, Distribution, Offered, Requests, Side, Trial};
    use crate::model::load::{Costs, Endpoint};

    /// Five seconds at 100 requests/s in which `completed` requests took `ns` each.
    pub(crate) fn trial(side: Side, completed: u64, ns: u64) -> Trial {
        let mut times = Distribution::default();
        for _ in 0..completed {
            times.record(ns);
        }
        let requests = Requests { scheduled: completed, completed, ..Requests::default() };
        Trial {
            scenario: "checkout".into(),
            side,
            offered: Offered::Rate(100.0),
            seconds: 5.0,
            warmup_seconds: 1.0,
            clocks: Clocks { response_time: times.clone(), service_time: times.clone(), ..Clocks::default() },
            endpoints: vec![Endpoint {
                name: "GET /".into(),
                requests: requests.clone(),
                response_time: times,
            }],
            requests,
            answered: None,
            in_flight_peak: 12,
            received_bytes: 1_000,
            generator_cpu: 0.1,
            costs: Costs::default(),
            knee: None,
            varied: false,
            intervals: Vec::new(),
            void: None,
        }
    }
}
