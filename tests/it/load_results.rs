//! Results of load tools as runs: each fixture, each trap, and `import` and `compare` from the command line. How the fixtures
//! were made stands in `tests/fixtures/load/README.md`.

use crate::support::{
    fixtures::{self, LOAD, file, input},
    tollgate::tollgate,
};
use base64::Engine;
use std::{fs, io::Write};
use tollgate::{
    format::run_v1,
    model::run::{Fate, Mode},
    sources::{
        input::{Error, parse},
        pairing::{SourceRun, pair},
    },
};

fn read(name: &str) -> SourceRun {
    parse(&input(&format!("load/{name}"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `id metric value unit`, one line a metric.
fn rows(run: &SourceRun) -> String {
    let rows = run.measurements.iter().map(|m| {
        let value = m.processes.first().map_or("none".to_owned(), |samples| {
            assert_eq!((m.processes.len(), samples.len()), (1, 1), "a result is one value");
            format!("{:.4} {}", samples[0].total / samples[0].iterations, m.metric.unit)
        });
        let failure = m.failure.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        format!("{} {} {value}{failure}\n", m.benchmark.id, m.metric.name)
    });
    rows.collect()
}

/// What is said of a run besides where it is from and what its tool never tells.
fn remarks(run: &SourceRun) -> String {
    let said = run.warnings.iter().filter(|w| w.code != "provenance" && !w.code.ends_with("_unknown"));
    said.map(|warning| format!("{}: {}\n", warning.code, warning.message)).collect()
}

fn error(name: &str, bytes: impl Into<Vec<u8>>) -> String {
    parse(&file(name, bytes)).unwrap_err().to_string()
}

fn edited(name: &str, from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(fixtures::bytes(&format!("load/{name}"))).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    text.replace(from, to).into_bytes()
}

#[test]
fn every_result_says_where_it_is_from_and_what_it_cannot_tell() {
    for name in LOAD.iter().filter(|name| !REFUSED.contains(name)) {
        let run = read(name);
        let provenance = run.warnings.iter().find(|warning| warning.code == "provenance").unwrap();
        assert!(provenance.message.contains(run.tool), "{name}: {}", provenance.message);
        let unknown = format!("{}_unknown", run.measurements[0].benchmark.target);
        assert!(run.warnings.iter().any(|warning| warning.code == unknown), "{name}");
        assert!(run.measurements.iter().all(|m| m.benchmark.id.as_str().starts_with("load:")), "{name}");
    }
}

/// Fixtures that are there to be refused.
const REFUSED: [&str; 3] = ["autocannon/invented.json", "locust/out_stats_history.csv", "wrk/plain.txt"];

#[test]
fn what_cannot_be_believed_is_refused_with_the_way_out() {
    let refusals: Vec<String> =
        REFUSED.iter().map(|name| parse(&input(&format!("load/{name}"))).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    `load/autocannon/invented.json`: it holds 421 latencies of 200 requests: with a rate (`-R`), autocannon invents the rest; measure again with `-C` (`--ignoreCoordinatedOmission`)
    `load/locust/out_stats_history.csv`: its percentiles are of a window of ten seconds that slides, so they cannot be joined; give `…_stats.csv` or the file of `--json-file`
    `load/wrk/plain.txt`: no latency distribution in it: run wrk with `--latency`
    "#);
}

#[test]
fn k6_is_read_in_its_three_shapes() {
    insta::assert_snapshot!(rows(&read("k6/summary_export.json")), @r#"
    load:k6 latency.p50 1100000.0000 ns
    load:k6 latency.p90 2020000.0000 ns
    load:k6 latency.p95 2810000.0000 ns
    load:k6 latency.p99 9750000.0000 ns
    load:k6 throughput 198.7301 req/s
    load:k6 error_rate 0.0063 ratio
    "#);
    insta::assert_snapshot!(rows(&read("k6/machine_readable.json")), @r#"
    load:k6 latency.p50 1100000.0000 ns
    load:k6 latency.p90 2020000.0000 ns
    load:k6 latency.p95 2810000.0000 ns
    load:k6 throughput 198.7326 req/s
    load:k6 error_rate 0.0063 ratio
    "#);
    insta::assert_snapshot!(rows(&read("k6/points.jsonl")), @r#"
    load:k6 latency.p50 1172479.0000 ns
    load:k6 latency.p90 2224127.0000 ns
    load:k6 latency.p95 2428927.0000 ns
    load:k6 latency.p99 3661823.0000 ns
    load:k6 throughput 39.2326 req/s
    load:k6 error_rate 0.0250 ratio
    "#);
    insta::assert_snapshot!(remarks(&read("k6/points.jsonl")), @r#"
    dropped: `load/k6/points.jsonl`: k6 dropped 3 iterations for want of a free VU: they are in no latency, no count and no error rate, so the true ones are worse
    slices: `load/k6/points.jsonl`: over 4 slices of 1.00 s, p50 lay between 1.02 ms and 1.28 ms and p95 between 2.22 ms and 2.67 ms; slices of one run are not runs of their own and not tested
    few_requests: `load/k6/points.jsonl`: fewer than 20 of its 160 requests lie beyond latency.p90, latency.p95, latency.p99: expect it to jump from run to run
    "#);
    let version = &read("k6/machine_readable.json").warnings[0].message;
    assert_eq!(version, "`load/k6/machine_readable.json` is a machine-readable summary of k6 2.2.0");
}

#[test]
fn k6_thresholds_of_true_have_failed_and_dropped_iterations_are_told() {
    insta::assert_snapshot!(remarks(&read("k6/summary_export.json")), @r#"
    dropped: `load/k6/summary_export.json`: k6 dropped 180 iterations for want of a free VU: they are in no latency, no count and no error rate, so the true ones are worse
    thresholds: `load/k6/summary_export.json`: k6 says that 1 threshold failed: http_req_duration p(95)<2
    few_requests: `load/k6/summary_export.json`: fewer than 20 of its 1600 requests lie beyond latency.p99: expect it to jump from run to run
    "#);
    let kept = edited("k6/summary_export.json", "\"p(95)<2\": true", "\"p(95)<2\": false");
    let kept = parse(&file("a.json", kept)).unwrap();
    assert!(!kept.warnings.iter().any(|warning| warning.code == "thresholds"));
    // `handleSummary` is given the same with the values one level below, and says it the right way round.
    let data = r#"{"root_group": {}, "metrics": {"http_reqs": {"type": "counter", "values": {"count": 5000, "rate": 50}},
        "http_req_failed": {"type": "rate", "values": {"rate": 0.01, "passes": 50, "fails": 4950}},
        "http_req_duration": {"type": "trend", "values": {"med": 1.5, "p(90)": 2, "p(95)": 3},
            "thresholds": {"p(95)<1": {"ok": false}, "p(95)<9": {"ok": true}}}}}"#;
    let run = parse(&file("data.json", data)).unwrap();
    insta::assert_snapshot!(rows(&run), @r#"
    load:k6 latency.p50 1500000.0000 ns
    load:k6 latency.p90 2000000.0000 ns
    load:k6 latency.p95 3000000.0000 ns
    load:k6 throughput 49.5000 req/s
    load:k6 error_rate 0.0100 ratio
    "#);
    insta::assert_snapshot!(remarks(&run), @r#"thresholds: `data.json`: k6 says that 1 threshold failed: http_req_duration p(95)<1"#);
}

#[test]
fn vegeta_is_read_in_its_three_shapes_alike() {
    let lines = rows(&read("vegeta/results.jsonl"));
    insta::assert_snapshot!(lines, @r#"
    load:checkout latency.p50 563199.0000 ns
    load:checkout latency.p90 1173503.0000 ns
    load:checkout latency.p95 1471487.0000 ns
    load:checkout latency.p99 2293759.0000 ns
    load:checkout throughput 49.2415 req/s
    load:checkout error_rate 0.0200 ratio
    "#);
    assert_eq!(rows(&read("vegeta/results.csv")), lines);
    insta::assert_snapshot!(rows(&read("vegeta/report.json")), @r#"
    load:vegeta latency.p50 563159.0000 ns
    load:vegeta latency.p90 1172772.0000 ns
    load:vegeta latency.p95 1471373.0000 ns
    load:vegeta latency.p99 2293629.0000 ns
    load:vegeta throughput 49.2450 req/s
    load:vegeta error_rate 0.0200 ratio
    "#);
    let text = String::from_utf8(fixtures::bytes("load/vegeta/results.jsonl")).unwrap();
    let holes: String =
        text.lines().filter(|line| !line.contains("\"seq\":7")).map(|line| format!("{line}\n")).collect();
    let run = parse(&file("holes.jsonl", holes)).unwrap();
    assert!(
        remarks(&run).contains("cut_off: `holes.jsonl`: 11 of 200 sequence numbers are missing"),
        "{}",
        remarks(&run)
    );
}

#[test]
fn oha_is_read_in_its_two_shapes_and_what_the_deadline_cut_off_is_told() {
    insta::assert_snapshot!(rows(&read("oha/rate.json")), @r#"
    load:oha latency.p50 2451196.0000 ns
    load:oha latency.p90 2593866.0000 ns
    load:oha latency.p95 2716433.0000 ns
    load:oha latency.p99 4072440.0000 ns
    load:oha throughput 189.8202 req/s
    load:oha error_rate 0.0500 ratio
    "#);
    insta::assert_snapshot!(rows(&read("oha/corrected.csv")), @r#"
    load:oha latency.p50 2471935.0000 ns
    load:oha latency.p90 2641919.0000 ns
    load:oha latency.p95 2848767.0000 ns
    load:oha latency.p99 3430399.0000 ns
    load:oha throughput 190.0811 req/s
    load:oha error_rate 0.0500 ratio
    "#);
    insta::assert_snapshot!(rows(&read("oha/overload.json")), @r#"
    load:oha latency.p50 302062318.0000 ns
    load:oha latency.p90 302704315.0000 ns
    load:oha latency.p95 307545461.0000 ns
    load:oha latency.p99 307545461.0000 ns
    load:oha throughput 5.9950 req/s
    load:oha error_rate 0.0000 ratio
    "#);
    insta::assert_snapshot!(remarks(&read("oha/overload.json")), @r#"
    cut_off: `load/oha/overload.json`: 2 requests were cut off at the deadline: they are in no latency and no rate, and requests that were due but never sent are not even counted
    few_requests: `load/oha/overload.json`: fewer than 20 of its 12 requests lie beyond latency.p50, latency.p90, latency.p95, latency.p99: expect it to jump from run to run
    "#);
}

#[test]
fn autocannon_and_artillery_are_read() {
    insta::assert_snapshot!(rows(&read("autocannon/closed.json")), @r#"
    load:autocannon latency.p50 2000000.0000 ns
    load:autocannon latency.p90 2000000.0000 ns
    load:autocannon latency.p99 3000000.0000 ns
    load:autocannon throughput 1574.6269 req/s
    load:autocannon error_rate 0.0501 ratio
    "#);
    insta::assert_snapshot!(rows(&read("artillery/report.json")), @r#"
    load:artillery latency.p50 3000000.0000 ns
    load:artillery latency.p90 3000000.0000 ns
    load:artillery latency.p95 3000000.0000 ns
    load:artillery latency.p99 4000000.0000 ns
    load:artillery throughput 38.1398 req/s
    load:artillery error_rate 0.0500 ratio
    "#);
    insta::assert_snapshot!(remarks(&read("artillery/report.json")), @r#"
    slices: `load/artillery/report.json`: over 2 slices of 10.0 s, p50 lay between 3.00 ms and 3.00 ms and p95 between 3.00 ms and 3.00 ms; slices of one run are not runs of their own and not tested
    few_requests: `load/artillery/report.json`: fewer than 20 of its 480 requests lie beyond latency.p99: expect it to jump from run to run
    "#);
    let skipped = edited("artillery/report.json", "\"vusers.failed\": 0", "\"vusers.skipped\": 12");
    assert!(remarks(&parse(&file("a.json", skipped)).unwrap()).contains("skipped 12 virtual users"));
}

#[test]
fn locust_is_read_from_its_list_and_its_table() {
    insta::assert_snapshot!(rows(&read("locust/out.json")), @r#"
    load:locust latency.p50 4001791.0000 ns
    load:locust latency.p90 5001215.0000 ns
    load:locust latency.p95 6000639.0000 ns
    load:locust latency.p99 22003711.0000 ns
    load:locust throughput 100.6160 req/s
    load:locust error_rate 0.0184 ratio
    load:locust/GET bad latency.p50 4001791.0000 ns
    load:locust/GET bad latency.p90 5001215.0000 ns
    load:locust/GET bad latency.p95 6000639.0000 ns
    load:locust/GET bad latency.p99 21004287.0000 ns
    load:locust/GET bad throughput 22.3838 req/s
    load:locust/GET bad error_rate 0.0776 ratio
    load:locust/GET / latency.p50 4001791.0000 ns
    load:locust/GET / latency.p90 5001215.0000 ns
    load:locust/GET / latency.p95 6000639.0000 ns
    load:locust/GET / latency.p99 22003711.0000 ns
    load:locust/GET / throughput 78.2353 req/s
    load:locust/GET / error_rate 0.0000 ratio
    "#);
    insta::assert_snapshot!(rows(&read("locust/out_stats.csv")), @r#"
    load:locust latency.p50 4000000.0000 ns
    load:locust latency.p90 5000000.0000 ns
    load:locust latency.p95 6000000.0000 ns
    load:locust latency.p99 22000000.0000 ns
    load:locust throughput 101.1086 req/s
    load:locust error_rate 0.0125 ratio
    "#);
}

#[test]
fn the_slices_of_two_real_workers_add_up_to_what_was_scheduled() {
    let run = read("locust/slices.jsonl");
    insta::assert_snapshot!(rows(&run), @r#"
    load:checkout latency.p50 3571711.0000 ns
    load:checkout latency.p90 3971071.0000 ns
    load:checkout latency.p95 4081663.0000 ns
    load:checkout latency.p99 4530175.0000 ns
    load:checkout throughput 99.2500 req/s
    load:checkout error_rate 0.0075 ratio
    load:checkout/GET / latency.p50 3540991.0000 ns
    load:checkout/GET / latency.p90 3971071.0000 ns
    load:checkout/GET / latency.p95 4081663.0000 ns
    load:checkout/GET / latency.p99 4591615.0000 ns
    load:checkout/GET / throughput 77.2500 req/s
    load:checkout/GET / error_rate 0.0000 ratio
    load:checkout/bad "é🦀" \ latency.p50 3610623.0000 ns
    load:checkout/bad "é🦀" \ latency.p90 3940351.0000 ns
    load:checkout/bad "é🦀" \ latency.p95 4081663.0000 ns
    load:checkout/bad "é🦀" \ latency.p99 4272127.0000 ns
    load:checkout/bad "é🦀" \ throughput 22.0000 req/s
    load:checkout/bad "é🦀" \ error_rate 0.0330 ratio
    "#);
    insta::assert_snapshot!(remarks(&run), @r#"
    slices: `load/locust/slices.jsonl`: over 4 slices of 1.00 s, p50 lay between 3.44 ms and 3.68 ms and p95 between 3.99 ms and 4.27 ms; slices of one run are not runs of their own and not tested
    few_requests: `load/locust/slices.jsonl`: fewer than 20 of its 400 requests lie beyond latency.p99: expect it to jump from run to run
    "#);
    assert_eq!(run.warnings[0].message, "`load/locust/slices.jsonl` is the slices of locust 2.47.0");
    let whole = run.measurements.iter().find(|m| m.metric.name == "error_rate").unwrap();
    assert!((whole.processes[0][0].iterations - 400.0).abs() < 1e-9);
}

#[test]
fn the_line_that_says_when_locust_began_changes_nothing() {
    let plan = "\"scheduled\": 400}\n";
    let text = edited("locust/slices.jsonl", plan, &format!("{plan}{{\"started\": true}}\n"));
    let begun = parse(&file("s.jsonl", text)).unwrap();
    assert_eq!(rows(&begun), rows(&read("locust/slices.jsonl")));
}

#[test]
fn a_locust_run_that_measured_its_generator_has_no_values() {
    let failure = |from: &str, to: &str| {
        let run = parse(&file("s.jsonl", edited("locust/slices.jsonl", from, to))).unwrap();
        assert!(run.measurements.iter().all(|m| m.processes.is_empty()));
        run.measurements[0].failure.clone().unwrap()
    };
    insta::assert_snapshot!(failure("\"cpu_warning\": false", "\"cpu_warning\": true"), @"a Locust worker was short of CPU, so the latencies are its own: use more workers");
    insta::assert_snapshot!(failure("\"scheduled\": 400", "\"scheduled\": 401"), @"Locust told of 400 of 401 requests that were due");
    insta::assert_snapshot!(failure("\"workers\": 2, \"warmup", "\"workers\": 3, \"warmup"), @"2 of 3 Locust workers took part");
    let text = String::from_utf8(fixtures::bytes("load/locust/slices.jsonl")).unwrap();
    let cut = text.rsplit_once("{\"end\"").unwrap().0;
    insta::assert_snapshot!(error("s.jsonl", cut), @"`s.jsonl`: the last line is missing: the file is cut off, or the master did not end in good order");
}

#[test]
fn requests_without_an_answer_make_quantiles_lower_bounds() {
    let text = r#"{"tollgate_locust": 1, "name": "a", "workers": 1, "window_seconds": 10, "scheduled": 100}
{"worker": "w", "time": 1, "stats": [{"name": "x", "method": "INTENDED", "num_requests": 94, "num_failures": 0, "response_times": {"5.0": 94}},
 {"name": "x", "method": "UNFINISHED", "num_requests": 6, "num_failures": 0, "response_times": {"900.0": 6}}]}
{"end": true, "workers": 1, "cpu_warning": false}
"#;
    let run = parse(&file("s.jsonl", text.replace(",\n {", ", {"))).unwrap();
    insta::assert_snapshot!(rows(&run), @r#"
    load:a latency.p50 5001215.0000 ns
    load:a latency.p90 5001215.0000 ns
    load:a latency.p95 900202495.0000 ns
    load:a latency.p99 900202495.0000 ns
    load:a throughput 9.4000 req/s
    load:a error_rate 0.0600 ratio
    "#);
    assert!(
        remarks(&run)
            .contains("6 requests had no answer at the deadline: latency.p95, latency.p99 may be larger")
    );
}

#[test]
fn wrk_and_wrk2_are_read_from_their_text() {
    insta::assert_snapshot!(rows(&read("wrk/latency.txt")), @r#"
    load:wrk latency.p50 2170000.0000 ns
    load:wrk latency.p90 2310000.0000 ns
    load:wrk latency.p99 3280000.0000 ns
    load:wrk throughput 1718.2484 req/s
    load:wrk error_rate 0.0500 ratio
    "#);
    insta::assert_snapshot!(rows(&read("wrk/wrk2.txt")), @r#"
    load:wrk2 latency.p50 1060000.0000 ns
    load:wrk2 latency.p90 1750000.0000 ns
    load:wrk2 latency.p95 1931000.0000 ns
    load:wrk2 latency.p99 2380000.0000 ns
    load:wrk2 throughput 2000.2800 req/s
    load:wrk2 error_rate 0.0000 ratio
    "#);
    let short = edited("wrk/wrk2.txt", "2.38ms", "-nanus");
    insta::assert_snapshot!(error("wrk2.txt", short), @"`wrk2.txt`: wrk2 has no latency: it calibrates for 10 s, so measure for longer");
}

#[test]
fn an_interval_log_is_read_tag_by_tag_and_a_table_as_milliseconds() {
    insta::assert_snapshot!(rows(&read("hdrhistogram/intervals.hlog")), @r#"
    load:hdrhistogram latency.p50 349951.0000 ns
    load:hdrhistogram latency.p90 596479.0000 ns
    load:hdrhistogram latency.p95 727039.0000 ns
    load:hdrhistogram latency.p99 940031.0000 ns
    load:hdrhistogram throughput 300.0000 req/s
    load:reads latency.p50 372223.0000 ns
    load:reads latency.p90 608255.0000 ns
    load:reads latency.p95 720895.0000 ns
    load:reads latency.p99 885247.0000 ns
    load:reads throughput 300.0000 req/s
    "#);
    insta::assert_snapshot!(rows(&read("hdrhistogram/percentiles.txt")), @r#"
    load:hdrhistogram latency.p50 361000.0000 ns
    load:hdrhistogram latency.p90 602000.0000 ns
    load:hdrhistogram latency.p95 721000.0000 ns
    load:hdrhistogram latency.p99 916000.0000 ns
    "#);
}

/// A log of one histogram, plain or deflated: the header says `length`, `digits` and `high`, the counts are `payload`.
fn log_of(length: u32, digits: u32, high: u64, payload: &[u8], deflated: bool) -> String {
    let mut plain = Vec::new();
    for word in [0x1c84_9313, length, 0, digits] {
        plain.extend(u32::to_be_bytes(word));
    }
    plain.extend(u64::to_be_bytes(1));
    plain.extend(u64::to_be_bytes(high));
    plain.extend(f64::to_be_bytes(1.0));
    plain.extend(payload);
    if deflated {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&plain).unwrap();
        let packed = packer.finish().unwrap();
        plain = [
            &0x1c84_9314_u32.to_be_bytes()[..],
            &u32::try_from(packed.len()).unwrap().to_be_bytes(),
            &packed,
        ]
        .concat();
    }
    let encoded = base64::engine::general_purpose::STANDARD.encode(plain);
    format!("#[Histogram log format version 1.3]\n1.0,1.0,1.0,{encoded}\n")
}

#[test]
fn a_histogram_that_lies_about_its_size_is_refused_before_room_is_made_for_it() {
    // The third count is 2: one zigzag byte after another.
    let sound = rows(&parse(&file("a.hlog", log_of(3, 3, 10_000, &[0, 0, 4], false))).unwrap());
    assert!(sound.starts_with("load:hdrhistogram latency.p50 2.0000 ns"), "{sound}");
    assert_eq!(rows(&parse(&file("a.hlog", log_of(3, 3, 10_000, &[0, 0, 4], true))).unwrap()), sound);
    for (log, expected) in [
        (log_of(u32::MAX, 3, 10_000, &[2], false), "claims another size than it has"),
        (log_of(u32::MAX, 3, 10_000, &[2], true), "claims another size than it has"),
        (log_of(3, 6, 10_000, &[2, 2, 2], false), "claims another size than it has"),
        (log_of(3, 3, 10_000, &vec![0; 40 << 20], true), "more than 16 MiB"),
        (log_of(3, 3, 0, &[2, 2, 2], false), "cannot be read"),
        (log_of(3, 3, 10_000, &[0xff; 3], false), "cannot be read"),
        (log_of(0, 3, 10_000, &[], false), "no request"),
        ("#[Histogram log format version 1.3]\n1,1,1,AAAA\n".to_owned(), "is not of version 2"),
        ("#[Histogram log format version 1.3]\n1,1,1,!\n".to_owned(), "is no base64"),
        ("#[Histogram log format version 1.3]\nTag=a\n".to_owned(), "a tag without an interval"),
        ("#[Histogram log format version 1.3]\n1,NaN,1,AAAA\n".to_owned(), "`NaN` is no number"),
    ] {
        let said = error("a.hlog", log);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn hostile_load_results_are_refused_in_short_words() {
    let head = "request-start,DNS,DNS+dialup,Response-delay,request-duration,bytes,status\n";
    let slices = r#"{"tollgate_locust": 1, "name": "a", "workers": 1, "window_seconds": 1, "scheduled": 1}"#;
    let cases: [(&str, String); 10] = [
        ("nan.csv", format!("{head}0,0,0,0,NaN,1,200\n")),
        ("negative.csv", format!("{head}0,0,0,0,-1,1,200\n")),
        ("fields.csv", format!("{head}0,0,0\n")),
        ("none.csv", head.to_owned()),
        (
            "huge.jsonl",
            format!(
                "{{\"metric\":\"http_req_duration\",\"type\":\"Point\",\"data\":{{\"value\":{}}}}}",
                "9".repeat(5000)
            ),
        ),
        (
            "time.jsonl",
            "{\"metric\":\"http_req_duration\",\"type\":\"Point\",\"data\":{\"value\":1,\"time\":\"soon\"}}"
                .into(),
        ),
        (
            "deep.jsonl",
            format!("{{\"metric\":\"http_req_duration\",\"type\":\"Point\",\"data\":{}", "[".repeat(100_000)),
        ),
        ("version.jsonl", slices.replace("_locust\": 1", "_locust\": 2")),
        (
            "times.jsonl",
            format!(
                "{slices}\n{{\"time\": 1, \"stats\": [{{\"name\": \"x\", \"method\": \"INTENDED\", \"num_requests\": 1, \"num_failures\": 0, \"response_times\": {{\"inf\": 1}}}}]}}\n"
            ),
        ),
        (
            "name.jsonl",
            format!(
                "{}\n{{\"end\": true, \"workers\": 1}}\n",
                slices.replace("\"a\"", &format!("\"{}\"", "x".repeat(5000)))
            ),
        ),
    ];
    for (name, text) in cases {
        let said = error(name, text);
        assert!(said.chars().count() < 300, "{name}: {said}");
    }
}

#[test]
fn one_result_a_side_is_shown_and_never_tested() {
    let folder = tempfile::tempdir().unwrap();
    let base = fixtures::path("load/wrk/latency.txt");
    let worse = folder.path().join("worse.txt");
    fs::write(&worse, edited("wrk/latency.txt", "2.17ms", "9.17ms")).unwrap();
    let (base, worse) = (base.display().to_string(), worse.display().to_string());
    let ran = tollgate(folder.path(), &["compare", &base, &worse, "--format", "json"]).exits(3);
    let verdict = ran.json();
    let rows = verdict["benchmarks"].as_array().unwrap();
    let row = rows.iter().find(|row| row["metric"] == "latency.p50").unwrap();
    assert_eq!((row["id"].as_str(), row["metric"].as_str()), (Some("load:wrk"), Some("latency.p50")));
    assert_eq!((row["base"].as_f64(), row["head"].as_f64()), (Some(2.17e6), Some(9.17e6)));
    let reason = row["reason"].as_str().unwrap();
    assert!(
        reason.contains("one value a side cannot be tested") && reason.ends_with("the warm-up is in it"),
        "{reason}"
    );
    let verdicts =
        verdict["benchmarks"].as_array().unwrap().iter().map(|row| row["verdict"].as_str().unwrap());
    assert!(verdicts.clone().count() == 5 && verdicts.clone().all(|verdict| verdict == "inconclusive"));
    // Judged again from its own evidence, it says the same.
    let stored = folder.path().join("verdict.json");
    fs::write(&stored, &ran.stdout).unwrap();
    let again =
        tollgate(folder.path(), &["judge", &stored.display().to_string(), "--format", "json"]).exits(3);
    assert_eq!(again.json()["benchmarks"], verdict["benchmarks"]);
}

#[test]
fn imported_runs_of_several_files_are_compared_as_rounds() {
    let folder = tempfile::tempdir().unwrap();
    let files = |side: &str, factor: f64| -> Vec<String> {
        let write = |at: u32| {
            let path = folder.path().join(format!("{side}{at}.txt"));
            let p50 = format!("{:.2}ms", (2.0 + 0.01 * f64::from(at)) * factor);
            fs::write(&path, edited("wrk/latency.txt", "2.17ms", &p50)).unwrap();
            path.display().to_string()
        };
        (0..12).map(write).collect()
    };
    for (side, factor) in [("base", 1.0), ("head", 1.5)] {
        let files = files(side, factor);
        let mut args = vec!["import", "--name", "checkout", "-o"];
        let output = format!("{side}.json");
        args.push(&output);
        args.extend(files.iter().map(String::as_str));
        let ran = tollgate(folder.path(), &args).exits(0);
        assert_eq!(ran.stdout, "");
        assert!(
            ran.stderr.contains("imported 5 metrics of 1 benchmark from 12 files of wrk; the run is in"),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("guesses at what a stall hid"), "{}", ran.stderr);
        let run = run_v1::from_json(&fs::read(folder.path().join(&output)).unwrap()).unwrap();
        assert_eq!((run.mode, &run.base, &run.measurements[0].fate), (Mode::Single, &None, &Fate::Measured));
        assert_eq!(run.measurements[0].benchmark.id.as_str(), "load:checkout");
        assert_eq!(run.measurements[0].blocks.iter().map(|block| block.slots.len()).sum::<usize>(), 12);
    }
    let verdict =
        tollgate(folder.path(), &["compare", "base.json", "head.json", "--format", "json"]).exits(1).json();
    let row =
        verdict["benchmarks"].as_array().unwrap().iter().find(|row| row["metric"] == "latency.p50").unwrap();
    assert_eq!(row["verdict"], "regressed");
    // A run file stands for itself in `judge` and `report`; alone it is nothing to compare.
    tollgate(folder.path(), &["judge", "head.json"]).exits(4);
    let report = tollgate(folder.path(), &["report", "head.json"]).exits(0);
    assert!(report.stdout.contains("load:checkout"), "{}", report.stdout);
}

#[test]
fn report_shows_what_a_load_tool_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let file = fixtures::path("load/k6/summary_export.json").display().to_string();
    let ran = tollgate(folder.path(), &["report", &file]).exits(0);
    assert!(ran.stdout.contains("load:k6") && ran.stdout.contains("1.10 ms"), "{}", ran.stdout);
}

#[test]
fn import_writes_to_standard_output_and_reads_what_compare_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| fixtures::path(name).display().to_string();
    for (name, id) in [
        ("criterion/0.8.2", "num/sieve/100"),
        ("criterion/0.8.2:main", "num/sieve/100"),
        ("hyperfine/1.15.0/two_commands_1.json", "/bin/true"),
        ("libtest/1.97.0-nightly/bench.txt", "tests::sieve_large"),
        ("gungraun/0.20.0/stdout.txt", "num::sieve/large"),
        ("load/locust/slices.jsonl", "load:checkout"),
    ] {
        let ran = tollgate(folder.path(), &["import", &path(name)]).exits(0);
        assert_eq!(ran.json()["schema"], "tollgate.run/1");
        assert_eq!(ran.json()["measurements"][0]["id"], id, "{name}");
    }
    let failed = tollgate(folder.path(), &["import", &path("hyperfine/1.15.0/failing.json")]).exits(5);
    assert_eq!(failed.json()["measurements"][0]["id"], "/bin/false");
}

#[test]
fn import_refuses_what_it_cannot_read_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    write("odd.json", b"{\"a\": 1}");
    write("empty.json", b"\n");
    write("cut.jsonl", &fixtures::bytes("load/vegeta/results.jsonl")[..900]);
    write("newer.json", b"{\"schema\": \"tollgate.run/9\"}");
    let refused = |args: &[&str]| tollgate(folder.path(), &[&["import"], args].concat()).exits(2).stderr;
    let odd = refused(&["odd.json"]);
    assert!(odd.contains("is no output of a tool that is known") && odd.contains("k6, oha, vegeta"), "{odd}");
    assert!(refused(&["empty.json"]).contains("the file is empty"));
    assert!(refused(&["cut.jsonl"]).contains("line 4: the line is cut off"), "{}", refused(&["cut.jsonl"]));
    assert!(refused(&["newer.json"]).contains("reads up to `/1`"));
    assert!(refused(&["missing.json"]).contains("missing.json"));
    assert!(refused(&["odd.json", "--from", "jmeter"]).contains("possible values"));
    assert!(refused(&["odd.json", "--from", "k6"]).contains("http_req_duration"));
    assert!(refused(&[]).contains("FILE"));
    let several = fixtures::path("hyperfine/1.15.0/two_commands_1.json").display().to_string();
    assert!(refused(&[&several, "--name", "x"]).contains("2 benchmarks"));
    let same = folder.path().join("wrk.txt");
    fs::copy(fixtures::path("load/wrk/latency.txt"), &same).unwrap();
    assert!(refused(&["wrk.txt", "-o", "wrk.txt"]).contains("is an input"));
    tollgate(folder.path(), &["import", "wrk.txt", "-o", "/dev/null/run.json"]).exits(6);
    assert!(matches!(parse(&file("a", "{}")), Err(Error::Unrecognised { .. })));
}

#[test]
fn results_of_two_tools_are_never_compared_with_each_other() {
    let run = pair(vec![read("wrk/latency.txt")], vec![read("vegeta/report.json")]);
    assert!(run.measurements.iter().all(|m| matches!(m.fate, Fate::New | Fate::Missing)));
}
