//! What was concluded of each benchmark and of the whole check.

use super::{
    benchmark::Benchmark,
    census::Census,
    environment::Environment,
    metric::Metric,
    outcome::Outcome,
    revision::Revision,
    run::{Mode, Side, Warning},
};

/// The verdict of one benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Shown to be worse, by at least the margin in estimate; or a budget is broken.
    Regressed,
    /// Shown to be better.
    Improved,
    /// Shown to be no worse than the margin.
    Unchanged,
    /// Neither could be shown.
    Inconclusive,
    /// Same machine code on both sides.
    Identical,
    /// Only head has it.
    New,
    /// Only base has it.
    Missing,
    /// Regressed, and a waiver in force covers it.
    Waived,
    /// It could not be measured.
    Failed,
}

impl Verdict {
    /// The contract's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::Inconclusive => "inconclusive",
            Self::Identical => "identical",
            Self::New => "new",
            Self::Missing => "missing",
            Self::Waived => "waived",
            Self::Failed => "failed",
        }
    }
}

/// A relative change of head against base: 0.05 is 5 % more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Point estimate.
    pub estimate: f64,
    /// Lower end of the interval; `None` when the data bound it by nothing.
    pub lower: Option<f64>,
    /// Upper end of the interval; `None` when the data bound it by nothing.
    pub upper: Option<f64>,
    /// The one-sided confidence of each end that was attained.
    pub confidence: f64,
}

/// One process as the verdict shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotValue {
    /// Whose process.
    pub side: Side,
    /// Mean of the fastest fifth of its samples per iteration, in the metric's unit.
    pub fast: f64,
    /// Median of its samples per iteration, in the metric's unit.
    pub median: f64,
}

/// One row of a verdict: one metric of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Which benchmark.
    pub benchmark: Benchmark,
    /// Its id as shown: prefixed by `target:` where two targets share it.
    pub display_id: String,
    /// Which metric.
    pub metric: Metric,
    /// The conclusion.
    pub verdict: Verdict,
    /// Rounds that the conclusion rests on.
    pub rounds: u32,
    /// Base's value (median over its slots of the slot value), in the metric's unit.
    pub base: Option<f64>,
    /// Head's value, in the metric's unit.
    pub head: Option<f64>,
    /// The relative change with its interval.
    pub change: Option<Change>,
    /// The smallest change that matters, relative.
    pub margin: f64,
    /// Final sequential p of "head is worse", at most 1.
    pub p_value: Option<f64>,
    /// Its Benjamini-Hochberg adjustment within the family.
    pub q_value: Option<f64>,
    /// The true relative worsening found with 80 % power at the rounds that the budget allows.
    pub minimum_detectable: Option<f64>,
    /// Robust standard deviation of ln(slot value) within blocks.
    pub scatter: Option<f64>,
    /// Whether not even a worsening of `must_rule_out` could be ruled out; `None` where nothing was tested.
    pub blind: Option<bool>,
    /// One sentence a person can act on.
    pub reason: String,
    /// Valid slots in time order, block by block.
    pub slots: Vec<Vec<SlotValue>>,
}

/// Tests that share one error rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// `time`, `load`, …
    pub name: String,
    /// How many tests it holds.
    pub tests: usize,
    /// `benjamini-hochberg` or `holm`.
    pub method: String,
    /// The share of the error rate that it got.
    pub false_discovery_rate: f64,
}

/// The verdict of a whole check.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckVerdict {
    /// The version of the tollgate that judged.
    pub tool_version: String,
    /// What it came to; its exit code follows.
    pub outcome: Outcome,
    /// Every outcome that applied, the deciding one first, with the reason of each.
    pub outcomes: Vec<(Outcome, String)>,
    /// How base and head were compared.
    pub mode: Mode,
    /// The seed of the deals.
    pub seed: u64,
    /// What head was compared with.
    pub base: Option<Revision>,
    /// The revision under test.
    pub head: Revision,
    /// Where it was measured.
    pub environment: Environment,
    /// The families of tests.
    pub families: Vec<Family>,
    /// Who was expected, measured, compared.
    pub census: Census,
    /// The rows, sorted by benchmark and metric; renderers choose their own order.
    pub judgements: Vec<Judgement>,
    /// What the reader should know.
    pub warnings: Vec<Warning>,
    /// What the whole check took, seconds.
    pub duration_seconds: f64,
}
