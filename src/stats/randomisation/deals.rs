//! The test: scores of all slots, and the share of deals at least as extreme as the one that was drawn.

use crate::stats::{
    location::median_in_place,
    ranks::{TIE, doubled_midranks},
};

use super::{blocks::DealtBlocks, exact, sampled};

/// Which tail of T counts as extreme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    Greater,
    Less,
}

/// The p-value of "head is greater than base by more than `shift`" (ln units): P(T* >= T) over all deals, after `shift` is taken off
/// head's values. Small when head is slower than that.
#[must_use]
pub fn greater(blocks: &DealtBlocks, shift: f64) -> f64 {
    tail(&Scores::new(blocks, shift, Tail::Greater))
}

/// The p-value of "head is less than base plus `shift`" (ln units): P(T* <= T) over all deals, a tail sum of its own. Small when head is
/// faster than that; with `shift` = ln(1 + margin) it tests that head is no worse than the margin.
#[must_use]
pub fn less(blocks: &DealtBlocks, shift: f64) -> f64 {
    tail(&Scores::new(blocks, shift, Tail::Less))
}

/// The smallest p that any data dealt like this can have: one over the number of deals, 20^-(K/3) for K rounds in blocks of 3 + 3.
#[must_use]
pub fn smallest_attainable(blocks: &DealtBlocks) -> f64 {
    let ln_deals: f64 = blocks.blocks().map(|block| ln_choose(block.values.len(), block.heads())).sum();
    (-ln_deals).exp().max(f64::MIN_POSITIVE)
}

fn tail(scores: &Scores) -> f64 {
    let p = exact::upper_tail(scores).unwrap_or_else(|| sampled::upper_tail(scores));
    p.clamp(f64::MIN_POSITIVE, 1.0)
}

/// ln of the number of ways to choose `k` of `n`.
fn ln_choose(n: usize, k: usize) -> f64 {
    (1..=k.min(n - k)).map(|i| ((n - k.min(n - k) + i) as f64 / i as f64).ln()).sum()
}

/// Scores of the slots, block by block, and the statistic of the deal that was drawn: large means extreme, whichever tail was asked.
#[derive(Debug)]
pub(super) struct Scores {
    pub(super) blocks: Vec<BlockScores>,
    /// Sum of head's scores.
    pub(super) statistic: u64,
}

/// The scores of one block and how many of them are head's.
#[derive(Debug)]
pub(super) struct BlockScores {
    pub(super) scores: Vec<u32>,
    pub(super) heads: usize,
}

impl Scores {
    pub(super) fn new(blocks: &DealtBlocks, shift: f64, tail: Tail) -> Self {
        let mut ranks = doubled_midranks(&aligned(blocks, shift), TIE);
        if tail == Tail::Less {
            // With the ranks turned round, the lower tail is the upper one, and is summed from its own far end.
            let top = ranks.iter().copied().max().unwrap_or(0);
            ranks.iter_mut().for_each(|rank| *rank = top - *rank);
        }
        let mut rest = ranks.as_slice();
        let mut statistic = 0;
        let scored = blocks.blocks().map(|block| {
            let (scores, later) = rest.split_at(block.values.len());
            rest = later;
            statistic +=
                scores.iter().zip(block.head).filter(|(_, h)| **h).map(|(s, _)| u64::from(*s)).sum::<u64>();
            BlockScores { scores: scores.to_vec(), heads: block.heads() }
        });
        let blocks = scored.collect();
        Self { blocks, statistic }
    }

    /// The standardised statistic: its distance from the mean over all deals, in their standard deviations, less half a step of the ranks
    /// (they are doubled, so a step is two). Approximately normal under the null.
    pub(super) fn z(&self) -> f64 {
        let (mut centre, mut variance) = (0.0, 0.0);
        for block in &self.blocks {
            let (n, heads) = (block.scores.len() as f64, block.heads as f64);
            let mean = block.scores.iter().map(|s| f64::from(*s)).sum::<f64>() / n;
            let squares = block.scores.iter().map(|s| (f64::from(*s) - mean).powi(2)).sum::<f64>();
            centre += heads * mean;
            variance += heads * (n - heads) / (n * (n - 1.0)) * squares;
        }
        (self.statistic as f64 - centre - 1.0) / variance.sqrt().max(1e-9)
    }
}

/// Every value minus its block's median, after `shift` is taken off head's.
fn aligned(blocks: &DealtBlocks, shift: f64) -> Vec<f64> {
    let mut aligned = Vec::with_capacity(blocks.slot_count());
    let mut sorted = Vec::new();
    for block in blocks.blocks() {
        let start = aligned.len();
        aligned
            .extend(block.values.iter().zip(block.head).map(|(y, head)| if *head { y - shift } else { *y }));
        sorted.clear();
        sorted.extend_from_slice(&aligned[start..]);
        let centre = median_in_place(&mut sorted).unwrap_or(0.0);
        aligned[start..].iter_mut().for_each(|y| *y -= centre);
    }
    aligned
}
