use proptest::prelude::*;

use super::{
    deals::{Scores, Tail},
    interval::INSIDE,
    *,
};
use crate::stats::random::Stream;

fn block(base: &[f64], head: &[f64]) -> Vec<(bool, f64)> {
    base.iter().map(|y| (false, *y)).chain(head.iter().map(|y| (true, *y))).collect()
}

/// P(T* >= T) and P(T* <= T) by listing every deal of every block, with midranks by their definition: an independent way to the same numbers.
fn by_listing(blocks: &[Vec<(bool, f64)>], shift: f64) -> (f64, f64) {
    let mut z: Vec<Vec<f64>> = Vec::new();
    for block in blocks {
        let y: Vec<f64> = block.iter().map(|(head, y)| if *head { y - shift } else { *y }).collect();
        let mut sorted = y.clone();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        let centre = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0;
        z.push(y.iter().map(|y| y - centre).collect());
    }
    let all: Vec<f64> = z.concat();
    let midrank = |value: f64| {
        let below = all.iter().filter(|other| **other < value - 1e-10).count() as f64;
        let equal = all.iter().filter(|other| (**other - value).abs() <= 1e-10).count() as f64;
        below + (equal + 1.0) / 2.0
    };
    // Sums over all combinations of deals, with T itself.
    let (mut sums, mut drawn) = (vec![0.0], 0.0);
    for (block, z) in blocks.iter().zip(&z) {
        let ranks: Vec<f64> = z.iter().map(|value| midrank(*value)).collect();
        let heads = block.iter().filter(|(head, _)| *head).count();
        drawn += ranks.iter().zip(block).filter(|(_, (head, _))| *head).map(|(rank, _)| rank).sum::<f64>();
        let deals = (0_u32..1 << block.len()).filter(|deal| deal.count_ones() as usize == heads);
        let own: Vec<f64> = deals
            .map(|deal| (0..block.len()).filter(|slot| deal >> slot & 1 == 1).map(|slot| ranks[slot]).sum())
            .collect();
        sums = sums.iter().flat_map(|sum| own.iter().map(move |more| sum + more)).collect();
    }
    let share = |count: usize| count as f64 / sums.len() as f64;
    (
        share(sums.iter().filter(|sum| **sum >= drawn - 1e-6).count()),
        share(sums.iter().filter(|sum| **sum <= drawn + 1e-6).count()),
    )
}

/// Blocks of any composition with values on a coarse grid, so that ties are common.
fn any_blocks(most_blocks: usize, most_slots: usize) -> impl Strategy<Value = Vec<Vec<(bool, f64)>>> {
    let slot = (any::<bool>(), -40_i32..40).prop_map(|(head, step)| (head, f64::from(step) / 1000.0));
    let block = prop::collection::vec(slot, 2..=most_slots).prop_filter("both sides", |block| {
        block.iter().any(|slot| slot.0) && block.iter().any(|slot| !slot.0)
    });
    prop::collection::vec(block, 1..=most_blocks)
}

/// Blocks of 3 + 3 with continuous values.
fn dealt(rounds: u32, shift: f64, seed: u64) -> DealtBlocks {
    let mut stream = Stream::new(seed, "dealt", &[], 0);
    let mut blocks = Vec::new();
    for _ in 0..rounds / 3 {
        let drift = stream.normal();
        let mut heads = [false, false, false, true, true, true];
        stream.shuffle(&mut heads);
        blocks.push(
            heads
                .map(|head| (head, drift + 0.01 * stream.normal() + if head { shift } else { 0.0 }))
                .to_vec(),
        );
    }
    DealtBlocks::new(&blocks).unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3)
}

#[test]
fn one_block_with_head_wholly_above_base_has_one_deal_in_twenty() {
    let blocks = DealtBlocks::new(&[block(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0])]).unwrap();
    assert!(close(greater(&blocks, 0.0), 0.05));
    assert!(close(less(&blocks, 0.0), 1.0));
    assert!(close(smallest_attainable(&blocks), 0.05));
}

#[test]
fn two_blocks_worked_by_hand() {
    // Block 1: 1 2 | 4, median 2, so -1 0 | 2. Block 2: 5 | 6 9, median 6, so -1 | 0 3. Midranks of -1 0 2 -1 0 3: 1.5 3.5 5 1.5 3.5 6.
    // T = 5 + 3.5 + 6 = 14.5. Block 1 can give 1.5, 3.5, 5; block 2 gives 5, 7.5, 9.5: only 5 + 9.5 reaches it, one of nine.
    let blocks = [block(&[1.0, 2.0], &[4.0]), block(&[5.0], &[6.0, 9.0])];
    let dealt = DealtBlocks::new(&blocks).unwrap();
    assert!(close(greater(&dealt, 0.0), 1.0 / 9.0));
    // With 2 taken off head: -1 0 | 0 and, median 5 of 5 | 4 7, 0 | -1 2. Midranks 1.5 4 4; 4 1.5 6. T = 4 + 7.5 = 11.5; sums 1.5 4 4 and 5.5 10 7.5:
    // reached by 1.5 + 10, 4 + 7.5 and 4 + 10 twice each: five of nine.
    assert!(close(greater(&dealt, 2.0), 5.0 / 9.0));
    assert!(close(estimate(&dealt), 2.5));
    assert_eq!(dealt.rounds(), 2);
}

#[test]
fn one_block_of_five_and_five_is_the_tabled_rank_sum_test() {
    // Mann and Whitney's table: of the 252 deals of 5 + 5, 1 2 4 7 12 have U <= 0 1 2 3 4.
    let base = [1.0, 2.0, 3.0, 4.0, 5.0];
    for (head, deals) in [
        ([6.0, 7.0, 8.0, 9.0, 10.0], 1.0),
        ([4.5, 7.0, 8.0, 9.0, 10.0], 2.0),
        ([3.5, 7.0, 8.0, 9.0, 10.0], 4.0),
        ([2.5, 7.0, 8.0, 9.0, 10.0], 7.0),
        ([1.5, 7.0, 8.0, 9.0, 10.0], 12.0),
    ] {
        let blocks = DealtBlocks::new(&[block(&base, &head)]).unwrap();
        assert!(close(greater(&blocks, 0.0), deals / 252.0), "{head:?}");
    }
}

#[test]
fn blocks_of_one_pair_weigh_signs_by_the_ranks_of_their_sizes() {
    // Darwin's maize: crossed less self-fertilised height, eighths of an inch. Aligned, a pair is +-d/2, and turning the sign of the r-th smallest
    // |d| moves T by 2r - 1 (Wilcoxon's signed rank counts r): all 2^15 signs are listed.
    let differences: [f64; 15] =
        [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0];
    let rank = |d: &f64| differences.iter().filter(|other| other.abs() <= d.abs()).count();
    let weights: Vec<usize> = differences.iter().map(|d| 2 * rank(d) - 1).collect();
    let drawn: usize =
        differences.iter().zip(&weights).filter(|(d, _)| **d > 0.0).map(|(_, weight)| weight).sum();
    let sum =
        |signs: u32| (0..15).filter(|pair| signs >> pair & 1 == 1).map(|pair| weights[pair]).sum::<usize>();
    let expected = (0..1_u32 << 15).filter(|signs| sum(*signs) >= drawn).count() as f64 / f64::from(1 << 15);
    let blocks: Vec<_> = differences.iter().map(|difference| block(&[0.0], &[*difference])).collect();
    assert!(close(greater(&DealtBlocks::new(&blocks).unwrap(), 0.0), expected));
}

#[test]
fn the_smallest_attainable_p_is_twenty_to_the_blocks() {
    for blocks in [1, 2, 6, 13] {
        let dealt = dealt(3 * blocks, 5.0, 1);
        let expected = 20.0_f64.powi(-i32::try_from(blocks).unwrap());
        assert!((smallest_attainable(&dealt) / expected - 1.0).abs() < 1e-9);
        assert!((greater(&dealt, 0.0) / expected - 1.0).abs() < 1e-9);
        assert!((less(&dealt, 10.0) / expected - 1.0).abs() < 1e-9);
    }
}

#[test]
fn blocks_without_both_sides_are_left_out_and_what_cannot_be_tested_is_refused() {
    let lopsided = block(&[1.0, 2.0], &[]);
    assert_eq!(DealtBlocks::new(&[]), Err(Error::NoBlocks));
    assert_eq!(DealtBlocks::new(std::slice::from_ref(&lopsided)), Err(Error::NoBlocks));
    assert_eq!(DealtBlocks::new(&[block(&[1.0], &[f64::INFINITY])]), Err(Error::NotFinite));
    assert_eq!(DealtBlocks::new(&[block(&vec![1.0; 5000], &vec![1.0; 5000])]), Err(Error::TooMany));
    let kept = DealtBlocks::new(&[lopsided, block(&[1.0, 2.0], &[3.0])]).unwrap();
    assert_eq!((kept.block_count(), kept.rounds()), (1, 1));
}

#[test]
fn a_prefix_is_what_was_known_then() {
    let blocks = dealt(12, 0.01, 2);
    assert_eq!(blocks.prefix(4), blocks);
    assert_eq!(blocks.prefix(9), blocks);
    assert_eq!(blocks.prefix(2).rounds(), 6);
    assert_eq!(blocks.prefix(0).block_count(), 1);
}

#[test]
fn values_that_are_all_equal_prove_nothing() {
    let blocks = DealtBlocks::new(&vec![block(&[2.0; 3], &[2.0; 3]); 4]).unwrap();
    assert!(close(greater(&blocks, 0.0), 1.0) && close(less(&blocks, 0.0), 1.0));
    let bounds = interval(&blocks, 0.005);
    assert!(close(estimate(&blocks), 0.0) && close(bounds.lower, 0.0) && close(bounds.upper, 0.0));
    assert_eq!(scatter(&blocks), Some(0.0));
}

#[test]
fn after_one_block_the_interval_is_that_of_the_nine_differences_at_ninety_five_per_cent() {
    let blocks = DealtBlocks::new(&[block(&[0.00, 0.01, 0.03], &[0.02, 0.05, 0.09])]).unwrap();
    let bounds = interval(&blocks, 0.005);
    assert!(
        close(bounds.lower, -0.01) && close(bounds.upper, 0.09) && close(bounds.confidence, 0.95),
        "{bounds:?}"
    );
}

#[test]
fn so_few_deals_that_no_end_means_anything_leave_it_infinite() {
    let blocks = DealtBlocks::new(&[block(&[0.0], &[1.0]), block(&[0.0], &[1.1])]).unwrap();
    let bounds = interval(&blocks, 0.05);
    assert_eq!((bounds.lower, bounds.upper), (f64::NEG_INFINITY, f64::INFINITY));
    assert!(close(bounds.confidence, 0.95));
}

/// The lower end by its definition: the lowest of all gaps that is not rejected.
fn lower_by_listing(blocks: &DealtBlocks, alpha: f64) -> f64 {
    let mut differences = blocks.differences();
    differences.dedup_by(|later, kept| *later - *kept <= 1e-12);
    let accepted =
        |pair: &[f64]| greater(blocks, pair[0] + INSIDE * (pair[1] - pair[0])) > alpha * (1.0 + 1e-9);
    let last = differences[differences.len() - 1];
    differences.windows(2).find(|pair| accepted(pair)).map_or(last, |pair| pair[0])
}

#[test]
fn the_search_for_the_ends_finds_what_a_scan_of_all_gaps_finds() {
    let mut missed = 0;
    for seed in 0..60_u64 {
        let cases = [(6, 0.005), (6, 0.05), (9, 0.01), (12, 0.005), (18, 0.001), (27, 0.05)];
        let (rounds, alpha) = cases[usize::try_from(seed).unwrap() % 6];
        let blocks = dealt(rounds, 0.01, seed);
        let bounds = interval(&blocks, alpha);
        missed += u32::from(!close(bounds.lower, lower_by_listing(&blocks, alpha)));
        missed += u32::from(!close(-bounds.upper, lower_by_listing(&blocks.swapped(), alpha)));
    }
    assert_eq!(missed, 0, "of 120 ends");
}

#[test]
fn large_blocks_are_exact_as_long_as_they_are_affordable() {
    // One block of 40 + 40: the knapsack against the normal approximation with continuity correction, good to a per cent near the middle.
    let mut stream = Stream::new(4, "large", &[], 0);
    let slots: Vec<(bool, f64)> = (0..80)
        .map(|slot| (slot % 2 == 0, stream.normal() + if slot % 2 == 0 { 0.3 } else { 0.0 }))
        .collect();
    let blocks = DealtBlocks::new(&[slots]).unwrap();
    let scores = Scores::new(&blocks, 0.0, Tail::Greater);
    let normal = statrs::function::erf::erfc(scores.z() / 2.0_f64.sqrt()) / 2.0;
    let p = greater(&blocks, 0.0);
    assert!((p / normal - 1.0).abs() < 0.02, "{p} {normal}");
}

#[test]
fn the_knapsack_and_the_list_agree() {
    // Ten slots go through the knapsack; the listing above is the judge.
    let mut stream = Stream::new(8, "knapsack", &[], 0);
    for heads in [1, 4, 7] {
        let block: Vec<(bool, f64)> = (0..10).map(|slot| (slot < heads, stream.below(30) as f64)).collect();
        let (upper, lower) = by_listing(std::slice::from_ref(&block), 0.0);
        let dealt = DealtBlocks::new(&[block]).unwrap();
        assert!(close(greater(&dealt, 0.0), upper) && close(less(&dealt, 0.0), lower));
    }
}

#[test]
fn drawn_deals_agree_with_all_deals_and_their_bound_is_never_below() {
    for (seed, shift) in [(1, 0.0), (2, 0.002), (3, 0.004), (4, 0.02), (5, 0.04)] {
        let scores = Scores::new(&dealt(18, shift, seed), 0.0, Tail::Greater);
        let (all, drawn) = (exact::upper_tail(&scores).unwrap(), sampled::upper_tail(&scores));
        let error = (all * (1.0 - all) / 20_000.0).sqrt();
        if all > 1e-3 {
            assert!((drawn - all).abs() < 5.0 * error, "{all} {drawn}");
        }
        assert!(drawn >= all - 5.0 * error, "{all} {drawn}");
        assert!(sampled::chernoff(&scores) >= all, "{all}");
        if all < 1e-6 {
            // Far out the bound is what is reported, and it is not far off.
            assert!(drawn < 1e-4 && drawn >= all && drawn < 100.0 * all, "{all} {drawn}");
        }
    }
}

#[test]
fn a_file_of_a_thousand_slots_is_judged_by_drawn_deals_and_replays() {
    let mut stream = Stream::new(9, "thousand", &[], 0);
    let noisy = (0..1000).map(|_| stream.below(2) == 0).collect::<Vec<_>>();
    let noisy =
        noisy.into_iter().map(|head| (head, if head { 0.1 } else { 0.0 } + stream.normal())).collect();
    let blocks = DealtBlocks::new(&[noisy]).unwrap();
    assert!(exact::upper_tail(&Scores::new(&blocks, 0.0, Tail::Greater)).is_none());
    let p = greater(&blocks, 0.0);
    let normal =
        statrs::function::erf::erfc(Scores::new(&blocks, 0.0, Tail::Greater).z() / 2.0_f64.sqrt()) / 2.0;
    assert!((p - normal).abs() < 5.0 * (normal / 20_000.0).sqrt(), "{p} {normal}");
    assert_eq!(p.to_bits(), greater(&blocks, 0.0).to_bits());
}

#[test]
fn scatter_is_that_of_the_noise_whatever_the_drift_and_the_difference() {
    let values: Vec<f64> = (0..40).map(|seed| scatter(&dealt(39, 0.5, seed)).unwrap()).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    assert!((mean - 0.01).abs() < 4e-4, "{mean}");
}

#[test]
fn scatter_of_pairs_comes_from_their_differences_and_one_pair_has_none() {
    let mut stream = Stream::new(3, "pairs", &[], 0);
    let pairs: Vec<_> =
        (0..400).map(|_| block(&[0.01 * stream.normal()], &[0.3 + 0.01 * stream.normal()])).collect();
    let scatter_of = |blocks: &[Vec<(bool, f64)>]| scatter(&DealtBlocks::new(blocks).unwrap());
    assert!((scatter_of(&pairs).unwrap() - 0.01).abs() < 1.5e-3);
    assert_eq!(scatter_of(&pairs[..1]), None);
}

proptest! {
    #[test]
    fn every_composition_has_the_p_of_listing_all_deals(blocks in any_blocks(2, 7), shift in -20_i32..20) {
        let shift = f64::from(shift) / 1000.0;
        let (upper, lower) = by_listing(&blocks, shift);
        let dealt = DealtBlocks::new(&blocks).unwrap();
        prop_assert!(close(greater(&dealt, shift), upper), "{} {}", greater(&dealt, shift), upper);
        prop_assert!(close(less(&dealt, shift), lower), "{} {}", less(&dealt, shift), lower);
    }

    #[test]
    fn p_is_in_range_and_not_below_the_smallest_attainable(blocks in any_blocks(9, 12)) {
        let dealt = DealtBlocks::new(&blocks).unwrap();
        for p in [greater(&dealt, 0.0), less(&dealt, 0.0)] {
            prop_assert!(p <= 1.0 && p >= smallest_attainable(&dealt) * (1.0 - 1e-9));
        }
        // Both tails hold the deal that was drawn.
        prop_assert!(greater(&dealt, 0.0) + less(&dealt, 0.0) >= 1.0);
    }

    #[test]
    fn neither_the_level_of_a_block_nor_the_unit_nor_the_order_matters(
        blocks in any_blocks(5, 8), levels in prop::collection::vec(-50_i32..50, 5), turn in 0_usize..5,
    ) {
        let mut moved = blocks.clone();
        for (block, level) in moved.iter_mut().zip(levels) {
            block.iter_mut().for_each(|(_, y)| *y = 8.0 * *y + f64::from(level));
            block.reverse();
        }
        let places = moved.len();
        moved.rotate_left(turn % places);
        let (before, after) = (DealtBlocks::new(&blocks).unwrap(), DealtBlocks::new(&moved).unwrap());
        prop_assert!(close(greater(&before, 0.003), greater(&after, 0.024)));
        prop_assert!((8.0 * estimate(&before) - estimate(&after)).abs() < 1e-9);
        let (a, b) = (interval(&before, 0.05), interval(&after, 0.05));
        prop_assert!(a.lower.is_infinite() == b.lower.is_infinite());
        if a.lower.is_finite() {
            prop_assert!((8.0 * a.lower - b.lower).abs() < 1e-9 && (8.0 * a.upper - b.upper).abs() < 1e-9);
        }
    }

    #[test]
    fn swapping_the_sides_swaps_the_tests(blocks in any_blocks(5, 8), shift in -20_i32..20) {
        let shift = f64::from(shift) / 1000.0;
        let dealt = DealtBlocks::new(&blocks).unwrap();
        prop_assert!(close(less(&dealt, shift), greater(&dealt.swapped(), -shift)));
        prop_assert!((estimate(&dealt) + estimate(&dealt.swapped())).abs() < 1e-12);
        let (a, b) = (interval(&dealt, 0.05), interval(&dealt.swapped(), 0.05));
        prop_assert!(a.lower.is_infinite() || ((a.lower + b.upper).abs() < 1e-12 && (a.upper + b.lower).abs() < 1e-12));
    }

    #[test]
    fn the_interval_holds_the_estimate_and_grows_with_confidence(rounds in 1_u32..7, seed in any::<u64>()) {
        let blocks = dealt(3 * rounds, 0.02, seed);
        let (narrow, wide) = (interval(&blocks, 0.1), interval(&blocks, 0.01));
        prop_assert!(wide.lower <= narrow.lower && narrow.upper <= wide.upper);
        prop_assert!(narrow.lower <= estimate(&blocks) && estimate(&blocks) <= narrow.upper);
        prop_assert!(wide.confidence >= narrow.confidence);
    }

    #[test]
    fn a_slower_head_never_looks_less_slow_by_much(seed in any::<u64>(), rounds in 1_u32..7) {
        // T is monotone in the shift; p nearly so, for the null moves with the ranks. From far out to far out it runs from smallest to 1.
        let blocks = dealt(3 * rounds, 0.0, seed);
        let p: Vec<f64> = (-30..=30).map(|step| greater(&blocks, f64::from(step) / 1000.0)).collect();
        prop_assert!(p.windows(2).all(|pair| pair[1] >= pair[0] - 0.08), "{p:?}");
        prop_assert!(close(greater(&blocks, -1.0), smallest_attainable(&blocks)) && close(greater(&blocks, 1.0), 1.0));
    }
}
