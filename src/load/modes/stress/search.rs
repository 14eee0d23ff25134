//! The rate that a service bears: probes at the rates that [`breaking_point`](crate::plan::breaking_point) asks for, then more than it bears and how it comes
//! back, then a steady window well under it.
//!
//! All of it on one service that stays. What was seen is kept whatever ends the search: an interrupt, a stop from the page, a service
//! that dies, a generator that can give no more.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    load::{
        modes::{
            ground::{Error, Told},
            probe::{is_good, says_nothing},
            prober::{Answer, Hands, Patience, Prober, at, own_rate},
        },
        scenario::{Scenario, Stage},
        watch::Observer,
    },
    model::load::{Aim, Interval, Probe, Recovery, Stress, Trial},
    plan::breaking_point::{BreakingPoint, Next, Planner, Search},
    progress::Event,
    text::quantity,
};

/// How often a rate is asked again that was missed while the machine was taken away.
const DISTURBED: u32 = 3;
/// The most probes of a search.
const PROBES: u32 = 60;
/// How much narrower than its lower end the interval must be.
const WIDTH: f64 = 0.045;
/// How much more than it bears a service is given to see how it comes back.
const OVERLOAD: f64 = 1.5;
/// How long that is, at least.
const OVERLOAD_TIME: Duration = Duration::from_secs(3);
/// The share of what it bears at which it is watched coming back, and steadily.
const CALM: f64 = 0.5;
/// How long it may take to come back.
const PATIENCE: Duration = Duration::from_secs(30);
/// The fewest requests in it, and the longest that it may take for them, seconds.
const CALM_REQUESTS: f64 = 10.0;
const LONGEST_PATIENCE: f64 = 120.0;
/// Good seconds in a row after which it is back.
const GOOD: u32 = 3;
/// How to search.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What a rate must hold.
    pub aim: Aim,
    /// The first rate; `None`: the scenario's own.
    pub start: Option<f64>,
    /// The highest rate that is tried; `None`: as high as the generator gets.
    pub most: Option<f64>,
    /// How long a probe records.
    pub probe: Duration,
    /// How long the steady window at half of what it bears is.
    pub steady: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Found {
    /// The search.
    pub stress: Stress,
    /// The steady window; else the best probe; `None` where not even one ended.
    pub trial: Option<Trial>,
    /// Why it ended early, if the service is to blame.
    pub error: Option<Error>,
}

/// Searches for the rate that a service bears; see the module.
#[must_use]
pub fn search(scenario: &Scenario, settings: &Settings, hands: Hands<'_>) -> Found {
    let stress = Stress {
        scenario: scenario.name.clone(),
        aim: settings.aim.clone(),
        probes: Vec::new(),
        lower: None,
        upper: None,
        limit: None,
        recovery: None,
    };
    let mut course = Course { scenario, settings, hands, stress, best: None, steady: None, error: None };
    course.narrow();
    course.recover();
    course.stay();
    let Course { stress, best, steady, error, .. } = course;
    Found { stress, trial: steady.or(best), error }
}

/// A search on its way.
struct Course<'a> {
    scenario: &'a Scenario,
    settings: &'a Settings,
    hands: Hands<'a>,
    stress: Stress,
    /// The last window that met the aim, else the last one.
    best: Option<Trial>,
    steady: Option<Trial>,
    error: Option<Error>,
}

impl Course<'_> {
    /// Probes until the interval is narrow.
    fn narrow(&mut self) {
        let most = self.settings.most.unwrap_or(1e6);
        let mut planner = Planner::new(Search {
            start: self.settings.start.or_else(|| own_rate(self.scenario)).unwrap_or(50.0),
            least: 0.1_f64.min(most),
            most,
            growth: 2.0,
            width: WIDTH,
            probes: PROBES,
            agree: 2,
            hasty: true,
        });
        while let Next::Probe(rate) = planner.next() {
            let Some(met) = self.probe(rate) else { break };
            planner.tell(met);
        }
        let known = (!planner.probes().is_empty()).then(|| planner.known());
        let (lower, upper) = match known {
            Some(BreakingPoint::Between { met, missed }) => (Some(met), Some(missed)),
            Some(BreakingPoint::Never { met }) => (Some(met), None),
            Some(BreakingPoint::AtOnce { missed }) => (None, Some(missed)),
            None => (None, None),
        };
        // A search that ended early may have met a rate only once.
        let below = upper.unwrap_or(f64::INFINITY);
        let met = self.stress.probes.iter().filter(|probe| probe.met && probe.rate < below);
        self.stress.lower = lower.or_else(|| met.map(|probe| probe.rate).max_by(f64::total_cmp));
        self.stress.upper = upper;
    }

    /// One probe of a rate, again while the generator is too late or the machine taken away: whether it was met. `None` ends the search.
    fn probe(&mut self, rate: f64) -> Option<bool> {
        self.tell(&format!("trying {}{}", quantity::value(rate, "requests/s"), self.so_far()));
        let prober = Prober {
            scenario: self.scenario,
            aim: &self.settings.aim,
            length: self.settings.probe,
            hands: self.hands,
        };
        let mut patience = Patience::new(DISTURBED);
        loop {
            let mut answer = prober.probe(rate).map_err(|error| self.error = Some(error)).ok()?;
            if (self.hands.over)() {
                // Its window was cut short: it says little of its rate.
                self.best.get_or_insert(answer.trial);
                return None;
            }
            let said = patience.judge(&mut answer);
            let Answer { trial, probe, .. } = answer;
            self.hands.progress.tell(Event::Note(came_of(&probe)));
            if probe.met || !self.stress.probes.iter().any(|probe| probe.met) {
                self.best = Some(trial);
            }
            prober.rest(&probe);
            self.stress.probes.push(probe);
            match said {
                Ok(Some(met)) => return Some(met),
                Ok(None) if (self.hands.over)() => return None,
                Ok(None) => {}
                Err(limit) => {
                    // Only that it came again and again ends the search: then it is the generator's limit.
                    self.stress.limit = Some(limit);
                    return None;
                }
            }
        }
    }

    /// `, between 101 that met the target and 110 that missed it`: where a reader finds the search.
    fn so_far(&self) -> String {
        let rates = |met: bool| {
            let counted = self.stress.probes.iter().filter(|probe| probe.void.is_none());
            counted.filter(move |probe| probe.met == met).map(|probe| probe.rate)
        };
        let met = rates(true).max_by(f64::total_cmp);
        // Of a rate that did both the better half counts: the next probes decide.
        let missed = rates(false).filter(|rate| met.is_none_or(|met| *rate > met)).min_by(f64::total_cmp);
        let shown = |rate: f64| quantity::value(rate, "");
        match (met, missed) {
            (None, None) => String::new(),
            (Some(met), None) => format!(", {} met the target", shown(met)),
            (None, Some(missed)) => format!(", {} missed the target", shown(missed)),
            (Some(met), Some(missed)) => {
                format!(", between {} that met the target and {} that missed it", shown(met), shown(missed))
            }
        }
    }

    /// More than it bears, then half of it, until it is back.
    fn recover(&mut self) {
        let (Some(lower), Some(upper)) = (self.stress.lower, self.stress.upper) else { return };
        if self.error.is_some() || (self.hands.over)() {
            return;
        }
        let (overload, calm) = (upper * OVERLOAD, lower * CALM);
        let length = self.settings.probe.max(OVERLOAD_TIME);
        // At less than a request a second it takes longer to see that it is back.
        let patience = PATIENCE.max(Duration::from_secs_f64((CALM_REQUESTS / calm).min(LONGEST_PATIENCE)));
        self.tell(&format!("overload of {} and coming back", quantity::value(overload, "requests/s")));
        let back = Back {
            told: Told(self.hands.progress),
            aim: &self.settings.aim,
            from: length.as_secs_f64(),
            state: Mutex::new(Good::default()),
            done: AtomicBool::new(false),
        };
        let stages = vec![
            Stage { level: overload, duration: length, ramp: false },
            Stage { level: calm, duration: patience, ramp: false },
        ];
        let Some(trial) = self.window(&at(self.scenario, stages, Duration::ZERO, length + patience), &back)
        else {
            return;
        };
        let good = *back.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_back = good.row >= GOOD;
        // Stopped before it was back, and before that took too long: nothing is known.
        if !is_back && (self.hands.over)() {
            return;
        }
        self.stress.recovery = Some(Recovery {
            overload,
            overload_seconds: back.from,
            calm,
            watched_seconds: (trial.seconds - back.from).max(0.0),
            seconds: is_back.then(|| (good.since - back.from).max(0.0)),
        });
    }

    /// A steady window at half of what it bears: its latencies, costs and targets are those of a service at work.
    fn stay(&mut self) {
        let Some(lower) = self.stress.lower else { return };
        if self.error.is_some() || (self.hands.over)() {
            return;
        }
        let (rate, window) = (lower * CALM, self.settings.steady);
        self.tell(&format!(
            "steady load of {} for {}",
            quantity::value(rate, "requests/s"),
            quantity::seconds(window.as_secs_f64())
        ));
        let stages = vec![Stage { level: rate, duration: window, ramp: false }];
        let scenario = Scenario {
            drain: self.scenario.drain,
            ..at(self.scenario, stages, Duration::from_secs(1), window)
        };
        self.steady = self.window(&scenario, &Told(self.hands.progress));
    }

    fn window(&mut self, scenario: &Scenario, observer: &dyn Observer) -> Option<Trial> {
        (self.hands.window)(scenario, observer).map_err(|error| self.error = Some(error)).ok()
    }

    fn tell(&self, words: &str) {
        self.hands.progress.tell(Event::Phase(format!("{}: {words}", self.scenario.name)));
    }
}

/// `105 requests/s missed the target`.
fn came_of(probe: &Probe) -> String {
    let rate = quantity::value(probe.rate, "requests/s");
    match &probe.void {
        Some(reason) => format!("{rate} does not count: {reason}"),
        None if probe.met => format!("{rate} met the target"),
        None => format!("{rate} missed the target"),
    }
}

/// Good seconds in a row, and when they began.
#[derive(Debug, Clone, Copy, Default)]
struct Good {
    row: u32,
    since: f64,
}

/// Tells each second, and ends the window when the service is back.
struct Back<'a> {
    told: Told<'a>,
    aim: &'a Aim,
    /// When the overload ends, seconds after the window's start.
    from: f64,
    state: Mutex<Good>,
    done: AtomicBool,
}

impl Observer for Back<'_> {
    fn interval(&self, interval: &Interval) {
        self.told.interval(interval);
        // The second in which the overload ends is no second of calm. What is left of a window that ends may hold no answer: it counts
        // neither.
        if interval.start_seconds < self.from - 1e-6
            || self.done.load(Ordering::Relaxed)
            || says_nothing(interval)
        {
            return;
        }
        let mut good = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *good = match (is_good(interval, self.aim), *good) {
            (true, Good { row: 0, .. }) => Good { row: 1, since: interval.start_seconds },
            (true, Good { row, since }) => Good { row: row.saturating_add(1), since },
            (false, _) => Good::default(),
        };
        if good.row >= GOOD {
            self.done.store(true, Ordering::Relaxed);
        }
    }

    fn wants_stop(&self) -> bool {
        self.done.load(Ordering::Relaxed) || self.told.wants_stop()
    }
}
