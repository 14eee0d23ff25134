//! What is to be measured and what it costs, beside what else is granted.

use std::collections::BTreeMap;

use crate::model::benchmark::Benchmark;

/// A benchmark to be measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Which one.
    pub benchmark: Benchmark,
    /// The smallest change that matters, relative: its effective margin.
    pub margin: f64,
    /// What one block of it is expected to take, seconds; replaced by what its last block took.
    pub block_seconds: f64,
}

/// What a set of steps costs: blocks of one target run together and share the cost of spawning.
pub(super) struct Tally<'a> {
    overhead: &'a BTreeMap<String, f64>,
    /// Blocks of each target that are paid for.
    blocks: BTreeMap<&'a str, u32>,
    left: f64,
    /// Seconds that are spent.
    pub(super) spent: f64,
}

impl<'a> Tally<'a> {
    pub(super) fn new(overhead: &'a BTreeMap<String, f64>, left: f64) -> Self {
        Self { overhead, blocks: BTreeMap::new(), left, spent: 0.0 }
    }

    fn cost(&self, item: &Item, blocks: u32) -> f64 {
        let target = item.benchmark.target.as_str();
        let paid = self.blocks.get(target).copied().unwrap_or(0);
        let spawns = f64::from(blocks.saturating_sub(paid));
        f64::from(blocks) * item.block_seconds + spawns * self.overhead.get(target).copied().unwrap_or(0.0)
    }

    pub(super) fn fits(&self, item: &Item, blocks: u32) -> bool {
        let cost = self.cost(item, blocks);
        // What rides along for nothing takes nothing from anybody, even where a suspect has all that is left.
        let rides = cost <= 0.0 && self.blocks.contains_key(item.benchmark.target.as_str());
        rides || self.spent + cost <= self.left
    }

    pub(super) fn spend(&mut self, item: &'a Item, blocks: u32) {
        self.spent += self.cost(item, blocks);
        let paid = self.blocks.entry(&item.benchmark.target).or_default();
        *paid = (*paid).max(blocks);
    }
}

/// A cost that is not a positive number is none: nothing is known of it.
pub(super) fn positive(seconds: f64) -> f64 {
    if seconds.is_finite() { seconds.max(0.0) } else { 0.0 }
}
