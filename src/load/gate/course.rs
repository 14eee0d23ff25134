//! One scenario on its way through the measurement: its metrics, their blocks, and the trials behind them.

use super::{metrics, request::failed};
use crate::{
    judge::load::requests_needed,
    load::scenario::Scenario,
    model::{
        benchmark::Benchmark,
        load::Trial,
        metric::{Metric, Nature},
        run::{Block, Fate, Measurement, Sample, Side, Slot, SlotMethod, TrialBlock, VoidReason},
    },
};

/// A scenario may lose this many blocks more than it keeps; then the generator is no match for it.
const VOIDS_IN_ADVANCE: usize = 6;

/// The machine may void this many blocks more than are kept, as for criterion's benchmarks.
const VOIDS_OF_MACHINE: usize = 2;

/// One metric of a scenario.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) metric: Metric,
    pub(super) blocks: Vec<Block>,
    pub(super) fate: Fate,
    /// Its place in the planner; `None` where it is not judged.
    pub(super) item: Option<usize>,
}

impl Line {
    /// Whether it has a value only of slots that searched for it.
    pub(super) fn is_knee(&self) -> bool {
        self.metric.name == metrics::KNEE
    }

    /// Blocks that count.
    pub(super) fn valid(&self) -> u32 {
        let valid = self.blocks.iter().filter(|block| block.void.is_none()).count();
        u32::try_from(valid).unwrap_or(u32::MAX)
    }
}

/// The slots of a block as they were measured: the paddings of the servers and their trials.
pub(super) struct Taken {
    pub(super) slots: Vec<(u32, Trial)>,
    pub(super) void: Option<VoidReason>,
}

/// One scenario, what was measured of it and what became of it.
#[derive(Debug)]
pub(super) struct Course<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) benchmark: Benchmark,
    pub(super) lines: Vec<Line>,
    pub(super) trials: Vec<TrialBlock>,
    /// Why it is not measured, or no longer.
    pub(super) fate: Option<Fate>,
    /// What a block takes, without searches for the knee, seconds.
    pub(super) block_seconds: f64,
    /// What those of a block take.
    pub(super) search_seconds: f64,
}

impl<'a> Course<'a> {
    /// A scenario with what an earlier run measured of it.
    pub(super) fn new(
        scenario: &'a Scenario,
        benchmark: Benchmark,
        (measured, trials): (&[Measurement], &[TrialBlock]),
    ) -> Self {
        let trials: Vec<TrialBlock> =
            trials.iter().filter(|block| block.scenario == scenario.name).cloned().collect();
        let blocks = |metric: &Metric| {
            let same = |m: &&Measurement| m.benchmark == benchmark && m.metric == *metric;
            measured.iter().find(same).map(|earlier| earlier.blocks.clone()).unwrap_or_default()
        };
        let line =
            |metric: Metric| Line { blocks: blocks(&metric), metric, fate: Fate::Measured, item: None };
        let lines: Vec<Line> = metrics::metrics(scenario).into_iter().map(line).collect();
        let search_seconds = metrics::search_seconds(scenario);
        let block_seconds = metrics::block_seconds(scenario) - search_seconds;
        let mut course =
            Self { scenario, benchmark, lines, trials, fate: None, block_seconds, search_seconds };
        course.check_earlier();
        course
    }

    /// Blocks without their trials, or trials without their blocks, are no basis to go on from.
    fn check_earlier(&mut self) {
        let dealt = self.trials.len();
        let whole = self.lines.first().is_none_or(|errors| errors.blocks.len() == dealt);
        if !whole || self.lines.iter().any(|line| line.blocks.len() > dealt) {
            self.trials.clear();
            self.lines.iter_mut().for_each(|line| line.blocks.clear());
        }
    }

    /// Blocks that were dealt, void ones included.
    pub(super) fn dealt(&self) -> u64 {
        self.trials.len() as u64
    }

    /// Blocks that count.
    pub(super) fn valid(&self) -> u32 {
        let valid = self.trials.iter().filter(|block| block.void.is_none()).count();
        u32::try_from(valid).unwrap_or(u32::MAX)
    }

    /// Whether the machine may still void blocks of it: where it takes itself away all the time, what there is counts.
    pub(super) fn may_void(&self) -> bool {
        let kept = self.valid() as usize;
        self.trials.len() - kept < kept + VOIDS_OF_MACHINE
    }

    /// A block took so long, with searches or without.
    pub(super) fn took(&mut self, seconds: f64, searched: bool) {
        if searched {
            self.search_seconds = (seconds - self.block_seconds).max(0.0);
        } else {
            self.block_seconds = seconds;
        }
    }

    /// Why it cannot go on, when it loses more blocks than it keeps.
    pub(super) fn is_lost(&self) -> Option<String> {
        let kept = self.trials.iter().filter(|block| block.void.is_none()).count();
        let void = self.trials.len() - kept;
        let last = self.trials.last()?.void.as_ref()?;
        (void >= kept + VOIDS_IN_ADVANCE)
            .then(|| format!("{void} of {} blocks are void: {}", void + kept, last.reason))
    }

    /// Adds a block to the lines for which `wanted` holds, and to the error share in any case.
    pub(super) fn push(&mut self, taken: Taken, wanted: impl Fn(&Line) -> bool) {
        let void = taken.void;
        for line in &mut self.lines {
            let counted = line.metric.nature == Nature::Counted;
            if !counted && (!wanted(line) || line.fate != Fate::Measured) {
                continue;
            }
            match values(&line.metric, &taken.slots) {
                Ok(slots) => line.blocks.push(Block { slots, void: void.clone() }),
                // What does not count cannot show that a value is missing either.
                Err(_) if void.is_some() => {
                    line.blocks.push(Block { slots: Vec::new(), void: void.clone() });
                }
                Err(fate) => line.fate = fate,
            }
        }
        let trials = taken.slots.into_iter().map(|(_, trial)| trial).collect();
        self.trials.push(TrialBlock { scenario: self.scenario.name.clone(), void, trials });
    }

    /// Whether a window of the trials held too few requests for a metric to be judged.
    pub(super) fn has_too_few(&self, metric: &Metric) -> bool {
        let valid = self.trials.iter().filter(|block| block.void.is_none());
        let least = valid.flat_map(|block| &block.trials).map(|trial| trial.requests.scheduled).min();
        least.is_some_and(|least| least < requests_needed(&metric.name))
    }

    /// It failed: every metric did, the whole message stands with the first.
    pub(super) fn fail(&mut self, side: Option<Side>, message: &str) {
        let short = message.lines().next().unwrap_or_default();
        for (at, line) in self.lines.iter_mut().enumerate() {
            if line.fate == Fate::Measured {
                line.fate = failed(side, if at == 0 { message } else { short });
            }
        }
        self.fate = Some(failed(side, message));
    }

    /// It is left out: what was measured of it before is kept, so that it goes on from there when it is back, and is not judged.
    pub(super) fn leave_out(&mut self, reason: &str) {
        let fate = Fate::Ignored(reason.to_owned());
        self.lines.iter_mut().for_each(|line| line.fate.clone_from(&fate));
        self.fate = Some(fate);
    }

    /// A metric's measurement so far.
    pub(super) fn measurement(&self, line: &Line) -> Measurement {
        Measurement {
            benchmark: self.benchmark.clone(),
            metric: line.metric.clone(),
            fate: line.fate.clone(),
            method: SlotMethod::Load,
            blocks: line.blocks.clone(),
        }
    }

    /// All of its measurements: a benchmark that was not measured has one row.
    pub(super) fn measurements(&self) -> Vec<Measurement> {
        let all = self.lines.iter().map(|line| self.measurement(line));
        match &self.fate {
            Some(fate) if self.valid() == 0 => {
                all.take(1).map(|one| Measurement { fate: fate.clone(), blocks: Vec::new(), ..one }).collect()
            }
            _ => all.collect(),
        }
    }
}

/// The slots of a metric. Only a scenario's own metric may be new or missing: a formula that one side cannot answer.
fn values(metric: &Metric, taken: &[(u32, Trial)]) -> Result<Vec<Slot>, Fate> {
    let slot = |(padding, trial): &(u32, Trial)| {
        let total = trial.value(&metric.name)?;
        Some(Slot { side: trial.side, padding: *padding, samples: vec![Sample { iterations: 1.0, total }] })
    };
    let slots: Vec<Slot> = taken.iter().filter_map(slot).collect();
    if slots.len() == taken.len() {
        return Ok(slots);
    }
    let has = |side| slots.iter().any(|slot| slot.side == side);
    let own = Metric::of_load(&metric.name).is_none();
    let missing = |side| failed(side, format!("`{}` has no value: {}", metric.name, why(&metric.name)));
    Err(match (has(Side::Base), has(Side::Head)) {
        (false, true) if own && taken.iter().any(|(_, trial)| trial.side == Side::Base) => Fate::New,
        (true, false) if own => Fate::Missing,
        (false, true) => missing(Some(Side::Base)),
        (true, false) => missing(Some(Side::Head)),
        _ => missing(None),
    })
}

fn why(metric: &str) -> &'static str {
    match metric {
        "error_rate" => "no request was due: raise the rate or lengthen `window`",
        "cpu" => "no request was answered as expected, or the processor time of the server is not known",
        "rss.max" => "the memory of the server is not known",
        "knee" => {
            "the generator gave out before the service did; leave `knee` out of `gate`, or run where the generator has more processors"
        }
        name if crate::model::metric::percentile(name).is_some() => "no request was answered as expected",
        _ => "its formula has no value, or the page with its counters could not be read",
    }
}
