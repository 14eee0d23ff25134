//! One block of one benchmark with a process for every slot: for benches that cannot live beside others, and for those that do not
//! connect and write files instead.

use super::{
    builds::BenchExecutable,
    criterion::{files, filter},
    lockstep::{Lineup, Measured, Seat, readings},
    slot::{Failure, Trouble},
    stage::{Stage, file_arguments, slot_arguments},
    subject::Place,
};
use crate::{
    files::scratch,
    machine::noise::Meter,
    model::run::{Sample, Side, Slot},
    plan::deal::{SLOTS, deal, padding},
    process::{self, Child, Spec},
};
use std::{ffi::OsString, path::PathBuf, time::Duration};

/// How the samples of a slot are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Over the link.
    Link,
    /// From the files that criterion writes.
    Files,
}

/// Measures one block of a seat, a process for each slot. A slot that fails is tried once more.
///
/// # Errors
/// The side whose slot failed twice, and why.
pub fn block(
    stage: &Stage<'_>,
    lineup: &Lineup<'_>,
    seat: &Seat,
    source: Source,
    tell: &mut dyn FnMut(usize),
) -> Result<Measured, (Side, Failure)> {
    let meter = Meter::start();
    let mut waited = Duration::ZERO;
    let mut slots = Vec::with_capacity(SLOTS);
    for (number, side) in deal(lineup.seed, &seat.found.benchmark, seat.block).into_iter().enumerate() {
        let padding = padding(lineup.seed, lineup.target, lineup.set, number);
        let take = || match source {
            Source::Link => linked(stage, lineup, seat, side, padding),
            Source::Files => written(stage, lineup, seat, side, padding),
        };
        let (samples, wait) = take()
            .or_else(|failure| if failure.interrupted().is_some() { Err(failure) } else { take() })
            .map_err(|failure| (side, failure))?;
        waited += wait;
        slots.push(Slot { side, padding, samples });
        tell(seat.subject);
    }
    Ok(Measured::of(seat, slots, &meter.read(waited), stage.settings.void_share))
}

type Taken = Result<(Vec<Sample>, Duration), Failure>;

fn linked(stage: &Stage<'_>, lineup: &Lineup<'_>, seat: &Seat, side: Side, padding: u32) -> Taken {
    let Place { raw, occurrence, .. } = seat.found.place(side);
    let only = only(seat);
    let args = slot_arguments(stage.settings, lineup.sampling, Some(&only));
    let mut bench = stage.open(lineup.executable(side), &args, padding)?;
    let complete = bench.run_to(raw, *occurrence, seat.limit)?;
    let waited = bench.schedule().map_or(0, |schedule| schedule.waiting_ns);
    bench.finish(seat.limit)?;
    Ok((readings(&complete, lineup.sampling, seat.scale), Duration::from_nanos(waited)))
}

fn written(stage: &Stage<'_>, lineup: &Lineup<'_>, seat: &Seat, side: Side, padding: u32) -> Taken {
    let only = only(seat);
    let args = file_arguments(stage.settings, lineup.sampling, Some(&only));
    let all = run_for_files(stage, lineup.executable(side), args, padding, seat.limit)?;
    let raw = &seat.found.place(side).raw;
    let skipped = || Failure { trouble: Trouble::Skipped, last_words: String::new(), culprit: None };
    let found = all.into_iter().find(|written| written.id == *raw).ok_or_else(skipped)?;
    Ok((found.samples, Duration::ZERO))
}

/// The same argument on both sides, whatever the benchmark is called there.
fn only(seat: &Seat) -> String {
    let (base, head) = (&seat.found.base.raw, &seat.found.head.raw);
    if base == head {
        filter::exactly([base.as_str()])
    } else {
        filter::exactly([base.as_str(), head.as_str()])
    }
}

/// Runs a bench that does not connect to its end, and reads what it wrote.
///
/// # Errors
/// When its process fails, takes longer than `limit`, or the user wants us to stop.
pub fn run_for_files(
    stage: &Stage<'_>,
    executable: &BenchExecutable,
    args: Vec<OsString>,
    padding: u32,
    limit: Duration,
) -> Result<Vec<files::Written>, Failure> {
    let failed = |trouble, last_words| Failure { trouble, last_words, culprit: None };
    let home: PathBuf = stage.home.join("criterion");
    // What an earlier process wrote must not be taken for this one's.
    if let Err(error) = scratch::remove(&home) {
        return Err(failed(Trouble::Connection(std::io::Error::other(error)), String::new()));
    }
    let mut spec = Spec::new(&executable.path, &executable.directory).args(args).timeout(limit);
    spec.environment
        .extend(executable.environment.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
    let padding = "x".repeat(usize::try_from(padding).unwrap_or(0));
    let spec =
        spec.remove("CARGO_CRITERION_PORT").set("CRITERION_HOME", &home).set("TOLLGATE_PADDING", padding);
    let mut child =
        Child::spawn(&spec, stage.interrupt).map_err(|error| failed(Trouble::Start(error), String::new()))?;
    if let Some(cpu) = stage.pin {
        let _ = process::affinity::pin(child.id(), cpu);
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(files::read(&home)),
        Ok(status) => Err(failed(Trouble::Ended(status), child.last_words())),
        Err(process::Error::TimedOut { limit, stderr_tail, .. }) => {
            Err(failed(Trouble::TimedOut(limit), stderr_tail))
        }
        Err(error) => Err(failed(Trouble::Start(error), String::new())),
    }
}
