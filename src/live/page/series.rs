//! The seconds of a run as points of a chart, in bounded memory however long it runs.

use serde_json::{Value, json};

use crate::model::load::Interval;

/// When there are this many points, neighbours are joined: an hour and a week take the same room.
pub(super) const MOST_POINTS: usize = 1_200;

/// The most own metrics that a point keeps, and the most characters of their names.
const MOST_METRICS: usize = 24;
const MOST_NAME: usize = 120;

/// One point of every chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    /// Its start, seconds after the run's.
    pub(super) at: f64,
    /// Whether it is of a warm-up, which no result counts.
    pub(super) warmup: bool,
    /// What happened in it.
    pub(super) interval: Interval,
}

impl Point {
    /// Joins the next point to this one. Counts add up and shares are means by length; of percentiles, memory and queues the
    /// worst is kept: the percentile of both cannot be known, and a chart must not smooth a stall away.
    fn join(&mut self, next: &Self) {
        let (mine, theirs) = (&mut self.interval, &next.interval);
        let weights = (mine.seconds.max(0.0), theirs.seconds.max(0.0));
        mine.cpu = mean(mine.cpu, theirs.cpu, weights);
        for (name, value) in &theirs.metrics {
            let joined = mean(mine.metrics.get(name).copied(), Some(*value), weights);
            mine.metrics.insert(name.clone(), joined.unwrap_or(*value));
        }
        mine.seconds += theirs.seconds;
        mine.scheduled += theirs.scheduled;
        mine.completed += theirs.completed;
        mine.errors += theirs.errors;
        mine.latency_ns = match (mine.latency_ns, theirs.latency_ns) {
            (Some(a), Some(b)) => Some(std::array::from_fn(|at| a[at].max(b[at]))),
            (a, b) => a.or(b),
        };
        mine.in_flight = mine.in_flight.max(theirs.in_flight);
        mine.backlog = mine.backlog.max(theirs.backlog);
        mine.rss_bytes = mine.rss_bytes.max(theirs.rss_bytes);
        self.warmup &= next.warmup;
    }

    /// The point in the page's JSON; numbers that do not exist are `null`.
    pub(super) fn json(&self) -> Value {
        let interval = &self.interval;
        let [p50, p90, p95, p99] = interval.latency_ns.map_or([None; 4], |values| values.map(Some));
        json!({
            "at": self.at, "seconds": interval.seconds, "warmup": self.warmup,
            "scheduled": interval.scheduled, "completed": interval.completed, "errors": interval.errors,
            "p50_ns": p50, "p90_ns": p90, "p95_ns": p95, "p99_ns": p99,
            "in_flight": interval.in_flight, "backlog": interval.backlog,
            "cpu": interval.cpu, "rss_bytes": interval.rss_bytes, "metrics": interval.metrics,
        })
    }
}

fn mean(a: Option<f64>, b: Option<f64>, weights: (f64, f64)) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) if weights.0 + weights.1 > 0.0 => {
            Some((a * weights.0 + b * weights.1) / (weights.0 + weights.1))
        }
        (a, b) => a.or(b),
    }
}

/// The points so far.
#[derive(Debug, Default)]
pub(super) struct Series {
    points: Vec<Point>,
    /// The point that still takes seconds.
    open: Option<(Point, usize)>,
    /// How often neighbours were joined: each time, what a reader has of the points is void.
    generation: u32,
    /// Where the trial that runs began, on the run's time; and its first and last starts.
    trial: Option<Trial>,
    end: f64,
}

#[derive(Debug, Clone, Copy)]
struct Trial {
    offset: f64,
    first: f64,
    last: f64,
}

impl Series {
    /// Adds a second, and returns its place on the run's time. A start before the last one is a new trial: it goes behind it.
    pub(super) fn add(&mut self, interval: &Interval) -> f64 {
        let start = finite(interval.start_seconds);
        let trial = match self.trial {
            Some(trial) if start > trial.last => Trial { last: start, ..trial },
            _ => Trial { offset: self.end, first: start, last: start },
        };
        self.trial = Some(trial);
        let at = trial.offset + (start - trial.first);
        let mut kept = interval.clone();
        kept.seconds = finite(kept.seconds).max(0.0);
        kept.metrics.retain(|name, value| name.chars().count() <= MOST_NAME && value.is_finite());
        while kept.metrics.len() > MOST_METRICS {
            kept.metrics.pop_last();
        }
        self.end = self.end.max(at + kept.seconds);
        self.push(Point { at, warmup: start < 0.0, interval: kept });
        at
    }

    fn push(&mut self, point: Point) {
        let (joined, count) = match self.open.take() {
            Some((mut open, count)) => {
                open.join(&point);
                (open, count + 1)
            }
            None => (point, 1),
        };
        if count < self.stride() {
            self.open = Some((joined, count));
            return;
        }
        self.points.push(joined);
        if self.points.len() >= MOST_POINTS {
            self.halve();
        }
    }

    fn halve(&mut self) {
        let pairs = self.points.chunks(2).map(|pair| {
            let mut joined = pair[0].clone();
            pair[1..].iter().for_each(|next| joined.join(next));
            joined
        });
        self.points = pairs.collect();
        self.generation += 1;
    }

    /// The run is over: what is open is shown too.
    pub(super) fn close(&mut self) {
        if let Some((open, _)) = self.open.take() {
            self.points.push(open);
        }
    }

    /// How many seconds a point holds.
    pub(super) fn stride(&self) -> usize {
        1 << self.generation.min(31)
    }

    /// How often neighbours were joined.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// The finished points.
    pub(super) fn points(&self) -> &[Point] {
        &self.points
    }

    /// The end of the last second, seconds after the run's start.
    pub(super) fn end(&self) -> f64 {
        self.end
    }
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "exact values are meant")]
mod tests {
    use super::{Interval, MOST_POINTS, Series};

    fn second(start: f64, p99: f64) -> Interval {
        Interval {
            start_seconds: start,
            seconds: 1.0,
            scheduled: 10,
            completed: 9,
            errors: 1,
            latency_ns: Some([1.0, 2.0, 3.0, p99]),
            cpu: Some(start.abs() % 2.0),
            ..Interval::default()
        }
    }

    #[test]
    fn a_week_takes_no_more_room_than_an_hour_and_loses_neither_counts_nor_the_worst_second() {
        let mut series = Series::default();
        let seconds: i32 = 7 * 24 * 3_600;
        for at in 0..seconds {
            series.add(&second(f64::from(at), if at == 400_000 { 9e9 } else { 4.0 }));
            assert!(series.points().len() < MOST_POINTS);
        }
        series.close();
        let points = series.points();
        assert!(points.len() >= MOST_POINTS / 2 - 1, "{}", points.len());
        assert_eq!(
            points.iter().map(|p| p.interval.scheduled).sum::<u64>(),
            10 * u64::from(seconds.unsigned_abs())
        );
        assert_eq!(points.iter().map(|p| p.interval.seconds).sum::<f64>(), f64::from(seconds));
        assert_eq!(points.iter().filter(|p| p.interval.latency_ns.unwrap()[3] == 9e9).count(), 1);
        assert_eq!(points[1].interval.cpu, Some(0.5));
        assert!(points.windows(2).all(|pair| pair[0].at < pair[1].at));
    }

    #[test]
    fn a_second_trial_goes_behind_the_first_and_warm_up_is_marked() {
        let mut series = Series::default();
        let places: Vec<f64> =
            [-2.0, -1.0, 0.0, -2.0, -1.0, 0.0, 1.0].map(|start| series.add(&second(start, 4.0))).into();
        assert_eq!(places, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let warm: Vec<bool> = series.points().iter().map(|point| point.warmup).collect();
        assert_eq!(warm, [true, true, false, true, true, false, false]);
        assert_eq!(series.end(), 7.0);
    }

    #[test]
    fn numbers_that_are_none_do_not_reach_the_page() {
        let mut series = Series::default();
        let odd = Interval { start_seconds: f64::NAN, seconds: f64::INFINITY, ..second(0.0, f64::NAN) };
        series.add(&odd);
        let json = series.points()[0].json();
        assert!(json["p99_ns"].is_null() && json["at"] == 0.0 && json["seconds"] == 0.0, "{json}");
    }
}
