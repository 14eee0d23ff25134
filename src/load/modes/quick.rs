//! `--quick`: a scenario at a few growing levels, one after the other on the same service, to see whether it is sane.

use std::time::Duration;

use crate::load::scenario::{Model, Scenario, Stage};

/// Requests a second of a URL, of which nobody said how much it is meant for: a person with a browser, then a small service's day.
pub const URL_RATES: [f64; 5] = [10.0, 50.0, 100.0, 200.0, 400.0];
/// Levels around what a scenario says itself, as shares of it.
pub const SHARES: [f64; 4] = [0.1, 0.5, 1.0, 1.5];
/// What all levels take together unless somebody says another.
pub const DEFAULT: Duration = Duration::from_secs(150);
/// The longest warm-up of a level unless somebody says another.
const LONGEST_WARMUP: Duration = Duration::from_secs(2);
/// The share of a level that its warm-up takes.
const WARMUP_SHARE: u32 = 10;

/// How a quick look is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quick {
    /// What all levels take together.
    pub total: Duration,
    /// Load before each level that is not recorded; `None`: a tenth of it, at most 2 s.
    pub warmup: Option<Duration>,
}

/// The scenario at each of its levels, the lowest first: the rates of [`URL_RATES`] where nobody said how much (`is_free`), else
/// [`SHARES`] of the scenario's own highest level. Users are whole and at least one, so there can be fewer levels of them.
#[must_use]
pub fn levels(scenario: &Scenario, quick: Quick, is_free: bool) -> Vec<Scenario> {
    let amounts = amounts(&scenario.model, is_free);
    let count = u32::try_from(amounts.len()).unwrap_or(u32::MAX).max(1);
    let each = quick.total / count;
    let warmup = quick.warmup.unwrap_or_else(|| (each / WARMUP_SHARE).min(LONGEST_WARMUP));
    let window = if warmup < each { each - warmup } else { each };
    amounts.into_iter().map(|level| at(scenario, level, warmup, window)).collect()
}

fn amounts(model: &Model, is_free: bool) -> Vec<f64> {
    let (stages, whole) = match model {
        Model::Rate { stages, .. } => (stages, false),
        Model::Users { stages, .. } => (stages, true),
    };
    if is_free {
        return URL_RATES.to_vec();
    }
    let own = stages.iter().map(|stage| stage.level).fold(0.0, f64::max);
    let shaped = |level: f64| if whole { level.round().max(1.0) } else { level };
    let mut amounts = SHARES.map(|share| shaped(own * share)).to_vec();
    amounts.dedup_by(|a, b| a.total_cmp(b).is_eq());
    amounts
}

fn at(scenario: &Scenario, level: f64, warmup: Duration, window: Duration) -> Scenario {
    let stages = vec![Stage { level, duration: window, ramp: false }];
    let model = match &scenario.model {
        Model::Rate { arrivals, connections, .. } => {
            Model::Rate { stages, arrivals: *arrivals, connections: *connections }
        }
        Model::Users { think, .. } => Model::Users { stages, think: *think },
    };
    Scenario { model, warmup, window, ..scenario.clone() }
}

#[cfg(test)]
mod tests {
    use super::{Quick, Scenario, Stage, amounts, levels};
    use crate::load::scenario::{Arrivals, Model, example};
    use std::time::Duration;

    fn rate(levels: &[f64]) -> Model {
        let stage = |level: &f64| Stage { level: *level, duration: Duration::from_secs(9), ramp: true };
        Model::Rate {
            stages: levels.iter().map(stage).collect(),
            arrivals: Arrivals::Poisson,
            connections: Some(3),
        }
    }

    fn users(count: f64) -> Model {
        let stages = vec![Stage { level: count, duration: Duration::from_secs(9), ramp: false }];
        Model::Users { stages, think: Duration::from_millis(5) }
    }

    #[test]
    fn levels_grow_around_the_peak_of_the_scenario() {
        assert_eq!(amounts(&rate(&[100.0, 400.0, 50.0]), false), [40.0, 200.0, 400.0, 600.0]);
        assert_eq!(amounts(&users(20.0), false), [2.0, 10.0, 20.0, 30.0]);
        assert_eq!(amounts(&users(1.0), false), [1.0, 2.0]);
        assert_eq!(amounts(&rate(&[1.0]), true), [10.0, 50.0, 100.0, 200.0, 400.0]);
    }

    fn scenario() -> Scenario {
        Scenario {
            model: rate(&[100.0]),
            warmup: Duration::from_secs(7),
            window: Duration::from_secs(70),
            drain: Duration::from_secs(1),
            ..example::scenario("x")
        }
    }

    #[test]
    fn all_levels_together_take_what_was_said() {
        let taken = |quick: Quick| -> Vec<(u128, u128)> {
            let levels = levels(&scenario(), quick, false);
            levels.iter().map(|level| (level.warmup.as_millis(), level.window.as_millis())).collect()
        };
        let total = Duration::from_secs(120);
        assert_eq!(taken(Quick { total, warmup: None }), [(2_000, 28_000); 4]);
        let total = Duration::from_secs(4);
        assert_eq!(taken(Quick { total, warmup: None }), [(100, 900); 4]);
        assert_eq!(taken(Quick { total, warmup: Some(Duration::ZERO) }), [(0, 1_000); 4]);
        let longer = Some(Duration::from_secs(3));
        assert_eq!(taken(Quick { total, warmup: longer }), [(3_000, 1_000); 4]);
    }

    #[test]
    fn a_level_keeps_how_requests_are_spread() {
        let level =
            levels(&scenario(), Quick { total: Duration::from_secs(8), warmup: None }, false).remove(3);
        let Model::Rate { stages, arrivals, connections } = level.model else { panic!("no rate") };
        assert_eq!((arrivals, connections), (Arrivals::Poisson, Some(3)));
        assert!(stages.len() == 1 && !stages[0].ramp && (stages[0].level - 150.0).abs() < 1e-9);
    }
}
