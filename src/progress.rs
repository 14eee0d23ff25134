//! What engines tell while they work. They never print: a [`Progress`] listener shows it, or not.

use std::time::Duration;

use crate::model::load::{Allowance, Interval};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A new phase of work begins: `building base 4f2a91c03 (main)`. Ends the phase before it.
    Phase(String),
    /// A line within a phase that is worth keeping: `base build came from the cache`.
    Note(String),
    /// Something the user should know; also part of the verdict.
    Warning(String),
    /// Where measuring stands.
    Measuring(Measuring),
    /// What the service under load may use; of the seconds that follow.
    May(Allowance),
    /// A second of load on a service is over.
    Load(Box<Interval>),
    /// The work is over; listeners clean the screen.
    Done,
}

/// Where measuring stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measuring {
    /// The benchmark whose slot runs or ran last.
    pub benchmark: String,
    /// Its rounds so far.
    pub rounds: u32,
    /// The rounds at which it is looked at next; 0 where nothing is decided, because one revision is measured alone.
    pub next_look: u32,
    /// Benchmarks decided so far; processes that were measured, where nothing is decided.
    pub decided: usize,
    /// Benchmarks to decide; processes to measure, where nothing is decided.
    pub benchmarks: usize,
    /// Measuring time spent.
    pub elapsed: Duration,
    /// Measuring time that is expected to be left: at most what is left of the budget.
    pub remaining: Duration,
}

/// Hears what engines do.
pub trait Progress: Sync {
    /// Takes one event; must be quick and must not fail.
    fn tell(&self, event: Event);
    /// Whether somebody wants the work to end now, in good order and with what there is.
    fn wants_stop(&self) -> bool {
        false
    }
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _event: Event) {}
}
