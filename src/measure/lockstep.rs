//! One block of several benchmarks of a target: three processes of base and three of head live at once, and all stand still but
//! the one whose turn it is.

use super::{
    builds::BenchExecutable,
    criterion::protocol::Complete,
    slot::{Bench, Failure},
    stage::{Sampling, Stage, slot_arguments},
    subject::Match,
};
use crate::{
    machine::noise::{Disturbance, Meter},
    model::run::{Block, Sample, Side, Slot, VoidReason},
    plan::deal::{SLOTS, Turn, padding, spawn_order, turns},
};
use std::time::Duration;

/// A benchmark that takes part in a pass.
#[derive(Debug, Clone)]
pub struct Seat {
    /// What the caller knows it by.
    pub subject: usize,
    /// Where the two sides have it.
    pub found: Match,
    /// The number of its block, void ones counted, which deals the order.
    pub block: u64,
    /// How long a slot may take.
    pub limit: Duration,
    /// One of the measurement's own units in the unit that is recorded.
    pub scale: f64,
    /// Whether its block may be thrown away for what the machine took.
    pub may_void: bool,
}

/// A pass over the benchmarks of a target.
#[derive(Debug, Clone)]
pub struct Lineup<'a> {
    /// The seed of all deals.
    pub seed: u64,
    /// The target's name in the report.
    pub target: &'a str,
    /// The number of this set of processes, which deals their order and padding.
    pub set: u64,
    /// Base's executable.
    pub base: &'a BenchExecutable,
    /// Head's executable.
    pub head: &'a BenchExecutable,
    /// How samples are taken.
    pub sampling: Sampling,
    /// criterion's filter; `None` runs everything, which is then all that is seated.
    pub filter: Option<String>,
    /// Who takes part, in an order in which both sides come to them.
    pub seats: Vec<Seat>,
}

impl Lineup<'_> {
    /// The executable of a side.
    #[must_use]
    pub fn executable(&self, side: Side) -> &BenchExecutable {
        match side {
            Side::Base => self.base,
            Side::Head => self.head,
        }
    }
}

/// A block that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Whose: the seat's subject.
    pub subject: usize,
    /// Its slots.
    pub block: Block,
    /// What it took, seconds.
    pub seconds: f64,
}

impl Measured {
    /// The slots of a seat's block, void when the machine took away too much of it.
    #[must_use]
    pub(super) fn of(seat: &Seat, slots: Vec<Slot>, taken: &Disturbance, void_share: f64) -> Self {
        let void = void_reason(taken, void_share).filter(|_| seat.may_void);
        Self { subject: seat.subject, block: Block { slots, void }, seconds: taken.wall.as_secs_f64() }
    }
}

/// What a pass tells while it runs.
#[derive(Debug)]
pub enum News {
    /// A slot of this subject was taken.
    Slot(usize),
    /// A block is complete.
    Block(Measured),
}

/// Where a pass broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Before its first benchmark.
    Start,
    /// At this subject.
    Subject(usize),
    /// After its last benchmark.
    End,
}

/// Why a pass broke off.
#[derive(Debug)]
pub struct Broken {
    /// Where.
    pub at: At,
    /// Whose process it was.
    pub side: Side,
    /// What happened to it.
    pub failure: Box<Failure>,
}

impl Broken {
    fn new(at: At, side: Side, failure: Failure) -> Self {
        Self { at, side, failure: Box::new(failure) }
    }
}

struct Member {
    side: Side,
    padding: u32,
    bench: Bench,
}

/// Measures one block of every seat, and tells each as it is done.
///
/// # Errors
/// Why it broke off; its processes are gone, and what was told before holds.
pub fn pass(stage: &Stage<'_>, lineup: &Lineup<'_>, tell: &mut dyn FnMut(News)) -> Result<(), Broken> {
    let mut crew =
        assemble(stage, lineup).map_err(|(side, failure)| Broken::new(At::Start, side, failure))?;
    for seat in &lineup.seats {
        let measured = block(stage, lineup, seat, &mut crew, tell).map_err(|(side, failure)| {
            let at = At::Subject(blamed(lineup, &failure, side).unwrap_or(seat.subject));
            Broken::new(at, side, failure)
        })?;
        tell(News::Block(measured));
    }
    dismiss(crew, lineup).map_err(|(side, failure)| {
        let at = blamed(lineup, &failure, side).map_or(At::End, At::Subject);
        Broken::new(at, side, failure)
    })
}

/// Starts all six in the order that was dealt, and waits until each of them stands still.
fn assemble(stage: &Stage<'_>, lineup: &Lineup<'_>) -> Result<Vec<Member>, (Side, Failure)> {
    let args = slot_arguments(stage.settings, lineup.sampling, lineup.filter.as_deref());
    let mut starting = Vec::with_capacity(SLOTS);
    for (number, side) in spawn_order(lineup.seed, lineup.target, lineup.set).into_iter().enumerate() {
        let padding = padding(lineup.seed, lineup.target, lineup.set, number);
        let process =
            stage.start(lineup.executable(side), &args, padding).map_err(|failure| (side, failure))?;
        starting.push((side, padding, process));
    }
    let connect = |(side, padding, process): (Side, u32, super::slot::Starting)| {
        let bench = process.connect(stage.start_limit()).map_err(|failure| (side, failure))?;
        Ok(Member { side, padding, bench })
    };
    starting.into_iter().map(connect).collect()
}

/// One block: the six turns of a benchmark, in the order that was dealt.
fn block(
    stage: &Stage<'_>,
    lineup: &Lineup<'_>,
    seat: &Seat,
    crew: &mut [Member],
    tell: &mut dyn FnMut(News),
) -> Result<Measured, (Side, Failure)> {
    let meter = Meter::start();
    let mut waited = Duration::ZERO;
    let mut slots = Vec::with_capacity(SLOTS);
    for turn in turns(lineup.seed, &seat.found.benchmark, seat.block) {
        let Some(member) = whose(crew, turn) else { continue };
        let place = seat.found.place(turn.side);
        let before = member.bench.schedule();
        let complete = member
            .bench
            .run_to(&place.raw, place.occurrence, seat.limit)
            .map_err(|failure| (turn.side, failure))?;
        if let (Some(before), Some(after)) = (before, member.bench.schedule()) {
            waited += Duration::from_nanos(after.waiting_ns.saturating_sub(before.waiting_ns));
        }
        let samples = readings(&complete, lineup.sampling, seat.scale);
        slots.push(Slot { side: turn.side, padding: member.padding, samples });
        tell(News::Slot(seat.subject));
    }
    Ok(Measured::of(seat, slots, &meter.read(waited), stage.settings.void_share))
}

/// The member who takes a turn: the `turn.process`-th of its side in spawn order.
fn whose(crew: &mut [Member], turn: Turn) -> Option<&mut Member> {
    crew.iter_mut().filter(|member| member.side == turn.side).nth(turn.process)
}

/// Lets everybody go at once, then waits for each to end.
fn dismiss(mut crew: Vec<Member>, lineup: &Lineup<'_>) -> Result<(), (Side, Failure)> {
    let limit = lineup.seats.last().map_or(Duration::ZERO, |seat| seat.limit);
    for member in &mut crew {
        member.bench.let_go();
    }
    for Member { side, bench, .. } in crew {
        bench.finish(limit).map_err(|failure| (side, failure))?;
    }
    Ok(())
}

/// The subject that ran before and is to blame for a failure.
fn blamed(lineup: &Lineup<'_>, failure: &Failure, side: Side) -> Option<usize> {
    let raw = failure.culprit.as_ref()?;
    lineup.seats.iter().find(|seat| seat.found.place(side).raw == *raw).map(|seat| seat.subject)
}

/// The readings of a slot, in the unit that is recorded. Of `--quick`, the last doubling holds the others' time again, and is the
/// one that counts.
#[must_use]
pub fn readings(complete: &Complete, sampling: Sampling, scale: f64) -> Vec<Sample> {
    let kept = match sampling {
        Sampling::Timed | Sampling::WholeSeconds => complete.samples.as_slice(),
        Sampling::Quick => &complete.samples[complete.samples.len().saturating_sub(1)..],
    };
    let scaled = |sample: &Sample| Sample { iterations: sample.iterations, total: sample.total * scale };
    kept.iter().map(scaled).collect()
}

/// Why a block does not count, judged by what the machine took away and nothing else.
#[must_use]
pub fn void_reason(disturbance: &Disturbance, void_share: f64) -> Option<VoidReason> {
    let share = disturbance.share();
    let reason = || format!("the machine was taken away for {:.0} % of the block", 100.0 * share);
    (share > void_share).then(|| VoidReason { reason: reason() })
}

#[cfg(test)]
mod tests {
    use super::{Complete, Disturbance, Sample, Sampling, readings, void_reason};
    use std::time::Duration;

    #[test]
    fn of_a_quick_slot_the_longer_sample_counts() {
        let samples = vec![Sample { iterations: 4.0, total: 40.0 }, Sample { iterations: 8.0, total: 72.0 }];
        let complete = Complete {
            id: "x".into(),
            samples: samples.clone(),
            warm_up: None,
            measurement: None,
            sample_size: None,
        };
        assert_eq!(readings(&complete, Sampling::Timed, 1.0), samples);
        assert_eq!(readings(&complete, Sampling::Quick, 0.5), [Sample { iterations: 8.0, total: 36.0 }]);
    }

    #[test]
    fn a_block_is_void_beyond_the_stated_share_and_says_how_much_was_taken() {
        let taken = |millis| Disturbance {
            wall: Duration::from_millis(500),
            stolen: Duration::from_millis(millis),
            ..Disturbance::default()
        };
        assert_eq!(void_reason(&taken(50), 0.1), None);
        let reason = void_reason(&taken(155), 0.1).unwrap().reason;
        assert_eq!(reason, "the machine was taken away for 31 % of the block");
        assert_eq!(void_reason(&taken(155), f64::INFINITY), None);
    }
}
