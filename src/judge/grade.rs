//! The score of a service under load, 0 to 10, from the grading table. It describes; it never changes an outcome.
//!
//! | part | weight | 10 | excellent 9 | good 7 | fair 5 | 0 |
//! |---|--:|--:|--:|--:|--:|--:|
//! | response time p95 | 0.25 | 50 ms | 100 ms | 200 ms | 500 ms | 2 s |
//! | error rate | 0.25 | 0 % | 0.5 % | 2 % | 5 % | 20 % |
//! | concurrent users | 0.20 | 4,000 | 2,000 | 1,000 | 500 | |
//! | cache hit rate | 0.10 | 100 % | 90 % | 80 % | 70 % | 0 % |
//! | memory of its limit | 0.10 | 35 % | 70 % | 80 % | 90 % | 100 % |
//! | CPU of its limit | 0.10 | 25 % | 50 % | 70 % | 85 % | 100 % |
//!
//! Between two columns a part's points are linear in its value. The score is the mean of the points of what was measured, by
//! weight, with two rules on top:
//!
//! - **It is never above the points of the error rate**: a service that answers fast by failing is not good.
//! - **Concurrent users only lift it.** The most requests that were in flight is a lower bound of what the service can serve, so to
//!   have tried more never costs points; below the table's last mark it counts as not measured.
//!
//! So the score is monotone: with the same parts measured, a better value never lowers it. What was not measured takes no part;
//! the coverage is the weight of what was. Of fewer than 20 requests neither p95 nor error rate counts as measured, and without both there is no score;
//! of fewer than 200 an error rate has the points of one error in so many, at best: they do not show less.

use crate::{
    judge::targets::{heads, why_unknown},
    model::{
        load::{Offered, Summary},
        targets::{Mark, Part, Score, ScorePart},
    },
    text::{plural, quantity},
};

/// The fewest requests of which response time and errors count: of fewer, none lies beyond p95.
const FEWEST: u64 = 20;

/// Of so many requests a single error is excellent still, so that no error is shown to be better than that.
const TELLING: u64 = 200;

/// A line of the table.
struct Line {
    part: Part,
    weight: f64,
    /// Value and points, from the best to the worst.
    marks: &'static [(f64, f64)],
}

const TABLE: [Line; 6] = [
    Line {
        part: Part::LatencyP95,
        weight: 0.25,
        marks: &[(50e6, 10.0), (100e6, 9.0), (200e6, 7.0), (500e6, 5.0), (2e9, 0.0)],
    },
    Line {
        part: Part::ErrorRate,
        weight: 0.25,
        marks: &[(0.0, 10.0), (0.005, 9.0), (0.02, 7.0), (0.05, 5.0), (0.20, 0.0)],
    },
    Line {
        part: Part::ConcurrentUsers,
        weight: 0.20,
        marks: &[(4_000.0, 10.0), (2_000.0, 9.0), (1_000.0, 7.0), (500.0, 5.0)],
    },
    Line {
        part: Part::CacheHitRate,
        weight: 0.10,
        marks: &[(1.0, 10.0), (0.9, 9.0), (0.8, 7.0), (0.7, 5.0), (0.0, 0.0)],
    },
    Line {
        part: Part::Memory,
        weight: 0.10,
        marks: &[(0.35, 10.0), (0.7, 9.0), (0.8, 7.0), (0.9, 5.0), (1.0, 0.0)],
    },
    Line {
        part: Part::Cpu,
        weight: 0.10,
        marks: &[(0.25, 10.0), (0.5, 9.0), (0.7, 7.0), (0.85, 5.0), (1.0, 0.0)],
    },
];

/// The score of head; `None` without a request in a window that counts.
#[must_use]
pub fn score(load: &[Summary]) -> Option<Score> {
    let mut heads = heads(load);
    heads.retain(|summary| summary.is_valid());
    if heads.iter().all(|summary| summary.requests.scheduled == 0) {
        return None;
    }
    let parts: Vec<ScorePart> = TABLE.iter().map(|line| score_part(&heads, line)).collect();
    let answers = |part: &ScorePart| matches!(part.part, Part::LatencyP95 | Part::ErrorRate);
    if !parts.iter().any(|part| answers(part) && part.points.is_some()) {
        return None;
    }
    let coverage = parts.iter().filter(|part| part.value.is_some()).map(|part| part.weight).sum();
    let (points, notes) = join(&parts)?;
    Some(Score { points, coverage, notes: notes.into_iter().chain(gaps(&parts)).collect(), parts })
}

/// The points of a value on a line of marks: linear between them, level beyond the ends.
fn points(value: f64, marks: &[(f64, f64)]) -> f64 {
    let (Some(&(best, most)), Some(&(_, least))) = (marks.first(), marks.last()) else { return 0.0 };
    let rising = marks.last().is_some_and(|(worst, _)| *worst < best);
    let at_least_as_good = |mark: f64| if rising { value >= mark } else { value <= mark };
    if at_least_as_good(best) {
        return most;
    }
    for pair in marks.windows(2) {
        let ((better, more), (worse, fewer)) = (pair[0], pair[1]);
        if at_least_as_good(worse) {
            return fewer + (more - fewer) * ((value - worse) / (better - worse)).clamp(0.0, 1.0);
        }
    }
    least
}

fn mark(points: f64) -> Mark {
    match points {
        points if points >= 9.0 => Mark::Excellent,
        points if points >= 7.0 => Mark::Good,
        points if points >= 5.0 => Mark::Fair,
        _ => Mark::Poor,
    }
}

/// A line as it applies: of several scenarios the worst one, of users the one with the most.
fn score_part(heads: &[&Summary], line: &Line) -> ScorePart {
    let nothing = |basis: String| ScorePart {
        part: line.part,
        weight: line.weight,
        value: None,
        points: None,
        mark: None,
        basis: format!("not measured: {basis}"),
    };
    let few = |summary: &Summary| line.part.needs_requests() && summary.requests.scheduled < FEWEST;
    let counted = heads.iter().filter(|summary| !few(summary));
    let values = counted.filter_map(|summary| Some((*summary, line.part.value(summary)?)));
    let scored = |(summary, value): &(&Summary, f64)| points(shown(line.part, summary, *value), line.marks);
    let by_points = |a: &(&Summary, f64), b: &(&Summary, f64)| {
        scored(a).total_cmp(&scored(b)).then_with(|| {
            if line.part.higher_is_better() { a.1.total_cmp(&b.1) } else { b.1.total_cmp(&a.1) }
        })
    };
    let decisive =
        if line.part == Part::ConcurrentUsers { values.max_by(by_points) } else { values.min_by(by_points) };
    let Some((summary, value)) = decisive else {
        let due = |summary: &&&Summary| few(summary) && summary.requests.scheduled > 0;
        if let Some(summary) = heads.iter().find(due) {
            return nothing(format!("{}, {FEWEST} are the least that counts", requests(summary)));
        }
        return nothing(heads.first().map_or_else(String::new, |summary| why_unknown(line.part, summary)));
    };
    let last = line.marks.last().map_or(0.0, |(value, _)| *value);
    if line.part == Part::ConcurrentUsers && value < last {
        let (peak, least) = (quantity::count(summary.in_flight_peak), quantity::value(last, ""));
        return nothing(format!("at most {peak} in flight, {least} are the least that counts"));
    }
    let points = scored(&(summary, value));
    ScorePart {
        part: line.part,
        weight: line.weight,
        value: Some(value),
        points: Some(points),
        mark: Some(mark(points)),
        basis: basis(summary, line.part, heads.len() > 1),
    }
}

/// The best value that so many requests show.
fn shown(part: Part, summary: &Summary, value: f64) -> f64 {
    let due = summary.requests.scheduled;
    if part == Part::ErrorRate && due < TELLING { value.max(1.0 / due.max(1) as f64) } else { value }
}

fn requests(summary: &Summary) -> String {
    plural::count(usize::try_from(summary.requests.scheduled).unwrap_or(usize::MAX), "request")
}

/// `measured over 8.0 s at 200 requests/s (1,600 requests)`.
fn basis(summary: &Summary, part: Part, name: bool) -> String {
    let load = match summary.offered {
        Offered::Rate(rate) => quantity::value(rate, "requests/s"),
        Offered::Users(users) => plural::count(usize::try_from(users).unwrap_or(usize::MAX), "user"),
    };
    let requests = requests(summary);
    let bound = part.quantile().and_then(|quantile| summary.latency?.named(quantile));
    let bound =
        if bound.is_some_and(|quantile| quantile.lower_bound) { ", at least: some never ended" } else { "" };
    let scenario = if name { format!(", load:{}", summary.scenario) } else { String::new() };
    let few = if part == Part::ErrorRate && summary.requests.scheduled < TELLING {
        ", so few that one error more or less cannot be told"
    } else {
        ""
    };
    format!(
        "measured over {} at {load} ({requests}){few}{bound}{scenario}",
        quantity::seconds(summary.seconds)
    )
}

/// The points of all parts together, and what a reader must know of them. `None` where nothing was measured.
fn join(parts: &[ScorePart]) -> Option<(f64, Vec<String>)> {
    let measured = || parts.iter().filter_map(|part| Some((part, part.points?)));
    let mean = |users: bool| {
        let counted = measured().filter(|(part, _)| users || part.part != Part::ConcurrentUsers);
        let (sum, weight) = counted
            .fold((0.0, 0.0), |(sum, all), (part, points)| (sum + part.weight * points, all + part.weight));
        (weight > 0.0).then(|| sum / weight)
    };
    let (with, without) = (mean(true)?, mean(false));
    let lifted = without.map_or(with, |without| with.max(without));
    let errors = measured().find(|(part, _)| part.part == Part::ErrorRate).map_or(10.0, |(_, points)| points);
    let mut notes = Vec::new();
    if without.is_some_and(|without| without > with) {
        notes.push(
            "more concurrent users than were tried may be served, so their number takes nothing away"
                .to_owned(),
        );
    }
    if errors < lifted {
        notes.push("never above the points of the error rate: failing fast is no merit".to_owned());
    }
    Some((lifted.min(errors).clamp(0.0, Score::OF), notes))
}

/// What the score says nothing about.
fn gaps(parts: &[ScorePart]) -> Option<String> {
    let open: Vec<&str> =
        parts.iter().filter(|part| part.value.is_none()).map(|part| part.part.as_str()).collect();
    (!open.is_empty()).then(|| format!("says nothing about {}", plural::list(&open, open.len())))
}
