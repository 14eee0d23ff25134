//! What is known of one scenario, and the questions that rules ask of it.

use crate::{
    judge::over_time::OverTime,
    model::{
        load::{ErrorKind, Quantiles, Summary, Trial},
        run::Side,
    },
    text::quantity,
};

/// Fewer requests than this show no pattern.
const FEWEST_REQUESTS: u64 = 20;
/// A service that keeps less than this share of its processors busy is not held up by them …
const IDLE_SHARE: f64 = 0.5;
/// … unless it is one thread that has no more to give: between this many processors …
const ONE_THREAD_FROM: f64 = 0.85;
/// … and this many.
const ONE_THREAD_TO: f64 = 1.1;

/// What is known of one scenario.
pub(super) struct Seen<'a> {
    /// Head's numbers, those of the last level.
    pub(super) head: &'a Summary,
    /// Its levels in time order; empty where there was one.
    pub(super) levels: Vec<&'a Summary>,
    /// Its windows on head that count.
    pub(super) trials: Vec<&'a Trial>,
    /// What was shown to grow over time, and by how much.
    pub(super) grown: Vec<(&'static str, &'a str)>,
}

impl<'a> Seen<'a> {
    pub(super) fn of(
        head: &'a Summary,
        levels: &'a [Summary],
        trials: &'a [Trial],
        time: &'a OverTime,
    ) -> Self {
        let name = &head.scenario;
        let counts =
            |trial: &&Trial| trial.scenario == *name && trial.side == Side::Head && trial.void.is_none();
        let grown = time.grown.iter().filter(|(scenario, ..)| scenario == name);
        Self {
            head,
            levels: levels.iter().filter(|level| level.scenario == *name && level.is_valid()).collect(),
            trials: trials.iter().filter(counts).collect(),
            grown: grown.map(|(_, what, words)| (*what, words.as_str())).collect(),
        }
    }

    /// Whether there are enough requests to speak of shares.
    pub(super) fn is_enough(&self) -> bool {
        self.head.requests.scheduled >= FEWEST_REQUESTS
    }

    /// How many requests failed in this way, and their share of those due.
    pub(super) fn failed(&self, kind: ErrorKind) -> (u64, f64) {
        let count = self.head.requests.error_kinds.get(&kind).copied().unwrap_or(0);
        (count, self.share(count))
    }

    /// The share of requests that were due.
    pub(super) fn share(&self, count: u64) -> f64 {
        count as f64 / self.head.requests.scheduled.max(1) as f64
    }

    /// A quantile of a clock, nanoseconds.
    pub(super) fn ns(clock: Option<Quantiles>, name: &str) -> Option<f64> {
        Some(clock?.named(name)?.ns)
    }

    /// Whether the processors do not hold the service up; `None` where what it uses is not known.
    pub(super) fn is_idle(&self) -> Option<bool> {
        let costs = &self.head.costs;
        Some(costs.cpu_share? < IDLE_SHARE && !self.is_one_thread())
    }

    /// Whether the service keeps as much busy as one thread can, of more processors than one.
    pub(super) fn is_one_thread(&self) -> bool {
        let costs = &self.head.costs;
        let (Some(cpu), Some(share)) = (costs.cpu, costs.cpu_share) else { return false };
        (ONE_THREAD_FROM..=ONE_THREAD_TO).contains(&cpu) && cpu / share > 1.5
    }

    /// `0.42 of 4 processors (11 %)`; nothing where it is not known.
    pub(super) fn processors(&self) -> Option<String> {
        let costs = &self.head.costs;
        let (cpu, share) = (costs.cpu?, costs.cpu_share?);
        let all = if share > 0.0 {
            format!(" of {}", quantity::value((cpu / share).round(), ""))
        } else {
            String::new()
        };
        Some(format!("{}{all} processors ({})", quantity::value(cpu, ""), quantity::share(share)))
    }
}
