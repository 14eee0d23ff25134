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

/// Rates at which an [`EProcess`] bets, per ln unit: between them they suit changes from half a per cent to a third.
const BETS: [f64; 4] = [3.0, 12.0, 48.0, 192.0];

/// Evidence that may be looked at after every block, for as long as one likes: a one-sided test martingale for symmetric differences.
///
/// Under the null a block's contrast d (head minus base, less the shift under test) is as likely negative as positive, because the deal could as well have
/// been the opposite one; so E exp(l d - l² d²/2) <= 1 for every l (de la Peña 1999), and the mixture over half-normal l of
/// scale r is (2 / sqrt(1 + r² V)) exp(r² S² / (2 (1 + r² V))) Φ(r S / sqrt(1 + r² V)), S the sum and V the sum of squares of all d. The mean over
/// several r is again such evidence. p = 1 / its running maximum (Howard et al. 2021; Ville's inequality).
///
/// It needs blocks with as many base as head slots.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EProcess {
    sum: f64,
    squares: f64,
    ln_greatest: f64,
}

impl EProcess {
    /// No evidence yet: p is 1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one block's difference, head minus base less the shift under test, in ln units. What is not finite is not evidence.
    pub fn push(&mut self, difference: f64) {
        if !difference.is_finite() {
            return;
        }
        self.sum += difference;
        self.squares += difference * difference;
        self.ln_greatest = self.ln_greatest.max(self.ln_evidence());
    }

    /// The p-value of "head is not slower than the shift", valid at any time and under any stopping rule.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        (-self.ln_greatest).exp().clamp(f64::MIN_POSITIVE, 1.0)
    }

    fn ln_evidence(&self) -> f64 {
        let each = BETS.map(|rate| {
            let spread = 1.0 + rate * rate * self.squares;
            let z = rate * self.sum / spread.sqrt();
            // 2 Φ(z) = erfc(-z / sqrt 2).
            statrs::function::erf::erfc(-z / 2.0_f64.sqrt()).ln() + z * z / 2.0 - spread.ln() / 2.0
        });
        let greatest = each.into_iter().fold(f64::NEG_INFINITY, f64::max);
        if !greatest.is_finite() {
            return f64::NEG_INFINITY;
        }
        greatest + (each.iter().map(|ln| (ln - greatest).exp()).sum::<f64>() / BETS.len() as f64).ln()
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exactly one is meant")]
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

    #[test]
    fn evidence_of_one_difference_is_the_mixture_over_its_bets() {
        // One d, one rate: the integral of exp(l d - l² d²/2) over a half-normal l, done by steps.
        let d = 0.03;
        let mut process = EProcess::new();
        process.push(d);
        let mixture = |rate: f64| {
            let step = rate / 20_000.0;
            let density =
                |l: f64| (2.0 / std::f64::consts::PI).sqrt() / rate * (-l * l / (2.0 * rate * rate)).exp();
            (0..160_000)
                .map(|i| (f64::from(i) + 0.5) * step)
                .map(|l| step * density(l) * (l * d - l * l * d * d / 2.0).exp())
                .sum::<f64>()
        };
        let expected = BETS.iter().map(|rate| mixture(*rate)).sum::<f64>() / BETS.len() as f64;
        assert!((process.p_value() * expected - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_e_process_is_never_fooled_more_often_than_promised() {
        // Symmetric heavy-tailed differences, 200 blocks, looked at after every one.
        let mut stream = crate::stats::random::Stream::new(5, "e-process", &[], 0);
        let fooled = (0..2000).filter(|_| {
            let mut process = EProcess::new();
            for _ in 0..200 {
                let scale = if stream.below(10) == 0 { 0.1 } else { 0.01 };
                process.push(scale * stream.normal());
            }
            process.p_value() <= 0.05
        });
        let fooled = fooled.count();
        assert!(fooled <= 121, "{fooled} of 2000 at 0.05");
        assert!(fooled >= 5, "{fooled} of 2000: it should not be idle either");
    }

    #[test]
    fn the_e_process_finds_a_steady_change_and_forgets_no_evidence() {
        let mut process = EProcess::new();
        for block in 0..30 {
            process.push(0.02 + if block % 2 == 0 { 0.01 } else { -0.01 });
        }
        let found = process.p_value();
        assert!(found < 1e-3, "{found}");
        process.push(f64::NAN);
        process.push(-1.0);
        assert_eq!(process.p_value().to_bits(), found.to_bits());
    }

    #[test]
    fn the_e_process_ignores_changes_in_the_other_direction() {
        let mut process = EProcess::new();
        for _ in 0..100 {
            process.push(-0.05);
        }
        assert_eq!(process.p_value().to_bits(), 1.0_f64.to_bits());
    }
}
