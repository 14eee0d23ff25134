//! One benchmark on its way through the measurement.

use super::{
    contender::Contender,
    cost::Cost,
    lockstep::Seat,
    stage::{Sampling, SlotSettings},
    subject::Match,
};
use crate::{
    model::{
        benchmark::Benchmark,
        metric::Metric,
        run::{Block, Fate, Measurement, Slot, SlotMethod},
    },
    plan::deal::SLOTS,
};

/// A benchmark may lose this many blocks more than it keeps; then its blocks count whatever the machine does, or it would never
/// be done. The rule looks at no value, so the deals stay fair.
const VOIDS_IN_ADVANCE: usize = 2;

/// How a benchmark's processes live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// All six of a block at once.
    Together,
    /// One after the other.
    Apart,
    /// One after the other, each writing files.
    Files,
}

/// One benchmark, what is known of it and what became of it.
#[derive(Debug)]
pub(super) struct Course {
    found: Match,
    pair: usize,
    cost: Cost,
    metric: Metric,
    way: Way,
    blocks: Vec<Block>,
    fate: Fate,
    strikes: u32,
}

impl Course {
    /// A benchmark with the blocks that an earlier run measured.
    pub(super) fn new(contender: Contender, blocks: Vec<Block>) -> Self {
        let way = match contender.method {
            SlotMethod::Solo => Way::Apart,
            SlotMethod::Files => Way::Files,
            SlotMethod::Lockstep | SlotMethod::Foreign | SlotMethod::Load | SlotMethod::Command => {
                Way::Together
            }
        };
        let Contender { found, pair, cost, metric, .. } = contender;
        Self { found, pair, cost, metric, way, blocks, fate: Fate::Measured, strikes: 0 }
    }

    /// Which one.
    pub(super) fn benchmark(&self) -> &Benchmark {
        &self.found.benchmark
    }

    /// Where the two sides have it.
    pub(super) fn found(&self) -> &Match {
        &self.found
    }

    /// The index of its pair.
    pub(super) fn pair(&self) -> usize {
        self.pair
    }

    /// How its processes live.
    pub(super) fn way(&self) -> Way {
        self.way
    }

    /// How its samples are taken.
    pub(super) fn sampling(&self) -> Sampling {
        self.cost.sampling
    }

    /// Blocks that were dealt, void ones included.
    pub(super) fn dealt(&self) -> u64 {
        self.blocks.len() as u64
    }

    /// Blocks that count.
    pub(super) fn valid(&self) -> u32 {
        let valid = self.blocks.iter().filter(|block| block.void.is_none()).count();
        u32::try_from(valid).unwrap_or(u32::MAX)
    }

    /// What a block is expected to take, seconds.
    pub(super) fn block_seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "six")]
        let slots = SLOTS as f64;
        slots * self.cost.slot_seconds()
    }

    /// Its seat in the next pass.
    pub(super) fn seat(&self, subject: usize, settings: &SlotSettings) -> Seat {
        let void = self.blocks.iter().filter(|block| block.void.is_some()).count();
        let kept = self.blocks.len() - void;
        Seat {
            subject,
            found: self.found.clone(),
            block: self.dealt(),
            limit: settings.limit(self.cost.slot_seconds()),
            scale: self.cost.scale,
            may_void: void < kept + VOIDS_IN_ADVANCE,
        }
    }

    /// Adds a block.
    pub(super) fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Learns from the first block what an iteration takes once it is warm; returns whether samples are taken otherwise from now on.
    pub(super) fn relearn(&mut self) -> bool {
        let Some(block) = self.blocks.last().filter(|_| self.metric == Metric::time()) else { return false };
        let fastest = |slot: &Slot| {
            slot.samples.iter().map(|sample| sample.total / sample.iterations).fold(f64::INFINITY, f64::min)
        };
        let nanoseconds = block.slots.iter().map(fastest).fold(f64::INFINITY, f64::min);
        let samples = block.slots.first().map_or(0, |slot| slot.samples.len() as u64);
        self.way != Way::Files && nanoseconds.is_finite() && self.cost.relearn(nanoseconds * 1e-9, samples)
    }

    /// It failed beside others, but not alone; returns how often by now.
    pub(super) fn strike(&mut self) -> u32 {
        self.strikes += 1;
        self.strikes
    }

    /// Its processes live one after the other from now on.
    pub(super) fn separate(&mut self) {
        if self.way == Way::Together {
            self.way = Way::Apart;
        }
    }

    /// It could not be measured.
    pub(super) fn fail(&mut self, fate: Fate) {
        self.fate = fate;
    }

    /// What was measured of it so far.
    pub(super) fn measurement(&self) -> Measurement {
        Measurement {
            benchmark: self.found.benchmark.clone(),
            metric: self.metric.clone(),
            fate: self.fate.clone(),
            method: match self.way {
                Way::Together => SlotMethod::Lockstep,
                Way::Apart => SlotMethod::Solo,
                Way::Files => SlotMethod::Files,
            },
            blocks: self.blocks.clone(),
        }
    }
}
