//! The load in a verdict file, an entry a scenario and side: the keys, and both ways between them and the model.

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::format::{
    parts_v1::Side,
    reading::{Fault, invalid},
};
use crate::model::load::{
    Availability, CostSummary, EndpointSummary, ErrorKind, Offered, QUANTILES, Quantile, Quantiles, Requests,
    Slots, Summary,
};

/// What stands before a scenario's name in an id.
pub(super) const PREFIX: &str = "load:";
/// The most entries of `load`.
pub(super) const MAX_LOADS: usize = 2_000;
/// The most entries of the lists and maps inside an entry.
pub(super) const MAX_PARTS: usize = 10_000;

/// All windows of load of one scenario on one side. Response time counts from the moment a request was due, service time from the
/// moment it was sent. What was not measured is null.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Load {
    /// `load:` and the scenario's name.
    id: String,
    /// Whose service.
    side: Side,
    /// The length of the windows together, seconds.
    seconds: f64,
    /// Requests (or sessions) a second that were asked for; null where `users` were.
    rate: Option<f64>,
    /// `scheduled` is the sum of `completed`, `errors` and `unfinished`.
    requests: RequestsV1,
    /// Requests a second that were answered as expected.
    throughput: Option<f64>,
    /// Response time, nanoseconds.
    latency_ns: Option<QuantilesV1>,
    /// Service time, nanoseconds.
    service_time_ns: Option<QuantilesV1>,
    /// How late the generator handed requests on, nanoseconds.
    send_lag_ns: Option<QuantilesV1>,
    /// The users of a closed loop.
    #[serde(default)]
    users: Option<u32>,
    /// The warm-up before each window, seconds.
    #[serde(default)]
    warmup_seconds: f64,
    /// Whether any window counts. Where none does, the numbers are of windows that do not.
    #[serde(default = "yes")]
    valid: bool,
    /// How many windows there were.
    #[serde(default = "one")]
    slots: u64,
    /// Why windows do not count, one reason each.
    #[serde(default)]
    void_slots: Vec<String>,
    /// Connecting, nanoseconds.
    #[serde(default)]
    connect_ns: Option<QuantilesV1>,
    /// Waiting for a free connection, nanoseconds.
    #[serde(default)]
    pool_wait_ns: Option<QuantilesV1>,
    /// From sent to the first byte of the answer, nanoseconds.
    #[serde(default)]
    first_byte_ns: Option<QuantilesV1>,
    /// How many durations each clock has, by its key.
    #[serde(default)]
    counts: BTreeMap<String, u64>,
    /// The quantiles that are only a lower bound, by the key of their clock: requests without an answer reach down to them.
    #[serde(default)]
    lower_bounds: BTreeMap<String, Vec<String>>,
    /// The most requests in flight at once.
    #[serde(default)]
    concurrent_users: u64,
    /// For how much of the time the service answered.
    #[serde(default)]
    availability: AvailabilityV1,
    /// Bytes of answers.
    #[serde(default)]
    received_bytes: u64,
    /// Share of one processor that the generator's busiest worker used.
    #[serde(default)]
    generator_cpu: f64,
    /// What the service used.
    #[serde(default)]
    costs: CostsV1,
    /// The same by kind of request.
    #[serde(default)]
    endpoints: Vec<EndpointV1>,
}

fn yes() -> bool {
    true
}

fn one() -> u64 {
    1
}

/// Requests by what became of them.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct RequestsV1 {
    /// Those that were due.
    scheduled: u64,
    /// Those that were answered as expected.
    completed: u64,
    /// Those that failed.
    errors: u64,
    /// Those not sent, or not answered, at the deadline.
    unfinished: u64,
    /// The errors by kind: `timeout`, `connect`, …
    error_kinds: BTreeMap<String, u64>,
    /// Answers by HTTP status.
    #[serde(default)]
    statuses: BTreeMap<String, u64>,
    /// Requests sent once more because the server had closed an idle connection.
    #[serde(default)]
    retried: u64,
}

/// Quantiles of one clock, nanoseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
struct QuantilesV1 {
    /// Median.
    p50: f64,
    /// 90th percentile.
    p90: f64,
    /// 95th percentile.
    p95: f64,
    /// 99th percentile.
    p99: f64,
    /// 99.9th percentile.
    #[serde(rename = "p99.9")]
    p99_9: f64,
    /// Largest.
    max: f64,
}

/// For how much of the time the service answered.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
struct AvailabilityV1 {
    /// Seconds with requests.
    seconds: f64,
    /// Those in which at least as many requests ended well as failed.
    answered_seconds: f64,
}

/// What the service used.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
struct CostsV1 {
    /// Processor time for each request that was answered as expected, nanoseconds.
    cpu_per_request_ns: Option<f64>,
    /// Processors kept busy.
    cpu: Option<f64>,
    /// The same as a share of what it may use.
    cpu_share: Option<f64>,
    /// The largest resident memory, bytes.
    rss_peak_bytes: Option<u64>,
    /// The same as a share of what it may use.
    memory_share: Option<f64>,
    /// The most threads.
    threads_peak: Option<u64>,
    /// The most open descriptors.
    descriptors_peak: Option<u64>,
    /// The scenario's own metrics.
    metrics: BTreeMap<String, f64>,
}

/// One kind of request.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct EndpointV1 {
    /// Its name in the scenario, or its method and path.
    name: String,
    /// What became of its requests.
    requests: RequestsV1,
    /// Its response time, nanoseconds.
    latency_ns: Option<QuantilesV1>,
    /// How many durations that is of.
    #[serde(default)]
    count: u64,
    /// The quantiles that are only a lower bound.
    #[serde(default)]
    lower_bounds: Vec<String>,
}

impl From<&Summary> for Load {
    fn from(load: &Summary) -> Self {
        let clocks = clocks(load);
        let quantiles = |at: usize| clocks[at].1.map(QuantilesV1::from);
        let bounds = clocks.iter().filter_map(|(key, quantiles)| {
            let names = bounded(quantiles.as_ref()?);
            (!names.is_empty()).then(|| ((*key).to_owned(), names))
        });
        Self {
            id: format!("{PREFIX}{}", load.scenario),
            side: load.side.into(),
            seconds: number(load.seconds),
            rate: match load.offered {
                Offered::Rate(rate) => finite(Some(rate)),
                Offered::Users(_) => None,
            },
            users: match load.offered {
                Offered::Rate(_) => None,
                Offered::Users(users) => Some(users),
            },
            requests: RequestsV1::from(&load.requests),
            throughput: finite(load.throughput),
            latency_ns: quantiles(0),
            service_time_ns: quantiles(1),
            send_lag_ns: quantiles(2),
            connect_ns: quantiles(3),
            pool_wait_ns: quantiles(4),
            first_byte_ns: quantiles(5),
            counts: clocks
                .iter()
                .filter_map(|(key, q)| Some(((*key).to_owned(), q.as_ref()?.count)))
                .collect(),
            lower_bounds: bounds.collect(),
            warmup_seconds: number(load.warmup_seconds),
            valid: load.is_valid(),
            slots: load.slots.measured,
            void_slots: load.slots.void.clone(),
            concurrent_users: load.in_flight_peak,
            availability: AvailabilityV1 {
                seconds: number(load.availability.seconds),
                answered_seconds: number(load.availability.answered_seconds),
            },
            received_bytes: load.received_bytes,
            generator_cpu: number(load.generator_cpu),
            costs: CostsV1::from(&load.costs),
            endpoints: load.endpoints.iter().map(EndpointV1::from).collect(),
        }
    }
}

/// The clocks of a summary by their keys.
fn clocks(load: &Summary) -> [(&'static str, Option<Quantiles>); 6] {
    [
        ("latency_ns", load.latency),
        ("service_time_ns", load.service_time),
        ("send_lag_ns", load.send_lag),
        ("connect_ns", load.connect),
        ("pool_wait_ns", load.pool_wait),
        ("first_byte_ns", load.first_byte),
    ]
}

/// The names of the quantiles that are lower bounds.
fn bounded(quantiles: &Quantiles) -> Vec<String> {
    quantiles.iter().filter(|(_, q)| q.lower_bound).map(|(name, _)| name.to_owned()).collect()
}

pub(super) fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}

pub(super) fn number(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

impl From<Quantiles> for QuantilesV1 {
    fn from(quantiles: Quantiles) -> Self {
        let [p50, p90, p95, p99, p99_9] = quantiles.quantiles.map(|quantile| quantile.ns);
        Self { p50, p90, p95, p99, p99_9, max: quantiles.max.ns }
    }
}

impl From<&Requests> for RequestsV1 {
    fn from(requests: &Requests) -> Self {
        let kind = |kind: ErrorKind| {
            let count = requests.error_kinds.get(&kind).copied().unwrap_or(0);
            (kind.as_str().to_owned(), count)
        };
        Self {
            scheduled: requests.scheduled,
            completed: requests.completed,
            errors: requests.errors,
            unfinished: requests.unfinished,
            // All of them, so that a script may ask for a kind that did not happen.
            error_kinds: ErrorKind::ALL.into_iter().map(kind).collect(),
            statuses: requests.statuses.iter().map(|(status, count)| (status.to_string(), *count)).collect(),
            retried: requests.retried,
        }
    }
}

impl From<&CostSummary> for CostsV1 {
    fn from(costs: &CostSummary) -> Self {
        let metrics = costs.metrics.iter().filter(|(_, value)| value.is_finite());
        Self {
            cpu_per_request_ns: finite(costs.cpu_per_request_ns),
            cpu: finite(costs.cpu),
            cpu_share: finite(costs.cpu_share),
            rss_peak_bytes: costs.rss_peak_bytes,
            memory_share: finite(costs.memory_share),
            threads_peak: costs.threads_peak,
            descriptors_peak: costs.descriptors_peak,
            metrics: metrics.map(|(name, value)| (name.clone(), *value)).collect(),
        }
    }
}

impl From<&EndpointSummary> for EndpointV1 {
    fn from(endpoint: &EndpointSummary) -> Self {
        Self {
            name: endpoint.name.clone(),
            requests: RequestsV1::from(&endpoint.requests),
            latency_ns: endpoint.latency.map(QuantilesV1::from),
            count: endpoint.latency.map_or(0, |latency| latency.count),
            lower_bounds: endpoint.latency.as_ref().map(bounded).unwrap_or_default(),
        }
    }
}

/// The load of a document: at most one entry a scenario and side.
pub(super) fn loads(entries: Vec<Load>) -> Result<Vec<Summary>, Fault> {
    most("load", entries.len(), MAX_LOADS)?;
    let mut known = HashSet::new();
    let entries = entries.into_iter().enumerate();
    entries
        .map(|(at, entry)| {
            let place = format!("load[{at}]");
            let summary = entry.model().map_err(|fault| fault.under(&place))?;
            if !known.insert((summary.scenario.clone(), summary.side)) {
                return Err(invalid(place, "a second entry of this scenario and side"));
            }
            Ok(summary)
        })
        .collect()
}

/// The levels of a document, in their order; a scenario has several.
pub(super) fn levels(entries: Vec<Load>) -> Result<Vec<Summary>, Fault> {
    most("levels", entries.len(), MAX_LOADS)?;
    let entries = entries.into_iter().enumerate();
    entries.map(|(at, entry)| entry.model().map_err(|fault| fault.under(&format!("levels[{at}]")))).collect()
}

pub(super) fn most(key: &str, count: usize, most: usize) -> Result<(), Fault> {
    if count > most { Err(invalid(key, format!("more than {most} entries"))) } else { Ok(()) }
}

/// Checks that a number is not negative; JSON has no others that make no sense.
pub(super) fn positive(key: &str, number: f64) -> Result<f64, Fault> {
    if number.is_finite() && number >= 0.0 {
        Ok(number)
    } else {
        Err(invalid(key, format!("{number} is negative")))
    }
}

pub(super) fn positive_or_none(key: &str, number: Option<f64>) -> Result<Option<f64>, Fault> {
    number.map(|number| positive(key, number)).transpose()
}

pub(super) fn scenario(key: &str, id: &str) -> Result<String, Fault> {
    let name = id.strip_prefix(PREFIX).filter(|name| !name.is_empty());
    name.map(str::to_owned).ok_or_else(|| invalid(key, format!("not `{PREFIX}` and a name")))
}

impl Load {
    fn model(self) -> Result<Summary, Fault> {
        most("void_slots", self.void_slots.len(), MAX_PARTS)?;
        most("endpoints", self.endpoints.len(), MAX_PARTS)?;
        if self.void_slots.len() as u64 > self.slots {
            return Err(invalid("void_slots", "more reasons than slots"));
        }
        let clock = |key: &str, quantiles: Option<QuantilesV1>| {
            let bounds = self.lower_bounds.get(key).map(Vec::as_slice).unwrap_or_default();
            let count = self.counts.get(key).copied().unwrap_or(0);
            quantiles.map(|q| q.model(count, bounds)).transpose().map_err(|fault| fault.under(key))
        };
        Ok(Summary {
            scenario: scenario("id", &self.id)?,
            side: self.side.into(),
            offered: match (self.rate, self.users) {
                (_, Some(users)) => Offered::Users(users),
                (rate, None) => Offered::Rate(positive("rate", rate.unwrap_or(0.0))?),
            },
            seconds: positive("seconds", self.seconds)?,
            warmup_seconds: positive("warmup_seconds", self.warmup_seconds)?,
            throughput: positive_or_none("throughput", self.throughput)?,
            latency: clock("latency_ns", self.latency_ns)?,
            service_time: clock("service_time_ns", self.service_time_ns)?,
            send_lag: clock("send_lag_ns", self.send_lag_ns)?,
            connect: clock("connect_ns", self.connect_ns)?,
            pool_wait: clock("pool_wait_ns", self.pool_wait_ns)?,
            first_byte: clock("first_byte_ns", self.first_byte_ns)?,
            requests: self.requests.model().map_err(|fault| fault.under("requests"))?,
            in_flight_peak: self.concurrent_users,
            availability: self.availability.model()?,
            received_bytes: self.received_bytes,
            generator_cpu: positive("generator_cpu", self.generator_cpu)?,
            costs: self.costs.model().map_err(|fault| fault.under("costs"))?,
            endpoints: self.endpoints.into_iter().map(EndpointV1::model).collect::<Result<_, _>>()?,
            slots: Slots { measured: self.slots, void: self.void_slots },
        })
    }
}

impl AvailabilityV1 {
    fn model(self) -> Result<Availability, Fault> {
        Ok(Availability {
            seconds: positive("availability.seconds", self.seconds)?,
            answered_seconds: positive("availability.answered_seconds", self.answered_seconds)?,
        })
    }
}

impl QuantilesV1 {
    fn model(self, count: u64, bounds: &[String]) -> Result<Quantiles, Fault> {
        let values = [self.p50, self.p90, self.p95, self.p99, self.p99_9, self.max];
        if !values.is_sorted() || !values.iter().all(|value| value.is_finite() && *value >= 0.0) {
            return Err(invalid("p50", "quantiles are neither negative nor fall"));
        }
        let quantile =
            |name: &str, ns: f64| Quantile { ns, lower_bound: bounds.iter().any(|bound| bound == name) };
        let mut at = 0;
        let quantiles = QUANTILES.map(|(name, _)| {
            at += 1;
            quantile(name, values[at - 1])
        });
        Ok(Quantiles { count, quantiles, max: quantile("max", self.max) })
    }
}

impl RequestsV1 {
    fn model(self) -> Result<Requests, Fault> {
        most("error_kinds", self.error_kinds.len(), MAX_PARTS)?;
        most("statuses", self.statuses.len(), MAX_PARTS)?;
        let sum = self.completed.checked_add(self.errors).and_then(|sum| sum.checked_add(self.unfinished));
        if sum != Some(self.scheduled) {
            return Err(invalid("scheduled", "not the sum of completed, errors and unfinished"));
        }
        let kind = |name: &str| ErrorKind::ALL.into_iter().find(|kind| kind.as_str() == name);
        let statuses = self.statuses.into_iter().map(|(status, count)| {
            let number = status.parse::<u16>().ok().filter(|status| (100..1_000).contains(status));
            number
                .map(|status| (status, count))
                .ok_or_else(|| invalid("statuses", format!("`{status}` is no status")))
        });
        Ok(Requests {
            scheduled: self.scheduled,
            completed: self.completed,
            errors: self.errors,
            unfinished: self.unfinished,
            error_kinds: self
                .error_kinds
                .iter()
                .filter_map(|(name, count)| Some((kind(name)?, *count)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            statuses: statuses.collect::<Result<_, _>>()?,
            retried: self.retried,
        })
    }
}

impl CostsV1 {
    fn model(self) -> Result<CostSummary, Fault> {
        most("metrics", self.metrics.len(), MAX_PARTS)?;
        Ok(CostSummary {
            cpu_per_request_ns: positive_or_none("cpu_per_request_ns", self.cpu_per_request_ns)?,
            cpu: positive_or_none("cpu", self.cpu)?,
            cpu_share: positive_or_none("cpu_share", self.cpu_share)?,
            rss_peak_bytes: self.rss_peak_bytes,
            memory_share: positive_or_none("memory_share", self.memory_share)?,
            threads_peak: self.threads_peak,
            descriptors_peak: self.descriptors_peak,
            metrics: self.metrics,
        })
    }
}

impl EndpointV1 {
    fn model(self) -> Result<EndpointSummary, Fault> {
        let latency = self.latency_ns.map(|quantiles| quantiles.model(self.count, &self.lower_bounds));
        Ok(EndpointSummary {
            latency: latency.transpose().map_err(|fault| fault.under("endpoints"))?,
            requests: self.requests.model().map_err(|fault| fault.under("endpoints"))?,
            name: self.name,
        })
    }
}
