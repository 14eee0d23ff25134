//! Measuring one revision alone: for stored baselines and for runs that are compared later.
//!
//! Process after process runs every benchmark, so the slots of a benchmark are spread over the whole measurement. Each slot is
//! a block of its own, void or not.

use super::{
    alone::{Alone, prepare_alone},
    builds::BenchExecutable,
    contender::{failed, named},
    course::Way,
    criterion::filter,
    interleave::Keep,
    lockstep::{readings, void_reason},
    request::{Error, Measured, Request},
    slot::{Bench, Failure},
    solo::run_for_files,
    stage::{Sampling, Stage, clear, file_arguments, slot_arguments},
};
use crate::{
    machine::noise::{Disturbance, Meter},
    model::run::{Block, Fate, Measurement, Sample, Side, Slot, SlotMethod},
    plan::deal::padding,
    process::Interrupt,
    progress::{Event, Measuring, Progress},
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Voids are measured again for so many times the processes that were asked for; then they count.
const MOST_TRIES: u32 = 2;

/// Measures head's executables, one slot in each of `processes` processes a benchmark.
///
/// Of the request, what belongs to two sides (base's executables, renames, margins, looks) plays no part. What the budget has no
/// room for has fewer slots.
///
/// # Errors
/// When there is no room for our own files.
pub fn measure_alone(
    request: &Request<'_>,
    processes: u32,
    progress: &dyn Progress,
    interrupt: &Interrupt,
    keep: Keep<'_>,
) -> Result<Measured, Error> {
    let started = Instant::now();
    let scratch = clear(request.folder, interrupt)?;
    let stage = Stage { settings: &request.slot, interrupt, home: scratch.path(), pin: request.pin };
    let mut measured = Measured::default();
    match prepare_alone(request, &stage, progress) {
        Err(signal) => measured.interrupted = Some(format!("interrupted by {signal}")),
        Ok((contenders, prepared)) => {
            let mut alone = Recorder {
                request,
                stage,
                progress,
                started,
                contenders,
                processes,
                blocks: BTreeMap::new(),
                fates: BTreeMap::new(),
            };
            let stopped = alone.run(&mut |blocks| keep(blocks)).err();
            measured.interrupted = stopped.map(|signal| format!("interrupted by {signal}"));
            measured.warnings = prepared.warnings;
            measured.measurements = alone.measurements();
            measured.measurements.extend(prepared.settled);
        }
    }
    measured.measurements.sort_by(|left, right| left.benchmark.cmp(&right.benchmark));
    keep(&measured.measurements);
    measured.spent = started.elapsed();
    Ok(measured)
}

struct Recorder<'a> {
    request: &'a Request<'a>,
    stage: Stage<'a>,
    progress: &'a dyn Progress,
    started: Instant,
    contenders: Vec<Alone>,
    /// Processes that each benchmark is to have.
    processes: u32,
    blocks: BTreeMap<usize, Vec<Block>>,
    fates: BTreeMap<usize, Fate>,
}

impl Recorder<'_> {
    fn run(&mut self, keep: &mut dyn FnMut(&[Measurement])) -> Result<(), &'static str> {
        let processes = self.processes;
        for round in 0..processes.saturating_mul(MOST_TRIES) {
            let may_void = round + processes < processes.saturating_mul(MOST_TRIES);
            let mut groups: BTreeMap<(usize, Way, Sampling), Vec<usize>> = BTreeMap::new();
            for (index, contender) in self.contenders.iter().enumerate() {
                if self.valid(index) < processes && !self.fates.contains_key(&index) {
                    let key = (contender.pair, contender.way, contender.cost.sampling);
                    groups.entry(key).or_default().push(index);
                }
            }
            if groups.is_empty() {
                break;
            }
            for ((_, way, sampling), members) in groups {
                let members = self.affordable(members);
                if way == Way::Files {
                    self.files(&members, sampling, u64::from(round), may_void)?;
                } else {
                    self.linked(&members, sampling, u64::from(round), may_void)?;
                }
                keep(&self.measurements());
            }
        }
        self.tell_of_shortage(processes);
        Ok(())
    }

    /// Those whose slots end within the budget, taken in order.
    fn affordable(&self, members: Vec<usize>) -> Vec<usize> {
        let left = self.request.budget.saturating_sub(self.started.elapsed()).as_secs_f64();
        fitting(members, left, |index| self.contenders[index].cost.slot_seconds())
    }

    fn valid(&self, index: usize) -> u32 {
        let blocks = self.blocks.get(&index).map_or(&[][..], Vec::as_slice);
        u32::try_from(blocks.iter().filter(|block| block.void.is_none()).count()).unwrap_or(u32::MAX)
    }

    /// One process over these benchmarks; a new one for the rest after each failure. One that failed is tried once more.
    fn linked(
        &mut self,
        members: &[usize],
        sampling: Sampling,
        round: u64,
        may_void: bool,
    ) -> Result<(), &'static str> {
        let mut left = members.to_vec();
        let mut tried = None;
        while let Some(&first) = left.first() {
            let Err(failure) = self.visit(&mut left, sampling, round, may_void) else { continue };
            if let Some(signal) = failure.interrupted() {
                return Err(signal);
            }
            if left.is_empty() && failure.culprit.is_none() {
                // Everything was measured, and then the process failed: none of it can be trusted to end.
                for index in members {
                    self.fates.insert(*index, failed(Side::Head, &failure));
                }
                return Ok(());
            }
            let blamed =
                |index: &&usize| failure.culprit.as_ref() == Some(&self.contenders[**index].entry.raw);
            let culprit = members.iter().find(blamed).or(left.first()).copied().unwrap_or(first);
            if tried == Some(culprit) || failure.culprit.is_some() {
                self.fates.insert(culprit, failed(Side::Head, &failure));
                left.retain(|index| *index != culprit);
            }
            tried = Some(culprit);
        }
        Ok(())
    }

    fn visit(
        &mut self,
        left: &mut Vec<usize>,
        sampling: Sampling,
        round: u64,
        may_void: bool,
    ) -> Result<(), Failure> {
        let names: Vec<&str> = left.iter().map(|index| self.contenders[*index].entry.raw.as_str()).collect();
        let chunk = filter::chunks(&names).swap_remove(0);
        let only = filter::exactly(names[chunk.clone()].iter().copied());
        let members: Vec<usize> = left[chunk].to_vec();
        let pair = &self.request.pairs[self.contenders[members[0]].pair];
        let executable = self.executable(members[0]);
        let padding = padding(self.request.seed, &pair.target, round, 0);
        let args = slot_arguments(self.stage.settings, sampling, Some(&only));
        let mut bench = self.stage.open(executable, &args, padding)?;
        let mut limit = Duration::ZERO;
        for index in members {
            limit = self.request.slot.limit(self.contenders[index].cost.slot_seconds());
            let (samples, disturbance) = self.slot(&mut bench, index, sampling, limit)?;
            self.push(index, padding, samples, &disturbance, may_void);
            left.retain(|other| *other != index);
        }
        bench.finish(limit)
    }

    fn slot(
        &self,
        bench: &mut Bench,
        index: usize,
        sampling: Sampling,
        limit: Duration,
    ) -> Result<(Vec<Sample>, Disturbance), Failure> {
        let contender = &self.contenders[index];
        let meter = Meter::start();
        let before = bench.schedule().map_or(0, |schedule| schedule.waiting_ns);
        let complete = bench.run_to(&contender.entry.raw, contender.entry.occurrence, limit)?;
        let after = bench.schedule().map_or(before, |schedule| schedule.waiting_ns);
        let disturbance = meter.read(Duration::from_nanos(after.saturating_sub(before)));
        Ok((readings(&complete, sampling, contender.cost.scale), disturbance))
    }

    /// One process for all of a target's benchmarks, which writes files.
    fn files(
        &mut self,
        members: &[usize],
        sampling: Sampling,
        round: u64,
        may_void: bool,
    ) -> Result<(), &'static str> {
        let Some(&first) = members.first() else { return Ok(()) };
        let names = members.iter().map(|index| self.contenders[*index].entry.raw.as_str());
        let only = filter::exactly(names);
        let settings = &self.request.slot;
        let args = file_arguments(settings, sampling, Some(&only));
        let seconds: f64 = members.iter().map(|index| self.contenders[*index].cost.slot_seconds()).sum();
        let padding =
            padding(self.request.seed, &self.request.pairs[self.contenders[first].pair].target, round, 0);
        let meter = Meter::start();
        let take = || {
            run_for_files(&self.stage, self.executable(first), args.clone(), padding, settings.limit(seconds))
        };
        let taken =
            take().or_else(|failure| if failure.interrupted().is_some() { Err(failure) } else { take() });
        let disturbance = meter.read(Duration::ZERO);
        match taken {
            Ok(written) => {
                for &index in members {
                    let raw = &self.contenders[index].entry.raw;
                    if let Some(found) = written.iter().find(|written| written.id == *raw) {
                        self.push(index, padding, found.samples.clone(), &disturbance, may_void);
                    }
                }
            }
            Err(failure) => {
                if let Some(signal) = failure.interrupted() {
                    return Err(signal);
                }
                for &index in members {
                    self.fates.insert(index, failed(Side::Head, &failure));
                }
            }
        }
        Ok(())
    }

    fn executable(&self, index: usize) -> &BenchExecutable {
        let pair = &self.request.pairs[self.contenders[index].pair];
        let Some(head) = &pair.head else {
            unreachable!("only targets of head have benchmarks to measure alone")
        };
        head
    }

    fn push(
        &mut self,
        index: usize,
        padding: u32,
        samples: Vec<Sample>,
        taken: &Disturbance,
        may_void: bool,
    ) {
        let void = void_reason(taken, self.request.slot.void_share).filter(|_| may_void);
        let slot = Slot { side: Side::Head, padding, samples };
        self.blocks.entry(index).or_default().push(Block { slots: vec![slot], void });
        let rounds = self.valid(index);
        self.progress.tell(Event::Measuring(Measuring {
            benchmark: self.contenders[index].benchmark.id.to_string(),
            rounds,
            next_look: 0,
            decided: (0..self.contenders.len())
                .map(|index| self.valid(index).min(self.processes) as usize)
                .sum(),
            benchmarks: self.contenders.len().saturating_sub(self.fates.len()) * self.processes as usize,
            elapsed: self.started.elapsed(),
            remaining: self.request.budget.saturating_sub(self.started.elapsed()),
        }));
    }

    fn tell_of_shortage(&self, processes: u32) {
        let short = (0..self.contenders.len())
            .filter(|index| self.valid(*index) < processes && !self.fates.contains_key(index))
            .map(|index| &self.contenders[index].benchmark);
        let short: Vec<_> = short.collect();
        if !short.is_empty() {
            let names = named(short);
            self.progress.tell(Event::Note(format!(
                "the budget had no room for all {processes} processes of {names}"
            )));
        }
    }

    fn measurements(&self) -> Vec<Measurement> {
        let one = |(index, contender): (usize, &Alone)| Measurement {
            benchmark: contender.benchmark.clone(),
            metric: contender.metric.clone(),
            fate: self.fates.get(&index).cloned().unwrap_or(Fate::Measured),
            method: if contender.way == Way::Files { SlotMethod::Files } else { SlotMethod::Solo },
            blocks: self.blocks.get(&index).cloned().unwrap_or_default(),
        };
        self.contenders.iter().enumerate().map(one).collect()
    }
}

/// Those whose seconds fit one after the other into what is left; what does not fit takes nothing from those behind it.
fn fitting(members: Vec<usize>, mut left: f64, seconds: impl Fn(usize) -> f64) -> Vec<usize> {
    let fits = |index: &usize| {
        let fits = seconds(*index) <= left;
        left -= if fits { seconds(*index) } else { 0.0 };
        fits
    };
    members.into_iter().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn a_long_slot_that_does_not_fit_leaves_its_time_to_the_others() {
        let seconds = [2.0, 30.0, 1.5, 2.0, 0.5];
        assert_eq!(fitting((0..5).collect(), 4.0, |index| seconds[index]), [0, 2, 4]);
        assert!(fitting((0..5).collect(), 0.0, |index| seconds[index]).is_empty());
    }
}
