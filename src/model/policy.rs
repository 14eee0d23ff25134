//! What the project decided: how much matters, what is exempt, and how sure a verdict must be.
//!
//! Plain data, resolved from flags and `tollgate.toml`; it travels with a run so that the run can be judged again offline.

use super::{soak::Allowances, targets::Targets};

/// Whether an inconclusive benchmark is tolerated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strictness {
    /// Only a blind check is `inconclusive`.
    #[default]
    Normal,
    /// Any inconclusive benchmark makes the check `inconclusive`.
    Strict,
}

/// How the tests of a family share their error rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FamilyMethod {
    /// Benjamini-Hochberg: bounds the expected share of false regressions among those named.
    #[default]
    FalseDiscovery,
    /// Holm: bounds the chance of any false regression.
    Strict,
}

/// What applies to the benchmarks that a glob matches. Of the rules that match and set a field, the last one counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rule {
    /// Glob over the benchmark id (`num/*`) or over `target:id`.
    pub benchmark: String,
    /// The smallest change that matters, relative (0.02 is 2 %); at least 0.
    pub margin: Option<f64>,
    /// The metrics to judge; others of the benchmark are left out.
    pub metrics: Option<Vec<String>>,
    /// Leave the benchmark out.
    pub ignore: Option<bool>,
    /// An absolute bound on head's value, in the metric's unit (nanoseconds for `time`).
    pub budget: Option<f64>,
    /// An absolute change, in the metric's unit, under which no change matters.
    pub floor: Option<f64>,
}

/// A regression that somebody accepted, up to a cap and until a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiver {
    /// Glob over the benchmark id or over `target:id`.
    pub benchmark: String,
    /// The largest relative change that it covers (0.1 is 10 %).
    pub cap: f64,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds, `YYYY-MM-DD` (UTC).
    pub expires: String,
}

/// A benchmark that has a new name: base's `from` is compared with head's `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The id in base.
    pub from: String,
    /// The id in head.
    pub to: String,
}

/// The rules of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The margin where no rule sets one; relative.
    pub margin: f64,
    /// The share of false regressions that is tolerated among those named, over the whole check.
    pub false_discovery_rate: f64,
    /// How a family shares it.
    pub family: FamilyMethod,
    /// The share of benchmarks that may be blind before the check is `inconclusive`.
    pub max_blind: f64,
    /// The relative slowdown that a benchmark must be able to rule out, or it counts as blind.
    pub must_rule_out: f64,
    /// Whether a check in which every benchmark is new passes.
    pub allow_new: bool,
    /// Whether inconclusive benchmarks are tolerated.
    pub strictness: Strictness,
    /// Per-benchmark rules in the order of the file.
    pub rules: Vec<Rule>,
    /// Accepted regressions.
    pub waivers: Vec<Waiver>,
    /// Renamed benchmarks.
    pub renames: Vec<Rename>,
    /// What services under load are asked to reach, apart from any comparison.
    pub targets: Targets,
    /// What may grow in long windows of load, by scenario; the defaults where nothing is written.
    pub soak: Vec<Allowances>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            margin: 0.02,
            false_discovery_rate: 0.01,
            family: FamilyMethod::default(),
            max_blind: 0.5,
            must_rule_out: 0.1,
            allow_new: false,
            strictness: Strictness::default(),
            rules: Vec::new(),
            waivers: Vec::new(),
            renames: Vec::new(),
            targets: Targets::default(),
            soak: Vec::new(),
        }
    }
}
