//! The keys of `tollgate.toml`. Doc comments here are user text: they become the JSON Schema's descriptions.

use super::{
    load::keys::{Load, Targets},
    values::{Percent, Quantity, Span},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;

/// `tollgate.toml`: what Tollgate measures and what it lets through. Every key is optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// How sure a verdict must be and what matters.
    pub policy: Policy,
    /// How benchmarks are measured.
    pub measure: Measure,
    /// What cargo builds.
    pub cargo: Cargo,
    /// Stored baselines.
    pub baseline: Baseline,
    /// Rules per benchmark; of those that match and set a key, the last one counts.
    pub rule: Vec<Rule>,
    /// Accepted regressions.
    pub waiver: Vec<Waiver>,
    /// Renamed benchmarks.
    pub rename: Vec<Rename>,
    /// Load benchmarks.
    pub load: Vec<Load>,
    /// Commands of any language whose output names benchmarks.
    pub command: Vec<Command>,
    /// What a service under load is asked to reach, apart from any comparison.
    pub targets: Targets,
    /// The check before a push.
    pub hook: Hook,
    /// Where the file was read from: bodies and data of load benchmarks are looked for here.
    #[serde(skip)]
    #[schemars(skip)]
    pub folder: PathBuf,
}

/// How sure a verdict must be and what matters.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The smallest change that matters (default 2%).
    pub margin: Option<Percent>,
    /// The share of false regressions tolerated among those named, over the whole check (default 1%).
    pub false_discovery_rate: Option<Percent>,
    /// How the tests of a check share that rate: `false-discovery` (Benjamini-Hochberg, the default) or `strict` (Holm).
    pub family: Option<Family>,
    /// The share of benchmarks that may be blind before the check is inconclusive (default 50%).
    pub max_blind: Option<Percent>,
    /// The slowdown that a benchmark must be able to rule out, or it counts as blind (default 10%).
    pub must_rule_out: Option<Percent>,
    /// Whether a check in which every benchmark is new passes (default false).
    pub allow_new: Option<bool>,
    /// Whether any inconclusive benchmark makes the check inconclusive (default false).
    pub strict: Option<bool>,
}

/// How the tests of a check share their error rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Benjamini-Hochberg.
    FalseDiscovery,
    /// Holm.
    Strict,
}

/// How head is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Base and head are built and measured in turns.
    Paired,
    /// Head is compared with stored baselines.
    Stored,
    /// Paired when the base can be built, stored otherwise.
    Auto,
}

/// How benchmarks are measured.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Measure {
    /// What head is compared with: `paired`, `stored` or `auto` (default).
    pub mode: Option<Mode>,
    /// The base revision (default: the merge base with the default branch).
    pub base: Option<String>,
    /// The time that measuring may take; builds do not count (default 5m).
    pub budget: Option<Span>,
    /// The time that one build may take (default 30m).
    pub build_timeout: Option<Span>,
    /// The time that one slot may take before it counts as hung (default 60s).
    pub slot_timeout: Option<Span>,
    /// Warm-up of a slot (default 20ms).
    pub warm_up: Option<Span>,
    /// Measuring time of a slot (default 50ms).
    pub measurement: Option<Span>,
    /// Samples a slot, at least 10, which is criterion's own minimum (default 10).
    pub samples: Option<u32>,
    /// The processor to pin benchmark processes to (default: none).
    pub pin: Option<usize>,
    /// Ignored files that both sides need, as globs from the repository's root.
    pub copy: Vec<String>,
    /// Build with the project's own flags only, without Tollgate's alignment (default false).
    pub as_built: Option<bool>,
}

/// What cargo builds.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cargo {
    /// Packages whose benchmarks are measured (default: cargo's own default).
    pub packages: Vec<String>,
    /// Measure every package of the workspace.
    pub workspace: Option<bool>,
    /// Features to enable.
    pub features: Vec<String>,
    /// Enable all features.
    pub all_features: Option<bool>,
    /// Disable default features.
    pub no_default_features: Option<bool>,
    /// Cargo profile (default `bench`).
    pub profile: Option<String>,
    /// Bench targets (default: all that are criterion's).
    pub benches: Vec<String>,
}

/// Stored baselines.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Baseline {
    /// How many runs of a benchmark are kept in the reviewed files (default 20).
    pub keep: Option<u32>,
    /// The remote that `refs/tollgate/history` is fetched from and pushed to (default `origin`).
    pub remote: Option<String>,
}

/// The check before a push (`tollgate hook`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hook {
    /// The time that measuring may take before a push, all pushed commits together; builds do not count (default 60s).
    pub budget: Option<Span>,
    /// The time that the whole hook may take, builds included; then the push goes on unjudged (default 2m).
    pub timeout: Option<Span>,
}

/// A command that is run on both revisions in turn; each benchmark that its output names is gated.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// What its benchmarks begin with: `go` for `go:BenchmarkFib`. Letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// What the shell runs for one slot, from this file's folder. `{out}` is a file for the output, `{dir}` the root of the
    /// side's files, `{rev}` its commit, `{side}` is `base` or `head`.
    pub run: String,
    /// The format of what it writes to `{out}` or prints: a name that `tollgate import --from` takes, or `time` for its wall
    /// time (default).
    #[serde(rename = "as")]
    pub format: Option<String>,
    /// What the shell runs once a side before anything is measured.
    pub build: Option<String>,
    /// The time that one run may take before it counts as hung (default `measure.slot_timeout`, else 10m).
    pub timeout: Option<Span>,
}

/// What applies to the benchmarks that a glob matches.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Glob over the benchmark id (`num/*`) or over `target:id`.
    pub benchmark: String,
    /// The smallest change that matters.
    pub margin: Option<Percent>,
    /// The metrics to judge.
    pub metrics: Option<Vec<String>>,
    /// Leave the benchmark out.
    pub ignore: Option<bool>,
    /// An absolute bound on head's value (`50us`).
    pub budget: Option<Quantity>,
    /// An absolute change under which no change matters (`2ns`).
    pub floor: Option<Quantity>,
}

/// A regression that somebody accepted, up to a cap and until a day.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Glob over the benchmark id or over `target:id`.
    pub benchmark: String,
    /// The largest slowdown that it covers (`10%`).
    pub cap: Percent,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds, `YYYY-MM-DD` (UTC).
    pub expires: String,
}

/// A benchmark that has a new name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// Its id in the base.
    pub from: String,
    /// Its id in the head.
    pub to: String,
}
