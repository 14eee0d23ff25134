//! The runs of shards as one run, where they belong together.

use super::Shard;
use crate::{
    commands::failure::Failure,
    model::{
        baseline::StoredSeries,
        benchmark::Benchmark,
        environment::{Environment, EnvironmentKey},
        outcome::ErrorClass,
        policy::Policy,
        revision::Revision,
        run::{Fate, Measurement, Run, Warning},
    },
    text::{escape, plural},
};
use std::collections::{BTreeMap, BTreeSet};

/// Joins runs of one check. The first one lends what all share: revisions, policy, seed and machine.
pub(super) fn join(mut shards: Vec<Shard>) -> Result<Run, Failure> {
    let Some(first) = shards.first() else {
        return Err(Failure::message(ErrorClass::Configuration, "could not merge: no verdict was given", ""));
    };
    for shard in &shards[1..] {
        agree(first, shard)?;
    }
    let labels = labels(&shards);
    if let Some(clash) = clash(&shards) {
        if !clash.may_be_told_apart {
            return Err(clash.failure());
        }
        shards.iter_mut().for_each(|shard| tell_apart(shard, &labels));
    }
    let environments = environments(&shards, &labels);
    let mut runs = shards.iter().map(|shard| &shard.run);
    let day = runs.clone().map(|run| run.day.clone()).max().unwrap_or_default();
    let started_at = runs.clone().map(|run| run.started_at).min().unwrap_or_default();
    let mut joined = Run {
        duration_seconds: runs.clone().map(|run| run.duration_seconds).sum(),
        budget_seconds: runs.clone().map(|run| run.budget_seconds).sum(),
        day,
        started_at,
        interrupted: interrupted(&shards),
        measurements: measurements(&shards),
        load: runs.clone().flat_map(|run| run.load.clone()).collect(),
        baselines: baselines(&shards),
        warnings: Vec::new(),
        ..shards[0].run.clone()
    };
    for warning in runs.by_ref().flat_map(|run| &run.warnings).chain(&environments) {
        if !joined.warnings.contains(warning) {
            joined.warnings.push(warning.clone());
        }
    }
    Ok(joined)
}

/// Refuses a shard of another check.
fn agree(first: &Shard, other: &Shard) -> Result<(), Failure> {
    let (a, b) = (&first.run, &other.run);
    let differs = |what: &str, of_first: &str, of_other: &str, hint: &str| {
        let shown = |text: &str| escape::visible(&escape::shortened(text, 80));
        let message = format!(
            "could not merge: `{}` has another {what} than `{}`: {} and {}",
            other.name,
            first.name,
            shown(of_other),
            shown(of_first)
        );
        Err(Failure::message(ErrorClass::Configuration, message, hint))
    };
    let describe = |revision: Option<&Revision>| {
        let Some(revision) = revision else { return "none".to_owned() };
        let tree = revision.tree.as_ref().and_then(|tree| tree.get(..9));
        let tree = tree.map_or_else(String::new, |tree| format!(", tree {tree}"));
        format!("{}{tree}", revision.describe())
    };
    if a.mode != b.mode {
        return differs("mode", a.mode.as_str(), b.mode.as_str(), "run all shards with one `--mode`");
    }
    if !same(a.base.as_ref(), b.base.as_ref()) {
        let (a, b) = (describe(a.base.as_ref()), describe(b.base.as_ref()));
        return differs(
            "base",
            &a,
            &b,
            "give all shards one `--base` commit, and run those again that are behind",
        );
    }
    if !same(Some(&a.head), Some(&b.head)) {
        let (a, b) = (describe(Some(&a.head)), describe(Some(&b.head)));
        return differs(
            "head",
            &a,
            &b,
            "measure one commit in all shards: `--head HEAD` leaves out what lies around in a work tree",
        );
    }
    if let Some((what, a, b)) = other_rule(&a.policy, &b.policy) {
        return differs(what, &a, &b, "run all shards with one `tollgate.toml` and the same flags");
    }
    Ok(())
}

/// One tree is one revision, whatever it is called; where no tree is known, one commit, or else one name.
fn same(a: Option<&Revision>, b: Option<&Revision>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => match ((&a.tree, &b.tree), (&a.rev, &b.rev)) {
            ((Some(a), Some(b)), _) | (_, (Some(a), Some(b))) => a == b,
            _ => a.label == b.label,
        },
        _ => false,
    }
}

/// The first rule by which two policies differ, with both its values.
fn other_rule(a: &Policy, b: &Policy) -> Option<(&'static str, String, String)> {
    let count = |n: usize, noun: &str| plural::count(n, noun);
    let settings = [
        ("margin", a.margin.to_string(), b.margin.to_string()),
        ("false discovery rate", a.false_discovery_rate.to_string(), b.false_discovery_rate.to_string()),
        ("family", format!("{:?}", a.family), format!("{:?}", b.family)),
        ("strictness", format!("{:?}", a.strictness), format!("{:?}", b.strictness)),
    ];
    if let Some(setting) = settings.into_iter().find(|(_, a, b)| a != b) {
        return Some(setting);
    }
    let parts = [
        (a.rules != b.rules, "set of rules", count(a.rules.len(), "rule"), count(b.rules.len(), "rule")),
        (
            a.waivers != b.waivers,
            "set of waivers",
            count(a.waivers.len(), "waiver"),
            count(b.waivers.len(), "waiver"),
        ),
        (a != b, "policy", "one".to_owned(), "another".to_owned()),
    ];
    parts.into_iter().find(|(differs, ..)| *differs).map(|(_, what, a, b)| (what, a, b))
}

/// A benchmark that two shards have measured.
struct Clash<'a> {
    benchmark: &'a Benchmark,
    names: [&'a str; 2],
    /// Whether both measured it in environments of their own, so that they are two measurements and not one twice.
    may_be_told_apart: bool,
}

impl Clash<'_> {
    fn failure(&self) -> Failure {
        let id = escape::visible(&escape::shortened(self.benchmark.id.as_str(), 80));
        let [first, other] = self.names;
        Failure::message(
            ErrorClass::Configuration,
            format!("could not merge: `{id}` was measured by both `{first}` and `{other}`"),
            "let each benchmark be measured by one shard, and give each verdict once",
        )
    }
}

/// The benchmark that is most in the way of joining, if one is.
fn clash(shards: &[Shard]) -> Option<Clash<'_>> {
    let mut seen: BTreeMap<(&Benchmark, &str), (usize, &Measurement)> = BTreeMap::new();
    let mut found: Option<Clash> = None;
    for (at, shard) in shards.iter().enumerate() {
        for measurement in shard.run.measurements.iter().filter(|m| !is_ignored(m)) {
            let key = (&measurement.benchmark, measurement.metric.name.as_str());
            let Some((before, other)) = seen.insert(key, (at, measurement)) else { continue };
            let alike = std::mem::discriminant(&measurement.fate) == std::mem::discriminant(&other.fate);
            if alike && measured_nothing(measurement) && measured_nothing(other) {
                continue;
            }
            let is_load = measurement.benchmark.id.as_str().starts_with("load:");
            let own = shards[before].run.environment.key != shard.run.environment.key;
            let may_be_told_apart = own && !is_load;
            if found.as_ref().is_none_or(|clash| clash.may_be_told_apart && !may_be_told_apart) {
                let names = [shards[before].name.as_str(), shard.name.as_str()];
                found = Some(Clash { benchmark: &measurement.benchmark, names, may_be_told_apart });
            }
        }
    }
    found
}

fn is_ignored(measurement: &Measurement) -> bool {
    matches!(measurement.fate, Fate::Ignored(_))
}

/// Whether two shards may both say it of a benchmark: it was not measured, or failed before it was.
fn measured_nothing(measurement: &Measurement) -> bool {
    let fate = &measurement.fate;
    measurement.blocks.is_empty()
        && matches!(fate, Fate::Identical | Fate::New | Fate::Missing | Fate::Failed { .. })
}

/// A short name of each environment: its system, with digits of its key where two share that.
fn labels(shards: &[Shard]) -> BTreeMap<EnvironmentKey, String> {
    let all: BTreeMap<&EnvironmentKey, &Environment> =
        shards.iter().map(|shard| (&shard.run.environment.key, &shard.run.environment)).collect();
    let plain = |os: &str| -> String {
        let kept =
            os.chars().take(40).map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' });
        kept.collect()
    };
    let shared = |os: &str| all.values().filter(|environment| plain(&environment.os) == os).count() > 1;
    let label = |environment: &Environment| {
        let os = plain(&environment.os);
        let key = environment.key.as_str();
        if os.is_empty() || shared(&os) { format!("{os}-{key}") } else { os }
    };
    all.iter().map(|(key, environment)| ((*key).clone(), label(environment))).collect()
}

/// Puts the environment in front of every target of a shard, and lets the globs of the policy know it.
fn tell_apart(shard: &mut Shard, labels: &BTreeMap<EnvironmentKey, String>) {
    let own = labels.get(&shard.run.environment.key).cloned().unwrap_or_default();
    let prefix = |benchmark: &mut Benchmark| benchmark.target = format!("{own}/{}", benchmark.target);
    shard.run.measurements.iter_mut().for_each(|measurement| prefix(&mut measurement.benchmark));
    shard.run.baselines.iter_mut().for_each(|series| prefix(&mut series.benchmark));
    let prefixes: Vec<String> = labels.values().map(|label| format!("{label}/")).collect();
    // `kernels:num/*` is about that target wherever it was measured.
    let widen = |glob: &mut String| {
        if glob.contains(':') {
            *glob = format!("{{{},}}{glob}", prefixes.join(","));
        }
    };
    shard.run.policy.rules.iter_mut().for_each(|rule| widen(&mut rule.benchmark));
    shard.run.policy.waivers.iter_mut().for_each(|waiver| widen(&mut waiver.benchmark));
}

/// What the reader must know of a check whose parts were measured on several machines.
fn environments(shards: &[Shard], labels: &BTreeMap<EnvironmentKey, String>) -> Option<Warning> {
    let mut seen = BTreeSet::new();
    let described: Vec<String> = shards
        .iter()
        .map(|shard| &shard.run.environment)
        .filter(|environment| seen.insert(&environment.key))
        .map(|environment| {
            let label = labels.get(&environment.key).map_or("", String::as_str);
            format!("{label} ({}, environment {})", environment.cpu, environment.key)
        })
        .collect();
    (described.len() > 1).then(|| {
        let message = format!(
            "the shards were measured in {}: {}; each benchmark's base and head in one of them",
            plural::count(described.len(), "environment"),
            plural::list(&described, 5)
        );
        Warning::new("several_environments", message)
    })
}

/// What ended shards before they were decided.
fn interrupted(shards: &[Shard]) -> Option<String> {
    let all: Vec<String> = shards
        .iter()
        .filter_map(|shard| Some(format!("{} in `{}`", shard.run.interrupted.as_ref()?, shard.name)))
        .collect();
    (!all.is_empty()).then(|| plural::list(&all, 3))
}

/// Every benchmark once. One that a shard left out and another measured was not left out.
fn measurements(shards: &[Shard]) -> Vec<Measurement> {
    let all = || shards.iter().flat_map(|shard| &shard.run.measurements);
    let mut had: BTreeSet<&Benchmark> = all()
        .filter(|measurement| !is_ignored(measurement))
        .map(|measurement| &measurement.benchmark)
        .collect();
    let mut kept: BTreeMap<(&Benchmark, &str), &Measurement> = BTreeMap::new();
    for measurement in all() {
        let key = (&measurement.benchmark, measurement.metric.name.as_str());
        if !is_ignored(measurement) {
            kept.insert(key, measurement);
        } else if had.insert(&measurement.benchmark) {
            // Nobody measured it: the first shard's reason stands for all.
            kept.entry(key).or_insert(measurement);
        }
    }
    kept.into_values().cloned().collect()
}

/// The stored runs that each shard was judged against; of a benchmark that several have, those of the shard that measured it.
fn baselines(shards: &[Shard]) -> Vec<StoredSeries> {
    let mut kept: BTreeMap<(&Benchmark, &str), &StoredSeries> = BTreeMap::new();
    for shard in shards {
        let measured = shard.run.measurements.iter().filter(|measurement| !is_ignored(measurement));
        let own: BTreeSet<&Benchmark> = measured.map(|measurement| &measurement.benchmark).collect();
        for series in &shard.run.baselines {
            let key = (&series.benchmark, series.metric.name.as_str());
            if own.contains(&series.benchmark) {
                kept.insert(key, series);
            } else {
                kept.entry(key).or_insert(series);
            }
        }
    }
    kept.into_values().cloned().collect()
}
