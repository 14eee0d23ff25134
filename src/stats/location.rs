//! Where a list of numbers lies: median, mean, and the mean of its fastest fifth.

/// The median; the mean of the middle two where the count is even. `None` for an empty list.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    median_in_place(&mut values.to_vec())
}

/// The median, reordering the list instead of copying it.
#[must_use]
pub fn median_in_place(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let odd = values.len() % 2 == 1;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if odd {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some(lower + (upper - lower) / 2.0)
}

/// The arithmetic mean. `None` for an empty list.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() { None } else { Some(values.iter().sum::<f64>() / values.len() as f64) }
}

/// The mean of the fastest (smallest) fifth of the values, of at least two of them; the value itself where there is only one.
///
/// Noise on a shared machine only adds time, so the fast end of a process repeats best.
/// `None` for an empty list.
#[must_use]
pub fn fastest_fifth(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = (values.len() / 5).max(2).min(values.len());
    mean(&sorted[..count])
}

/// The p-quantile (0 ≤ p ≤ 1) of a sorted list, interpolated linearly between order statistics (type 7 of Hyndman and Fan 1996).
/// `None` for an empty list.
#[must_use]
pub fn quantile_sorted(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = p.clamp(0.0, 1.0) * last as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= place <= last")]
    let low = place.floor() as usize;
    let high = (low + 1).min(last);
    Some(sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64))
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact values are meant")]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_between_the_middle_two() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn the_fastest_fifth_takes_at_least_two_values() {
        assert_eq!(fastest_fifth(&[5.0, 1.0, 3.0]), Some(2.0));
        assert_eq!(fastest_fifth(&[9.0]), Some(9.0));
        let thirty: Vec<f64> = (1..=30).rev().map(f64::from).collect();
        assert_eq!(fastest_fifth(&thirty), Some(3.5));
        let fourteen: Vec<f64> = (1..=14).map(f64::from).collect();
        assert_eq!(fastest_fifth(&fourteen), Some(1.5));
    }

    #[test]
    fn quantiles_interpolate_as_type_seven() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile_sorted(&sorted, 0.0), Some(1.0));
        assert_eq!(quantile_sorted(&sorted, 1.0), Some(4.0));
        assert_eq!(quantile_sorted(&sorted, 0.25), Some(1.75));
    }
}
