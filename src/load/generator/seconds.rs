//! The trial second by second: what workers send of each second, joined and told on.

use std::collections::{BTreeMap, VecDeque};

use crate::{
    load::{recorder::Slice, watch::Tick},
    model::load::Interval,
};

/// The most intervals that a trial keeps; a longer window has longer ones.
pub(crate) const MOST_INTERVALS: u64 = 4_000;

/// A stretch of the trial: nanoseconds from the window's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stretch {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// Joins what workers send.
#[derive(Debug)]
pub(crate) struct Seconds {
    workers: usize,
    open: BTreeMap<i64, (Box<Slice>, i64, usize)>,
    whole: VecDeque<(Stretch, Box<Slice>)>,
}

impl Seconds {
    pub(crate) fn new(workers: usize) -> Self {
        Self { workers, open: BTreeMap::new(), whole: VecDeque::new() }
    }

    /// Takes one worker's slice of a stretch; gives the box back when it is of no more use.
    pub(crate) fn add(&mut self, stretch: Stretch, slice: Box<Slice>) -> Option<Box<Slice>> {
        let spent = match self.open.get_mut(&stretch.start) {
            Some((joined, end, count)) => {
                joined.merge(&slice);
                *end = (*end).max(stretch.end);
                *count += 1;
                Some(slice)
            }
            None => {
                self.open.insert(stretch.start, (slice, stretch.end, 1));
                None
            }
        };
        if self.open.get(&stretch.start).is_some_and(|(_, _, count)| *count == self.workers)
            && let Some((joined, end, _)) = self.open.remove(&stretch.start)
        {
            self.whole.push_back((Stretch { start: stretch.start, end }, joined));
        }
        spent
    }

    /// The next stretch that all workers have sent.
    pub(crate) fn next(&mut self) -> Option<(Stretch, Box<Slice>)> {
        self.whole.pop_front()
    }
}

/// An interval as the model has it.
pub(crate) fn interval(stretch: Stretch, slice: &Slice, tick: Tick) -> Interval {
    let latency = (!slice.latency.is_empty())
        .then(|| [0.5, 0.9, 0.95, 0.99].map(|q| slice.latency.value_at_quantile(q) as f64));
    Interval {
        start_seconds: stretch.start as f64 / 1e9,
        seconds: (stretch.end - stretch.start) as f64 / 1e9,
        scheduled: slice.scheduled,
        completed: slice.completed,
        errors: slice.errors,
        latency_ns: latency,
        in_flight: slice.in_flight,
        backlog: slice.backlog,
        cpu: tick.cpu,
        rss_bytes: tick.rss_bytes,
        metrics: tick.metrics,
    }
}

/// Keeps the intervals of the window, several seconds in one when it is long, so that memory does not grow with it.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Nanoseconds of one interval.
    length: i64,
    group: Option<(Stretch, Box<Slice>, Vec<Tick>)>,
    intervals: Vec<Interval>,
}

impl Kept {
    /// For a window of so many nanoseconds.
    pub(crate) fn new(window: u64) -> Self {
        let seconds = window.div_ceil(1_000_000_000).div_ceil(MOST_INTERVALS).max(1);
        let length = i64::try_from(seconds * 1_000_000_000).unwrap_or(i64::MAX);
        Self { length, group: None, intervals: Vec::new() }
    }

    /// Takes the next second of the window.
    pub(crate) fn add(&mut self, stretch: Stretch, slice: &Slice, tick: Tick) {
        match &mut self.group {
            Some((whole, joined, ticks)) => {
                let (in_flight, backlog) = (slice.in_flight, slice.backlog);
                joined.merge(slice);
                // These are levels at the end, not counts.
                (joined.in_flight, joined.backlog) = (in_flight, backlog);
                whole.end = stretch.end;
                ticks.push(tick);
            }
            None => self.group = Some((stretch, Box::new(slice.clone()), vec![tick])),
        }
        if self.group.as_ref().is_some_and(|(whole, ..)| whole.end - whole.start >= self.length) {
            self.close();
        }
    }

    fn close(&mut self) {
        if let Some((stretch, slice, ticks)) = self.group.take() {
            self.intervals.push(interval(stretch, &slice, join(&ticks)));
        }
    }

    /// All of them.
    pub(crate) fn finish(mut self) -> Vec<Interval> {
        self.close();
        self.intervals
    }
}

/// Several ticks as one: shares as their mean, memory as it was last.
fn join(ticks: &[Tick]) -> Tick {
    let mean =
        |values: Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    let mut names: Vec<&String> = ticks.iter().flat_map(|tick| tick.metrics.keys()).collect();
    names.sort();
    names.dedup();
    let of = |name: &String| mean(ticks.iter().filter_map(|tick| tick.metrics.get(name).copied()).collect());
    Tick {
        cpu: mean(ticks.iter().filter_map(|tick| tick.cpu).collect()),
        rss_bytes: ticks.iter().rev().find_map(|tick| tick.rss_bytes),
        metrics: names.into_iter().filter_map(|name| Some((name.clone(), of(name)?))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, MOST_INTERVALS, Seconds, Stretch};
    use crate::load::{recorder::Slice, watch::Tick};

    fn slice(completed: u64, latency: u64) -> Box<Slice> {
        let mut slice = Box::new(Slice { completed, in_flight: completed, ..Slice::default() });
        for _ in 0..completed {
            slice.latency.saturating_record(latency);
        }
        slice
    }

    const FIRST: Stretch = Stretch { start: 0, end: 1_000_000_000 };

    #[test]
    fn a_second_is_whole_when_every_worker_has_sent_it() {
        let mut seconds = Seconds::new(2);
        assert!(seconds.add(FIRST, slice(3, 5_000_000)).is_none());
        assert!(seconds.next().is_none());
        assert!(seconds.add(FIRST, slice(4, 5_000_000)).is_some());
        let (stretch, joined) = seconds.next().unwrap();
        assert_eq!((stretch, joined.completed, joined.latency.len()), (FIRST, 7, 7));
    }

    #[test]
    fn hours_of_seconds_are_kept_in_bounded_room_without_losing_a_request() {
        let long = 9_001_u64;
        let mut kept = Kept::new(long * 1_000_000_000);
        let one = slice(2, 5_000_000);
        for second in 0..i64::try_from(long).unwrap() {
            let stretch = Stretch { start: second * 1_000_000_000, end: (second + 1) * 1_000_000_000 };
            kept.add(stretch, &one, Tick { cpu: Some(0.5), ..Tick::default() });
        }
        let intervals = kept.finish();
        assert!(intervals.len() as u64 <= MOST_INTERVALS);
        assert_eq!(intervals.iter().map(|interval| interval.completed).sum::<u64>(), 2 * long);
        assert_eq!(intervals[0].in_flight, 2);
        assert_eq!(intervals[0].cpu, Some(0.5));
        let seconds: f64 = intervals.iter().map(|interval| interval.seconds).sum();
        assert!((seconds - long as f64).abs() < 1e-6);
    }
}
