//! Base and head in blocks of six processes: the planner says which command gets the next one, what comes is judged at its looks.
//!
//! All benchmarks of a command ride in each of its processes. For the planner each is an item of its own, and the command is the
//! target that they share: a block costs the target, whatever is read of it. A benchmark that is decided gets no more blocks.

use super::{
    Request,
    course::{Course, Line, gathered, repeats},
    runner::{self, Trouble},
};
use crate::{
    judge::paired as judge,
    machine::noise::Meter,
    measure::{lockstep::void_reason, request::Measured},
    model::{
        benchmark::Benchmark,
        run::{Fate, Measurement, Side, Warning},
    },
    plan::{
        deal::{deal, padding},
        looks::{Item, Next, Planner, ROUNDS_PER_BLOCK, Settings},
    },
    progress::{Event, Measuring, Progress},
    stats::sequential::LOOK_ROUNDS,
    text::quantity,
};
use std::time::{Duration, Instant};

/// Measures base and head until every benchmark is decided or the budget is spent. Builds do not count.
///
/// A command that fails is part of the result; the others go on. After an interrupt the result holds what was measured.
pub fn measure(
    request: &Request<'_>,
    progress: &dyn Progress,
    keep: &mut dyn FnMut(&[Measurement]),
) -> Measured {
    let (mut courses, mut interrupted) = begin(request, progress);
    let started = Instant::now();
    let planner = planner(request, &mut courses);
    let mut engine = Engine { request, progress, keep, started, courses, planner, inside: Duration::ZERO };
    engine.catch_up();
    if interrupted.is_none() {
        progress.tell(Event::Phase("measuring commands".into()));
        interrupted = engine.run().err();
    }
    engine.result(interrupted)
}

/// Every command, begun; after an interrupt those that were.
pub(super) fn begin<'a>(
    request: &Request<'a>,
    progress: &dyn Progress,
) -> (Vec<Course<'a>>, Option<&'static str>) {
    let mut courses = Vec::new();
    for program in request.programs {
        match Course::begin(program, request, progress) {
            Ok(course) => courses.push(course),
            Err(signal) => return (courses, Some(signal)),
        }
    }
    (courses, None)
}

/// A planner with an item for each line that is measured; its number is left in the line.
fn planner(request: &Request<'_>, courses: &mut [Course<'_>]) -> Planner {
    let settings = Settings {
        budget_seconds: request.budget.as_secs_f64(),
        false_discovery_rate: request.false_discovery_rate,
        family: request.family,
    };
    let mut items = Vec::new();
    for course in courses.iter_mut() {
        for line in course.lines.iter_mut().filter(|line| line.fate == Fate::Measured) {
            line.item = Some(items.len());
            let margin = (request.limits)(&line.benchmark, &line.metric).margin;
            let benchmark = Benchmark::new(course.program.name.clone(), line.benchmark.id.clone());
            items.push(Item { benchmark, margin, block_seconds: 0.0 });
        }
    }
    let mut planner = Planner::new(settings, items);
    for course in courses.iter() {
        planner.set_target_overhead(&course.program.name, course.block_seconds);
    }
    planner
}

struct Engine<'a, 'b> {
    request: &'b Request<'a>,
    progress: &'b dyn Progress,
    keep: &'b mut dyn FnMut(&[Measurement]),
    started: Instant,
    courses: Vec<Course<'a>>,
    planner: Planner,
    /// Time in which processes of the commands were at work.
    inside: Duration,
}

impl Engine<'_, '_> {
    /// Tells the planner what an earlier run measured.
    fn catch_up(&mut self) {
        for index in 0..self.courses.len() {
            self.report(index, &|_| true);
        }
    }

    fn run(&mut self) -> Result<(), &'static str> {
        while let Next::Block(plan) = self.planner.next(self.started.elapsed().as_secs_f64()) {
            let found = self.courses.iter().position(|course| course.program.name == plan.target);
            let Some(index) = found else { unreachable!("the planner plans the commands that it was given") };
            self.block(index, &plan.benchmarks)?;
            (self.keep)(&gathered(&self.courses));
        }
        Ok(())
    }

    /// One block of a command, for these items of it.
    fn block(&mut self, index: usize, items: &[usize]) -> Result<(), &'static str> {
        let since = Instant::now();
        let program = self.courses[index].program;
        let (seed, number) = (self.request.seed, self.courses[index].dealt());
        let meter = Meter::start();
        let mut slots = Vec::new();
        for (at, side) in deal(seed, &runner::whole(program), number).into_iter().enumerate() {
            self.show(index);
            let padding = padding(seed, &program.name, number, at);
            match runner::slot(program, &self.request.site, side, padding) {
                Ok(slot) => slots.push((side, padding, slot)),
                Err(Trouble::Interrupted(signal)) => return Err(signal),
                Err(Trouble::Failed(message)) => {
                    self.fail(index, side, &message);
                    return Ok(());
                }
            }
        }
        self.inside += since.elapsed();
        let may_void = self.courses[index].may_void();
        let void =
            void_reason(&meter.read(Duration::ZERO), self.request.site.void_share).filter(|_| may_void);
        let wanted = |line: &Line| line.item.is_some_and(|item| items.contains(&item));
        self.courses[index].push(&slots, void.as_ref(), &wanted);
        let seconds = since.elapsed().as_secs_f64();
        self.courses[index].block_seconds = seconds;
        self.planner.set_target_overhead(&program.name, seconds);
        self.report(index, &wanted);
        Ok(())
    }

    /// Tells the planner where these lines stand.
    fn report(&mut self, index: usize, lines: &dyn Fn(&Line) -> bool) {
        for line in self.courses[index].lines.iter().filter(|line| lines(line)) {
            let Some(item) = line.item else { continue };
            // One block of what repeats exactly says all.
            if line.fate != Fate::Measured || (repeats(line) && line.valid() > 0) {
                self.planner.fail(item);
            } else if !line.blocks.is_empty() {
                let look = LOOK_ROUNDS.contains(&(line.valid() * ROUNDS_PER_BLOCK));
                let limits = (self.request.limits)(&line.benchmark, &line.metric);
                let standing = look.then(|| judge::standing(&line.measurement(), &limits)).flatten();
                self.planner.record(item, line.valid(), standing, 0.0);
            }
        }
    }

    fn fail(&mut self, index: usize, side: Side, message: &str) {
        let course = &mut self.courses[index];
        let first = message.lines().next().unwrap_or_default().trim_end_matches(':');
        let note = format!("{} failed on {}: {first}", course.program.name, side.as_str());
        self.progress.tell(Event::Note(note));
        course.fail(side, message);
        course.lines.iter().filter_map(|line| line.item).for_each(|item| self.planner.fail(item));
    }

    fn show(&self, index: usize) {
        let elapsed = self.started.elapsed();
        let remaining = self.planner.remaining_seconds(elapsed.as_secs_f64());
        let lines = || self.courses[index].lines.iter().filter(|line| line.item.is_some());
        let next = lines().filter_map(|line| line.item).map(|item| self.planner.next_look(item)).max();
        self.progress.tell(Event::Measuring(Measuring {
            benchmark: self.courses[index].program.name.clone(),
            rounds: lines().map(Line::valid).max().unwrap_or(0) * ROUNDS_PER_BLOCK,
            next_look: next.unwrap_or_default(),
            decided: self.planner.decided(),
            benchmarks: self
                .courses
                .iter()
                .flat_map(|course| &course.lines)
                .filter(|line| line.item.is_some())
                .count(),
            elapsed,
            remaining: Duration::try_from_secs_f64(remaining).unwrap_or_default(),
        }));
    }

    fn result(self, interrupted: Option<&'static str>) -> Measured {
        let mut warnings: Vec<Warning> =
            self.courses.iter().flat_map(|course| course.warnings.clone()).collect();
        let unmeasured =
            |course: &&Course<'_>| course.is_open() && course.lines.iter().all(|line| line.valid() == 0);
        let names: Vec<&str> =
            self.courses.iter().filter(unmeasured).map(|course| course.program.name.as_str()).collect();
        if interrupted.is_none() && !names.is_empty() {
            let budget = quantity::seconds(self.request.budget.as_secs_f64());
            let message = format!("the budget of {budget} had no room for {}", names.join(", "));
            self.progress.tell(Event::Warning(message.clone()));
            warnings.push(Warning::new("budget_spent", message));
        }
        let measurements = gathered(&self.courses);
        (self.keep)(&measurements);
        let spent = self.started.elapsed();
        Measured {
            measurements,
            warnings,
            interrupted: interrupted.map(|signal| format!("interrupted by {signal}")),
            spent,
            outside: spent.saturating_sub(self.inside),
        }
    }
}
