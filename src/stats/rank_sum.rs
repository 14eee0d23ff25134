//! The rank-sum test of two independent lists (Mann and Whitney 1947): exact for small lists, normal with ties and continuity correction else.
//!
//! It assumes that all values are exchangeable under the null, which runs measured one side after the other are not: for data of other tools,
//! where nothing better can be had.

use statrs::function::erf::erfc;

use crate::stats::ranks::{TIE, doubled_midranks};

/// Lists whose sizes multiply to at most this are counted exactly.
const EXACT_PAIRS: usize = 2500;

/// The outcome of a rank-sum test of head against base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankSum {
    /// Pairs in which head's value is larger, ties counting one half.
    pub u: f64,
    /// P(U* >= U): small when head tends to be larger.
    pub greater: f64,
    /// P(U* <= U): small when head tends to be smaller.
    pub less: f64,
    /// Twice the smaller of the two, at most 1.
    pub two_sided: f64,
    /// Whether all deals were counted.
    pub exact: bool,
}

/// Tests whether head's values tend to be larger or smaller than base's. `None` where a list is empty or a value is not finite.
///
/// The exact null distribution is conditional on the midranks, so it holds with ties too.
#[must_use]
pub fn rank_sum(base: &[f64], head: &[f64]) -> Option<RankSum> {
    let all: Vec<f64> = head.iter().chain(base).copied().collect();
    if base.is_empty() || head.is_empty() || all.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let ranks = doubled_midranks(&all, TIE);
    let sum: u64 = ranks[..head.len()].iter().map(|rank| u64::from(*rank)).sum();
    let (m, n) = (head.len() as f64, base.len() as f64);
    let u = sum as f64 / 2.0 - m * (m + 1.0) / 2.0;
    let exact = base.len().saturating_mul(head.len()) <= EXACT_PAIRS;
    let (greater, less) = if exact { counted(&ranks, head.len(), sum) } else { normal(&ranks, m, n, u) };
    Some(RankSum { u, greater, less, two_sided: (2.0 * greater.min(less)).min(1.0), exact })
}

/// Both tails of the sum of `drawn` doubled ranks drawn without replacement, by adding one rank at a time: with j of the first i drawn, rank i is
/// among them with probability j/i.
fn counted(ranks: &[u32], drawn: usize, sum: u64) -> (f64, f64) {
    let most: usize = ranks.iter().map(|rank| *rank as usize).sum();
    let mut rows = vec![vec![0.0; most + 1]; drawn + 1];
    rows[0][0] = 1.0;
    let mut reach = 0;
    for (seen, rank) in ranks.iter().map(|rank| *rank as usize).enumerate() {
        reach += rank;
        for j in (1..=drawn.min(seen + 1)).rev() {
            let share = j as f64 / (seen + 1) as f64;
            for total in (0..=reach).rev() {
                let with = if total >= rank { rows[j - 1][total - rank] } else { 0.0 };
                rows[j][total] = (1.0 - share) * rows[j][total] + share * with;
            }
        }
    }
    let at = usize::try_from(sum).unwrap_or(most).min(most);
    let greater: f64 = rows[drawn][at..].iter().rev().sum();
    let less: f64 = rows[drawn][..=at].iter().sum();
    (greater.min(1.0), less.min(1.0))
}

/// Both tails by the normal approximation, variance corrected for ties, distance for continuity.
fn normal(ranks: &[u32], m: f64, n: f64, u: f64) -> (f64, f64) {
    let count = m + n;
    let mut sorted = ranks.to_vec();
    sorted.sort_unstable();
    let ties: f64 =
        sorted.chunk_by(|a, b| a == b).map(|tied| (tied.len() as f64).powi(3) - tied.len() as f64).sum();
    let variance = m * n / 12.0 * (count + 1.0 - ties / (count * (count - 1.0)));
    if variance <= 0.0 {
        return (1.0, 1.0);
    }
    let distance = u - m * n / 2.0;
    let tail = |distance: f64| erfc((distance - 0.5) / variance.sqrt() / 2.0_f64.sqrt()) / 2.0;
    (tail(distance), tail(-distance))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    #[test]
    fn small_lists_have_the_tabled_probabilities() {
        // Mann and Whitney (1947), n = m = 4: P(U <= 0, 1, 2, 3, 4) = .014, .029, .057, .100, .171.
        let base = [1.0, 2.0, 3.0, 4.0];
        for (head, u, p) in [
            ([5.0, 6.0, 7.0, 8.0], 16.0, 0.014),
            ([3.5, 6.0, 7.0, 8.0], 15.0, 0.029),
            ([2.5, 6.0, 7.0, 8.0], 14.0, 0.057),
            ([1.5, 6.0, 7.0, 8.0], 13.0, 0.100),
            ([0.5, 6.0, 7.0, 8.0], 12.0, 0.171),
        ] {
            let test = rank_sum(&base, &head).unwrap();
            assert!((test.u - u).abs() < 1e-12 && (test.greater - p).abs() < 5e-4 && test.exact, "{test:?}");
        }
    }

    #[test]
    fn hollander_and_wolfe_s_permeability_example_is_reproduced() {
        // Hollander and Wolfe (1973), 69f: placental permeability at term and at 12 to 26 weeks; W = 35, one-sided p = 0.1272 (also R's example).
        let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let early = [1.15, 0.88, 0.90, 0.74, 1.21];
        let test = rank_sum(&early, &term).unwrap();
        assert!((test.u - 35.0).abs() < 1e-12);
        assert!((test.greater - 0.1272).abs() < 5e-5, "{test:?}");
    }

    #[test]
    fn the_approximation_joins_the_count() {
        let mut stream = Stream::new(1, "rank sum", &[], 0);
        let list: Vec<f64> = (0..100).map(|_| stream.below(40) as f64).collect();
        let (base, head) = list.split_at(50);
        let counted = rank_sum(base, head).unwrap();
        let ranks = doubled_midranks(&[head, base].concat(), TIE);
        let (greater, less) = normal(&ranks, 50.0, 50.0, counted.u);
        assert!(
            counted.exact && (counted.greater - greater).abs() < 2e-3 && (counted.less - less).abs() < 2e-3
        );
    }

    #[test]
    fn swapping_the_lists_swaps_the_tails() {
        let (a, b) = ([1.0, 5.0, 5.0, 7.0, 9.0], [2.0, 5.0, 6.0]);
        let (forth, back) = (rank_sum(&a, &b).unwrap(), rank_sum(&b, &a).unwrap());
        assert!((forth.greater - back.less).abs() < 1e-12 && (forth.u + back.u - 15.0).abs() < 1e-12);
    }

    #[test]
    fn equal_values_prove_nothing_and_empty_lists_are_not_tested() {
        let large = vec![1.0; 60];
        for list in [&large[..3], &large[..]] {
            let test = rank_sum(list, list).unwrap();
            assert!((test.two_sided - 1.0).abs() < 1e-9);
        }
        assert_eq!(rank_sum(&[], &[1.0]), None);
        assert_eq!(rank_sum(&[f64::NAN], &[1.0]), None);
    }
}
