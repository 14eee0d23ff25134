//! A measurement of sample benches: a scene that is set up in a line or two and ends in what was measured.

use super::samples::executable;
use std::{path::PathBuf, sync::Mutex, time::Duration};
use tollgate::{
    measure::{
        IdenticalCode, Listing, Measured, Request, SlotSettings,
        builds::{BenchExecutable, TargetPair},
    },
    model::{
        policy::{FamilyMethod, Rename},
        run::{Fate, Measurement},
    },
    plan::looks::Standing,
    process::Interrupt,
    progress::{Event, Progress},
};

/// A measurement to be made. The slots are as short as they can be: what they show does not matter.
pub(crate) struct Scene {
    pub(crate) pairs: Vec<TargetPair>,
    pub(crate) filter: Option<regex::Regex>,
    pub(crate) renames: Vec<Rename>,
    pub(crate) identical: IdenticalCode,
    pub(crate) seed: u64,
    pub(crate) budget: Duration,
    pub(crate) slot: SlotSettings,
    /// Rounds after which every benchmark counts as decided.
    pub(crate) enough_rounds: u32,
    pub(crate) previous: Vec<Measurement>,
    pub(crate) interrupt: Interrupt,
    pub(crate) folder: tempfile::TempDir,
    /// The folder that measuring gets instead of that.
    pub(crate) elsewhere: Option<PathBuf>,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) measured: Measured,
    pub(crate) events: Vec<Event>,
    /// What was handed over for keeping, in order.
    pub(crate) kept: Vec<Vec<Measurement>>,
}

impl Scene {
    /// The same bench target on both sides.
    pub(crate) fn of(target: &str) -> Self {
        Self::with(pair(executable(target), executable(target)))
    }

    pub(crate) fn with(pair: TargetPair) -> Self {
        let tiny = Duration::from_micros(500);
        Self {
            pairs: vec![pair],
            filter: None,
            renames: Vec::new(),
            identical: IdenticalCode::Skip,
            seed: 7,
            budget: Duration::from_secs(3600),
            // A loaded machine is what tests run on; void blocks have a test of their own.
            slot: SlotSettings {
                warm_up: tiny,
                measurement: tiny,
                void_share: f64::INFINITY,
                ..SlotSettings::default()
            },
            enough_rounds: 3,
            previous: Vec::new(),
            interrupt: Interrupt::new(),
            folder: tempfile::tempdir().unwrap(),
            elsewhere: None,
        }
    }

    /// Sets a variable for both sides.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        self.set_base(name, value).set_head(name, value)
    }

    pub(crate) fn set_base(mut self, name: &str, value: &str) -> Self {
        let base = self.pairs[0].base.as_mut().unwrap();
        base.environment.push((name.into(), value.into()));
        self
    }

    pub(crate) fn set_head(mut self, name: &str, value: &str) -> Self {
        let head = self.pairs[0].head.as_mut().unwrap();
        head.environment.push((name.into(), value.into()));
        self
    }

    /// A path in a folder of the scene's own.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn measure(&self) -> Outcome {
        let mut kept = Vec::new();
        let (measured, events) = self.told(|request, listener| {
            let keep = &mut |all: &[Measurement]| kept.push(all.to_vec());
            tollgate::measure::measure(request, listener, &self.interrupt, keep).unwrap()
        });
        Outcome { measured, events, kept }
    }

    pub(crate) fn measure_alone(&self, processes: u32) -> Outcome {
        let mut kept = Vec::new();
        let (measured, events) = self.told(|request, listener| {
            let keep = &mut |all: &[Measurement]| kept.push(all.to_vec());
            tollgate::measure::measure_alone(request, processes, listener, &self.interrupt, keep).unwrap()
        });
        Outcome { measured, events, kept }
    }

    pub(crate) fn list(&self) -> Listing {
        self.told(|request, listener| tollgate::measure::list(request, listener, &self.interrupt).unwrap()).0
    }

    fn told<T>(&self, act: impl FnOnce(&Request<'_>, &dyn Progress) -> T) -> (T, Vec<Event>) {
        let listener = Listener::default();
        let standing = |measurement: &Measurement| {
            let valid = measurement.blocks.iter().filter(|block| block.void.is_none()).count();
            let rounds = u32::try_from(valid).unwrap() * 3;
            let no_worse_ratio = if rounds >= self.enough_rounds { 0.0 } else { 2.0 };
            Some(Standing {
                rounds,
                p_value: 1.0,
                p_at_look: 1.0,
                improved_p_value: 1.0,
                improved_p_at_look: 1.0,
                no_worse_ratio,
            })
        };
        let request = Request {
            pairs: &self.pairs,
            filter: self.filter.as_ref(),
            ignored: &|_| None,
            renames: &self.renames,
            identical: self.identical,
            seed: self.seed,
            budget: self.budget,
            false_discovery_rate: 0.01,
            family: FamilyMethod::FalseDiscovery,
            margin: &|_| 0.02,
            standing: &standing,
            slot: self.slot,
            pin: None,
            folder: self.elsewhere.as_deref().unwrap_or(self.folder.path()),
            previous: &self.previous,
        };
        let value = act(&request, &listener);
        (value, listener.events.into_inner().unwrap())
    }
}

impl Outcome {
    /// The measurement of a benchmark.
    pub(crate) fn of(&self, id: &str) -> &Measurement {
        let found = self.measured.measurements.iter().find(|m| m.benchmark.id.as_str() == id);
        found.unwrap_or_else(|| panic!("no benchmark {id:?} in {:?}", self.ids()))
    }

    pub(crate) fn ids(&self) -> Vec<&str> {
        self.measured.measurements.iter().map(|m| m.benchmark.id.as_str()).collect()
    }

    /// On which side a benchmark failed, and why.
    pub(crate) fn failure(&self, id: &str) -> String {
        match &self.of(id).fate {
            Fate::Failed { side: Some(side), message } => format!("{}: {message}", side.as_str()),
            Fate::Failed { side: None, message } => message.clone(),
            other => panic!("{id} did not fail: {other:?}"),
        }
    }

    pub(crate) fn has_warning(&self, code: &str) -> bool {
        self.measured.warnings.iter().any(|warning| warning.code == code)
    }
}

/// Two sides of a target.
pub(crate) fn pair(base: BenchExecutable, head: BenchExecutable) -> TargetPair {
    TargetPair { target: head.target.clone(), base: Some(base), head: Some(head), identical: false }
}

/// Remembers what it is told.
#[derive(Default)]
struct Listener {
    events: Mutex<Vec<Event>>,
}

impl Progress for Listener {
    fn tell(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
}
