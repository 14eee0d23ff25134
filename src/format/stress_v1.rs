//! Searches for the rate that a service bears, in version 1 of a run or verdict.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reading::{Fault, invalid};
use crate::model::load::{self, ErrorKind};

/// The most searches of a file.
const MAX_SEARCHES: usize = 2_000;
/// The most probes of a search, limits of an aim, and numbers of replicas.
const MAX_PARTS: usize = 10_000;

/// A search: its probes, and the interval in which the highest rate that the service bears lies.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Stress {
    /// The scenario; its benchmark is `load:` and this.
    scenario: String,
    /// What a rate had to hold.
    aim: Aim,
    /// The highest rate that was borne, a second; null where none was.
    lower: Option<f64>,
    /// The lowest rate that was not, a second; null where none was found.
    upper: Option<f64>,
    /// Why no higher rate could be tried: the generator's own limit.
    limit: Option<String>,
    /// How it came back after overload; null where that was not tried.
    recovery: Option<Recovery>,
    /// Every probe in time order.
    probes: Vec<Probe>,
}

/// What a probe must hold for its rate to count as borne.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Aim {
    /// Limits on the response time.
    within: Vec<Within>,
    /// The share of requests that may fail: they must stay below it.
    errors: f64,
}

/// One limit on the response time.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Within {
    /// The share of requests that must be answered in time.
    share: f64,
    /// The time, nanoseconds.
    ns: f64,
}

/// What one window at one rate saw. What was not measured is null.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Probe {
    /// Requests (or flows) a second that were offered.
    rate: f64,
    /// Whether the aim was met.
    met: bool,
    /// Why it does not count; null when it does.
    void: Option<String>,
    /// Its length, seconds.
    seconds: f64,
    /// Requests that were due.
    scheduled: u64,
    /// Those that were answered as expected.
    completed: u64,
    /// Those that failed.
    errors: u64,
    /// Those without an answer at the deadline.
    unfinished: u64,
    /// The errors by kind.
    error_kinds: BTreeMap<String, u64>,
    /// Requests a second that were answered as expected.
    throughput: f64,
    /// The share of requests within each limit of the aim, in its order.
    within: Vec<f64>,
    /// By how much requests without an answer grew, as a share of what came.
    growth: Option<f64>,
    /// Response time: p50, p90, p95 and p99, nanoseconds.
    latency_ns: Option<[f64; 4]>,
    /// Requests in flight, the mean.
    in_flight: Option<f64>,
    /// Requests in flight, the most.
    in_flight_peak: u64,
    /// Processors that the service kept busy.
    cpu: Option<f64>,
    /// The processors that it may use.
    cpu_limit: Option<f64>,
    /// Its peak resident memory, bytes.
    rss_bytes: Option<u64>,
    /// The most descriptors that it had open.
    descriptors: Option<u64>,
}

/// How the service came back after more than it bears.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Recovery {
    /// The rate that was too much, a second.
    overload: f64,
    /// For how long, seconds.
    overload_seconds: f64,
    /// The rate after it, a second.
    calm: f64,
    /// For how long it was watched, seconds.
    watched_seconds: f64,
    /// Until the aim was met again, seconds; null when it was not.
    seconds: Option<f64>,
}

/// A search and what follows from it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Judged {
    /// What gave first; null where nothing did.
    gives: Option<String>,
    /// The Universal Scalability Law through the steps; null where they do not tell it.
    scaling: Option<Scaling>,
    /// What was seen.
    #[serde(flatten)]
    stress: Stress,
}

/// The Universal Scalability Law through the steps of a search; loads are requests in flight.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Scaling {
    /// The share of the work that is done one after the other.
    contention: f64,
    /// What requests cost each other.
    coherency: f64,
    /// The share of the variance that the law explains.
    explained: f64,
    /// The load at which throughput peaks; null where it never falls.
    peak_in_flight: Option<f64>,
    /// The most throughput, requests a second; null where the law has no bound.
    capacity: Option<f64>,
    /// What replicas would carry: an extrapolation, nothing that was measured.
    replicas: Vec<Replicas>,
}

/// What replicas would carry.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Replicas {
    /// How many.
    count: u32,
    /// If they wait for each other as requests inside one do, requests a second.
    lower: f64,
    /// If they share nothing, requests a second.
    upper: f64,
}

impl From<&load::Stress> for Stress {
    fn from(stress: &load::Stress) -> Self {
        let within = |within: &load::Within| Within { share: within.share, ns: within.ns };
        Self {
            scenario: stress.scenario.clone(),
            aim: Aim { within: stress.aim.within.iter().map(within).collect(), errors: stress.aim.errors },
            lower: stress.lower,
            upper: stress.upper,
            limit: stress.limit.clone(),
            recovery: stress.recovery.map(|recovery| Recovery {
                overload: recovery.overload,
                overload_seconds: recovery.overload_seconds,
                calm: recovery.calm,
                watched_seconds: recovery.watched_seconds,
                seconds: recovery.seconds,
            }),
            probes: stress.probes.iter().map(Probe::from).collect(),
        }
    }
}

impl From<&load::Probe> for Probe {
    fn from(probe: &load::Probe) -> Self {
        let kinds = probe.error_kinds.iter().map(|(kind, count)| (kind.as_str().to_owned(), *count));
        Self {
            rate: probe.rate,
            met: probe.met,
            void: probe.void.clone(),
            seconds: probe.seconds,
            scheduled: probe.scheduled,
            completed: probe.completed,
            errors: probe.errors,
            unfinished: probe.unfinished,
            error_kinds: kinds.collect(),
            throughput: probe.throughput,
            within: probe.within.clone(),
            growth: probe.growth,
            latency_ns: probe.latency_ns,
            in_flight: probe.in_flight,
            in_flight_peak: probe.in_flight_peak,
            cpu: probe.cpu,
            cpu_limit: probe.cpu_limit,
            rss_bytes: probe.rss_bytes,
            descriptors: probe.descriptors,
        }
    }
}

impl From<&load::StressResult> for Judged {
    fn from(result: &load::StressResult) -> Self {
        let replicas = |replicas: &load::Replicas| Replicas {
            count: replicas.count,
            lower: replicas.lower,
            upper: replicas.upper,
        };
        Self {
            gives: result.gives.clone(),
            scaling: result.scaling.as_ref().map(|scaling| Scaling {
                contention: scaling.contention,
                coherency: scaling.coherency,
                explained: scaling.explained,
                peak_in_flight: scaling.peak_in_flight,
                capacity: scaling.capacity,
                replicas: scaling.replicas.iter().map(replicas).collect(),
            }),
            stress: (&result.stress).into(),
        }
    }
}

/// Reads the searches of a run.
pub(super) fn model(searches: Vec<Stress>) -> Result<Vec<load::Stress>, Fault> {
    most("stress", searches.len(), MAX_SEARCHES)?;
    let searches = searches.into_iter().enumerate();
    searches
        .map(|(at, search)| search.model().map_err(|fault| fault.under(&format!("stress[{at}]"))))
        .collect()
}

/// Reads the searches of a verdict.
pub(super) fn judged(searches: Vec<Judged>) -> Result<Vec<load::StressResult>, Fault> {
    most("stress", searches.len(), MAX_SEARCHES)?;
    let searches = searches.into_iter().enumerate();
    searches
        .map(|(at, search)| search.model().map_err(|fault| fault.under(&format!("stress[{at}]"))))
        .collect()
}

impl Judged {
    fn model(self) -> Result<load::StressResult, Fault> {
        let scaling = self.scaling.map(Scaling::model).transpose().map_err(|fault| fault.under("scaling"))?;
        Ok(load::StressResult { stress: self.stress.model()?, gives: self.gives, scaling })
    }
}

impl Scaling {
    fn model(self) -> Result<load::Scaling, Fault> {
        most("replicas", self.replicas.len(), MAX_PARTS)?;
        let replicas = |replicas: Replicas| {
            Ok(load::Replicas {
                count: replicas.count,
                lower: amount("lower", replicas.lower)?,
                upper: amount("upper", replicas.upper)?,
            })
        };
        Ok(load::Scaling {
            contention: amount("contention", self.contention)?,
            coherency: amount("coherency", self.coherency)?,
            explained: finite("explained", self.explained)?,
            peak_in_flight: some("peak_in_flight", self.peak_in_flight)?,
            capacity: some("capacity", self.capacity)?,
            replicas: self.replicas.into_iter().map(replicas).collect::<Result<_, Fault>>()?,
        })
    }
}

impl Stress {
    fn model(self) -> Result<load::Stress, Fault> {
        most("probes", self.probes.len(), MAX_PARTS)?;
        most("aim.within", self.aim.within.len(), MAX_PARTS)?;
        let (limits, errors) = (self.aim.within, self.aim.errors);
        let within = |within: Within| {
            Ok(load::Within { share: amount("share", within.share)?, ns: amount("ns", within.ns)? })
        };
        let within = limits.into_iter().map(within).collect::<Result<Vec<_>, Fault>>();
        let probes = self.probes.into_iter().enumerate();
        Ok(load::Stress {
            scenario: self.scenario,
            aim: load::Aim {
                within: within.map_err(|fault| fault.under("aim.within"))?,
                errors: amount("aim.errors", errors)?,
            },
            lower: some("lower", self.lower)?,
            upper: some("upper", self.upper)?,
            limit: self.limit,
            recovery: self
                .recovery
                .map(Recovery::model)
                .transpose()
                .map_err(|fault| fault.under("recovery"))?,
            probes: probes
                .map(|(at, probe)| probe.model().map_err(|fault| fault.under(&format!("probes[{at}]"))))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Recovery {
    fn model(self) -> Result<load::Recovery, Fault> {
        Ok(load::Recovery {
            overload: amount("overload", self.overload)?,
            overload_seconds: amount("overload_seconds", self.overload_seconds)?,
            calm: amount("calm", self.calm)?,
            watched_seconds: amount("watched_seconds", self.watched_seconds)?,
            seconds: some("seconds", self.seconds)?,
        })
    }
}

impl Probe {
    fn model(self) -> Result<load::Probe, Fault> {
        most("within", self.within.len(), MAX_PARTS)?;
        let answers =
            self.completed.checked_add(self.errors).and_then(|sum| sum.checked_add(self.unfinished));
        if answers != Some(self.scheduled) {
            return Err(invalid("scheduled", "it is the sum of completed, errors and unfinished"));
        }
        for share in &self.within {
            amount("within", *share)?;
        }
        for ns in self.latency_ns.iter().flatten() {
            amount("latency_ns", *ns)?;
        }
        let kind = |(word, count): (String, u64)| {
            let kind = ErrorKind::ALL.into_iter().find(|kind| kind.as_str() == word);
            let kind = kind.ok_or_else(|| invalid("error_kinds", format!("`{word}` is no kind of error")))?;
            Ok((kind, count))
        };
        Ok(load::Probe {
            rate: amount("rate", self.rate)?,
            seconds: amount("seconds", self.seconds)?,
            scheduled: self.scheduled,
            completed: self.completed,
            errors: self.errors,
            unfinished: self.unfinished,
            error_kinds: self.error_kinds.into_iter().map(kind).collect::<Result<_, Fault>>()?,
            throughput: amount("throughput", self.throughput)?,
            within: self.within,
            growth: self.growth.map(|growth| finite("growth", growth)).transpose()?,
            latency_ns: self.latency_ns,
            in_flight: some("in_flight", self.in_flight)?,
            in_flight_peak: self.in_flight_peak,
            cpu: some("cpu", self.cpu)?,
            cpu_limit: some("cpu_limit", self.cpu_limit)?,
            rss_bytes: self.rss_bytes,
            descriptors: self.descriptors,
            met: self.met,
            void: self.void,
        })
    }
}

fn most(key: &str, have: usize, most: usize) -> Result<(), Fault> {
    if have > most { Err(invalid(key, format!("more than {most} entries"))) } else { Ok(()) }
}

fn finite(key: &str, number: f64) -> Result<f64, Fault> {
    if number.is_finite() { Ok(number) } else { Err(invalid(key, format!("{number} is not finite"))) }
}

fn amount(key: &str, number: f64) -> Result<f64, Fault> {
    if number.is_finite() && number >= 0.0 {
        Ok(number)
    } else {
        Err(invalid(key, format!("{number} is negative or not finite")))
    }
}

fn some(key: &str, number: Option<f64>) -> Result<Option<f64>, Fault> {
    number.map(|number| amount(key, number)).transpose()
}

#[cfg(test)]
mod tests {
    use super::{Judged, judged};
    use crate::format::example;

    #[test]
    fn a_search_comes_back_as_it_was_and_a_broken_one_is_named() {
        let verdict = example::stress_verdict();
        let written: Vec<Judged> = verdict.stress.iter().map(Judged::from).collect();
        let text = serde_json::to_string(&written).unwrap();
        let read = |text: &str| judged(serde_json::from_str(text).unwrap());
        assert_eq!(read(&text).unwrap(), verdict.stress);
        for (from, to, place) in [
            ("\"scheduled\":600", "\"scheduled\":601", "stress[0].probes[0].scheduled"),
            ("\"status\":60", "\"bad\":60", "error_kinds"),
            ("\"lower\":200.0", "\"lower\":-1.0", "stress[0].lower"),
        ] {
            assert!(text.contains(from), "{from} in {text}");
            let fault = format!("{:?}", read(&text.replacen(from, to, 1)).unwrap_err());
            assert!(fault.contains(place), "{place}: {fault}");
        }
    }
}
