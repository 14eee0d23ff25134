//! What was measured: samples in slots, slots in blocks, blocks of a benchmark, and all of it as a run.
//!
//! A [`Run`] holds the base and head slots of one check (or head slots alone, measured by `tollgate run`), with all that is
//! needed to judge them again: it is the one value that measuring produces and judging consumes.

use super::{
    baseline::StoredSeries,
    benchmark::Benchmark,
    environment::Environment,
    load::{Stress, Trial},
    metric::Metric,
    policy::Policy,
    revision::Revision,
};

/// Which of the two revisions a slot belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The revision compared with.
    Base,
    /// The revision under test.
    Head,
}

impl Side {
    /// `base` or `head`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Head => "head",
        }
    }
}

/// One reading inside a process: the total of `iterations` runs of the routine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// How many times the routine ran; positive and finite.
    pub iterations: f64,
    /// What they took together in the metric's unit (nanoseconds for `time`); finite and not negative.
    pub total: f64,
}

/// One fresh process (or one load trial) of one revision. Never without samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// Whose process it was.
    pub side: Side,
    /// Bytes of environment padding it was started with (0..=4096).
    pub padding: u32,
    /// Its readings in time order.
    pub samples: Vec<Sample>,
}

/// Why a block does not count.
#[derive(Debug, Clone, PartialEq)]
pub struct VoidReason {
    /// A sentence fragment: `the machine was taken away for 31 % of the block`.
    pub reason: String,
}

/// Slots measured back to back in an order dealt at random. A paired block is three rounds: six slots.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The slots in time order.
    pub slots: Vec<Slot>,
    /// Set when the block was thrown away before its values were looked at.
    pub void: Option<VoidReason>,
}

/// How the slots of a benchmark were obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SlotMethod {
    /// Over criterion's wire protocol, the six processes of a block taking turns.
    #[default]
    Lockstep,
    /// Over criterion's wire protocol, one process per slot.
    Solo,
    /// From the files that criterion writes, one process per slot.
    Files,
    /// Values of another tool or of a file of slots.
    Foreign,
    /// One load trial on a fresh server a slot.
    Load,
    /// One process of a command of the user, in rounds that we dealt.
    Command,
}

/// What became of one benchmark in this run.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// Measured (perhaps with no block yet: the budget ended before its turn).
    Measured,
    /// Both sides' machine code is the same, so it was not measured.
    Identical,
    /// Only head has it.
    New,
    /// Only base has it.
    Missing,
    /// It could not be measured; the text says on which side and why, with the tail of its stderr.
    Failed {
        /// The side that failed; `None` when both or neither in particular.
        side: Option<Side>,
        /// What happened, ending with the tail of its stderr where there is one.
        message: String,
    },
    /// Left out by `--filter`, `--bench` or a rule with `ignore = true`; the text says by which.
    Ignored(String),
}

/// All that was measured of one metric of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Which benchmark.
    pub benchmark: Benchmark,
    /// What was measured of it.
    pub metric: Metric,
    /// What became of it.
    pub fate: Fate,
    /// How its slots were obtained.
    pub method: SlotMethod,
    /// Its blocks in time order, void ones included.
    pub blocks: Vec<Block>,
}

/// The load trials of one block of a scenario: what its measurements were computed from.
///
/// The blocks of a scenario are in time order, void ones included; those of its `error_rate` stand at the same places.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialBlock {
    /// The scenario's name; its benchmark is `load:` and this.
    pub scenario: String,
    /// Set when the block does not count.
    pub void: Option<VoidReason>,
    /// Its trials in time order: six of a paired block, one of head alone.
    pub trials: Vec<Trial>,
}

/// How the values of a run are to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Base and head slots dealt in blocks, judged at planned looks.
    #[default]
    Paired,
    /// Head slots against stored baselines.
    Stored,
    /// Base and head slots of a finished data set, judged in one look (`compare --slots`, foreign tools).
    OneLook,
    /// One revision only: nothing to compare.
    Single,
}

impl Mode {
    /// `paired`, `stored`, `one-look` or `single`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paired => "paired",
            Self::Stored => "stored",
            Self::OneLook => "one-look",
            Self::Single => "single",
        }
    }
}

/// A warning with a stable code, shown once and kept in the JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// A stable word for scripts: `different_toolchain`, `as_built`, …
    pub code: String,
    /// The sentence for people.
    pub message: String,
}

impl Warning {
    /// The code of the warning that a shard of the check is missing, which makes the check incomplete.
    pub const MISSING_SHARD: &'static str = "missing_shard";

    /// A warning.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

/// Everything measured in one go in one environment, with its provenance.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The version of the tollgate that measured it.
    pub tool_version: String,
    /// How it is to be judged.
    pub mode: Mode,
    /// What head is compared with; `None` for a single revision.
    pub base: Option<Revision>,
    /// The revision under test.
    pub head: Revision,
    /// Where it was measured.
    pub environment: Environment,
    /// The seed of every deal in it.
    pub seed: u64,
    /// When measuring began, seconds since 1970-01-01T00:00:00Z.
    pub started_at: u64,
    /// What the whole check took, seconds.
    pub duration_seconds: f64,
    /// The seconds of measuring that the check was allowed, for the minimum detectable change; 0 when not bounded.
    pub budget_seconds: f64,
    /// Why it ended before it was decided (`interrupted by SIGINT`), if it did.
    pub interrupted: Option<String>,
    /// Every benchmark seen on either side, sorted.
    pub measurements: Vec<Measurement>,
    /// The load trials behind the measurements of load scenarios, in time order.
    pub load: Vec<TrialBlock>,
    /// Searches for the rate that services bear, in time order.
    pub stress: Vec<Stress>,
    /// The stored runs that head is judged against (mode `stored`); empty otherwise.
    pub baselines: Vec<StoredSeries>,
    /// The policy in force, so that the run can be judged again to the same verdict.
    pub policy: Policy,
    /// The day on which waivers are checked, `YYYY-MM-DD` (UTC): the day of measuring.
    pub day: String,
    /// What the reader should know.
    pub warnings: Vec<Warning>,
}
