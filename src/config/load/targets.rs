//! `[targets]`: tiers that a service is asked to reach.

use std::collections::BTreeSet;

use super::{
    keys::{Targets, Tier},
    scenario::check_name,
    troubles::Troubles,
};
use crate::{
    config::values::{Percent, Span},
    model::targets::{self as model, Limit, Part, STANDARD},
};

/// The targets of a file that was checked: the standard tiers with the limits that the file gives, then its own in its order.
pub(crate) fn targets(written: &Targets) -> model::Targets {
    let mut tiers = if written.standard == Some(false) { Vec::new() } else { model::standard().to_vec() };
    for tier in &written.tier {
        let name = tier.name.clone().unwrap_or_default();
        let changed = match tiers.iter().position(|known: &model::Tier| known.name == name) {
            Some(place) => &mut tiers[place],
            None => {
                tiers.push(model::Tier { name, limits: Vec::new() });
                let last = tiers.len() - 1;
                &mut tiers[last]
            }
        };
        for limit in limits(tier) {
            match changed.limits.iter_mut().find(|known| known.part == limit.part) {
                Some(known) => *known = limit,
                None => changed.limits.push(limit),
            }
        }
    }
    model::Targets { tiers, require: written.require.clone() }
}

/// The limits that a tier gives, in the units of their parts.
fn limits(tier: &Tier) -> Vec<Limit> {
    let ns = |span: Option<Span>| span.map(|span| span.0 * 1e9);
    let share = |share: Option<Percent>| share.map(|share| share.0);
    let given = [
        (Part::LatencyP50, ns(tier.p50)),
        (Part::LatencyP90, ns(tier.p90)),
        (Part::LatencyP95, ns(tier.p95)),
        (Part::LatencyP99, ns(tier.p99)),
        (Part::ErrorRate, share(tier.errors)),
        (Part::ConcurrentUsers, tier.users.map(f64::from)),
        (Part::Availability, share(tier.availability)),
        (Part::Throughput, tier.throughput),
        (Part::CacheHitRate, share(tier.cache_hit_rate)),
        (Part::Memory, share(tier.memory)),
        (Part::Cpu, share(tier.cpu)),
    ];
    given.into_iter().filter_map(|(part, limit)| Some(Limit { part, limit: limit? })).collect()
}

/// Notes what is wrong with the targets.
pub(super) fn check(targets: &Targets, troubles: &mut Troubles) {
    let mut names = BTreeSet::new();
    for (index, tier) in targets.tier.iter().enumerate() {
        troubles.row_of("targets", "tier", index, |troubles| {
            match &tier.name {
                None => troubles.add("name", "a tier needs a name"),
                Some(name) => {
                    check_name(name, "name", troubles);
                    if !names.insert(name.as_str()) {
                        troubles.add("name", "another tier has this name");
                    }
                }
            }
            check_limits(tier, troubles);
        });
    }
    if let Some(require) = &targets.require {
        let standard = STANDARD.into_iter().filter(|_| targets.standard != Some(false));
        let known: Vec<&str> = standard.chain(names).collect();
        if !known.contains(&require.as_str()) {
            let message = format!("there is no tier `{require}`: there are `{}`", known.join("`, `"));
            troubles.add_at(&["targets", "require"], message);
        }
    }
}

fn check_limits(tier: &Tier, troubles: &mut Troubles) {
    let shares = [
        ("errors", tier.errors),
        ("availability", tier.availability),
        ("cache_hit_rate", tier.cache_hit_rate),
        ("memory", tier.memory),
        ("cpu", tier.cpu),
    ];
    for (key, share) in shares {
        if share.is_some_and(|Percent(share)| share > 1.0) {
            troubles.add(key, "a share is at most `100%`");
        }
    }
    if tier.throughput.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
        troubles.add("throughput", "a throughput is above 0");
    }
    if tier.users == Some(0) {
        troubles.add("users", "a target of no users is none");
    }
    if limits(tier).is_empty() {
        troubles.add("", "a tier needs at least one limit, such as `p95 = \"200ms\"`");
    }
}
