//! Every verdict a row can have, and its sentence.

use super::support::*;
use crate::{
    judge::judge,
    model::{
        metric::Metric,
        policy::Rule,
        run::{Fate, Measurement, Mode, Side, Side::Base, Side::Head, SlotMethod},
        verdict::{Judgement, Verdict, reduced},
    },
};

#[test]
fn a_slowdown_beyond_the_margin_is_regressed() {
    let verdict = judge(&paired(vec![clean("a"), slower("b"), clean("c")]));
    let row = row(&verdict, "b");
    assert_eq!((row.verdict, row.rounds, row.blind), (Verdict::Regressed, 18, Some(false)));
    let change = row.change.unwrap();
    assert!((change.estimate - 0.1).abs() < 0.02 && change.confidence >= 0.995);
    assert!(change.lower.unwrap() < change.estimate && change.estimate < change.upper.unwrap());
    assert!(row.q_value.unwrap() <= 0.01 && row.p_value.unwrap() <= row.q_value.unwrap());
    let tail = " %), beyond the margin of 2 %: fix it, or accept it by a waiver in `tollgate.toml`";
    assert!(row.reason.contains(" % slower (+") && row.reason.ends_with(tail), "{}", row.reason);
    assert_eq!(super::support::row(&verdict, "a").verdict, Verdict::Unchanged);
}

#[test]
fn a_speedup_beyond_the_margin_is_improved_and_outranks_unchanged() {
    let row = only(&paired(vec![measured("a", &Noise::factor(0.9), 6)]));
    assert_eq!(row.verdict, Verdict::Improved);
    assert!(row.reason.contains(" % faster (-"), "{}", row.reason);
    assert!(row.reason.ends_with(", more than the margin of 2 %"), "{}", row.reason);
}

#[test]
fn no_change_is_unchanged_and_says_what_is_ruled_out() {
    let row = only(&paired(vec![clean("a")]));
    assert_eq!(row.verdict, Verdict::Unchanged);
    assert!(row.reason.starts_with("not slower by more than "), "{}", row.reason);
}

#[test]
fn a_sure_slowdown_within_the_margin_is_unchanged_and_says_so() {
    let noise = Noise { scatter: 0.002, ..Noise::factor(1.01) };
    let row = only(&paired(vec![measured("a", &noise, 6)]));
    assert_eq!(row.verdict, Verdict::Unchanged);
    assert!(row.change.unwrap().lower.unwrap() > 0.0);
    assert!(
        row.reason.contains(" % slower (+") && row.reason.ends_with("within the margin of 2 %"),
        "{}",
        row.reason
    );
}

#[test]
fn a_sure_speedup_within_the_margin_is_unchanged_and_says_so() {
    let noise = Noise { scatter: 0.002, ..Noise::factor(0.99) };
    let row = only(&paired(vec![measured("a", &noise, 6)]));
    assert_eq!(row.verdict, Verdict::Unchanged);
    assert!(
        row.reason.contains(" % faster (-") && row.reason.ends_with("within the margin of 2 %"),
        "{}",
        row.reason
    );
}

#[test]
fn three_rounds_can_show_no_worse_but_nothing_else() {
    let noise = Noise { scatter: 0.002, ..Noise::factor(1.0) };
    let row = only(&paired(vec![measured("a", &noise, 1)]));
    assert_eq!((row.verdict, row.rounds), (Verdict::Unchanged, 3));
    let change = row.change.unwrap();
    assert!((change.confidence - 0.95).abs() < 1e-9);
    let row = only(&paired(vec![measured("a", &Noise { scatter: 0.002, ..Noise::factor(2.0) }, 1)]));
    assert_eq!((row.verdict, row.p_value), (Verdict::Inconclusive, Some(1.0)));
    assert!(
        row.reason.starts_with("looks 100 % slower (+")
            && row.reason.contains(" %), not proven after 3 rounds: raise"),
        "{}",
        row.reason
    );
}

#[test]
fn noise_is_inconclusive_and_says_what_to_do() {
    let noise = Noise { scatter: 0.05, ..Noise::factor(1.0) };
    let row = only(&paired(vec![measured("a", &noise, 2)]));
    assert_eq!(row.verdict, Verdict::Inconclusive);
    assert!(row.reason.starts_with("not slower by more than "), "{}", row.reason);
    assert!(row.reason.ends_with("after 6 rounds: raise `--budget`, or the margin"), "{}", row.reason);
    let row = only(&paired(vec![measured("a", &Noise { scatter: 0.2, ..noise }, 13)]));
    assert_eq!((row.verdict, row.rounds), (Verdict::Inconclusive, 39));
    assert!(
        row.reason.contains("after all 39 rounds: raise the margin, or quieten the machine"),
        "{}",
        row.reason
    );
}

/// The looks and the interval have confidences of their own: each row must say which one its bound has, or the reader sees one
/// number contradict the other.
#[test]
fn a_row_whose_interval_reaches_beyond_what_was_shown_says_with_which_confidence_each_holds() {
    let rows = |scatter: f64, slow_half: f64, blocks: u64| {
        (0..40).map(move |seed| {
            let noise = Noise { scatter, slow_half, seed, ..Noise::factor(1.0) };
            only(&paired(vec![measured("a", &noise, blocks)]))
        })
    };
    let upper = |row: &Judgement| row.change.and_then(|change| change.upper).unwrap_or(f64::INFINITY);
    let beyond = |row: &Judgement| row.verdict == Verdict::Unchanged && upper(row) > row.margin;
    let unchanged: Vec<Judgement> = rows(0.012, 1.0, 2).filter(beyond).collect();
    assert!(!unchanged.is_empty());
    for row in unchanged {
        let starts = "not slower by more than the margin of 2 %, with 90 % confidence (the interval's ";
        assert!(row.reason.starts_with(starts) && row.reason.ends_with(" confidence)"), "{}", row.reason);
    }
    let seen = |row: &Judgement| row.blind == Some(false) && row.verdict == Verdict::Inconclusive;
    let wide: Vec<Judgement> = rows(0.06, 1.0, 4).filter(|row| seen(row) && upper(row) > 0.1).collect();
    assert!(!wide.is_empty());
    for row in wide {
        let told = row.reason.contains("by more than 10 % with 90 % confidence (by more than ");
        assert!(told || row.reason.starts_with("looks "), "{}", row.reason);
    }
    let blind = |row: &Judgement| row.blind == Some(true) && upper(row) < 0.1;
    let spared: Vec<Judgement> = rows(0.012, 1.25, 2).filter(blind).collect();
    assert!(!spared.is_empty());
    for row in spared {
        assert!(row.reason.starts_with("its fastest samples are not slower by more than "), "{}", row.reason);
        assert!(row.reason.contains("their median"), "{}", row.reason);
    }
}

#[test]
fn a_benchmark_that_only_its_budget_leaves_open_says_what_else_was_shown() {
    let noise = Noise { scatter: 0.002, ..Noise::factor(1.0) };
    let run = paired(vec![measured("a", &noise, 1)]);
    let row = only(&with_rules(run, vec![Rule { budget: Some(500.0), ..rule("a") }]));
    assert_eq!(row.verdict, Verdict::Inconclusive);
    assert!(row.reason.contains("not proven by 3 slots; "), "{}", row.reason);
    assert!(!row.reason.contains("not settled") && !row.reason.contains("raise"), "{}", row.reason);
}

#[test]
fn a_slowdown_that_spares_the_fastest_samples_is_found_by_the_median() {
    let noise = Noise { slow_half: 1.4, scatter: 0.002, ..Noise::factor(1.0) };
    let row = only(&paired(vec![measured("a", &noise, 9)]));
    assert_eq!(row.verdict, Verdict::Regressed);
    assert!(row.change.unwrap().estimate < 0.02);
    assert!(row.reason.starts_with("the median of its samples is "), "{}", row.reason);
}

#[test]
fn blocks_beyond_the_last_complete_look_enter_no_test() {
    let row = only(&paired(vec![measured("a", &Noise::factor(1.1), 5)]));
    assert_eq!(row.rounds, 12);
    assert_eq!(row.slots.len(), 5, "but they are kept for the next look");
    let at_look = only(&paired(vec![measured("a", &Noise::factor(1.1), 4)]));
    assert_eq!((row.p_value, row.change, row.base), (at_look.p_value, at_look.change, at_look.base));
}

#[test]
fn void_blocks_and_blocks_of_another_shape_do_not_count() {
    let mut spoilt = slower("a");
    spoilt.blocks[1].void = Some(crate::model::run::VoidReason { reason: "taken away".into() });
    spoilt.blocks[2].slots.pop();
    let verdict = judge(&paired(vec![spoilt]));
    assert_eq!((verdict.judgements[0].rounds, verdict.census.voided_blocks), (12, 1));
    assert_eq!(verdict.judgements[0].slots.len(), 5);
}

#[test]
fn a_benchmark_that_the_budget_did_not_reach_is_inconclusive_and_blind() {
    let row = only(&paired(vec![measured("a", &Noise::factor(1.0), 0)]));
    assert_eq!(
        (row.verdict, row.blind, row.change, row.p_value),
        (Verdict::Inconclusive, Some(true), None, None)
    );
    assert!(row.reason.starts_with("not measured to its first look: raise `--budget`"), "{}", row.reason);
}

#[test]
fn fates_are_rows_with_their_own_verdict() {
    let cases = [
        (Fate::Identical, Verdict::Identical, "the machine code is the same"),
        (Fate::New, Verdict::New, "only head has it"),
        (Fate::Missing, Verdict::Missing, "only base has it: if it was renamed, name it under `renames`"),
    ];
    for (fate, verdict, reason) in cases {
        let row = only(&paired(vec![with_fate("a", fate)]));
        assert_eq!((row.verdict, row.blind, row.change), (verdict, None, None));
        assert!(row.reason.starts_with(reason), "{}", row.reason);
    }
    let row = only(&paired(vec![failed("a")]));
    assert_eq!(
        (row.verdict, row.reason.as_str()),
        (Verdict::Failed, "failed on head: exited with status 101")
    );
}

#[test]
fn a_failure_hides_no_regression_that_was_shown_before() {
    let broke = Measurement { blocks: slower("a").blocks, ..failed("a") };
    let verdict = judge(&paired(vec![broke]));
    let row = &verdict.judgements[0];
    assert_eq!(row.verdict, Verdict::Regressed);
    assert!(row.reason.ends_with("; then it failed on head: exited with status 101"), "{}", row.reason);
    assert_eq!(verdict.census.failed, ["a"]);
    let clean = Measurement { blocks: clean("a").blocks, ..failed("a") };
    assert_eq!(only(&paired(vec![clean])).verdict, Verdict::Failed);
}

#[test]
fn where_more_is_better_less_is_a_regression() {
    let blocks = |factor: f64| {
        let mut measurement = measured("a", &Noise::factor(factor), 6);
        measurement.metric = throughput();
        measurement
    };
    let row = only(&paired(vec![blocks(0.9)]));
    assert_eq!(row.verdict, Verdict::Regressed);
    let change = row.change.unwrap();
    assert!((change.estimate + 0.1).abs() < 0.02 && change.lower.unwrap() < change.upper.unwrap());
    assert!(row.reason.contains(" % lower (-"), "{}", row.reason);
    assert_eq!(only(&paired(vec![blocks(1.1)])).verdict, Verdict::Improved);
    assert!(only(&paired(vec![blocks(1.0)])).reason.starts_with("not lower by more than "));
}

#[test]
fn a_change_below_its_floor_is_no_regression_and_says_so() {
    let noise = Noise { scatter: 0.002, ..Noise::factor(1.1) };
    let run = paired(vec![measured("a", &noise, 6)]);
    assert_eq!(only(&run).verdict, Verdict::Regressed);
    let row = only(&with_rules(run.clone(), vec![Rule { floor: Some(200.0), ..rule("a") }]));
    assert_eq!(row.verdict, Verdict::Unchanged);
    assert!((row.margin - 0.2).abs() < 0.02);
    assert!(row.reason.contains("within the floor of 200 ns ("), "{}", row.reason);
    let row = only(&with_rules(run, vec![Rule { floor: Some(50.0), ..rule("a") }]));
    assert_eq!(row.verdict, Verdict::Regressed, "the change of 100 ns is above a floor of 50 ns");
}

#[test]
fn a_broken_budget_is_a_regression_even_without_a_change() {
    let run = paired(vec![clean("a")]);
    let row = only(&with_rules(run.clone(), vec![Rule { budget: Some(500.0), ..rule("a") }]));
    assert_eq!(row.verdict, Verdict::Regressed);
    assert!(row.reason.contains(", above its budget of 500 ns"), "{}", row.reason);
    let row = only(&with_rules(run, vec![Rule { budget: Some(5000.0), ..rule("a") }]));
    assert_eq!(row.verdict, Verdict::Unchanged);
    let both = with_rules(paired(vec![slower("a")]), vec![Rule { budget: Some(500.0), ..rule("a") }]);
    let reason = only(&both).reason;
    assert!(reason.contains(" % slower (") && reason.contains("above its budget of 500 ns"), "{reason}");
}

#[test]
fn a_budget_that_few_slots_seem_to_break_is_inconclusive() {
    let noise = Noise { scatter: 0.002, ..Noise::factor(1.0) };
    let run =
        with_rules(paired(vec![measured("a", &noise, 1)]), vec![Rule { budget: Some(500.0), ..rule("a") }]);
    let row = only(&run);
    assert_eq!((row.verdict, row.blind), (Verdict::Inconclusive, Some(false)));
    assert!(
        row.reason.starts_with("seems ") && row.reason.contains("not proven by 3 slots"),
        "{}",
        row.reason
    );
}

#[test]
fn a_new_benchmark_has_to_keep_its_budget_too() {
    let slots: Vec<(Side, f64)> = (0..7).map(|place| (Head, 800.0 + f64::from(place))).collect();
    let new = Measurement { fate: Fate::New, ..of_values("a", Metric::time(), &[&slots]) };
    let run =
        |budget| with_rules(paired(vec![new.clone()]), vec![Rule { budget: Some(budget), ..rule("a") }]);
    let verdict = judge(&run(500.0));
    assert_eq!(verdict.judgements[0].verdict, Verdict::Regressed);
    assert_eq!(verdict.census.new, ["a"]);
    assert_eq!(only(&run(900.0)).verdict, Verdict::New);
}

#[test]
fn a_waiver_turns_a_regression_into_waived_until_it_expires_or_is_exceeded() {
    let waived = |waiver| {
        let mut run = paired(vec![slower("a")]);
        run.policy.waivers = vec![waiver];
        only(&run)
    };
    let row = waived(waiver("a", 0.2, "2026-08-20"));
    assert_eq!(row.verdict, Verdict::Waived);
    assert!(
        row.reason.ends_with("waived up to 20 % until 2026-08-20 by ada (the new hash)"),
        "{}",
        row.reason
    );
    assert!(!row.reason.contains("fix it"), "{}", row.reason);
    let row = waived(waiver("a", 0.2, "2026-08-19"));
    assert_eq!(row.verdict, Verdict::Regressed);
    assert!(row.reason.ends_with("its waiver by ada (the new hash) expired on 2026-08-19"), "{}", row.reason);
    let row = waived(waiver("a", 0.05, "2026-08-20"));
    assert_eq!(row.verdict, Verdict::Regressed);
    assert!(row.reason.ends_with("its waiver by ada (the new hash) covers only 5 %"), "{}", row.reason);
    assert_eq!(waived(waiver("b", 0.5, "2026-08-20")).verdict, Verdict::Regressed);
}

#[test]
fn a_waiver_covers_a_broken_budget_by_its_excess() {
    let mut run = with_rules(paired(vec![clean("a")]), vec![Rule { budget: Some(900.0), ..rule("a") }]);
    run.policy.waivers = vec![waiver("a", 0.3, "2026-08-20")];
    assert_eq!(only(&run).verdict, Verdict::Waived);
    run.policy.waivers = vec![waiver("a", 0.01, "2026-08-20")];
    assert_eq!(only(&run).verdict, Verdict::Regressed);
}

#[test]
fn exact_metrics_are_judged_by_exact_rules_without_a_family() {
    let counts = |base: [f64; 2], head: [f64; 2]| {
        let slots = [(Base, base[0]), (Base, base[1]), (Head, head[0]), (Head, head[1])];
        only(&paired(vec![of_values("a", Metric::count("instructions", "instructions"), &[&slots])]))
    };
    let row = counts([1e6, 1e6], [1.02e6, 1.02e6]);
    assert_eq!((row.verdict, row.p_value, row.margin), (Verdict::Regressed, None, 0.01));
    assert_eq!(
        row.reason,
        "2.0 % higher, beyond the margin of 1 %: fix it, or accept it by a waiver in `tollgate.toml`"
    );
    assert_eq!(counts([1e6, 1e6], [0.9e6, 0.9e6]).verdict, Verdict::Improved);
    let row = counts([1e6, 1e6], [1e6, 1e6]);
    assert_eq!((row.verdict, row.reason.as_str()), (Verdict::Unchanged, "exactly the same"));
    let row = counts([1e6, 1.2e6], [1e6, 1e6]);
    assert_eq!(row.verdict, Verdict::Inconclusive);
    assert!(
        row.reason.starts_with("repeats of the same build differ by 200,000 instructions"),
        "{}",
        row.reason
    );
}

#[test]
fn an_exact_metric_measured_once_is_reported_not_judged() {
    let once = of_values("a", Metric::count("instructions", "instructions"), &[&[(Base, 1e6), (Head, 2e6)]]);
    let row = only(&paired(vec![once]));
    assert_eq!((row.verdict, row.base, row.head), (Verdict::Inconclusive, Some(1e6), Some(2e6)));
    assert!(row.reason.starts_with("measured once on a side"), "{}", row.reason);
}

/// Blocks of one value a slot in one look: base around 100, head `factor` times that.
fn one_look(factor: f64, blocks: usize) -> Measurement {
    let slots: Vec<Vec<(Side, f64)>> = (0..blocks)
        .map(|block| {
            let noise = |slot: usize| 1.0 + 0.001 * ((block * 7 + slot * 3) % 11) as f64;
            (0..4)
                .map(|slot| {
                    if slot % 2 == 0 {
                        (Base, 100.0 * noise(slot))
                    } else {
                        (Head, 100.0 * factor * noise(slot))
                    }
                })
                .collect()
        })
        .collect();
    of_values("a", Metric::time(), &slots.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[test]
fn one_look_judges_any_blocks_without_look_weights() {
    let row = |factor| only(&run(Mode::OneLook, vec![one_look(factor, 4)]));
    // Four blocks of two and two: 6^-4 is the smallest p, and all of it counts
    let regressed = row(1.1);
    assert_eq!((regressed.verdict, regressed.rounds), (Verdict::Regressed, 8));
    assert!((regressed.p_value.unwrap() - 6.0_f64.powi(-4)).abs() < 1e-12);
    assert_eq!(row(0.9).verdict, Verdict::Improved);
    assert_eq!(row(1.0).verdict, Verdict::Unchanged);
    let short = only(&run(Mode::OneLook, vec![one_look(1.1, 1)]));
    assert_eq!(short.verdict, Verdict::Inconclusive);
    assert!(
        short.reason.ends_with("with 2 rounds: measure more rounds, or raise the margin"),
        "{}",
        short.reason
    );
}

#[test]
fn one_value_a_side_is_reported_never_tested() {
    let row =
        only(&run(Mode::OneLook, vec![of_values("a", Metric::time(), &[&[(Base, 100.0), (Head, 150.0)]])]));
    assert_eq!((row.verdict, row.p_value, row.blind), (Verdict::Inconclusive, None, Some(true)));
    assert_eq!((row.base, row.head), (Some(100.0), Some(150.0)));
    assert!((row.change.unwrap().estimate - 0.5).abs() < 1e-12);
    assert!(row.reason.contains("one value a side cannot be tested"), "{}", row.reason);
}

#[test]
fn blocks_that_lack_a_side_are_reported_never_tested() {
    let blocks: [&[(Side, f64)]; 2] = [&[(Base, 100.0), (Base, 101.0)], &[(Head, 150.0), (Head, 151.0)]];
    let row = only(&run(Mode::OneLook, vec![of_values("a", Metric::time(), &blocks)]));
    assert_eq!((row.verdict, row.p_value), (Verdict::Inconclusive, None));
    assert!(row.change.is_some());
    assert!(row.reason.starts_with("no block holds both base and head slots"), "{}", row.reason);
}

#[test]
fn values_without_a_ratio_are_said_to_have_none() {
    for value in [0.0, -1.0, f64::NAN] {
        let slots = [(Base, value), (Head, 1.0), (Base, 2.0), (Head, 1.0)];
        let row = only(&run(Mode::OneLook, vec![of_values("a", Metric::time(), &[&slots])]));
        assert_eq!((row.verdict, row.p_value), (Verdict::Inconclusive, None));
        assert!(row.reason.starts_with("a value is zero, negative or no number"), "{}", row.reason);
    }
}

/// A metric of a scenario's own after 18 rounds: `base` and `head` are the values of their slots, one after the other.
fn own(metric: &Metric, base: [f64; 3], head: [f64; 3]) -> Measurement {
    let block = [0, 1, 2].map(|at| [(Base, base[at]), (Head, head[at])]).concat();
    Measurement { method: SlotMethod::Load, ..of_values("a", metric.clone(), &[block.as_slice(); 6]) }
}

#[test]
fn a_cache_that_is_no_longer_hit_and_a_queue_that_fills_are_regressions() {
    let hits = Metric { name: "cache_hit_rate".into(), unit: "ratio".into(), ..throughput() };
    let queue = Metric { name: "queue".into(), unit: "jobs".into(), ..Metric::time() };
    let row = only(&paired(vec![own(&hits, [0.90, 0.91, 0.92], [0.0; 3])]));
    assert_eq!((row.verdict, row.base, row.head), (Verdict::Regressed, Some(0.91), Some(0.0)));
    assert!((row.change.unwrap().estimate + 1.0).abs() < 1e-9, "{:?}", row.change);
    let row = only(&paired(vec![own(&hits, [0.0; 3], [0.5, 0.6, 0.7])]));
    assert_eq!((row.verdict, row.change), (Verdict::Improved, None));
    // Nothing on both sides is as clear as can be.
    let row = only(&paired(vec![own(&queue, [0.0; 3], [0.0; 3])]));
    assert_eq!((row.verdict, row.blind), (Verdict::Unchanged, Some(false)));
    assert!(row.change.unwrap().estimate.abs() < 1e-12);
    let row = only(&paired(vec![own(&queue, [0.0; 3], [3.0, 4.0, 5.0])]));
    assert_eq!((row.verdict, row.change, row.scatter.is_some()), (Verdict::Regressed, None, true));
    assert!(row.reason.contains("from nothing to something"), "{}", row.reason);
    // A zero now and then is a value like any other.
    let row = only(&paired(vec![own(&queue, [0.0, 2.0, 4.0], [4.0, 0.0, 2.0])]));
    assert_eq!(row.verdict, Verdict::Inconclusive, "{}", row.reason);
    let row = only(&paired(vec![own(&queue, [-1.0, 2.0, 4.0], [4.0, 0.0, 2.0])]));
    assert!(row.reason.starts_with("a value is zero, negative or no number"), "{}", row.reason);
}

#[test]
fn from_nothing_a_change_matters_beyond_the_floor() {
    let queue = Metric { name: "queue".into(), unit: "jobs".into(), ..Metric::time() };
    let hits = Metric { name: "cache_hit_rate".into(), unit: "ratio".into(), ..throughput() };
    let verdict = |measurement: Measurement, floor: f64| {
        let mut run = paired(vec![measurement]);
        run.policy.rules.push(Rule { floor: Some(floor), ..rule("a") });
        only(&run).verdict
    };
    assert_eq!(verdict(own(&queue, [0.0; 3], [3.0, 4.0, 4.5]), 5.0), Verdict::Unchanged);
    assert_eq!(verdict(own(&queue, [0.0; 3], [6.0, 7.0, 8.0]), 5.0), Verdict::Regressed);
    assert_eq!(verdict(own(&hits, [0.01, 0.011, 0.012], [0.0; 3]), 0.05), Verdict::Unchanged);
    assert_eq!(verdict(own(&hits, [0.1, 0.11, 0.12], [0.0; 3]), 0.05), Verdict::Regressed);
}

#[test]
fn quick_slots_count_by_their_larger_sample() {
    let mut measurement = slower("a");
    for slot in measurement.blocks.iter_mut().flat_map(|block| &mut block.slots) {
        let value = slot.samples[0].total / slot.samples[0].iterations;
        let sample =
            |iterations: f64, value: f64| crate::model::run::Sample { iterations, total: value * iterations };
        // The smaller sample is cold: it takes twice as long
        slot.samples = vec![sample(8.0, 2.0 * value), sample(16.0, value)];
    }
    let row = only(&paired(vec![measurement]));
    assert_eq!(row.verdict, Verdict::Regressed);
    assert!((row.base.unwrap() - 1000.0).abs() < 150.0);
}

#[test]
fn the_smallest_detectable_change_is_beyond_the_margin_and_grows_with_scatter() {
    let detectable = |scatter| {
        only(&paired(vec![measured("a", &Noise { scatter, ..Noise::factor(1.0) }, 13)])).minimum_detectable
    };
    let (quiet, noisy) = (detectable(0.002).unwrap(), detectable(0.03).unwrap());
    assert!(0.02 < quiet && quiet < noisy && noisy < 0.2, "{quiet} {noisy}");
    assert_eq!(
        only(&paired(vec![measured("a", &Noise { scatter: 0.05, ..Noise::factor(1.0) }, 1)]))
            .minimum_detectable,
        None
    );
}

#[test]
fn the_verdict_carries_evidence_that_judges_to_itself() {
    let mut check = paired(vec![
        clean("a"),
        slower("b"),
        failed("c"),
        with_fate("d", Fate::New),
        measured("e", &Noise::factor(0.9), 5),
    ]);
    check.policy.waivers = vec![waiver("b", 0.5, "2027-01-01")];
    let verdict = judge(&check);
    assert_eq!(judge(&check), verdict);
    let evidence = verdict.evidence.clone().unwrap();
    assert_eq!(evidence, reduced(&check));
    assert_eq!(judge(&evidence), verdict);
}

#[test]
fn rows_are_sorted_and_each_metric_has_its_own() {
    let counted = of_values(
        "b",
        Metric::count("instructions", "instructions"),
        &[&[(Base, 9.0), (Base, 9.0), (Head, 9.0), (Head, 9.0)]],
    );
    let verdict = judge(&paired(vec![clean("c"), clean("b"), counted, clean("a")]));
    let rows: Vec<_> =
        verdict.judgements.iter().map(|row| (row.display_id.as_str(), row.metric.name.as_str())).collect();
    assert_eq!(rows, [("a", "time"), ("b", "instructions"), ("b", "time"), ("c", "time")]);
    assert_eq!(verdict.families.len(), 1);
    assert_eq!((verdict.families[0].name.as_str(), verdict.families[0].tests), ("time", 3));
}
