//! The load second by second: head's windows that count, one after the other.

use super::{
    chart::{Chart, Look, Series},
    scale::Scale,
};
use crate::model::{
    load::{Interval, Trial},
    run::Side,
};
use crate::text::quantity;

/// Fewer points make no curve.
const FEWEST: usize = 3;
/// More points are joined, the worst of each stretch.
const MOST: usize = 1_200;

/// What a line is drawn of.
struct Line {
    name: &'static str,
    look: Look,
    value: fn(&Interval) -> Option<f64>,
}

/// A window's intervals.
type Window<'a> = Vec<&'a Interval>;

/// The charts of a scenario; a sentence where there is too little for one, nothing where nothing is known.
pub(super) fn charts(trials: &[&Trial]) -> String {
    let side = if trials.iter().any(|trial| trial.side == Side::Head) { Side::Head } else { Side::Base };
    let valid = trials.iter().any(|trial| trial.side == side && trial.void.is_none());
    let windows: Vec<Window<'_>> = trials
        .iter()
        .filter(|trial| trial.side == side && (trial.void.is_none() || !valid))
        .map(|trial| {
            trial
                .intervals
                .iter()
                .filter(|interval| interval.start_seconds >= 0.0 && interval.seconds > 0.0)
                .collect()
        })
        .filter(|window: &Window<'_>| !window.is_empty())
        .collect();
    match windows.iter().map(Vec::len).sum::<usize>() {
        0 => String::new(),
        points if points < FEWEST => "<p class=\"empty\">Too short for a chart by seconds.</p>\n".to_owned(),
        _ => [rates(&windows), times(&windows), busy(&windows), memory(&windows)]
            .into_iter()
            .flatten()
            .map(|chart| chart.figure())
            .collect(),
    }
}

fn rates(windows: &[Window<'_>]) -> Option<Chart> {
    chart(
        windows,
        "Requests a second",
        "requests/s",
        &[
            Line {
                name: "answered",
                look: Look::Head,
                value: |second| Some(second.completed as f64 / second.seconds),
            },
            Line {
                name: "due",
                look: Look::BaseSecond,
                value: |second| Some(second.scheduled as f64 / second.seconds),
            },
            Line {
                name: "failed",
                look: Look::Bad,
                value: |second| Some(second.errors as f64 / second.seconds),
            },
        ],
    )
}

fn times(windows: &[Window<'_>]) -> Option<Chart> {
    chart(
        windows,
        "Response time by second",
        "ns",
        &[
            Line { name: "p50", look: Look::Head, value: |second| second.latency_ns.map(|times| times[0]) },
            Line {
                name: "p95",
                look: Look::HeadSecond,
                value: |second| second.latency_ns.map(|times| times[2]),
            },
            Line {
                name: "p99",
                look: Look::HeadThird,
                value: |second| second.latency_ns.map(|times| times[3]),
            },
        ],
    )
}

fn busy(windows: &[Window<'_>]) -> Option<Chart> {
    chart(
        windows,
        "Processors that the service kept busy",
        "",
        &[Line { name: "CPUs", look: Look::Head, value: |second| second.cpu }],
    )
}

fn memory(windows: &[Window<'_>]) -> Option<Chart> {
    chart(
        windows,
        "Resident memory of the service",
        "bytes",
        &[Line {
            name: "resident",
            look: Look::Head,
            value: |second| second.rss_bytes.map(|bytes| bytes as f64),
        }],
    )
}

/// `None` where no line has a value.
fn chart(windows: &[Window<'_>], title: &str, unit: &str, lines: &[Line]) -> Option<Chart> {
    let length = |window: &Window<'_>| {
        window.iter().map(|second| second.start_seconds + second.seconds).fold(0.0, f64::max)
    };
    let total: f64 = windows.iter().map(length).sum();
    let values =
        || windows.iter().flatten().flat_map(|second| lines.iter().filter_map(|line| (line.value)(second)));
    let most = values().filter(|value| value.is_finite()).max_by(f64::total_cmp)?;
    let up = Scale::new(0.0, if most > 0.0 { most * 1.08 } else { 1.0 });
    let across = Scale::new(0.0, total);
    let mut series: Vec<Series> = lines
        .iter()
        .map(|line| Series {
            name: line.name.to_owned(),
            look: line.look,
            pieces: Vec::new(),
            bounds: Vec::new(),
        })
        .collect();
    let mut cuts = Vec::new();
    let stretch = windows.iter().map(Vec::len).sum::<usize>().div_ceil(MOST).max(1);
    let mut begin = 0.0;
    for window in windows {
        if begin > 0.0 {
            cuts.push(across.at(begin));
        }
        for (line, series) in lines.iter().zip(&mut series) {
            series.pieces.extend(pieces(window, line, stretch, |seconds, value| {
                (across.at(begin + seconds), up.at(value))
            }));
        }
        begin += length(window);
    }
    let clock = |seconds: f64| if seconds > 0.0 { quantity::seconds(seconds) } else { "0 s".to_owned() };
    Some(Chart {
        title: title.to_owned(),
        words: words(windows, lines, unit),
        x: [(0.0, 0.0), (500.0, total / 2.0), (1_000.0, total)]
            .map(|(at, seconds)| (at, clock(seconds)))
            .to_vec(),
        y: up.values(if unit == "requests/s" { "" } else { unit }),
        cuts,
        series,
    })
}

/// The line through one window; it breaks where a value is missing.
fn pieces(
    window: &Window<'_>,
    line: &Line,
    stretch: usize,
    place: impl Fn(f64, f64) -> (f64, f64),
) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for seconds in window.chunks(stretch) {
        let worst = seconds
            .iter()
            .filter_map(|second| (line.value)(second))
            .filter(|value| value.is_finite())
            .max_by(f64::total_cmp);
        match (worst, pieces.last_mut()) {
            (Some(value), Some(piece)) => {
                let middle =
                    seconds.iter().map(|second| second.start_seconds + second.seconds / 2.0).sum::<f64>()
                        / seconds.len() as f64;
                piece.push(place(middle, value));
            }
            _ => pieces.push(Vec::new()),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// `answered 190 to 210 requests/s; …`
fn words(windows: &[Window<'_>], lines: &[Line], unit: &str) -> String {
    let of = |line: &Line| {
        let values = || {
            windows
                .iter()
                .flatten()
                .filter_map(|second| (line.value)(second))
                .filter(|value| value.is_finite())
        };
        let (least, most) = (values().min_by(f64::total_cmp)?, values().max_by(f64::total_cmp)?);
        Some(format!("{} {} to {}", line.name, quantity::value(least, unit), quantity::value(most, unit)))
    };
    lines.iter().filter_map(of).collect::<Vec<_>>().join("; ")
}
