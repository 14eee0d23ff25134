//! Corrections for many tests at once, as adjusted p-values in the order given.

/// Benjamini-Hochberg adjusted p-values: rejecting those at or below q keeps the false discovery rate at or below q
/// for independent or positively dependent tests (Benjamini and Hochberg 1995).
#[must_use]
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let count = p.len() as f64;
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (rank, &place) in ascending(p).iter().enumerate().rev() {
        least = least.min(p[place] * count / (rank + 1) as f64);
        adjusted[place] = least;
    }
    adjusted
}

/// Holm adjusted p-values: rejecting those at or below a bounds the chance of any false rejection by a, under any
/// dependence (Holm 1979).
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![1.0; p.len()];
    let mut greatest = 0.0_f64;
    for (rank, &place) in ascending(p).iter().enumerate() {
        greatest = greatest.max(p[place] * (p.len() - rank) as f64).min(1.0);
        adjusted[place] = greatest;
    }
    adjusted
}

fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    order
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact values are meant")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The fifteen p-values of Benjamini and Hochberg (1995), section 3.2 (thrombolysis trial).
    const TABLE: [f64; 15] = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
        0.6528, 0.7590, 1.0,
    ];

    #[test]
    fn the_published_example_rejects_four_by_benjamini_hochberg_and_three_by_holm() {
        let rejected = |adjusted: Vec<f64>| adjusted.iter().filter(|&&q| q <= 0.05).count();
        assert_eq!(rejected(benjamini_hochberg(&TABLE)), 4);
        assert_eq!(rejected(holm(&TABLE)), 3);
    }

    #[test]
    fn the_published_example_has_the_adjusted_values_of_the_definition() {
        let adjusted = benjamini_hochberg(&TABLE);
        assert!((adjusted[0] - 0.0015).abs() < 1e-12);
        assert!((adjusted[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12);
        // The eighth is held down by its right neighbour: .0344 * 15/8 = .0645 but .0298 * 15/7 = .0639 stays.
        assert!((adjusted[7] - 0.0645).abs() < 1e-12);
        assert!((adjusted[5] - 0.0298 * 15.0 / 7.0).abs() < 1e-12);
        assert_eq!(adjusted[14], 1.0);
    }

    #[test]
    fn holm_multiplies_by_the_tests_that_remain() {
        let adjusted = holm(&[0.04, 0.01, 0.03]);
        assert!((adjusted[1] - 0.03).abs() < 1e-12);
        assert!((adjusted[2] - 0.06).abs() < 1e-12);
        assert!((adjusted[0] - 0.06).abs() < 1e-12);
    }

    #[test]
    fn no_tests_have_no_adjusted_values() {
        assert!(benjamini_hochberg(&[]).is_empty());
        assert!(holm(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn adjusting_never_lowers_a_p_value_and_keeps_the_order(p in prop::collection::vec(1e-9..=1.0_f64, 1..60)) {
            for adjusted in [benjamini_hochberg(&p), holm(&p)] {
                for i in 0..p.len() {
                    prop_assert!(adjusted[i] >= p[i] - 1e-15 && adjusted[i] <= 1.0);
                    for j in 0..p.len() {
                        if p[i] <= p[j] {
                            prop_assert!(adjusted[i] <= adjusted[j]);
                        }
                    }
                }
            }
        }

        #[test]
        fn rejections_are_those_of_the_step_up_rule(p in prop::collection::vec(1e-6..=1.0_f64, 1..40), q in 0.001..0.5_f64) {
            let mut sorted = p.clone();
            sorted.sort_by(f64::total_cmp);
            let m = p.len() as f64;
            let bound = (0..p.len()).rev().find(|&i| sorted[i] * m / (i + 1) as f64 <= q).map(|i| sorted[i]);
            for (value, adjusted) in p.iter().zip(benjamini_hochberg(&p)) {
                prop_assert_eq!(adjusted <= q, bound.is_some_and(|bound| *value <= bound));
            }
        }
    }
}
