//! Two builds on one machine, dealt in blocks of three rounds and judged at the planned looks.
//!
//! At each look the p of the fastest fifth and of the median are combined; each counts only where its own estimate is at
//! least the margin, since filtering after the correction for many tests would break its promise. The sequential p is the
//! least p/w over the looks. A benchmark is no worse than its margin when, at its last look, the mirrored test against the
//! margin passes at the look's own level. Blocks beyond the last complete look enter no test.

use crate::{
    judge::{
        budget::{self, Budget},
        evidence::{Basis, Evidence, FamilyName, Shown, Test, Untested},
        load,
        policy::Limits,
        statistics::Statistics,
        subject::{Subject, side_median, side_values, valid_blocks},
    },
    model::{
        metric::Metric,
        run::{Measurement, Side},
        verdict::SlotValue,
    },
    plan::looks::{ROUNDS_PER_BLOCK, Standing},
    stats::{
        randomisation::Error,
        sequential::{LOOK_ROUNDS, NO_WORSE_LEVELS, WEIGHTS, sequential_p},
    },
};

/// The no-worse ratio of a benchmark whose budget seems broken but is not shown to be: it is not settled.
const BUDGET_OPEN: f64 = 2.0;

/// Where a benchmark stands at its last complete look; `None` before the first one, or where a value has no logarithm.
///
/// A benchmark whose budget seems broken counts as not settled until that is shown.
#[must_use]
pub fn standing(measurement: &Measurement, limits: &Limits) -> Option<Standing> {
    let blocks = dealt_blocks(&valid_blocks(measurement));
    let looks = Looks::new(&blocks, &measurement.metric, limits).ok()??;
    let head = side_values(looks.blocks, Side::Head, limits.direction);
    let open = limits.budget.is_some_and(|bound| {
        budget::judge(&head, bound, limits.direction, budget::LOOK_LEVEL) == Budget::Unclear
    });
    let ratio = looks.no_worse_ratio(looks.bound);
    Some(Standing {
        rounds: looks.rounds(),
        p_value: looks.sequential(|look| look.worse),
        p_at_look: looks.last().worse,
        improved_p_value: looks.sequential(|look| look.better),
        improved_p_at_look: looks.last().better,
        no_worse_ratio: if open { ratio.max(BUDGET_OPEN) } else { ratio },
    })
}

/// The evidence of a subject's dealt blocks, taken together at its last complete look.
pub(super) fn evidence(subject: &Subject) -> Evidence {
    let blocks = dealt_blocks(&subject.blocks);
    let looks = match Looks::new(&blocks, &subject.metric, &subject.limits) {
        Ok(Some(looks)) => looks,
        Ok(None) => return Evidence::untested(subject, &subject.blocks, Untested::NotMeasured),
        Err(_) => return Evidence::untested(subject, &blocks, Untested::NoRatio),
    };
    let limits = &subject.limits;
    let no_worse = looks.no_worse_ratio(looks.bound) <= 1.0;
    let must_rule_out = limits.bound(limits.must_rule_out).max(looks.bound);
    let statistics = &looks.statistics;
    let base = side_median(looks.blocks, Side::Base, limits.direction);
    Evidence {
        rounds: looks.rounds(),
        base,
        head: side_median(looks.blocks, Side::Head, limits.direction),
        change: statistics.change(base),
        margin: looks.margin,
        scatter: statistics.scatter(),
        test: Some(Test {
            family: family(subject),
            worse: looks.sequential(|look| look.worse),
            better: looks.sequential(|look| look.better),
        }),
        shown: if no_worse { Shown::NoWorse } else { Shown::Nothing },
        rules_out: no_worse || looks.no_worse_ratio(must_rule_out) <= 1.0,
        median_change: statistics.median_estimate().map(|ln| statistics.relative(ln)),
        basis: Basis::Paired,
        head_values: side_values(looks.blocks, Side::Head, limits.direction),
    }
}

/// Whether a subject has any block of three rounds.
pub(super) fn is_paired(subject: &Subject) -> bool {
    subject.blocks.iter().any(|block| is_dealt(block))
}

/// The blocks of three rounds: others were not dealt by us and say nothing here.
fn dealt_blocks(blocks: &[Vec<SlotValue>]) -> Vec<Vec<SlotValue>> {
    blocks.iter().filter(|block| is_dealt(block)).cloned().collect()
}

fn is_dealt(block: &[SlotValue]) -> bool {
    let rounds = ROUNDS_PER_BLOCK as usize;
    let heads = block.iter().filter(|slot| slot.side == Side::Head).count();
    heads == rounds && block.len() == 2 * rounds
}

fn family(subject: &Subject) -> FamilyName {
    if load::is_load(&subject.benchmark) { FamilyName::Load } else { FamilyName::Time }
}

/// The complete looks of one metric of one benchmark: at least one.
struct Looks<'a> {
    /// The blocks up to the last look.
    blocks: &'a [Vec<SlotValue>],
    statistics: Statistics,
    /// The effective margin at the last look, relative.
    margin: f64,
    /// The same in ln units.
    bound: f64,
    /// p of both tests at each look.
    looks: Vec<LookTests>,
}

/// Both tests at one look.
#[derive(Debug, Clone, Copy)]
struct LookTests {
    worse: f64,
    better: f64,
}

impl<'a> Looks<'a> {
    /// `None` before the first look.
    fn new(blocks: &'a [Vec<SlotValue>], metric: &Metric, limits: &Limits) -> Result<Option<Self>, Error> {
        let complete = LOOK_ROUNDS.iter().map(|rounds| (rounds / ROUNDS_PER_BLOCK) as usize);
        let ends: Vec<usize> = complete.take_while(|end| *end <= blocks.len()).collect();
        let Some(&last) = ends.last() else { return Ok(None) };
        let blocks = &blocks[..last];
        let statistics = Statistics::new(blocks, metric, limits)?;
        // The floor is taken relative to what is known of base at the look, so that a look never changes afterwards
        let margin =
            |end: usize| limits.effective_margin(side_median(&blocks[..end], Side::Base, metric.direction));
        let look = |end: &usize| {
            let (seen, bound) = (statistics.prefix(*end), limits.bound(margin(*end)));
            LookTests { worse: seen.worse(bound), better: seen.better(bound) }
        };
        let looks = ends.iter().map(look).collect();
        let margin = margin(last);
        Ok(Some(Self { blocks, margin, bound: limits.bound(margin), looks, statistics }))
    }

    fn rounds(&self) -> u32 {
        LOOK_ROUNDS[self.looks.len() - 1]
    }

    fn last(&self) -> LookTests {
        self.looks[self.looks.len() - 1]
    }

    fn sequential(&self, p: impl Fn(&LookTests) -> f64) -> f64 {
        let weighted: Vec<(f64, f64)> = self.looks.iter().map(p).zip(WEIGHTS).collect();
        sequential_p(&weighted)
    }

    fn no_worse_ratio(&self, bound: f64) -> f64 {
        self.statistics.no_worse_ratio(bound, NO_WORSE_LEVELS[self.looks.len() - 1])
    }
}
