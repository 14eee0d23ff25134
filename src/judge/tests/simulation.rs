//! Whole checks on simulated slots: the planner deals and stops, the judge judges, and the figures of the sequential design
//! come out. Seeds are fixed, so nothing here can flicker.

use super::support::*;
use crate::{
    judge::{judge, paired::standing, policy::Rules},
    model::{
        policy::Policy,
        run::Measurement,
        verdict::{CheckVerdict, Judgement, Verdict},
    },
    plan::looks::{Item, Next, Planner, ROUNDS_PER_BLOCK, Settings},
    stats::sequential::LOOK_ROUNDS,
};

/// What a block takes: three rounds of 0.2 s.
const BLOCK_SECONDS: f64 = 0.6;

/// A shared machine: this share of slots is slowed down from outside.
const DISTURBED: f64 = 0.25;

/// Measures benchmarks of these factors as `check` does, one block at a time, and judges what was measured.
fn check(factors: &[f64], scatter: f64, seed: u64, budget_seconds: f64) -> CheckVerdict {
    let noises: Vec<Noise> = factors
        .iter()
        .map(|factor| Noise { scatter, disturbed: DISTURBED, seed, ..Noise::factor(*factor) })
        .collect();
    let mut measurements: Vec<Measurement> =
        noises.iter().enumerate().map(|(place, noise)| measured(&format!("b{place:03}"), noise, 0)).collect();
    let policy = Policy::default();
    let rules = Rules::new(&policy);
    let limits: Vec<_> = measurements.iter().map(|m| rules.limits(&m.benchmark, &m.metric)).collect();
    let item = |m: &Measurement| Item {
        benchmark: m.benchmark.clone(),
        margin: policy.margin,
        block_seconds: BLOCK_SECONDS,
    };
    let settings =
        Settings { budget_seconds, false_discovery_rate: policy.false_discovery_rate, family: policy.family };
    let mut planner = Planner::new(settings, measurements.iter().map(item).collect());
    let mut elapsed = 0.0;
    while let Next::Block(plan) = planner.next(elapsed) {
        for index in plan.benchmarks {
            let measurement = &mut measurements[index];
            let done = measurement.blocks.len();
            measurement.blocks.push(noises[index].block(&measurement.benchmark, done as u64));
            let blocks = u32::try_from(done + 1).unwrap();
            let look = LOOK_ROUNDS.contains(&(blocks * ROUNDS_PER_BLOCK));
            let standing = if look { standing(measurement, &limits[index]) } else { None };
            assert_eq!(standing.is_some(), look);
            planner.record(index, blocks, standing, BLOCK_SECONDS);
            elapsed += BLOCK_SECONDS;
        }
    }
    assert!(elapsed <= budget_seconds);
    judge(&paired(measurements))
}

/// The rows of many checks with one benchmark of this factor among seven clean ones.
fn rows_of(factor: f64, checks: u64) -> Vec<Judgement> {
    let mut factors = [1.0; 8];
    factors[3] = factor;
    (0..checks).map(|seed| check(&factors, 0.01, seed, 1e6).judgements.swap_remove(3)).collect()
}

fn share(rows: &[Judgement], verdict: Verdict) -> f64 {
    rows.iter().filter(|row| row.verdict == verdict).count() as f64 / rows.len() as f64
}

fn mean_rounds<'a>(rows: impl IntoIterator<Item = &'a Judgement>) -> f64 {
    let rounds: Vec<f64> = rows.into_iter().map(|row| f64::from(row.rounds)).collect();
    rounds.iter().sum::<f64>() / rounds.len() as f64
}

#[test]
fn clean_benchmarks_are_unchanged_after_few_rounds_and_none_is_named() {
    let verdicts: Vec<CheckVerdict> = (0..60).map(|seed| check(&[1.0; 8], 0.01, seed, 1e6)).collect();
    let rows: Vec<Judgement> = verdicts.iter().flat_map(|verdict| verdict.judgements.clone()).collect();
    assert!(share(&rows, Verdict::Unchanged) > 0.95);
    assert!((10.0..=14.0).contains(&mean_rounds(&rows)), "{}", mean_rounds(&rows));
    // At q = 1 % one failing check in 60 has probability 0.45, three have 0.03
    let failing = verdicts.iter().filter(|verdict| verdict.outcome.exit_code() != 0).count();
    assert!(failing <= 2, "{failing}");
}

#[test]
fn a_slowdown_of_five_per_cent_is_regressed() {
    let rows = rows_of(1.05, 40);
    assert!(share(&rows, Verdict::Regressed) >= 0.95);
    assert!((14.0..=17.0).contains(&mean_rounds(&rows)), "{}", mean_rounds(&rows));
}

#[test]
fn a_speedup_of_five_per_cent_is_improved() {
    let rows = rows_of(0.95, 40);
    assert!(share(&rows, Verdict::Improved) >= 0.95);
    assert!((14.0..=17.0).contains(&mean_rounds(&rows)), "{}", mean_rounds(&rows));
}

#[test]
fn a_change_of_just_the_margin_is_found_about_half_the_time_and_seldom_called_unchanged() {
    let rows = rows_of(1.02, 60);
    assert!((0.3..=0.8).contains(&share(&rows, Verdict::Regressed)));
    // 10 % is promised over all looks; 13 of 60 would have probability 0.01
    assert!(share(&rows, Verdict::Unchanged) <= 12.0 / 60.0);
}

#[test]
fn a_short_budget_leaves_rows_inconclusive_never_wrong_and_goes_to_the_suspects() {
    let mut factors = [1.0; 20];
    factors[11] = 1.06;
    // First blocks take 12 s; of the 13 s left the suspect needs up to 7.2 s, others look suspect at first too
    let verdicts: Vec<CheckVerdict> = (0..20).map(|seed| check(&factors, 0.01, seed, 25.0)).collect();
    let found = verdicts.iter().filter(|v| v.judgements[11].verdict == Verdict::Regressed).count();
    assert!(found >= 16, "{found}");
    let wrong = verdicts
        .iter()
        .flat_map(|v| &v.judgements)
        .filter(|row| row.display_id != "b011" && row.verdict == Verdict::Regressed);
    assert_eq!(wrong.count(), 0);
}
