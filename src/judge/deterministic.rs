//! Metrics that repeat exactly or nearly so: exact rules, no correction for many tests.

use crate::{
    judge::{
        evidence::{Basis, Evidence, Shown, Untested},
        policy::Limits,
        subject::{Subject, side_values},
    },
    model::{
        metric::Direction,
        run::Side,
        verdict::{Change, SlotValue},
    },
    stats::{
        deterministic::{Comparison, Decision, compare},
        location::median,
    },
};

/// The evidence of all repeats of both sides.
pub(super) fn evidence(subject: &Subject) -> Evidence {
    let direction = subject.metric.direction;
    let base = side_values(&subject.blocks, Side::Base, direction);
    let head = side_values(&subject.blocks, Side::Head, direction);
    compared(subject, &base, &head)
        .unwrap_or_else(|| Evidence::untested(subject, &subject.blocks, untested(&subject.blocks)))
}

/// The evidence of head's repeats against stored ones; `None` where a side has fewer than two.
pub(super) fn compared(subject: &Subject, base: &[f64], head: &[f64]) -> Option<Evidence> {
    let limits = &subject.limits;
    let comparison = worse_or_better(base, head, limits.margin, limits)?;
    let must_rule_out = worse_or_better(base, head, limits.must_rule_out, limits)?;
    let [base_median, head_median] = [base, head].map(median);
    Some(Evidence {
        rounds: u32::try_from(base.len().min(head.len())).unwrap_or(u32::MAX),
        base: base_median,
        head: head_median,
        change: change(base, head, &comparison),
        margin: limits.effective_margin(base_median),
        scatter: None,
        test: None,
        shown: match comparison.decision {
            Decision::Regressed => Shown::Worse,
            Decision::Improved => Shown::Better,
            Decision::Unchanged => Shown::NoWorse,
            Decision::NeedsRepeats | Decision::Inconclusive => Shown::Nothing,
        },
        rules_out: matches!(must_rule_out.decision, Decision::Improved | Decision::Unchanged),
        median_change: None,
        basis: Basis::Exact { disagreement: comparison.disagreement },
        head_values: head.to_vec(),
    })
}

/// The exact rules are written for values of which fewer are better; of others the sides change places.
fn worse_or_better(base: &[f64], head: &[f64], margin: f64, limits: &Limits) -> Option<Comparison> {
    let floor = limits.floor.unwrap_or(0.0);
    match limits.direction {
        Direction::Lower => compare(base, head, margin, floor),
        Direction::Higher => compare(head, base, margin, floor),
    }
}

/// The relative change of the medians, between the extremes of both sides; certain where all repeats agree.
fn change(base: &[f64], head: &[f64], comparison: &Comparison) -> Option<Change> {
    let extremes = |values: &[f64]| {
        let least = values.iter().copied().min_by(f64::total_cmp)?;
        Some((least, values.iter().copied().max_by(f64::total_cmp)?))
    };
    let ((base_least, base_most), (head_least, head_most)) = (extremes(base)?, extremes(head)?);
    let relative = |to: f64, from: f64| Some(to / from - 1.0).filter(|change| change.is_finite());
    let estimate = match comparison.change {
        Some(change) if change.abs() <= 0.0 => 0.0,
        _ => relative(median(head)?, median(base)?)?,
    };
    let certain = comparison.disagreement <= 0.0;
    let (lower, upper) = if certain {
        (Some(estimate), Some(estimate))
    } else {
        (relative(head_least, base_most), relative(head_most, base_least))
    };
    let confidence = if certain { 1.0 } else { 1.0 - comparison.p_value.unwrap_or(1.0) };
    Some(Change { estimate, lower, upper, confidence })
}

fn untested(blocks: &[Vec<SlotValue>]) -> Untested {
    let of = |side| blocks.iter().flatten().filter(|slot| slot.side == side).count();
    match (of(Side::Base), of(Side::Head)) {
        (0, 0) => Untested::NotMeasured,
        (0, _) | (_, 0) => Untested::NoCommonBlock,
        _ => Untested::NoRepeats,
    }
}
