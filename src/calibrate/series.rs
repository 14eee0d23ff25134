//! One benchmark of the self-test: a kernel against itself, or against itself with more work, through the looks of a check.
//!
//! Each is judged as if it were the only change among [`FAMILY`] benchmarks of a check, the hardest case of its correction.

use crate::{
    calibrate::kernel::{Kernel, Order, protocol::Shape, work::UNITS},
    judge::{paired::standing, policy::Limits},
    model::{
        benchmark::{Benchmark, BenchmarkId},
        metric::Metric,
        policy::Policy,
        run::{Block, Fate, Measurement, Side, SlotMethod},
        verdict::{SlotValue, Verdict},
    },
    plan::{
        deal,
        looks::{Item, Planner, ROUNDS_PER_BLOCK, Settings, Standing},
    },
};

/// The benchmarks of the check that a series stands for.
pub const FAMILY: u32 = 8;

/// Injected changes up to this are judged at [`FINE_MARGIN`], since a change of just the margin is found half the time.
const FINE: u32 = 2;

/// The margin of fine changes, relative: what `--margin 1%` sets.
pub const FINE_MARGIN: f64 = 0.01;

/// A series may lose this many blocks more than it keeps; then its blocks count whatever the machine does, as in a check.
const VOIDS_IN_ADVANCE: usize = 2;

/// What is compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arm {
    /// Which kernel.
    pub kernel: Kernel,
    /// How much more work head does, per cent; 0 is an A/A comparison.
    pub injected_percent: u32,
}

impl Arm {
    /// A kernel against itself.
    #[must_use]
    pub fn null(kernel: Kernel) -> Self {
        Self { kernel, injected_percent: 0 }
    }

    /// The margin at which it is judged, relative.
    #[must_use]
    pub fn margin(&self) -> f64 {
        let fine = (1..=FINE).contains(&self.injected_percent);
        if fine { FINE_MARGIN } else { Policy::default().margin }
    }

    /// What the process of a side does.
    #[must_use]
    pub fn order(&self, side: Side, shape: Shape) -> Order {
        let more = if side == Side::Head { self.injected_percent } else { 0 };
        Order { kernel: self.kernel, units: UNITS + more, shape }
    }
}

/// The level at which a series is rejected: the false discovery rate over [`FAMILY`].
#[must_use]
pub fn level() -> f64 {
    Policy::default().false_discovery_rate / f64::from(FAMILY)
}

/// One arm through its looks.
#[derive(Debug, Clone)]
pub struct Series {
    arm: Arm,
    measurement: Measurement,
    limits: Limits,
    planner: Planner,
    standing: Option<Standing>,
}

impl Series {
    /// The `number`th series of an arm, with deals of its own.
    #[must_use]
    pub fn new(arm: Arm, number: u32) -> Self {
        let benchmark = Benchmark::new("doctor", id(arm, number));
        let policy = Policy::default();
        let settings =
            Settings { budget_seconds: f64::INFINITY, false_discovery_rate: level(), family: policy.family };
        let item = Item { benchmark: benchmark.clone(), margin: arm.margin(), block_seconds: 0.0 };
        let metric = Metric::time();
        Self {
            arm,
            limits: limits(arm, &metric, &policy),
            planner: Planner::new(settings, vec![item]),
            standing: None,
            measurement: Measurement {
                benchmark,
                metric,
                fate: Fate::Measured,
                method: SlotMethod::Solo,
                blocks: Vec::new(),
            },
        }
    }

    /// What it compares.
    #[must_use]
    pub fn arm(&self) -> Arm {
        self.arm
    }

    /// Its name: `sort +5 % #0`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.measurement.benchmark.id.as_str()
    }

    /// Side and environment padding of each slot of its next block.
    #[must_use]
    pub fn deal(&self, seed: u64) -> [(Side, u32); deal::SLOTS] {
        let block = self.measurement.blocks.len() as u64;
        let sides = deal::deal(seed, &self.measurement.benchmark, block);
        let mut process = 0;
        sides.map(|side| {
            let padding = deal::padding(seed, self.name(), block, process);
            process += 1;
            (side, padding)
        })
    }

    /// Takes in a block that was dealt by [`Series::deal`] and took `seconds`.
    pub fn record(&mut self, block: Block, seconds: f64) {
        self.measurement.blocks.push(block);
        self.standing = standing(&self.measurement, &self.limits);
        let at_look = self.standing.filter(|standing| standing.rounds == self.rounds());
        let valid = self.rounds() / ROUNDS_PER_BLOCK;
        self.planner.record(0, valid, at_look, seconds);
    }

    /// Rounds of its valid blocks.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        let valid = self.measurement.blocks.iter().filter(|block| block.void.is_none()).count();
        u32::try_from(valid).unwrap_or(u32::MAX).saturating_mul(ROUNDS_PER_BLOCK)
    }

    /// The rounds at which it is looked at next.
    #[must_use]
    pub fn next_look(&self) -> u32 {
        self.planner.next_look(0)
    }

    /// Whether a check would measure it no further.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.planner.decided() > 0
    }

    /// What a check would say of it by what was measured.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.standing.map_or(Verdict::Inconclusive, |standing| verdict(&standing))
    }

    /// What a check would say of its slots, had they been dealt otherwise: `sides` gives each valid block its labels.
    #[must_use]
    pub fn verdict_if(&self, mut sides: impl FnMut() -> [Side; deal::SLOTS]) -> Verdict {
        let mut other = self.measurement.clone();
        for block in other.blocks.iter_mut().filter(|block| block.void.is_none()) {
            block.slots.iter_mut().zip(sides()).for_each(|(slot, side)| slot.side = side);
        }
        standing(&other, &self.limits).map_or(Verdict::Inconclusive, |standing| verdict(&standing))
    }

    /// The values of its valid blocks, in time order.
    #[must_use]
    pub fn values(&self) -> Vec<Vec<SlotValue>> {
        let valid = self.measurement.blocks.iter().filter(|block| block.void.is_none());
        valid.map(|block| block.slots.iter().map(SlotValue::of).collect()).collect()
    }

    /// Whether its next block may be void.
    #[must_use]
    pub fn may_void(&self) -> bool {
        let kept = self.measurement.blocks.len() - self.voided();
        self.voided() < kept + VOIDS_IN_ADVANCE
    }

    /// Its blocks that the machine was taken away from.
    #[must_use]
    pub fn voided(&self) -> usize {
        self.measurement.blocks.iter().filter(|block| block.void.is_some()).count()
    }
}

fn verdict(standing: &Standing) -> Verdict {
    if standing.p_value <= level() {
        Verdict::Regressed
    } else if standing.improved_p_value <= level() {
        Verdict::Improved
    } else if standing.is_no_worse() {
        Verdict::Unchanged
    } else {
        Verdict::Inconclusive
    }
}

fn limits(arm: Arm, metric: &Metric, policy: &Policy) -> Limits {
    Limits {
        margin: arm.margin(),
        must_rule_out: policy.must_rule_out,
        budget: None,
        floor: None,
        left_out: None,
        direction: metric.direction,
    }
}

fn id(arm: Arm, number: u32) -> BenchmarkId {
    let text = format!("{} +{} % #{number}", arm.kernel.name(), arm.injected_percent);
    BenchmarkId::new(text).expect("a kernel's name makes a short id that is not empty")
}
