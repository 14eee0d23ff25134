//! From version 1 to the model. What it says may come from anybody: sizes are bounded, sums and signs are checked, and a fault names its path.

use super::shape::{Block, Clocks, Costs, Endpoint, Interval, Knee, Requests, StoredTrialV1, Trial};
use crate::{
    format::{
        histogram::{Durations, Room},
        reading::{Fault, MAX_BENCHMARKS, invalid},
    },
    model::{
        baseline::StoredTrial,
        load::{self, ErrorKind, Offered},
        run::{TrialBlock, VoidReason},
    },
};

/// The most trials, endpoints of a trial, and seconds of a trial that are read.
const MAX_TRIALS: usize = MAX_BENCHMARKS;

/// Reads the blocks of a document.
pub(in crate::format) fn model(blocks: Vec<Block>) -> Result<Vec<TrialBlock>, Fault> {
    if blocks.iter().map(|block| block.trials.len()).sum::<usize>() > MAX_TRIALS || blocks.len() > MAX_TRIALS
    {
        return Err(invalid("load", format!("more than {MAX_TRIALS} trials")));
    }
    let mut room = Room::default();
    let blocks = blocks.into_iter().enumerate();
    blocks
        .map(|(at, block)| block.model(&mut room).map_err(|fault| fault.under(&format!("load[{at}]"))))
        .collect()
}

/// Reads the trials of a stored run.
pub(in crate::format) fn stored(
    trials: Vec<StoredTrialV1>,
    room: &mut Room,
) -> Result<Vec<StoredTrial>, Fault> {
    let trials = trials.into_iter().enumerate();
    trials
        .map(|(at, trial)| {
            let under = |fault: Fault| fault.under(&format!("trials[{at}]"));
            if trial.failed > trial.scheduled {
                return Err(under(invalid("failed", "more requests failed than were due")));
            }
            let response_time = trial.response_time.model(room);
            let response_time = response_time.map_err(|fault| under(fault.under("response_time")))?;
            Ok(StoredTrial { scheduled: trial.scheduled, failed: trial.failed, response_time })
        })
        .collect()
}

impl Block {
    fn model(self, room: &mut Room) -> Result<TrialBlock, Fault> {
        let scenario = self.scenario;
        let trials = self.trials.into_iter().enumerate();
        let trials = trials.map(|(at, trial)| {
            trial.model(&scenario, room).map_err(|fault| fault.under(&format!("trials[{at}]")))
        });
        let trials = trials.collect::<Result<_, _>>()?;
        Ok(TrialBlock { scenario, void: self.void.map(|reason| VoidReason { reason }), trials })
    }
}

impl Trial {
    fn model(self, scenario: &str, room: &mut Room) -> Result<load::Trial, Fault> {
        if self.valid != self.void.is_none() {
            return Err(invalid("valid", "a trial that does not count says why, and no other does"));
        }
        let offered = match (self.rate, self.users) {
            (Some(rate), None) => Offered::Rate(rate),
            (None, Some(users)) => Offered::Users(users),
            _ => return Err(invalid("rate", "a trial has either a rate or users")),
        };
        let lengths = [("seconds", self.seconds), ("warmup_seconds", self.warmup_seconds)];
        for (key, value) in lengths.into_iter().chain([("generator_cpu", self.generator_cpu)]) {
            if !(value.is_finite() && value >= 0.0) {
                return Err(invalid(key, format!("{value} is negative or not finite")));
            }
        }
        if self.endpoints.len() > MAX_TRIALS || self.intervals.len() > MAX_TRIALS {
            return Err(invalid("intervals", format!("more than {MAX_TRIALS} entries")));
        }
        let endpoints = self.endpoints.into_iter().enumerate();
        let endpoints = endpoints.map(|(at, endpoint)| {
            endpoint.model(room).map_err(|fault| fault.under(&format!("endpoints[{at}]")))
        });
        Ok(load::Trial {
            scenario: scenario.to_owned(),
            side: self.side.into(),
            offered,
            seconds: self.seconds,
            warmup_seconds: self.warmup_seconds,
            requests: self.requests.model().map_err(|fault| fault.under("requests"))?,
            endpoints: endpoints.collect::<Result<_, _>>()?,
            clocks: self.clocks.model(room).map_err(|fault| fault.under("clocks"))?,
            answered: self.answered,
            in_flight_peak: self.in_flight_peak,
            received_bytes: self.received_bytes,
            generator_cpu: self.generator_cpu,
            costs: self.costs.into(),
            intervals: self.intervals.into_iter().map(load::Interval::from).collect(),
            varied: self.varied,
            knee: self.knee.map(Knee::model).transpose()?,
            void: self.void,
        })
    }
}

impl Knee {
    fn model(self) -> Result<load::Knee, Fault> {
        for (key, rate) in [("met", self.met), ("missed", self.missed)] {
            if rate.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
                return Err(invalid(key, "a rate is above 0").under("knee"));
            }
        }
        Ok(load::Knee { met: self.met, missed: self.missed })
    }
}

impl Requests {
    fn model(self) -> Result<load::Requests, Fault> {
        let sum = self.completed.checked_add(self.errors).and_then(|sum| sum.checked_add(self.unfinished));
        if sum != Some(self.scheduled) {
            return Err(invalid("scheduled", "it is not the sum of completed, errors and unfinished"));
        }
        let kind = |(word, count): (String, u64)| {
            let kind = ErrorKind::ALL.into_iter().find(|kind| kind.as_str() == word);
            kind.map(|kind| (kind, count))
                .ok_or_else(|| invalid("error_kinds", format!("unknown kind `{word}`")))
        };
        Ok(load::Requests {
            scheduled: self.scheduled,
            completed: self.completed,
            errors: self.errors,
            unfinished: self.unfinished,
            error_kinds: self.error_kinds.into_iter().map(kind).collect::<Result<_, _>>()?,
            statuses: self.statuses,
            retried: self.retried,
        })
    }
}

impl Clocks {
    fn model(self, room: &mut Room) -> Result<load::Clocks, Fault> {
        let mut of =
            |key: &str, durations: Durations| durations.model(room).map_err(|fault| fault.under(key));
        Ok(load::Clocks {
            response_time: of("response_time", self.response_time)?,
            service_time: of("service_time", self.service_time)?,
            connect: of("connect", self.connect)?,
            pool_wait: of("pool_wait", self.pool_wait)?,
            first_byte: of("first_byte", self.first_byte)?,
            send_lag: of("send_lag", self.send_lag)?,
        })
    }
}

impl From<Costs> for load::Costs {
    fn from(costs: Costs) -> Self {
        let Costs {
            cpu_ns,
            rss_peak_bytes,
            threads_peak,
            descriptors_peak,
            memory_limit_bytes,
            cpu_limit,
            metrics,
        } = costs;
        Self {
            cpu_ns,
            rss_peak_bytes,
            threads_peak,
            descriptors_peak,
            memory_limit_bytes,
            cpu_limit,
            metrics,
        }
    }
}

impl Endpoint {
    fn model(self, room: &mut Room) -> Result<load::Endpoint, Fault> {
        Ok(load::Endpoint {
            name: self.name,
            requests: self.requests.model().map_err(|fault| fault.under("requests"))?,
            response_time: self.response_time.model(room).map_err(|fault| fault.under("response_time"))?,
        })
    }
}

impl From<Interval> for load::Interval {
    fn from(interval: Interval) -> Self {
        let Interval {
            start_seconds,
            seconds,
            scheduled,
            completed,
            errors,
            latency_ns,
            in_flight,
            backlog,
            cpu,
            rss_bytes,
            metrics,
        } = interval;
        Self {
            start_seconds,
            seconds,
            scheduled,
            completed,
            errors,
            latency_ns,
            in_flight,
            backlog,
            cpu,
            rss_bytes,
            metrics,
        }
    }
}
