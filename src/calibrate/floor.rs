//! The floor: the smallest slowdown that this machine can show, by the scatter that was measured on it.

use crate::{
    calibrate::{injected::dealt, kernel::Kernel, series::Series},
    model::{policy::Policy, verdict::SlotValue},
    stats::{
        location::median,
        power::minimum_detectable,
        randomisation::scatter,
        sequential::{FAST_SHARE, LOOK_ROUNDS, WEIGHTS},
    },
};

/// The budgets for which the floor is told, seconds.
pub const BUDGET_SECONDS: [u32; 5] = [30, 60, 120, 300, 600];

/// The sizes of checks for which it is told.
pub const BENCHMARKS: [u32; 2] = [8, 50];

/// The budget of a check that asks for none, seconds.
pub const DEFAULT_BUDGET_SECONDS: u32 = 300;

/// The power at which a change counts as seen.
const POWER: f64 = 0.8;

/// A check: how many benchmarks share how much measuring time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Seconds of measuring.
    pub budget_seconds: u32,
    /// Benchmarks, measured equally long.
    pub benchmarks: u32,
}

/// What a check can show here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Visible {
    /// Which check.
    pub check: Check,
    /// Rounds that each benchmark gets, up to the last look that fits.
    pub rounds: u32,
    /// The smallest slowdown found with 80 % power in a kernel of the median scatter, relative; `None`: nothing at all.
    pub typical: Option<f64>,
    /// The same in the kernel that scatters most.
    pub worst: Option<f64>,
}

/// The floor of a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    /// Robust standard deviation of ln(slot value) within blocks, by kernel.
    pub scatter: Vec<(Kernel, f64)>,
    /// What a round costs, seconds.
    pub round_seconds: f64,
    /// What the checks of [`BUDGET_SECONDS`] and [`BENCHMARKS`] can show, budget by budget.
    pub visible: Vec<Visible>,
}

impl Floor {
    /// The floor by recorded series; `None` where no scatter could be told.
    #[must_use]
    pub fn of(series: &[Series], round_seconds: f64) -> Option<Self> {
        let scatter: Vec<(Kernel, f64)> = Kernel::ALL
            .into_iter()
            .filter_map(|kernel| Some((kernel, scatter_of(series, kernel)?)))
            .collect();
        (!scatter.is_empty()).then(|| Self::by_scatter(scatter, round_seconds))
    }

    /// The floor by known scatter of at least one kernel.
    #[must_use]
    pub fn by_scatter(scatter: Vec<(Kernel, f64)>, round_seconds: f64) -> Self {
        let mut floor = Self { scatter, round_seconds, visible: Vec::new() };
        let checks = BUDGET_SECONDS
            .into_iter()
            .flat_map(|budget_seconds| BENCHMARKS.map(|benchmarks| Check { budget_seconds, benchmarks }));
        floor.visible = checks.map(|check| floor.visible(check)).collect();
        floor
    }

    /// The median of the kernels' scatters.
    #[must_use]
    pub fn typical_scatter(&self) -> f64 {
        median(&self.scatter.iter().map(|(_, scatter)| *scatter).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    }

    /// The largest of the kernels' scatters, with its kernel.
    #[must_use]
    pub fn worst_scatter(&self) -> Option<(Kernel, f64)> {
        self.scatter.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// What a check can show here, margin aside.
    #[must_use]
    pub fn visible(&self, check: Check) -> Visible {
        Visible {
            check,
            rounds: self.rounds(check),
            typical: self.smallest(self.typical_scatter(), check),
            worst: self.worst_scatter().and_then(|(_, scatter)| self.smallest(scatter, check)),
        }
    }

    /// The smallest slowdown that a check can show in a kernel that scatters so much, margin aside.
    #[must_use]
    pub fn smallest(&self, scatter: f64, check: Check) -> Option<f64> {
        smallest(scatter, self.rounds(check), check.benchmarks, 0.0)
    }

    /// The smallest slowdown that a check fails for in a kernel that scatters so much, the default margin included.
    #[must_use]
    pub fn gated(&self, scatter: f64, check: Check) -> Option<f64> {
        smallest(scatter, self.rounds(check), check.benchmarks, Policy::default().margin)
    }

    /// The least budget in seconds in which so many benchmarks that scatter so much show a slowdown of `change`; `None` when
    /// not even the last look does.
    #[must_use]
    pub fn budget_for(&self, scatter: f64, benchmarks: u32, change: f64) -> Option<f64> {
        let enough =
            |rounds: &u32| smallest(scatter, *rounds, benchmarks, 0.0).is_some_and(|found| found <= change);
        let rounds = LOOK_ROUNDS.into_iter().find(enough)?;
        Some(f64::from(rounds) * f64::from(benchmarks) * self.round_seconds)
    }

    /// The rounds that each benchmark gets, up to the last look that fits; 0 when not even the first does.
    fn rounds(&self, check: Check) -> u32 {
        let affordable = f64::from(check.budget_seconds) / (f64::from(check.benchmarks) * self.round_seconds);
        LOOK_ROUNDS.into_iter().rfind(|look| f64::from(*look) <= affordable).unwrap_or(0)
    }
}

/// The smallest slowdown that is found with 80 % power at the look after `rounds`, relative, as `minimum_detectable` of a
/// verdict states it: the test must reject at the look's share of the family's level, and the estimate must reach the margin.
fn smallest(scatter: f64, rounds: u32, benchmarks: u32, margin: f64) -> Option<f64> {
    let look = LOOK_ROUNDS.iter().position(|look| *look == rounds)?;
    let level = Policy::default().false_discovery_rate / f64::from(benchmarks);
    let tested = minimum_detectable(scatter, rounds, level * WEIGHTS[look] * FAST_SHARE, POWER)?;
    // At a level of one half only the estimate's own error counts
    let seen = margin.ln_1p() + minimum_detectable(scatter, rounds, 0.5, POWER)?;
    Some(tested.max(seen).exp_m1())
}

/// The scatter of a kernel over all its blocks, whatever was injected: it is taken within sides.
fn scatter_of(series: &[Series], kernel: Kernel) -> Option<f64> {
    let of_kernel = series.iter().filter(|series| series.arm().kernel == kernel);
    let blocks: Vec<Vec<SlotValue>> = of_kernel.flat_map(Series::values).collect();
    scatter(&dealt(&blocks)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floor(scatter: f64) -> Floor {
        Floor::by_scatter(vec![(Kernel::Sort, scatter), (Kernel::Alloc, 2.0 * scatter)], 0.2)
    }

    const DEFAULT: Check = Check { budget_seconds: DEFAULT_BUDGET_SECONDS, benchmarks: 8 };

    #[test]
    fn a_check_gets_the_last_look_that_fits_into_its_budget() {
        let rounds =
            |budget_seconds, benchmarks| floor(0.01).visible(Check { budget_seconds, benchmarks }).rounds;
        assert_eq!(rounds(30, 8), 18, "18.75 rounds of 0.2 s each");
        assert_eq!(rounds(60, 8), 27);
        assert_eq!(rounds(600, 8), 39);
        assert_eq!(rounds(30, 50), 3);
        assert_eq!(rounds(20, 50), 0);
    }

    #[test]
    fn few_rounds_show_nothing_and_more_show_less_and_less() {
        let floor = floor(0.01);
        let typical =
            |budget_seconds, benchmarks| floor.visible(Check { budget_seconds, benchmarks }).typical;
        assert_eq!(typical(30, 50), None);
        assert!(typical(600, 8).unwrap() < typical(30, 8).unwrap());
        assert!(typical(600, 8).unwrap() <= typical(600, 50).unwrap());
        // (3.62 + 0.84) sqrt(2.1 / 39) 1.5 %, by hand: 39 rounds, level 0.01 / 8 * 0.15 * 0.8
        assert!((typical(600, 8).unwrap() - 0.0156).abs() < 2e-4, "{:?}", typical(600, 8));
        assert!(floor.visible(DEFAULT).worst > floor.visible(DEFAULT).typical);
    }

    #[test]
    fn a_gate_fails_for_nothing_below_its_margin() {
        let floor = floor(0.001);
        assert!(floor.gated(0.001, DEFAULT).unwrap() > 0.02);
        assert!(floor.gated(0.001, DEFAULT).unwrap() < 0.021);
        assert!(floor.gated(0.05, DEFAULT).unwrap() > 0.05);
    }

    #[test]
    fn the_budget_for_a_change_is_that_of_the_first_look_that_shows_it() {
        let floor = floor(0.01);
        assert!((floor.budget_for(0.001, 8, 0.02).unwrap() - 12.0 * 8.0 * 0.2).abs() < 1e-9);
        assert_eq!(floor.budget_for(0.1, 8, 0.02), None);
    }
}
