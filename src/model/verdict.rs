//! What was concluded of each benchmark and of the whole check.

use super::{
    benchmark::Benchmark,
    census::Census,
    environment::Environment,
    load::{Advice, StressResult, Summary},
    metric::Metric,
    outcome::Outcome,
    revision::Revision,
    run::{Block, Measurement, Mode, Run, Sample, Side, Slot, Warning},
    targets::{Score, TierResult},
};

/// The verdict of one benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Shown to be worse, by at least the margin in estimate; or a budget is broken.
    Regressed,
    /// Shown to be better.
    Improved,
    /// Shown to be no worse than the margin.
    Unchanged,
    /// Neither could be shown.
    Inconclusive,
    /// Same machine code on both sides.
    Identical,
    /// Only head has it.
    New,
    /// Only base has it.
    Missing,
    /// Regressed, and a waiver in force covers it.
    Waived,
    /// It could not be measured.
    Failed,
}

impl Verdict {
    /// The contract's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::Inconclusive => "inconclusive",
            Self::Identical => "identical",
            Self::New => "new",
            Self::Missing => "missing",
            Self::Waived => "waived",
            Self::Failed => "failed",
        }
    }
}

/// A relative change of head against base: 0.05 is 5 % more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Point estimate.
    pub estimate: f64,
    /// Lower end of the interval; `None` when the data bound it by nothing.
    pub lower: Option<f64>,
    /// Upper end of the interval; `None` when the data bound it by nothing.
    pub upper: Option<f64>,
    /// The one-sided confidence of each end that was attained.
    pub confidence: f64,
}

/// One process as the verdict shows it: all that judging reads of a [`Slot`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlotValue {
    /// Whose process.
    pub side: Side,
    /// Mean of the fastest fifth of its samples per iteration (at least two of them), in the metric's unit; never above `median`.
    pub fast: f64,
    /// Median of its samples per iteration, in the metric's unit.
    pub median: f64,
}

impl SlotValue {
    /// Reduces a slot to its two values. A slot without samples, or with one that is no number, gives NaN for both.
    ///
    /// Everything that judges or stores slots goes through here, so that a verdict, which keeps these two values and no
    /// samples, can be judged again to the same bits ([`SlotValue::to_slot`] is the way back).
    #[must_use]
    pub fn of(slot: &Slot) -> Self {
        let mut values: Vec<f64> =
            counted(&slot.samples).iter().map(|sample| sample.total / sample.iterations).collect();
        values.sort_unstable_by(f64::total_cmp);
        let n = values.len();
        if n == 0 {
            return Self { side: slot.side, fast: f64::NAN, median: f64::NAN };
        }
        let fifth = &values[..(n / 5).max(2).min(n)];
        let mean = fifth.iter().sum::<f64>() / fifth.len() as f64;
        let median = if n % 2 == 1 { values[n / 2] } else { values[n / 2 - 1].midpoint(values[n / 2]) };
        if mean.is_nan() || median.is_nan() {
            return Self { side: slot.side, fast: f64::NAN, median: f64::NAN };
        }
        // Rounding can lift the mean of equal values above them by one unit in the last place.
        Self { side: slot.side, fast: mean.min(median), median }
    }

    /// The smallest slot that [`SlotValue::of`] reduces to exactly these values.
    #[must_use]
    pub fn to_slot(self) -> Slot {
        let sample = |total| Sample { iterations: 1.0, total };
        let samples = if self.fast < self.median {
            vec![
                sample(self.fast),
                sample(self.fast),
                sample(self.median),
                sample(self.median),
                sample(self.median),
            ]
        } else {
            vec![sample(self.median)]
        };
        Slot { side: self.side, padding: 0, samples }
    }
}

/// The samples that count. Two of different length are those of criterion's `--quick`, of n and of 2n iterations: only the
/// larger one is past its warm-up.
fn counted(samples: &[Sample]) -> &[Sample] {
    match samples {
        [first, second] if first.iterations < second.iterations => &samples[1..],
        [first, second] if first.iterations > second.iterations => &samples[..1],
        _ => samples,
    }
}

/// One row of a verdict: one metric of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Which benchmark.
    pub benchmark: Benchmark,
    /// Its id as shown: prefixed by `target:` where two targets share it.
    pub display_id: String,
    /// Which metric.
    pub metric: Metric,
    /// The conclusion.
    pub verdict: Verdict,
    /// Rounds that the conclusion rests on.
    pub rounds: u32,
    /// Base's value (median over its slots of the slot value), in the metric's unit.
    pub base: Option<f64>,
    /// Head's value, in the metric's unit.
    pub head: Option<f64>,
    /// The relative change with its interval.
    pub change: Option<Change>,
    /// The smallest change that matters, relative.
    pub margin: f64,
    /// Final sequential p of "head is worse", at most 1.
    pub p_value: Option<f64>,
    /// Its Benjamini-Hochberg adjustment within the family.
    pub q_value: Option<f64>,
    /// The true relative worsening found with 80 % power at the rounds that the budget allows.
    pub minimum_detectable: Option<f64>,
    /// Robust standard deviation of ln(slot value) within blocks.
    pub scatter: Option<f64>,
    /// Whether not even a worsening of `must_rule_out` could be ruled out; `None` where nothing was tested.
    pub blind: Option<bool>,
    /// One sentence a person can act on.
    pub reason: String,
    /// Valid slots in time order, block by block.
    pub slots: Vec<Vec<SlotValue>>,
}

/// Tests that share one error rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// `time`, `load`, …
    pub name: String,
    /// How many tests it holds.
    pub tests: usize,
    /// `benjamini-hochberg` or `holm`.
    pub method: String,
    /// The share of the error rate that it got.
    pub false_discovery_rate: f64,
}

/// The verdict of a whole check.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckVerdict {
    /// The version of the tollgate that judged.
    pub tool_version: String,
    /// What it came to; its exit code follows.
    pub outcome: Outcome,
    /// Every outcome that applied, the deciding one first, with the reason of each.
    pub outcomes: Vec<(Outcome, String)>,
    /// How base and head were compared.
    pub mode: Mode,
    /// The seed of the deals.
    pub seed: u64,
    /// What head was compared with.
    pub base: Option<Revision>,
    /// The revision under test.
    pub head: Revision,
    /// Where it was measured.
    pub environment: Environment,
    /// The families of tests.
    pub families: Vec<Family>,
    /// Who was expected, measured, compared.
    pub census: Census,
    /// The rows, sorted by benchmark and metric; renderers choose their own order.
    pub judgements: Vec<Judgement>,
    /// The load, one entry a scenario and side.
    pub load: Vec<Summary>,
    /// What became of the targets; empty without load.
    pub targets: Vec<TierResult>,
    /// The score of the service under load; `None` without load.
    pub score: Option<Score>,
    /// Every level of load in time order, where a scenario was asked at several; `load` has the last one that counts.
    pub levels: Vec<Summary>,
    /// What to look at, the weightiest first; at most three.
    pub advice: Vec<Advice>,
    /// Searches for the rate that services bear.
    pub stress: Vec<StressResult>,
    /// What the reader should know.
    pub warnings: Vec<Warning>,
    /// What the whole check took, seconds.
    pub duration_seconds: f64,
    /// What it was judged from, as [`reduced`] leaves it: judging that again gives this verdict to the last bit.
    /// `None` in a verdict that was not judged here (the JSON of another tool); it can be shown, not judged again.
    pub evidence: Option<Run>,
}

/// A run without what judging does not read: each slot keeps its two [`SlotValue`]s in place of its samples, and void
/// blocks keep their reason without slots; paddings are 0. Load trials stay as they are.
///
/// `judge(run)` and `judge(reduced(run))` must agree to the last bit; reducing twice changes nothing.
#[must_use]
pub fn reduced(run: &Run) -> Run {
    let block = |block: &Block| match &block.void {
        Some(reason) => Block { slots: Vec::new(), void: Some(reason.clone()) },
        None => Block {
            slots: block.slots.iter().map(|slot| SlotValue::of(slot).to_slot()).collect(),
            void: None,
        },
    };
    let measurement = |measurement: &Measurement| Measurement {
        benchmark: measurement.benchmark.clone(),
        metric: measurement.metric.clone(),
        fate: measurement.fate.clone(),
        method: measurement.method,
        blocks: measurement.blocks.iter().map(block).collect(),
    };
    Run {
        tool_version: run.tool_version.clone(),
        mode: run.mode,
        base: run.base.clone(),
        head: run.head.clone(),
        environment: run.environment.clone(),
        seed: run.seed,
        started_at: run.started_at,
        duration_seconds: run.duration_seconds,
        budget_seconds: run.budget_seconds,
        interrupted: run.interrupted.clone(),
        measurements: run.measurements.iter().map(measurement).collect(),
        load: run.load.clone(),
        stress: run.stress.clone(),
        baselines: run.baselines.clone(),
        policy: run.policy.clone(),
        day: run.day.clone(),
        warnings: run.warnings.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::SlotValue;
    use crate::model::run::{Sample, Side, Slot};

    fn slot(values: &[f64]) -> Slot {
        let samples = values.iter().map(|&total| Sample { iterations: 1.0, total }).collect();
        Slot { side: Side::Head, padding: 0, samples }
    }

    #[test]
    fn the_fastest_fifth_is_at_least_two_samples() {
        let value = SlotValue::of(&slot(&[5.0, 1.0, 9.0, 3.0]));
        assert_eq!((value.fast, value.median), (2.0, 4.0));
        let value = SlotValue::of(&slot(&(1..=30).map(f64::from).collect::<Vec<_>>()));
        assert_eq!((value.fast, value.median), (3.5, 15.5));
        let value = SlotValue::of(&slot(&[7.0]));
        assert_eq!((value.fast, value.median), (7.0, 7.0));
    }

    #[test]
    fn a_slot_made_of_two_values_reduces_to_them_bit_by_bit() {
        // 0.1 summed thrice is more than 0.3: the clamp must hold for slots of equal samples.
        for values in
            [vec![0.1; 15], vec![0.1, 0.1, 0.1], vec![1.1, 2.2, 3.3, 4.4, 5.5, 6.6], vec![1e-300, 3e300]]
        {
            let value = SlotValue::of(&slot(&values));
            assert!(value.fast <= value.median);
            assert_eq!(SlotValue::of(&value.to_slot()), value);
        }
    }
}
