//! The signed-rank test of paired differences (Wilcoxon 1945), for slots run in pairs whose order was dealt at random.
//!
//! Exact for symmetric differences, which a random order makes them under the null; p is never below 2⁻ⁿ.

use crate::stats::{
    location::median_in_place,
    ranks::{TIE, doubled_midranks},
};

/// The outcome of a signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// Sum of the midranks of the positive differences.
    pub v: f64,
    /// P(V* >= V): small when the differences tend to be positive.
    pub greater: f64,
    /// P(V* <= V): small when they tend to be negative.
    pub less: f64,
    /// Twice the smaller of the two, at most 1.
    pub two_sided: f64,
}

/// Tests whether differences (head minus base) lie around 0, by all sign patterns. Differences of 0 are left out, as Wilcoxon does; ties share their
/// midranks. The cost grows with the cube of their number.
///
/// `None` where no difference is left or one is not finite.
#[must_use]
pub fn signed_rank(differences: &[f64]) -> Option<SignedRank> {
    if differences.iter().any(|difference| !difference.is_finite()) {
        return None;
    }
    let moved: Vec<f64> = differences.iter().copied().filter(|difference| difference.abs() > TIE).collect();
    if moved.is_empty() {
        return None;
    }
    let sizes: Vec<f64> = moved.iter().map(|difference| difference.abs()).collect();
    let ranks: Vec<usize> = doubled_midranks(&sizes, TIE).into_iter().map(|rank| rank as usize).collect();
    let positive: usize =
        moved.iter().zip(&ranks).filter(|(difference, _)| **difference > 0.0).map(|(_, rank)| rank).sum();
    let mut chances = vec![0.0; ranks.iter().sum::<usize>() + 1];
    chances[0] = 1.0;
    let mut reach = 0;
    for &rank in &ranks {
        reach += rank;
        for sum in (0..=reach).rev() {
            let with = if sum >= rank { chances[sum - rank] } else { 0.0 };
            chances[sum] = (chances[sum] + with) / 2.0;
        }
    }
    let greater = chances[positive..].iter().rev().sum::<f64>().min(1.0);
    let less = chances[..=positive].iter().sum::<f64>().min(1.0);
    Some(SignedRank {
        v: positive as f64 / 2.0,
        greater,
        less,
        two_sided: (2.0 * greater.min(less)).min(1.0),
    })
}

/// Hodges and Lehmann's estimate of the centre of symmetric differences: the median of the means of all pairs of them, each with itself included.
/// `None` for an empty list.
#[must_use]
pub fn walsh_median(differences: &[f64]) -> Option<f64> {
    let mut means = Vec::with_capacity(differences.len() * (differences.len() + 1) / 2);
    for (place, one) in differences.iter().enumerate() {
        means.extend(differences[place..].iter().map(|other| f64::midpoint(*one, *other)));
    }
    median_in_place(&mut means)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn darwin_s_maize_is_reproduced() {
        // Darwin (1876), crossed less self-fertilised, eighths of an inch: V = 96, two-sided p = 0.04126 (R, wilcox.test).
        let heights: [f64; 15] =
            [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];
        let test = signed_rank(&heights).unwrap();
        assert!((test.v - 96.0).abs() < 1e-12);
        assert!((test.two_sided - 0.041_26).abs() < 5e-6, "{test:?}");
    }

    #[test]
    fn hollander_and_wolfe_s_depression_example_is_reproduced() {
        // Hollander and Wolfe (1973), 29f: Hamilton depression scale before and after; V = 40, one-sided p = 0.01953.
        let before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
        #[allow(clippy::approx_constant, reason = "a measured value")]
        let after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
        let differences: Vec<f64> = before.iter().zip(after).map(|(before, after)| before - after).collect();
        let test = signed_rank(&differences).unwrap();
        assert!((test.v - 40.0).abs() < 1e-12);
        assert!((test.greater - 0.019_53).abs() < 5e-6, "{test:?}");
    }

    #[test]
    fn all_of_one_sign_is_one_pattern_of_all() {
        let test = signed_rank(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert!((test.greater - 1.0 / 32.0).abs() < 1e-15 && (test.less - 1.0).abs() < 1e-15);
    }

    #[test]
    fn zeros_are_left_out_and_nothing_left_is_not_tested() {
        assert_eq!(signed_rank(&[0.0, 1.0, 2.0]), signed_rank(&[1.0, 2.0]));
        assert_eq!(signed_rank(&[0.0, 0.0]), None);
        assert_eq!(signed_rank(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn the_walsh_median_of_three_is_worked_by_hand() {
        // 1, 1.5, 3, 2, 3.5, 5 in order: 1 1.5 2 3 3.5 5, median 2.5.
        assert!((walsh_median(&[1.0, 2.0, 5.0]).unwrap() - 2.5).abs() < 1e-12);
        assert_eq!(walsh_median(&[]), None);
    }
}
