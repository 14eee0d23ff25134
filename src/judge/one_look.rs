//! A finished data set of dealt slots, any block composition, judged in one look: no look weights.

use crate::{
    judge::{
        evidence::{Basis, Evidence, FamilyName, Shown, Test, Untested},
        statistics::Statistics,
        subject::{Subject, side_median, side_values},
    },
    model::{run::Side, verdict::SlotValue},
    stats::{randomisation::Error, sequential::NO_WORSE_LEVELS},
};

/// The evidence of all of a subject's blocks.
///
/// With a single look, "no worse" spends the whole error that the planned looks share.
pub(super) fn evidence(subject: &Subject) -> Evidence {
    let blocks = &subject.blocks;
    if has_one_value_a_side(blocks) {
        return Evidence::untested(subject, blocks, Untested::OneValueASide);
    }
    let statistics = match Statistics::new(blocks, &subject.metric, &subject.limits) {
        Ok(statistics) => statistics,
        Err(Error::NoBlocks) => return Evidence::untested(subject, blocks, Untested::NoCommonBlock),
        Err(_) => return Evidence::untested(subject, blocks, Untested::NoRatio),
    };
    let limits = &subject.limits;
    let base = side_median(blocks, Side::Base, limits.direction);
    let margin = limits.effective_margin(base);
    let bound = limits.bound(margin);
    let level = NO_WORSE_LEVELS.iter().sum::<f64>();
    let no_worse = statistics.no_worse_ratio(bound, level) <= 1.0;
    let must_rule_out = limits.bound(limits.must_rule_out).max(bound);
    Evidence {
        rounds: statistics.rounds(),
        base,
        head: side_median(blocks, Side::Head, limits.direction),
        change: statistics.change(base),
        margin,
        scatter: statistics.scatter(),
        test: Some(Test {
            family: FamilyName::Slots,
            worse: statistics.worse(bound),
            better: statistics.better(bound),
        }),
        shown: if no_worse { Shown::NoWorse } else { Shown::Nothing },
        rules_out: no_worse || statistics.no_worse_ratio(must_rule_out, level) <= 1.0,
        median_change: statistics.median_estimate().map(|ln| statistics.relative(ln)),
        basis: Basis::OneLook,
        head_values: side_values(blocks, Side::Head, limits.direction),
    }
}

fn has_one_value_a_side(blocks: &[Vec<SlotValue>]) -> bool {
    let of = |side| blocks.iter().flatten().filter(|slot| slot.side == side).count();
    of(Side::Base) == 1 && of(Side::Head) == 1
}
