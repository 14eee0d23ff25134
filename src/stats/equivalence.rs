//! Showing that nothing changed by more than a margin: non-inferiority and two one-sided tests on dealt blocks.
//!
//! Margins are relative (0.02 is 2 %) and at least 0; the tests work at ln(1 + margin), so that twice as fast is as far from no change as
//! twice as slow. A level holds only for a margin chosen before the data were seen (Schuirmann 1987).

use crate::stats::randomisation::{DealtBlocks, greater, less};

/// The p-value of "head is slower by at least `margin`": small when head is shown to be no worse than the margin.
#[must_use]
pub fn no_worse(blocks: &DealtBlocks, margin: f64) -> f64 {
    less(blocks, margin.ln_1p())
}

/// The p-value of "head is faster by at least `margin`": small when head is shown to be no better than the margin.
#[must_use]
pub fn no_better(blocks: &DealtBlocks, margin: f64) -> f64 {
    greater(blocks, -margin.ln_1p())
}

/// The p-value of "head differs by at least `margin`": small when both one-sided tests show that it does not.
#[must_use]
pub fn equivalent(blocks: &DealtBlocks, margin: f64) -> f64 {
    no_worse(blocks, margin).max(no_better(blocks, margin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_block(shift: f64) -> DealtBlocks {
        let slots = [0.010, 0.000, 0.005].into_iter();
        let head = [0.008, 0.002, 0.004].into_iter();
        let block = slots.map(|y| (false, y)).chain(head.map(|y| (true, y + shift))).collect();
        DealtBlocks::new(&[block]).unwrap()
    }

    #[test]
    fn after_one_block_no_worse_means_that_the_largest_difference_is_below_the_margin() {
        // The largest of the nine differences is 0.008, so a margin of 1 % passes and one of 0.7 % does not.
        assert!((no_worse(&one_block(0.0), 0.01) - 0.05).abs() < 1e-12);
        assert!(no_worse(&one_block(0.0), 0.007) > 0.05);
    }

    #[test]
    fn faster_by_more_than_the_margin_is_no_worse_but_not_equivalent() {
        let faster = one_block(-0.10);
        assert!((no_worse(&faster, 0.02) - 0.05).abs() < 1e-12);
        assert!(no_better(&faster, 0.02) > 0.9);
        assert!(equivalent(&faster, 0.02) > 0.9);
    }

    #[test]
    fn both_sides_inside_the_margin_are_equivalent() {
        assert!((equivalent(&one_block(0.0), 0.02) - 0.05).abs() < 1e-12);
    }
}
