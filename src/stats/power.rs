//! Planning: what a number of rounds can see, and how many rounds an effect needs.
//!
//! The formula K = 1.05 (z₁₋α + z₁₋β)² sd² / θ², sd of ln(head/base) in one round, was checked by simulation with normal noise in
//! blocks of 3 + 3; it is not below the rounds whose smallest attainable p reaches α.

use statrs::distribution::{ContinuousCDF, Normal};

/// Loss of efficiency of the aligned rank test against the normal optimum.
const EFFICIENCY: f64 = 1.05;

/// Deals of a block of three base and three head slots.
const DEALS: f64 = 20.0;

/// Rounds of a block.
const BLOCK_ROUNDS: f64 = 3.0;

/// The true change, in ln units, that a one-sided test at `alpha` finds with probability `power` after `rounds` rounds in blocks of three.
///
/// `scatter` is the standard deviation of ln(slot value) within blocks. `None` where no data of so few rounds could reject at
/// `alpha`, or where an argument makes no sense.
#[must_use]
pub fn minimum_detectable(scatter: f64, rounds: u32, alpha: f64, power: f64) -> Option<f64> {
    let reach = reach(alpha, power)?;
    let sensible = scatter.is_finite() && scatter >= 0.0;
    if !sensible || f64::from(rounds) < rounds_to_reject(alpha) {
        return None;
    }
    Some(reach * (2.0 * EFFICIENCY / f64::from(rounds)).sqrt() * scatter)
}

/// The rounds, in whole blocks of three, after which a one-sided test at `alpha` finds a true change of `effect` (ln units, above 0)
/// with probability `power`. `None` where an argument makes no sense or the number is beyond counting.
#[must_use]
pub fn rounds_needed(scatter: f64, effect: f64, alpha: f64, power: f64) -> Option<u32> {
    let reach = reach(alpha, power)?;
    if !(scatter.is_finite() && scatter >= 0.0 && effect.is_finite() && effect > 0.0) {
        return None;
    }
    let for_power = 2.0 * EFFICIENCY * (reach * scatter / effect).powi(2);
    let rounds = for_power.max(rounds_to_reject(alpha)).max(1.0);
    let blocks = (rounds / BLOCK_ROUNDS - 1e-9).ceil();
    if blocks * BLOCK_ROUNDS > f64::from(u32::MAX) {
        return None;
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 3 and u32::MAX, checked above"
    )]
    Some((blocks * BLOCK_ROUNDS) as u32)
}

/// The rounds below which even the smallest attainable p is above `alpha`: 3 ln(1/α) / ln 20.
fn rounds_to_reject(alpha: f64) -> f64 {
    BLOCK_ROUNDS * (-alpha.ln()) / DEALS.ln() - 1e-9
}

/// z₁₋α + z₁₋β; `None` unless both probabilities are inside (0, 1) and the sum is above 0.
fn reach(alpha: f64, power: f64) -> Option<f64> {
    let inside = |p: f64| p > 0.0 && p < 1.0;
    if !inside(alpha) || !inside(power) {
        return None;
    }
    let normal = Normal::standard();
    let sum = normal.inverse_cdf(power) - normal.inverse_cdf(alpha);
    (sum > 0.0).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_found_after_the_rounds_that_it_needs() {
        for (scatter, effect, alpha, power) in
            [(0.01, 0.02, 0.01, 0.8), (0.03, 0.05, 0.001, 0.9), (0.005, 0.02, 0.05, 0.5)]
        {
            let rounds = rounds_needed(scatter, effect, alpha, power).unwrap();
            assert_eq!(rounds % 3, 0);
            assert!(minimum_detectable(scatter, rounds, alpha, power).unwrap() <= effect);
            let before = minimum_detectable(scatter, rounds - 3, alpha, power);
            assert!(before.is_none_or(|smaller| smaller > effect), "{rounds} {before:?}");
        }
    }

    #[test]
    fn the_formula_is_that_of_the_plan() {
        // sd of a round's difference 3 %, so 3 / sqrt 2 for a slot; K = 12, alpha .01, power .8: 3 % sqrt(1.05 / 12) (2.3263 + 0.8416) = 2.81 %.
        let found = minimum_detectable(0.03 / 2.0_f64.sqrt(), 12, 0.01, 0.8).unwrap();
        assert!((found - 0.028_11).abs() < 1e-5, "{found}");
    }

    #[test]
    fn too_few_rounds_can_never_reject() {
        assert_eq!(minimum_detectable(0.01, 3, 0.01, 0.8), None);
        assert!(minimum_detectable(0.01, 6, 0.0025, 0.8).is_some());
        assert_eq!(rounds_needed(0.0, 0.5, 0.01 / 8.0 * 0.3 * 0.8, 0.8), Some(9));
    }

    #[test]
    fn arguments_that_make_no_sense_have_no_answer() {
        assert_eq!(minimum_detectable(f64::NAN, 12, 0.01, 0.8), None);
        assert_eq!(minimum_detectable(0.01, 12, 0.0, 0.8), None);
        assert_eq!(minimum_detectable(0.01, 12, 0.01, 1.0), None);
        assert_eq!(rounds_needed(0.01, 0.0, 0.01, 0.8), None);
        assert_eq!(rounds_needed(1e9, 1e-9, 0.01, 0.8), None);
    }
}
