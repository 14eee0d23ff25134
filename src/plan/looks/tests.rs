use proptest::prelude::*;

use super::*;
use crate::{
    model::{
        benchmark::{Benchmark, BenchmarkId},
        policy::FamilyMethod,
    },
    stats::{random::Stream, sequential::LOOK_ROUNDS},
};

fn item(target: &str, id: usize, block_seconds: f64) -> Item {
    let id = BenchmarkId::new(format!("b{id}")).unwrap();
    Item { benchmark: Benchmark::new(target, id), margin: 0.02, block_seconds }
}

fn settings(budget_seconds: f64) -> Settings {
    Settings { budget_seconds, false_discovery_rate: 0.01, family: FamilyMethod::FalseDiscovery }
}

fn planner(budget_seconds: f64, items: usize) -> Planner {
    Planner::new(settings(budget_seconds), (0..items).map(|id| item("kernels", id, 1.0)).collect())
}

/// A benchmark of which nothing can be said yet.
fn undecided(rounds: u32, no_worse_ratio: f64) -> Standing {
    Standing {
        rounds,
        p_value: 1.0,
        p_at_look: 1.0,
        improved_p_value: 1.0,
        improved_p_at_look: 1.0,
        no_worse_ratio,
    }
}

fn suspect(rounds: u32, p_at_look: f64) -> Standing {
    Standing { p_at_look, ..undecided(rounds, 20.0) }
}

fn plan(target: &str, benchmarks: &[usize]) -> Next {
    Next::Block(BlockPlan { target: target.into(), benchmarks: benchmarks.to_vec() })
}

#[test]
fn the_first_block_of_every_target_comes_before_any_second_block() {
    let items = vec![item("a", 0, 1.0), item("b", 1, 1.0), item("a", 2, 1.0)];
    let mut planner = Planner::new(settings(1e3), items);
    assert_eq!(planner.next(0.0), plan("a", &[0, 2]));
    planner.record(0, 1, Some(suspect(3, 0.01)), 1.0);
    planner.record(2, 1, Some(undecided(3, 2.0)), 1.0);
    assert_eq!(planner.next(2.0), plan("b", &[1]));
    planner.record(1, 1, Some(undecided(3, 2.0)), 1.0);
    assert_eq!(planner.next(3.0), plan("a", &[0, 2]));
}

#[test]
fn a_suspect_goes_before_the_undecided_when_the_budget_is_short() {
    let mut planner = planner(10.0, 3);
    planner.record(0, 1, Some(undecided(3, 1.5)), 1.0);
    planner.record(1, 1, Some(suspect(3, 0.1)), 1.0);
    planner.record(2, 1, Some(suspect(3, 0.05)), 1.0);
    // 7 s are left; the smaller p could need twelve blocks, so nobody rides with it
    assert_eq!(planner.next(3.0), plan("kernels", &[2]));
    planner.record(2, 2, Some(undecided(6, 3.0)), 1.0);
    assert_eq!(planner.next(4.0), plan("kernels", &[1]));
    planner.record(1, 2, Some(undecided(6, 3.0)), 1.0);
    // 5 s are left: the nearest to `unchanged` takes one block, one other its two
    assert_eq!(planner.next(5.0), plan("kernels", &[0, 1, 2]));
    assert_eq!(planner.next(6.0), plan("kernels", &[0, 1]));
}

#[test]
fn everybody_rides_together_when_the_budget_is_ample() {
    let mut planner = planner(1e6, 3);
    planner.record(0, 1, Some(suspect(3, 0.05)), 1.0);
    planner.record(1, 1, Some(undecided(3, 1.5)), 1.0);
    planner.record(2, 1, Some(undecided(3, 1.5)), 1.0);
    assert_eq!(planner.next(3.0), plan("kernels", &[0, 1, 2]));
}

#[test]
fn a_benchmark_that_is_shown_to_be_no_worse_stops_unless_it_looks_improved() {
    let mut planner = planner(1e6, 2);
    planner.record(0, 1, Some(undecided(3, 1.0)), 1.0);
    planner.record(1, 1, Some(Standing { improved_p_at_look: 0.05, ..undecided(3, 1.0) }), 1.0);
    assert_eq!(planner.decided(), 1);
    assert_eq!(planner.next(2.0), plan("kernels", &[1]));
    planner.record(1, 2, Some(Standing { improved_p_at_look: 0.16, ..undecided(6, 1.0) }), 1.0);
    assert_eq!(planner.next(3.0), Next::Done);
}

#[test]
fn a_benchmark_stops_when_the_family_rejects_it_in_either_direction() {
    let mut planner = planner(1e6, 3);
    planner.record(0, 4, Some(Standing { p_value: 0.004, ..suspect(12, 1e-3) }), 1.0);
    assert_eq!(planner.decided(), 0, "0.004 is above 0.01 / 3");
    planner.record(1, 4, Some(Standing { p_value: 0.001, ..suspect(12, 1e-4) }), 1.0);
    assert_eq!(planner.decided(), 2, "the second p lets the first one in");
    planner.record(2, 4, Some(Standing { improved_p_value: 0.003, ..undecided(12, 0.1) }), 1.0);
    assert_eq!(planner.decided(), 3);
    assert_eq!(planner.next(3.0), Next::Done);
}

#[test]
fn holm_is_stricter_than_benjamini_hochberg() {
    let strict = Settings { family: FamilyMethod::Strict, ..settings(1e6) };
    let mut planner = Planner::new(strict, (0..3).map(|id| item("kernels", id, 1.0)).collect());
    planner.record(0, 4, Some(Standing { p_value: 0.006, ..suspect(12, 1e-3) }), 1.0);
    planner.record(1, 4, Some(Standing { p_value: 0.001, ..suspect(12, 1e-4) }), 1.0);
    assert_eq!(planner.decided(), 1);
}

#[test]
fn a_benchmark_ends_at_the_last_look_undecided_or_not() {
    let mut planner = planner(1e6, 1);
    planner.record(0, 13, Some(undecided(39, 2.0)), 1.0);
    assert_eq!((planner.next(0.0), planner.decided(), planner.next_look(0)), (Next::Done, 1, 39));
}

#[test]
fn a_step_that_would_not_reach_its_look_is_not_begun() {
    let mut planner = planner(10.0, 1);
    planner.record(0, 2, Some(undecided(6, 2.0)), 1.0);
    assert_eq!(planner.next_look(0), 12);
    assert_eq!(planner.next(8.5), Next::Done, "two blocks take two seconds");
    assert_eq!(planner.next(8.0), plan("kernels", &[0]));
}

#[test]
fn a_step_that_was_begun_is_ended_first() {
    let mut planner = planner(20.0, 2);
    planner.record(0, 3, Some(undecided(6, 2.0)), 1.0);
    planner.record(1, 1, Some(suspect(3, 0.01)), 1.0);
    assert_eq!(planner.next(17.5), plan("kernels", &[0, 1]));
    assert_eq!(planner.next(18.5), plan("kernels", &[0]));
}

#[test]
fn a_suspect_between_two_looks_still_keeps_what_it_may_need() {
    let mut planner = planner(20.0, 2);
    planner.record(0, 1, Some(undecided(3, 2.0)), 1.0);
    planner.record(1, 3, Some(suspect(6, 0.01)), 1.0);
    // Ten blocks could still convict it
    assert_eq!(planner.next(9.5), plan("kernels", &[1]));
    assert_eq!(planner.next(9.0), plan("kernels", &[0, 1]));
}

#[test]
fn what_does_not_fit_is_left_unmeasured_and_named() {
    let items = vec![item("a", 0, 5.0), item("a", 1, 50.0), item("b", 2, 3.0)];
    let mut planner = Planner::new(settings(10.0), items);
    planner.set_target_overhead("a", 1.0);
    planner.set_target_overhead("b", 1.5);
    assert_eq!(planner.next(0.0), plan("a", &[0]));
    planner.record(0, 1, Some(undecided(3, 0.5)), 5.0);
    assert_eq!(planner.next(6.0), Next::Done, "a block of `b` takes 4.5 s with its spawning");
    assert_eq!(planner.unmeasured(), [1, 2]);
}

#[test]
fn spawning_is_paid_once_for_benchmarks_that_share_it() {
    let mut planner = Planner::new(settings(4.0), vec![item("a", 0, 1.0), item("a", 1, 1.0)]);
    planner.set_target_overhead("a", 2.0);
    assert_eq!(planner.next(0.0), plan("a", &[0, 1]));
    assert_eq!(planner.next(0.5), plan("a", &[0]));
}

#[test]
fn what_costs_nothing_more_rides_with_a_suspect_that_may_need_everything() {
    let mut planner = Planner::new(settings(100.0), vec![item("load:a", 0, 0.0), item("load:a", 1, 0.0)]);
    planner.set_target_overhead("load:a", 30.0);
    planner.record(0, 1, Some(suspect(3, 0.01)), 0.0);
    planner.record(1, 1, Some(suspect(3, 0.2)), 0.0);
    // 70 s are left for blocks of 30 s, and the first could need twelve
    assert_eq!(planner.next(30.0), plan("load:a", &[0, 1]));
    assert_eq!(planner.next(80.0), Next::Done);
}

#[test]
fn a_failed_benchmark_is_not_planned_again() {
    let mut planner = planner(1e3, 2);
    planner.fail(0);
    assert_eq!(planner.next(0.0), plan("kernels", &[1]));
    assert_eq!((planner.decided(), planner.unmeasured()), (1, vec![1]));
}

#[test]
fn the_measured_cost_replaces_the_expected_one() {
    let mut planner = planner(10.0, 1);
    planner.record(0, 1, Some(undecided(3, 2.0)), 9.5);
    assert_eq!(planner.next(9.0), Next::Done);
    planner.record(0, 1, None, f64::NAN);
    assert_eq!(planner.next(9.0), Next::Done, "a cost that is no number changes nothing");
}

#[test]
fn a_void_block_is_planned_again() {
    let mut planner = planner(1e3, 1);
    assert_eq!(planner.next(0.0), plan("kernels", &[0]));
    planner.record(0, 0, None, 1.0);
    assert_eq!(planner.next(1.0), plan("kernels", &[0]));
    assert_eq!(planner.unmeasured(), [0]);
}

#[test]
fn the_time_left_is_bounded_by_the_budget_and_falls_to_nothing() {
    let mut planner = planner(5.0, 2);
    assert!((planner.remaining_seconds(1.0) - 4.0).abs() < 1e-12);
    let wide = Planner::new(settings(f64::INFINITY), vec![item("a", 0, 1.5)]);
    assert!((wide.remaining_seconds(0.0) - 6.0).abs() < 1e-12, "four blocks");
    planner.record(0, 1, Some(undecided(3, 0.5)), 1.0);
    planner.record(1, 1, Some(undecided(3, 0.5)), 1.0);
    assert!(planner.remaining_seconds(2.0).abs() < 1e-12);
}

#[test]
fn an_index_or_time_that_makes_no_sense_does_no_harm() {
    let mut planner = planner(5.0, 1);
    planner.record(9, 1, None, 1.0);
    planner.fail(9);
    assert_eq!(planner.next_look(9), 39);
    assert_eq!(planner.next(f64::NAN), Next::Done);
    let mut nothing = Planner::new(settings(5.0), Vec::new());
    assert_eq!(nothing.next(0.0), Next::Done);
}

/// What a made-up benchmark shows at a look: a function of its index and the looks so far alone.
fn shown(seed: u64, index: usize, rounds: u32) -> Standing {
    let looks = || LOOK_ROUNDS.into_iter().filter(|look| *look <= rounds);
    let drawn =
        |look: u32, purpose| Stream::new(seed, purpose, &[&index.to_string()], u64::from(look)).unit();
    let sequential = |purpose| looks().map(|look| drawn(look, purpose) * 4.0).fold(1.0, f64::min);
    Standing {
        rounds,
        p_value: sequential("worse"),
        p_at_look: drawn(rounds, "worse"),
        improved_p_value: sequential("improved"),
        improved_p_at_look: drawn(rounds, "improved"),
        no_worse_ratio: drawn(rounds, "no worse") * 8.0,
    }
}

/// A made-up check: what its planner was asked and told.
struct Check {
    seed: u64,
    blocks: Vec<u32>,
    elapsed: f64,
    plans: Vec<BlockPlan>,
}

impl Check {
    /// Runs a planner for at most `steps` blocks, each taking what it was expected to.
    fn run(&mut self, planner: &mut Planner, items: &[Item], overhead: f64, steps: usize) {
        for _ in 0..steps {
            let Next::Block(plan) = planner.next(self.elapsed) else { return };
            self.elapsed += overhead;
            for &index in &plan.benchmarks {
                self.elapsed += items[index].block_seconds;
                self.blocks[index] += 1;
                let rounds = self.blocks[index] * ROUNDS_PER_BLOCK;
                let look = LOOK_ROUNDS.contains(&rounds).then(|| shown(self.seed, index, rounds));
                planner.record(index, self.blocks[index], look, items[index].block_seconds);
            }
            self.plans.push(plan);
        }
        panic!("the planner does not end");
    }
}

fn scene() -> impl Strategy<Value = (u64, f64, f64, Vec<Item>)> {
    let drawn = (0..3_usize, 0.1..3.0_f64);
    let items = proptest::collection::vec(drawn, 1..12).prop_map(|items| {
        let named = |(id, (target, seconds))| item(["a", "b", "c"][target], id, seconds);
        items.into_iter().enumerate().map(named).collect::<Vec<_>>()
    });
    (any::<u64>(), 0.0..200.0_f64, 0.0..2.0_f64, items)
}

fn fresh(budget: f64, overhead: f64, items: &[Item]) -> Planner {
    let mut planner = Planner::new(settings(budget), items.to_vec());
    for target in ["a", "b", "c"] {
        planner.set_target_overhead(target, overhead);
    }
    planner
}

fn whole(seed: u64, budget: f64, overhead: f64, items: &[Item]) -> (Check, Planner) {
    let mut planner = fresh(budget, overhead, items);
    let mut check = Check { seed, blocks: vec![0; items.len()], elapsed: 0.0, plans: Vec::new() };
    // Thirteen blocks of twelve benchmarks and the answer that it is over
    check.run(&mut planner, items, overhead, 13 * 12 + 1);
    (check, planner)
}

proptest! {
    #[test]
    fn a_planner_ends_within_its_budget((seed, budget, overhead, items) in scene()) {
        let (check, planner) = whole(seed, budget, overhead, &items);
        prop_assert!(check.elapsed <= budget + 1e-9);
        prop_assert!(check.blocks.iter().all(|blocks| *blocks <= 13));
        prop_assert!(planner.remaining_seconds(check.elapsed) <= budget);
    }

    #[test]
    fn nobody_gets_a_second_block_before_everybody_that_fits_has_a_first((seed, budget, overhead, items) in scene()) {
        let (check, planner) = whole(seed, budget, overhead, &items);
        let mut blocks = vec![0; items.len()];
        for plan in &check.plans {
            for &index in &plan.benchmarks {
                let waits = |i: &usize| blocks[*i] == 0 && !planner.unmeasured().contains(i);
                prop_assert!(blocks[index] == 0 || !(0..items.len()).any(|i| waits(&i)));
                prop_assert_eq!(&items[index].benchmark.target, &plan.target);
            }
            for &index in &plan.benchmarks {
                blocks[index] += 1;
            }
        }
    }

    #[test]
    fn an_ample_budget_decides_everybody((seed, _budget, overhead, items) in scene()) {
        let (_, planner) = whole(seed, 1e6, overhead, &items);
        prop_assert_eq!(planner.decided(), items.len());
    }

    #[test]
    fn a_resumed_planner_goes_on_as_the_unbroken_one((seed, budget, overhead, items) in scene(), cut in 0..60_usize) {
        let (unbroken, _) = whole(seed, budget, overhead, &items);
        let cut = cut.min(unbroken.plans.len());
        let mut check = Check { seed, blocks: vec![0; items.len()], elapsed: 0.0, plans: Vec::new() };
        for plan in &unbroken.plans[..cut] {
            check.elapsed += overhead;
            for &index in &plan.benchmarks {
                check.elapsed += items[index].block_seconds;
                check.blocks[index] += 1;
            }
        }
        let mut planner = fresh(budget, overhead, &items);
        for (index, &blocks) in check.blocks.iter().enumerate() {
            let look = LOOK_ROUNDS.into_iter().rfind(|look| *look <= blocks * ROUNDS_PER_BLOCK);
            planner.record(index, blocks, look.map(|look| shown(seed, index, look)), items[index].block_seconds);
        }
        check.run(&mut planner, &items, overhead, 13 * 12 + 1);
        prop_assert_eq!(&check.plans[..], &unbroken.plans[cut..]);
    }
}
