//! `[targets]`: tiers that a service is asked to reach.

use std::collections::BTreeSet;

use super::{
    keys::{Targets, Tier},
    scenario::check_name,
    troubles::Troubles,
};
use crate::config::values::Percent;

/// The names of the standard tiers.
const STANDARD: [&str; 3] = ["minimum viable", "production", "battle-tested"];

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
        if !names.contains(require.as_str()) && !STANDARD.contains(&require.as_str()) {
            let known: Vec<&str> = STANDARD.into_iter().chain(names).collect();
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
    let times = [tier.p50, tier.p90, tier.p95, tier.p99];
    let none = times.iter().all(Option::is_none)
        && shares.iter().all(|(_, share)| share.is_none())
        && tier.users.is_none()
        && tier.throughput.is_none();
    if none {
        troubles.add("", "a tier needs at least one limit, such as `p95 = \"200ms\"`");
    }
}
