//! Going on from what an earlier run of the same request measured, so that a retry is no new lottery ticket.

use crate::model::{
    metric::Metric,
    run::{Block, Fate, Measurement},
};
use std::collections::BTreeMap;

/// The blocks of an earlier run, by benchmark.
#[derive(Debug, Default)]
pub(super) struct Earlier<'a> {
    measurements: BTreeMap<(&'a str, &'a str), &'a Measurement>,
}

impl<'a> Earlier<'a> {
    /// What an earlier run measured.
    pub(super) fn new(measurements: &'a [Measurement]) -> Self {
        let key = |m: &'a Measurement| (m.benchmark.target.as_str(), m.benchmark.id.as_str());
        Self {
            measurements: measurements.iter().map(|measurement| (key(measurement), measurement)).collect(),
        }
    }

    /// The blocks of a benchmark: kept when the same metric was measured, whatever else became of it since.
    #[must_use]
    pub(super) fn blocks(&self, target: &str, id: &str, metric: &Metric) -> Vec<Block> {
        let found = self.measurements.get(&(target, id)).filter(|earlier| earlier.metric == *metric);
        found.map(|earlier| earlier.blocks.clone()).unwrap_or_default()
    }

    /// Gives a benchmark that will not be measured now the blocks that it had: one that fails must not hide what was shown
    /// before, and one that a filter leaves out goes on from them when it is back.
    pub(super) fn keep(&self, settled: &mut Measurement) {
        if matches!(settled.fate, Fate::Failed { .. } | Fate::Ignored(_)) {
            let key = (settled.benchmark.target.as_str(), settled.benchmark.id.as_str());
            if let Some(earlier) = self.measurements.get(&key) {
                (settled.metric, settled.method) = (earlier.metric.clone(), earlier.method);
                settled.blocks.clone_from(&earlier.blocks);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Earlier;
    use crate::model::{
        benchmark::{Benchmark, BenchmarkId},
        metric::Metric,
        run::{Block, Fate, Measurement, SlotMethod},
    };

    #[test]
    fn what_fails_or_is_left_out_keeps_its_blocks_and_what_vanished_does_not() {
        let measurement = |fate: Fate, blocks: usize| Measurement {
            benchmark: Benchmark::new("kernels", BenchmarkId::new("a").unwrap()),
            metric: Metric::time(),
            fate,
            method: SlotMethod::Solo,
            blocks: vec![Block { slots: Vec::new(), void: None }; blocks],
        };
        let earlier = [measurement(Fate::Measured, 2)];
        let earlier = Earlier::new(&earlier);
        let failed = Fate::Failed { side: None, message: "a crash".into() };
        for (fate, blocks) in
            [(failed, 2), (Fate::Ignored("a filter".into()), 2), (Fate::Missing, 0), (Fate::Identical, 0)]
        {
            let mut settled = measurement(fate.clone(), 0);
            earlier.keep(&mut settled);
            assert_eq!((settled.blocks.len(), &settled.fate), (blocks, &fate));
        }
    }

    #[test]
    fn blocks_are_found_by_target_and_id_and_only_for_the_same_metric() {
        let block = Block { slots: Vec::new(), void: None };
        let earlier = Measurement {
            benchmark: Benchmark::new("kernels", BenchmarkId::new("a").unwrap()),
            metric: Metric::time(),
            fate: Fate::Failed { side: None, message: "a crash".into() },
            method: SlotMethod::Lockstep,
            blocks: vec![block.clone()],
        };
        let earlier = [earlier];
        let earlier = Earlier::new(&earlier);
        assert_eq!(earlier.blocks("kernels", "a", &Metric::time()), [block]);
        assert!(earlier.blocks("other", "a", &Metric::time()).is_empty());
        assert!(earlier.blocks("kernels", "b", &Metric::time()).is_empty());
        assert!(earlier.blocks("kernels", "a", &Metric::count("instructions", "instructions")).is_empty());
    }
}
