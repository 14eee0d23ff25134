//! Head alone: for stored baselines and for runs that are compared later. Each process is a block of its own.
//!
//! Commands take turns, so the slots of each are spread over the whole measurement.

use super::{
    Request,
    course::gathered,
    paired::begin,
    runner::{self, Trouble},
};
use crate::{
    measure::request::Measured,
    model::run::{Side, Warning},
    plan::deal::padding,
    progress::{Event, Measuring, Progress},
};
use std::time::Instant;

/// Measures head, `processes` processes a command. What the budget has no room for has fewer.
pub fn measure_alone(request: &Request<'_>, processes: u32, progress: &dyn Progress) -> Measured {
    let (mut courses, mut interrupted) = begin(request, progress);
    let started = Instant::now();
    for round in 0..processes {
        for course in courses.iter_mut().filter(|course| course.is_open()) {
            let elapsed = started.elapsed();
            if interrupted.is_some() || elapsed >= request.budget {
                continue;
            }
            progress.tell(Event::Measuring(Measuring {
                benchmark: course.program.name.clone(),
                rounds: round,
                next_look: processes,
                elapsed,
                remaining: request.budget.saturating_sub(elapsed),
                ..Measuring::default()
            }));
            let padding = padding(request.seed, &course.program.name, u64::from(round), 0);
            match runner::slot(course.program, &request.site, Side::Head, padding) {
                Ok(slot) => course.push(&[(Side::Head, padding, slot)], None, &|_| true),
                Err(Trouble::Interrupted(signal)) => interrupted = Some(signal),
                Err(Trouble::Failed(message)) => course.fail(Side::Head, &message),
            }
        }
    }
    let warnings: Vec<Warning> = courses.iter().flat_map(|course| course.warnings.clone()).collect();
    Measured {
        measurements: gathered(&courses),
        warnings,
        interrupted: interrupted.map(|signal| format!("interrupted by {signal}")),
        spent: started.elapsed(),
        ..Measured::default()
    }
}
