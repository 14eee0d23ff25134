//! Seeded bootstrap intervals of any statistic (Efron 1979, 1987): percentile and bias-corrected and accelerated, and moving blocks for dependent lists.
//!
//! The values resampled must be independent units (processes, not the samples inside one); with fewer than about twenty the intervals are too
//! narrow. For data of other tools and for display; no verdict rests on them.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::stats::{location::quantile_sorted, random::Stream};

/// An interval from resampled values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// The percentile interval: the `alpha` and 1 - `alpha` quantiles of the statistic over `resamples` lists drawn with replacement.
///
/// `None` for an empty list, no resamples, a statistic that is not finite, or `alpha` outside (0, 1/2).
pub fn percentile(
    values: &[f64],
    statistic: impl Fn(&[f64]) -> f64,
    alpha: f64,
    resamples: u32,
    seed: u64,
) -> Option<Interval> {
    let replicates = replicates(values, 1, &statistic, resamples, seed)?;
    ends(&replicates, alpha, 1.0 - alpha)
}

/// The percentile interval with lists put together from stretches of `length` neighbours (Künsch 1989), for values that depend on the one before;
/// n^(1/3) is a usual length. `None` as for [`percentile`].
pub fn moving_blocks(
    values: &[f64],
    length: usize,
    statistic: impl Fn(&[f64]) -> f64,
    alpha: f64,
    resamples: u32,
    seed: u64,
) -> Option<Interval> {
    let replicates = replicates(values, length.clamp(1, values.len().max(1)), &statistic, resamples, seed)?;
    ends(&replicates, alpha, 1.0 - alpha)
}

/// The bias-corrected and accelerated interval (Efron 1987): its quantiles are moved by the bias z₀ of the replicates and the acceleration a of the
/// jackknife, α₁ = Φ(z₀ + (z₀ + z_α)/(1 - a (z₀ + z_α))). `None` as for [`percentile`], and for fewer than three values.
pub fn bias_corrected(
    values: &[f64],
    statistic: impl Fn(&[f64]) -> f64,
    alpha: f64,
    resamples: u32,
    seed: u64,
) -> Option<Interval> {
    if values.len() < 3 {
        return None;
    }
    let replicates = replicates(values, 1, &statistic, resamples, seed)?;
    let normal = Normal::standard();
    let estimate = statistic(values);
    let below = replicates.partition_point(|replicate| *replicate < estimate) as f64;
    let ties = replicates.partition_point(|replicate| *replicate <= estimate) as f64 - below;
    let count = replicates.len() as f64;
    let share = ((below + ties / 2.0) / count).clamp(0.5 / count, 1.0 - 0.5 / count);
    let bias = normal.inverse_cdf(share);
    let acceleration = acceleration(values, &statistic);
    let moved = |alpha: f64| {
        let z = bias + normal.inverse_cdf(alpha);
        normal.cdf(bias + z / (1.0 - acceleration * z))
    };
    if !(alpha > 0.0 && alpha < 0.5) {
        return None;
    }
    ends(&replicates, moved(alpha), moved(1.0 - alpha))
}

/// The statistic of resampled lists, ascending.
fn replicates(
    values: &[f64],
    length: usize,
    statistic: &impl Fn(&[f64]) -> f64,
    resamples: u32,
    seed: u64,
) -> Option<Vec<f64>> {
    if values.is_empty() || resamples == 0 {
        return None;
    }
    let mut stream = Stream::new(seed, "bootstrap", &[], length as u64);
    let mut drawn = Vec::with_capacity(values.len() + length);
    let mut replicates = Vec::with_capacity(resamples as usize);
    for _ in 0..resamples {
        drawn.clear();
        while drawn.len() < values.len() {
            let start = stream.place(values.len() - length + 1);
            drawn.extend_from_slice(&values[start..start + length]);
        }
        replicates.push(statistic(&drawn[..values.len()]));
    }
    if replicates.iter().any(|replicate| !replicate.is_finite()) {
        return None;
    }
    replicates.sort_unstable_by(f64::total_cmp);
    Some(replicates)
}

fn ends(replicates: &[f64], low: f64, high: f64) -> Option<Interval> {
    if !(low > 0.0 && low < high && high < 1.0) {
        return None;
    }
    Some(Interval { lower: quantile_sorted(replicates, low)?, upper: quantile_sorted(replicates, high)? })
}

/// A sixth of the skewness of the jackknife: how the standard error changes with the statistic.
fn acceleration(values: &[f64], statistic: &impl Fn(&[f64]) -> f64) -> f64 {
    let mut others = Vec::with_capacity(values.len());
    let left_out: Vec<f64> = (0..values.len())
        .map(|place| {
            others.clear();
            others.extend_from_slice(&values[..place]);
            others.extend_from_slice(&values[place + 1..]);
            statistic(&others)
        })
        .collect();
    let centre = left_out.iter().sum::<f64>() / left_out.len() as f64;
    let moment = |power: i32| left_out.iter().map(|value| (centre - value).powi(power)).sum::<f64>();
    let squares = moment(2);
    if squares > 0.0 { moment(3) / (6.0 * squares.powf(1.5)) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{location::mean, spread::variance};

    /// Test A of the spatial data (26 children), Efron and Tibshirani (1993), table 14.1.
    const SPATIAL: [f64; 26] = [
        48.0, 36.0, 20.0, 29.0, 42.0, 42.0, 20.0, 42.0, 22.0, 41.0, 45.0, 14.0, 6.0, 0.0, 33.0, 28.0, 34.0,
        4.0, 32.0, 24.0, 47.0, 41.0, 24.0, 26.0, 30.0, 41.0,
    ];

    fn plug_in_variance(values: &[f64]) -> f64 {
        let n = values.len() as f64;
        variance(values).unwrap_or(f64::NAN) * (n - 1.0) / n
    }

    #[test]
    fn the_spatial_data_s_variance_has_the_published_intervals() {
        // Efron and Tibshirani (1993), table 14.2: variance 171.5; 90 % intervals: percentile (100.8, 233.9), BCa (115.8, 259.6) from 2,000 resamples.
        assert!((plug_in_variance(&SPATIAL) - 171.5).abs() < 0.05);
        let plain = percentile(&SPATIAL, plug_in_variance, 0.05, 20_000, 1).unwrap();
        assert!((plain.lower - 100.8).abs() < 5.0 && (plain.upper - 233.9).abs() < 5.0, "{plain:?}");
        let corrected = bias_corrected(&SPATIAL, plug_in_variance, 0.05, 20_000, 1).unwrap();
        assert!(
            (corrected.lower - 115.8).abs() < 5.0 && (corrected.upper - 259.6).abs() < 5.0,
            "{corrected:?}"
        );
    }

    #[test]
    fn the_published_acceleration_is_reproduced() {
        // Same source, equation 14.15: a = .061.
        assert!((acceleration(&SPATIAL, &plug_in_variance) - 0.061).abs() < 5e-4);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_bit_for_bit() {
        let interval = |seed| percentile(&SPATIAL, |list| mean(list).unwrap(), 0.025, 500, seed).unwrap();
        assert_eq!(interval(3).lower.to_bits(), interval(3).lower.to_bits());
        assert_ne!(interval(3), interval(4));
    }

    #[test]
    fn moving_blocks_are_wider_where_neighbours_are_alike() {
        let slow: Vec<f64> = (0..200).map(|place| (f64::from(place) / 15.0).sin()).collect();
        let width = |length| {
            let interval = moving_blocks(&slow, length, |list| mean(list).unwrap(), 0.05, 2000, 1).unwrap();
            interval.upper - interval.lower
        };
        assert!(width(20) > 2.0 * width(1));
    }

    #[test]
    fn what_makes_no_sense_has_no_interval() {
        let average = |list: &[f64]| mean(list).unwrap_or(f64::NAN);
        assert_eq!(percentile(&[], average, 0.05, 10, 1), None);
        assert_eq!(percentile(&[1.0], average, 0.6, 10, 1), None);
        assert_eq!(percentile(&[1.0], average, 0.05, 0, 1), None);
        assert_eq!(bias_corrected(&[1.0, 2.0], average, 0.05, 10, 1), None);
        assert_eq!(moving_blocks(&[1.0, 2.0], 9, average, 0.05, 10, 1).map(|i| i.lower), Some(1.5));
    }
}
