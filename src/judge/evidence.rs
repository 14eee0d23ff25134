//! What the data say of one row before the family's correction, budgets and waivers: the common language of all modes.

use crate::{
    judge::subject::{Subject, side_median, side_values},
    model::{
        run::Side,
        verdict::{Change, SlotValue},
    },
    stats::proportion::Counted,
};

/// The evidence on one metric of one benchmark.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// Rounds that it rests on.
    pub(super) rounds: u32,
    pub(super) base: Option<f64>,
    pub(super) head: Option<f64>,
    pub(super) change: Option<Change>,
    /// The smallest change that matters: the margin, or the floor over base where that is larger.
    pub(super) margin: f64,
    pub(super) scatter: Option<f64>,
    /// Enters the family's correction.
    pub(super) test: Option<Test>,
    /// What was shown without it.
    pub(super) shown: Shown,
    /// Whether a worsening of `must_rule_out` is ruled out.
    pub(super) rules_out: bool,
    /// Relative change of the slots' medians, where it is a statistic of its own.
    pub(super) median_change: Option<f64>,
    /// How it was come by.
    pub(super) basis: Basis,
    /// Head's values for the budget: those of the slots that the evidence rests on.
    pub(super) head_values: Vec<f64>,
}

/// A pair of mirrored tests that shares its error rate with a family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Test {
    /// Which family.
    pub(super) family: FamilyName,
    /// p of "head is worse", over all looks.
    pub(super) worse: f64,
    /// p of "head is better", over all looks.
    pub(super) better: f64,
}

/// Tests that share an error rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FamilyName {
    /// Wall time and what else scatters in paired blocks.
    Time,
    /// Metrics of load scenarios.
    Load,
    /// Comparisons with stored runs that were not confirmed.
    Stored,
    /// All rows of a finished data set.
    Slots,
}

/// What was shown without a correction for many tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// By exact rules: worse.
    Worse,
    /// By exact rules: better.
    Better,
    /// No worse than the margin.
    NoWorse,
    /// Nothing.
    Nothing,
}

/// How the evidence was come by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Basis {
    /// Dealt blocks, judged at planned looks; in a run against stored baselines, the confirmation of a suspect.
    Paired,
    /// Dealt blocks, judged once.
    OneLook,
    /// Stored runs: their number, and the number of residuals that the new one was compared with.
    Stored { runs: usize, pool: usize },
    /// Exact rules; the largest difference between repeats of one side, in the metric's unit.
    Exact { disagreement: f64 },
    /// Events among cases, compared by their counts.
    Counted { base: Counted, head: Counted },
    /// Nothing was tested.
    Untested(Untested),
}

/// Why nothing was tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untested {
    /// The budget ended before its first look.
    NotMeasured,
    /// There is one value a side.
    OneValueASide,
    /// No block holds both sides.
    NoCommonBlock,
    /// A value is zero, negative or no number, so that no ratio exists.
    NoRatio,
    /// A stored value is zero, so that residuals of ratios say nothing, and head is worse than the best of the stored runs.
    ZeroStored,
    /// A metric that should repeat was measured once on a side.
    NoRepeats,
    /// There are fewer stored runs than needed: so many.
    FewStoredRuns(usize),
    /// One revision was measured.
    SingleRevision,
    /// Too few requests lie beyond the percentile in a window: the fewest in one, and how many it takes.
    TooFewRequests { have: u64, need: u64 },
    /// The counts behind the shares are not known.
    NoCounts,
}

impl Evidence {
    /// Evidence on which nothing can be tested: both sides' values and their plain ratio.
    pub(super) fn untested(subject: &Subject, blocks: &[Vec<SlotValue>], why: Untested) -> Self {
        let direction = subject.metric.direction;
        let base = side_median(blocks, Side::Base, direction);
        let head = side_median(blocks, Side::Head, direction);
        Self {
            rounds: rounds(blocks),
            base,
            head,
            change: ratio(base, head),
            margin: subject.limits.effective_margin(base),
            scatter: None,
            test: None,
            shown: Shown::Nothing,
            rules_out: false,
            median_change: None,
            basis: Basis::Untested(why),
            head_values: side_values(blocks, Side::Head, direction),
        }
    }
}

impl Evidence {
    /// Whether the metric is shown but not judged: its windows hold too few requests.
    pub(super) fn is_not_gated(&self) -> bool {
        matches!(self.basis, Basis::Untested(Untested::TooFewRequests { .. }))
    }
}

/// Rounds that blocks make: each counts its scarcer side.
fn rounds(blocks: &[Vec<SlotValue>]) -> u32 {
    let scarcer = |block: &Vec<SlotValue>| {
        let heads = block.iter().filter(|slot| slot.side == Side::Head).count();
        heads.min(block.len() - heads)
    };
    u32::try_from(blocks.iter().map(scarcer).sum::<usize>()).unwrap_or(u32::MAX)
}

/// The change of one value against another, without an interval.
fn ratio(base: Option<f64>, head: Option<f64>) -> Option<Change> {
    let estimate = head? / base? - 1.0;
    estimate.is_finite().then_some(Change { estimate, lower: None, upper: None, confidence: 0.0 })
}
