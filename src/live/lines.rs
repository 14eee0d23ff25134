//! Progress as plain lines, for logs: a line per phase and note, and one every few seconds while measuring.

use crate::{
    model::load::Interval,
    progress::{Event, Measuring, Progress},
    text::{escape, quantity},
};
use std::{
    io::Write,
    sync::Mutex,
    time::{Duration, Instant},
};

/// A log is read afterwards, so it wants a line now and then, not one a slot.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// Plain lines on a stream.
#[derive(Debug)]
pub struct Lines<W> {
    state: Mutex<State<W>>,
    warnings_only: bool,
}

#[derive(Debug)]
struct State<W> {
    stream: W,
    last_measuring: Option<Instant>,
}

impl<W: Write> Lines<W> {
    /// Writes every phase, note and warning to `stream`; only warnings when `warnings_only`.
    pub fn new(stream: W, warnings_only: bool) -> Self {
        Self { state: Mutex::new(State { stream, last_measuring: None }), warnings_only }
    }
}

impl<W: Write + Send> Progress for Lines<W> {
    fn tell(&self, event: Event) {
        let Ok(mut state) = self.state.lock() else { return };
        let line = match event {
            Event::Warning(words) => format!("warning: {}", escape::terminal(&words)),
            _ if self.warnings_only => return,
            Event::Phase(words) => {
                state.last_measuring = None;
                escape::terminal(&words)
            }
            Event::Note(words) => format!("  {}", escape::terminal(&words)),
            Event::Measuring(standing) => {
                if state.last_measuring.is_some_and(|last| last.elapsed() < BETWEEN_LINES) {
                    return;
                }
                state.last_measuring = Some(Instant::now());
                let (counted, words) = (counted_words(&standing), measuring_words(&standing));
                format!("  {} of {} {counted}; {words}", standing.decided, standing.benchmarks)
            }
            Event::Load(second) if second.is_scrap() => return,
            Event::Load(second) => format!("  {}", load_words(&second)),
            Event::May(_) | Event::Done => return,
        };
        // A closed standard error must not stop a measurement.
        let _ = writeln!(state.stream, "{line}");
    }
}

/// What is counted: a run of one revision decides nothing.
pub(super) fn counted_words(standing: &Measuring) -> &'static str {
    if standing.next_look > 0 { "decided" } else { "processes" }
}

/// `num/sieve, 6 of 12 rounds, about 34 s left`; without the rounds where nothing is decided.
pub(super) fn measuring_words(standing: &Measuring) -> String {
    let rounds = match standing.next_look {
        0 => String::new(),
        next_look => format!(", {} of {next_look} rounds", standing.rounds),
    };
    let (name, left) = (escape::terminal(&standing.benchmark), standing.remaining.as_secs_f64().ceil());
    format!("{name}{rounds}, about {left} s left")
}

/// `3 s: 200 requests/s, p50 1.2 ms, p95 3 ms, p99 4 ms, 0 errors, 0.4 CPUs, 12 MiB`.
pub(super) fn load_words(second: &Interval) -> String {
    let at = second.start_seconds + second.seconds;
    let when = if second.start_seconds < -1e-9 { "warm-up".to_owned() } else { format!("{at:.0} s") };
    let rate = if second.seconds > 0.0 { second.scheduled as f64 / second.seconds } else { 0.0 };
    let mut words = vec![quantity::value(rate, "requests/s")];
    if let Some([p50, _, p95, p99]) = second.latency_ns {
        let named = [("p50", p50), ("p95", p95), ("p99", p99)];
        words.extend(named.map(|(name, ns)| format!("{name} {}", quantity::value(ns, "ns"))));
    }
    let errors = if second.errors == 1 { "error" } else { "errors" };
    words.push(format!("{} {errors}", quantity::count(second.errors)));
    if second.in_flight + second.backlog > 0 {
        words.push(format!("{} waiting", quantity::count(second.in_flight + second.backlog)));
    }
    words.extend(second.cpu.map(|cpu| format!("{cpu:.2} CPUs")));
    words.extend(second.rss_bytes.map(|bytes| quantity::bytes(bytes as f64)));
    format!("{when}: {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use crate::model::load::Interval;
    use crate::progress::{Event, Measuring, Progress};

    fn told(events: Vec<Event>, warnings_only: bool) -> String {
        let mut stream = Vec::new();
        {
            let lines = Lines::new(&mut stream, warnings_only);
            events.into_iter().for_each(|event| lines.tell(event));
        }
        String::from_utf8(stream).unwrap()
    }

    #[test]
    fn measuring_is_told_once_in_a_while_not_once_a_slot() {
        let measuring = || {
            let standing =
                Measuring { benchmark: "a".into(), benchmarks: 3, next_look: 6, ..Measuring::default() };
            Event::Measuring(standing)
        };
        let text = told(vec![Event::Phase("measuring".into()), measuring(), measuring(), measuring()], false);
        assert_eq!(text, "measuring\n  0 of 3 decided; a, 0 of 6 rounds, about 0 s left\n");
    }

    #[test]
    fn a_run_that_decides_nothing_counts_its_processes() {
        let standing = Measuring {
            benchmark: "a".into(),
            rounds: 2,
            decided: 7,
            benchmarks: 48,
            ..Measuring::default()
        };
        assert_eq!(told(vec![Event::Measuring(standing)], false), "  7 of 48 processes; a, about 0 s left\n");
    }

    #[test]
    fn a_second_of_load_is_a_line() {
        let second = Interval {
            start_seconds: 2.0,
            seconds: 1.0,
            scheduled: 200,
            completed: 199,
            errors: 1,
            latency_ns: Some([1e6, 2e6, 3e6, 4e6]),
            cpu: Some(0.5),
            rss_bytes: Some(1 << 20),
            ..Interval::default()
        };
        let text = told(vec![Event::Load(Box::new(second))], false);
        assert!(text.starts_with("  3 s: 200 requests/s, p50 1"), "{text}");
        assert!(text.contains("1 error, 0.50 CPUs, 1"), "{text}");
        let warming = Interval { start_seconds: -1.0, seconds: 1.0, ..Interval::default() };
        assert!(told(vec![Event::Load(Box::new(warming))], false).starts_with("  warm-up: 0 requests/s"));
        let scrap = Interval { start_seconds: 3.0, seconds: 0.004, ..Interval::default() };
        assert_eq!(told(vec![Event::Load(Box::new(scrap))], false), "");
    }

    #[test]
    fn quiet_keeps_warnings_and_hostile_names_stay_inert() {
        let text = told(vec![Event::Phase("x".into()), Event::Warning("\u{1b}[31mred".into())], true);
        assert!(text.starts_with("warning: ") && !text.contains('\u{1b}'), "{text}");
    }
}
