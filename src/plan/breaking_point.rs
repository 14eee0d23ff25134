//! The breaking point: the highest rate at which a service still meets its target, as an interval. A state machine that says which rate to
//! try next and is told how it went; it knows no clock and no service.
//!
//! It first grows the rate by a factor until the target is missed (or shrinks it until the target is met), then halves the interval between the highest
//! rate that was met and the lowest that was missed until that is narrow. A rate is decided by repeated probes: two that agree, or else the majority
//! of up to five, because near the breaking point one probe says little. The bounds are by rate, not by time: where probes contradict the order
//! (met above a rate that was missed), noise is all there is, and the interval ends there.

use std::time::Duration;

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// The first rate; positive.
    pub start: f64,
    /// No rate below this is tried; positive.
    pub least: f64,
    /// No rate above this is tried.
    pub most: f64,
    /// How much the rate grows or shrinks while one end is open; above 1.
    pub growth: f64,
    /// The interval is narrow enough when it is this share of its lower end.
    pub width: f64,
    /// The most probes of all.
    pub probes: u32,
    /// Probes that must agree when none disagrees; 1 where many searches are compared, and each may err.
    pub agree: u32,
    /// Whether one probe is enough to go on growing. The highest rate that was met so is asked again once a higher one was missed, so
    /// that a stray probe cannot hold the interval too high.
    pub hasty: bool,
}

impl Default for Search {
    /// From 50 to a million requests a second, doubling, to within 4 %, in at most 60 probes, each rate twice.
    fn default() -> Self {
        Self {
            start: 50.0,
            least: 1.0,
            most: 1e6,
            growth: 2.0,
            width: 0.04,
            probes: 60,
            agree: 2,
            hasty: false,
        }
    }
}

/// The most probes of one rate; odd, so that one side has the majority.
const REPEATS: u32 = 5;

/// How one probe of a rate went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// The rate, requests a second.
    pub rate: f64,
    /// Whether the target was met.
    pub met: bool,
}

/// What the search came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BreakingPoint {
    /// The target was met at `met` and missed at `missed`; the breaking point lies between.
    Between {
        /// The highest rate that was met.
        met: f64,
        /// The lowest rate that was missed.
        missed: f64,
    },
    /// The target was met up to the highest rate that may be tried (or was tried before the probes were used up).
    Never {
        /// That rate.
        met: f64,
    },
    /// The target was missed down to the lowest rate that may be tried (or was tried).
    AtOnce {
        /// That rate.
        missed: f64,
    },
}

impl BreakingPoint {
    /// One number for it: the middle of the interval by ratio, or the end that is known.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        match *self {
            Self::Between { met, missed } => (met * missed).sqrt(),
            Self::Never { met } => met,
            Self::AtOnce { missed } => missed,
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// Offer this rate, requests a second, and say how it went.
    Probe(f64),
    /// The search is over.
    Done(BreakingPoint),
}

/// The search for a breaking point.
#[derive(Debug, Clone)]
pub struct Planner {
    search: Search,
    rate: f64,
    votes: Votes,
    met: Option<f64>,
    missed: Option<f64>,
    probes: Vec<Probe>,
    result: Option<BreakingPoint>,
}

/// The probes of the current rate.
#[derive(Debug, Clone, Copy, Default)]
struct Votes {
    met: u32,
    missed: u32,
}

impl Votes {
    /// Whether the rate was met, as soon as that is settled.
    fn settled(self, agree: u32) -> Option<bool> {
        let enough = |votes: u32, against: u32| votes > REPEATS / 2 || (votes >= agree && against == 0);
        match self {
            Self { met, missed } if enough(met, missed) => Some(true),
            Self { met, missed } if enough(missed, met) => Some(false),
            _ => None,
        }
    }
}

impl Planner {
    /// Begins a search; what makes no sense in it is brought into range.
    #[must_use]
    pub fn new(search: Search) -> Self {
        let least = if search.least > 0.0 { search.least } else { f64::MIN_POSITIVE };
        let most = search.most.max(least);
        let start = if search.start.is_finite() { search.start.clamp(least, most) } else { least };
        let growth = if search.growth > 1.0 && search.growth.is_finite() { search.growth } else { 2.0 };
        let width = if search.width > 0.0 { search.width } else { 0.01 };
        let search = Search { start, least, most, growth, width, ..search };
        Self {
            search,
            rate: start,
            votes: Votes::default(),
            met: None,
            missed: None,
            probes: Vec::new(),
            result: None,
        }
    }

    /// What to do next; the same answer until [`Planner::tell`] is called.
    #[must_use]
    pub fn next(&self) -> Next {
        match self.result {
            Some(result) => Next::Done(result),
            None => Next::Probe(self.rate),
        }
    }

    /// Takes the answer to the last probe that [`Planner::next`] asked for. After the end it changes nothing.
    pub fn tell(&mut self, met: bool) {
        if self.result.is_some() {
            return;
        }
        self.probes.push(Probe { rate: self.rate, met });
        if met {
            self.votes.met += 1;
        } else {
            self.votes.missed += 1;
        }
        let hasty = self.search.hasty && met && self.missed.is_none() && self.votes.missed == 0;
        if let Some(met) = if hasty { Some(true) } else { self.votes.settled(self.search.agree.max(1)) } {
            self.votes = Votes::default();
            self.settle(met);
        }
        if self.result.is_none() && self.probes.len() >= self.search.probes as usize {
            self.result = Some(self.known());
        }
    }

    /// All probes so far, in order.
    #[must_use]
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// What is known now: the result, or what it would be if the search ended here.
    #[must_use]
    pub fn known(&self) -> BreakingPoint {
        match (self.result, self.met, self.missed) {
            (Some(result), ..) => result,
            (None, Some(met), Some(missed)) => BreakingPoint::Between { met, missed },
            (None, Some(met), None) => BreakingPoint::Never { met },
            (None, None, Some(missed)) => BreakingPoint::AtOnce { missed },
            // Not even the first rate is settled; the majority of its probes has to do.
            (None, None, None) if self.votes.met > self.votes.missed => {
                BreakingPoint::Never { met: self.rate }
            }
            (None, None, None) => BreakingPoint::AtOnce { missed: self.rate },
        }
    }

    /// How long a search takes at most when each probe takes so long.
    #[must_use]
    pub fn longest(&self, probe: Duration) -> Duration {
        probe.saturating_mul(self.search.probes)
    }

    /// The current rate is decided: moves an end of the interval, and chooses the next rate or ends.
    fn settle(&mut self, met: bool) {
        if met {
            self.met = Some(self.rate);
        } else {
            // One probe each was enough until here; now the highest of them is asked again.
            let first = self.missed.is_none();
            self.missed = Some(self.rate);
            if self.search.hasty
                && first
                && let Some(met) = self.met.take()
            {
                self.rate = met;
                self.votes.met = 1;
                return;
            }
        }
        let Search { least, most, growth, width, .. } = self.search;
        match (self.met, self.missed) {
            (Some(met), None) if met >= most => self.result = Some(BreakingPoint::Never { met }),
            (Some(met), None) => self.rate = (met * growth).min(most),
            (None, Some(missed)) if missed <= least => self.result = Some(BreakingPoint::AtOnce { missed }),
            (None, Some(missed)) => self.rate = (missed / growth).max(least),
            (Some(met), Some(missed)) => {
                let middle = (met * missed).sqrt();
                // The second condition ends a search that floats cannot narrow any more.
                if missed - met <= width * met || middle <= met || middle >= missed {
                    self.result = Some(BreakingPoint::Between { met, missed });
                } else {
                    self.rate = middle;
                }
            }
            (None, None) => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the same rate is meant")]
mod tests {
    use super::*;
    use crate::stats::random::Stream;

    /// A service whose chance of meeting the target falls from 1 to 0 around its breaking point; `noise` is the relative width of the fall.
    fn search(search: Search, truth: f64, noise: f64, seed: u64) -> (BreakingPoint, usize) {
        let mut stream = Stream::new(seed, "test", &[], 0);
        let mut planner = Planner::new(search);
        loop {
            match planner.next() {
                Next::Probe(rate) => {
                    assert!(rate >= search.least && rate <= search.most);
                    planner.tell(rate * (1.0 + noise * stream.normal()) < truth);
                }
                Next::Done(result) => return (result, planner.probes().len()),
            }
        }
    }

    #[test]
    fn a_service_without_noise_is_bracketed_within_the_width() {
        for truth in [3.0, 77.7, 1_234.0, 1_975.0, 98_765.0] {
            let (result, probes) = search(Search::default(), truth, 0.0, 0);
            let BreakingPoint::Between { met, missed } = result else { panic!("{result:?}") };
            assert!(met < truth && truth <= missed && missed / met <= 1.04 + 1e-9, "{truth}: {result:?}");
            assert!(probes <= 40, "{probes}");
        }
    }

    #[test]
    fn noisy_probes_find_the_truth_within_five_per_cent_three_times_in_a_row() {
        for (truth, noise) in [(1_800.0, 0.01), (317.0, 0.015), (12_345.0, 0.02), (4_000.0, 0.005)] {
            for seed in 0..30 {
                let right = (0..3).all(|again| {
                    let (result, probes) = search(Search::default(), truth, noise, 3 * seed + again);
                    assert!(probes <= 60);
                    (result.estimate() / truth - 1.0).abs() <= 0.05
                });
                assert!(right, "{truth} {noise} {seed}");
            }
        }
    }

    #[test]
    fn one_probe_a_rate_is_enough_where_the_search_says_so() {
        let once = Search { agree: 1, growth: 1.2, width: 0.03, start: 1_000.0, ..Search::default() };
        for truth in [940.0, 1_000.5, 1_130.0] {
            let (result, probes) = search(once, truth, 0.0, 0);
            let BreakingPoint::Between { met, missed } = result else { panic!("{result:?}") };
            assert!(met < truth && truth <= missed && missed / met <= 1.03 + 1e-9, "{truth}: {result:?}");
            assert!(probes <= 6, "{probes}");
        }
    }

    #[test]
    fn one_stray_probe_does_not_move_the_interval() {
        // The first probe of every new rate errs.
        let mut planner = Planner::new(Search::default());
        let mut last = 0.0;
        let result = loop {
            match planner.next() {
                Next::Probe(rate) => {
                    let truth = rate < 1_000.0;
                    planner.tell(if rate == last { truth } else { !truth });
                    last = rate;
                }
                Next::Done(result) => break result,
            }
        };
        let BreakingPoint::Between { met, missed } = result else { panic!("{result:?}") };
        assert!(met < 1_000.0 && missed >= 1_000.0);
    }

    #[test]
    fn growing_in_haste_takes_fewer_probes_and_forgives_a_stray_one() {
        for truth in [77.7, 1_975.0, 98_765.0] {
            let hasty = Search { hasty: true, ..Search::default() };
            let (result, probes) = search(hasty, truth, 0.0, 0);
            let BreakingPoint::Between { met, missed } = result else { panic!("{result:?}") };
            assert!(met < truth && truth <= missed && missed / met <= 1.04 + 1e-9, "{truth}: {result:?}");
            assert!(
                probes < search(Search::default(), truth, 0.0, 0).1 || truth < 100.0,
                "{truth}: {probes}"
            );
        }
        // 1,600 is beyond the truth, but its first probe says otherwise.
        let mut planner = Planner::new(Search { hasty: true, ..Search::default() });
        let mut stray = true;
        let result = loop {
            match planner.next() {
                Next::Probe(rate) => {
                    let met =
                        rate < 1_000.0 || (rate > 1_500.0 && std::mem::take(&mut stray) && rate < 1_700.0);
                    planner.tell(met);
                }
                Next::Done(result) => break result,
            }
        };
        let BreakingPoint::Between { met, missed } = result else { panic!("{result:?}") };
        assert!(met < 1_000.0 && missed >= 1_000.0, "{result:?}");
    }

    #[test]
    fn a_service_that_never_breaks_and_one_that_breaks_at_the_first_end_the_search() {
        let bounds = Search { most: 1_000.0, ..Search::default() };
        assert_eq!(search(bounds, f64::INFINITY, 0.0, 0).0, BreakingPoint::Never { met: 1_000.0 });
        let (result, probes) = search(Search { least: 10.0, ..bounds }, 0.0, 0.0, 0);
        assert_eq!((result, result.estimate()), (BreakingPoint::AtOnce { missed: 10.0 }, 10.0));
        assert!(probes <= 8);
    }

    #[test]
    fn the_probes_are_bounded_and_what_is_known_is_kept() {
        let (result, probes) = search(Search { probes: 7, ..Search::default() }, 1_000.0, 0.0, 0);
        assert_eq!(probes, 7);
        assert_eq!(result, BreakingPoint::Never { met: 200.0 });
        let (_, probes) = search(Search { probes: 1, ..Search::default() }, 1_000.0, 0.0, 0);
        assert_eq!(probes, 1);
        // A service that answers by a coin ends too.
        for seed in 0..20 {
            assert!(search(Search::default(), 1_000.0, 5.0, seed).1 <= 60);
        }
    }

    #[test]
    fn bounds_that_make_no_sense_are_brought_into_range() {
        let odd = Search {
            start: f64::NAN,
            least: 0.0,
            most: -1.0,
            growth: 0.5,
            width: 0.0,
            probes: 9,
            agree: 2,
            hasty: false,
        };
        let mut planner = Planner::new(odd);
        planner.tell(true);
        planner.tell(true);
        assert!(matches!(planner.next(), Next::Done(BreakingPoint::Never { .. })));
        planner.tell(false);
        assert_eq!(planner.probes().len(), 2);
        assert_eq!(planner.longest(Duration::from_secs(2)), Duration::from_secs(18));
    }
}
