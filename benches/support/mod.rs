//! Inputs of the benches, seeded: the same numbers in every run and on every machine.

use tollgate::stats::{random::Stream, randomisation::DealtBlocks};

/// Blocks of three base and three head slots of a benchmark of 10 µs: 1 % noise, every tenth slot an outlier of up to 20 %, head slower by `shift`.
pub(crate) fn blocks(rounds: u32, shift: f64, seed: u64) -> DealtBlocks {
    let mut stream = Stream::new(seed, "bench", &[], 0);
    let mut block = |_| {
        let mut head = [false, false, false, true, true, true];
        stream.shuffle(&mut head);
        head.map(|is_head| {
            let outlier = if stream.below(10) == 0 { 0.2 * stream.unit() } else { 0.0 };
            (
                is_head,
                10_000.0_f64.ln() + 0.01 * stream.normal() + outlier + if is_head { shift } else { 0.0 },
            )
        })
        .to_vec()
    };
    let blocks: Vec<_> = (0..rounds / 3).map(&mut block).collect();
    DealtBlocks::new(&blocks).expect("every block holds three slots of each side, all finite")
}

/// p-values of a family: uniform, with every fiftieth tiny.
pub(crate) fn p_values(count: usize) -> Vec<f64> {
    let mut stream = Stream::new(1, "p values", &[], 0);
    (0..count).map(|place| stream.unit() * if place % 50 == 0 { 1e-6 } else { 1.0 }).collect()
}

/// Histories of `count` benchmarks and a new run, in ln units with 1 % noise.
pub(crate) fn suite(count: usize, runs: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut stream = Stream::new(1, "suite", &[], 0);
    let mut run = |_| 0.01 * stream.normal();
    let histories = (0..count).map(|_| (0..runs).map(&mut run).collect()).collect();
    (histories, (0..count).map(&mut run).collect())
}
