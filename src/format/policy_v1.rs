//! The rules of a check, as version 1 of run and verdict spell them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parts_v1::{PartWord, words};
use crate::model::{
    policy::{self, FamilyMethod},
    soak, targets,
};

words! {
    /// Whether inconclusive benchmarks are tolerated.
    Strictness = policy::Strictness { Normal, Strict }
}

/// How a family shares its error rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Family {
    /// Bounds the expected share of false regressions among those named.
    BenjaminiHochberg,
    /// Bounds the chance of any false regression.
    Holm,
}

/// The rules in force.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Policy {
    /// The smallest change that matters, relative.
    margin: f64,
    /// The share of false regressions tolerated among those named.
    false_discovery_rate: f64,
    /// How a family shares it.
    family: Family,
    /// The share of benchmarks that may be blind.
    max_blind: f64,
    /// The relative slowdown that a benchmark must be able to rule out.
    must_rule_out: f64,
    /// Whether a check in which every benchmark is new passes.
    allow_new: bool,
    /// Whether inconclusive benchmarks are tolerated.
    strictness: Strictness,
    /// Per-benchmark rules in the order of the file.
    rules: Vec<Rule>,
    /// Accepted regressions.
    waivers: Vec<Waiver>,
    /// Renamed benchmarks.
    renames: Vec<Rename>,
    /// What services under load are asked to reach; the standard tiers where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    targets: Option<Targets>,
    /// What may grow in long windows of load, by scenario; the defaults for those that are missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    soak: Vec<Soak>,
}

/// What may grow in an hour of a scenario's steady load: of memory and of latency the larger of its share and its floor.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Soak {
    /// The scenario.
    scenario: String,
    /// The resident memory, as a share of what it was after the warm-up.
    memory: f64,
    /// Bytes.
    memory_floor: f64,
    /// The p95 latency, as a share of what it was after the warm-up.
    latency: f64,
    /// Nanoseconds.
    latency_floor: f64,
}

impl Soak {
    fn of(allowances: &soak::Allowances) -> Self {
        let soak::Allowances { scenario, memory, latency } = allowances.clone();
        Self {
            scenario,
            memory: memory.per_hour,
            memory_floor: memory.floor_per_hour,
            latency: latency.per_hour,
            latency_floor: latency.floor_per_hour,
        }
    }

    fn model(self) -> soak::Allowances {
        let allowed = |per_hour, floor_per_hour| soak::Allowed { per_hour, floor_per_hour };
        soak::Allowances {
            scenario: self.scenario,
            memory: allowed(self.memory, self.memory_floor),
            latency: allowed(self.latency, self.latency_floor),
        }
    }
}

/// What services under load are asked to reach.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Targets {
    /// The tiers, the easiest first.
    tiers: Vec<Tier>,
    /// The tier that must be met.
    require: Option<String>,
}

/// A level of service.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Tier {
    /// Its name.
    name: String,
    /// What it demands.
    limits: Vec<Limit>,
}

/// One demand.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Limit {
    /// What it is about.
    name: PartWord,
    /// Nanoseconds, a share, a count, or requests a second: to stay below, or to reach where more is better.
    limit: f64,
}

impl Targets {
    /// `None` for the standard ones.
    fn of(targets: &targets::Targets) -> Option<Self> {
        let limit = |limit: &targets::Limit| Limit { name: limit.part.into(), limit: limit.limit };
        let tier = |tier: &targets::Tier| Tier {
            name: tier.name.clone(),
            limits: tier.limits.iter().map(limit).collect(),
        };
        (*targets != targets::Targets::default()).then(|| Self {
            tiers: targets.tiers.iter().map(tier).collect(),
            require: targets.require.clone(),
        })
    }

    fn model(self) -> targets::Targets {
        let limit = |limit: Limit| targets::Limit { part: limit.name.into(), limit: limit.limit };
        let tier = |tier: Tier| targets::Tier {
            name: tier.name,
            limits: tier.limits.into_iter().map(limit).collect(),
        };
        targets::Targets { tiers: self.tiers.into_iter().map(tier).collect(), require: self.require }
    }
}

/// What applies to the benchmarks that a glob matches.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Rule {
    /// Glob over the benchmark id or `target:id`.
    benchmark: String,
    /// The smallest change that matters, relative.
    margin: Option<f64>,
    /// The metrics to judge.
    metrics: Option<Vec<String>>,
    /// Leave the benchmark out.
    ignore: Option<bool>,
    /// An absolute bound on head's value, in the metric's unit.
    budget: Option<f64>,
    /// An absolute change under which no change matters, in the metric's unit.
    floor: Option<f64>,
}

/// A regression that somebody accepted.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Waiver {
    /// Glob over the benchmark id or `target:id`.
    benchmark: String,
    /// The largest relative change that it covers.
    cap: f64,
    /// Why.
    reason: String,
    /// Who answers for it.
    owner: String,
    /// The last day on which it holds, `YYYY-MM-DD` (UTC).
    expires: String,
}

/// A benchmark with a new name.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Rename {
    /// The id in base.
    from: String,
    /// The id in head.
    to: String,
}

impl From<&policy::Policy> for Policy {
    fn from(policy: &policy::Policy) -> Self {
        let rule = |rule: &policy::Rule| {
            let policy::Rule { benchmark, margin, metrics, ignore, budget, floor } = rule.clone();
            Rule { benchmark, margin, metrics, ignore, budget, floor }
        };
        let waiver = |waiver: &policy::Waiver| {
            let policy::Waiver { benchmark, cap, reason, owner, expires } = waiver.clone();
            Waiver { benchmark, cap, reason, owner, expires }
        };
        let rename = |rename: &policy::Rename| Rename { from: rename.from.clone(), to: rename.to.clone() };
        Self {
            margin: policy.margin,
            false_discovery_rate: policy.false_discovery_rate,
            family: match policy.family {
                FamilyMethod::FalseDiscovery => Family::BenjaminiHochberg,
                FamilyMethod::Strict => Family::Holm,
            },
            max_blind: policy.max_blind,
            must_rule_out: policy.must_rule_out,
            allow_new: policy.allow_new,
            strictness: policy.strictness.into(),
            rules: policy.rules.iter().map(rule).collect(),
            waivers: policy.waivers.iter().map(waiver).collect(),
            renames: policy.renames.iter().map(rename).collect(),
            targets: Targets::of(&policy.targets),
            soak: policy.soak.iter().map(Soak::of).collect(),
        }
    }
}

impl From<Policy> for policy::Policy {
    fn from(policy: Policy) -> Self {
        let rule = |rule: Rule| {
            let Rule { benchmark, margin, metrics, ignore, budget, floor } = rule;
            policy::Rule { benchmark, margin, metrics, ignore, budget, floor }
        };
        let waiver = |waiver: Waiver| {
            let Waiver { benchmark, cap, reason, owner, expires } = waiver;
            policy::Waiver { benchmark, cap, reason, owner, expires }
        };
        Self {
            margin: policy.margin,
            false_discovery_rate: policy.false_discovery_rate,
            family: match policy.family {
                Family::BenjaminiHochberg => FamilyMethod::FalseDiscovery,
                Family::Holm => FamilyMethod::Strict,
            },
            max_blind: policy.max_blind,
            must_rule_out: policy.must_rule_out,
            allow_new: policy.allow_new,
            strictness: policy.strictness.into(),
            rules: policy.rules.into_iter().map(rule).collect(),
            waivers: policy.waivers.into_iter().map(waiver).collect(),
            renames: policy
                .renames
                .into_iter()
                .map(|Rename { from, to }| policy::Rename { from, to })
                .collect(),
            targets: policy.targets.map(Targets::model).unwrap_or_default(),
            soak: policy.soak.into_iter().map(Soak::model).collect(),
        }
    }
}
