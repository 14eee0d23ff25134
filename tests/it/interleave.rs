//! Order, pairing and replay of paired rounds, written down by the benches themselves; benches that misbehave; interrupts; resuming.

use crate::support::{
    measuring::{Outcome, Scene, pair},
    samples::executable,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};
use tollgate::{
    model::{
        benchmark::{Benchmark, BenchmarkId},
        policy::Rename,
        run::{Fate, Side, SlotMethod},
    },
    plan::deal::{padding, spawn_order, turns},
    progress::Event,
};

/// A turn as the bench wrote it down.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    side: Side,
    process: u32,
    benchmark: String,
    padding: u32,
}

/// The last `count` turns that the benches of `odd` wrote down; the scouts' visits come before.
fn turns_written(log: &Path, count: usize) -> Vec<Entry> {
    let entry = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [side, process, benchmark, padding] = words[..] else { panic!("{line}") };
        let side = if side == "base" { Side::Base } else { Side::Head };
        let benchmark = benchmark.to_owned();
        Entry { side, process: process.parse().unwrap(), benchmark, padding: padding.parse().unwrap() }
    };
    let mut entries: Vec<Entry> = fs::read_to_string(log).unwrap().lines().map(entry).collect();
    entries.split_off(entries.len() - count)
}

fn logged(mut scene: Scene) -> (Scene, Outcome, Vec<Entry>) {
    let log = scene.path("order");
    scene = scene.set("ORDER_LOG", log.to_str().unwrap()).set_base("SIDE", "base").set_head("SIDE", "head");
    let outcome = scene.measure();
    let slots =
        outcome.measured.measurements.iter().flat_map(|m| &m.blocks).map(|block| block.slots.len()).sum();
    let entries = turns_written(&log, slots);
    (scene, outcome, entries)
}

fn benchmark(id: &str) -> Benchmark {
    Benchmark::new("odd", BenchmarkId::new(id).unwrap())
}

#[test]
fn live_processes_take_turns_benchmark_by_benchmark_as_the_seed_deals() {
    let mut scene = Scene::of("odd");
    scene.enough_rounds = 6;
    let (scene, outcome, entries) = logged(scene);
    assert_eq!(entries.len(), 2 * 3 * 6, "two blocks of three benchmarks");
    for (set, block) in entries.chunks(18).enumerate() {
        let set = set as u64;
        // Six processes live at once and each of them takes one turn of every benchmark.
        let spawned = spawn_order(scene.seed, "odd", set);
        let mut ids: BTreeMap<u32, (Side, u32)> = BTreeMap::new();
        for (benchmark_turns, id) in block.chunks(6).zip(["first", "suspect", "last"]) {
            let dealt = turns(scene.seed, &benchmark(id), set);
            for (entry, turn) in benchmark_turns.iter().zip(dealt) {
                assert_eq!((entry.benchmark.as_str(), entry.side), (id, turn.side));
                ids.insert(entry.process, (entry.side, entry.padding));
                // The process that was dealt this turn is known by its padding, which its place in the spawn order deals.
                let of_side = (0..6).filter(|number| spawned[*number] == turn.side);
                let number = of_side.into_iter().nth(turn.process).unwrap();
                assert_eq!(entry.padding, padding(scene.seed, "odd", set, number));
            }
        }
        assert_eq!(ids.len(), 6);
        let slots = &outcome.of("suspect").blocks[usize::try_from(set).unwrap()].slots;
        let kept: Vec<(Side, u32)> = slots.iter().map(|slot| (slot.side, slot.padding)).collect();
        let written: Vec<(Side, u32)> =
            block[6..12].iter().map(|entry| (entry.side, entry.padding)).collect();
        assert_eq!(kept, written);
    }
}

#[test]
fn the_same_seed_replays_every_turn_and_another_one_does_not() {
    let order = |seed| {
        let mut scene = Scene::of("odd");
        (scene.seed, scene.enough_rounds) = (seed, 6);
        let turn = |entry: Entry| (entry.side, entry.benchmark, entry.padding);
        logged(scene).2.into_iter().map(turn).collect::<Vec<_>>()
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
}

#[test]
fn sides_that_differ_in_their_sets_and_orders_are_paired_by_id() {
    let scene = Scene::of("odd").set_base("BENCHES", "reversed").set_head("BENCHES", "other");
    let (_, outcome, entries) = logged(scene);
    let fates: Vec<(&str, &Fate)> =
        outcome.measured.measurements.iter().map(|m| (m.benchmark.id.as_str(), &m.fate)).collect();
    let expected = [
        ("first", &Fate::Measured),
        ("last", &Fate::Measured),
        ("other", &Fate::New),
        ("suspect", &Fate::Missing),
    ];
    assert_eq!(fates, expected);
    // Base runs `last` before `first` and head after it: each has six processes of its own, and its turns stay together.
    for block in entries.chunks(6) {
        let ids: BTreeSet<&str> = block.iter().map(|entry| entry.benchmark.as_str()).collect();
        assert_eq!((block.len(), ids.len()), (6, 1));
    }
    let processes: BTreeSet<u32> = entries.iter().map(|entry| entry.process).collect();
    assert_eq!(processes.len(), 12);
}

#[test]
fn a_renamed_benchmark_is_compared_with_its_old_self() {
    let mut scene = Scene::of("odd").set_head("BENCHES", "other");
    scene.renames = vec![Rename { from: "suspect".into(), to: "other".into() }];
    let outcome = scene.measure();
    assert_eq!(outcome.ids(), ["first", "last", "other"]);
    assert!(outcome.measured.measurements.iter().all(|m| m.fate == Fate::Measured && m.blocks.len() == 1));
}

#[test]
fn a_slower_head_is_slower_in_every_block() {
    let mut scene = Scene::of("odd").set_head("SLOW", "first");
    scene.enough_rounds = 6;
    let outcome = scene.measure();
    let fastest = |side: Side, block: &tollgate::model::run::Block| {
        let slots = block.slots.iter().filter(|slot| slot.side == side);
        let samples = slots.flat_map(|slot| &slot.samples).map(|sample| sample.total / sample.iterations);
        samples.fold(f64::INFINITY, f64::min)
    };
    for block in &outcome.of("first").blocks {
        let ratio = fastest(Side::Head, block) / fastest(Side::Base, block);
        assert!(ratio > 1.5, "three times the work took {ratio} times the time");
    }
}

/// The benchmark that misbehaves on head fails with its reason, and its neighbours are measured all the same.
fn fails_alone(behaviour: &str, expected: &[&str]) {
    let mut scene = Scene::of("odd").set_head("MISBEHAVE", behaviour);
    scene.slot.timeout = Some(Duration::from_secs(2));
    let outcome = scene.measure();
    assert_eq!(outcome.ids(), ["first", "last", "suspect"], "{behaviour}");
    for id in ["first", "last"] {
        let measurement = outcome.of(id);
        assert_eq!((&measurement.fate, measurement.blocks.len()), (&Fate::Measured, 1), "{behaviour}: {id}");
        assert_eq!(measurement.method, SlotMethod::Lockstep);
    }
    let message = outcome.failure("suspect");
    assert!(message.starts_with("head: "), "{message}");
    for part in expected {
        assert!(message.contains(part), "{behaviour}: {message}");
    }
    assert!(!message.contains('\u{1b}') && message.len() < 4000);
}

#[test]
fn a_benchmark_that_panics_fails_with_the_tail_of_its_stderr() {
    fails_alone("panic", &["exited with status 101 before it was measured", "the index is out of bounds"]);
}

#[test]
fn a_benchmark_that_hangs_fails_at_its_time_limit() {
    fails_alone("hang", &["did not finish within 2 s"]);
}

#[test]
fn a_benchmark_that_exits_fails_although_its_status_is_zero() {
    fails_alone("exit", &["exited with status 0 before it was measured"]);
}

#[test]
fn a_benchmark_that_crashes_fails_with_its_signal() {
    fails_alone("segfault", &["was killed by signal 6 (SIGABRT)"]);
}

#[test]
fn a_benchmark_that_sends_garbage_fails_and_we_do_not() {
    fails_alone("garbage", &["broke criterion's protocol: it announced a message of 4294967295 bytes"]);
    fails_alone("nonsense", &["broke criterion's protocol: it sent a message that is none of criterion's"]);
}

/// Both processes of a fork speak on one connection, so the scheduler decides how late the second voice is heard: by the benchmark that
/// forked, or by the one after it. What holds at any hour: somebody is told to have broken the protocol, and the one before is measured.
#[test]
fn a_benchmark_that_forks_is_found_out_and_the_one_before_it_is_measured() {
    let mut scene = Scene::of("odd").set_head("MISBEHAVE", "fork");
    scene.slot.timeout = Some(Duration::from_secs(2));
    let outcome = scene.measure();
    assert_eq!(outcome.ids(), ["first", "last", "suspect"]);
    assert_eq!((&outcome.of("first").fate, outcome.of("first").blocks.len()), (&Fate::Measured, 1));
    let failed = |id: &&str| matches!(outcome.of(id).fate, Fate::Failed { .. });
    let failures: Vec<String> =
        ["suspect", "last"].into_iter().filter(failed).map(|id| outcome.failure(id)).collect();
    assert!(failures.iter().any(|message| message.contains("broke criterion's protocol")), "{failures:?}");
    assert!(failures.iter().all(|message| message.starts_with("head: ")), "{failures:?}");
}

#[test]
fn a_bench_that_fails_after_its_last_benchmark_fails_with_all_of_them() {
    let outcome = Scene::of("odd").set_base("MISBEHAVE", "late").measure();
    for id in ["first", "last", "suspect"] {
        let message = outcome.failure(id);
        let expected = "base: exited with status 3 after its last benchmark\ncould not clean up";
        assert_eq!(message, expected);
    }
}

#[test]
fn a_bench_that_does_not_start_fails_with_all_that_the_other_side_has() {
    let outcome = Scene::of("odd").set_head("MISBEHAVE", "start").measure();
    assert_eq!(outcome.ids(), ["first", "last", "suspect"]);
    assert_eq!(outcome.failure("first"), "head: exited with status 2 without connecting\nno configuration");
    let outcome = Scene::of("odd").set("MISBEHAVE", "start").measure();
    assert_eq!(outcome.ids(), ["*"]);
    let outcome = Scene::of("odd").set_head("BENCHES", "unconfigured").measure();
    assert!(outcome.failure("first").contains("does its `main` call `configure_from_args`?"));
    let mut gone = executable("odd");
    gone.path = "/no/such/bench".into();
    let outcome = Scene::with(pair(executable("odd"), gone)).measure();
    assert!(
        outcome
            .failure("last")
            .starts_with("head: could not be started: could not start `bench`: No such file")
    );
}

#[test]
fn a_bench_that_names_benchmarks_without_end_is_ended() {
    let outcome = Scene::of("odd").set_head("BENCHES", "endless").measure();
    assert!(
        outcome.failure("first").starts_with("head: broke criterion's protocol: it named more than 100000 ")
    );
}

#[test]
fn what_a_filter_leaves_out_or_what_fails_later_keeps_what_was_measured_of_it() {
    let mut scene = Scene::of("odd");
    scene.previous = scene.measure().measured.measurements;
    scene.filter = Some(regex::Regex::new("^first$").unwrap());
    let outcome = scene.measure();
    assert!(matches!(outcome.of("last").fate, Fate::Ignored(_)));
    assert_eq!(outcome.of("last").blocks, scene.previous[1].blocks);
    scene.filter = None;
    let outcome = scene.set_head("MISBEHAVE", "start").measure();
    assert!(outcome.failure("last").contains("without connecting"));
    assert_eq!(outcome.of("last").blocks.len(), 1);
}

#[test]
fn a_failure_that_does_not_come_again_costs_nothing() {
    let scene = Scene::of("odd");
    let once = scene.path("once");
    let scene = scene.set_head("MISBEHAVE", "once").set("ONCE", once.to_str().unwrap());
    let outcome = scene.measure();
    assert!(once.exists());
    assert!(outcome.measured.measurements.iter().all(|m| m.fate == Fate::Measured && m.blocks.len() == 1));
}

#[test]
fn a_benchmark_that_needs_a_port_to_itself_gets_a_process_a_slot() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut scene = Scene::of("odd").set("MISBEHAVE", "port").set("PORT", &free.to_string());
    scene.enough_rounds = 12;
    let outcome = scene.measure();
    for (id, method) in
        [("first", SlotMethod::Lockstep), ("suspect", SlotMethod::Solo), ("last", SlotMethod::Lockstep)]
    {
        let measurement = outcome.of(id);
        assert_eq!((&measurement.fate, measurement.method), (&Fate::Measured, method), "{id}");
        assert_eq!(measurement.blocks.len(), 4, "{id}");
    }
    let warning = outcome.measured.warnings.iter().find(|warning| warning.code == "solo").unwrap();
    assert!(warning.message.starts_with("`suspect` has a process a slot"), "{}", warning.message);
}

#[test]
fn void_blocks_are_kept_with_their_reason_and_measured_again_but_not_for_ever() {
    let mut scene = Scene::of("odd");
    // Nothing is taken away by less than nothing: every block is void.
    scene.slot.void_share = -1.0;
    let outcome = scene.measure();
    for measurement in &outcome.measured.measurements {
        let void: Vec<bool> = measurement.blocks.iter().map(|block| block.void.is_some()).collect();
        assert_eq!(void, [true, true, false], "{:?}", measurement.benchmark);
        assert!(measurement.blocks.iter().all(|block| block.slots.len() == 6));
    }
    let reason = &outcome.of("first").blocks[0].void.as_ref().unwrap().reason;
    assert!(reason.starts_with("the machine was taken away for "), "{reason}");
}

#[test]
fn a_retry_goes_on_from_what_was_measured() {
    let mut scene = Scene::of("odd");
    scene.enough_rounds = 6;
    let whole = scene.measure();
    assert_eq!(whole.of("first").blocks.len(), 2);

    // Broken off after the first block of everything …
    let mut first = Scene::of("odd");
    first.enough_rounds = 3;
    let half = first.measure();
    scene.previous = half.kept.last().unwrap().clone();
    // … and gone on with: the first blocks are the stored ones, the second are dealt as if nothing had happened.
    let resumed = scene.measure();
    for id in ["first", "last", "suspect"] {
        assert_eq!(resumed.of(id).blocks[0], half.of(id).blocks[0]);
        let sides = |outcome: &Outcome| -> Vec<Side> {
            outcome.of(id).blocks[1].slots.iter().map(|slot| slot.side).collect()
        };
        assert_eq!(sides(&resumed), sides(&whole));
    }
    // What is decided already is not measured at all.
    first.previous = half.kept.last().unwrap().clone();
    assert_eq!(first.measure().measured.measurements, half.measured.measurements);
}

#[test]
fn an_interrupt_ends_every_process_and_returns_what_was_measured() {
    let mut scene = Scene::of("odd").set_head("MISBEHAVE", "hang");
    scene.slot.timeout = Some(Duration::from_secs(600));
    let interrupt = scene.interrupt.clone();
    let waiting = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        interrupt.request("SIGTERM");
    });
    let outcome = scene.measure();
    waiting.join().unwrap();
    assert_eq!(outcome.measured.interrupted.as_deref(), Some("interrupted by SIGTERM"));
    assert!(outcome.measured.spent < Duration::from_secs(60));
    assert_eq!(fs::read_dir(scene.folder.path()).unwrap().count(), 0, "its folder is gone");
}

/// What the killed run of the next test does.
#[test]
#[ignore = "it hangs until it is killed"]
fn measures_until_it_is_killed() {
    let Some(folder) = std::env::var_os("KILLED_IN") else { return };
    let mut scene = Scene::of("odd").set_head("MISBEHAVE", "hang");
    let log = Path::new(&folder).join("order");
    scene = scene.set_head("ORDER_LOG", log.to_str().unwrap()).set_head("SIDE", "head");
    scene.slot.timeout = Some(Duration::from_secs(600));
    scene.elsewhere = Some(folder.into());
    scene.measure();
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_was_killed_leaves_processes_which_the_next_one_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "interleave::measures_until_it_is_killed", "--ignored"])
        .env("KILLED_IN", folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // The hanging bench wrote down its process when its turn came.
    let log = folder.path().join("order");
    let id = loop {
        let text = fs::read_to_string(&log).unwrap_or_default();
        if let Some(line) = text.lines().find(|line| line.contains(" suspect ")) {
            break line.split(' ').nth(1).unwrap().to_owned();
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    run.kill().unwrap();
    run.wait().unwrap();
    let runs = || fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| !line.is_empty());
    assert!(runs(), "it does not notice that its runner is gone");

    let mut scene = Scene::of("odd");
    scene.elsewhere = Some(folder.path().to_owned());
    assert!(scene.measure().measured.measurements.iter().all(|m| m.fate == Fate::Measured));
    while runs() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["order"]);
}

#[test]
fn a_benchmark_that_does_not_fit_into_the_budget_is_never_begun() {
    let mut scene = Scene::of("odd");
    scene.slot.measurement = Duration::from_secs(30);
    scene.budget = Duration::from_secs(60);
    let outcome = scene.measure();
    assert!(outcome.measured.measurements.iter().all(|m| m.fate == Fate::Measured && m.blocks.is_empty()));
    assert!(outcome.has_warning("budget_spent"));
    assert!(outcome.measured.spent < Duration::from_secs(20));
}

#[test]
fn progress_tells_the_benchmark_after_every_slot() {
    let outcome = Scene::of("odd").measure();
    let told: Vec<_> = outcome
        .events
        .iter()
        .filter_map(|event| if let Event::Measuring(measuring) = event { Some(measuring) } else { None })
        .collect();
    assert_eq!(told.len(), 18);
    assert_eq!(
        (told[0].benchmark.as_str(), told[0].rounds, told[0].next_look, told[0].benchmarks),
        ("first", 0, 3, 3)
    );
    assert_eq!((told[17].benchmark.as_str(), told[17].decided), ("last", 2));
    assert!(told.windows(2).all(|two| two[0].elapsed <= two[1].elapsed));
}
