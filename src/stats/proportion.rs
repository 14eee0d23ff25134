//! Rates that were counted: bounds for one, and the exact comparison of two.

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

/// Events among cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// How often it happened; at most `cases`.
    pub hits: u64,
    /// In how many cases it could have.
    pub cases: u64,
}

impl Counted {
    /// Hits per case; `None` without cases.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        (self.cases > 0).then(|| self.hits as f64 / self.cases as f64)
    }
}

/// The exact conditional p of "the second rate is not the greater one": given all hits, those of the second are binomial with
/// its share of the cases (Przyborowski and Wilenski 1940), and this is the chance of so many or more.
///
/// Exact for Poisson counts, conservative for binomial ones. 1 where nothing was hit or a side has no cases; never 0.
#[must_use]
pub fn greater(first: Counted, second: Counted) -> f64 {
    let all = first.hits.saturating_add(second.hits);
    if second.hits == 0 || first.cases == 0 || second.cases == 0 {
        return 1.0;
    }
    let share = second.cases as f64 / (first.cases as f64 + second.cases as f64);
    // P(X >= k) = I_p(k, n - k + 1)
    beta_reg(second.hits as f64, (all - second.hits) as f64 + 1.0, share).clamp(f64::MIN_POSITIVE, 1.0)
}

/// The bounds of the second rate over the first, each one-sided at `alpha`, from the same conditional binomial (Clopper and
/// Pearson). An end is `None` where the counts bound it by nothing.
#[must_use]
pub fn ratio_bounds(first: Counted, second: Counted, alpha: f64) -> (Option<f64>, Option<f64>) {
    let all = first.hits.saturating_add(second.hits);
    if all == 0 || first.cases == 0 || second.cases == 0 {
        return (None, None);
    }
    let cases = first.cases as f64 / second.cases as f64;
    let ratio = |share: f64| (share < 1.0).then(|| share / (1.0 - share) * cases);
    let lower = ratio(lower_bound(second.hits, all, alpha)).filter(|_| second.hits > 0);
    let upper = ratio(upper_bound(second.hits, all, alpha)).filter(|_| first.hits > 0);
    (lower, upper)
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

    fn counted(hits: u64, cases: u64) -> Counted {
        Counted { hits, cases }
    }

    #[test]
    fn the_comparison_is_the_binomial_tail() {
        // R 4.3: poisson.test(c(12, 3), c(100, 100), alternative = "greater") and poisson.test(c(5, 10), c(50, 200), ...)
        close(greater(counted(3, 100), counted(12, 100)), 0.017_578);
        close(greater(counted(10, 200), counted(5, 50)), 0.164_234);
        // All 2^k halvings: six of six on one side is 1/64
        close(greater(counted(0, 70), counted(6, 70)), 1.0 / 64.0);
    }

    #[test]
    fn the_comparison_agrees_with_summing_every_case() {
        for (a, b, n, m) in [(3_u64, 5_u64, 40_u64, 60_u64), (0, 4, 10, 30), (7, 7, 90, 90), (2, 0, 5, 5)] {
            let share = m as f64 / (n + m) as f64;
            let all = a + b;
            let mut sum = 0.0;
            let mut choose = 1.0;
            for k in 0..=all {
                if k >= b {
                    sum += choose * share.powf(k as f64) * (1.0 - share).powf((all - k) as f64);
                }
                choose *= (all - k) as f64 / (k + 1) as f64;
            }
            close(greater(counted(a, n), counted(b, m)), sum);
        }
    }

    #[test]
    fn a_comparison_without_hits_or_cases_says_nothing() {
        close(greater(counted(0, 100), counted(0, 100)), 1.0);
        close(greater(counted(0, 0), counted(5, 5)), 1.0);
        assert_eq!(ratio_bounds(counted(0, 9), counted(0, 9), 0.01), (None, None));
        assert!(greater(counted(0, 1_000_000), counted(1_000_000, 1_000_000)) > 0.0);
    }

    #[test]
    fn the_ratio_lies_within_its_bounds() {
        let (lower, upper) = ratio_bounds(counted(20, 1_000), counted(30, 1_000), 0.025);
        assert!(lower.unwrap() < 1.5 && 1.5 < upper.unwrap());
        assert_eq!(ratio_bounds(counted(0, 100), counted(9, 100), 0.025).1, None);
        assert_eq!(ratio_bounds(counted(9, 100), counted(0, 100), 0.025).0, None);
    }

    #[test]
    fn counts_that_say_nothing_bound_nothing() {
        close(upper_bound(0, 0, 0.05), 1.0);
        close(upper_bound(9, 3, 0.05), 1.0);
        close(lower_bound(0, 0, 0.05), 0.0);
        close(upper_bound(4, 4, 0.05), 1.0);
    }
}
