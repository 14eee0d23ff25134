//! The scout: runs every wanted benchmark of one executable about once, alone, to learn what a slot will cost, in which unit it is
//! measured, how much memory the process takes, and which benchmarks fail by themselves.

use super::{
    builds::BenchExecutable,
    census::{Census, Entry},
    cost::Cost,
    criterion::filter,
    slot::{Bench, Event, Failure, Trouble},
    stage::{Sampling, Stage, scout_arguments},
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// A benchmark whose one iteration took less than this, and yet long, is visited twice.
const LOOK_AGAIN_SECONDS: f64 = 1.0;

/// What a scout learnt.
#[derive(Debug, Default)]
pub struct Scouting {
    /// The cost of every wanted entry, or why it failed, twice.
    pub costs: BTreeMap<usize, Result<Cost, String>>,
    /// Why a process failed after its last benchmark: nothing of this executable can be trusted to end.
    pub late: Option<String>,
    /// The most resident memory that a process was seen to take; 0 where that is not known.
    pub resident_bytes: u64,
}

/// Runs the `wanted` entries (indices, ascending) of an executable once each; each may take `limit`.
///
/// # Errors
/// When the user wants us to stop, with the name of the signal.
pub fn scout(
    stage: &Stage<'_>,
    executable: &BenchExecutable,
    census: &Census,
    wanted: &[usize],
    limit: Duration,
) -> Result<Scouting, &'static str> {
    let mut scout = Scout {
        stage,
        executable,
        census,
        limit,
        found: Scouting::default(),
        version: census.version.unwrap_or([0; 3]),
    };
    let ids: Vec<&str> = wanted.iter().map(|index| census.entries[*index].raw.as_str()).collect();
    for run in filter::chunks(&ids) {
        scout.run(&wanted[run])?;
    }
    scout.look_again()?;
    Ok(scout.found)
}

struct Scout<'a> {
    stage: &'a Stage<'a>,
    executable: &'a BenchExecutable,
    census: &'a Census,
    limit: Duration,
    version: [u8; 3],
    found: Scouting,
}

impl Scout<'_> {
    /// Visits these entries; what failed among others is visited once more alone.
    fn run(&mut self, wanted: &[usize]) -> Result<(), &'static str> {
        let mut left = wanted.to_vec();
        while !left.is_empty() {
            let broken = self.visit(&left);
            left.retain(|index| !self.found.costs.contains_key(index));
            let Err(failure) = broken else { continue };
            let before = left.len();
            self.retry(&mut left, wanted, &failure)?;
            // Whoever is to blame, every process must bring us on.
            if left.len() == before && self.found.late.is_none() && before > 0 {
                self.found.costs.insert(left.remove(0), Err(failure.message()));
            }
        }
        Ok(())
    }

    /// Visits the one that failed once more; a second failure is its own, and that of all that share its name.
    fn retry(
        &mut self,
        left: &mut Vec<usize>,
        wanted: &[usize],
        failure: &Failure,
    ) -> Result<(), &'static str> {
        if let Some(signal) = failure.interrupted() {
            return Err(signal);
        }
        let blamed = failure.culprit.as_ref();
        let named = |index: &usize| blamed.is_some_and(|raw| self.census.entries[*index].raw == *raw);
        let Some(failed) = wanted.iter().copied().find(named).or_else(|| left.first().copied()) else {
            self.found.late = Some(failure.message());
            return Ok(());
        };
        self.found.costs.remove(&failed);
        if let Err(again) = self.visit(&[failed]) {
            if let Some(signal) = again.interrupted() {
                return Err(signal);
            }
            let raw = &self.census.entries[failed].raw;
            for index in wanted.iter().copied().filter(|index| self.census.entries[*index].raw == *raw) {
                self.found.costs.insert(index, Err(again.message()));
            }
        }
        left.retain(|index| !self.found.costs.contains_key(index));
        Ok(())
    }

    /// One process over these entries; what it completes is entered.
    fn visit(&mut self, wanted: &[usize]) -> Result<(), Failure> {
        let everything = wanted.len() == self.census.entries.len();
        let only = filter::exactly(wanted.iter().map(|index| self.census.entries[*index].raw.as_str()));
        let args = scout_arguments(self.stage.settings, self.version, (!everything).then_some(only.as_str()));
        let mut bench = self.stage.open(self.executable, &args, 0)?;
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        let mut since = Instant::now();
        let mut before = 0.0;
        let mut running = false;
        loop {
            match bench.next(self.limit)? {
                Event::Began(_) => {
                    running = true;
                    before = since.elapsed().as_secs_f64();
                    since = Instant::now();
                }
                Event::Complete(complete) => {
                    running = false;
                    let seconds = since.elapsed().as_secs_f64();
                    let time = times.entry(complete.id.clone()).or_default();
                    *time += 1;
                    let unit = bench.unit(self.limit)?;
                    let named = |entry: &Entry| entry.raw == complete.id && entry.occurrence == *time;
                    if let Some(index) = wanted.iter().find(|index| named(&self.census.entries[**index])) {
                        let cost = Cost::of_scout(
                            self.stage.settings,
                            self.version,
                            &complete,
                            seconds,
                            before,
                            unit,
                        );
                        self.enter(*index, cost);
                    }
                    self.weigh(&bench);
                    since = Instant::now();
                }
                Event::Skipped(_) => {}
                Event::Ended(status) => {
                    let all = wanted.iter().all(|index| self.found.costs.contains_key(index));
                    let trouble = match (all, status.success()) {
                        (true, true) => return Ok(()),
                        (true, false) => Trouble::EndedBadly(status),
                        (false, true) if !running => Trouble::Skipped,
                        (false, _) => Trouble::Ended(status),
                    };
                    return Err(bench.fail(trouble));
                }
            }
        }
    }

    /// Enters a cost; of two visits the faster one counts, since others can only slow an iteration down.
    fn enter(&mut self, index: usize, cost: Cost) {
        let faster = match self.found.costs.get(&index) {
            Some(Ok(known)) => cost.iteration_seconds < known.iteration_seconds,
            _ => true,
        };
        if faster {
            self.found.costs.insert(index, Ok(cost));
        }
    }

    /// Visits those once more that seem to take long, though not very long: they may have been interrupted, or be slow the first
    /// time only.
    fn look_again(&mut self) -> Result<(), &'static str> {
        let seems_long = |cost: &Cost| {
            cost.sampling == Sampling::Quick && !cost.own_times && cost.iteration_seconds < LOOK_AGAIN_SECONDS
        };
        let such = |(index, cost): (&usize, &Result<Cost, String>)| {
            cost.as_ref().is_ok_and(seems_long).then_some(*index)
        };
        let again: Vec<usize> = self.found.costs.iter().filter_map(such).collect();
        let raws: Vec<&str> = again.iter().map(|index| self.census.entries[*index].raw.as_str()).collect();
        for run in filter::chunks(&raws) {
            // Whoever fails this time was measured before; blocks will show.
            if let Some(signal) = self.visit(&again[run]).err().and_then(|failure| failure.interrupted()) {
                return Err(signal);
            }
        }
        Ok(())
    }

    fn weigh(&mut self, bench: &Bench) {
        let resident = bench.resident_bytes().unwrap_or(0);
        self.found.resident_bytes = self.found.resident_bytes.max(resident);
    }
}
