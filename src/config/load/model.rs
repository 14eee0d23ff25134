//! How much load, and when: `rate`, `users`, `[[load.stage]]` and what goes with them.

use std::time::Duration;

use super::{
    keys::{Arrivals, Load},
    troubles::Troubles,
};
use crate::{
    config::values::{Span, Wait},
    load::scenario::{self, Model, Stage},
};

/// The largest rate, flows a second: no generator on one machine comes near it.
const MAX_RATE: f64 = 1e6;
/// The most users.
const MAX_USERS: u32 = 1_000_000;
/// The window where neither it nor stages are given.
const DEFAULT_WINDOW: Duration = Duration::from_secs(5);

/// What the load is counted in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rate,
    Users,
}

/// How long is recorded.
pub(super) fn window(load: &Load) -> Duration {
    let stages: Duration = load.stage.iter().filter_map(|stage| stage.duration.map(Span::duration)).sum();
    let otherwise = if stages.is_zero() { DEFAULT_WINDOW } else { stages };
    load.window.map_or(otherwise, Span::duration)
}

/// The model of a scenario.
pub(super) fn model(load: &Load, troubles: &mut Troubles) -> Model {
    let kind = kind(load, troubles);
    let stages = if load.stage.is_empty() {
        let level = level(load.rate, load.users, kind, troubles).unwrap_or(1.0);
        vec![Stage { level, duration: window(load), ramp: false }]
    } else {
        stages(load, kind, troubles)
    };
    match kind {
        Kind::Rate => {
            if load.think.is_some() {
                troubles.add("think", "only `users` think; requests of a `rate` are sent when they are due");
            }
            if load.connections == Some(0) {
                troubles.add("connections", "there must be at least one");
            }
            let arrivals = match load.arrivals {
                Some(Arrivals::Poisson) => scenario::Arrivals::Poisson,
                Some(Arrivals::Constant) | None => scenario::Arrivals::Constant,
            };
            Model::Rate { stages, arrivals, connections: load.connections }
        }
        Kind::Users => {
            for (key, given) in
                [("arrivals", load.arrivals.is_some()), ("connections", load.connections.is_some())]
            {
                if given {
                    troubles.add(key, "this is about a `rate`; each user has its own connection and pace");
                }
            }
            Model::Users { stages, think: load.think.map_or(Duration::ZERO, Wait::duration) }
        }
    }
}

/// What the load is counted in; the keys must agree on it.
fn kind(load: &Load, troubles: &mut Troubles) -> Kind {
    if !load.stage.is_empty() {
        for (key, given) in [("rate", load.rate.is_some()), ("users", load.users.is_some())] {
            if given {
                troubles.add(key, "the stages say how much load there is");
            }
        }
        let users = load.stage.iter().any(|stage| stage.users.is_some());
        return if users { Kind::Users } else { Kind::Rate };
    }
    match (load.rate, load.users) {
        (Some(_), Some(_)) => {
            troubles.add("users", "there is a `rate` already: load is either a rate or users");
            Kind::Rate
        }
        (None, None) => {
            troubles.add("", "how much load? Give a `rate = 200` (requests a second) or `users = 50`");
            Kind::Rate
        }
        (Some(_), None) => Kind::Rate,
        (None, Some(_)) => Kind::Users,
    }
}

fn stages(load: &Load, kind: Kind, troubles: &mut Troubles) -> Vec<Stage> {
    let mut stages = Vec::new();
    for (index, stage) in load.stage.iter().enumerate() {
        let resolved = troubles.row("stage", index, |troubles| {
            if stage.duration.is_none() {
                troubles.add("duration", "a stage needs a duration");
            }
            match (stage.rate, stage.users) {
                (None, None) => troubles.add("", "a stage needs a `rate` or `users`"),
                (Some(_), Some(_)) => {
                    troubles.add("users", "there is a `rate` already: a stage has one of them");
                }
                (Some(_), None) if kind == Kind::Users => {
                    troubles.add("rate", "other stages count `users`: all must count the same");
                }
                _ => {}
            }
            Stage {
                level: level(stage.rate, stage.users, kind, troubles).unwrap_or(0.0),
                duration: stage.duration.map_or(DEFAULT_WINDOW, Span::duration),
                ramp: stage.ramp.unwrap_or(false),
            }
        });
        stages.push(resolved);
    }
    // A pause is a stage too, but something must happen.
    if stages.iter().all(|stage| stage.level <= 0.0)
        && load.stage.iter().any(|stage| stage.rate.is_some() || stage.users.is_some())
    {
        troubles.add("stage", "no stage has any load");
    }
    stages
}

/// A level within its bounds. 0 is a pause, which only a stage may be.
fn level(rate: Option<f64>, users: Option<u32>, kind: Kind, troubles: &mut Troubles) -> Option<f64> {
    let least = if troubles.is_within("stage") { 0.0 } else { f64::MIN_POSITIVE };
    match kind {
        Kind::Rate => rate.inspect(|rate| {
            if !(rate.is_finite() && *rate >= least && *rate <= MAX_RATE) {
                troubles.add(
                    "rate",
                    format!("`{rate}` is no rate: it is above 0 and at most {MAX_RATE} a second"),
                );
            }
        }),
        Kind::Users => users
            .inspect(|users| {
                if (*users == 0 && least > 0.0) || *users > MAX_USERS {
                    troubles.add(
                        "users",
                        format!("`{users}` is no number of users: it is from 1 to {MAX_USERS}"),
                    );
                }
            })
            .map(f64::from),
    }
}
