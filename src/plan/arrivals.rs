//! When requests are due: a curve of load over time, and the arrivals that it makes, at constant distance or as a Poisson process.
//!
//! Constant arrivals follow the cumulated rate Λ(t): the k-th is due when Λ reaches k, so by any time t exactly ⌊Λ(t)⌋ were due.
//! A Poisson process of a changing rate is the unit process seen through the same inverse (Çinlar, *Introduction to Stochastic
//! Processes*, 1975, section 4.7): the k-th is due when Λ reaches the sum of k exponential gaps. Memory does not grow with the count.

use std::sync::Arc;

use crate::stats::random::Stream;

/// A stretch of load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// Arrivals a second (or users) at its end, and all through it unless it ramps. What is no positive number counts as 0.
    pub level: f64,
    /// Its length, seconds.
    pub seconds: f64,
    /// Whether it goes evenly from the level before it (from 0 at the start) to its own.
    pub ramp: bool,
}

/// How arrivals are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// At constant distance.
    Constant,
    /// A Poisson process: exponential gaps.
    Poisson,
}

/// One piece of a curve: a straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    start: f64,
    seconds: f64,
    from: f64,
    to: f64,
    /// The curve's integral up to its start.
    before: f64,
}

impl Piece {
    fn mass(&self) -> f64 {
        self.mass_until(self.seconds)
    }

    fn mass_until(&self, seconds: f64) -> f64 {
        let slope = if self.seconds > 0.0 { (self.to - self.from) / self.seconds } else { 0.0 };
        self.from * seconds + slope * seconds * seconds / 2.0
    }

    /// How far into the piece its integral reaches `mass`.
    fn seconds_until(&self, mass: f64) -> f64 {
        let slope = (self.to - self.from) / self.seconds;
        // The root of slope/2·t² + from·t = mass in the form that neither divides by a slope of 0 nor cancels.
        let root = (self.from * self.from + 2.0 * slope * mass).max(0.0).sqrt();
        let below = self.from + root;
        if below > 0.0 { (2.0 * mass / below).clamp(0.0, self.seconds) } else { 0.0 }
    }
}

/// Load over time: straight pieces from 0 to an end. Between pieces it may jump.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    pieces: Vec<Piece>,
    seconds: f64,
    total: f64,
}

impl Curve {
    /// The curve of `stages` over `seconds`: cut there, or its last level held until then.
    #[must_use]
    pub fn new(stages: &[Stage], seconds: f64) -> Self {
        let seconds = positive(seconds);
        let mut curve = Self { pieces: Vec::with_capacity(stages.len() + 1), seconds, total: 0.0 };
        let (mut start, mut level) = (0.0, 0.0);
        for stage in stages {
            let (length, to) = (positive(stage.seconds), positive(stage.level));
            let from = if stage.ramp { level } else { to };
            curve.push(start, length, from, to);
            start += length;
            level = to;
        }
        curve.push(start, (seconds - start).max(0.0), level, level);
        curve
    }

    fn push(&mut self, start: f64, length: f64, from: f64, to: f64) {
        let seconds = length.min(self.seconds - start);
        if seconds <= 0.0 {
            return;
        }
        let piece =
            Piece { start, seconds, from, to: from + (to - from) * seconds / length, before: self.total };
        self.total += piece.mass();
        self.pieces.push(piece);
    }

    /// Its end, seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// The integral from 0 to its end: how many arrivals it makes on average.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.total
    }

    /// The integral from 0 to `seconds`.
    #[must_use]
    pub fn cumulated(&self, seconds: f64) -> f64 {
        let place = self.pieces.partition_point(|piece| piece.start < seconds);
        let Some(piece) = place.checked_sub(1).and_then(|last| self.pieces.get(last)) else { return 0.0 };
        piece.before + piece.mass_until((seconds - piece.start).min(piece.seconds))
    }

    /// The level at `seconds`; after the end, the last one.
    #[must_use]
    pub fn level_at(&self, seconds: f64) -> f64 {
        let place = self.pieces.partition_point(|piece| piece.start <= seconds);
        let Some(piece) = place.checked_sub(1).and_then(|last| self.pieces.get(last)) else { return 0.0 };
        piece.from + (piece.to - piece.from) * ((seconds - piece.start) / piece.seconds).min(1.0)
    }

    /// The highest level.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.pieces.iter().map(|piece| piece.from.max(piece.to)).fold(0.0, f64::max)
    }

    /// How many constant arrivals it makes.
    #[must_use]
    pub fn whole(&self) -> u64 {
        // A product such as 0.1 · 30 may come out a hair below the whole number that was meant.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, 0 or more")]
        let whole = (self.total * (1.0 + 1e-12) + 1e-9) as u64;
        whole
    }
}

fn positive(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}

/// A request (or session) and when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its place among all arrivals of the curve, from 0.
    pub number: u64,
    /// When it is due, nanoseconds from the curve's start.
    pub due_ns: u64,
}

/// The arrivals of a curve in order, or every n-th of them. A clone goes on from the same place.
#[derive(Debug, Clone)]
pub struct Arrivals {
    curve: Arc<Curve>,
    gaps: Option<Stream>,
    /// Sum of the gaps drawn so far.
    mass: f64,
    /// Arrivals passed so far, of all shares.
    passed: u64,
    share: u64,
    shares: u64,
    piece: usize,
}

impl Arrivals {
    /// All arrivals of the curve.
    #[must_use]
    pub fn new(curve: Arc<Curve>, spread: Spread, seed: u64, purpose: &str) -> Self {
        let gaps = match spread {
            Spread::Constant => None,
            Spread::Poisson => Some(Stream::new(seed, purpose, &[], 0)),
        };
        Self { curve, gaps, mass: 0.0, passed: 0, share: 0, shares: 1, piece: 0 }
    }

    /// Those of one worker of several: each arrival goes to exactly one, whatever their number.
    #[must_use]
    pub fn share(mut self, worker: u32, workers: u32) -> Self {
        self.shares = u64::from(workers.max(1));
        self.share = u64::from(worker) % self.shares;
        self
    }

    /// Where the next arrival of this share lies on the cumulated rate, and its number.
    fn next_mass(&mut self) -> Option<(u64, f64)> {
        let Some(gaps) = &mut self.gaps else {
            let number = self.passed + (self.share + self.shares - self.passed % self.shares) % self.shares;
            self.passed = number + 1;
            return (number < self.curve.whole()).then_some((number, (number + 1) as f64));
        };
        loop {
            // 1 − u is in (0, 1], so the logarithm is finite.
            self.mass -= (1.0 - gaps.unit()).ln();
            if self.mass > self.curve.total {
                return None;
            }
            let number = self.passed;
            self.passed += 1;
            if number % self.shares == self.share {
                return Some((number, self.mass));
            }
        }
    }

    fn time_of(&mut self, mass: f64) -> f64 {
        while let Some(piece) = self.curve.pieces.get(self.piece) {
            if mass <= piece.before + piece.mass() && piece.mass() > 0.0 {
                return piece.start + piece.seconds_until(mass - piece.before);
            }
            self.piece += 1;
        }
        self.curve.seconds
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let (number, mass) = self.next_mass()?;
        let seconds = self.time_of(mass).min(self.curve.seconds);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds are 0 or more")]
        let due_ns = (seconds * 1e9).round() as u64;
        Some(Arrival { number, due_ns })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

    use super::{Arrival, Arrivals, Curve, Spread, Stage};

    fn flat(level: f64, seconds: f64) -> Vec<Stage> {
        vec![Stage { level, seconds, ramp: false }]
    }

    fn arrivals(stages: &[Stage], seconds: f64, spread: Spread) -> Arrivals {
        Arrivals::new(Arc::new(Curve::new(stages, seconds)), spread, 7, "test")
    }

    fn stages() -> impl Strategy<Value = Vec<Stage>> {
        let stage = (0.0..300.0_f64, 0.0..4.0_f64, any::<bool>()).prop_map(|(level, seconds, ramp)| Stage {
            level,
            seconds,
            ramp,
        });
        prop::collection::vec(stage, 1..5)
    }

    #[test]
    fn a_constant_rate_is_due_at_whole_steps_and_its_last_arrival_at_the_end() {
        let due: Vec<u64> =
            arrivals(&flat(200.0, 8.0), 8.0, Spread::Constant).map(|arrival| arrival.due_ns).collect();
        assert_eq!(due.len(), 1_600);
        assert_eq!((due[0], due[1], due[1_599]), (5_000_000, 10_000_000, 8_000_000_000));
    }

    #[test]
    fn a_count_that_floats_cannot_hold_is_still_whole() {
        // 0.1 · 30 is 3.0000000000000004 or 2.9999999999999996, depending on the way there.
        assert_eq!(arrivals(&flat(0.1, 30.0), 30.0, Spread::Constant).count(), 3);
        assert_eq!(arrivals(&flat(1.1, 10.0), 10.0, Spread::Constant).count(), 11);
    }

    #[test]
    fn a_ramp_from_zero_follows_the_square_root() {
        let ramp = [Stage { level: 100.0, seconds: 2.0, ramp: true }];
        let due: Vec<u64> = arrivals(&ramp, 2.0, Spread::Constant).map(|arrival| arrival.due_ns).collect();
        assert_eq!(due.len(), 100);
        // Λ(t) = 25 t², so the k-th is due at √(k / 25).
        for (place, due) in due.iter().enumerate() {
            let want = ((place + 1) as f64 / 25.0).sqrt() * 1e9;
            assert!((*due as f64 - want).abs() < 2.0, "{place}: {due} is not {want}");
        }
    }

    #[test]
    fn the_last_level_is_held_and_a_long_stage_is_cut() {
        let curve = Curve::new(&[Stage { level: 10.0, seconds: 1.0, ramp: true }], 3.0);
        assert!((curve.total() - 25.0).abs() < 1e-9 && (curve.level_at(2.0) - 10.0).abs() < 1e-9);
        let cut = Curve::new(&[Stage { level: 10.0, seconds: 4.0, ramp: true }], 2.0);
        assert!((cut.level_at(2.0) - 5.0).abs() < 1e-9 && (cut.peak() - 5.0).abs() < 1e-9);
    }

    #[test]
    fn levels_that_are_no_numbers_make_no_arrivals() {
        for level in [f64::NAN, f64::INFINITY, -3.0, 0.0] {
            assert_eq!(arrivals(&flat(level, 5.0), 5.0, Spread::Constant).count(), 0, "{level}");
            assert_eq!(arrivals(&flat(level, 5.0), 5.0, Spread::Poisson).count(), 0, "{level}");
        }
        assert_eq!(arrivals(&[], 5.0, Spread::Constant).count(), 0);
    }

    #[test]
    fn poisson_counts_and_gaps_have_their_mean_and_spread() {
        let due: Vec<f64> = arrivals(&flat(1_000.0, 40.0), 40.0, Spread::Poisson)
            .map(|arrival| arrival.due_ns as f64 / 1e9)
            .collect();
        // The count has the standard deviation √40000 = 200; five of them.
        assert!((due.len() as f64 - 40_000.0).abs() < 1_000.0, "{}", due.len());
        let gaps: Vec<f64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.03, "{}", variance.sqrt() / mean);
    }

    #[test]
    fn a_poisson_ramp_is_denser_where_the_rate_is_higher() {
        let ramp = [Stage { level: 2_000.0, seconds: 10.0, ramp: true }];
        let all: Vec<Arrival> = arrivals(&ramp, 10.0, Spread::Poisson).collect();
        let early = all.iter().filter(|arrival| arrival.due_ns < 5_000_000_000).count() as f64;
        // A quarter of 10,000; five standard deviations.
        assert!((early - 2_500.0).abs() < 250.0, "{early}");
    }

    proptest! {
        #[test]
        fn by_any_time_as_many_were_due_as_the_integral_says(list in stages(), seconds in 0.1..9.0_f64, at in 0.0..1.0_f64) {
            let curve = Curve::new(&list, seconds);
            let at = at * seconds;
            let by_then = arrivals(&list, seconds, Spread::Constant)
                .filter(|arrival| arrival.due_ns as f64 <= at * 1e9)
                .count() as f64;
            let want = curve.cumulated(at);
            // Rounding to whole nanoseconds may move one arrival across the border.
            prop_assert!((by_then - want.floor()).abs() < 1e-9 || (want - want.round()).abs() < 1e-4, "{by_then} for {want}");
        }

        #[test]
        fn shares_hold_every_arrival_once(list in stages(), seconds in 0.1..6.0_f64, workers in 1_u32..5, poisson in any::<bool>()) {
            let spread = if poisson { Spread::Poisson } else { Spread::Constant };
            let whole: Vec<Arrival> = arrivals(&list, seconds, spread).collect();
            let mut joined: Vec<Arrival> =
                (0..workers).flat_map(|worker| arrivals(&list, seconds, spread).share(worker, workers)).collect();
            joined.sort_by_key(|arrival| arrival.number);
            prop_assert!(whole.windows(2).all(|pair| pair[0].due_ns <= pair[1].due_ns));
            prop_assert_eq!(joined, whole);
        }
    }
}
