//! Load trials in version 1 of a run or verdict: block by block, with their histograms.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    histogram::{Durations, Room},
    parts_v1::Side,
    reading::{Fault, MAX_BENCHMARKS, invalid},
};
use crate::model::{
    baseline::StoredTrial,
    load::{self, ErrorKind, Offered},
    run::{TrialBlock, VoidReason},
};

/// The most trials, endpoints of a trial, and seconds of a trial that are read.
const MAX_TRIALS: usize = MAX_BENCHMARKS;

/// The trials of one block of a load scenario, in time order.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Block {
    /// The scenario; its benchmark is `load:` and this.
    scenario: String,
    /// Why the block does not count; null when it does.
    void: Option<String>,
    /// Its trials.
    trials: Vec<Trial>,
}

/// One window of load on a fresh server.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Trial {
    /// Whose server.
    side: Side,
    /// Whether it counts.
    valid: bool,
    /// Why it does not; null when it does.
    void: Option<String>,
    /// Flows a second (open loop); null for users.
    rate: Option<f64>,
    /// Users (closed loop); null for a rate.
    users: Option<u32>,
    /// The window's length, seconds.
    seconds: f64,
    /// The warm-up before it, seconds.
    warmup_seconds: f64,
    /// What became of the requests.
    requests: Requests,
    /// Requests that were answered as expected while the window lasted, those due in the warm-up too; all that were where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered: Option<u64>,
    /// The most requests in flight at once.
    in_flight_peak: u64,
    /// Bytes of answers.
    received_bytes: u64,
    /// Share of one processor that the generator's busiest worker used.
    generator_cpu: f64,
    /// What the service used.
    costs: Costs,
    /// How long requests took.
    clocks: Clocks,
    /// The same by kind of request.
    endpoints: Vec<Endpoint>,
    /// The window second by second.
    intervals: Vec<Interval>,
    /// What the service was found to bear after the window, where the scenario asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    knee: Option<Knee>,
}

/// Requests by what became of them: scheduled is the sum of completed, errors and unfinished.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Requests {
    /// Those that were due.
    scheduled: u64,
    /// Those that were answered as expected.
    completed: u64,
    /// Those that failed.
    errors: u64,
    /// Those without an answer at the deadline.
    unfinished: u64,
    /// The errors by kind.
    error_kinds: BTreeMap<String, u64>,
    /// Answers by HTTP status.
    statuses: BTreeMap<u16, u64>,
    /// Requests that were sent a second time.
    retried: u64,
}

/// The clocks of a trial.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Clocks {
    /// From due to the end of the answer.
    response_time: Durations,
    /// From sent to the end of the answer.
    service_time: Durations,
    /// Connecting.
    connect: Durations,
    /// Waiting for a free connection.
    pool_wait: Durations,
    /// From sent to the first byte of the answer.
    first_byte: Durations,
    /// How late the pacer was.
    send_lag: Durations,
}

/// What the service used over the window.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Costs {
    /// Processor time, nanoseconds.
    cpu_ns: Option<u64>,
    /// The largest resident memory, bytes.
    rss_peak_bytes: Option<u64>,
    /// The most threads.
    threads_peak: Option<u64>,
    /// The most open descriptors.
    descriptors_peak: Option<u64>,
    /// The memory that it may use, bytes.
    memory_limit_bytes: Option<u64>,
    /// The processors that it may use.
    cpu_limit: Option<f64>,
    /// The scenario's own metrics.
    metrics: BTreeMap<String, f64>,
}

/// One kind of request.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Endpoint {
    /// Its name in the scenario.
    name: String,
    /// Its requests.
    requests: Requests,
    /// Its response time.
    response_time: Durations,
}

/// One second or so of a trial.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Interval {
    /// Its start, seconds after the window's.
    start_seconds: f64,
    /// Its length, seconds.
    seconds: f64,
    /// Requests that were due in it.
    scheduled: u64,
    /// Requests that ended well in it.
    completed: u64,
    /// Requests that failed in it.
    errors: u64,
    /// p50, p90, p95 and p99 of what ended in it, nanoseconds.
    latency_ns: Option<[f64; 4]>,
    /// Requests in flight at its end.
    in_flight: u64,
    /// Requests due but not sent at its end.
    backlog: u64,
    /// Processors that the service kept busy.
    cpu: Option<f64>,
    /// Its resident memory at the end, bytes.
    rss_bytes: Option<u64>,
    /// The scenario's own metrics over it.
    metrics: BTreeMap<String, f64>,
}

/// The highest rate at which a service met its aim, requests a second.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Knee {
    /// The highest rate that was met; null where none was.
    met: Option<f64>,
    /// The lowest rate that was missed; null where none was.
    missed: Option<f64>,
}

/// One stored trial of a load scenario.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct StoredTrialV1 {
    /// Requests that were due.
    scheduled: u64,
    /// Those that failed or were not answered.
    failed: u64,
    /// Response times.
    response_time: Durations,
}

/// Reads the blocks of a document.
pub(super) fn model(blocks: Vec<Block>) -> Result<Vec<TrialBlock>, Fault> {
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
pub(super) fn stored(trials: Vec<StoredTrialV1>, room: &mut Room) -> Result<Vec<StoredTrial>, Fault> {
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

#[cfg(test)]
mod tests {
    use crate::{
        format::{Error, baseline_v1, example, history_v1, run_v1, verdict_v1},
        model::{
            baseline::{BaselineFile, LevelledSeries, RecordedSeries, RunRecord, StoredTrial},
            benchmark::BenchmarkId,
            load::{
                Clocks, Costs, Distribution, Endpoint, ErrorKind, Interval, Knee, Offered, Requests, Trial,
            },
            metric::Metric,
            run::{Run, Side, TrialBlock, VoidReason},
        },
    };

    fn durations(from: u64) -> Distribution {
        let mut durations = Distribution::default();
        (0..500).for_each(|n| durations.record(from + n * 1_000));
        durations
    }

    fn trial(side: Side, void: Option<&str>) -> Trial {
        let mut response_time = durations(1_000_000);
        response_time.record_at_least(900_000_000);
        let requests = Requests {
            scheduled: 501,
            completed: 495,
            errors: 5,
            unfinished: 1,
            error_kinds: [(ErrorKind::Timeout, 2), (ErrorKind::TooLarge, 3)].into(),
            statuses: [(200, 495), (500, 3)].into(),
            retried: 1,
        };
        Trial {
            scenario: "checkout".into(),
            side,
            offered: Offered::Rate(100.2),
            seconds: 5.0,
            warmup_seconds: 1.0,
            requests: requests.clone(),
            answered: Some(480),
            clocks: Clocks { response_time, service_time: durations(900_000), ..Clocks::default() },
            endpoints: vec![Endpoint { name: "GET /".into(), requests, response_time: durations(5) }],
            in_flight_peak: 7,
            received_bytes: 12_345,
            generator_cpu: 0.25,
            costs: Costs {
                cpu_ns: Some(77),
                metrics: [("cache_hit_rate".to_owned(), 0.75)].into(),
                ..Costs::default()
            },
            knee: Some(Knee { met: Some(1_000.5), missed: None }),
            intervals: vec![Interval {
                seconds: 1.0,
                latency_ns: Some([1.0, 2.0, 3.0, 4.0]),
                ..Interval::default()
            }],
            void: void.map(str::to_owned),
        }
    }

    fn run() -> Run {
        let late = "the generator was late";
        let block = |void: Option<&str>, last: Trial| TrialBlock {
            scenario: "checkout".into(),
            void: void.map(|reason| VoidReason { reason: reason.into() }),
            trials: vec![trial(Side::Base, None), last],
        };
        let load =
            vec![block(None, trial(Side::Head, None)), block(Some(late), trial(Side::Head, Some(late)))];
        Run { load, ..example::run() }
    }

    fn edited(from: &str, to: &str) -> Error {
        let text = String::from_utf8(run_v1::to_json(&run())).unwrap();
        assert!(text.contains(from), "{from}");
        run_v1::from_json(text.replacen(from, to, 1).as_bytes()).unwrap_err()
    }

    #[test]
    fn a_trial_of_a_file_that_does_not_tell_what_was_answered_in_the_window_counts_all_answers() {
        let text = String::from_utf8(run_v1::to_json(&run())).unwrap();
        let older = text.replace("\"answered\": 480,", "");
        assert_ne!(text, older);
        let throughput = |text: &str| {
            let run = run_v1::from_json(text.as_bytes()).unwrap();
            run.load[0].trials[0].throughput()
        };
        assert!((throughput(&text) - 96.0).abs() < 1e-9);
        assert!((throughput(&older) - 99.0).abs() < 1e-9);
    }

    #[test]
    fn trials_come_back_bit_by_bit_and_void_ones_say_so() {
        let bytes = run_v1::to_json(&run());
        let read = run_v1::from_json(&bytes).unwrap();
        assert_eq!(read, run());
        assert_eq!(run_v1::to_json(&read), bytes);
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(
            (text.matches("\"valid\": false").count(), text.matches("\"valid\": true").count()),
            (1, 3)
        );
    }

    #[test]
    fn trials_stay_with_the_evidence_of_a_verdict() {
        let mut verdict = example::verdict();
        verdict.evidence = Some(Run { load: run().load, ..verdict.evidence.unwrap() });
        let read = verdict_v1::from_json(&verdict_v1::to_json(&verdict)).unwrap();
        assert_eq!(read, verdict);
    }

    #[test]
    fn a_document_without_load_has_no_key_of_it() {
        assert!(!String::from_utf8(run_v1::to_json(&example::run())).unwrap().contains("\"load\""));
    }

    #[test]
    fn what_is_wrong_with_a_trial_is_named_by_its_path() {
        insta::assert_snapshot!(edited("\"scheduled\": 501", "\"scheduled\": 500"),
            @"the document has a bad value at `load[0].trials[0].requests.scheduled`: it is not the sum of completed, errors and unfinished");
        insta::assert_snapshot!(edited("\"completed\": 495", "\"completed\": 18446744073709551615"),
            @"the document has a bad value at `load[0].trials[0].requests.scheduled`: it is not the sum of completed, errors and unfinished");
        insta::assert_snapshot!(edited("\"valid\": false", "\"valid\": true"),
            @"the document has a bad value at `load[1].trials[1].valid`: a trial that does not count says why, and no other does");
        insta::assert_snapshot!(edited("\"users\": null", "\"users\": 3"),
            @"the document has a bad value at `load[0].trials[0].rate`: a trial has either a rate or users");
        insta::assert_snapshot!(edited("\"timeout\": 2", "\"gremlins\": 2"),
            @"the document has a bad value at `load[0].trials[0].requests.error_kinds`: unknown kind `gremlins`");
        insta::assert_snapshot!(edited("\"seconds\": 5.0", "\"seconds\": -5.0"),
            @"the document has a bad value at `load[0].trials[0].seconds`: -5 is negative or not finite");
        insta::assert_snapshot!(edited("\"met\": 1000.5", "\"met\": -1.0"),
            @"the document has a bad value at `load[0].trials[0].knee.met`: a rate is above 0");
        let broken = edited("\"known\": \"HISTF", "\"known\": \"MISTF");
        assert!(broken.to_string().contains("`load[0].trials[0].clocks.response_time.known`"), "{broken}");
    }

    #[test]
    fn stored_trials_come_back_and_are_part_of_the_digest() {
        let mut series = example::stored();
        series.benchmark.id = BenchmarkId::new("load:checkout").unwrap();
        series.metric = Metric::of_load("error_rate").unwrap();
        for run in &mut series.runs {
            run.trials = vec![StoredTrial { scheduled: 500, failed: 4, response_time: durations(7) }];
        }
        let recorded = RecordedSeries {
            benchmark: series.benchmark.clone(),
            metric: series.metric.clone(),
            values: series.runs[0].values.clone(),
            trials: series.runs[0].trials.clone(),
        };
        let target = series.benchmark.target.clone();
        let levelled = LevelledSeries { series, levels: Vec::new() };
        let file = BaselineFile { environment: example::environment(), target, series: vec![levelled] };
        let bytes = baseline_v1::to_json(&file);
        assert_eq!(baseline_v1::from_json(&bytes).unwrap(), file);
        let text = String::from_utf8(bytes).unwrap();
        let fewer = baseline_v1::from_json(text.replacen("\"failed\": 4", "\"failed\": 3", 1).as_bytes());
        assert!(fewer.unwrap_err().to_string().contains("does not match its digest"));
        let more = baseline_v1::from_json(text.replacen("\"failed\": 4", "\"failed\": 501", 1).as_bytes());
        assert!(more.unwrap_err().to_string().contains("more requests failed than were due"));
        let record = RunRecord {
            tool_version: "0.1.0".into(),
            rev: "a".repeat(40),
            label: "main".into(),
            recorded_at: 1_769_860_800,
            environment: example::environment(),
            seed: 7,
            series: vec![recorded],
        };
        let written = history_v1::to_json(&record);
        assert_eq!(history_v1::from_json(&written.path, &written.bytes).unwrap(), record);
    }
}
