//! What a service under load reached: its numbers, the tiers of targets, the score; and what a tier that the project demands
//! means for the outcome.

use crate::{
    judge::{
        grade, targets,
        waiver::{Cover, Waivers},
    },
    model::{
        benchmark::{Benchmark, BenchmarkId},
        load::{Summary, Trial},
        outcome::Outcome,
        policy::{Policy, Strictness},
        run::Warning,
        targets::{PartResult, Score, Targets, TierResult},
    },
    text::{plural, quantity},
};

/// The target name under which waivers find tiers: `targets:production`.
const TARGET: &str = "targets";
/// Parts named in a reason.
const PARTS: usize = 4;

/// What trials come to: the numbers of each scenario and side, the tiers, and the score. All are empty without trials.
#[must_use]
pub fn load_summary(trials: &[Trial], targets: &Targets) -> (Vec<Summary>, Vec<TierResult>, Option<Score>) {
    let load = Summary::of(trials);
    let tiers = targets::assess(&load, targets);
    let score = grade::score(&load);
    (load, tiers, score)
}

/// What the tier that the project demands means for the check.
#[derive(Debug, Default)]
pub(super) struct Demand {
    /// The outcome that it forces, with its reason.
    pub(super) outcome: Option<(Outcome, String)>,
    /// What the reader should know.
    pub(super) warning: Option<Warning>,
}

impl Demand {
    /// Nothing without load, or without a demand: then targets never change an outcome.
    pub(super) fn of(load: &[Summary], tiers: &[TierResult], policy: &Policy, waivers: &Waivers<'_>) -> Self {
        let Some(name) = policy.targets.require.as_ref().filter(|_| !load.is_empty()) else {
            return Self::default();
        };
        let Some(tier) = tiers.iter().find(|tier| tier.tier == *name) else {
            return Self::incomplete(format!("no tier is called `{name}`, which is demanded"));
        };
        let heads = targets::heads(load);
        let mut valid = heads.iter().filter(|head| head.is_valid()).peekable();
        let none_due = valid.peek().is_none() || valid.any(|head| head.requests.scheduled == 0);
        match tier.met {
            Some(false) => Self::missed(tier, waivers),
            _ if none_due => Self::incomplete(format!("target `{name}`: no request was due")),
            Some(true) => Self::default(),
            None => Self::not_shown(tier, policy.strictness),
        }
    }

    fn incomplete(reason: String) -> Self {
        Self { outcome: Some((Outcome::Incomplete, reason)), warning: None }
    }

    fn missed(tier: &TierResult, waivers: &Waivers<'_>) -> Self {
        let parts: Vec<&PartResult> = tier.parts.iter().filter(|part| part.met == Some(false)).collect();
        let texts: Vec<String> = parts.iter().map(|part| miss(part)).collect();
        let reason = format!("target `{}` was missed: {}", tier.tier, plural::list(&texts, PARTS));
        let worst = parts.iter().map(|part| excess(part)).fold(0.0, f64::max);
        let cover = subject(&tier.tier).map_or(Cover::None, |subject| waivers.cover(&subject, worst));
        match cover {
            Cover::Waived(waiver) if waiver.cap.is_infinite() => {
                let text = format!("{reason}; accepted by {}: {}", waiver.owner, waiver.reason);
                Self { outcome: None, warning: Some(Warning::new("target_waived", text)) }
            }
            Cover::Waived(waiver) => {
                let text = format!(
                    "{reason}; waived by {} until {}: {}",
                    waiver.owner, waiver.expires, waiver.reason
                );
                Self { outcome: None, warning: Some(Warning::new("target_waived", text)) }
            }
            _ => Self { outcome: Some((Outcome::Regressed, reason)), warning: None },
        }
    }

    /// What a run cannot show is no miss; but nobody should take it for met.
    fn not_shown(tier: &TierResult, strictness: Strictness) -> Self {
        let open = tier.parts.iter().filter(|part| part.met.is_none());
        let texts: Vec<String> = open.map(|part| format!("{} ({})", part.part.as_str(), part.note)).collect();
        let text = format!("target `{}` was not shown: {}", tier.tier, plural::list(&texts, PARTS));
        match strictness {
            Strictness::Strict => Self::incomplete(text + ", which --strict does not tolerate"),
            Strictness::Normal => {
                Self { outcome: None, warning: Some(Warning::new("target_not_shown", text)) }
            }
        }
    }
}

/// The tiers as waivers see them.
pub(super) fn subjects(tiers: &[TierResult]) -> Vec<Benchmark> {
    tiers.iter().filter_map(|tier| subject(&tier.tier)).collect()
}

fn subject(tier: &str) -> Option<Benchmark> {
    Some(Benchmark::new(TARGET, BenchmarkId::new(tier).ok()?))
}

/// `latency.p95 340 ms (limit 200 ms)`.
fn miss(part: &PartResult) -> String {
    let value = |value: f64| quantity::value(value, part.part.unit());
    let measured = part.measured.map_or_else(|| quantity::NONE.to_owned(), value);
    format!("{} {measured} (limit {})", part.part.as_str(), value(part.limit))
}

/// By how much the limit was missed, relative to it: what a waiver's cap is compared with.
fn excess(part: &PartResult) -> f64 {
    let measured = part.measured.unwrap_or(f64::INFINITY);
    let ratio = if part.part.higher_is_better() { part.limit / measured } else { measured / part.limit };
    if ratio.is_nan() { f64::INFINITY } else { (ratio - 1.0).max(0.0) }
}
