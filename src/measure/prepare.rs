//! Before the first slot: who is there, who is compared, what it will cost, and how it must be measured.

use super::{
    builds::{BenchExecutable, TargetPair},
    census::{self, Census, Entry},
    contender::{Contender, Ground, Prepared, file_cost, metric, named, samplings},
    cost::Cost,
    criterion::files::Written,
    request::{IdenticalCode, Request},
    scout::{self, Scouting},
    slot::{Failure, Trouble},
    solo::run_for_files,
    stage::{Sampling, SlotSettings, Stage, file_arguments},
    subject::{Match, bring_together, whole_target},
};
use crate::{
    machine::noise::available_bytes,
    model::{
        benchmark::Benchmark,
        run::{Fate, Side, SlotMethod},
    },
    plan::deal::SLOTS,
    progress::Progress,
    text::quantity,
};
use std::time::Duration;

/// The share of the memory that is left which the six live processes of a block may take.
const MEMORY_SHARE: f64 = 0.8;
/// The shortest time after which one iteration counts as hung.
const SCOUT_LIMIT: Duration = Duration::from_secs(10);
/// A block needs at least this many iterations of a routine: six slots of one iteration and two.
const LEAST_ITERATIONS: u32 = 18;

/// Prepares the measuring of every pair.
///
/// # Errors
/// When the user wants us to stop, with the name of the signal.
pub(super) fn prepare(
    request: &Request<'_>,
    stage: &Stage<'_>,
    progress: &dyn Progress,
) -> Result<Prepared, &'static str> {
    let mut prepared = Prepared::default();
    for (index, pair) in request.pairs.iter().enumerate() {
        let mut one = Preparing { request, stage, progress, pair, index, prepared: &mut prepared };
        let ground = one.pair()?;
        prepared.grounds.push(ground);
    }
    Ok(prepared)
}

/// One pair being prepared; the fields are those of [`prepare`].
pub(super) struct Preparing<'a, 'b> {
    pub(super) request: &'a Request<'a>,
    pub(super) stage: &'a Stage<'a>,
    pub(super) progress: &'a dyn Progress,
    pub(super) pair: &'a TargetPair,
    pub(super) index: usize,
    pub(super) prepared: &'b mut Prepared,
}

/// A census, or why there is none; the outer error is an interrupt.
pub(super) type Counted = Result<Result<Census, String>, &'static str>;

impl Preparing<'_, '_> {
    fn pair(&mut self) -> Result<Option<Ground>, &'static str> {
        match (&self.pair.base, &self.pair.head) {
            (None, None) => Ok(None),
            (Some(_), Some(head)) if self.pair.identical && self.request.identical == IdenticalCode::Skip => {
                self.one_side(head, Side::Head, &Fate::Identical)
            }
            (Some(base), Some(head)) => self.both_sides(base, head),
            (None, Some(head)) => self.one_side(head, Side::Head, &Fate::New),
            (Some(base), None) => self.one_side(base, Side::Base, &Fate::Missing),
        }
    }

    /// Lists a target of which nothing is measured.
    fn one_side(
        &mut self,
        executable: &BenchExecutable,
        side: Side,
        fate: &Fate,
    ) -> Result<Option<Ground>, &'static str> {
        match self.count(executable)? {
            Ok(census) if census.version.is_none() => {
                let listed = self.entries_by_files(executable)?;
                self.settle_all(side, listed.map(|(entries, _)| entries), fate);
            }
            counted => self.settle_all(side, counted.map(|census| census.entries), fate),
        }
        Ok(None)
    }

    pub(super) fn settle_all(&mut self, side: Side, listed: Result<Vec<Entry>, String>, fate: &Fate) {
        match listed {
            Ok(entries) => {
                for entry in entries {
                    let benchmark = Benchmark::new(&self.pair.target, entry.id);
                    let fate = self.request.left_out(&benchmark).map_or_else(|| fate.clone(), Fate::Ignored);
                    self.prepared.settle(benchmark, fate);
                }
            }
            Err(message) => {
                self.prepared
                    .settle(whole_target(&self.pair.target), Fate::Failed { side: Some(side), message });
            }
        }
    }

    fn both_sides(
        &mut self,
        base: &BenchExecutable,
        head: &BenchExecutable,
    ) -> Result<Option<Ground>, &'static str> {
        let (in_base, in_head) = (self.count(base)?, self.count(head)?);
        let (in_base, in_head) = match (in_base, in_head) {
            (Ok(in_base), Ok(in_head)) => (in_base, in_head),
            // What the other side holds cannot be compared; where that is unknown too, the target itself stands in.
            (Err(message), Ok(census)) => {
                self.fail_all(census.entries, Side::Base, &message);
                return Ok(None);
            }
            (Ok(census), Err(message)) => {
                self.fail_all(census.entries, Side::Head, &message);
                return Ok(None);
            }
            (Err(_), Err(message)) => {
                self.fail_all(Vec::new(), Side::Head, &message);
                return Ok(None);
            }
        };
        if in_base.version.is_none() || in_head.version.is_none() {
            return self.by_files((base, in_base), (head, in_head));
        }
        self.linked((base, in_base), (head, in_head)).map(Some)
    }

    /// Both sides connect: the usual case.
    fn linked(
        &mut self,
        (base, in_base): (&BenchExecutable, Census),
        (head, in_head): (&BenchExecutable, Census),
    ) -> Result<Ground, &'static str> {
        let both = self.bring_together(&in_base.entries, &in_head.entries);
        let of_head = self.scout(head, &in_head, both.iter().map(|found| found.head.index).collect())?;
        let of_base = self.scout(base, &in_base, both.iter().map(|found| found.base.index).collect())?;
        let method = self.method(&of_base, &of_head);
        for found in both {
            let cost = joined(&found, &of_base, &of_head);
            self.contend(found, cost, method);
        }
        self.tell_of_samplings();
        let start_seconds = (in_base.start_seconds + in_head.start_seconds) * 3.0;
        Ok(Ground { entries: (in_base.entries.len(), in_head.entries.len()), start_seconds })
    }

    fn bring_together(&mut self, base: &[Entry], head: &[Entry]) -> Vec<Match> {
        let left_out = |benchmark: &Benchmark| self.request.left_out(benchmark);
        let matched = bring_together(&self.pair.target, base, head, self.request.renames, &left_out);
        for (benchmark, fate) in matched.others {
            self.prepared.settle(benchmark, fate);
        }
        let doubled: Vec<&Benchmark> = matched
            .both
            .iter()
            .filter(|found| found.head.occurrence > 1)
            .map(|found| &found.benchmark)
            .collect();
        if !doubled.is_empty() {
            let message = format!(
                "bench target `{}` gives several benchmarks the same name; they are told apart by their order: {}",
                self.pair.target,
                named(doubled)
            );
            self.prepared.warn(self.progress, "duplicate_id", message);
        }
        matched.both
    }

    fn contend(&mut self, found: Match, cost: Result<Cost, Fate>, method: SlotMethod) {
        match cost {
            Ok(cost) => {
                let metric = metric(&cost.unit);
                self.prepared.contenders.push(Contender { found, pair: self.index, cost, method, metric });
            }
            Err(fate) => self.prepared.settle(found.benchmark, fate),
        }
    }

    /// A side's census. One that does not connect is no failure.
    pub(super) fn count(&mut self, executable: &BenchExecutable) -> Counted {
        match census::take(self.stage, executable) {
            Ok(census) => Ok(Ok(census)),
            Err(failure) => failure.interrupted().map_or_else(|| Ok(Err(failure.message())), Err),
        }
    }

    fn fail_all(&mut self, entries: Vec<Entry>, side: Side, message: &str) {
        let target = &self.pair.target;
        let mut benchmarks: Vec<Benchmark> =
            entries.into_iter().map(|entry| Benchmark::new(target, entry.id)).collect();
        if benchmarks.is_empty() {
            benchmarks.push(whole_target(target));
        }
        for benchmark in benchmarks {
            let failed = Fate::Failed { side: Some(side), message: message.to_owned() };
            let fate = self.request.left_out(&benchmark).map_or(failed, Fate::Ignored);
            self.prepared.settle(benchmark, fate);
        }
    }

    pub(super) fn scout(
        &self,
        executable: &BenchExecutable,
        census: &Census,
        mut wanted: Vec<usize>,
    ) -> Result<Scouting, &'static str> {
        wanted.sort_unstable();
        scout::scout(self.stage, executable, census, &wanted, self.scout_limit())
    }

    /// A routine that takes longer for one iteration would not get a single block done within the budget.
    fn scout_limit(&self) -> Duration {
        let longest = self.request.budget / LEAST_ITERATIONS;
        self.request.slot.timeout.unwrap_or(longest.max(SCOUT_LIMIT))
    }

    /// Six processes at once, unless they would not fit into memory.
    fn method(&mut self, base: &Scouting, head: &Scouting) -> SlotMethod {
        let needed = (base.resident_bytes + head.resident_bytes).saturating_mul(SLOTS as u64 / 2);
        let Some(available) = available_bytes() else { return SlotMethod::Lockstep };
        if to_f64(needed) <= MEMORY_SHARE * to_f64(available) {
            return SlotMethod::Lockstep;
        }
        let message = format!(
            "the benchmarks of `{}` have a process a slot: six of them at once would take {} of memory, and {} are left",
            self.pair.target,
            quantity::bytes(to_f64(needed)),
            quantity::bytes(to_f64(available))
        );
        self.prepared.warn(self.progress, "memory", message);
        SlotMethod::Solo
    }

    /// Says which benchmarks are not measured for the times that were asked for.
    fn tell_of_samplings(&mut self) {
        let ours = self.prepared.contenders.iter().filter(|contender| contender.pair == self.index);
        let costs: Vec<(&Benchmark, &Cost)> = ours.map(|c| (&c.found.benchmark, &c.cost)).collect();
        for (code, message) in samplings(&self.pair.target, &costs) {
            self.prepared.warn(self.progress, code, message);
        }
    }

    /// A side does not connect: both are measured by the files that criterion writes.
    fn by_files(
        &mut self,
        (base, in_base): (&BenchExecutable, Census),
        (head, in_head): (&BenchExecutable, Census),
    ) -> Result<Option<Ground>, &'static str> {
        let mut listed = Vec::new();
        let mut sampling = Sampling::Timed;
        for (executable, side) in [(base, Side::Base), (head, Side::Head)] {
            match self.entries_by_files(executable)? {
                Ok((entries, of_side)) => {
                    listed.push(entries);
                    sampling = sampling.max(of_side);
                }
                Err(message) => {
                    let known = if in_head.entries.is_empty() { in_base.entries } else { in_head.entries };
                    self.fail_all(known, side, &message);
                    return Ok(None);
                }
            }
        }
        let nothing = listed.iter().all(Vec::is_empty);
        self.tell_of_files(nothing);
        if nothing {
            return Ok(None);
        }
        let both = self.bring_together(&listed[0], &listed[1]);
        for found in both {
            let cost = file_cost(&self.request.slot, sampling);
            self.contend(found, Ok(cost), SlotMethod::Files);
        }
        self.tell_of_samplings();
        Ok(Some(Ground { entries: (listed[0].len(), listed[1].len()), start_seconds: 0.0 }))
    }

    /// Says that a target does not connect, and what that means.
    pub(super) fn tell_of_files(&mut self, nothing: bool) {
        let target = &self.pair.target;
        let (code, what) = if nothing {
            ("no_benchmarks", "writes no measurements: it is no criterion bench, and left out")
        } else {
            (
                "files",
                "is measured by the files that it writes, a process a slot (is its criterion older than 0.3.3?)",
            )
        };
        self.prepared.warn(
            self.progress,
            code,
            format!("bench target `{target}` does not connect and {what}"),
        );
    }

    /// The benchmarks that an executable writes files for, all of them run shortly, and how their samples can be taken: for times
    /// of a moment or, where those are refused, for whole seconds.
    pub(super) fn entries_by_files(
        &self,
        executable: &BenchExecutable,
    ) -> Result<Result<(Vec<Entry>, Sampling), String>, &'static str> {
        let mut message = String::new();
        for sampling in [Sampling::Timed, Sampling::WholeSeconds] {
            match self.written_shortly(executable, sampling) {
                Ok(written) => {
                    let names = written.into_iter().map(|written| written.id).collect();
                    return Ok(Ok((census::entries(names), sampling)));
                }
                Err(failure) => {
                    failure.interrupted().map_or(Ok(()), Err)?;
                    message = failure.message();
                    // Only what ended by itself may have been the arguments' fault.
                    if !matches!(failure.trouble, Trouble::Ended(_)) {
                        break;
                    }
                }
            }
        }
        Ok(Err(message))
    }

    fn written_shortly(
        &self,
        executable: &BenchExecutable,
        sampling: Sampling,
    ) -> Result<Vec<Written>, Failure> {
        let shortly = Duration::from_millis(1);
        let settings = SlotSettings { warm_up: shortly, measurement: shortly, ..self.request.slot };
        let args = file_arguments(&settings, sampling, None);
        // One that sets its own times takes them; nothing better is known of it than that the budget has no room for more.
        let limit = self.request.budget.max(SCOUT_LIMIT);
        run_for_files(self.stage, executable, args, 0, limit)
    }
}

/// What both scouts make of a benchmark: the dearer of the two costs, unless one failed.
fn joined(found: &Match, base: &Scouting, head: &Scouting) -> Result<Cost, Fate> {
    let mut sides = [(Side::Head, found.head.index, head), (Side::Base, found.base.index, base)]
        .into_iter()
        .map(|(side, index, scouting)| {
            let failed = |message: &str| Fate::Failed { side: Some(side), message: message.to_owned() };
            if let Some(late) = &scouting.late {
                return Err(failed(late));
            }
            match scouting.costs.get(&index) {
                Some(Ok(cost)) => Ok(cost),
                Some(Err(message)) => Err(failed(message)),
                None => Err(failed("was never reached")),
            }
        });
    let (Some(head), Some(base)) = (sides.next(), sides.next()) else { unreachable!("there are two sides") };
    let (head, base) = (head?, base?);
    if head.unit != base.unit {
        let message = format!("base is measured in `{}`, head in `{}`", base.unit, head.unit);
        return Err(Fate::Failed { side: None, message });
    }
    let mut cost = if head.timed_seconds() >= base.timed_seconds() { head.clone() } else { base.clone() };
    cost.own_times = head.own_times || base.own_times;
    let either = |sampling| base.sampling == sampling || head.sampling == sampling;
    // One old criterion makes both sides count in whole seconds: it knows nothing else.
    if either(Sampling::WholeSeconds) {
        cost.sampling = Sampling::WholeSeconds;
    } else if either(Sampling::Quick) {
        cost.sampling = Sampling::Quick;
    }
    Ok(cost)
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory are shown and compared roughly")]
fn to_f64(bytes: u64) -> f64 {
    bytes as f64
}
