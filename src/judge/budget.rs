//! Absolute bounds on head's value, judged from head's slots alone.
//!
//! A budget is broken when so many of head's slots lie beyond it that a true median within it would give as many with
//! probability at most 1 % (the exact sign test; equivalently, the order-statistic bound of the median lies beyond the
//! budget). It takes seven slots at least. Every look may judge it, so with planned looks each has a sixth of that.

use crate::{model::metric::Direction, stats::sequential::LOOK_ROUNDS};

/// The level of a single look at a budget.
pub(super) const LEVEL: f64 = 0.01;

/// The level of one look of several.
pub(super) const LOOK_LEVEL: f64 = LEVEL / LOOK_ROUNDS.len() as f64;

/// How head stands to its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Budget {
    /// Nothing speaks against it: the median is within.
    Kept,
    /// The median is beyond it, but that is not shown.
    Unclear,
    /// It is shown to be beyond.
    Broken,
}

/// Judges head's slot values against a bound at a level; no values keep any budget.
pub(super) fn judge(head: &[f64], bound: f64, direction: Direction, level: f64) -> Budget {
    let beyond = head.iter().filter(|value| is_beyond(**value, bound, direction)).count();
    if 2 * beyond <= head.len() {
        Budget::Kept
    } else if at_least(beyond, head.len()) <= level {
        Budget::Broken
    } else {
        Budget::Unclear
    }
}

/// Judges values that repeat exactly: all of them beyond is certain.
pub(super) fn judge_exact(head: &[f64], bound: f64, direction: Direction) -> Budget {
    let beyond = head.iter().filter(|value| is_beyond(**value, bound, direction)).count();
    match beyond {
        0 => Budget::Kept,
        all if all == head.len() => Budget::Broken,
        _ => Budget::Unclear,
    }
}

fn is_beyond(value: f64, bound: f64, direction: Direction) -> bool {
    match direction {
        Direction::Lower => value > bound,
        Direction::Higher => value < bound,
    }
}

/// P(X >= k) for X ~ Binomial(n, 1/2), summed from its far end.
fn at_least(k: usize, n: usize) -> f64 {
    let mut term = 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let mut sum = term;
    // C(n, i) / 2^n from i = n downwards
    for i in (k..n).rev() {
        term *= (i + 1) as f64 / (n - i) as f64;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_that_of_the_binomial() {
        assert!((at_least(7, 7) - 1.0 / 128.0).abs() < 1e-15);
        assert!((at_least(9, 10) - 11.0 / 1024.0).abs() < 1e-15);
        assert!((at_least(0, 10) - 1.0).abs() < 1e-12);
        assert!((at_least(20, 39) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn seven_slots_beyond_break_a_budget_and_six_do_not() {
        assert_eq!(judge(&[2.0; 7], 1.0, Direction::Lower, LEVEL), Budget::Broken);
        assert_eq!(judge(&[2.0; 6], 1.0, Direction::Lower, LEVEL), Budget::Unclear);
        assert_eq!(judge(&[2.0; 9], 1.0, Direction::Lower, LOOK_LEVEL), Budget::Unclear);
        assert_eq!(judge(&[2.0; 12], 1.0, Direction::Lower, LOOK_LEVEL), Budget::Broken);
        assert_eq!(judge(&[1.0, 1.0, 2.0, 2.0], 1.0, Direction::Lower, LEVEL), Budget::Kept);
        assert_eq!(judge(&[], 1.0, Direction::Lower, LEVEL), Budget::Kept);
    }

    #[test]
    fn where_more_is_better_a_budget_is_a_lower_bound() {
        assert_eq!(judge(&[2.0; 7], 1.0, Direction::Higher, LEVEL), Budget::Kept);
        assert_eq!(judge(&[0.5; 7], 1.0, Direction::Higher, LEVEL), Budget::Broken);
    }

    #[test]
    fn exact_values_need_no_test() {
        assert_eq!(judge_exact(&[2.0, 2.0], 1.0, Direction::Lower), Budget::Broken);
        assert_eq!(judge_exact(&[2.0, 1.0], 1.0, Direction::Lower), Budget::Unclear);
        assert_eq!(judge_exact(&[1.0, 1.0], 1.0, Direction::Lower), Budget::Kept);
    }
}
