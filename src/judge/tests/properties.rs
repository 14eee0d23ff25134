//! What holds of every run, however odd.

use proptest::prelude::*;

use super::support::*;
use crate::{
    judge::{judge, suspects},
    model::{
        baseline::{StoredRun, StoredSeries},
        metric::{Direction, Metric, Nature},
        outcome::Outcome,
        policy::{Rename, Rule},
        run::{Block, Fate, Measurement, Mode, Run, Sample, Side, Slot, SlotMethod, VoidReason},
        verdict::{Verdict, reduced},
    },
};

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => 90.0..110.0_f64,
        1 => prop_oneof![Just(0.0), Just(-1.0), Just(f64::NAN), Just(f64::INFINITY), Just(1e-300), Just(1e300)],
    ]
}

fn slot() -> impl Strategy<Value = Slot> {
    let samples = proptest::collection::vec((1.0..20.0_f64, value()), 0..6);
    (any::<bool>(), samples).prop_map(|(head, samples)| Slot {
        side: if head { Side::Head } else { Side::Base },
        padding: 0,
        samples: samples.into_iter().map(|(iterations, total)| Sample { iterations, total }).collect(),
    })
}

/// Three and three in order, as often as anything else.
fn block() -> impl Strategy<Value = Block> {
    let paired = proptest::collection::vec(slot(), 6).prop_map(|mut slots| {
        for (place, slot) in slots.iter_mut().enumerate() {
            slot.side = if place.is_multiple_of(2) { Side::Base } else { Side::Head };
        }
        slots
    });
    let slots = prop_oneof![paired, proptest::collection::vec(slot(), 0..8)];
    (slots, proptest::bool::weighted(0.1))
        .prop_map(|(slots, void)| Block { slots, void: void.then(|| VoidReason { reason: "away".into() }) })
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Measured),
        1 => Just(Fate::Identical),
        1 => Just(Fate::New),
        1 => Just(Fate::Missing),
        1 => Just(Fate::Failed { side: None, message: "exited".into() }),
        1 => Just(Fate::Ignored("--filter".into())),
    ]
}

fn metric() -> impl Strategy<Value = Metric> {
    let natures = prop_oneof![3 => Just(Nature::Noisy), 1 => Just(Nature::Deterministic)];
    (prop_oneof![Just(Direction::Lower), Just(Direction::Higher)], natures)
        .prop_map(|(direction, nature)| Metric { name: "m".into(), unit: "ns".into(), direction, nature })
}

fn measurement() -> impl Strategy<Value = Measurement> {
    (0..6_u8, metric(), fate(), proptest::collection::vec(block(), 0..5)).prop_map(
        |(id, metric, fate, blocks)| Measurement {
            benchmark: benchmark(&format!("b{id}")),
            metric,
            fate,
            method: SlotMethod::Solo,
            blocks,
        },
    )
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let maybe = || proptest::option::of(value());
    (0..6_u8, maybe(), maybe(), maybe()).prop_map(|(id, margin, budget, floor)| Rule {
        margin: margin.map(|margin| margin / 1000.0),
        budget,
        floor,
        ..rule(&format!("b{id}"))
    })
}

fn baseline() -> impl Strategy<Value = StoredSeries> {
    let run = proptest::collection::vec(value(), 0..7);
    (0..8_u8, metric(), proptest::collection::vec(run, 0..8)).prop_map(|(id, metric, runs)| StoredSeries {
        benchmark: benchmark(&format!("b{id}")),
        metric,
        runs: runs
            .into_iter()
            .map(|values| StoredRun { rev: String::new(), recorded_at: 0, values, trials: Vec::new() })
            .collect(),
    })
}

fn any_run() -> impl Strategy<Value = Run> {
    let mode = prop_oneof![Just(Mode::Paired), Just(Mode::OneLook), Just(Mode::Stored), Just(Mode::Single)];
    let measurements = proptest::collection::vec(measurement(), 0..8);
    let rules = proptest::collection::vec(any_rule(), 0..3);
    let baselines = proptest::collection::vec(baseline(), 0..6);
    (mode, measurements, rules, baselines, any::<bool>()).prop_map(
        |(mode, measurements, rules, baselines, renamed)| {
            let mut run = with_rules(run(mode, measurements), rules);
            run.policy.renames =
                if renamed { vec![Rename { from: "b0".into(), to: "b1".into() }] } else { Vec::new() };
            Run { baselines, ..run }
        },
    )
}

proptest! {
    #[test]
    fn no_run_breaks_the_judge_and_its_evidence_judges_to_the_same(run in any_run()) {
        let verdict = judge(&run);
        let again = judge(&reduced(&run));
        // Not-a-number differs from itself, so the bits are compared as text
        prop_assert_eq!(format!("{:?}", verdict), format!("{:?}", again));
        let _ = suspects(&run);
    }

    #[test]
    fn a_check_passes_only_where_something_was_compared_and_nothing_was_named(run in any_run()) {
        let verdict = judge(&run);
        let named = verdict.judgements.iter().any(|row| matches!(row.verdict, Verdict::Regressed | Verdict::Failed));
        if verdict.outcome == Outcome::Pass {
            prop_assert!(verdict.census.compared > 0 && !named && verdict.census.missing.is_empty());
        }
        if named {
            prop_assert!(matches!(verdict.outcome.exit_code(), 1 | 5));
        }
    }

    #[test]
    fn the_census_accounts_for_every_benchmark(run in any_run()) {
        let verdict = judge(&run);
        let census = &verdict.census;
        let mut with_rows: Vec<_> = verdict.judgements.iter().map(|row| &row.benchmark).collect();
        with_rows.dedup();
        prop_assert_eq!(census.expected, with_rows.len());
        prop_assert!(census.compared <= census.expected && census.blind <= census.inconclusive);
        for row in &verdict.judgements {
            let numbers = [row.base, row.head, row.p_value, row.q_value, row.minimum_detectable, row.scatter];
            prop_assert!(numbers.into_iter().flatten().all(f64::is_finite));
            prop_assert!(row.p_value.is_none_or(|p| p > 0.0 && p <= 1.0));
            let ends = row.change.map(|change| [Some(change.estimate), change.lower, change.upper]);
            prop_assert!(ends.into_iter().flatten().flatten().all(f64::is_finite), "{:?}", row.change);
            prop_assert!(!row.reason.is_empty() && !row.reason.contains("NaN"));
        }
    }
}
