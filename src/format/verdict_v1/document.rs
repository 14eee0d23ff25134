//! The keys of a verdict file, in the order in which they are written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    assessment::{AdviceV1, ScoreV1, TierV1},
    load::Load,
};
use crate::format::parts_v1::{
    Direction, Environment, FateV1, Method, Mode, Nature, Revision, Series, Side, Tool, Warning, words,
};
use crate::format::policy_v1::Policy;
use crate::format::{load_v1, stress_v1};
use crate::model::verdict;

words! {
    /// The verdict of one benchmark.
    VerdictWord = verdict::Verdict {
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
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OutcomeWord {
    /// Exit code 0.
    Pass,
    /// Exit code 1.
    Regressed,
    /// Exit code 3.
    Inconclusive,
    /// Exit code 4.
    Incomplete,
    /// Exit code 2, 5 or 6.
    Error,
}

/// A verdict file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(in crate::format) struct Document {
    /// `tollgate.verdict/1`.
    pub(in crate::format) schema: String,
    /// Who judged it.
    pub(super) tool: Tool,
    /// What the check came to.
    pub(super) outcome: OutcomeWord,
    /// The exit code that follows from the outcome.
    pub(super) exit_code: u8,
    /// How base and head were compared.
    pub(super) mode: Mode,
    /// The seed of the deals.
    pub(super) seed: u64,
    /// What head was compared with; null when there was nothing.
    pub(super) base: Option<Revision>,
    /// The revision under test.
    pub(super) head: Revision,
    /// Where it was measured.
    pub(super) environment: Environment,
    /// The tests that share one error rate.
    pub(super) families: Vec<Family>,
    /// Who was expected, measured and compared, and why others were not.
    pub(super) census: Census,
    /// One row a metric of a benchmark.
    pub(super) benchmarks: Vec<Row>,
    /// The load, one entry a scenario and side; only where there was load.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) load: Vec<Load>,
    /// What became of the tiers of targets; only where there was load.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) targets: Vec<TierV1>,
    /// The score of the service under load; only where there was load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<ScoreV1>,
    /// Every level of load in time order, where a scenario was asked at several (`tollgate load --quick`); `load` has the last one that
    /// counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) levels: Vec<Load>,
    /// What to look at, the weightiest first; only where something was seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) advice: Vec<AdviceV1>,
    /// Searches for the rate that services bear, with what follows from them; only where there were some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) stress: Vec<stress_v1::Judged>,
    /// What the reader should know.
    pub(super) warnings: Vec<String>,
    /// What the whole check took, seconds.
    pub(super) duration_seconds: f64,
    /// The stable code of each warning, in the same order.
    #[serde(default)]
    pub(super) warning_codes: Vec<String>,
    /// Every outcome that applied, the deciding one first.
    #[serde(default)]
    pub(super) outcomes: Vec<Reasoned>,
    /// The rules in force.
    #[serde(default)]
    pub(super) policy: Option<Policy>,
    /// What the verdict was judged from, for `tollgate judge`.
    #[serde(default)]
    pub(super) evidence: Option<Evidence>,
}

/// An outcome that applied, and why.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Reasoned {
    /// The outcome.
    pub(super) outcome: OutcomeWord,
    /// Its exit code.
    pub(super) exit_code: u8,
    /// Why it applied.
    pub(super) reason: String,
}

/// Tests that share one error rate.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Family {
    /// `time`, `load`, …
    pub(super) name: String,
    /// How many tests it holds.
    pub(super) tests: usize,
    /// `benjamini-hochberg` or `holm`.
    pub(super) method: String,
    /// The share of the error rate that it got.
    pub(super) false_discovery_rate: f64,
}

/// Who was expected, measured and compared. Lists hold ids as the rows show them.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Census {
    /// Benchmarks that base or head has and nothing left out.
    pub(super) expected: usize,
    /// Those with at least one valid block, identical ones included.
    pub(super) measured: usize,
    /// Those judged against a base, identical ones included.
    pub(super) compared: usize,
    /// Those whose machine code is the same on both sides.
    pub(super) identical: usize,
    /// Those that are inconclusive.
    pub(super) inconclusive: usize,
    /// Those for which not even a slowdown of `policy.must_rule_out` could be ruled out.
    pub(super) blind: usize,
    /// Blocks thrown away because the machine was taken away.
    pub(super) voided_blocks: usize,
    /// Only head has them.
    pub(super) new: Vec<String>,
    /// Only base has them.
    pub(super) missing: Vec<String>,
    /// They could not be measured.
    pub(super) failed: Vec<String>,
    /// Left out by a filter or rule.
    #[serde(default)]
    pub(super) ignored: Vec<Ignored>,
}

/// A benchmark that was left out.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Ignored {
    /// Its id.
    pub(super) id: String,
    /// By what it was left out.
    pub(super) reason: String,
}

/// One metric of one benchmark.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Row {
    /// The benchmark's id; with `target:` in front where two targets share it.
    pub(super) id: String,
    /// The bench target.
    pub(super) target: String,
    /// The metric's name.
    pub(super) metric: String,
    /// The metric's unit.
    pub(super) unit: String,
    /// Which way is better.
    pub(super) direction: Direction,
    /// The conclusion.
    pub(super) verdict: VerdictWord,
    /// The rounds that it rests on.
    pub(super) rounds: u32,
    /// Base's value, in the metric's unit.
    pub(super) base: Option<f64>,
    /// Head's value, in the metric's unit.
    pub(super) head: Option<f64>,
    /// The relative change.
    pub(super) change: Option<Change>,
    /// The smallest change that matters, relative.
    pub(super) margin: f64,
    /// Final sequential p of "head is worse", at most 1.
    pub(super) p_value: Option<f64>,
    /// Its adjustment within the family.
    pub(super) q_value: Option<f64>,
    /// The true relative worsening found with 80 % power at the rounds that the budget allows.
    pub(super) minimum_detectable: Option<f64>,
    /// Robust standard deviation of ln(slot value) within blocks.
    pub(super) scatter: Option<f64>,
    /// One sentence a person can act on.
    pub(super) reason: String,
    /// How the metric scatters.
    #[serde(default)]
    pub(super) nature: Nature,
    /// The benchmark's id within its target, as its producer spells it; null when it is `id`.
    #[serde(default)]
    pub(super) benchmark: Option<String>,
    /// Whether not even a worsening of `policy.must_rule_out` could be ruled out; null where nothing was tested.
    #[serde(default)]
    pub(super) blind: Option<bool>,
    /// One entry a valid block in time order: its slots in time order.
    #[serde(default)]
    pub(super) slots: Vec<Vec<SlotV1>>,
}

/// The relative change of head against base: 0.05 is 5 % more.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Change {
    /// Point estimate.
    pub(super) estimate: f64,
    /// Lower end of the interval; null when the data bound it by nothing.
    pub(super) lower: Option<f64>,
    /// Upper end of the interval; null when the data bound it by nothing.
    pub(super) upper: Option<f64>,
    /// The one-sided confidence of each end that was attained.
    pub(super) confidence: f64,
}

/// One process.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct SlotV1 {
    /// Whose process.
    pub(super) side: Side,
    /// Mean of the fastest fifth of its samples per iteration, in the metric's unit.
    pub(super) fast: f64,
    /// Median of its samples per iteration, in the metric's unit.
    pub(super) median: f64,
}

/// The run that was judged, without its samples. Mode, seed, revisions, environment and duration are the verdict's.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Evidence {
    /// The version of the tollgate that measured.
    pub(super) measured_by: String,
    /// When measuring began, seconds since 1970-01-01T00:00:00Z.
    pub(super) started_at: u64,
    /// The day on which waivers are checked, `YYYY-MM-DD` (UTC).
    pub(super) day: String,
    /// The seconds of measuring that were allowed; 0 when not bounded.
    pub(super) budget_seconds: f64,
    /// Why measuring ended early, if it did.
    pub(super) interrupted: Option<String>,
    /// The warnings that came with the run.
    pub(super) warnings: Vec<Warning>,
    /// The stored runs that head was judged against.
    pub(super) baselines: Vec<Series>,
    /// Every benchmark seen on either side.
    pub(super) measurements: Vec<Measurement>,
    /// The load trials behind the measurements of load scenarios, in time order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) load: Vec<load_v1::Block>,
}

/// One metric of one benchmark.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Measurement {
    /// The bench target.
    pub(super) target: String,
    /// The benchmark's id within the target.
    pub(super) id: String,
    /// The metric's name.
    pub(super) metric: String,
    /// The metric's unit.
    pub(super) unit: String,
    /// Which way is better.
    pub(super) direction: Direction,
    /// How the metric scatters.
    pub(super) nature: Nature,
    /// What became of the benchmark.
    pub(super) fate: FateV1,
    /// How its slots were obtained.
    pub(super) method: Method,
    /// The row (from 0) whose `slots` are the valid blocks of this measurement.
    pub(super) row: Option<usize>,
    /// The valid blocks, where no row has them.
    pub(super) slots: Option<Vec<Vec<SlotV1>>>,
    /// The void blocks, by their place (from 0) among all blocks.
    pub(super) void_blocks: Vec<VoidBlock>,
}

/// A block that was thrown away.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct VoidBlock {
    /// Its place among all blocks, from 0.
    pub(super) at: usize,
    /// Why.
    pub(super) reason: String,
}
