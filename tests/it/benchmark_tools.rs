//! Real outputs of benchmark tools of other languages as runs. Each fixture has a PROVENANCE file: tool, version, command.

use crate::support::{
    fixtures::{bytes, file, input},
    repository::Repository,
    tollgate::tollgate,
};
use tollgate::{
    model::metric::Nature,
    sources::{
        data_js::history,
        input::{Error, InputFile, SOURCES, parse, parse_from},
        pairing::{SourceRun, pair},
    },
};

fn read(name: &str) -> SourceRun {
    parse(&input(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `target id metric: samples of each process, first value, unit`.
fn shown(run: &SourceRun) -> String {
    let lines = run.measurements.iter().map(|m| {
        let counts: Vec<usize> = m.processes.iter().map(Vec::len).collect();
        let value = m.processes.first().map_or(0.0, |samples| samples[0].total);
        let failure = m.failure.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        let (target, id, metric, unit) =
            (&m.benchmark.target, &m.benchmark.id, &m.metric.name, &m.metric.unit);
        format!("{target} {id} {metric}: {counts:?} {value:.1} {unit}{failure}\n")
    });
    lines.collect()
}

fn codes(run: &SourceRun) -> Vec<&str> {
    run.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

#[test]
fn each_tool_is_recognised_by_what_its_files_hold() {
    for (name, tool) in [
        ("go/1.19.8/packages.txt", "go"),
        ("pytest-benchmark/5.3.1/plain.json", "pytest-benchmark"),
        ("google-benchmark/1.7.1/plain.json", "google-benchmark"),
        ("jmh/1.36/six.json", "jmh"),
        ("divan/0.1.21/table.txt", "divan"),
        ("bencher/metric-format/mixed.json", "bencher"),
        ("github-action-benchmark/data/data.js", "github-action-benchmark"),
    ] {
        let alike: Vec<&str> =
            SOURCES.iter().filter(|source| source.detect(&input(name))).map(|source| source.name()).collect();
        assert_eq!(alike, [tool], "{name}");
        assert_eq!(read(name), parse_from(&input(name), Some(tool)).unwrap());
    }
}

#[test]
fn go_packages_are_targets_and_counts_ride_along() {
    insta::assert_snapshot!(shown(&read("go/1.19.8/packages.txt")), @"
    example.com/words BenchmarkFib10 time: [1] 217.2 ns
    example.com/words BenchmarkCount/size=1,kind=a-b allocated: [1] 16.0 bytes
    example.com/words BenchmarkCount/size=1,kind=a-b allocations: [1] 1.0 allocations
    example.com/words BenchmarkCount/size=1,kind=a-b time: [1] 31.7 ns
    example.com/words BenchmarkCount/size=10,kind=a-b allocated: [1] 160.0 bytes
    example.com/words BenchmarkCount/size=10,kind=a-b allocations: [1] 1.0 allocations
    example.com/words BenchmarkCount/size=10,kind=a-b time: [1] 158.7 ns
    example.com/words/count BenchmarkFib10 time: [1] 1.8 ns
    ");
    insta::assert_snapshot!(shown(&read("go/1.19.8/count.txt")), @"
    example.com/words BenchmarkFib10 time: [3] 253.0 ns
    example.com/words BenchmarkCount/size=1,kind=a-b allocated: [3] 16.0 bytes
    example.com/words BenchmarkCount/size=1,kind=a-b allocations: [3] 1.0 allocations
    example.com/words BenchmarkCount/size=1,kind=a-b time: [3] 28.4 ns
    example.com/words BenchmarkCount/size=10,kind=a-b allocated: [3] 160.0 bytes
    example.com/words BenchmarkCount/size=10,kind=a-b allocations: [3] 1.0 allocations
    example.com/words BenchmarkCount/size=10,kind=a-b time: [3] 141.1 ns
    ");
    insta::assert_snapshot!(shown(&read("go/1.19.8/processors.txt")), @"
    example.com/words BenchmarkFib10 time: [1] 219.3 ns
    example.com/words BenchmarkFib10-2 time: [1] 218.6 ns
    ");
    assert_eq!(codes(&read("go/1.19.8/count.txt")), ["go_text", "left_out_metrics"]);
}

#[test]
fn pytest_benchmark_has_its_samples_or_its_median() {
    insta::assert_snapshot!(shown(&read("pytest-benchmark/5.3.1/with_data.json")), @"
    pytest test_words.py::test_fib[5] time: [12] 506.8 ns
    pytest test_words.py::test_fib[8] time: [12] 2170.0 ns
    pytest test_words.py::test_pedantic time: [5] 6554.5 ns
    ");
    insta::assert_snapshot!(shown(&read("pytest-benchmark/5.3.1/plain.json")), @"
    pytest test_words.py::test_fib[5] time: [1] 433.3 ns
    pytest test_words.py::test_fib[8] time: [1] 1896.0 ns
    pytest test_words.py::test_pedantic time: [1] 4979.5 ns
    ");
    assert_eq!(codes(&read("pytest-benchmark/5.3.1/plain.json")), ["no_samples"]);
}

#[test]
fn google_benchmark_groups_repetitions_and_passes_over_aggregates() {
    insta::assert_snapshot!(shown(&read("google-benchmark/1.7.1/plain.json")), @"
    google-benchmark BM_Sum/64 time: [1] 25.4 ns
    google-benchmark BM_Sum/4096 time: [1] 1040.3 ns
    google-benchmark BM_Ms/real_time time: [1] 37673.1 ns
    google-benchmark BM_Err time: [] 0.0 ns (it stopped with an error, saying no input)
    ");
    insta::assert_snapshot!(shown(&read("google-benchmark/1.7.1/repetitions.json")), @"
    google-benchmark BM_Sum/64 time: [3] 23.9 ns
    google-benchmark BM_Sum/4096 time: [3] 1026.5 ns
    google-benchmark BM_Ms/real_time time: [3] 33937.4 ns
    google-benchmark BM_Err time: [] 0.0 ns (it stopped with an error, saying no input)
    ");
    insta::assert_snapshot!(shown(&read("google-benchmark/1.7.1/aggregates.json")), @"
    google-benchmark BM_Sum/64 time: [1] 23.4 ns
    google-benchmark BM_Sum/4096 time: [1] 1017.1 ns
    google-benchmark BM_Ms/real_time time: [1] 40238.9 ns
    google-benchmark BM_Err time: [] 0.0 ns (it stopped with an error, saying no input)
    ");
    assert_eq!(codes(&read("google-benchmark/1.7.1/plain.json")), ["google_benchmark_file", "debug_library"]);
}

#[test]
fn jmh_has_forks_and_refuses_a_unit_that_does_not_fit() {
    insta::assert_snapshot!(shown(&read("jmh/1.36/six.json")), @"
    jmh com.github.caffeine.caffeine.cache.ComputeBenchmark.compute_sameKey/computeType=Caffeine throughput: [3] 152495706.0 ops/s
    jmh com.github.guava.caffeine.cache.ComputeBenchmark.compute_sameKey/computeType=Guava throughput: [3] 30013960.6 ops/s
    jmh com.github.hashmap.caffeine.cache.ComputeBenchmark.compute_sameKey/computeType=ConcurrentHashMap throughput: [3] 8437084.2 ops/s
    jmh com.github.caffeine.caffeine.cache.ComputeBenchmark.compute_spread/computeType=Caffeine throughput: [3] 75424784.8 ops/s
    jmh com.github.guava.caffeine.cache.ComputeBenchmark.compute_spread/computeType=Guava throughput: [3] 32543784.4 ops/s
    jmh com.github.hashmap.caffeine.cache.ComputeBenchmark.compute_spread/computeType=ConcurrentHashMap throughput: [3] 113170668.3 ops/s
    ");
    insta::assert_snapshot!(shown(&read("jmh/1.36/throughput.json")), @"jmh org.openjdk.jmh.samples.JMHSample_01_HelloWorld.wellHelloThere throughput: [3] 3376842765.7 ops/s");
    let error = parse(&input("jmh/1.36/mismatch.json")).unwrap_err().to_string();
    assert_eq!(error, "`jmh/1.36/mismatch.json`, line 4: mode `thrpt` cannot have the unit `s/op`");
}

#[test]
fn divan_tables_are_read_with_and_without_colours() {
    insta::assert_snapshot!(shown(&read("divan/0.1.21/table.txt")), @"
    words fib time: [1] 330.7 ns
    words repeat/1 time: [1] 16.8 ns
    words repeat/1000 time: [1] 61.5 ns
    words inner/make/String time: [1] 0.3 ns
    words inner/make/i32 time: [1] 0.1 ns
    ");
    let names = |name: &str| -> Vec<String> {
        read(name).measurements.iter().map(|m| m.benchmark.id.to_string()).collect()
    };
    assert_eq!(names("divan/0.1.21/table.txt"), names("divan/0.1.21/colour.txt"));
}

#[test]
fn bencher_measures_have_the_units_of_bencher() {
    insta::assert_snapshot!(shown(&read("bencher/metric-format/mixed.json")), @"
    bencher 31aba8a9-977a-47d1-9fb6-e6b94b428471 time: [1] 3247.0 ns
    bencher benchmark-b time: [1] 3443.0 ns
    bencher tests::benchmark_c time: [1] 3361.0 ns
    ");
    let counts = read("bencher/metric-format/dhat.json");
    assert_eq!(counts.measurements.len(), 6);
    assert!(counts.measurements.iter().all(|m| m.metric.nature == Nature::Deterministic));
}

#[test]
fn data_js_is_a_history_without_a_machine() {
    insta::assert_snapshot!(shown(&read("github-action-benchmark/data/data.js")), @"Test benchmark bench_fib_10 time: [1] 100.0 ns");
    let bytes = bytes("github-action-benchmark/data/data.js");
    let past = history(&InputFile { path: "data.js".into(), bytes }).unwrap();
    assert_eq!(
        (past.len(), past[0].suite.as_str(), past[0].recorded_at),
        (1, "Test benchmark", 1_574_927_127)
    );
}

#[test]
fn several_files_a_side_are_rounds_and_one_says_that_it_shows_nothing() {
    let side = |count: usize| (0..count).map(|_| read("go/1.19.8/packages.txt")).collect::<Vec<_>>();
    let run = pair(side(3), side(3));
    assert!(run.measurements.iter().all(|m| m.blocks.len() == 1 && m.blocks[0].slots.len() == 6));
    let run = pair(side(1), side(1));
    assert!(run.warnings.iter().any(|warning| warning.code == "one_value"));
    // Forks are processes: with one file a side each is a slot.
    let jmh = || vec![read("jmh/1.36/six.json")];
    assert_eq!(pair(jmh(), jmh()).measurements[0].blocks[0].slots.len(), 2);
}

#[test]
fn summaries_between_documents_of_others_are_read() {
    let summary = String::from_utf8(bytes("iai-callgrind/0.16.1/stdout.txt")).unwrap();
    let indented: String = summary.lines().map(|line| format!("  {line}\n")).collect();
    let mixed = format!("running\n{{\"reason\": \"compiler-artifact\"}}\n{indented}");
    assert_eq!(parse(&file("out.txt", mixed)).unwrap().measurements.len(), 2);
}

#[test]
fn broken_files_are_refused_by_file_and_line() {
    for name in
        ["pytest-benchmark/5.3.1/plain.json", "google-benchmark/1.7.1/plain.json", "jmh/1.36/six.json"]
    {
        let whole = bytes(name);
        let cut = file("cut.json", &whole[..whole.len() - 40]);
        let error = parse(&cut).unwrap_err();
        assert!(matches!(error, Error::Malformed { line: Some(line), .. } if line > 10), "{name}: {error}");
    }
}

#[test]
fn a_history_is_recorded_with_its_commits_for_a_machine_that_no_check_compares_with() {
    let repository = Repository::new();
    repository.write("a", "1");
    let commit = repository.commit("first");
    let text = String::from_utf8(bytes("github-action-benchmark/data/data.js")).unwrap();
    repository.write("data.js", &text.replace("prev commit id", &commit)).write("old.js", &text);
    let import = |args: &[&str]| tollgate(repository.root(), &[&["import", "--history"], args].concat());
    let ran = import(&["data.js", "old.js"]).exits(0);
    let expected =
        "recorded 1 run of an unknown machine in the history, 0 there already; 1 entry names no whole commit";
    assert!(ran.stderr.contains(expected), "{}", ran.stderr);
    assert!(import(&["data.js"]).exits(0).stderr.contains("recorded 0 runs"));
    let listed = tollgate(repository.root(), &["baseline", "list"]).exits(0).stdout;
    assert!(listed.contains("unknown machine (github-action-benchmark)"), "{listed}");
    tollgate(repository.root(), &["baseline", "verify"]).exits(0);
    // A check against stored runs finds none of this machine.
    let args = ["check", "--mode", "stored", "--command", "true", "--name", "bench_fib_10"];
    let ran = tollgate(repository.root(), &args).exits(4);
    assert!(
        ran.stderr.contains("no baseline") || ran.stdout.contains("no baseline"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    import(&["old.js"]).exits(4);
    import(&["a"]).exits(2);
}
