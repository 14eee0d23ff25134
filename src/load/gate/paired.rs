//! Base and head in blocks of six slots: the planner says which scenario gets the next one, what comes is judged at its looks.
//!
//! All metrics of a scenario ride in one slot. For the planner each is an item of its own, and a scenario is the target that they
//! share: a block costs the target, whatever is measured in it. A metric that is decided gets no more blocks; the error share
//! gets all of them, as it speaks of all requests.

use std::time::{Duration, Instant};

use super::{
    course::{Course, Line, Taken},
    metrics,
    request::{Keep, Measured, Request, Trouble},
};
use crate::{
    judge::load as judge,
    load::scenario::Scenario,
    machine::noise::Meter,
    measure::lockstep::void_reason,
    model::{
        load::Trial,
        run::{Fate, Measurement, Side, VoidReason, Warning},
    },
    plan::{
        deal::{deal, padding},
        looks::{Item, Next, Planner, ROUNDS_PER_BLOCK, Settings},
    },
    progress::{Event, Measuring, Progress},
    stats::sequential::LOOK_ROUNDS,
    text::quantity,
};

/// Who measures: real servers, or recorded trials.
pub trait Slots {
    /// Whether a scenario needs no slots, or cannot have any: identical, failed to build, base and head that answer differently.
    ///
    /// # Errors
    /// When the user wants us to stop.
    fn settle(&mut self, scenario: &Scenario) -> Result<Option<Fate>, Trouble>;

    /// Finds out about where the knee of a scenario is, before its first slot that searches for it.
    ///
    /// # Errors
    /// As for [`Slots::slot`].
    fn survey(&mut self, scenario: &Scenario) -> Result<(), Trouble>;

    /// One slot: a fresh server of a side, started with so many bytes of padding, under the scenario's load; then the search for its
    /// knee, if `search` says so and the scenario judges that.
    ///
    /// # Errors
    /// When the server or the load failed, or the user wants us to stop.
    fn slot(&mut self, scenario: &Scenario, side: Side, padding: u32, search: bool)
    -> Result<Trial, Trouble>;
}

/// Measures base and head until every metric is decided or the budget is spent.
///
/// A scenario that fails is part of the result; the others go on. After an interrupt the result holds what was measured.
pub fn measure(
    request: &Request<'_>,
    slots: &mut dyn Slots,
    progress: &dyn Progress,
    keep: Keep<'_>,
) -> Measured {
    let (mut courses, warnings) = courses(request);
    let mut interrupted = settle(&mut courses, slots, progress);
    // The budget is for measuring: what building the services takes is not a part of it.
    let started = Instant::now();
    let planner = planner(request, &mut courses);
    let mut engine = Engine { request, slots, progress, keep, started, courses, planner, warnings };
    engine.catch_up();
    if interrupted.is_none() {
        interrupted = engine.run().err();
    }
    engine.result(interrupted)
}

/// The scenarios, each with what was measured of it before; those that are left out have their fate.
pub(super) fn courses<'a>(request: &Request<'a>) -> (Vec<Course<'a>>, Vec<Warning>) {
    let (mut courses, mut warnings) = (Vec::new(), Vec::new());
    for scenario in request.scenarios {
        let Ok(benchmark) = metrics::benchmark(scenario) else {
            let message =
                "a load scenario has a name that is too long for a benchmark, so it is not measured";
            warnings.push(Warning::new("load_name", message));
            continue;
        };
        for name in metrics::unknown(scenario) {
            let message = format!(
                "`gate` of {benchmark} names `{name}`, which is no metric of it",
                benchmark = benchmark.id
            );
            warnings.push(Warning::new("unknown_metric", message));
        }
        let mut course = Course::new(scenario, benchmark, request.previous);
        if let Some(reason) = (request.left_out)(&course.benchmark) {
            course.leave_out(&reason);
        }
        courses.push(course);
    }
    (courses, warnings)
}

/// Finds out which scenarios need no slots; returns the signal when the user wants us to stop.
pub(super) fn settle(
    courses: &mut [Course<'_>],
    slots: &mut dyn Slots,
    progress: &dyn Progress,
) -> Option<&'static str> {
    for course in courses.iter_mut().filter(|course| course.fate.is_none()) {
        match slots.settle(course.scenario) {
            Ok(Some(Fate::Failed { side, message })) => {
                tell_failure(progress, course, side, &message);
                course.fail(side, &message);
            }
            Ok(fate) => {
                course.fate = fate;
                if course.fate == Some(Fate::Identical) {
                    course.lines.iter_mut().for_each(|line| line.fate = Fate::Identical);
                }
            }
            Err(Trouble::Failed(message)) => {
                tell_failure(progress, course, None, &message);
                course.fail(None, &message);
            }
            Err(Trouble::Interrupted(signal)) => return Some(signal),
        }
    }
    None
}

pub(super) fn tell_failure(progress: &dyn Progress, course: &Course<'_>, side: Option<Side>, message: &str) {
    let on = side.map_or(String::new(), |side| format!(" on {}", side.as_str()));
    let first = message.lines().next().unwrap_or_default();
    progress.tell(Event::Note(format!("{} failed{on}: {first}", course.benchmark.id)));
}

/// A planner with an item for each metric that is judged; its number is left in the line.
fn planner(request: &Request<'_>, courses: &mut [Course<'_>]) -> Planner {
    let settings = Settings {
        budget_seconds: request.budget.as_secs_f64(),
        false_discovery_rate: request.false_discovery_rate,
        family: request.family,
    };
    let mut items = Vec::new();
    for course in courses.iter_mut().filter(|course| course.fate.is_none()) {
        for line in &mut course.lines {
            let limits = (request.limits)(&course.benchmark, &line.metric);
            if limits.left_out.is_some() {
                continue;
            }
            line.item = Some(items.len());
            // The scenario is the target that its metrics share, and what a block costs is the target's; searches are the knee's.
            let mut shared = course.benchmark.clone();
            shared.target = course.benchmark.id.to_string();
            let block_seconds = if line.is_knee() { course.search_seconds } else { 0.0 };
            items.push(Item { benchmark: shared, margin: limits.margin, block_seconds });
        }
    }
    let mut planner = Planner::new(settings, items);
    for course in courses.iter() {
        planner.set_target_overhead(course.benchmark.id.as_str(), course.block_seconds);
    }
    planner
}

struct Engine<'a, 'b> {
    request: &'b Request<'a>,
    slots: &'b mut dyn Slots,
    progress: &'b dyn Progress,
    keep: Keep<'b>,
    started: Instant,
    courses: Vec<Course<'a>>,
    planner: Planner,
    warnings: Vec<Warning>,
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
            let Some(index) =
                self.courses.iter().position(|course| course.benchmark.id.as_str() == plan.target)
            else {
                unreachable!("the planner plans the scenarios that it was given")
            };
            self.block(index, &plan.benchmarks)?;
            self.hand_over();
        }
        Ok(())
    }

    /// One block of a scenario, for these items of it.
    fn block(&mut self, index: usize, items: &[usize]) -> Result<(), &'static str> {
        let planned = |line: &Line| line.item.map_or(!line.is_knee(), |item| items.contains(&item));
        // A knee that is decided, or not judged, is not searched for: it takes longer than all else in a slot.
        let search = self.courses[index].lines.iter().any(|line| line.is_knee() && planned(line));
        if search {
            match self.slots.survey(self.courses[index].scenario) {
                Ok(()) => {}
                Err(Trouble::Interrupted(signal)) => return Err(signal),
                Err(Trouble::Failed(message)) => {
                    self.fail(index, None, &message);
                    return Ok(());
                }
            }
        }
        let since = Instant::now();
        let course = &self.courses[index];
        let (seed, number, target) = (self.request.seed, course.dealt(), course.benchmark.id.to_string());
        let order = deal(seed, &course.benchmark, number);
        let mut taken = Taken { slots: Vec::with_capacity(order.len()), void: None };
        let meter = Meter::start();
        for (at, side) in order.into_iter().enumerate() {
            self.show(index);
            let padding = padding(seed, &target, number, at);
            match self.slots.slot(self.courses[index].scenario, side, padding, search) {
                Ok(trial) => {
                    taken.void = trial.void.clone().map(|reason| VoidReason { reason });
                    taken.slots.push((padding, trial));
                    // The whole block is thrown away, so the rest of it would be for nothing.
                    if taken.void.is_some() {
                        break;
                    }
                }
                Err(Trouble::Interrupted(signal)) => return Err(signal),
                Err(Trouble::Failed(message)) => {
                    self.fail(index, Some(side), &message);
                    return Ok(());
                }
            }
        }
        if taken.void.is_none() && self.courses[index].may_void() {
            // What a server waited for a processor is not known of all of its processes, and is part of what it is like under load.
            taken.void = void_reason(&meter.read(Duration::ZERO), self.request.void_share);
        }
        if let Some(void) = &taken.void {
            self.progress.tell(Event::Note(format!("a block of {target} is void: {}", void.reason)));
        } else {
            self.courses[index].took(since.elapsed().as_secs_f64(), search);
        }
        self.courses[index].push(taken, planned);
        self.planner.set_target_overhead(&target, self.courses[index].block_seconds);
        self.report(index, &planned);
        if let Some(why) = self.courses[index].is_lost() {
            self.give_up(index, &why);
        }
        Ok(())
    }

    /// Tells the planner where these lines stand, and the error share in any case.
    fn report(&mut self, index: usize, lines: &dyn Fn(&Line) -> bool) {
        let course = &self.courses[index];
        for (place, line) in course.lines.iter().enumerate() {
            let Some(item) = line.item.filter(|_| place == 0 || lines(line)) else { continue };
            if line.fate != Fate::Measured || course.has_too_few(&line.metric) {
                self.planner.fail(item);
            } else if !line.blocks.is_empty() {
                let look = LOOK_ROUNDS.contains(&(line.valid() * ROUNDS_PER_BLOCK));
                let limits = (self.request.limits)(&course.benchmark, &line.metric);
                let standing = look
                    .then(|| judge::standing(&course.measurement(line), &course.trials, &limits))
                    .flatten();
                let own = if line.is_knee() { course.search_seconds } else { 0.0 };
                self.planner.record(item, line.valid(), standing, own);
            }
        }
    }

    /// The generator is no match for the scenario: what was measured counts, and where nothing was, it failed.
    fn give_up(&mut self, index: usize, why: &str) {
        if self.courses[index].valid() == 0 {
            self.fail(index, None, why);
            return;
        }
        let message = format!("{} was given up: {why}", self.courses[index].benchmark.id);
        self.warn("load_given_up", message);
        self.courses[index]
            .lines
            .iter()
            .filter_map(|line| line.item)
            .for_each(|item| self.planner.fail(item));
    }

    fn fail(&mut self, index: usize, side: Option<Side>, message: &str) {
        tell_failure(self.progress, &self.courses[index], side, message);
        self.courses[index].fail(side, message);
        self.courses[index]
            .lines
            .iter()
            .filter_map(|line| line.item)
            .for_each(|item| self.planner.fail(item));
    }

    fn warn(&mut self, code: &str, message: String) {
        self.progress.tell(Event::Warning(message.clone()));
        self.warnings.push(Warning::new(code, message));
    }

    fn show(&self, index: usize) {
        let elapsed = self.started.elapsed();
        let remaining = self.planner.remaining_seconds(elapsed.as_secs_f64());
        let course = &self.courses[index];
        let items = || self.courses.iter().flat_map(|course| &course.lines).filter_map(|line| line.item);
        // A metric that was not granted its next look has one that is behind the others'.
        let rounds = course.valid() * ROUNDS_PER_BLOCK;
        let next_looks =
            course.lines.iter().filter_map(|line| line.item).map(|item| self.planner.next_look(item));
        let next = next_looks.filter(|look| *look > rounds).min();
        self.progress.tell(Event::Measuring(Measuring {
            benchmark: course.benchmark.id.to_string(),
            rounds,
            next_look: next.unwrap_or(rounds),
            decided: self.planner.decided(),
            benchmarks: items().count(),
            elapsed,
            remaining: Duration::try_from_secs_f64(remaining).unwrap_or_default(),
        }));
    }

    fn hand_over(&mut self) {
        let (measurements, trials) = gathered(&self.courses);
        (self.keep)(&measurements, &trials);
    }

    fn result(mut self, interrupted: Option<&'static str>) -> Measured {
        let unmeasured = |course: &&Course<'_>| course.fate.is_none() && course.valid() == 0;
        let names: Vec<String> =
            self.courses.iter().filter(unmeasured).map(|course| course.benchmark.id.to_string()).collect();
        if interrupted.is_none() && !names.is_empty() {
            let budget = quantity::seconds(self.request.budget.as_secs_f64());
            self.warn("budget_spent", format!("the budget of {budget} had no room for {}", names.join(", ")));
        }
        self.hand_over();
        let (measurements, trials) = gathered(&self.courses);
        Measured {
            measurements,
            trials,
            warnings: self.warnings,
            interrupted: interrupted.map(|signal| format!("interrupted by {signal}")),
            spent: self.started.elapsed(),
        }
    }
}

/// All that was measured.
pub(super) fn gathered(courses: &[Course<'_>]) -> (Vec<Measurement>, Vec<crate::model::run::TrialBlock>) {
    let mut measurements: Vec<Measurement> = courses.iter().flat_map(Course::measurements).collect();
    measurements.sort_by(|a, b| (&a.benchmark, &a.metric.name).cmp(&(&b.benchmark, &b.metric.name)));
    (measurements, courses.iter().flat_map(|course| course.trials.clone()).collect())
}

/// The fate of a scenario whose service already runs somewhere: there is no second one to compare it with, and no build of a
/// revision that its values could stand for.
pub(super) fn already_runs() -> Fate {
    Fate::Ignored(
        "its service already runs at a URL, so there is no other side: `tollgate load` measures it".into(),
    )
}
