//! The paired measurement: the planner says who gets the next block, processes take turns, what comes is judged at its looks, and
//! the planner is asked again.

use super::{
    contender::{Prepared, failed, named},
    course::{Course, Way},
    criterion::filter,
    lockstep::{At, Broken, Lineup, Measured as MeasuredBlock, News, Seat, pass},
    prepare::prepare,
    request::{Error, Measured, Request},
    resume::Earlier,
    slot::{Failure, Trouble},
    solo::{self, Source},
    stage::{Sampling, Stage, clear},
    subject::{Match, common_orders},
};
use crate::{
    model::run::{Measurement, Side},
    plan::looks::{BlockPlan, Item, Next, Planner, ROUNDS_PER_BLOCK, Settings},
    process::Interrupt,
    progress::{Event, Measuring, Progress},
    stats::sequential::LOOK_ROUNDS,
    text::plural,
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What is measured is handed over for keeping at most this often …
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// … and for at most this share of the time.
const KEEP_SHARE: u32 = 50;
/// A benchmark that failed so often beside others and not alone gets a process a slot.
const STRIKES: u32 = 2;

/// Takes what was measured so far, so that it outlives us. Called after blocks, often enough that a crash loses little.
pub type Keep<'a> = &'a mut dyn FnMut(&[Measurement]);

/// Measures base and head in paired rounds until every benchmark is decided or the budget is spent.
///
/// A benchmark that fails is part of the result; the others go on. After an interrupt the result holds what was measured.
///
/// # Errors
/// When there is no room for our own files.
pub fn measure(
    request: &Request<'_>,
    progress: &dyn Progress,
    interrupt: &Interrupt,
    keep: Keep<'_>,
) -> Result<Measured, Error> {
    let started = Instant::now();
    let scratch = clear(request.folder, interrupt)?;
    let stage = Stage { settings: &request.slot, interrupt, home: scratch.path(), pin: request.pin };
    let prepared = match prepare(request, &stage, progress) {
        Ok(prepared) => prepared,
        Err(signal) => {
            return Ok(Measured {
                measurements: request.previous.to_vec(),
                interrupted: Some(interrupted_by(signal)),
                spent: started.elapsed(),
                ..Measured::default()
            });
        }
    };
    let mut engine = Engine::new(request, stage, progress, keep, prepared, started);
    let stopped = engine.run().err();
    Ok(engine.result(stopped))
}

fn interrupted_by(signal: &str) -> String {
    format!("interrupted by {signal}")
}

/// The user wants us to stop; the name of the signal.
#[derive(Debug)]
struct Stop(&'static str);

struct Engine<'a> {
    request: &'a Request<'a>,
    stage: Stage<'a>,
    progress: &'a dyn Progress,
    keep: Keep<'a>,
    started: Instant,
    prepared: Prepared,
    courses: Vec<Course>,
    planner: Planner,
    /// Sets of processes so far, by target: each set is dealt by its number.
    sets: BTreeMap<String, u64>,
    /// Targets whose processes failed once after their last benchmark, or at their start.
    stumbled: BTreeMap<String, u32>,
    /// When it was kept last, and what that took.
    kept: (Instant, Duration),
    /// Time in which bench processes were at work or waited for.
    inside: Duration,
}

impl<'a> Engine<'a> {
    fn new(
        request: &'a Request<'a>,
        stage: Stage<'a>,
        progress: &'a dyn Progress,
        keep: Keep<'a>,
        mut prepared: Prepared,
        started: Instant,
    ) -> Self {
        let earlier = Earlier::new(request.previous);
        for settled in &mut prepared.settled {
            earlier.keep(settled);
        }
        let contenders = std::mem::take(&mut prepared.contenders);
        let courses: Vec<Course> = contenders
            .into_iter()
            .map(|contender| {
                let benchmark = &contender.found.benchmark;
                let blocks = earlier.blocks(&benchmark.target, benchmark.id.as_str(), &contender.metric);
                Course::new(contender, blocks)
            })
            .collect();
        let items = courses.iter().map(|course| Item {
            benchmark: course.benchmark().clone(),
            margin: (request.margin)(course.benchmark()),
            block_seconds: course.block_seconds(),
        });
        let settings = Settings {
            budget_seconds: request.budget.as_secs_f64(),
            false_discovery_rate: request.false_discovery_rate,
            family: request.family,
        };
        let planner = Planner::new(settings, items.collect());
        let mut sets = BTreeMap::new();
        for course in &courses {
            *sets.entry(course.benchmark().target.clone()).or_default() += course.dealt();
        }
        let mut engine = Self {
            request,
            stage,
            progress,
            keep,
            started,
            prepared,
            courses,
            planner,
            sets,
            stumbled: BTreeMap::new(),
            kept: (started, Duration::ZERO),
            inside: started.elapsed(),
        };
        engine.catch_up();
        engine
    }

    /// Tells the planner what an earlier run measured, and what starting processes costs.
    fn catch_up(&mut self) {
        for (pair, ground) in self.request.pairs.iter().zip(&self.prepared.grounds) {
            if let Some(ground) = ground {
                self.planner.set_target_overhead(&pair.target, ground.start_seconds);
            }
        }
        for (index, course) in self.courses.iter().enumerate() {
            if course.dealt() > 0 {
                let standing = (self.request.standing)(&course.measurement());
                self.planner.record(index, course.valid(), standing, 0.0);
            }
        }
    }

    fn run(&mut self) -> Result<(), Stop> {
        while let Next::Block(plan) = self.planner.next(self.elapsed().as_secs_f64()) {
            self.carry_out(&plan)?;
            self.hand_over();
        }
        Ok(())
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Measures a block of each benchmark of a plan, those together that can be.
    fn carry_out(&mut self, plan: &BlockPlan) -> Result<(), Stop> {
        let mut groups: BTreeMap<(Way, Sampling), Vec<usize>> = BTreeMap::new();
        for &index in &plan.benchmarks {
            let course = &self.courses[index];
            groups.entry((course.way(), course.sampling())).or_default().push(index);
        }
        for ((way, sampling), members) in groups {
            if way == Way::Together {
                for run in self.runs(&members) {
                    self.together(run, sampling)?;
                }
            } else {
                for index in members {
                    self.alone(index)?;
                }
            }
        }
        Ok(())
    }

    /// Cuts benchmarks of a target into runs that one set of processes can take: in one order, by one filter.
    fn runs(&self, members: &[usize]) -> Vec<Vec<usize>> {
        let found: Vec<&Match> = members.iter().map(|index| self.courses[*index].found()).collect();
        let mut runs = Vec::new();
        for run in common_orders(&found) {
            let run: Vec<usize> = run.into_iter().map(|at| members[at]).collect();
            let names: Vec<&str> =
                run.iter().map(|index| self.courses[*index].found().head.raw.as_str()).collect();
            runs.extend(filter::chunks(&names).into_iter().map(|range| run[range].to_vec()));
        }
        runs
    }

    /// Six live processes; a new set for the rest after each failure.
    fn together(&mut self, mut left: Vec<usize>, sampling: Sampling) -> Result<(), Stop> {
        while let Some(&first) = left.first() {
            let lineup = self.lineup(&left, sampling);
            let stage = self.stage;
            let since = Instant::now();
            let passed = pass(&stage, &lineup, &mut |news| self.hear(news, &mut left));
            self.inside += since.elapsed();
            let target = self.courses[first].benchmark().target.clone();
            let Err(broken) = passed else { continue };
            self.heed(&broken.failure)?;
            match broken.at {
                At::Subject(index) => {
                    left.retain(|other| *other != index);
                    self.try_alone(index, &broken)?;
                }
                At::Start | At::End => {
                    let stumbles = self.stumbled.entry(target).or_default();
                    *stumbles += 1;
                    if *stumbles >= STRIKES {
                        let all: Vec<usize> = lineup.seats.iter().map(|seat| seat.subject).collect();
                        self.separate(&all, &broken);
                        for index in std::mem::take(&mut left) {
                            self.alone(index)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn lineup(&mut self, members: &[usize], sampling: Sampling) -> Lineup<'a> {
        let course = &self.courses[members[0]];
        let pair = &self.request.pairs[course.pair()];
        let set = self.sets.entry(pair.target.clone()).or_default();
        let number = *set;
        *set += 1;
        let seats: Vec<Seat> =
            members.iter().map(|index| self.courses[*index].seat(*index, &self.request.slot)).collect();
        let entries = self.prepared.grounds[course.pair()].map(|ground| ground.entries);
        let everybody = entries == Some((members.len(), members.len()));
        let names =
            seats.iter().flat_map(|seat| [seat.found.head.raw.as_str(), seat.found.base.raw.as_str()]);
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        names.dedup();
        let filter = (!everybody).then(|| filter::exactly(names));
        let (Some(base), Some(head)) = (&pair.base, &pair.head) else {
            unreachable!("only targets of both sides have benchmarks to compare")
        };
        Lineup {
            seed: self.request.seed,
            target: &pair.target,
            set: number,
            base,
            head,
            sampling,
            filter,
            seats,
        }
    }

    /// Takes in what a pass tells.
    fn hear(&mut self, news: News, left: &mut Vec<usize>) {
        match news {
            News::Slot(index) => self.show(index),
            News::Block(measured) => {
                left.retain(|index| *index != measured.subject);
                self.take(measured);
                let (last, took) = self.kept;
                if last.elapsed() > KEEP_EVERY.max(took * KEEP_SHARE) {
                    self.hand_over();
                }
            }
        }
    }

    /// One benchmark, a process a slot.
    fn alone(&mut self, index: usize) -> Result<(), Stop> {
        match self.solo_block(index)? {
            Ok(measured) => self.take(measured),
            Err((side, failure)) => self.fail(index, side, &failure),
        }
        Ok(())
    }

    /// A benchmark failed beside others: does it alone?
    fn try_alone(&mut self, index: usize, broken: &Broken) -> Result<(), Stop> {
        match self.solo_block(index)? {
            Err((side, failure)) => self.fail(index, side, &failure),
            Ok(measured) => {
                self.take(measured);
                let strikes = self.courses[index].strike();
                // What hung for a whole time limit is not tried again.
                if strikes >= STRIKES || matches!(broken.failure.trouble, Trouble::TimedOut(_)) {
                    self.separate(&[index], broken);
                }
            }
        }
        Ok(())
    }

    fn solo_block(&mut self, index: usize) -> Result<Result<MeasuredBlock, (Side, Failure)>, Stop> {
        let source = match self.courses[index].way() {
            Way::Files => Source::Files,
            Way::Together | Way::Apart => Source::Link,
        };
        let lineup = self.lineup(&[index], self.courses[index].sampling());
        let stage = self.stage;
        let since = Instant::now();
        let done = solo::block(&stage, &lineup, &lineup.seats[0], source, &mut |index| self.show(index));
        self.inside += since.elapsed();
        if let Err((_, failure)) = &done {
            self.heed(failure)?;
        }
        Ok(done)
    }

    fn heed(&self, failure: &Failure) -> Result<(), Stop> {
        failure.interrupted().map_or(Ok(()), |signal| Err(Stop(signal)))
    }

    /// From now on these have a process a slot, and the reader is told why.
    fn separate(&mut self, members: &[usize], broken: &Broken) {
        for index in members {
            self.courses[*index].separate();
        }
        let names = named(members.iter().map(|index| self.courses[*index].benchmark()));
        let has = plural::choose(members.len(), "has", "have");
        let what = broken.failure.trouble.to_string();
        let message = format!(
            "{names} {has} a process a slot: beside other processes one of {} {what}",
            broken.side.as_str()
        );
        self.prepared.warn(self.progress, "solo", message);
    }

    /// Takes in a block: judges it when a look is reached, and tells the planner.
    fn take(&mut self, measured: MeasuredBlock) {
        let index = measured.subject;
        let course = &mut self.courses[index];
        let valid = measured.block.void.is_none();
        let first = course.dealt() == 0;
        course.push(measured.block);
        let mut seconds = measured.seconds;
        if first && course.relearn() {
            seconds = course.block_seconds();
        }
        let count = course.valid();
        let look = valid && LOOK_ROUNDS.contains(&(count * ROUNDS_PER_BLOCK));
        let standing = if look { (self.request.standing)(&course.measurement()) } else { None };
        self.planner.record(index, count, standing, seconds);
    }

    fn fail(&mut self, index: usize, side: Side, failure: &Failure) {
        self.courses[index].fail(failed(side, failure));
        self.planner.fail(index);
        let name = named([self.courses[index].benchmark()]);
        self.progress.tell(Event::Note(format!(
            "{name} of {} failed: it {}",
            side.as_str(),
            failure.trouble
        )));
    }

    fn show(&self, index: usize) {
        let elapsed = self.elapsed();
        let remaining = self.planner.remaining_seconds(elapsed.as_secs_f64());
        let course = &self.courses[index];
        self.progress.tell(Event::Measuring(Measuring {
            benchmark: course.benchmark().id.to_string(),
            rounds: course.valid() * ROUNDS_PER_BLOCK,
            next_look: self.planner.next_look(index),
            decided: self.planner.decided(),
            benchmarks: self.courses.len(),
            elapsed,
            remaining: Duration::try_from_secs_f64(remaining).unwrap_or_default(),
        }));
    }

    /// Hands over what was measured so far.
    fn hand_over(&mut self) {
        let since = Instant::now();
        let all = self.measurements();
        (self.keep)(&all);
        self.kept = (Instant::now(), since.elapsed());
    }

    fn measurements(&self) -> Vec<Measurement> {
        let measured = self.courses.iter().map(Course::measurement);
        let mut all: Vec<Measurement> = measured.chain(self.prepared.settled.iter().cloned()).collect();
        all.sort_by(|left, right| left.benchmark.cmp(&right.benchmark));
        all
    }

    fn result(mut self, stopped: Option<Stop>) -> Measured {
        let unmeasured = self.planner.unmeasured();
        if stopped.is_none() && !unmeasured.is_empty() {
            let budget = crate::text::quantity::seconds(self.request.budget.as_secs_f64());
            let names = named(unmeasured.iter().map(|index| self.courses[*index].benchmark()));
            let message = format!("the budget of {budget} had no room for {names}");
            self.prepared.warn(self.progress, "budget_spent", message);
        }
        let measurements = self.measurements();
        (self.keep)(&measurements);
        let spent = self.elapsed();
        Measured {
            measurements,
            warnings: self.prepared.warnings,
            interrupted: stopped.map(|Stop(signal)| interrupted_by(signal)),
            spent,
            outside: spent.saturating_sub(self.inside),
        }
    }
}
