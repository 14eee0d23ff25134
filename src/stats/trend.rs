//! Whether a series rises over time, and how fast: the Theil-Sen slope with a moving-block bootstrap interval, and the Mann-Kendall
//! test.
//!
//! The slope is the median of the slopes of all pairs of points (Theil 1950, Sen 1968), so up to 29 % of them may be anything. Its
//! interval resamples blocks of neighbouring residuals (Künsch 1989), because what a service uses in one second depends on the second
//! before. The test counts pairs that rise and pairs that fall (Mann 1945, Kendall 1975), with the variance corrected for ties; it
//! assumes independent points and is for display where they are not.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::stats::{
    bootstrap::Interval,
    location::{median_in_place, quantile_sorted},
    random::Stream,
};

/// Longer series are thinned to this many points, as means of neighbours: the slopes of all pairs take time by the square.
pub const MOST_POINTS: usize = 120;

/// A straight line through a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Rise per unit of time.
    pub slope: f64,
    /// Value at time 0.
    pub intercept: f64,
}

impl Line {
    /// The value at a time.
    #[must_use]
    pub fn at(&self, time: f64) -> f64 {
        self.intercept + self.slope * time
    }
}

/// A slope and what bounds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// The line.
    pub line: Line,
    /// The interval of its slope.
    pub slope: Interval,
}

/// The Theil-Sen line of (time, value) points: the median slope of all pairs at different times, and the median intercept
/// (Sen 1968). `None` without two points at different times; points that are not finite are left out.
#[must_use]
pub fn theil_sen(points: &[(f64, f64)]) -> Option<Line> {
    let points: Vec<(f64, f64)> =
        points.iter().copied().filter(|(time, value)| time.is_finite() && value.is_finite()).collect();
    line(&points, &mut Vec::new())
}

fn line(points: &[(f64, f64)], slopes: &mut Vec<f64>) -> Option<Line> {
    slopes.clear();
    for (at, (time, value)) in points.iter().enumerate() {
        for (later, higher) in &points[at + 1..] {
            let distance = later - time;
            if distance != 0.0 {
                slopes.push((higher - value) / distance);
            }
        }
    }
    let slope = median_in_place(slopes)?;
    let mut intercepts: Vec<f64> = points.iter().map(|(time, value)| value - slope * time).collect();
    Some(Line { slope, intercept: median_in_place(&mut intercepts)? })
}

/// The Theil-Sen line with the percentile interval of its slope between `alpha` and 1 - `alpha`, from `resamples` series of the line
/// plus blocks of neighbouring residuals.
///
/// Points are in the order of time; long series are thinned by means of neighbours first. A block is n^(1/2) points long: longer than the n^(1/3) that
/// is best for a mean, since a slope is hurt most by slow waves. `None` for fewer than eight points, no resamples, or `alpha` outside (0, 1/2).
#[must_use]
pub fn trend(points: &[(f64, f64)], alpha: f64, resamples: u32, seed: u64) -> Option<Trend> {
    let points = thinned(points, MOST_POINTS);
    if points.len() < 8 || resamples == 0 || !(alpha > 0.0 && alpha < 0.5) {
        return None;
    }
    let mut scratch = Vec::new();
    let line = line(&points, &mut scratch)?;
    let residuals: Vec<f64> = points.iter().map(|(time, value)| value - line.at(*time)).collect();
    let length = block_length(points.len());
    let mut stream = Stream::new(seed, "trend", &[], points.len() as u64);
    let mut series = Vec::with_capacity(points.len() + length);
    let mut slopes = Vec::with_capacity(resamples as usize);
    for _ in 0..resamples {
        series.clear();
        while series.len() < points.len() {
            let start = stream.place(residuals.len() - length + 1);
            for residual in &residuals[start..start + length] {
                if let Some((time, _)) = points.get(series.len()) {
                    series.push((*time, line.at(*time) + residual));
                }
            }
        }
        slopes.push(self::line(&series, &mut scratch)?.slope);
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let slope =
        Interval { lower: quantile_sorted(&slopes, alpha)?, upper: quantile_sorted(&slopes, 1.0 - alpha)? };
    Some(Trend { line, slope })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the root of a small count")]
fn block_length(points: usize) -> usize {
    (points as f64).sqrt().ceil() as usize
}

/// At most `most` points: the means of groups of neighbours, as equal as they can be. Points that are not finite are left out.
#[must_use]
pub fn thinned(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let finite: Vec<(f64, f64)> =
        points.iter().copied().filter(|(time, value)| time.is_finite() && value.is_finite()).collect();
    if finite.len() <= most || most == 0 {
        return finite;
    }
    let group = |at: usize| {
        let group = &finite[at * finite.len() / most..(at + 1) * finite.len() / most];
        let mean = |of: fn(&(f64, f64)) -> f64| group.iter().map(of).sum::<f64>() / group.len() as f64;
        (mean(|point| point.0), mean(|point| point.1))
    };
    (0..most).map(group).collect()
}

/// The one-sided p-value of "the series rises" by the test of Mann and Kendall, normal with continuity correction and ties in the
/// variance. `None` for fewer than four values or where all are equal.
#[must_use]
pub fn mann_kendall(values: &[f64]) -> Option<f64> {
    if values.len() < 4 || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut score = 0_i64;
    for (at, value) in values.iter().enumerate() {
        for later in &values[at + 1..] {
            score += match later.total_cmp(value) {
                std::cmp::Ordering::Greater => 1,
                std::cmp::Ordering::Equal => 0,
                std::cmp::Ordering::Less => -1,
            };
        }
    }
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let variance = (term(values.len() as f64) - ties(values).map(term).sum::<f64>()) / 18.0;
    if variance <= 0.0 {
        return None;
    }
    // A continuity correction of one towards zero.
    let corrected = (score - score.signum()) as f64;
    Some(Normal::standard().sf(corrected / variance.sqrt()).clamp(f64::MIN_POSITIVE, 1.0))
}

/// The sizes of the groups of equal values.
fn ties(values: &[f64]) -> impl Iterator<Item = f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let groups: Vec<f64> =
        sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|group| group.len() as f64).collect();
    groups.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_the_median_of_all_pairs() {
        // Points (0,1) (1,3) (2,2) (4,6): slopes 2, .5, 1.25, -1, 1, 2; median of -1 .5 1 1.25 2 2 is 1.125.
        let line = theil_sen(&[(0.0, 1.0), (1.0, 3.0), (2.0, 2.0), (4.0, 6.0)]).unwrap();
        assert!((line.slope - 1.125).abs() < 1e-12);
        // Intercepts 1, 1.875, -.25, 1.5: median 1.25.
        assert!((line.intercept - 1.25).abs() < 1e-12);
        assert_eq!(theil_sen(&[(1.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(theil_sen(&[]), None);
    }

    #[test]
    fn a_quarter_of_wild_points_does_not_move_the_slope_far() {
        let mut points: Vec<(f64, f64)> = (0..40).map(|t| (f64::from(t), 3.0 * f64::from(t))).collect();
        for at in (0..40).step_by(4) {
            points[at].1 = 1e6;
        }
        assert!((theil_sen(&points).unwrap().slope - 3.0).abs() < 1.0);
    }

    #[test]
    fn mann_kendall_is_the_normal_approximation_computed_by_hand() {
        // 34 pairs rise and 11 fall: S = 23; ten values without ties: Var = 10 * 9 * 25 / 18 = 125; Z = 22 / 11.1803 = 1.9677.
        let values = [4.0, 5.0, 1.0, 2.0, 3.0, 10.0, 6.0, 7.0, 9.0, 8.0];
        assert!((mann_kendall(&values).unwrap() - 0.024_550).abs() < 5e-5);
        let falling: Vec<f64> = values.iter().rev().copied().collect();
        assert!(mann_kendall(&falling).unwrap() > 0.9);
        assert_eq!(mann_kendall(&[1.0; 9]), None);
        assert_eq!(mann_kendall(&[1.0, 2.0, 3.0]), None);
        // Ties shrink the variance: 1 1 2 2 has S = 4, Var = (4*3*13 - 2 * 2*1*9) / 18 = 6.667, Z = 3 / 2.582.
        let tied = mann_kendall(&[1.0, 1.0, 2.0, 2.0]).unwrap();
        assert!((tied - Normal::standard().sf(3.0 / (120.0_f64 / 18.0).sqrt())).abs() < 1e-12);
    }

    /// Noise in which each second keeps most of the one before.
    fn dependent(seed: u64, count: u32, slope: f64) -> Vec<(f64, f64)> {
        let mut stream = Stream::new(seed, "test", &[], 0);
        let mut level = 0.0;
        (0..count)
            .map(|t| {
                level = 0.6 * level + stream.normal();
                (f64::from(t), slope * f64::from(t) + level)
            })
            .collect()
    }

    #[test]
    fn the_interval_holds_the_true_slope_about_as_often_as_it_says() {
        let covered = (0..60)
            .filter(|&seed| {
                let trend = trend(&dependent(seed, 120, 0.05), 0.025, 200, seed).unwrap();
                trend.slope.lower <= 0.05 && 0.05 <= trend.slope.upper
            })
            .count();
        // 95 % asked; the bootstrap of dependent points is known to be somewhat short. 60 * 0.8 = 48.
        assert!(covered >= 48, "{covered}");
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_a_short_series_none() {
        let points = dependent(1, 60, 0.0);
        assert_eq!(trend(&points, 0.05, 50, 9), trend(&points, 0.05, 50, 9));
        assert_ne!(trend(&points, 0.05, 50, 9), trend(&points, 0.05, 50, 8));
        assert_eq!(trend(&points[..7], 0.05, 50, 9), None);
        assert_eq!(trend(&points, 0.5, 50, 9), None);
        assert_eq!(trend(&[(0.0, 1.0); 30], 0.05, 50, 9), None);
    }

    #[test]
    fn thinning_keeps_the_line() {
        let points: Vec<(f64, f64)> = (0..1_000).map(|t| (f64::from(t), 2.0 * f64::from(t) + 1.0)).collect();
        let thin = thinned(&points, 77);
        assert_eq!(thin.len(), 77);
        let line = theil_sen(&thin).unwrap();
        assert!((line.slope - 2.0).abs() < 1e-9 && (line.intercept - 1.0).abs() < 1e-6);
        assert_eq!(thinned(&[(0.0, f64::NAN), (1.0, 2.0)], 5), [(1.0, 2.0)]);
    }
}
