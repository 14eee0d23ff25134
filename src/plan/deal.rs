//! The random deals of a block: whose slot comes when, which live process takes it, and what each process is started with.
//!
//! The randomisation test of `stats::randomisation` assumes nothing but these deals, so each of them comes from its own named
//! stream of the recorded seed: the order of one benchmark says nothing about that of another, and none about the padding.
//!
//! `block` numbers every block that is started, void ones included: a block that is measured again is dealt again.

use crate::{
    model::{benchmark::Benchmark, run::Side},
    stats::random::Stream,
};

/// Slots in a block: three rounds.
pub const SLOTS: usize = 6;

/// The largest environment padding, bytes.
pub const MAX_PADDING: u32 = 4096;

/// Padding comes in steps of this many bytes: the alignment of the stack.
pub const PADDING_STEP: u32 = 16;

const SORTED: [Side; SLOTS] = [Side::Base, Side::Base, Side::Base, Side::Head, Side::Head, Side::Head];

/// One slot of a block whose six processes are alive: whose it is, and who takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// The revision that is measured.
    pub side: Side,
    /// Which of that side's three processes takes it, counted in the order in which they were spawned: 0, 1 or 2.
    pub process: usize,
}

/// The order of base and head in one block of a benchmark: each of the 20 orders of three and three is equally likely.
#[must_use]
pub fn deal(seed: u64, benchmark: &Benchmark, block: u64) -> [Side; SLOTS] {
    shuffled(&mut stream(seed, "deal", benchmark, block))
}

/// The order in which the six processes of a target's block are spawned.
///
/// It is dealt too: benchmarks that share live processes share what age does to a process.
#[must_use]
pub fn spawn_order(seed: u64, target: &str, block: u64) -> [Side; SLOTS] {
    shuffled(&mut Stream::new(seed, "spawn order", &[target], block))
}

/// The slots of one block of a benchmark with the process that takes each: the order of [`deal`], and within a side every
/// process once, in random order.
#[must_use]
pub fn turns(seed: u64, benchmark: &Benchmark, block: u64) -> [Turn; SLOTS] {
    let mut stream = stream(seed, "turns", benchmark, block);
    let mut base = [0, 1, 2];
    let mut head = [0, 1, 2];
    stream.shuffle(&mut base);
    stream.shuffle(&mut head);
    let mut taken = (0, 0);
    deal(seed, benchmark, block).map(|side| {
        let (order, next) = match side {
            Side::Base => (&base, &mut taken.0),
            Side::Head => (&head, &mut taken.1),
        };
        let process = order[*next];
        *next += 1;
        Turn { side, process }
    })
}

/// Bytes of environment padding for one process of a block (0 to 5 in spawn order): 0..=4096 in steps of 16, drawn without
/// regard to its side.
#[must_use]
pub fn padding(seed: u64, target: &str, block: u64, process: usize) -> u32 {
    let choices = u64::from(MAX_PADDING / PADDING_STEP) + 1;
    let drawn = Stream::new(seed, "padding", &[target, &process.to_string()], block).below(choices);
    u32::try_from(drawn).unwrap_or(0) * PADDING_STEP
}

fn stream(seed: u64, purpose: &str, benchmark: &Benchmark, block: u64) -> Stream {
    Stream::new(seed, purpose, &[&benchmark.target, benchmark.id.as_str()], block)
}

fn shuffled(stream: &mut Stream) -> [Side; SLOTS] {
    let mut order = SORTED;
    stream.shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::benchmark::BenchmarkId;

    fn benchmark(id: &str) -> Benchmark {
        Benchmark::new("kernels", BenchmarkId::new(id).unwrap())
    }

    /// Chi-square of counts against equal frequencies.
    fn chi_square(counts: impl Iterator<Item = u32>, expected: f64) -> f64 {
        counts.map(|count| (f64::from(count) - expected).powi(2) / expected).sum()
    }

    #[test]
    fn every_one_of_the_twenty_orders_is_dealt_equally_often() {
        let mut counts: BTreeMap<[Side; SLOTS], u32> = BTreeMap::new();
        for block in 0..20_000 {
            *counts.entry(deal(7, &benchmark("num/sieve"), block)).or_default() += 1;
        }
        assert_eq!(counts.len(), 20);
        // 43.8 is the 0.999 quantile of chi-square with 19 degrees of freedom; the seed is fixed, so this cannot flicker
        assert!(chi_square(counts.into_values(), 1000.0) < 43.8);
    }

    #[test]
    fn benchmarks_blocks_seeds_and_targets_have_deals_of_their_own() {
        let orders = |seed, id: &str| -> Vec<_> { (0..40).map(|b| deal(seed, &benchmark(id), b)).collect() };
        assert_eq!(orders(7, "a"), orders(7, "a"));
        assert_ne!(orders(7, "a"), orders(8, "a"));
        assert_ne!(orders(7, "a"), orders(7, "b"));
        let other = Benchmark::new("other", BenchmarkId::new("a").unwrap());
        assert_ne!(orders(7, "a"), (0..40).map(|b| deal(7, &other, b)).collect::<Vec<_>>());
        let spawns = |target| (0..40).map(|b| spawn_order(7, target, b)).collect::<Vec<_>>();
        assert_ne!(spawns("a"), spawns("b"));
    }

    #[test]
    fn a_block_has_three_slots_a_side_and_every_process_takes_one() {
        for block in 0..200 {
            let turns = turns(3, &benchmark("a"), block);
            assert_eq!(turns.map(|turn| turn.side), deal(3, &benchmark("a"), block));
            for side in [Side::Base, Side::Head] {
                let mut processes: Vec<_> =
                    turns.iter().filter(|t| t.side == side).map(|t| t.process).collect();
                processes.sort_unstable();
                assert_eq!(processes, [0, 1, 2]);
            }
            let spawned = spawn_order(3, "kernels", block);
            assert_eq!(spawned.iter().filter(|side| **side == Side::Base).count(), 3);
        }
    }

    #[test]
    fn a_process_takes_each_turn_of_its_side_equally_often() {
        let mut counts = [[0_u32; 3]; 3];
        for block in 0..9_000 {
            let turns = turns(5, &benchmark("a"), block);
            for (nth, turn) in turns.iter().filter(|turn| turn.side == Side::Head).enumerate() {
                counts[nth][turn.process] += 1;
            }
        }
        assert!(chi_square(counts.into_iter().flatten(), 3000.0) < 26.1);
    }

    #[test]
    fn padding_covers_its_range_in_steps() {
        let drawn: Vec<u32> = (0..20_000).map(|block| padding(11, "kernels", block, 2)).collect();
        assert!(drawn.iter().all(|bytes| *bytes <= MAX_PADDING && bytes % PADDING_STEP == 0));
        assert!(drawn.contains(&0) && drawn.contains(&MAX_PADDING));
        assert_ne!(drawn, (0..20_000).map(|block| padding(11, "kernels", block, 3)).collect::<Vec<_>>());
    }
}
