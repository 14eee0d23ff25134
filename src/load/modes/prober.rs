//! Probes of a service that stays: a window at one rate after a warm-up, and what of it counts.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{
    ground::{Error, Told},
    probe::probe,
};
use crate::{
    load::{
        scenario::{Arrivals, Model, Scenario, Stage},
        watch::Observer,
    },
    model::load::{Aim, Interval, Probe, Trial},
    progress::Progress,
};

/// Load before a probe counts: at least, and at most.
const WARMUP: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// How long answers are waited for after a probe, at most.
const DRAIN: Duration = Duration::from_secs(3);
/// The pause after a probe that left requests behind.
const PAUSE: Duration = Duration::from_secs(1);
/// How often wishes to stop are looked for in it.
const LOOK: Duration = Duration::from_millis(50);

/// How much of a processor, for each that the service used (one at least), the machine may take away from a probe (stolen by a hypervisor, throttled) until a
/// miss may be the machine's: close to what it bears, a service has no time to make good what it loses.
const TAKEN: f64 = 0.05;

/// What a search needs of the world.
#[derive(Clone, Copy)]
pub struct Hands<'a> {
    /// Puts one window of load on the service.
    pub window: &'a dyn Fn(&Scenario, &dyn Observer) -> Result<Trial, Error>,
    /// Whether the user wants an end.
    pub over: &'a dyn Fn() -> bool,
    /// Who hears of it.
    pub progress: &'a dyn Progress,
    /// The time that the machine took away so far, over all processors ([`taken_so_far`](crate::machine::noise::taken_so_far)).
    pub taken: &'a dyn Fn() -> Duration,
}

/// Asks a service at single rates.
#[derive(Clone, Copy)]
pub(in crate::load) struct Prober<'a> {
    /// What is asked.
    pub(in crate::load) scenario: &'a Scenario,
    /// What a rate must hold.
    pub(in crate::load) aim: &'a Aim,
    /// How long a probe records.
    pub(in crate::load) length: Duration,
    /// Who asks.
    pub(in crate::load) hands: Hands<'a>,
}

/// What came of a probe.
pub(in crate::load) struct Answer {
    pub(in crate::load) trial: Trial,
    pub(in crate::load) probe: Probe,
    /// Why a miss may be the machine's, if so.
    pub(in crate::load) disturbed: Option<String>,
}

/// How often a rate may be tried again.
#[derive(Debug)]
pub(in crate::load) struct Patience {
    /// While the generator itself is the bottleneck; then that is its limit.
    late: u32,
    /// While the machine is taken away; then the miss counts.
    disturbed: u32,
}

impl Patience {
    /// For one rate: three windows in which the generator is late, and so many misses that may be the machine's.
    pub(in crate::load) fn new(disturbed: u32) -> Self {
        Self { late: 3, disturbed }
    }

    /// What a probe says: whether the rate was met, or `None` where it must be asked again. A miss that does not count says why, as a void window does.
    ///
    /// # Errors
    /// The generator's limit, when it was the bottleneck once more than it may.
    pub(in crate::load) fn judge(&mut self, answer: &mut Answer) -> Result<Option<bool>, String> {
        if let Some(why) = &answer.probe.void {
            self.late = self.late.saturating_sub(1);
            return if self.late == 0 { Err(why.clone()) } else { Ok(None) };
        }
        if let Some(why) = answer.disturbed.take().filter(|_| self.disturbed > 0) {
            self.disturbed -= 1;
            answer.probe.void = Some(why);
            return Ok(None);
        }
        Ok(Some(answer.probe.met))
    }
}

impl Prober<'_> {
    /// One window at a rate, after a warm-up long enough for a backlog to show; and its probe. It says whether a miss may be the machine's.
    pub(in crate::load) fn probe(&self, rate: f64) -> Result<Answer, Error> {
        let longest = Duration::from_secs_f64((self.aim.longest_ns() / 1e9).clamp(0.0, 3_600.0));
        let warmup = longest.clamp(WARMUP.0, WARMUP.1);
        let told = Before { told: Told(self.hands.progress), last: Mutex::new(None) };
        let stages = vec![Stage { level: rate, duration: self.length, ramp: false }];
        let taken = (self.hands.taken)();
        let trial = (self.hands.window)(&at(self.scenario, stages, warmup, self.length), &told)?;
        let taken = (self.hands.taken)().saturating_sub(taken).as_secs_f64();
        let before = told.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        let probe = Probe { rate, ..probe(&trial, self.aim, before.as_ref()) };
        let share = taken / (trial.warmup_seconds + trial.seconds).max(1e-9);
        let disturbed = (share > TAKEN * probe.cpu.unwrap_or(1.0).max(1.0))
            .then(|| format!("the machine took {:.0} % of a processor away from it", 100.0 * share));
        let disturbed = disturbed.filter(|_| !probe.met && probe.void.is_none());
        Ok(Answer { trial, probe, disturbed })
    }

    /// Lets the service come to rest after a probe that left requests behind.
    pub(in crate::load) fn rest(&self, probe: &Probe) {
        let mut left = if probe.unfinished > 0 { PAUSE } else { Duration::ZERO };
        while !left.is_zero() && !(self.hands.over)() {
            std::thread::sleep(left.min(LOOK));
            left = left.saturating_sub(LOOK);
        }
    }
}

/// A scenario with this load.
pub(super) fn at(scenario: &Scenario, stages: Vec<Stage>, warmup: Duration, window: Duration) -> Scenario {
    let (arrivals, connections) = match &scenario.model {
        Model::Rate { arrivals, connections, .. } => (*arrivals, *connections),
        Model::Users { .. } => (Arrivals::Constant, None),
    };
    Scenario {
        model: Model::Rate { stages, arrivals, connections },
        warmup,
        window,
        drain: scenario.drain.min(DRAIN),
        ..scenario.clone()
    }
}

/// The rate of a scenario's first stage.
pub(in crate::load) fn own_rate(scenario: &Scenario) -> Option<f64> {
    match &scenario.model {
        Model::Rate { stages, .. } => stages.first().map(|stage| stage.level).filter(|level| *level > 0.0),
        Model::Users { .. } => None,
    }
}

/// Tells each second, and keeps the last of the warm-up.
struct Before<'a> {
    told: Told<'a>,
    last: Mutex<Option<Interval>>,
}

impl Observer for Before<'_> {
    fn interval(&self, interval: &Interval) {
        if interval.start_seconds < 0.0 {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(interval.clone());
        }
        self.told.interval(interval);
    }

    fn wants_stop(&self) -> bool {
        self.told.wants_stop()
    }
}
