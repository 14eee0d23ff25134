//! Every outcome a check can have, and their precedence.

use super::support::*;
use crate::{
    judge::judge,
    model::{
        outcome::{ErrorClass, Outcome},
        policy::{Rule, Strictness},
        run::{Fate, Measurement, Mode, Run},
    },
};

const FAILED: Outcome = Outcome::Error(ErrorClass::Measurement);

fn outcome(run: &Run) -> Outcome {
    let verdict = judge(run);
    assert_eq!(verdict.outcome, verdict.outcomes[0].0, "the deciding outcome comes first");
    let joined = verdict.outcomes.iter().map(|(outcome, _)| *outcome).reduce(Outcome::join).unwrap();
    assert_eq!(verdict.outcome, joined, "the order is that of the exit codes");
    verdict.outcome
}

fn reason(run: &Run, outcome: Outcome) -> String {
    let outcomes = judge(run).outcomes;
    outcomes.into_iter().find(|(applied, _)| *applied == outcome).unwrap().1
}

/// A benchmark whose slots say next to nothing.
fn blind(id: &str) -> Measurement {
    measured(id, &Noise { scatter: 0.5, ..Noise::factor(1.0) }, 2)
}

/// A benchmark that can rule out 10 % but not 2 %.
fn hazy(id: &str) -> Measurement {
    measured(id, &Noise { scatter: 0.02, ..Noise::factor(1.0) }, 2)
}

#[test]
fn a_check_that_found_nothing_passes_and_says_how_much_it_compared() {
    let run = paired(vec![clean("a"), clean("b"), with_fate("c", Fate::Identical)]);
    assert_eq!(outcome(&run), Outcome::Pass);
    assert_eq!(judge(&run).outcomes, [(Outcome::Pass, "none of 3 benchmarks regressed".into())]);
    let identical = paired(vec![with_fate("a", Fate::Identical), with_fate("b", Fate::Identical)]);
    assert_eq!(reason(&identical, Outcome::Pass), "2 benchmarks: the machine code is the same on both sides");
}

#[test]
fn a_regression_decides_whatever_else_applies() {
    let run = paired(vec![
        slower("a"),
        failed("b"),
        with_fate("c", Fate::Missing),
        blind("d"),
        blind("e"),
        blind("f"),
    ]);
    let outcomes: Vec<Outcome> = judge(&run).outcomes.into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(outcomes, [Outcome::Regressed, FAILED, Outcome::Incomplete, Outcome::Inconclusive]);
    assert_eq!(outcome(&run).exit_code(), 1);
    assert_eq!(reason(&run, Outcome::Regressed), "1 benchmark regressed: a");
}

#[test]
fn a_failure_comes_before_what_is_incomplete_and_that_before_what_is_blind() {
    let mut measurements =
        vec![failed("b"), with_fate("c", Fate::Missing), blind("d"), blind("e"), blind("f")];
    assert_eq!(outcome(&paired(measurements.clone())), FAILED);
    assert_eq!(reason(&paired(measurements.clone()), FAILED), "1 benchmark failed: b");
    measurements.remove(0);
    assert_eq!(outcome(&paired(measurements.clone())), Outcome::Incomplete);
    assert_eq!(reason(&paired(measurements.clone()), Outcome::Incomplete), "1 benchmark vanished: c");
    measurements.remove(0);
    assert_eq!(outcome(&paired(measurements)), Outcome::Inconclusive);
}

#[test]
fn an_interrupted_check_never_passes() {
    let mut run = paired(vec![clean("a")]);
    run.interrupted = Some("interrupted by SIGINT".into());
    assert_eq!(outcome(&run), FAILED);
    assert_eq!(reason(&run, FAILED), "interrupted by SIGINT");
}

#[test]
fn nothing_to_compare_never_passes() {
    assert_eq!(reason(&paired(Vec::new()), Outcome::Incomplete), "there are no benchmarks");
    let ignored = paired(vec![with_fate("a", Fate::Ignored("--filter".into()))]);
    assert_eq!(reason(&ignored, Outcome::Incomplete), "1 benchmark left out, none is left");
    let unreached = paired(vec![measured("a", &Noise::factor(1.0), 0)]);
    assert_eq!(outcome(&unreached), Outcome::Incomplete);
    assert_eq!(reason(&unreached, Outcome::Incomplete), "no benchmark could be compared");
    assert_eq!(outcome(&run(Mode::Single, vec![clean("a")])), Outcome::Incomplete);
}

#[test]
fn a_check_of_new_benchmarks_alone_passes_only_where_the_policy_allows_it() {
    let mut run = paired(vec![with_fate("a", Fate::New), with_fate("b", Fate::New)]);
    assert_eq!(reason(&run, Outcome::Incomplete), "every benchmark is new, so there is nothing to compare");
    run.policy.allow_new = true;
    assert_eq!(outcome(&run), Outcome::Pass);
    assert_eq!(reason(&run, Outcome::Pass), "2 benchmarks new, nothing to compare");
    run.measurements.push(measured("c", &Noise::factor(1.0), 0));
    assert_eq!(outcome(&run), Outcome::Incomplete, "one that was not reached is not new");
    run.measurements.truncate(0);
    assert_eq!(outcome(&run), Outcome::Incomplete, "no benchmarks are not new ones");
}

#[test]
fn new_benchmarks_beside_compared_ones_do_no_harm() {
    assert_eq!(outcome(&paired(vec![clean("a"), with_fate("b", Fate::New)])), Outcome::Pass);
}

#[test]
fn a_check_is_blind_when_more_than_the_tolerated_share_is() {
    let half = paired(vec![clean("a"), blind("b")]);
    assert_eq!(outcome(&half), Outcome::Pass, "just half is tolerated");
    let mut most = paired(vec![clean("a"), blind("b"), blind("c")]);
    assert_eq!(outcome(&most), Outcome::Inconclusive);
    assert_eq!(
        reason(&most, Outcome::Inconclusive),
        "not even a slowdown of 10 % could be ruled out for 2 of 3 benchmarks"
    );
    most.policy.max_blind = 0.7;
    assert_eq!(outcome(&most), Outcome::Pass);
    most.policy.max_blind = 0.0;
    most.measurements = vec![clean("a"), clean("b"), blind("c")];
    assert_eq!(outcome(&most), Outcome::Inconclusive);
}

#[test]
fn new_benchmarks_and_identical_ones_count_differently_in_the_share_of_the_blind() {
    let new = paired(vec![blind("a"), with_fate("b", Fate::New), with_fate("c", Fate::New)]);
    assert_eq!(outcome(&new), Outcome::Inconclusive, "new ones are no evidence that the check saw anything");
    let identical = paired(vec![blind("a"), with_fate("b", Fate::Identical)]);
    assert_eq!(outcome(&identical), Outcome::Pass, "identical ones cannot have slowed down");
}

#[test]
fn benchmarks_that_the_budget_did_not_reach_are_blind() {
    let run = paired(vec![
        clean("a"),
        measured("b", &Noise::factor(1.0), 0),
        measured("c", &Noise::factor(1.0), 0),
    ]);
    assert_eq!(outcome(&run), Outcome::Inconclusive);
}

#[test]
fn strictness_tolerates_no_inconclusive_benchmark() {
    let mut run = paired(vec![clean("a"), clean("b"), hazy("c")]);
    assert_eq!(outcome(&run), Outcome::Pass);
    run.policy.strictness = Strictness::Strict;
    assert_eq!(outcome(&run), Outcome::Inconclusive);
    assert_eq!(
        reason(&run, Outcome::Inconclusive),
        "1 benchmark is inconclusive, which --strict does not tolerate"
    );
}

#[test]
fn a_waived_regression_passes_and_an_expired_waiver_does_not() {
    let mut run = paired(vec![slower("a"), clean("b")]);
    run.policy.waivers = vec![waiver("a", 0.5, "2026-08-20")];
    assert_eq!(outcome(&run), Outcome::Pass);
    run.day = "2026-08-21".into();
    assert_eq!(outcome(&run), Outcome::Regressed);
}

#[test]
fn a_broken_budget_is_a_regression_of_the_check() {
    let run = with_rules(paired(vec![clean("a")]), vec![Rule { budget: Some(1.0), ..rule("a") }]);
    assert_eq!(outcome(&run), Outcome::Regressed);
}

#[test]
fn one_value_a_side_is_blind_not_a_pass() {
    use crate::model::{metric::Metric, run::Side};
    let single = of_values("a", Metric::time(), &[&[(Side::Base, 1.0), (Side::Head, 1.0)]]);
    assert_eq!(outcome(&run(Mode::OneLook, vec![single])), Outcome::Inconclusive);
}

#[test]
fn what_fell_out_of_a_waiver_or_rule_glob_is_warned_of() {
    let mut run = with_rules(paired(vec![clean("a")]), vec![rule("a"), rule("nmu/*")]);
    run.policy.waivers = vec![waiver("gone", 0.5, "2027-01-01")];
    let codes: Vec<String> = judge(&run).warnings.into_iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["unmatched_rule", "unmatched_waiver"]);
}

#[test]
fn a_suite_that_moves_as_one_is_warned_of() {
    let all = |factor| {
        ["a", "b", "c", "d", "e", "f"]
            .map(|id| measured(id, &Noise { scatter: 0.002, ..Noise::factor(factor) }, 6))
            .to_vec()
    };
    let verdict = judge(&paired(all(1.05)));
    assert_eq!(verdict.warnings.len(), 1);
    assert!(
        verdict.warnings[0].message.starts_with("6 of 6 benchmarks moved alike, by about +5."),
        "{:?}",
        verdict.warnings
    );
    assert_eq!(judge(&paired(all(1.0))).warnings, []);
}
