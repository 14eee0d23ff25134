//! Who looks on while load runs: at the service's costs, and at the trial as it goes. Neither ever holds a lock of the pacer.

use std::collections::BTreeMap;

use crate::model::load::{Allowance, Costs, Interval};

/// What the service used since the last tick.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tick {
    /// Processors that it kept busy; `None` where it cannot be known.
    pub cpu: Option<f64>,
    /// Its resident memory now, bytes.
    pub rss_bytes: Option<u64>,
    /// The scenario's own metrics over the time since the last tick.
    pub metrics: BTreeMap<String, f64>,
}

/// Looks at the costs of the service under load. Called from a thread that the pacer never waits for.
pub trait ServiceWatch: Send {
    /// The window begins: counters start from here.
    fn begin(&mut self);
    /// About once a second.
    fn tick(&mut self) -> Tick;
    /// The window ends: what was used since [`ServiceWatch::begin`].
    fn finish(&mut self) -> Costs;
    /// Whether the service still runs; else a sentence about how it ended.
    ///
    /// # Errors
    /// When it ended, with its exit status and the end of its log.
    fn alive(&mut self) -> Result<(), String>;
    /// What the service may use.
    fn allowance(&self) -> Allowance {
        Allowance::default()
    }
}

/// Nothing is known of the service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl ServiceWatch for Unwatched {
    fn begin(&mut self) {}
    fn tick(&mut self) -> Tick {
        Tick::default()
    }
    fn finish(&mut self) -> Costs {
        Costs::default()
    }
    fn alive(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Hears of a trial while it runs, about once a second, from a thread that the pacer never waits for.
pub trait Observer: Sync {
    /// A second of the trial (of the warm-up too, with a negative start) is over.
    fn interval(&self, interval: &Interval);
    /// Whether somebody wants the trial to end now, in good order.
    fn wants_stop(&self) -> bool {
        false
    }
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deaf;

impl Observer for Deaf {
    fn interval(&self, _interval: &Interval) {}
}
