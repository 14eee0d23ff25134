//! Which targets are broken right now, and since when.

use serde_json::{Value, json};

use crate::{
    model::{
        load::{Allowance, Interval},
        targets::{Limit, Part},
    },
    text::quantity,
};

/// The most alerts that are kept; the oldest that are over go first.
const MOST_ALERTS: usize = 50;

/// An alert ends when this many seconds in a row were fine: one that flickers is one alert.
const FINE_SECONDS: u32 = 3;

/// The part of the alert that needs no target: requests, but no answer.
const SILENT: &str = "answers";

/// A target that was broken for some time.
#[derive(Debug, Clone, PartialEq)]
struct Alert {
    part: &'static str,
    words: String,
    since: f64,
    until: Option<f64>,
    /// Of the worst second: by how much the limit was missed, as a factor.
    worst: f64,
    fine: u32,
}

/// All alerts of a run.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    limits: Vec<Limit>,
    may: Allowance,
    alerts: Vec<Alert>,
}

impl Alerts {
    /// Watches these limits, as far as a single second can tell.
    pub(super) fn new(limits: &[Limit]) -> Self {
        Self { limits: limits.to_vec(), may: Allowance::default(), alerts: Vec::new() }
    }

    /// What the service may use from now on.
    pub(super) fn may_use(&mut self, limits: Allowance) {
        self.may = limits;
    }

    /// Looks at a second of a window; `at` is its place on the run's time.
    pub(super) fn look(&mut self, at: f64, interval: &Interval) {
        let end = at + interval.seconds;
        for limit in self.limits.clone() {
            let broken = measured(limit.part, interval, self.may).map(|value| broken(limit, value));
            self.note(limit.part.as_str(), at, end, broken);
        }
        self.note(SILENT, at, end, silent(interval));
    }

    /// `None`: this second says nothing; `Some(None)`: it is fine.
    fn note(&mut self, part: &'static str, at: f64, end: f64, seen: Option<Option<(f64, String)>>) {
        let open = self.alerts.iter_mut().find(|alert| alert.part == part && alert.until.is_none());
        match (open, seen) {
            (_, None) | (None, Some(None)) => {}
            (Some(alert), Some(None)) => {
                alert.fine += 1;
                if alert.fine >= FINE_SECONDS {
                    alert.until = Some(end);
                }
            }
            (Some(alert), Some(Some((by, words)))) => {
                alert.fine = 0;
                if by > alert.worst {
                    (alert.worst, alert.words) = (by, words);
                }
            }
            (None, Some(Some((worst, words)))) => {
                self.alerts.push(Alert { part, words, since: at, until: None, worst, fine: 0 });
                self.forget();
            }
        }
    }

    fn forget(&mut self) {
        if self.alerts.len() > MOST_ALERTS {
            let oldest = self.alerts.iter().position(|alert| alert.until.is_some()).unwrap_or(0);
            self.alerts.remove(oldest);
        }
    }

    /// The alerts for the page, the newest first.
    pub(super) fn json(&self) -> Value {
        let alerts = self.alerts.iter().rev().map(|alert| {
            json!({ "part": alert.part, "words": alert.words, "since": alert.since, "until": alert.until })
        });
        alerts.collect()
    }

    /// The limits that are lines in a chart: `{"latency.p95": 2e8}`.
    pub(super) fn limits(&self) -> Value {
        let limits = self.limits.iter().map(|limit| (limit.part.as_str().to_owned(), json!(limit.limit)));
        Value::Object(limits.collect())
    }
}

/// What one second says of a part. What only a whole run has, its most users and its availability, is judged at its end.
fn measured(part: Part, interval: &Interval, may: Allowance) -> Option<f64> {
    let latency = |at: usize| interval.latency_ns.map(|values| values[at]);
    let ended = interval.completed + interval.errors;
    match part {
        Part::LatencyP50 => latency(0),
        Part::LatencyP90 => latency(1),
        Part::LatencyP95 => latency(2),
        Part::LatencyP99 => latency(3),
        Part::ErrorRate => (ended > 0).then(|| interval.errors as f64 / ended as f64),
        Part::Throughput => (interval.seconds > 0.0).then(|| interval.completed as f64 / interval.seconds),
        Part::CacheHitRate => interval.metrics.get(part.as_str()).copied(),
        Part::Memory => interval.rss_bytes.zip(may.memory_bytes).map(|(used, all)| used as f64 / all as f64),
        Part::Cpu => interval.cpu.zip(may.processors).map(|(used, all)| used / all),
        Part::ConcurrentUsers | Part::Availability => None,
    }
    .filter(|value| value.is_finite())
}

fn broken(limit: Limit, value: f64) -> Option<(f64, String)> {
    let more = limit.part.higher_is_better();
    let missed = if more { value < limit.limit } else { value >= limit.limit };
    let shown = |value| quantity::value(value, limit.part.unit());
    missed.then(|| {
        let by = if more { limit.limit / value } else { value / limit.limit };
        let word = if more { "at least" } else { "below" };
        let text =
            format!("{} was {}, target {word} {}", limit.part.as_str(), shown(value), shown(limit.limit));
        (by, text)
    })
}

/// Whether a second with requests had not one good answer.
fn silent(interval: &Interval) -> Option<Option<(f64, String)>> {
    let waiting = interval.in_flight + interval.backlog;
    if interval.completed > 0 {
        return Some(None);
    }
    (interval.scheduled + interval.errors + waiting > 0).then(|| {
        let words = format!(
            "no good answer: {} failed, {} in flight, {} not sent",
            quantity::count(interval.errors),
            quantity::count(interval.in_flight),
            quantity::count(interval.backlog)
        );
        Some(((interval.errors + waiting) as f64, words))
    })
}

#[cfg(test)]
mod tests {
    use super::{Alerts, Allowance, Interval, Limit, MOST_ALERTS, Part};

    fn second(p95_ms: f64, errors: u64) -> Interval {
        Interval {
            seconds: 1.0,
            scheduled: 100,
            completed: 100 - errors,
            errors,
            latency_ns: Some([1e6, 1e6, p95_ms * 1e6, p95_ms * 1e6]),
            ..Interval::default()
        }
    }

    fn limits() -> [Limit; 2] {
        [Limit { part: Part::LatencyP95, limit: 2e8 }, Limit { part: Part::ErrorRate, limit: 0.02 }]
    }

    #[test]
    fn a_broken_target_is_one_alert_with_its_worst_second_until_it_is_fine_again() {
        let mut alerts = Alerts::new(&limits());
        for (at, p95) in [(0.0, 100.0), (1.0, 250.0), (2.0, 100.0), (3.0, 400.0), (4.0, 300.0)] {
            alerts.look(at, &second(p95, 0));
        }
        let json = alerts.json();
        assert_eq!(json.as_array().unwrap().len(), 1);
        assert_eq!(json[0]["words"], "latency.p95 was 400 ms, target below 200 ms");
        assert!(json[0]["since"] == 1.0 && json[0]["until"].is_null());
        for at in 5..8 {
            alerts.look(f64::from(at), &second(100.0, 0));
        }
        assert_eq!(alerts.json()[0]["until"], 8.0);
    }

    #[test]
    fn errors_and_silence_are_alerts() {
        let mut alerts = Alerts::new(&limits());
        alerts.look(0.0, &second(1.0, 5));
        assert_eq!(alerts.json()[0]["part"], "error_rate");
        alerts.look(1.0, &Interval { completed: 0, ..second(1.0, 100) });
        assert_eq!(alerts.json()[0]["part"], "answers");
        // A second in which nothing was asked says nothing.
        let mut quiet = Alerts::new(&limits());
        quiet.look(0.0, &Interval { seconds: 1.0, ..Interval::default() });
        assert!(quiet.json().as_array().unwrap().is_empty());
    }

    #[test]
    fn memory_and_processors_are_shares_of_what_the_service_may_use() {
        let limits = [Limit { part: Part::Memory, limit: 0.8 }, Limit { part: Part::Cpu, limit: 0.7 }];
        let busy = Interval { rss_bytes: Some(900), cpu: Some(1.5), ..second(1.0, 0) };
        let mut alerts = Alerts::new(&limits);
        alerts.look(0.0, &busy);
        assert!(alerts.json().as_array().unwrap().is_empty(), "nothing is known of what it may use");
        alerts.may_use(Allowance { memory_bytes: Some(1_000), processors: Some(2.0) });
        alerts.look(1.0, &busy);
        let words: Vec<_> =
            alerts.json().as_array().unwrap().iter().map(|alert| alert["words"].to_string()).collect();
        assert_eq!(words, ["\"cpu was 75 %, target below 70 %\"", "\"memory was 90 %, target below 80 %\""]);
        alerts.may_use(Allowance { memory_bytes: Some(10_000), processors: Some(20.0) });
        (2..5).for_each(|at| alerts.look(f64::from(at), &busy));
        assert!(alerts.json().as_array().unwrap().iter().all(|alert| alert["until"] == 5.0));
    }

    #[test]
    fn a_target_that_breaks_again_and_again_is_bounded() {
        let mut alerts = Alerts::new(&limits());
        for at in 0..4_000 {
            alerts.look(f64::from(at), &second(if at % 4 == 0 { 900.0 } else { 1.0 }, 0));
        }
        assert_eq!(alerts.json().as_array().unwrap().len(), MOST_ALERTS);
    }
}
