//! Whether a long run under steady load shows a leak or a service that tires: the slope of memory and latency over time, with an interval.
//!
//! A rule on end points ("grew by more than 10 % and 20 MB") misses a slow leak and takes a warm-up for one. So the warm-up is found and
//! left out: what lies off the line through the second half of the series, at most the first half. Over the rest the Theil-Sen slope gets a moving-block bootstrap interval. It *grows*
//! when the lower end exceeds what is allowed and the last quarter lies above the first as well; it is *steady* when the upper end does not
//! exceed it; else the run was too short to say.

use crate::{
    model::soak::Allowed,
    stats::{
        bootstrap::Interval,
        location::median,
        spread::NORMAL_CONSISTENCY,
        trend::{self, mann_kendall, theil_sen, thinned},
    },
};

/// One-sided error of each end of the interval.
const ALPHA: f64 = 0.01;
/// Resamples of the interval.
const RESAMPLES: u32 = 499;
/// Fewer points than this say nothing.
const FEWEST: usize = 24;
/// The first half is looked at in this many pieces to find the warm-up.
const PIECES: usize = 10;

/// What a series over time comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoakVerdict {
    /// Shown to grow by more than is allowed.
    Growing,
    /// Shown not to.
    Steady,
    /// The run was too short, or too noisy, to say.
    Unclear,
}

impl SoakVerdict {
    /// `growing`, `steady` or `unclear`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Growing => "growing",
            Self::Steady => "steady",
            Self::Unclear => "unclear",
        }
    }
}

/// A series over time, judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Soak {
    /// The conclusion.
    pub verdict: SoakVerdict,
    /// Seconds at the beginning that were left out as warm-up.
    pub warmup_seconds: f64,
    /// Seconds that it rests on.
    pub seconds: f64,
    /// The level after the warm-up: the median of the first quarter, in the series' unit.
    pub level: f64,
    /// Growth an hour, in the series' unit; `None` with too few points.
    pub per_hour: Option<f64>,
    /// Its interval, 98 %.
    pub interval: Option<Interval>,
    /// What is allowed, in the series' unit an hour.
    pub allowed_per_hour: f64,
    /// One-sided p of "it rises" by Mann and Kendall, as if points were independent; for display.
    pub p_value: Option<f64>,
}

/// Judges a series of (seconds, value) points in the order of time.
#[must_use]
pub fn judge(series: &[(f64, f64)], allowed: Allowed, seed: u64) -> Soak {
    let points = thinned(series, trend::MOST_POINTS);
    let start = warm_from(&points);
    let steady = &points[start..];
    let time = |at: Option<&(f64, f64)>| at.map_or(0.0, |point| point.0);
    let seconds = time(steady.last()) - time(steady.first());
    let level = quarter(steady, false).unwrap_or(0.0);
    let allowed_per_hour = (allowed.per_hour * level.abs()).max(allowed.floor_per_hour);
    let found = if steady.len() >= FEWEST { trend::trend(steady, ALPHA, RESAMPLES, seed) } else { None };
    let hourly = |slope: f64| slope * 3_600.0;
    let interval =
        found.map(|found| Interval { lower: hourly(found.slope.lower), upper: hourly(found.slope.upper) });
    let rose = quarter(steady, true).is_some_and(|last| last > level);
    let verdict = match interval {
        Some(interval) if interval.lower > allowed_per_hour && rose => SoakVerdict::Growing,
        Some(interval) if interval.upper <= allowed_per_hour => SoakVerdict::Steady,
        _ => SoakVerdict::Unclear,
    };
    let values: Vec<f64> = steady.iter().map(|point| point.1).collect();
    Soak {
        verdict,
        warmup_seconds: time(steady.first()) - time(points.first()),
        seconds,
        level,
        per_hour: found.map(|found| hourly(found.line.slope)),
        interval,
        allowed_per_hour,
        p_value: mann_kendall(&values),
    }
}

/// The median of the first or last quarter.
fn quarter(points: &[(f64, f64)], last: bool) -> Option<f64> {
    let count = points.len().div_ceil(4);
    let points = if last { &points[points.len() - count..] } else { &points[..count] };
    median(&points.iter().map(|point| point.1).collect::<Vec<_>>())
}

/// Where the warm-up ends: after the last piece of the first half that lies off the line through the second half. At most the first half
/// is left out.
///
/// A leak lies on that line from the start, so nothing of it is left out; a warm-up, whether it fills a cache or begins with slow answers,
/// does not.
fn warm_from(points: &[(f64, f64)]) -> usize {
    let half = points.len() / 2;
    let Some(line) = theil_sen(&points[half..]) else { return 0 };
    let off = |points: &[(f64, f64)]| {
        let distances: Vec<f64> = points.iter().map(|(time, value)| value - line.at(*time)).collect();
        median(&distances).unwrap_or(0.0).abs()
    };
    let distances: Vec<f64> =
        points[half..].iter().map(|(time, value)| (value - line.at(*time)).abs()).collect();
    let scatter = NORMAL_CONSISTENCY * median(&distances).unwrap_or(0.0);
    let border = |piece: usize| piece * half / PIECES;
    let piece = |at: usize| &points[border(at)..border(at + 1)];
    let last_off = (0..PIECES).rev().find(|at| off(piece(*at)) > scatter);
    last_off.map_or(0, |at| border(at + 1))
}
