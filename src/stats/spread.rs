//! How far a list of numbers spreads: standard deviation, median absolute deviation, interquartile range, coefficient of variation.

use crate::stats::location::{mean, median, median_in_place, quantile_sorted};

/// What the median absolute deviation of a normal distribution must be multiplied by to give its standard deviation: 1/Φ⁻¹(3/4).
pub const NORMAL_CONSISTENCY: f64 = 1.482_602_218_505_602;

/// The sample standard deviation (divisor n - 1). `None` for fewer than two values.
#[must_use]
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    variance(values).map(f64::sqrt)
}

/// The sample variance (divisor n - 1). `None` for fewer than two values.
#[must_use]
pub fn variance(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let centre = mean(values)?;
    Some(values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / (values.len() - 1) as f64)
}

/// The median distance from the median, as it is: multiply by [`NORMAL_CONSISTENCY`] to estimate a standard deviation.
/// `None` for an empty list.
#[must_use]
pub fn median_absolute_deviation(values: &[f64]) -> Option<f64> {
    let centre = median(values)?;
    median_in_place(&mut values.iter().map(|value| (value - centre).abs()).collect::<Vec<_>>())
}

/// The distance between the quartiles, interpolated linearly. `None` for an empty list.
#[must_use]
pub fn interquartile_range(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Some(quantile_sorted(&sorted, 0.75)? - quantile_sorted(&sorted, 0.25)?)
}

/// The standard deviation in units of the mean. `None` for fewer than two values or a mean of 0.
#[must_use]
pub fn coefficient_of_variation(values: &[f64]) -> Option<f64> {
    let centre = mean(values).filter(|centre| centre.abs() > 0.0)?;
    Some(standard_deviation(values)? / centre.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list worked by hand.
    const VALUES: [f64; 8] = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];

    #[test]
    fn a_list_worked_by_hand_has_the_values_of_the_definitions() {
        // Mean 5, squares 9 1 1 1 0 0 4 16 = 32.
        assert!((variance(&VALUES).unwrap() - 32.0 / 7.0).abs() < 1e-12);
        // Median 4.5, distances 2.5 .5 .5 .5 .5 .5 2.5 4.5.
        assert!((median_absolute_deviation(&VALUES).unwrap() - 0.5).abs() < 1e-12);
        assert!((interquartile_range(&VALUES).unwrap() - 1.5).abs() < 1e-12);
        assert!((coefficient_of_variation(&VALUES).unwrap() - (32.0_f64 / 7.0).sqrt() / 5.0).abs() < 1e-12);
    }

    #[test]
    fn one_value_has_no_standard_deviation() {
        assert_eq!(standard_deviation(&[1.0]), None);
        assert_eq!(median_absolute_deviation(&[]), None);
        assert_eq!(coefficient_of_variation(&[1.0, -1.0]), None);
    }
}
