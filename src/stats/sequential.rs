//! Looking more than once: planned looks whose p-values share one error rate, and an e-process for those who go on beyond them.
//!
//! The sequential p of a benchmark is the least p/w over its looks, w being the look's share of the error rate; by the union bound it is
//! valid for any stopping rule and any dependence between looks.

/// Rounds after which a benchmark is judged; a round is one base and one head slot.
pub const LOOK_ROUNDS: [u32; 6] = [3, 6, 12, 18, 27, 39];

/// The share of the error rate that each look spends; they sum to one. The first look cannot reject, it only orders the work.
pub const WEIGHTS: [f64; 6] = [0.0, 0.10, 0.30, 0.25, 0.20, 0.15];

/// After look j a p above this bound is no longer suspect. It orders the work, it decides nothing. Nothing follows the last look.
pub const FUTILITY: [f64; 5] = [0.25, 0.15, 0.08, 0.05, 0.03];

/// The level at which "no worse than the margin" is tested at each look; they sum to 0.10, the chance over any stopping rule that a
/// benchmark slower by the margin is called unchanged.
pub const NO_WORSE_LEVELS: [f64; 6] = [0.05, 0.02, 0.01, 0.01, 0.005, 0.005];

/// The share of the error rate spent on the fastest fifth of the samples.
pub const FAST_SHARE: f64 = 0.8;

/// The share of the error rate spent on the median of the samples, for changes that spare the fastest.
pub const MEDIAN_SHARE: f64 = 0.2;

/// The median passes "no worse" at this many times the level of the look.
pub const MEDIAN_NO_WORSE_FACTOR: f64 = 4.0;

/// The share of the error rate kept for the planned looks when an [`EProcess`] follows them.
pub const LOOKS_SHARE: f64 = 0.8;

/// The sequential p of looks given as (p, weight): the least p/weight, at most 1. A look of weight 0 never counts.
#[must_use]
pub fn sequential_p(looks: &[(f64, f64)]) -> f64 {
    looks.iter().filter(|(_, weight)| *weight > 0.0).map(|(p, weight)| p / weight).fold(1.0, f64::min)
}

/// One p out of that of the fastest fifth and that of the median: the smaller after each is divided by its share, at most 1.
#[must_use]
pub fn combine(p_fast: f64, p_median: f64) -> f64 {
    (p_fast / FAST_SHARE).min(p_median / MEDIAN_SHARE).min(1.0)
}

/// One p out of the planned looks' and that of the e-process which continues them, at most 1.
#[must_use]
pub fn combine_with_e_process(p_sequential: f64, p_e_process: f64) -> f64 {
    (p_sequential / LOOKS_SHARE).min(p_e_process / (1.0 - LOOKS_SHARE)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_levels_sum_to_what_they_promise() {
        assert!((WEIGHTS.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((NO_WORSE_LEVELS.iter().sum::<f64>() - 0.1).abs() < 1e-12);
        assert!((FAST_SHARE + MEDIAN_SHARE - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_first_look_never_counts() {
        assert_eq!(sequential_p(&[(0.05, WEIGHTS[0])]), 1.0);
        assert_eq!(sequential_p(&[]), 1.0);
    }

    #[test]
    fn the_sequential_p_is_the_best_look_after_its_price() {
        let p = sequential_p(&[(0.05, 0.0), (0.0025, 0.1), (0.0027, 0.3)]);
        assert!((p - 0.009).abs() < 1e-12);
        assert_eq!(sequential_p(&[(0.9, 0.1)]), 1.0);
    }

    #[test]
    fn the_smallest_sequential_p_of_each_look_is_the_one_stated() {
        for (look, smallest) in [(1, 0.031), (2, 2.6e-5), (3, 7.8e-8)] {
            let p = 20.0_f64.powi(-i32::try_from(LOOK_ROUNDS[look] / 3).unwrap());
            let p = sequential_p(&[(combine(p, 1.0), WEIGHTS[look])]);
            assert!((p / smallest - 1.0).abs() < 0.02, "{p}");
        }
    }
}
