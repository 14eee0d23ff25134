//! The upper tail where counting all deals costs too much: drawn deals, and a bound where none of them reaches the statistic.
//!
//! With B deals drawn, of which b reach T, (1 + b)/(1 + B) is a valid p-value: the deal that happened is one of 1 + B that are equally
//! likely under the null. Where b = 0 it says only 1/(1 + B), and Chernoff's bound, computed exactly and never below the true tail, takes over if
//! it is smaller. The draws are seeded by the numbers themselves, so the same input has the same p.

use crate::stats::random::Stream;

use super::deals::{BlockScores, Scores};

/// Deals drawn.
const DEALS: u32 = 19_999;

/// Steps of the search for the best exponent of Chernoff's bound.
const SEARCH_STEPS: u32 = 60;

pub(super) fn upper_tail(scores: &Scores) -> f64 {
    let mut stream = Stream::new(scores.statistic, "deals", &[], scores.blocks.len() as u64);
    let mut drawn: Vec<Vec<u32>> = scores.blocks.iter().map(|block| block.scores.clone()).collect();
    let reached = (0..DEALS).filter(|_| deal(scores, &mut drawn, &mut stream) >= scores.statistic).count();
    let p = (1.0 + reached as f64) / (1.0 + f64::from(DEALS));
    if reached > 0 { p } else { p.min(chernoff(scores)) }
}

/// The statistic of one deal drawn at random: the first `heads` places of each block after a partial shuffle.
fn deal(scores: &Scores, drawn: &mut [Vec<u32>], stream: &mut Stream) -> u64 {
    let mut statistic = 0;
    for (block, order) in scores.blocks.iter().zip(drawn) {
        for place in 0..block.heads {
            let other = place + stream.place(order.len() - place);
            order.swap(place, other);
            statistic += u64::from(order[place]);
        }
    }
    statistic
}

/// min over l > 0 of exp(-l T) E exp(l T*): an upper bound of P(T* >= T).
pub(super) fn chernoff(scores: &Scores) -> f64 {
    let spread = scores.blocks.iter().map(|block| f64::from(range(block))).fold(1.0, f64::max);
    // The logarithm is convex in l: ternary search; any l gives a bound, so stopping early is safe.
    let (mut low, mut high) = (0.0, 50.0 / spread);
    for _ in 0..SEARCH_STEPS {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if ln_bound(scores, left) <= ln_bound(scores, right) { high = right } else { low = left }
    }
    ln_bound(scores, (low + high) / 2.0).exp()
}

fn range(block: &BlockScores) -> u32 {
    let most = block.scores.iter().max().copied().unwrap_or(0);
    most - block.scores.iter().min().copied().unwrap_or(0)
}

/// ln E exp(l (T* - T)).
fn ln_bound(scores: &Scores, l: f64) -> f64 {
    let centre: f64 = scores.blocks.iter().map(|block| block.heads as f64 * mean(block)).sum();
    let blocks: f64 = scores.blocks.iter().map(|block| ln_moment(block, l)).sum();
    blocks - l * (scores.statistic as f64 - centre)
}

fn mean(block: &BlockScores) -> f64 {
    block.scores.iter().map(|score| f64::from(*score)).sum::<f64>() / block.scores.len() as f64
}

/// ln E exp(l (S - E S)), S the block's head sum over its deals: the mean over subsets of products, one slot at a time.
fn ln_moment(block: &BlockScores, l: f64) -> f64 {
    let mean = mean(block);
    let mut means = vec![0.0; block.heads + 1];
    means[0] = 1.0;
    for (seen, &score) in block.scores.iter().enumerate() {
        let factor = (l * (f64::from(score) - mean)).exp();
        for drawn in (1..=block.heads.min(seen + 1)).rev() {
            let last = drawn as f64 / (seen + 1) as f64;
            means[drawn] = (1.0 - last) * means[drawn] + last * factor * means[drawn - 1];
        }
    }
    means[block.heads].ln()
}
