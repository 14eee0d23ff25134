//! Shares of requests that failed: the exact binomial test of the counts, at the planned looks or once.
//!
//! Failures come in bursts: one stall of the machine can fail hundreds of requests of one trial. So a test counts without the
//! worst trial of the side that it accuses; what one incident did cannot decide. Leaving it out only makes p larger, so the
//! test keeps its level. Like every other change, one counts only when it is at least the margin, look by look.
//!
//! "No worse" is shown by bounds, since two sides without failures have no ratio: the most that head's share can be lies at most
//! [`TOLERATED`] above the least that base's can be (each at half the look's level, so both hold at the whole of it).

use crate::{
    judge::{
        evidence::{Basis, Evidence, FamilyName, Shown, Test, Untested},
        load::TrialCounts,
        policy::Limits,
        subject::Subject,
    },
    model::{run::Side, verdict::Change},
    plan::looks::{ROUNDS_PER_BLOCK, Standing},
    stats::{
        proportion::{Counted, greater, lower_bound, ratio_bounds, upper_bound},
        sequential::{LOOK_ROUNDS, NO_WORSE_LEVELS, WEIGHTS, sequential_p},
    },
};

/// Half a per cent of all requests: the strictest of the usual targets for errors.
pub(super) const TOLERATED: f64 = 0.005;

/// A check that cannot rule out that one request in twenty more fails is blind for errors.
const MUST_RULE_OUT: f64 = 0.05;

/// The one-sided level of each end of the interval that is shown.
const INTERVAL_LEVEL: f64 = 0.005;

/// Where the share of failures stands at its last complete look.
pub(super) fn standing(trials: &[Vec<TrialCounts>], limits: &Limits) -> Option<Standing> {
    let looks = Looks::new(trials, limits)?;
    let last = looks.last();
    Some(Standing {
        rounds: looks.rounds(),
        p_value: looks.sequential(|look| look.worse),
        p_at_look: last.worse,
        improved_p_value: looks.sequential(|look| look.better),
        improved_p_at_look: last.better,
        no_worse_ratio: looks.excess(limits.margin) / TOLERATED,
    })
}

/// The evidence of dealt trials at their last complete look.
pub(super) fn at_looks(subject: &Subject) -> Evidence {
    let limits = &subject.limits;
    let Some(looks) = Looks::new(&subject.trials, limits) else {
        let why = match (subject.trials.is_empty(), subject.blocks.is_empty()) {
            (true, false) => Untested::NoCounts,
            _ => Untested::NotMeasured,
        };
        return Evidence::untested(subject, &subject.blocks, why);
    };
    let no_worse = looks.excess(limits.margin) <= TOLERATED;
    let test = Test {
        family: FamilyName::Load,
        worse: looks.sequential(|look| look.worse),
        better: looks.sequential(|look| look.better),
    };
    let rules_out = no_worse || looks.excess(limits.must_rule_out) <= MUST_RULE_OUT;
    Evidence { rounds: looks.rounds(), ..evidence(subject, &looks.trials, test, no_worse, rules_out) }
}

/// The evidence of all trials, looked at once.
pub(super) fn at_once(subject: &Subject) -> Evidence {
    compared(subject, &subject.trials, FamilyName::Slots)
}

/// The evidence of head's trials and those of others, looked at once.
pub(super) fn compared(subject: &Subject, trials: &[Vec<TrialCounts>], family: FamilyName) -> Evidence {
    let has = |side| trials.iter().flatten().any(|trial| trial.side == side);
    if !has(Side::Base) || !has(Side::Head) {
        return Evidence::untested(subject, &subject.blocks, Untested::NoCounts);
    }
    let limits = &subject.limits;
    let level = NO_WORSE_LEVELS.iter().sum();
    let no_worse = excess(trials, limits.margin, level) <= TOLERATED;
    let (worse, better) = tests(trials, limits);
    let rules_out = no_worse || excess(trials, limits.must_rule_out, level) <= MUST_RULE_OUT;
    evidence(subject, trials, Test { family, worse, better }, no_worse, rules_out)
}

fn evidence(
    subject: &Subject,
    trials: &[Vec<TrialCounts>],
    test: Test,
    no_worse: bool,
    rules_out: bool,
) -> Evidence {
    let (base, head) = (total(trials, Side::Base), total(trials, Side::Head));
    let of_head = trials.iter().flatten().filter(|trial| trial.side == Side::Head);
    Evidence {
        base: base.rate(),
        head: head.rate(),
        change: change(base, head),
        margin: subject.limits.effective_margin(base.rate()),
        scatter: None,
        test: Some(test),
        shown: if no_worse { Shown::NoWorse } else { Shown::Nothing },
        rules_out,
        basis: Basis::Counted { base, head },
        head_values: of_head.filter_map(|trial| trial.requests.rate()).collect(),
        ..Evidence::untested(subject, &subject.blocks, Untested::NotMeasured)
    }
}

/// The complete looks at dealt trials: at least one.
struct Looks {
    /// The dealt blocks up to the last look.
    trials: Vec<Vec<TrialCounts>>,
    looks: Vec<LookTests>,
}

#[derive(Debug, Clone, Copy)]
struct LookTests {
    worse: f64,
    better: f64,
}

impl Looks {
    fn new(trials: &[Vec<TrialCounts>], limits: &Limits) -> Option<Self> {
        let mut dealt: Vec<Vec<TrialCounts>> =
            trials.iter().filter(|block| is_dealt(block)).cloned().collect();
        let complete = LOOK_ROUNDS.iter().map(|rounds| (rounds / ROUNDS_PER_BLOCK) as usize);
        let ends: Vec<usize> = complete.take_while(|end| *end <= dealt.len()).collect();
        dealt.truncate(*ends.last()?);
        let look = |end: &usize| {
            let (worse, better) = tests(&dealt[..*end], limits);
            LookTests { worse, better }
        };
        let looks = ends.iter().map(look).collect();
        Some(Self { trials: dealt, looks })
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

    fn excess(&self, margin: f64) -> f64 {
        excess(&self.trials, margin, NO_WORSE_LEVELS[self.looks.len() - 1])
    }
}

fn is_dealt(block: &[TrialCounts]) -> bool {
    let rounds = ROUNDS_PER_BLOCK as usize;
    block.len() == 2 * rounds && block.iter().filter(|trial| trial.side == Side::Head).count() == rounds
}

/// p of "head fails more" and of "head fails less"; 1 where the shares differ by less than the margin.
fn tests(trials: &[Vec<TrialCounts>], limits: &Limits) -> (f64, f64) {
    let (base, head) = (total(trials, Side::Base), total(trials, Side::Head));
    let (base_rate, head_rate) = (base.rate().unwrap_or(0.0), head.rate().unwrap_or(0.0));
    let beyond = 1.0 + limits.effective_margin(Some(base_rate));
    let counts = |more: f64, less: f64| more > 0.0 && more >= less * beyond;
    let worse =
        if counts(head_rate, base_rate) { greater(base, without_worst(trials, Side::Head)) } else { 1.0 };
    let better =
        if counts(base_rate, head_rate) { greater(head, without_worst(trials, Side::Base)) } else { 1.0 };
    (worse, better)
}

fn total(trials: &[Vec<TrialCounts>], side: Side) -> Counted {
    let of_side = trials.iter().flatten().filter(|trial| trial.side == side);
    of_side.fold(Counted::default(), |sum, trial| Counted {
        hits: sum.hits.saturating_add(trial.requests.hits),
        cases: sum.cases.saturating_add(trial.requests.cases),
    })
}

/// A side's counts without the trial that failed most.
fn without_worst(trials: &[Vec<TrialCounts>], side: Side) -> Counted {
    let all = total(trials, side);
    let of_side = trials.iter().flatten().filter(|trial| trial.side == side);
    let worst =
        of_side.map(|trial| trial.requests).max_by_key(|counted| (counted.hits, u64::MAX - counted.cases));
    worst.map_or(all, |worst| Counted { hits: all.hits - worst.hits, cases: all.cases - worst.cases })
}

/// By how much head's share may exceed base's and its margin at a level; one sure way is to take each side's own bound at half
/// of it.
fn excess(trials: &[Vec<TrialCounts>], margin: f64, level: f64) -> f64 {
    let (base, head) = (total(trials, Side::Base), total(trials, Side::Head));
    let most = upper_bound(head.hits, head.cases, level / 2.0);
    let least = lower_bound(base.hits, base.cases, level / 2.0);
    most - least * (1.0 + margin)
}

/// The relative change of the share; `None` where base has no failures.
fn change(base: Counted, head: Counted) -> Option<Change> {
    if base.hits == 0 && head.hits == 0 {
        return Some(Change { estimate: 0.0, lower: None, upper: None, confidence: 1.0 - INTERVAL_LEVEL });
    }
    let estimate = head.rate()? / base.rate().filter(|rate| *rate > 0.0)? - 1.0;
    let (lower, upper) = ratio_bounds(base, head, INTERVAL_LEVEL);
    let relative = |bound: Option<f64>| bound.map(|ratio| ratio - 1.0);
    Some(Change {
        estimate,
        lower: relative(lower),
        upper: relative(upper),
        confidence: 1.0 - INTERVAL_LEVEL,
    })
}
