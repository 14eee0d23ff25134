//! Estimate and interval of the shift between head and base, by inverting the test.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::stats::{location::median_in_place, ranks::TIE};

use super::{
    blocks::DealtBlocks,
    deals::{Scores, Tail, greater, smallest_attainable},
};

/// Where even the smallest attainable p is above this, no end of the interval is worth giving: both are infinite.
const LEAST_CONFIDENCE_LOST: f64 = 0.1;

/// Gaps looked at beyond the crossing for another one further out: p is nearly, not strictly, monotone in the shift.
const SCAN: usize = 4;

/// Where a gap is tested, as a part of the way through it. T changes at the differences only, but p also where slots of different blocks change places,
/// which is inside the gaps. With normal noise and six rounds the ends of an interval at .005 are missed in .0061 when the middle is asked (120,000 ends, the test
/// itself rejecting .0054 of the same), in .0050 at .65, in .0046 at .75, in .0041 when three places are; at .05 in .043, .039, .037 and .034.
pub(super) const INSIDE: f64 = 0.7;

/// An interval for the true shift of head against base, in ln units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Lower end; negative infinity where the data bound it by nothing.
    pub lower: f64,
    /// Upper end; infinity where the data bound it by nothing.
    pub upper: f64,
    /// The one-sided confidence of each end that was attained.
    pub confidence: f64,
}

/// Hodges and Lehmann's estimate of the shift, in ln units: the median of all differences head minus base within blocks.
#[must_use]
pub fn estimate(blocks: &DealtBlocks) -> f64 {
    // There is at least one difference: every block holds both sides.
    median_in_place(&mut blocks.differences()).unwrap_or(0.0)
}

/// The interval whose ends are each exceeded by the true shift with probability at most `alpha`.
///
/// An end is the outermost difference beyond which the test of the shift rejects at `alpha`. Where so few rounds cannot reject at `alpha`, they are
/// asked at the smallest level that they can, and `confidence` says so (three rounds: 0.95); where that is worse than 0.9, the ends are infinite.
#[must_use]
pub fn interval(blocks: &DealtBlocks, alpha: f64) -> Bounds {
    let attainable = smallest_attainable(blocks);
    if attainable > LEAST_CONFIDENCE_LOST.max(alpha) {
        return Bounds { lower: f64::NEG_INFINITY, upper: f64::INFINITY, confidence: 1.0 - alpha };
    }
    let level = alpha.max(attainable);
    let mut differences = blocks.differences();
    differences.dedup_by(|later, kept| *later - *kept <= TIE);
    let lower = lower_end(blocks, &differences, level);
    let mirrored: Vec<f64> = differences.iter().rev().map(|difference| -difference).collect();
    let upper = -lower_end(&blocks.swapped(), &mirrored, level);
    Bounds { lower, upper, confidence: 1.0 - level }
}

/// The lower end of the lowest gap between differences in which the test no longer rejects at `alpha`.
fn lower_end(blocks: &DealtBlocks, differences: &[f64], alpha: f64) -> f64 {
    // Rounding must not turn p = alpha into p > alpha.
    let bound = alpha * (1.0 + 1e-9);
    let mut search = Search { blocks, differences, bound, known: Vec::new() };
    let gap = search.outermost(search.approximate());
    differences[gap - 1]
}

/// Gap i lies below difference i and above difference i - 1. The lowest always rejects, the highest never does.
struct Search<'a> {
    blocks: &'a DealtBlocks,
    differences: &'a [f64],
    bound: f64,
    known: Vec<(usize, bool)>,
}

impl Search<'_> {
    /// The shift that stands for a gap between two differences.
    fn inside(&self, gap: usize) -> f64 {
        let (low, high) = (self.differences[gap - 1], self.differences[gap]);
        low + INSIDE * (high - low)
    }

    /// Whether the exact test accepts a shift inside the gap.
    fn accepts(&mut self, gap: usize) -> bool {
        if gap == 0 || gap == self.differences.len() {
            return gap > 0;
        }
        if let Some((_, accepted)) = self.known.iter().find(|(known, _)| *known == gap) {
            return *accepted;
        }
        let accepted = greater(self.blocks, self.inside(gap)) > self.bound;
        self.known.push((gap, accepted));
        accepted
    }

    /// About where the crossing lies, by bisection with the normal approximation.
    fn approximate(&self) -> usize {
        let critical = -Normal::standard().inverse_cdf(self.bound.min(0.5));
        let (mut rejected, mut accepted) = (0, self.differences.len());
        while accepted - rejected > 1 {
            let middle = rejected.midpoint(accepted);
            let z = Scores::new(self.blocks, self.inside(middle), Tail::Greater).z();
            if z < critical { accepted = middle } else { rejected = middle }
        }
        accepted
    }

    /// The lowest gap that the exact test accepts, near a guess.
    fn outermost(&mut self, guess: usize) -> usize {
        let mut lowest = self.crossing(guess);
        let mut gap = lowest;
        while gap > 1 && lowest - gap < SCAN {
            gap -= 1;
            if self.accepts(gap) {
                lowest = gap;
            }
        }
        lowest
    }

    /// A gap that is accepted above one that is not: steps away from the guess that double, then bisection.
    fn crossing(&mut self, guess: usize) -> usize {
        let (mut rejected, mut accepted) = (0, self.differences.len());
        let (mut gap, mut step) = (guess.clamp(1, accepted), 1);
        let upwards = !self.accepts(gap);
        while self.accepts(gap) != upwards {
            if upwards {
                rejected = gap;
                gap = (gap + step).min(self.differences.len());
            } else {
                accepted = gap;
                gap = gap.saturating_sub(step);
            }
            step *= 2;
        }
        if upwards {
            accepted = gap;
        } else {
            rejected = gap;
        }
        while accepted - rejected > 1 {
            let middle = rejected.midpoint(accepted);
            if self.accepts(middle) { accepted = middle } else { rejected = middle }
        }
        accepted
    }
}
