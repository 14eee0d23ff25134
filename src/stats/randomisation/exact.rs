//! The exact upper tail, by dynamic programming over the sums that each block's deals can have.
//!
//! A block contributes the distribution of the score sum of its head slots over its deals: listed for small blocks, by a knapsack for others.
//! The blocks are independent, so their distributions are convolved, in two halves that meet in one pass over a cumulated half.
//! Sums are counted from their smallest and in units of their common divisor, which keeps the arrays dense.

use super::deals::{BlockScores, Scores};

/// The additions that an exact tail may cost; beyond it the tail is sampled.
pub(super) const MAX_ADDITIONS: f64 = 3e8;

/// Blocks of at most this many slots list their deals, larger ones use the knapsack.
const LISTED_SLOTS: usize = 8;

/// The distribution of one block's score sum over its deals.
struct Sums {
    /// (sum minus the smallest, probability), ascending, no sum twice.
    terms: Vec<(u64, f64)>,
    /// The smallest sum.
    least: u64,
}

/// P(T* >= T) over all deals; `None` when it would cost more than [`MAX_ADDITIONS`].
pub(super) fn upper_tail(scores: &Scores) -> Option<f64> {
    let mut budget = MAX_ADDITIONS;
    let mut blocks = Vec::with_capacity(scores.blocks.len());
    for block in &scores.blocks {
        blocks.push(block_sums(block, &mut budget)?);
    }
    let least: u64 = blocks.iter().map(|block| block.least).sum();
    let Some(excess) = scores.statistic.checked_sub(least).filter(|excess| *excess > 0) else {
        return Some(1.0);
    };
    let unit = common_divisor(&blocks);
    let (first, second) = halves(&blocks);
    let first = convolve(first, unit, &mut budget)?;
    let second = convolve(second, unit, &mut budget)?;
    Some(meet(&first, second, usize::try_from(excess.div_ceil(unit)).ok()?))
}

fn block_sums(block: &BlockScores, budget: &mut f64) -> Option<Sums> {
    if block.scores.len() <= LISTED_SLOTS { Some(listed(block)) } else { knapsack(block, budget) }
}

/// The sums of all subsets of the right size, by adding one slot to a smaller subset.
fn listed(block: &BlockScores) -> Sums {
    let mut subset_sums = [0_u64; 1 << LISTED_SLOTS];
    let mut sums = Vec::with_capacity(70);
    for subset in 1_usize..1 << block.scores.len() {
        let lowest = subset.trailing_zeros() as usize;
        subset_sums[subset] = subset_sums[subset & (subset - 1)] + u64::from(block.scores[lowest]);
        if subset.count_ones() as usize == block.heads {
            sums.push(subset_sums[subset]);
        }
    }
    sums.sort_unstable();
    let (least, each) = (sums[0], 1.0 / sums.len() as f64);
    let mut terms: Vec<(u64, f64)> = Vec::with_capacity(sums.len());
    for sum in sums {
        match terms.last_mut() {
            Some((last, probability)) if *last == sum - least => *probability += each,
            _ => terms.push((sum - least, each)),
        }
    }
    Sums { terms, least }
}

/// The distribution of the sum of `heads` scores drawn without replacement, one slot at a time: with j of the first i slots drawn,
/// slot i is the last of them with probability j/i. Probabilities, not counts, so nothing overflows.
fn knapsack(block: &BlockScores, budget: &mut f64) -> Option<Sums> {
    let lowest = block.scores.iter().copied().min()?;
    let mut offsets: Vec<u64> = block.scores.iter().map(|score| u64::from(score - lowest)).collect();
    let divisor = offsets.iter().copied().fold(0, gcd).max(1);
    offsets.iter_mut().for_each(|offset| *offset /= divisor);
    offsets.sort_unstable();
    let heads = block.heads;
    let width: u64 = offsets[offsets.len() - heads..].iter().sum();
    *budget -= offsets.len() as f64 * heads as f64 * (width as f64 + 1.0);
    if *budget < 0.0 {
        return None;
    }
    let width = usize::try_from(width).ok()? + 1;
    // Row j holds the distribution of the sum of j slots among those seen.
    let mut rows = vec![vec![0.0; width]; heads + 1];
    rows[0][0] = 1.0;
    for (seen, &offset) in offsets.iter().enumerate() {
        let offset = usize::try_from(offset).ok()?;
        for drawn in (1..=heads.min(seen + 1)).rev() {
            let last = drawn as f64 / (seen + 1) as f64;
            let (lower, upper) = rows.split_at_mut(drawn);
            blend(&mut upper[0], &lower[drawn - 1], offset, last);
        }
    }
    let row = rows.pop()?;
    let least = row.iter().position(|p| *p > 0.0)?;
    let terms = row.iter().zip(0_u64..).skip(least).filter(|(p, _)| **p > 0.0);
    let terms = terms.map(|(p, sum)| ((sum - least as u64) * divisor, *p)).collect();
    Some(Sums { terms, least: least as u64 * divisor + u64::from(lowest) * heads as u64 })
}

/// `into[s] = (1 - share) into[s] + share from[s - offset]`.
fn blend(into: &mut [f64], from: &[f64], offset: usize, share: f64) {
    into.iter_mut().for_each(|p| *p *= 1.0 - share);
    if offset < into.len() {
        into[offset..].iter_mut().zip(from).for_each(|(p, q)| *p += share * q);
    }
}

fn common_divisor(blocks: &[Sums]) -> u64 {
    blocks.iter().flat_map(|block| &block.terms).map(|(sum, _)| *sum).fold(0, gcd).max(1)
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Splits the blocks so that both parts are about equally wide.
fn halves(blocks: &[Sums]) -> (&[Sums], &[Sums]) {
    let width =
        |part: &[Sums]| part.iter().filter_map(|block| block.terms.last()).map(|(sum, _)| sum).sum::<u64>();
    let whole = width(blocks);
    let middle = (0..blocks.len()).find(|&end| 2 * width(&blocks[..end]) >= whole).unwrap_or(0);
    blocks.split_at(middle)
}

/// The distribution of the sum over all the blocks, in units of `unit`.
fn convolve(blocks: &[Sums], unit: u64, budget: &mut f64) -> Option<Vec<f64>> {
    let mut current = vec![1.0];
    for block in blocks {
        *budget -= block.terms.len() as f64 * current.len() as f64;
        if *budget < 0.0 {
            return None;
        }
        let widest = block.terms.last().map_or(0, |(sum, _)| sum / unit);
        let mut next = vec![0.0; current.len() + usize::try_from(widest).ok()?];
        for &(sum, probability) in &block.terms {
            let start = usize::try_from(sum / unit).ok()?;
            let into = &mut next[start..start + current.len()];
            into.iter_mut().zip(&current).for_each(|(p, q)| *p += probability * q);
        }
        current = next;
    }
    Some(current)
}

/// P(A + B >= excess) for A of `first` and B of `second`.
fn meet(first: &[f64], mut second: Vec<f64>, excess: usize) -> f64 {
    // second[i] becomes P(B >= i), summed from the far end where it is smallest.
    let mut beyond = 0.0;
    for p in second.iter_mut().rev() {
        beyond += *p;
        *p = beyond;
    }
    let reaching = first.iter().enumerate().rev();
    reaching.map(|(sum, p)| p * second.get(excess.saturating_sub(sum)).copied().unwrap_or(0.0)).sum()
}
