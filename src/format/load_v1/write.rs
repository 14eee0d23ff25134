//! From the model to version 1. Numbers that do not exist are left out.

use std::collections::BTreeMap;

use super::shape::{Block, Clocks, Costs, Endpoint, Interval, Knee, Requests, StoredTrialV1, Trial};
use crate::model::{
    baseline::StoredTrial,
    load::{self, Offered},
    run::TrialBlock,
};

impl From<&StoredTrial> for StoredTrialV1 {
    fn from(trial: &StoredTrial) -> Self {
        let StoredTrial { scheduled, failed, response_time } = trial;
        Self { scheduled: *scheduled, failed: *failed, response_time: response_time.into() }
    }
}

impl From<&TrialBlock> for Block {
    fn from(block: &TrialBlock) -> Self {
        Self {
            scenario: block.scenario.clone(),
            void: block.void.as_ref().map(|void| void.reason.clone()),
            trials: block.trials.iter().map(Trial::from).collect(),
        }
    }
}

impl From<&load::Trial> for Trial {
    fn from(trial: &load::Trial) -> Self {
        let (rate, users) = match trial.offered {
            Offered::Rate(rate) => (Some(rate), None),
            Offered::Users(users) => (None, Some(users)),
        };
        Self {
            side: trial.side.into(),
            valid: trial.void.is_none(),
            void: trial.void.clone(),
            rate,
            users,
            seconds: trial.seconds,
            warmup_seconds: trial.warmup_seconds,
            requests: (&trial.requests).into(),
            answered: trial.answered,
            in_flight_peak: trial.in_flight_peak,
            received_bytes: trial.received_bytes,
            generator_cpu: trial.generator_cpu,
            costs: (&trial.costs).into(),
            clocks: (&trial.clocks).into(),
            endpoints: trial.endpoints.iter().map(Endpoint::from).collect(),
            intervals: trial.intervals.iter().map(Interval::from).collect(),
            varied: trial.varied,
            knee: trial.knee.map(|load::Knee { met, missed }| Knee { met, missed }),
        }
    }
}

impl From<&load::Requests> for Requests {
    fn from(requests: &load::Requests) -> Self {
        let kinds = requests.error_kinds.iter().map(|(kind, count)| (kind.as_str().to_owned(), *count));
        Self {
            scheduled: requests.scheduled,
            completed: requests.completed,
            errors: requests.errors,
            unfinished: requests.unfinished,
            error_kinds: kinds.collect(),
            statuses: requests.statuses.clone(),
            retried: requests.retried,
        }
    }
}

impl From<&load::Clocks> for Clocks {
    fn from(clocks: &load::Clocks) -> Self {
        Self {
            response_time: (&clocks.response_time).into(),
            service_time: (&clocks.service_time).into(),
            connect: (&clocks.connect).into(),
            pool_wait: (&clocks.pool_wait).into(),
            first_byte: (&clocks.first_byte).into(),
            send_lag: (&clocks.send_lag).into(),
        }
    }
}

impl From<&load::Costs> for Costs {
    fn from(costs: &load::Costs) -> Self {
        let load::Costs {
            cpu_ns,
            rss_peak_bytes,
            threads_peak,
            descriptors_peak,
            memory_limit_bytes,
            cpu_limit,
            metrics,
        } = costs.clone();
        Self {
            cpu_ns,
            rss_peak_bytes,
            threads_peak,
            descriptors_peak,
            memory_limit_bytes,
            cpu_limit: cpu_limit.filter(|limit| limit.is_finite()),
            metrics: finite(metrics),
        }
    }
}

impl From<&load::Endpoint> for Endpoint {
    fn from(endpoint: &load::Endpoint) -> Self {
        Self {
            name: endpoint.name.clone(),
            requests: (&endpoint.requests).into(),
            response_time: (&endpoint.response_time).into(),
        }
    }
}

impl From<&load::Interval> for Interval {
    fn from(interval: &load::Interval) -> Self {
        Self {
            start_seconds: interval.start_seconds,
            seconds: interval.seconds,
            scheduled: interval.scheduled,
            completed: interval.completed,
            errors: interval.errors,
            latency_ns: interval.latency_ns,
            in_flight: interval.in_flight,
            backlog: interval.backlog,
            cpu: interval.cpu.filter(|cpu| cpu.is_finite()),
            rss_bytes: interval.rss_bytes,
            metrics: finite(interval.metrics.clone()),
        }
    }
}

/// Numbers that do not exist have no entry.
fn finite(metrics: BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    metrics.into_iter().filter(|(_, value)| value.is_finite()).collect()
}
