use super::{merge, merge_named};
use crate::{
    format::{example, verdict_v1},
    judge::judge,
    model::{
        benchmark::BenchmarkId,
        environment::EnvironmentKey,
        outcome::{ErrorClass, Outcome},
        policy::{FamilyMethod, Rule},
        run::{Fate, Measurement, Mode, Run},
        verdict::{CheckVerdict, Verdict},
    },
};

const NOW: u64 = 1_800_000_000;

/// A calm run: nothing in it failed or vanished.
fn whole() -> Run {
    let mut run = example::run();
    run.measurements.retain(|m| matches!(m.fate, Fate::Measured | Fate::Identical));
    run.policy.waivers.clear();
    run.policy.renames.clear();
    run.policy.rules.clear();
    run
}

fn id(measurement: &Measurement) -> &str {
    measurement.benchmark.id.as_str()
}

/// What a shard measures whose filter lets only some ids through.
fn shard(ids: &[&str]) -> Run {
    let mut run = whole();
    for measurement in &mut run.measurements {
        if !ids.contains(&id(measurement)) {
            measurement.fate = Fate::Ignored("`--filter`".into());
            measurement.blocks.clear();
        }
    }
    run
}

fn two() -> [Run; 2] {
    [shard(&["hash/fnv", "layout/a|b <i>", "num/sieve"]), shard(&["num/fact", "sort/quick", "tree/walk"])]
}

fn merged(runs: &[Run], expected: Option<usize>) -> Result<CheckVerdict, String> {
    let verdicts = runs.iter().enumerate().map(|(at, run)| (format!("{at}.json"), judge(run)));
    merge_named(verdicts.collect(), expected, NOW).map_err(|failure| failure.to_string())
}

#[test]
fn shards_are_judged_as_if_one_machine_had_measured_everything() {
    let merged = merged(&two(), Some(2)).unwrap();
    let alone = judge(&whole());
    assert_eq!(merged.judgements, alone.judgements);
    assert_eq!(merged.families, alone.families);
    assert_eq!(merged.census, alone.census);
    assert_eq!((merged.families[0].tests, merged.census.compared), (5, 6));
    assert!(merged.census.ignored.is_empty());
    assert!((merged.duration_seconds - 2.0 * 71.3).abs() < 1e-9);
    assert_eq!(merged.warnings.len(), alone.warnings.len());
}

#[test]
fn a_test_shares_its_error_rate_with_those_of_the_other_shards() {
    let mut runs = two();
    runs.iter_mut().for_each(|run| run.policy.family = FamilyMethod::Strict);
    let q = |verdict: &CheckVerdict| {
        let row = verdict.judgements.iter().find(|row| row.display_id == "num/sieve").unwrap();
        row.q_value.unwrap()
    };
    let alone = judge(&runs[0]);
    assert_eq!(alone.families[0].tests, 2);
    assert!(q(&merged(&runs, None).unwrap()) > q(&alone));
}

#[test]
fn a_merged_verdict_is_again_a_verdict_that_can_be_merged_and_read() {
    let [a, b] = two();
    let both = merged(&[a, b], None).unwrap();
    let bytes = verdict_v1::to_json(&both);
    assert_eq!(verdict_v1::from_json(&bytes).unwrap(), both);
    assert_eq!(merge(vec![both.clone()], None, NOW).unwrap(), both);
}

#[test]
fn what_every_shard_left_out_stays_left_out_with_its_reason() {
    let merged = merged(&[shard(&["num/sieve"]), shard(&["num/fact"])], None).unwrap();
    assert_eq!((merged.census.expected, merged.census.ignored.len()), (2, 4));
    assert_eq!(merged.census.ignored[0], ("hash/fnv".into(), "`--filter`".into()));
}

#[test]
fn a_missing_shard_makes_the_check_incomplete_and_stays_so_when_judged_again() {
    let one = merged(&two()[1..], Some(3)).unwrap();
    assert!(
        one.outcomes.contains(&(Outcome::Incomplete, "2 of 3 shards are missing".into())),
        "{:?}",
        one.outcomes
    );
    let calm = merged(&[shard(&["num/fact", "layout/a|b <i>"])], Some(2)).unwrap();
    assert_ne!(calm.outcome, Outcome::Pass);
    let read = verdict_v1::from_json(&verdict_v1::to_json(&calm)).unwrap();
    assert_eq!(merge(vec![read], None, NOW).unwrap(), calm);
    let none = merge(Vec::new(), Some(2), NOW).unwrap_err();
    assert_eq!(
        (none.outcome(), none.to_string().as_str()),
        (Outcome::Incomplete, "could not merge: none of 2 shards is there")
    );
    let many = merged(&two(), Some(1)).unwrap_err();
    assert_eq!(many, "could not merge: there are 2 verdicts, 1 expected");
}

#[test]
fn shards_of_other_checks_are_refused_by_name() {
    let refused = |edit: fn(&mut Run)| {
        let [a, mut b] = two();
        edit(&mut b);
        merged(&[a, b], None).unwrap_err()
    };
    insta::assert_snapshot!(refused(|run| run.head.tree = Some("d".repeat(40))), @"could not merge: `1.json` has another head than `0.json`: work tree, tree ddddddddd and work tree, tree ccccccccc");
    insta::assert_snapshot!(refused(|run| run.base.as_mut().unwrap().tree = Some("7".repeat(40))), @"could not merge: `1.json` has another base than `0.json`: 4f2a91c03 (main), tree 777777777 and 4f2a91c03 (main), tree eeeeeeeee");
    insta::assert_snapshot!(refused(|run| run.policy.margin = 0.05), @"could not merge: `1.json` has another margin than `0.json`: 0.05 and 0.02");
    insta::assert_snapshot!(refused(|run| run.policy.rules = vec![Rule { benchmark: "a".into(), ..Rule::default() }]), @"could not merge: `1.json` has another set of rules than `0.json`: 1 rule and 0 rules");
    insta::assert_snapshot!(refused(|run| run.policy.must_rule_out = 0.5), @"could not merge: `1.json` has another policy than `0.json`: another and one");
    insta::assert_snapshot!(refused(|run| run.measurements = shard(&["num/sieve"]).measurements), @"could not merge: `num/sieve` was measured by both `0.json` and `1.json`");
}

#[test]
fn a_matrix_of_machines_keeps_both_measurements_apart() {
    let mut arm = whole();
    arm.environment.os = "linux-aarch64".into();
    arm.environment.key = EnvironmentKey::parse("00000000000000aa").unwrap();
    let rule = Rule { benchmark: "kernels:num/*".into(), margin: Some(0.2), ..Rule::default() };
    let mut amd = whole();
    for run in [&mut amd, &mut arm] {
        run.policy.rules = vec![rule.clone()];
    }
    let merged = merged(&[amd, arm], Some(2)).unwrap();
    let ids: Vec<&str> = merged.judgements.iter().map(|row| row.display_id.as_str()).collect();
    assert!(
        ids.contains(&"linux-x86_64/kernels:num/sieve") && ids.contains(&"linux-aarch64/kernels:num/sieve"),
        "{ids:?}"
    );
    assert_eq!(merged.census.expected, 12);
    let margins =
        merged.judgements.iter().filter(|row| row.display_id.ends_with("num/sieve")).map(|row| row.margin);
    assert!(margins.clone().count() == 2 && margins.clone().all(|margin| (margin - 0.2).abs() < 1e-12));
    let codes: Vec<&str> = merged.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert!(codes.contains(&"several_environments") && !codes.contains(&"unmatched_rule"), "{codes:?}");
}

#[test]
fn machines_of_two_classes_that_shared_the_work_are_named() {
    let [a, mut b] = two();
    b.environment.key = EnvironmentKey::parse("00000000000000bb").unwrap();
    let merged = merged(&[a, b], None).unwrap();
    assert!(merged.judgements.iter().all(|row| !row.display_id.contains("kernels")), "no prefix is needed");
    let warning = merged.warnings.iter().find(|warning| warning.code == "several_environments").unwrap();
    assert!(warning.message.contains("in 2 environments: linux-x86_64-"), "{}", warning.message);
}

/// A run in which one benchmark plainly takes twice as long.
fn broken() -> Run {
    let mut run = whole();
    let sieve = run.measurements.iter_mut().find(|m| id(m) == "num/sieve").unwrap();
    sieve.blocks = (0..9).flat_map(|_| example::blocks(10_000.0, 20_000.0)).collect();
    run
}

#[test]
fn what_a_verdict_says_against_its_evidence_is_refused() {
    let refused = |edit: fn(&mut CheckVerdict)| {
        let mut verdict = judge(&broken());
        edit(&mut verdict);
        merge(vec![verdict], None, NOW).unwrap_err().to_string()
    };
    assert_eq!(judge(&broken()).outcome, Outcome::Regressed);
    insta::assert_snapshot!(refused(|verdict| verdict.outcome = Outcome::Pass), @"could not take `verdict 1`: it contradicts its own evidence: it says `pass`, which its measurements judge as `regressed`");
    insta::assert_snapshot!(refused(|verdict| verdict.judgements[3].verdict = Verdict::Unchanged), @"could not take `verdict 1`: it contradicts its own evidence: it says `unchanged` of `num/sieve`, whose measurements are judged as `regressed`");
    insta::assert_snapshot!(refused(|verdict| drop(verdict.judgements.remove(2))), @"could not take `verdict 1`: it contradicts its own evidence: it has 5 rows, its measurements give 6");
    insta::assert_snapshot!(refused(|verdict| verdict.judgements[2].display_id = "x\n".into()), @r"could not take `verdict 1`: it contradicts its own evidence: it has a row `x\n` where its measurements give `num/fact`");
    insta::assert_snapshot!(refused(|verdict| verdict.evidence = None), @"could not take `verdict 1`: it came without its evidence, so it cannot be judged again");
}

#[test]
fn a_verdict_of_another_version_is_judged_by_the_rules_of_this_one() {
    let mut verdict = judge(&broken());
    verdict.tool_version = "0.0.9".into();
    verdict.outcome = Outcome::Pass;
    assert_eq!(merge(vec![verdict], None, NOW).unwrap().outcome, Outcome::Regressed);
}

#[test]
fn what_failed_in_every_shard_is_one_failure() {
    let mut runs = two();
    for (at, run) in runs.iter_mut().enumerate() {
        let mut failed = whole().measurements.swap_remove(0);
        failed.benchmark.id = BenchmarkId::new("io/read").unwrap();
        failed.fate = Fate::Failed { side: None, message: format!("process {at} was killed") };
        failed.blocks.clear();
        run.measurements.push(failed);
    }
    let merged = merged(&runs, None).unwrap();
    assert_eq!(merged.census.failed, ["io/read"]);
    assert_eq!(merged.outcome, Outcome::Error(ErrorClass::Measurement));
}

#[test]
fn an_interrupted_shard_is_named() {
    let [a, mut b] = two();
    b.interrupted = Some("interrupted by SIGTERM".into());
    let merged = merged(&[a, b], None).unwrap();
    assert!(
        merged.outcomes.iter().any(|(_, reason)| reason == "interrupted by SIGTERM in `1.json`"),
        "{:?}",
        merged.outcomes
    );
}

#[test]
fn a_load_scenario_that_two_shards_measured_is_refused_on_any_machine() {
    let mut runs = two();
    for run in &mut runs {
        let mut measurement = whole().measurements.swap_remove(0);
        measurement.benchmark.id = BenchmarkId::new("load:checkout").unwrap();
        run.measurements.push(measurement);
    }
    runs[1].environment.key = EnvironmentKey::parse("00000000000000bb").unwrap();
    let error = merged(&runs, None).unwrap_err();
    assert!(error.contains("`load:checkout` was measured by both"), "{error}");
}

#[test]
fn evidence_that_would_keep_the_machine_busy_for_hours_is_refused_unjudged() {
    let refused = |edit: fn(&mut Run)| {
        // The words of a verdict do not matter when its evidence is not judged at all.
        let mut verdict = judge(&whole());
        edit(verdict.evidence.as_mut().unwrap());
        merge(vec![verdict], None, NOW).unwrap_err().to_string()
    };
    let many = refused(|run| {
        let block = run.measurements[0].blocks[0].clone();
        run.measurements[0].blocks = vec![block; 1_001];
    });
    assert!(many.ends_with("would take too long: a benchmark has more than 1000 blocks"), "{many}");
    let wide = refused(|run| {
        let slot = run.measurements[0].blocks[0].slots[0].clone();
        run.measurements[0].blocks[0].slots = vec![slot; 65];
    });
    assert!(wide.ends_with("a block has more than 64 slots"), "{wide}");
    let at_once = refused(|run| {
        run.mode = Mode::OneLook;
        let slot = run.measurements[0].blocks[0].slots[0].clone();
        run.measurements[0].blocks[0].slots = vec![slot; 50_001];
    });
    assert!(at_once.ends_with("it has more than 50000 slots"), "{at_once}");
}
