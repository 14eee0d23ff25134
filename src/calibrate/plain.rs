//! What a fixed rule would have said of the same slots: "5 % slower is a regression", one process a side, no test.

use crate::model::{run::Side, verdict::SlotValue};

/// The ratio from which the rule alarms.
pub const PLAIN_RATIO: f64 = 1.05;

/// How often the rule alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain {
    /// Pairs of a base and a head process of one block for which it does. Pairs share processes, so they are not independent.
    pub alarms: u64,
    /// All such pairs; at least one.
    pub pairs: u64,
}

impl Plain {
    /// The share of pairs on which it alarms.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.alarms as f64 / self.pairs as f64
    }

    /// The chance that it alarms on at least one of so many unchanged benchmarks.
    #[must_use]
    pub fn any_of(&self, benchmarks: u32) -> f64 {
        1.0 - (1.0 - self.rate()).powf(f64::from(benchmarks))
    }
}

/// Applies the rule to the medians of every pair of processes within each block. `None` without pairs.
#[must_use]
pub fn plain(blocks: &[Vec<SlotValue>]) -> Option<Plain> {
    let (mut alarms, mut pairs) = (0, 0);
    for block in blocks {
        for head in block.iter().filter(|slot| slot.side == Side::Head) {
            for base in block.iter().filter(|slot| slot.side == Side::Base) {
                pairs += 1;
                alarms += u64::from(head.median > base.median * PLAIN_RATIO);
            }
        }
    }
    (pairs > 0).then_some(Plain { alarms, pairs })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(side: Side, median: f64) -> SlotValue {
        SlotValue { side, fast: median, median }
    }

    #[test]
    fn every_pair_of_a_block_is_one_use_of_the_rule() {
        let block = vec![
            slot(Side::Base, 100.0),
            slot(Side::Head, 104.0),
            slot(Side::Head, 106.0),
            slot(Side::Base, 90.0),
        ];
        assert_eq!(plain(&[block]), Some(Plain { alarms: 3, pairs: 4 }));
        assert_eq!(plain(&[vec![slot(Side::Base, 1.0)]]), None);
    }

    #[test]
    fn a_rare_alarm_is_common_among_many_benchmarks() {
        let plain = Plain { alarms: 1, pairs: 20 };
        assert!((plain.any_of(1) - 0.05).abs() < 1e-12);
        assert!((plain.any_of(50) - 0.923).abs() < 1e-3);
    }
}
