//! The two statistics of a slot as the tests see them: ln of the fastest fifth and of the median, "greater" meaning worse.

use crate::{
    judge::policy::Limits,
    model::{
        metric::{Direction, Metric},
        run::Side,
        verdict::{Change, SlotValue},
    },
    stats::{
        randomisation::{DealtBlocks, Error, estimate, greater, interval, less, scatter},
        sequential::{MEDIAN_NO_WORSE_FACTOR, combine},
    },
};

/// The one-sided level of each end of the interval that is shown.
const INTERVAL_LEVEL: f64 = 0.005;

/// The dealt slots of one metric of one benchmark.
///
/// Noise only adds time, so where less is better the fast end leads and the median seconds it. Where more is better, the
/// values' fast end is the noisy one and the median stands alone; so does the one value of a slot that has no other.
#[derive(Debug, Clone)]
pub(super) struct Statistics {
    lead: DealtBlocks,
    median: Option<DealtBlocks>,
    direction: Direction,
}

impl Statistics {
    /// Takes the values of dealt blocks. A value of 0, where the metric may have one, counts as [`Limits::nothing`]: the tests look at ranks, in which
    /// nothing is less than anything.
    ///
    /// # Errors
    /// When no block holds both sides, or when a value has no logarithm.
    pub(super) fn new(blocks: &[Vec<SlotValue>], metric: &Metric, limits: &Limits) -> Result<Self, Error> {
        let direction = metric.direction;
        let nothing = metric.may_be_zero().then(|| limits.nothing());
        let ln = |value: f64| match nothing {
            // Not `max` alone: it would make a number of what is none.
            Some(nothing) if value >= 0.0 => value.max(nothing).ln(),
            _ => value.ln(),
        };
        let fast = |slot: &SlotValue| ln(slot.fast);
        let median = |slot: &SlotValue| ln(slot.median);
        let more = |slot: &SlotValue| -ln(slot.median);
        let alone = blocks.iter().flatten().all(|slot| slot.fast.total_cmp(&slot.median).is_eq());
        Ok(match direction {
            Direction::Higher => Self { lead: dealt(blocks, more)?, median: None, direction },
            Direction::Lower if alone => Self { lead: dealt(blocks, fast)?, median: None, direction },
            Direction::Lower => {
                Self { lead: dealt(blocks, fast)?, median: Some(dealt(blocks, median)?), direction }
            }
        })
    }

    /// The first blocks alone.
    pub(super) fn prefix(&self, blocks: usize) -> Self {
        let median = self.median.as_ref().map(|median| median.prefix(blocks));
        Self { lead: self.lead.prefix(blocks), median, ..*self }
    }

    pub(super) fn rounds(&self) -> u32 {
        self.lead.rounds()
    }

    /// p of "head is worse"; a statistic whose own estimate is within `bound` (ln units) counts as 1.
    pub(super) fn worse(&self, bound: f64) -> f64 {
        self.combined(|blocks| if estimate(blocks) >= bound { greater(blocks, 0.0) } else { 1.0 })
    }

    /// p of "head is better"; a statistic whose own estimate is within `bound` (ln units) counts as 1.
    pub(super) fn better(&self, bound: f64) -> f64 {
        self.combined(|blocks| if estimate(blocks) <= -bound { less(blocks, 0.0) } else { 1.0 })
    }

    /// p of "worse by `bound` (ln units) or more" over its level; the median must pass too, at four times the level. At most
    /// 1 when head is shown to be no worse than that.
    pub(super) fn no_worse_ratio(&self, bound: f64, level: f64) -> f64 {
        // Rounding must not turn a p at its level into one above it
        let level = level * (1.0 + 1e-9);
        let lead = less(&self.lead, bound) / level;
        let median = self.median.as_ref().map_or(0.0, |median| {
            // At a level of one there is nothing left to pass
            let level = (level * MEDIAN_NO_WORSE_FACTOR).min(1.0);
            less(median, bound) / level
        });
        lead.max(median)
    }

    /// Estimate of the leading statistic in ln units, positive when head is worse.
    pub(super) fn estimate(&self) -> f64 {
        estimate(&self.lead)
    }

    /// Estimate of the median in ln units, where it is a statistic of its own.
    pub(super) fn median_estimate(&self) -> Option<f64> {
        self.median.as_ref().map(estimate).filter(|ln| Limits::is_ratio(*ln))
    }

    /// The relative change of the leading statistic with its interval: at one-sided 0.995 an end, or at what so few rounds
    /// attain. `None` from nothing (`base`, its median) to something, which has no ratio.
    pub(super) fn change(&self, base: Option<f64>) -> Option<Change> {
        let bounds = interval(&self.lead, INTERVAL_LEVEL);
        let estimate = self.estimate();
        // From nothing to less than a floor is no such large number either
        if base == Some(0.0) && estimate.abs() > 0.0 {
            return None;
        }
        let has_ratio = |ln: f64| Limits::is_ratio(ln) || self.relative(ln) < 0.0;
        if !has_ratio(estimate) {
            return None;
        }
        let relative = |ln: f64| {
            Some(self.relative(ln)).filter(|change| ln.is_finite() && change.is_finite() && has_ratio(ln))
        };
        let (lower, upper) = match self.direction {
            Direction::Lower => (relative(bounds.lower), relative(bounds.upper)),
            Direction::Higher => (relative(bounds.upper), relative(bounds.lower)),
        };
        Some(Change { estimate: self.relative(estimate), lower, upper, confidence: bounds.confidence })
    }

    /// The change of the metric's own value at a place in ln units.
    pub(super) fn relative(&self, ln: f64) -> f64 {
        match self.direction {
            Direction::Lower => ln.exp_m1(),
            Direction::Higher => (-ln).exp_m1(),
        }
    }

    /// Robust standard deviation of ln(slot value) within blocks; `None` where it is that between nothing and something.
    pub(super) fn scatter(&self) -> Option<f64> {
        scatter(&self.lead).filter(|ln| Limits::is_ratio(*ln))
    }

    fn combined(&self, p: impl Fn(&DealtBlocks) -> f64) -> f64 {
        match &self.median {
            Some(median) => combine(p(&self.lead), p(median)),
            None => p(&self.lead),
        }
    }
}

fn dealt(blocks: &[Vec<SlotValue>], y: impl Fn(&SlotValue) -> f64) -> Result<DealtBlocks, Error> {
    let label = |slot: &SlotValue| (slot.side == Side::Head, y(slot));
    let blocks: Vec<Vec<(bool, f64)>> =
        blocks.iter().map(|block| block.iter().map(label).collect()).collect();
    DealtBlocks::new(&blocks)
}
