//! How much slots of one side scatter within their block.

use crate::stats::location::{median, median_in_place};

use super::blocks::DealtBlocks;

/// The median absolute deviation of a normal distribution is this part of its standard deviation.
const NORMAL: f64 = 1.4826;

/// Robust standard deviation of y (so relative, in ln units) within blocks and sides, whatever differences there are between them.
///
/// `None` where it cannot be told: no side of a block has two slots, and there are fewer than three blocks.
#[must_use]
pub fn scatter(blocks: &DealtBlocks) -> Option<f64> {
    let mut distances = Vec::new();
    for block in blocks.blocks() {
        for head in [false, true] {
            let values: Vec<f64> = block.side(head).collect();
            for (place, value) in values.iter().enumerate() {
                distances.extend(values[..place].iter().map(|other| (value - other).abs()));
            }
        }
    }
    if distances.is_empty() {
        return scatter_of_pairs(blocks);
    }
    // The difference of two slots has twice the variance of one.
    Some(NORMAL * median_in_place(&mut distances)? / 2.0_f64.sqrt())
}

/// Blocks of one base and one head slot: the deviations of their differences from the median difference.
fn scatter_of_pairs(blocks: &DealtBlocks) -> Option<f64> {
    let differences = blocks.differences();
    if differences.len() < 3 {
        return None;
    }
    let centre = median(&differences)?;
    let mut deviations: Vec<f64> = differences.iter().map(|d| (d - centre).abs()).collect();
    Some(NORMAL * median_in_place(&mut deviations)? / 2.0_f64.sqrt())
}
