//! The rules of other tools, as their sources and documentation state them, on the slots that they would see.

use statrs::distribution::{ContinuousCDF, StudentsT};
use tollgate::stats::{
    location::{mean, median},
    random::Stream,
    rank_sum::rank_sum,
    spread::{standard_deviation, variance},
    welch::{Summary, welch},
};

/// A rule that looks at the values of base (or history) and head (or the new runs), in ns, and says whether head is slower.
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    /// Values of base and of head that it is given, measured base first.
    pub(crate) base: usize,
    pub(crate) head: usize,
    pub(crate) alarms: fn(&[f64], &[f64]) -> bool,
}

pub(crate) const RIVALS: [Rival; 9] = [
    Rival { name: "benchstat: Mann-Whitney .05, 6 then 6", base: 6, head: 6, alarms: mann_whitney },
    Rival { name: "benchstat: Mann-Whitney .05, 10 then 10", base: 10, head: 10, alarms: mann_whitney },
    Rival { name: "Welch t .05, 10 then 10", base: 10, head: 10, alarms: welch_t },
    Rival { name: "Bencher: t prediction .98, 20 past, 1 new", base: 20, head: 1, alarms: t_boundary },
    Rival { name: "rustc-perf: fence of 3 IQR, 20 past, 1 new", base: 20, head: 1, alarms: fence },
    Rival { name: "z > 4, 20 past, 1 new", base: 20, head: 1, alarms: z_above_four },
    Rival {
        name: "fixed ratio: 105 % of the previous",
        base: 1,
        head: 1,
        alarms: |base, head| head[0] > 1.05 * base[0],
    },
    Rival {
        name: "fixed ratio: 110 % of the previous",
        base: 1,
        head: 1,
        alarms: |base, head| head[0] > 1.10 * base[0],
    },
    Rival {
        name: "fixed ratio: 200 % of the previous",
        base: 1,
        head: 1,
        alarms: |base, head| head[0] > 2.0 * base[0],
    },
];

fn mann_whitney(base: &[f64], head: &[f64]) -> bool {
    rank_sum(base, head).is_some_and(|test| test.two_sided < 0.05 && test.greater < test.less)
}

fn welch_t(base: &[f64], head: &[f64]) -> bool {
    let summaries = Summary::of(base).zip(Summary::of(head));
    summaries
        .and_then(|(base, head)| welch(base, head))
        .is_some_and(|test| test.two_sided < 0.05 && test.t > 0.0)
}

/// Bencher's t test: the upper boundary of 0.98 of a prediction interval.
fn t_boundary(base: &[f64], head: &[f64]) -> bool {
    t_prediction(base, head[0]) <= 0.02
}

/// P(a new value is at least this large) by Student's t prediction from past ones.
pub(crate) fn t_prediction(base: &[f64], new: f64) -> f64 {
    let Some((centre, spread)) = mean(base).zip(standard_deviation(base)) else { return 1.0 };
    let count = base.len() as f64;
    let t = (new - centre) / (spread * (1.0 + 1.0 / count).sqrt());
    if t.is_nan() { 1.0 } else { StudentsT::new(0.0, 1.0, count - 1.0).map_or(1.0, |student| student.sf(t)) }
}

fn z_above_four(base: &[f64], head: &[f64]) -> bool {
    mean(base).zip(standard_deviation(base)).is_some_and(|(centre, spread)| head[0] > centre + 4.0 * spread)
}

/// The new change against the fence of past changes: beyond the third quartile plus three interquartile ranges, of absolute relative changes.
fn fence(base: &[f64], head: &[f64]) -> bool {
    let mut changes: Vec<f64> = base.windows(2).map(|pair| (pair[1] / pair[0] - 1.0).abs()).collect();
    changes.sort_by(f64::total_cmp);
    let quartile = |p| tollgate::stats::location::quantile_sorted(&changes, p).unwrap_or(f64::NAN);
    let change = head[0] / base[base.len() - 1] - 1.0;
    change > quartile(0.75) + 3.0 * (quartile(0.75) - quartile(0.25))
}

/// Criterion's comparison of two processes: p below 0.05 by a t statistic whose null pools and resamples the samples of both, and a bootstrap interval
/// of the change of the mean that lies beyond the noise threshold of 1 %. Returns (p < 0.05, "performance has regressed").
pub(crate) fn criterion(base: &[f64], head: &[f64], resamples: usize, stream: &mut Stream) -> (bool, bool) {
    let pooled = [base, head].concat();
    let t = |a: &[f64], b: &[f64]| {
        let error = variance(a).unwrap_or(0.0) / a.len() as f64 + variance(b).unwrap_or(0.0) / b.len() as f64;
        (mean(a).unwrap_or(0.0) - mean(b).unwrap_or(0.0)) / error.sqrt()
    };
    let observed = t(head, base).abs();
    let mut draw = |from: &[f64], count: usize| -> Vec<f64> {
        (0..count).map(|_| from[stream.place(from.len())]).collect()
    };
    let mut as_far = 0;
    let mut changes = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        let (a, b) = (draw(&pooled, head.len()), draw(&pooled, base.len()));
        as_far += usize::from(t(&a, &b).abs() >= observed);
        let (a, b) = (draw(head, head.len()), draw(base, base.len()));
        changes.push(mean(&a).unwrap_or(0.0) / mean(&b).unwrap_or(1.0) - 1.0);
    }
    changes.sort_by(f64::total_cmp);
    let significant = (as_far as f64) < 0.05 * resamples as f64;
    (significant, significant && changes[resamples / 40] > 0.01)
}

/// The median of a slice, for rules that take one value a run.
pub(crate) fn middle(values: &[f64]) -> f64 {
    median(values).unwrap_or(f64::NAN)
}
