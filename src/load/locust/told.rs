//! What the master of a generated locustfile writes, a line at a time, added up to what our own generator records.
//!
//! The lines come from workers on other machines too, so nothing in them is trusted: numbers are bounded by the plan.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::failure::Error;
use crate::{
    load::{
        generator::self_check::{Shortages, void},
        recorder::{Recorded, Slice},
    },
    model::load::{Distribution, ErrorKind, LONGEST_NS},
};

/// The lowest version that is known to do what is asked, and the first that is not.
const VERSIONS: ((u32, u32, u32), u32) = ((2, 43, 4), 3);

/// Reports of the first moments of the window, and of those behind it, say little about a worker's processor time.
const CPU_MARGIN_SECONDS: f64 = 1.5;

/// How old a worker's last report may be, when not all were told of, before it is called silent.
const SILENT: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
struct Line {
    locust: Option<String>,
    #[serde(default)]
    started: bool,
    #[serde(default)]
    end: bool,
    #[serde(default)]
    cpu_warning: bool,
    worker: Option<String>,
    report: Option<Report>,
}

/// What a worker saw in a second.
#[derive(Deserialize)]
struct Report {
    version: String,
    /// Seconds since the start of its warm-up.
    clock: f64,
    /// Its processor time so far, seconds.
    cpu: f64,
    scheduled: u64,
    /// Answered as expected since the last report, as long as the window lasted; the warm-up's too.
    answered: u64,
    in_flight: u64,
    waiting: u64,
    told: Vec<Entry>,
}

/// Microseconds, and how many requests took them.
type Times = BTreeMap<String, u64>;

/// One kind of request of a worker in a second.
#[derive(Deserialize)]
struct Entry {
    name: usize,
    bytes: u64,
    errors: BTreeMap<String, u64>,
    statuses: BTreeMap<u16, u64>,
    completed: Times,
    timeout: Times,
    unfinished: Times,
    service: Times,
    service_least: Times,
    lag: Times,
    wait: Times,
}

/// One worker so far.
struct Worker {
    heard: Instant,
    /// The first and the last processor time of the window: when, and how much; seconds.
    cpu: Option<[(f64, f64); 2]>,
    in_flight: u64,
    waiting: u64,
}

/// Everything that was told so far.
pub(super) struct Told {
    planned: u64,
    window: (f64, f64),
    version: Option<String>,
    started: bool,
    over: bool,
    cpu_warning: bool,
    workers: BTreeMap<String, Worker>,
    recorded: Recorded,
    shortages: Shortages,
    second: Slice,
    answered: u64,
    in_flight_peak: u64,
}

impl Told {
    /// For a plan of so many requests of so many kinds, and a window from and to so many seconds after the start of the warm-up.
    pub(super) fn new(planned: u64, kinds: usize, window: (f64, f64)) -> Self {
        let mut recorded = Recorded::default();
        recorded.endpoints.resize_with(kinds.max(1), Default::default);
        Self {
            planned,
            window,
            version: None,
            started: false,
            over: false,
            cpu_warning: false,
            workers: BTreeMap::new(),
            recorded,
            shortages: Shortages::default(),
            second: Slice::default(),
            answered: 0,
            in_flight_peak: 0,
        }
    }

    /// Takes a line.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        let line: Line = serde_json::from_slice(line).map_err(|error| Error::Malformed(error.to_string()))?;
        if let Some(version) = line.locust {
            check_version(&version)?;
            self.version = Some(version);
        }
        self.started |= line.started;
        self.over |= line.end;
        self.cpu_warning |= line.cpu_warning;
        if let (Some(worker), Some(report)) = (line.worker, line.report) {
            self.report(worker, &report)?;
        }
        Ok(())
    }

    fn report(&mut self, worker: String, report: &Report) -> Result<(), Error> {
        if let Some(master) = self.version.as_ref().filter(|master| **master != report.version) {
            let worker = report.version.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(Error::VersionsDiffer { worker, master: master.clone() });
        }
        let cpu = self.worker(worker, report);
        debug_assert!(cpu.is_none_or(|[first, last]| first.0 <= last.0), "time goes on");
        self.second.scheduled = self.second.scheduled.saturating_add(report.scheduled);
        add(&mut self.answered, report.answered);
        for entry in &report.told {
            self.entry(entry)?;
        }
        let in_flight = self.workers.values().map(|worker| worker.in_flight).fold(0, u64::saturating_add);
        self.in_flight_peak = self.in_flight_peak.max(in_flight);
        if self.seen() > self.planned {
            return Err(malformed(&format!("{} of {} requests", self.seen(), self.planned)));
        }
        Ok(())
    }

    fn worker(&mut self, name: String, report: &Report) -> Option<[(f64, f64); 2]> {
        let (start, end) = self.window;
        let worker = self.workers.entry(name).or_insert_with(|| Worker {
            heard: Instant::now(),
            cpu: None,
            in_flight: 0,
            waiting: 0,
        });
        worker.heard = Instant::now();
        (worker.in_flight, worker.waiting) = (report.in_flight, report.waiting);
        let within = start - CPU_MARGIN_SECONDS..=end + CPU_MARGIN_SECONDS;
        if within.contains(&report.clock) && report.cpu.is_finite() {
            let now = (report.clock, report.cpu);
            let first = worker.cpu.map_or(now, |[first, _]| first);
            worker.cpu = Some([first, now]);
        }
        worker.cpu
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), Error> {
        let most = self.planned;
        let Some((requests, response)) = self.recorded.endpoints.get_mut(entry.name) else {
            return Err(malformed("a kind of request that was not asked"));
        };
        let (mut whole, clocks) = (self.recorded.requests.clone(), &mut self.recorded.clocks);
        let mut completed = 0;
        each(&entry.completed, most, |ns| {
            completed += 1;
            clocks.response_time.record(ns);
            response.record(ns);
            self.second.latency.saturating_record(ns.clamp(1_000, LONGEST_NS));
        })?;
        // What was due and had no answer in time is in the sample as "at least this long".
        let mut least = |times: &Times| {
            let mut count = 0;
            each(times, most, |ns| {
                count += 1;
                clocks.response_time.record_at_least(ns);
                response.record_at_least(ns);
            })
            .map(|()| count)
        };
        least(&entry.timeout)?;
        let unfinished: u64 = least(&entry.unfinished)?;
        record(&entry.service, most, &mut clocks.service_time)?;
        each(&entry.service_least, most, |ns| clocks.service_time.record_at_least(ns))?;
        record(&entry.lag, most, &mut clocks.send_lag)?;
        record(&entry.wait, most, &mut clocks.pool_wait)?;
        let mut errors = 0_u64;
        for (word, count) in &entry.errors {
            let kind = kind(word, *count, &mut self.shortages)?;
            errors = errors.saturating_add(*count);
            for requests in [&mut *requests, &mut whole] {
                add(requests.error_kinds.entry(kind).or_default(), *count);
            }
        }
        for (status, count) in &entry.statuses {
            for requests in [&mut *requests, &mut whole] {
                add(requests.statuses.entry(*status).or_default(), *count);
            }
        }
        for requests in [requests, &mut whole] {
            add(&mut requests.completed, completed);
            add(&mut requests.errors, errors);
            add(&mut requests.unfinished, unfinished);
            requests.scheduled =
                requests.completed.saturating_add(requests.errors).saturating_add(requests.unfinished);
        }
        self.recorded.requests = whole;
        add(&mut self.recorded.received_bytes, entry.bytes);
        add(&mut self.second.completed, completed);
        add(&mut self.second.errors, errors);
        Ok(())
    }

    /// Whether the load has begun: the first due time is a moment away.
    pub(super) fn started(&self) -> bool {
        self.started
    }

    /// Whether every request of the window was told of, or the master says that no more will be.
    pub(super) fn is_over(&self) -> bool {
        self.over || (self.started && self.planned > 0 && self.seen() == self.planned)
    }

    fn seen(&self) -> u64 {
        self.recorded.requests.scheduled
    }

    /// Requests that were answered as expected while the window lasted.
    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    /// What happened since the last call.
    pub(super) fn second(&mut self) -> Slice {
        let mut second = self.second.clone();
        self.second.clear();
        for worker in self.workers.values() {
            add(&mut second.in_flight, worker.in_flight);
            add(&mut second.backlog, worker.waiting);
        }
        second
    }

    /// Why what was told is not the whole plan, if it is not.
    pub(super) fn missing(&self, workers: u32) -> Option<Error> {
        if self.seen() == self.planned {
            return None;
        }
        let silent = self.workers.values().filter(|worker| worker.heard.elapsed() > SILENT).count();
        let silent = match (u32::try_from(self.workers.len()).unwrap_or(u32::MAX), silent) {
            (0, _) => ", and no worker told of any".to_owned(),
            (heard, _) if heard < workers => format!(", and only {heard} of {workers} workers told of any"),
            (_, 0) => String::new(),
            (_, silent) => format!(", and {silent} of {workers} workers fell silent"),
        };
        Some(Error::Lost { told: self.seen(), planned: self.planned, silent })
    }

    /// The share of a processor that the busiest worker used.
    pub(super) fn cpu(&self) -> f64 {
        let share = |[first, last]: [(f64, f64); 2]| (last.1 - first.1) / (last.0 - first.0);
        let shares = self.workers.values().filter_map(|worker| worker.cpu.map(share));
        shares.filter(|share| share.is_finite()).fold(0.0, f64::max)
    }

    /// The most requests in flight that reports showed.
    pub(super) fn in_flight_peak(&self) -> u64 {
        self.in_flight_peak
    }

    /// Why the trial does not count, if it does not.
    pub(super) fn void(&self) -> Option<String> {
        let by_cpu = || {
            self.cpu_warning.then(|| {
                "a Locust worker was short of CPU, so the latencies are its own: use more workers".to_owned()
            })
        };
        void(&self.recorded, self.shortages, self.cpu(), true).or_else(by_cpu)
    }

    /// What was recorded.
    pub(super) fn into_recorded(self) -> Recorded {
        self.recorded
    }
}

fn malformed(what: &str) -> Error {
    Error::Malformed(format!("it tells of {what}"))
}

fn add(to: &mut u64, count: u64) {
    *to = to.saturating_add(count);
}

/// Each duration as often as it was seen, nanoseconds; never more of them than were planned.
fn each(times: &Times, most: u64, mut one: impl FnMut(u64)) -> Result<(), Error> {
    let total = times.values().fold(0, |total: u64, count| total.saturating_add(*count));
    if total > most {
        return Err(malformed("more times than requests"));
    }
    for (microseconds, count) in times {
        let microseconds: u64 =
            microseconds.parse().map_err(|_| malformed("a time that is no number of microseconds"))?;
        (0..*count).for_each(|_| one(microseconds.saturating_mul(1_000)));
    }
    Ok(())
}

fn record(times: &Times, most: u64, into: &mut Distribution) -> Result<(), Error> {
    each(times, most, |ns| into.record(ns))
}

/// The kind of an error; what a machine lacked is noted beside it.
fn kind(word: &str, count: u64, shortages: &mut Shortages) -> Result<ErrorKind, Error> {
    match word {
        "ports" => add(&mut shortages.ports, count),
        "descriptors" => add(&mut shortages.descriptors, count),
        word => {
            let known = ErrorKind::ALL.into_iter().find(|kind| kind.as_str() == word);
            return known.ok_or_else(|| malformed("a kind of error that is none"));
        }
    }
    Ok(ErrorKind::Connect)
}

fn check_version(version: &str) -> Result<(), Error> {
    let (least, end) = VERSIONS;
    let mut numbers = version.split('.').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    let mut next = || numbers.next().flatten();
    let known = match (next(), next(), next()) {
        (Some(major), Some(minor), patch) => (major, minor, patch.unwrap_or(0)) >= least && major < end,
        _ => false,
    };
    let shown = || version.chars().filter(|c| !c.is_control()).take(40).collect();
    if known { Ok(()) } else { Err(Error::Version { version: shown() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(planned: u64) -> Told {
        let mut told = Told::new(planned, 2, (1.0, 3.0));
        told.line(br#"{"tollgate_locust": 1, "locust": "2.47.0", "name": "a"}"#).unwrap();
        told.line(br#"{"started": true}"#).unwrap();
        told
    }

    fn report(worker: &str, clock: f64, cpu: f64, entries: &str) -> Vec<u8> {
        format!(
            r#"{{"worker": "{worker}", "stats": [], "report": {{"version": "2.47.0", "clock": {clock}, "cpu": {cpu},
            "scheduled": 3, "answered": 2, "in_flight": 2, "waiting": 1, "told": [{entries}]}}}}"#
        )
        .into_bytes()
    }

    fn entry(name: usize, parts: &str) -> String {
        let rest =
            ["completed", "failed", "timeout", "unfinished", "service", "service_least", "lag", "wait"]
                .iter()
                .chain(&["errors", "statuses"])
                .filter(|part| !parts.contains(&format!("\"{part}\"")))
                .map(|part| format!("\"{part}\": {{}}, "))
                .collect::<String>();
        format!("{{\"name\": {name}, {rest}{parts}, \"bytes\": 10}}")
    }

    #[test]
    fn every_request_ends_in_one_of_three_ways_and_those_without_an_answer_stay_in_the_sample() {
        let mut told = told(8);
        let first = entry(
            0,
            r#""completed": {"1000": 3, "2000": 1}, "service": {"900": 4}, "lag": {"100": 4}, "statuses": {"200": 4}"#,
        );
        told.line(&report("a", 1.0, 0.5, &first)).unwrap();
        assert!(!told.is_over() && told.missing(2).is_some());
        let second = entry(
            1,
            r#""failed": {"50": 1}, "timeout": {"9000": 1}, "unfinished": {"5000": 2}, "errors": {"status": 1, "timeout": 1}, "statuses": {"500": 1}"#,
        );
        told.line(&report("b", 2.0, 0.7, &second)).unwrap();
        told.line(&report("b", 3.0, 1.3, "")).unwrap();
        assert!(told.is_over() && told.missing(2).is_none());
        assert!((told.cpu() - 0.6).abs() < 1e-9);
        assert_eq!((told.in_flight_peak(), told.answered()), (4, 6));
        let recorded = told.into_recorded();
        let requests = &recorded.requests;
        assert_eq!(
            (requests.scheduled, requests.completed, requests.errors, requests.unfinished),
            (8, 4, 2, 2)
        );
        assert_eq!(requests.error_kinds[&ErrorKind::Timeout], 1);
        assert_eq!((recorded.clocks.response_time.count(), recorded.received_bytes), (7, 20));
        assert!(recorded.clocks.response_time.quantile(1.0).unwrap().lower_bound);
        assert_eq!(recorded.endpoints[1].0.scheduled, 4);
    }

    #[test]
    fn what_cannot_be_of_this_plan_is_refused() {
        let lines = [
            b"{".to_vec(),
            report("a", 1.0, 0.5, &entry(2, r#""completed": {"1": 1}"#)),
            report("a", 1.0, 0.5, &entry(0, r#""completed": {"1": 18446744073709551615}"#)),
            report("a", 1.0, 0.5, &entry(0, r#""completed": {"x": 1}"#)),
            report("a", 1.0, 0.5, &entry(0, r#""errors": {"status": 3}"#)),
            report("a", 1.0, 0.5, &entry(0, r#""errors": {"gremlin": 1}"#)),
        ];
        for line in lines {
            let error = told(2).line(&line).unwrap_err();
            assert!(matches!(error, Error::Malformed(_)), "{error}");
        }
    }

    #[test]
    fn versions_that_are_unknown_or_differ_are_named() {
        for version in ["2.43.4", "2.47.0", "2.100.0.dev3"] {
            check_version(version).unwrap();
        }
        for version in ["2.43.3", "3.0.0", "1.6", "", "x.y"] {
            assert!(check_version(version).is_err(), "{version}");
        }
        let mut told = told(2);
        let line = String::from_utf8(report("a", 1.0, 0.5, "")).unwrap().replace("2.47.0", "2.46.0");
        let error = told.line(line.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "a Locust worker has version 2.46.0, and the master 2.47.0");
    }

    #[test]
    fn requests_that_nobody_told_of_are_counted_with_the_workers_that_did() {
        let mut told = told(8);
        assert!(
            told.missing(2)
                .unwrap()
                .to_string()
                .ends_with("0 of 8 requests that were due, and no worker told of any")
        );
        told.line(&report("a", 1.0, 0.5, &entry(0, r#""completed": {"1000": 3}"#))).unwrap();
        let text = told.missing(2).unwrap().to_string();
        assert_eq!(text, "Locust told of 3 of 8 requests that were due, and only 1 of 2 workers told of any");
    }
}
