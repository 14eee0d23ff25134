//! A new run against stored baselines, with and without confirmation.

use super::support::*;
use crate::{
    judge::{judge, suspects},
    model::{
        baseline::{StoredRun, StoredSeries},
        metric::Metric,
        outcome::Outcome,
        policy::Rename,
        run::{Fate, Measurement, Mode, Run, Side},
        verdict::Verdict,
    },
    stats::random::Stream,
};

const BENCHMARKS: usize = 30;

fn id(place: usize) -> String {
    format!("b{place:02}")
}

/// Six values around a level that scatters by 1 % from run to run.
fn values(level: f64, stream: &mut Stream) -> Vec<f64> {
    let run = level * (0.01 * stream.normal()).exp();
    (0..6).map(|_| run * (0.005 * stream.normal()).exp()).collect()
}

fn series(id: &str, metric: Metric, level: f64, runs: usize) -> StoredSeries {
    let mut stream = Stream::new(3, "stored", &[id], 0);
    let run = |n: usize| StoredRun {
        rev: "0".repeat(40),
        recorded_at: n as u64,
        values: values(level, &mut stream),
        trials: Vec::new(),
    };
    StoredSeries { benchmark: benchmark(id), metric, runs: (0..runs).map(run).collect() }
}

fn head(id: &str, level: f64) -> Measurement {
    let mut stream = Stream::new(4, "head", &[id], 0);
    let slots: Vec<(Side, f64)> =
        values(level, &mut stream).into_iter().map(|value| (Side::Head, value)).collect();
    of_values(id, Metric::time(), &[&slots])
}

/// A stored check of 30 clean benchmarks, of which the first takes `factor` times as long.
fn check(factor: f64, runs: usize) -> Run {
    let level = |place: usize| if place == 0 { 100.0 * factor } else { 100.0 };
    let measurements = (0..BENCHMARKS).map(|place| head(&id(place), level(place))).collect();
    let baselines = (0..BENCHMARKS).map(|place| series(&id(place), Metric::time(), 100.0, runs)).collect();
    Run { baselines, base: None, ..run(Mode::Stored, measurements) }
}

/// Adds paired blocks to a measurement, as a confirmation does.
fn confirm(run: &mut Run, place: usize, factor: f64) {
    let blocks = measured(&id(place), &Noise::factor(factor), 6).blocks;
    run.measurements[place].blocks.extend(blocks);
}

#[test]
fn clean_benchmarks_pass_against_their_stored_runs() {
    let verdict = judge(&check(1.0, 20));
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert_eq!((verdict.census.compared, verdict.families[0].name.as_str()), (BENCHMARKS, "stored"));
    assert!(verdict.judgements.iter().all(|row| row.change.is_some() && row.p_value.is_some()));
}

#[test]
fn a_large_slowdown_is_suspect_and_regressed_where_nothing_confirms_it() {
    let run = check(1.4, 20);
    assert!(suspects(&run).contains(&benchmark("b00")));
    let verdict = judge(&run);
    let row = row(&verdict, "b00");
    assert_eq!(row.verdict, Verdict::Regressed);
    assert!((row.change.unwrap().estimate - 0.4).abs() < 0.05);
    assert!(
        row.reason.contains("than its 20 stored runs") && row.reason.contains("600 stored residuals"),
        "{}",
        row.reason
    );
}

#[test]
fn a_large_speedup_is_improved_and_never_gates() {
    let verdict = judge(&check(0.35, 20));
    let row = row(&verdict, "b00");
    assert_eq!((row.verdict, verdict.outcome), (Verdict::Improved, Outcome::Pass));
    assert!(row.reason.contains(" % faster (") && row.reason.ends_with(", more than the margin of 2 %"));
    assert!(!suspects(&check(0.35, 20)).contains(&benchmark("b00")));
}

#[test]
fn a_speedup_that_few_residuals_cannot_show_says_what_it_looks_like() {
    let mut run = check(0.35, 5);
    run.measurements.truncate(4);
    run.baselines.truncate(4);
    let verdict = judge(&run);
    let row = row(&verdict, "b00");
    assert_eq!(row.verdict, Verdict::Unchanged);
    let (start, end) = (
        "looks 6",
        ", which 20 stored residuals are too few to show; not slower by more than the margin of 2 %",
    );
    assert!(row.reason.starts_with(start) && row.reason.ends_with(end), "{}", row.reason);
}

#[test]
fn a_suspect_is_cleared_or_convicted_by_its_paired_rounds() {
    let mut cleared = check(1.4, 20);
    confirm(&mut cleared, 0, 1.0);
    let verdict = judge(&cleared);
    let row = row(&verdict, "b00");
    assert_eq!((row.verdict, row.rounds), (Verdict::Unchanged, 18));
    let convicted = {
        let mut run = check(1.4, 20);
        confirm(&mut run, 0, 1.3);
        judge(&run)
    };
    let row = super::support::row(&convicted, "b00");
    assert_eq!(row.verdict, Verdict::Regressed);
    assert!(row.reason.ends_with("fix it, or accept it by a waiver in `tollgate.toml`"), "{}", row.reason);
    let families: Vec<_> =
        convicted.families.iter().map(|family| (family.name.as_str(), family.tests)).collect();
    assert_eq!(families, [("time", 1), ("stored", BENCHMARKS)]);
    assert_eq!(judge(convicted.evidence.as_ref().unwrap()), convicted);
}

#[test]
fn a_confirmed_suspect_stays_suspect_so_that_a_retry_asks_the_same() {
    let mut run = check(1.4, 20);
    let before = suspects(&run);
    confirm(&mut run, 0, 1.0);
    // The stored comparison uses the slots that were measured alone, whatever was measured since
    run.measurements[0].blocks.truncate(1);
    assert_eq!(suspects(&run), before);
}

#[test]
fn fewer_than_five_stored_runs_are_no_baseline() {
    let mut run = check(1.0, 20);
    run.baselines[3].runs.truncate(4);
    let verdict = judge(&run);
    let row = row(&verdict, "b03");
    assert_eq!(
        (row.verdict, row.reason.as_str()),
        (Verdict::Inconclusive, "only 4 stored runs of at least 5: store more with `tollgate baseline save`")
    );
    assert_eq!(verdict.outcome, Outcome::Incomplete);
    assert_eq!(verdict.outcomes[0].1, "1 benchmark has too few stored runs: b03");
    assert_eq!(verdict.census.compared, BENCHMARKS - 1);
}

#[test]
fn a_benchmark_without_stored_runs_is_new() {
    let mut run = check(1.0, 20);
    run.baselines.remove(3);
    let verdict = judge(&run);
    assert_eq!(
        (row(&verdict, "b03").verdict, &verdict.census.new[..]),
        (Verdict::New, &["b03".to_owned()][..])
    );
    assert_eq!(verdict.outcome, Outcome::Pass);
}

#[test]
fn no_baseline_in_this_environment_is_incomplete_even_where_new_ones_are_allowed() {
    let mut run = check(1.0, 20);
    run.baselines.clear();
    run.policy.allow_new = true;
    let verdict = judge(&run);
    assert_eq!(verdict.outcome, Outcome::Incomplete);
    assert_eq!(verdict.outcomes[0].1, "there is no baseline for environment 0123456789abcdef");
}

#[test]
fn a_stored_benchmark_that_head_lacks_is_missing_unless_it_was_renamed() {
    let mut run = check(1.0, 20);
    run.baselines.push(series("old", Metric::time(), 100.0, 20));
    let verdict = judge(&run);
    assert_eq!((row(&verdict, "old").verdict, verdict.outcome), (Verdict::Missing, Outcome::Incomplete));
    run.measurements.push(head("new", 100.0));
    run.policy.renames = vec![Rename { from: "old".into(), to: "new".into() }];
    let verdict = judge(&run);
    assert_eq!(verdict.census.missing.len(), 0);
    assert!(row(&verdict, "new").p_value.is_some());
}

#[test]
fn a_shift_of_the_whole_suite_is_taken_off_and_told() {
    let mut run = check(1.0, 20);
    for slot in run.measurements.iter_mut().flat_map(|m| &mut m.blocks).flat_map(|block| &mut block.slots) {
        slot.samples[0].total *= 1.1;
    }
    let verdict = judge(&run);
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert_eq!(verdict.warnings[0].code, "suite_shift");
    assert!(verdict.warnings[0].message.contains("moved by +"), "{}", verdict.warnings[0].message);
}

#[test]
fn exact_metrics_are_compared_with_the_newest_stored_run_however_few_there_are() {
    let metric = Metric::count("instructions", "instructions");
    let mut stored = series("b00", metric.clone(), 100.0, 2);
    stored.runs[0].values = vec![5e6, 5e6];
    stored.runs[1].values = vec![1e6, 1e6];
    let heads = [(Side::Head, 1.1e6), (Side::Head, 1.1e6)];
    let run = Run { baselines: vec![stored], ..run(Mode::Stored, vec![of_values("b00", metric, &[&heads])]) };
    let row = only(&run);
    assert_eq!((row.verdict, row.base), (Verdict::Regressed, Some(1e6)));
    assert_eq!(suspects(&run), [benchmark("b00")]);
}

#[test]
fn a_benchmark_that_failed_is_failed_whatever_is_stored() {
    let mut run = check(1.0, 20);
    run.measurements[2].fate = Fate::Failed { side: Some(Side::Head), message: "exited".into() };
    let verdict = judge(&run);
    assert_eq!(row(&verdict, "b02").verdict, Verdict::Failed);
}

#[test]
fn a_zero_among_stored_values_is_judged_by_order_and_confirmed_by_rounds() {
    let hits = Metric { name: "cache_hit_rate".into(), unit: "ratio".into(), ..throughput() };
    let stored = |levels: [f64; 6]| {
        let run = |(at, level): (usize, &f64)| StoredRun {
            rev: "0".repeat(40),
            recorded_at: at as u64,
            values: vec![*level; 6],
            trials: Vec::new(),
        };
        let runs = levels.iter().enumerate().map(run).collect();
        StoredSeries { benchmark: benchmark("a"), metric: hits.clone(), runs }
    };
    let check = |levels: [f64; 6], new: f64| {
        let slots = vec![(Side::Head, new); 6];
        let measurement = of_values("a", hits.clone(), &[&slots]);
        Run { baselines: vec![stored(levels)], base: None, ..run(Mode::Stored, vec![measurement]) }
    };
    let row = |run: &Run| judge(run).judgements[0].clone();
    let idle = check([0.0; 6], 0.0);
    assert_eq!((row(&idle).verdict, suspects(&idle).len()), (Verdict::Unchanged, 0), "{}", row(&idle).reason);
    let lost = check([0.8, 0.81, 0.82, 0.8, 0.79, 0.8], 0.0);
    assert_eq!((row(&lost).verdict, suspects(&lost).len()), (Verdict::Inconclusive, 1));
    assert!(row(&lost).reason.contains("zero is among"), "{}", row(&lost).reason);
    let mut confirmed = lost;
    let block = [(Side::Base, 0.8), (Side::Head, 0.0)].repeat(3);
    confirmed.measurements[0].blocks.extend(of_values("a", hits.clone(), &[block.as_slice(); 6]).blocks);
    assert_eq!(row(&confirmed).verdict, Verdict::Regressed, "{}", row(&confirmed).reason);
}
