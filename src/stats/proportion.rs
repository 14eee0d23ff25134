//! Bounds for a rate that was counted: how often something happened in a number of independent cases.

use statrs::function::beta::beta_reg;

/// Halvings of the interval in which a bound lies: more than a double has bits.
const HALVINGS: u32 = 60;

/// The upper bound that the true rate exceeds with probability at most `alpha`, after `hits` in `cases` independent cases
/// (Clopper and Pearson 1934, one-sided): the rate at which so few hits have probability `alpha`.
///
/// 1 when nothing was counted or everything was hit; `hits` beyond `cases` count as `cases`.
#[must_use]
pub fn upper_bound(hits: u64, cases: u64, alpha: f64) -> f64 {
    if hits >= cases {
        return 1.0;
    }
    // P(X <= k | n, x) = 1 - I_x(k + 1, n - k), which falls with x
    let beyond = |rate: f64| beta_reg(hits as f64 + 1.0, (cases - hits) as f64, rate) >= 1.0 - alpha;
    crossing(beyond)
}

/// The lower bound that the true rate undercuts with probability at most `alpha`; 0 without hits.
#[must_use]
pub fn lower_bound(hits: u64, cases: u64, alpha: f64) -> f64 {
    1.0 - upper_bound(cases.saturating_sub(hits), cases, alpha)
}

/// Where a condition that fails at 0 and holds at 1 begins to hold.
fn crossing(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 5e-5, "{a} is not {b}");
    }

    #[test]
    fn no_hits_have_the_closed_form() {
        for cases in [1_u64, 8, 48, 1000] {
            close(upper_bound(0, cases, 0.05), 1.0 - 0.05_f64.powf(1.0 / cases as f64));
        }
        assert!(lower_bound(0, 10, 0.05).abs() < 1e-15);
    }

    #[test]
    fn published_intervals_are_reproduced() {
        // R 4.3, binom.test(5, 10) and binom.test(1, 20): two-sided 95 %, so 2.5 % an end
        close(lower_bound(5, 10, 0.025), 0.187_086);
        close(upper_bound(5, 10, 0.025), 0.812_914);
        close(lower_bound(1, 20, 0.025), 0.001_265);
        close(upper_bound(1, 20, 0.025), 0.248_733);
    }

    #[test]
    fn the_bounds_hold_the_rate_and_meet_their_level() {
        for (hits, cases) in [(1_u64, 7_u64), (3, 40), (39, 40), (20, 400)] {
            let (lower, upper) = (lower_bound(hits, cases, 0.05), upper_bound(hits, cases, 0.05));
            let rate = hits as f64 / cases as f64;
            assert!(lower < rate && rate < upper, "{hits}/{cases}");
            // At the upper bound so few hits have probability 0.05, by summing the binomial directly
            let mut term = (1.0 - upper).powf(cases as f64);
            let mut sum = term;
            for k in 1..=hits {
                term *= (cases - k + 1) as f64 / k as f64 * upper / (1.0 - upper);
                sum += term;
            }
            close(sum, 0.05);
        }
    }

    #[test]
    fn counts_that_say_nothing_bound_nothing() {
        close(upper_bound(0, 0, 0.05), 1.0);
        close(upper_bound(9, 3, 0.05), 1.0);
        close(lower_bound(0, 0, 0.05), 0.0);
        close(upper_bound(4, 4, 0.05), 1.0);
    }
}
