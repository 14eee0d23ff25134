//! Real outputs of other tools as runs. Each fixture has a PROVENANCE file: tool, version, command.

use std::time::Duration;

use tollgate::{
    model::{
        metric::Nature,
        run::{Fate, Mode, Run, Side},
    },
    sources::{
        input::{Error, Input, parse},
        pairing::{SourceRun, pair},
    },
};

use crate::support::fixtures::{self, FOREIGN, file, folder, input};

fn read(name: &str) -> SourceRun {
    parse(&input(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `target id metric: processes×samples first-value-per-iteration unit`.
fn shown(run: &SourceRun) -> String {
    let mut measurements: Vec<_> = run.measurements.iter().collect();
    measurements.sort_by(|a, b| a.benchmark.cmp(&b.benchmark));
    let lines = measurements.into_iter().map(|m| {
        let first = m.processes.first().and_then(|samples| samples.first());
        let value =
            first.map_or("none".to_owned(), |s| format!("{:.3} {}", s.total / s.iterations, m.metric.unit));
        let samples = m.processes.first().map_or(0, Vec::len);
        let id = format!("{} {} {}", m.benchmark.target, m.benchmark.id, m.metric.name);
        let failure = m.failure.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        format!("{id}: {}×{samples} {value}{failure}\n", m.processes.len())
    });
    lines.collect()
}

fn codes(run: &Run) -> Vec<&str> {
    run.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

#[test]
fn criterion_directories_of_two_versions_are_read() {
    insta::assert_snapshot!(shown(&read("criterion/0.5.1")), @r#"
    criterion num/sieve/100 time: 1×10 145.218 ns
    criterion num/sieve/1000 time: 1×10 1160.043 ns
    criterion odd name: a/b "c" é time: 1×10 76.605 ns
    "#);
    insta::assert_snapshot!(shown(&read("criterion/0.8.2")), @r#"
    criterion num/sieve/100 time: 1×10 112.954 ns
    criterion num/sieve/1000 time: 1×10 1131.890 ns
    criterion odd name: a/b "c" é time: 1×10 56.964 ns
    "#);
}

#[test]
fn a_named_criterion_baseline_and_the_base_of_the_last_comparison_are_read() {
    let named = |name: &str| {
        let run = parse(&Input { baseline: Some(name.into()), ..input("criterion/0.8.2") }).unwrap();
        run.measurements[0].processes[0][0].total.to_bits()
    };
    // The last run was compared with the one before and then became `base` itself; `main` was saved in between.
    assert_eq!(named("new"), named("base"));
    assert_ne!(named("new"), named("main"));
    let missing = parse(&Input { baseline: Some("release".into()), ..input("criterion/0.8.2") });
    assert!(matches!(missing, Err(Error::Empty { .. })));
}

#[test]
fn one_criterion_directory_a_side_is_one_value_and_says_so() {
    let run = pair(vec![read("criterion/0.8.2")], vec![read("criterion/0.8.2")]);
    assert_eq!(run.mode, Mode::OneLook);
    assert_eq!(run.measurements.len(), 3);
    for measurement in &run.measurements {
        let sides: Vec<Side> = measurement.blocks[0].slots.iter().map(|slot| slot.side).collect();
        assert_eq!((measurement.blocks.len(), sides), (1, vec![Side::Base, Side::Head]));
        assert_eq!(measurement.blocks[0].slots[0].samples.len(), 10);
    }
    assert_eq!(codes(&run), ["criterion_files", "one_value"]);
}

#[test]
fn several_criterion_directories_a_side_are_rounds() {
    let inputs = || (0..6).map(|_| read("criterion/0.8.2")).collect::<Vec<_>>();
    let run = pair(inputs(), inputs());
    for measurement in &run.measurements {
        let slots: Vec<usize> = measurement.blocks.iter().map(|block| block.slots.len()).collect();
        assert_eq!(slots, [6, 6]);
    }
    assert_eq!(codes(&run), ["criterion_files", "not_dealt"]);
}

/// The criterion that this project builds against, for real: a change of its files shows here first.
#[test]
fn what_the_current_criterion_writes_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let mut criterion = criterion::Criterion::default()
        .output_directory(directory.path())
        .without_plots()
        .sample_size(10)
        .nresamples(10)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_millis(2));
    criterion.bench_function("group/with: odd \"name\"", |bencher| {
        bencher.iter(|| std::hint::black_box(17_u64).wrapping_pow(5));
    });
    let run = parse(&folder(directory.path())).unwrap();
    assert_eq!(run.tool, "criterion");
    assert_eq!(run.measurements[0].benchmark.id.as_str(), "group/with: odd \"name\"");
    assert_eq!(run.measurements[0].processes[0].len(), 10);
}

#[test]
fn hyperfine_files_are_read_run_by_run() {
    insta::assert_snapshot!(shown(&read("hyperfine/1.15.0/two_commands_1.json")), @"
    hyperfine /bin/true time: 6×1 883275.000 ns
    hyperfine sleep 0.01 time: 6×1 11060386.000 ns
    ");
    insta::assert_snapshot!(shown(&read("hyperfine/1.15.0/parameters.json")), @"
    hyperfine sleep 0.01 time: 3×1 11043765.000 ns
    hyperfine sleep 0.02 time: 3×1 21287258.000 ns
    ");
    insta::assert_snapshot!(shown(&read("hyperfine/1.15.0/failing.json")), @"hyperfine /bin/false time: 0×0 none (exited with code 1 in 3 of 3 runs)");
}

#[test]
fn one_hyperfine_file_a_side_is_one_block_that_nothing_interleaved() {
    let side = |n| vec![read(&format!("hyperfine/1.15.0/two_commands_{n}.json"))];
    let run = pair(side(1), side(2));
    assert_eq!(run.measurements[0].blocks.len(), 1);
    assert_eq!(run.measurements[0].blocks[0].slots.len(), 12);
    assert_eq!(codes(&run), ["hyperfine_files", "shell_start", "not_interleaved"]);
}

#[test]
fn several_hyperfine_files_a_side_count_sittings_not_processes() {
    let side = |n| (0..3).map(|_| read(&format!("hyperfine/1.15.0/two_commands_{n}.json"))).collect();
    let run = pair(side(1), side(2));
    let slots = &run.measurements[0].blocks[0].slots;
    assert_eq!((slots.len(), slots[0].samples.len()), (6, 6));
}

#[test]
fn a_command_that_failed_has_no_time() {
    let run = pair(vec![read("hyperfine/1.15.0/failing.json")], vec![read("hyperfine/1.15.0/failing.json")]);
    let message = "exited with code 1 in 3 of 3 runs".to_owned();
    assert_eq!(run.measurements[0].fate, Fate::Failed { side: Some(Side::Base), message });
}

#[test]
fn libtest_output_is_read_with_its_target() {
    insta::assert_snapshot!(shown(&read("libtest/1.97.0-nightly/bench.txt")), @"
    fixture tests::sieve_large time: 1×1 196657.970 ns
    fixture tests::sieve_small time: 1×1 22.600 ns
    ");
}

#[test]
fn gungraun_and_iai_callgrind_summaries_are_read_in_every_shape() {
    insta::assert_snapshot!(shown(&read("gungraun/0.20.0/fixture")), @"
    counts num::sieve/large instructions: 1×1 22146.000 instructions
    counts num::sieve/large allocated: 1×1 1001.000 bytes
    counts num::sieve/large allocations: 1×1 1.000 allocations
    counts num::sieve/small instructions: 1×1 2324.000 instructions
    counts num::sieve/small allocated: 1×1 101.000 bytes
    counts num::sieve/small allocations: 1×1 1.000 allocations
    ");
    insta::assert_snapshot!(shown(&read("gungraun/0.20.0/stdout.txt")), @"
    counts num::sieve/large instructions: 1×1 22146.000 instructions
    counts num::sieve/small instructions: 1×1 2324.000 instructions
    ");
    insta::assert_snapshot!(shown(&read("iai-callgrind/0.16.1/fixture")), @"
    counts num::sieve/large instructions: 1×1 22146.000 instructions
    counts num::sieve/small instructions: 1×1 2324.000 instructions
    ");
    assert_eq!(shown(&read("gungraun/0.20.0/mixed.txt")), shown(&read("gungraun/0.20.0/stdout.txt")));
    assert_eq!(shown(&read("iai-callgrind/0.16.1/stdout.txt")), shown(&read("iai-callgrind/0.16.1/fixture")));
}

#[test]
fn counts_are_compared_without_a_test() {
    let run = pair(vec![read("gungraun/0.20.0/stdout.txt")], vec![read("gungraun/0.20.0/stdout.txt")]);
    assert!(
        run.measurements.iter().all(|m| m.metric.nature == Nature::Deterministic && m.fate == Fate::Measured)
    );
    assert_eq!(codes(&run), ["gungraun_summary"]);
}

#[test]
fn a_version_that_is_not_known_is_refused() {
    let text = String::from_utf8(fixtures::bytes("gungraun/0.20.0/stdout.txt")).unwrap();
    let older = text.replace("\"version\":\"7\"", "\"version\":\"5\"");
    let error = parse(&file("summary.json", older)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`summary.json` has version `5` of its format; this tollgate reads 6 and 7"
    );
}

#[test]
fn a_summary_that_is_cut_off_is_named_by_its_line() {
    let bytes = fixtures::bytes("gungraun/0.20.0/stdout.txt");
    let first = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let error = parse(&file("out.txt", &bytes[..first + 500])).unwrap_err().to_string();
    assert_eq!(error, "`out.txt`, line 2: a summary that is no JSON, or cut off");
}

#[test]
fn a_benchmark_that_is_there_twice_is_refused() {
    let bytes = fixtures::bytes("iai-callgrind/0.16.1/stdout.txt");
    let twice = [bytes.as_slice(), b"\n", bytes.as_slice()].concat();
    let error = parse(&file("out.txt", twice)).unwrap_err().to_string();
    assert!(error.ends_with("`num::sieve/small` is there twice"), "{error}");
}

#[test]
fn every_fixture_says_where_it_comes_from() {
    for name in FOREIGN {
        let parts: Vec<&str> = name.split('/').take(2).collect();
        let text = String::from_utf8(fixtures::bytes(&format!("{}/PROVENANCE", parts.join("/")))).unwrap();
        assert!(text.contains(parts[0].split('-').next().unwrap()) || text.starts_with("rustc"), "{name}");
    }
}
