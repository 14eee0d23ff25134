//! How large a difference is: relative change, probability of superiority, Cliff's delta.

/// The relative change of a shift in ln units: 0.0198 is 0.02.
#[must_use]
pub fn relative_change(ln_shift: f64) -> f64 {
    ln_shift.exp_m1()
}

/// The shift in ln units of a relative change above -1: 0.02 is 0.0198.
#[must_use]
pub fn ln_shift(relative_change: f64) -> f64 {
    relative_change.ln_1p()
}

/// The chance that a value of head is larger than one of base, ties counting one half. `None` where a list is empty.
#[must_use]
pub fn probability_of_superiority(base: &[f64], head: &[f64]) -> Option<f64> {
    if base.is_empty() || head.is_empty() {
        return None;
    }
    let mut sorted = base.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let smaller = |value: f64| {
        let below = sorted.partition_point(|other| *other < value);
        let not_above = sorted.partition_point(|other| *other <= value);
        f64::midpoint(below as f64, not_above as f64)
    };
    Some(head.iter().map(|value| smaller(*value)).sum::<f64>() / (base.len() as f64 * head.len() as f64))
}

/// Cliff's delta: the chance that head is larger less the chance that it is smaller, from -1 to 1. `None` where a list is empty.
#[must_use]
pub fn cliffs_delta(base: &[f64], head: &[f64]) -> Option<f64> {
    Some(2.0 * probability_of_superiority(base, head)? - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_per_cent_there_and_back() {
        assert!((ln_shift(0.02) - 0.019_802_627).abs() < 1e-9);
        assert!((relative_change(ln_shift(0.02)) - 0.02).abs() < 1e-15);
    }

    #[test]
    fn pairs_are_counted_with_ties_as_halves() {
        // Against 1, 2, 5: 2 is larger than one and ties with one, 3 and 4 are larger than two each; 5.5 of nine.
        let (base, head) = ([1.0, 2.0, 5.0], [2.0, 3.0, 4.0]);
        assert!((probability_of_superiority(&base, &head).unwrap() - 5.5 / 9.0).abs() < 1e-12);
        assert!((cliffs_delta(&base, &head).unwrap() - 2.0 / 9.0).abs() < 1e-12);
        assert!((cliffs_delta(&head, &base).unwrap() + 2.0 / 9.0).abs() < 1e-12);
    }

    #[test]
    fn wholly_above_is_one_and_empty_is_nothing() {
        assert_eq!(cliffs_delta(&[1.0], &[2.0]), Some(1.0));
        assert_eq!(cliffs_delta(&[], &[2.0]), None);
    }
}
