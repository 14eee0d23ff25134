//! Head alone: for stored baselines and for runs that are compared later. Each trial is a block of its own, void or not.
//!
//! Scenarios take turns, so the trials of each are spread over the whole measurement.

use std::time::{Duration, Instant};

use super::{
    course::{Course, Line, Taken},
    paired::{Slots, courses, gathered, settle, tell_failure},
    request::{Measured, Request, Trouble},
};
use crate::{
    machine::noise::Meter,
    measure::lockstep::void_reason,
    model::run::{Side, VoidReason},
    plan::deal::{SLOTS, padding},
    progress::{Event, Measuring, Progress},
};

/// Void trials are measured again for so many times the trials that were asked for.
const MOST_TRIES: u32 = 2;

/// Measures head, one trial on each of `processes` fresh servers a scenario. What the budget has no room for has fewer.
pub fn measure_alone(
    request: &Request<'_>,
    processes: u32,
    slots: &mut dyn Slots,
    progress: &dyn Progress,
) -> Measured {
    let (mut courses, warnings) = courses(request);
    let mut interrupted = settle(&mut courses, slots, progress);
    // The budget is for measuring: what building the services takes is not a part of it.
    let started = Instant::now();
    for round in 0..processes.saturating_mul(MOST_TRIES) {
        for course in &mut courses {
            if interrupted.is_some() || course.fate.is_some() || course.valid() >= processes {
                continue;
            }
            let left = request.budget.saturating_sub(started.elapsed()).as_secs_f64();
            if slot_seconds(course, searches(request, course)) > left {
                continue;
            }
            progress.tell(Event::Measuring(Measuring {
                benchmark: course.benchmark.id.to_string(),
                rounds: course.valid(),
                next_look: processes,
                elapsed: started.elapsed(),
                remaining: request.budget.saturating_sub(started.elapsed()),
                ..Measuring::default()
            }));
            let may_void = round + processes < processes.saturating_mul(MOST_TRIES);
            interrupted = slot(request, course, (round, may_void), slots, progress).err();
        }
    }
    for course in courses.iter_mut().filter(|course| course.fate.is_none() && course.valid() == 0) {
        if let Some(void) = course.trials.last().and_then(|block| block.void.clone()) {
            course.fail(None, &format!("every trial is void: {}", void.reason));
        } else {
            progress.tell(Event::Note(format!("the budget had no room for {}", course.benchmark.id)));
        }
    }
    let (measurements, trials) = gathered(&courses);
    Measured {
        measurements,
        trials,
        warnings,
        interrupted: interrupted.map(|signal| format!("interrupted by {signal}")),
        spent: started.elapsed(),
    }
}

/// Whether its slots search for the knee: only where that is judged.
fn searches(request: &Request<'_>, course: &Course<'_>) -> bool {
    let judged = |line: &Line| (request.limits)(&course.benchmark, &line.metric).left_out.is_none();
    course.lines.iter().any(|line| line.is_knee() && judged(line))
}

fn slot_seconds(course: &Course<'_>, search: bool) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "six")]
    let slots = SLOTS as f64;
    (course.block_seconds + if search { course.search_seconds } else { 0.0 }) / slots
}

fn slot(
    request: &Request<'_>,
    course: &mut Course<'_>,
    (round, may_void): (u32, bool),
    slots: &mut dyn Slots,
    progress: &dyn Progress,
) -> Result<(), &'static str> {
    let padding = padding(request.seed, course.benchmark.id.as_str(), u64::from(round), 0);
    let search = searches(request, course);
    let surveyed = if search { slots.survey(course.scenario) } else { Ok(()) };
    let meter = Meter::start();
    match surveyed.and_then(|()| slots.slot(course.scenario, Side::Head, padding, search)) {
        Ok(trial) => {
            let void = trial.void.clone().map(|reason| VoidReason { reason });
            let by_machine = || void_reason(&meter.read(Duration::ZERO), request.void_share);
            let void = void.or_else(|| by_machine().filter(|_| may_void));
            course.push(Taken { slots: vec![(padding, trial)], void }, |line| search || !line.is_knee());
        }
        Err(Trouble::Interrupted(signal)) => return Err(signal),
        Err(Trouble::Failed(message)) => {
            tell_failure(progress, course, Some(Side::Head), &message);
            course.fail(Some(Side::Head), &message);
        }
    }
    Ok(())
}
