//! Exact rules for metrics that repeat exactly or nearly so: instructions, bytes, allocations.
//!
//! Every build is measured twice. Where both repeats of each side agree, the difference is certain and there is nothing to test. Where they
//! do not, each side is measured six times in all, and wholly separate sides decide: the chance that six values of one side all
//! come out on top if the sides are exchangeable is 1/924.

/// Repeats of each side before anything is said.
pub const FIRST_REPEATS: usize = 2;

/// Repeats of each side where the first ones disagree.
pub const ALL_REPEATS: usize = 6;

/// The smallest relative change that matters for allocations: any.
pub const ALLOCATIONS_MARGIN: f64 = 0.0;

/// The smallest relative change that matters for instructions.
pub const INSTRUCTIONS_MARGIN: f64 = 0.01;

/// The smallest relative change that matters for bytes of a binary.
pub const BYTES_MARGIN: f64 = 0.005;

/// The absolute change in instructions under which no change matters.
pub const INSTRUCTIONS_FLOOR: f64 = 1000.0;

/// The absolute change in bytes under which no change matters.
pub const BYTES_FLOOR: f64 = 16.0;

/// What two lists of repeats say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Head is larger by more than the margin and the floor.
    Regressed,
    /// Head is smaller by more than the margin and the floor.
    Improved,
    /// Head is no larger than the margin or the floor allows.
    Unchanged,
    /// The repeats disagree: measure each side [`ALL_REPEATS`] times.
    NeedsRepeats,
    /// All repeats are in, and the sides overlap around the margin.
    Inconclusive,
}

/// The comparison of a metric that should repeat exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// What follows.
    pub decision: Decision,
    /// Relative change of head's median against base's; `None` where base's is 0 and head's is not.
    pub change: Option<f64>,
    /// The largest difference between repeats of the same side, in the metric's unit: 0 where it is deterministic.
    pub disagreement: f64,
    /// The chance of a separation like this between exchangeable sides; `None` where the difference is certain or nothing was decided.
    pub p_value: Option<f64>,
}

/// Compares repeats of base and head, values at least 0 of which lower is better, against a relative `margin` and an absolute `floor` that
/// a change must both exceed to matter.
///
/// `None` where a side has fewer than two values or one is not finite.
#[must_use]
pub fn compare(base: &[f64], head: &[f64], margin: f64, floor: f64) -> Option<Comparison> {
    let (base, head) = (Range::of(base)?, Range::of(head)?);
    let change = match (base.median, head.median) {
        (0.0, 0.0) => Some(0.0),
        (0.0, _) => None,
        (from, to) => Some(to / from - 1.0),
    };
    let disagreement = base.width().max(head.width());
    let certain = disagreement <= 0.0;
    let enough = certain || base.count.min(head.count) >= ALL_REPEATS;
    let decision = if enough { decide(base, head, margin, floor) } else { Decision::NeedsRepeats };
    let tested =
        matches!(decision, Decision::Regressed | Decision::Improved | Decision::Unchanged) && !certain;
    let p_value = tested.then(|| separation_p(base.count, head.count));
    Some(Comparison { decision, change, disagreement, p_value })
}

fn decide(base: Range, head: Range, margin: f64, floor: f64) -> Decision {
    let exceeds = |larger: f64, smaller: f64| larger > smaller * (1.0 + margin) && larger - smaller > floor;
    if exceeds(head.least, base.most) {
        Decision::Regressed
    } else if exceeds(base.least, head.most) {
        Decision::Improved
    } else if !exceeds(head.most, base.least) {
        Decision::Unchanged
    } else {
        Decision::Inconclusive
    }
}

/// One over the number of ways to choose which of all values are head's.
fn separation_p(base: usize, head: usize) -> f64 {
    (1..=head).map(|i| i as f64 / (base + i) as f64).product()
}

#[derive(Debug, Clone, Copy)]
struct Range {
    least: f64,
    most: f64,
    median: f64,
    count: usize,
}

impl Range {
    fn of(values: &[f64]) -> Option<Self> {
        if values.len() < FIRST_REPEATS || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let least = values.iter().copied().min_by(f64::total_cmp)?;
        let most = values.iter().copied().max_by(f64::total_cmp)?;
        Some(Self { least, most, median: crate::stats::location::median(values)?, count: values.len() })
    }

    fn width(self) -> f64 {
        self.most - self.least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(base: &[f64], head: &[f64], margin: f64, floor: f64) -> Decision {
        compare(base, head, margin, floor).unwrap().decision
    }

    #[test]
    fn agreeing_repeats_are_certain() {
        let same = compare(&[500.0; 2], &[500.0; 2], 0.0, 0.0).unwrap();
        assert_eq!(
            same,
            Comparison { decision: Decision::Unchanged, change: Some(0.0), disagreement: 0.0, p_value: None }
        );
        assert_eq!(decision(&[500.0; 2], &[501.0; 2], 0.0, 0.0), Decision::Regressed);
        assert_eq!(decision(&[501.0; 2], &[500.0; 2], 0.0, 0.0), Decision::Improved);
    }

    #[test]
    fn a_change_must_exceed_both_the_margin_and_the_floor() {
        assert_eq!(
            decision(&[1e6; 2], &[1.009e6; 2], INSTRUCTIONS_MARGIN, INSTRUCTIONS_FLOOR),
            Decision::Unchanged
        );
        assert_eq!(
            decision(&[1e6; 2], &[1.011e6; 2], INSTRUCTIONS_MARGIN, INSTRUCTIONS_FLOOR),
            Decision::Regressed
        );
        assert_eq!(
            decision(&[1e4; 2], &[1.09e4; 2], INSTRUCTIONS_MARGIN, INSTRUCTIONS_FLOOR),
            Decision::Unchanged
        );
    }

    #[test]
    fn disagreeing_repeats_ask_for_more() {
        let first = compare(&[100.0, 104.0], &[100.0, 100.0], 0.01, 0.0).unwrap();
        assert_eq!((first.decision, first.p_value), (Decision::NeedsRepeats, None));
        assert!((first.disagreement - 4.0).abs() < 1e-12);
    }

    #[test]
    fn a_bistable_metric_is_inconclusive_and_separate_sides_decide() {
        let bistable = [100.0, 110.0, 100.0, 110.0, 100.0, 110.0];
        assert_eq!(decision(&bistable, &bistable, 0.01, 0.0), Decision::Inconclusive);
        let above = bistable.map(|value| value + 20.0);
        let regressed = compare(&bistable, &above, 0.01, 0.0).unwrap();
        assert_eq!(regressed.decision, Decision::Regressed);
        assert!((regressed.p_value.unwrap() - 1.0 / 924.0).abs() < 1e-15);
        assert_eq!(decision(&above, &bistable, 0.01, 0.0), Decision::Improved);
        // Wholly inside the margin although the repeats move.
        assert_eq!(decision(&bistable, &bistable, 0.15, 0.0), Decision::Unchanged);
    }

    #[test]
    fn something_out_of_nothing_has_no_relative_change_but_regresses() {
        let some = compare(&[0.0; 2], &[3.0; 2], ALLOCATIONS_MARGIN, 0.0).unwrap();
        assert_eq!((some.decision, some.change), (Decision::Regressed, None));
        assert_eq!(decision(&[0.0; 2], &[0.0; 2], 0.0, 0.0), Decision::Unchanged);
    }

    #[test]
    fn too_few_or_broken_values_are_not_compared() {
        assert_eq!(compare(&[1.0], &[1.0, 1.0], 0.0, 0.0), None);
        assert_eq!(compare(&[1.0, f64::NAN], &[1.0, 1.0], 0.0, 0.0), None);
    }
}
