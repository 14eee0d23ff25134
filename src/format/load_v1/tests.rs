//! Trials that come back as they were written, and what is refused.

use crate::{
    format::{Error, baseline_v1, example, history_v1, run_v1, verdict_v1},
    model::{
        baseline::{BaselineFile, LevelledSeries, RecordedSeries, RunRecord, StoredTrial},
        benchmark::BenchmarkId,
        load::{Clocks, Costs, Distribution, Endpoint, ErrorKind, Interval, Knee, Offered, Requests, Trial},
        metric::Metric,
        run::{Run, Side, TrialBlock, VoidReason},
    },
};

fn durations(from: u64) -> Distribution {
    let mut durations = Distribution::default();
    (0..500).for_each(|n| durations.record(from + n * 1_000));
    durations
}

fn trial(side: Side, void: Option<&str>) -> Trial {
    let mut response_time = durations(1_000_000);
    response_time.record_at_least(900_000_000);
    let requests = Requests {
        scheduled: 501,
        completed: 495,
        errors: 5,
        unfinished: 1,
        error_kinds: [(ErrorKind::Timeout, 2), (ErrorKind::TooLarge, 3)].into(),
        statuses: [(200, 495), (500, 3)].into(),
        retried: 1,
    };
    Trial {
        scenario: "checkout".into(),
        side,
        offered: Offered::Rate(100.2),
        seconds: 5.0,
        warmup_seconds: 1.0,
        requests: requests.clone(),
        answered: Some(480),
        clocks: Clocks { response_time, service_time: durations(900_000), ..Clocks::default() },
        endpoints: vec![Endpoint { name: "GET /".into(), requests, response_time: durations(5) }],
        in_flight_peak: 7,
        received_bytes: 12_345,
        generator_cpu: 0.25,
        costs: Costs {
            cpu_ns: Some(77),
            metrics: [("cache_hit_rate".to_owned(), 0.75)].into(),
            ..Costs::default()
        },
        knee: Some(Knee { met: Some(1_000.5), missed: None }),
        varied: false,
        intervals: vec![Interval {
            seconds: 1.0,
            latency_ns: Some([1.0, 2.0, 3.0, 4.0]),
            ..Interval::default()
        }],
        void: void.map(str::to_owned),
    }
}

fn run() -> Run {
    let late = "the generator was late";
    let block = |void: Option<&str>, last: Trial| TrialBlock {
        scenario: "checkout".into(),
        void: void.map(|reason| VoidReason { reason: reason.into() }),
        trials: vec![trial(Side::Base, None), last],
    };
    let load = vec![block(None, trial(Side::Head, None)), block(Some(late), trial(Side::Head, Some(late)))];
    Run { load, ..example::run() }
}

fn edited(from: &str, to: &str) -> Error {
    let text = String::from_utf8(run_v1::to_json(&run())).unwrap();
    assert!(text.contains(from), "{from}");
    run_v1::from_json(text.replacen(from, to, 1).as_bytes()).unwrap_err()
}

#[test]
fn a_trial_of_a_file_that_does_not_tell_what_was_answered_in_the_window_counts_all_answers() {
    let text = String::from_utf8(run_v1::to_json(&run())).unwrap();
    let older = text.replace("\"answered\": 480,", "");
    assert_ne!(text, older);
    let throughput = |text: &str| {
        let run = run_v1::from_json(text.as_bytes()).unwrap();
        run.load[0].trials[0].throughput()
    };
    assert!((throughput(&text) - 96.0).abs() < 1e-9);
    assert!((throughput(&older) - 99.0).abs() < 1e-9);
}

#[test]
fn trials_come_back_bit_by_bit_and_void_ones_say_so() {
    let bytes = run_v1::to_json(&run());
    let read = run_v1::from_json(&bytes).unwrap();
    assert_eq!(read, run());
    assert_eq!(run_v1::to_json(&read), bytes);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!((text.matches("\"valid\": false").count(), text.matches("\"valid\": true").count()), (1, 3));
}

#[test]
fn trials_stay_with_the_evidence_of_a_verdict() {
    let mut verdict = example::verdict();
    verdict.evidence = Some(Run { load: run().load, ..verdict.evidence.unwrap() });
    let read = verdict_v1::from_json(&verdict_v1::to_json(&verdict)).unwrap();
    assert_eq!(read, verdict);
}

#[test]
fn a_document_without_load_has_no_key_of_it() {
    assert!(!String::from_utf8(run_v1::to_json(&example::run())).unwrap().contains("\"load\""));
}

#[test]
fn what_is_wrong_with_a_trial_is_named_by_its_path() {
    insta::assert_snapshot!(edited("\"scheduled\": 501", "\"scheduled\": 500"),
        @"the document has a bad value at `load[0].trials[0].requests.scheduled`: it is not the sum of completed, errors and unfinished");
    insta::assert_snapshot!(edited("\"completed\": 495", "\"completed\": 18446744073709551615"),
        @"the document has a bad value at `load[0].trials[0].requests.scheduled`: it is not the sum of completed, errors and unfinished");
    insta::assert_snapshot!(edited("\"valid\": false", "\"valid\": true"),
        @"the document has a bad value at `load[1].trials[1].valid`: a trial that does not count says why, and no other does");
    insta::assert_snapshot!(edited("\"users\": null", "\"users\": 3"),
        @"the document has a bad value at `load[0].trials[0].rate`: a trial has either a rate or users");
    insta::assert_snapshot!(edited("\"timeout\": 2", "\"gremlins\": 2"),
        @"the document has a bad value at `load[0].trials[0].requests.error_kinds`: unknown kind `gremlins`");
    insta::assert_snapshot!(edited("\"seconds\": 5.0", "\"seconds\": -5.0"),
        @"the document has a bad value at `load[0].trials[0].seconds`: -5 is negative or not finite");
    insta::assert_snapshot!(edited("\"met\": 1000.5", "\"met\": -1.0"),
        @"the document has a bad value at `load[0].trials[0].knee.met`: a rate is above 0");
    let broken = edited("\"known\": \"HISTF", "\"known\": \"MISTF");
    assert!(broken.to_string().contains("`load[0].trials[0].clocks.response_time.known`"), "{broken}");
}

#[test]
fn stored_trials_come_back_and_are_part_of_the_digest() {
    let mut series = example::stored();
    series.benchmark.id = BenchmarkId::new("load:checkout").unwrap();
    series.metric = Metric::of_load("error_rate").unwrap();
    for run in &mut series.runs {
        run.trials = vec![StoredTrial { scheduled: 500, failed: 4, response_time: durations(7) }];
    }
    let recorded = RecordedSeries {
        benchmark: series.benchmark.clone(),
        metric: series.metric.clone(),
        values: series.runs[0].values.clone(),
        trials: series.runs[0].trials.clone(),
    };
    let target = series.benchmark.target.clone();
    let levelled = LevelledSeries { series, levels: Vec::new() };
    let file = BaselineFile { environment: example::environment(), target, series: vec![levelled] };
    let bytes = baseline_v1::to_json(&file);
    assert_eq!(baseline_v1::from_json(&bytes).unwrap(), file);
    let text = String::from_utf8(bytes).unwrap();
    let fewer = baseline_v1::from_json(text.replacen("\"failed\": 4", "\"failed\": 3", 1).as_bytes());
    assert!(fewer.unwrap_err().to_string().contains("does not match its digest"));
    let more = baseline_v1::from_json(text.replacen("\"failed\": 4", "\"failed\": 501", 1).as_bytes());
    assert!(more.unwrap_err().to_string().contains("more requests failed than were due"));
    let record = RunRecord {
        tool_version: "0.1.0".into(),
        rev: "a".repeat(40),
        label: "main".into(),
        recorded_at: 1_769_860_800,
        environment: example::environment(),
        seed: 7,
        series: vec![recorded],
    };
    let written = history_v1::to_json(&record);
    assert_eq!(history_v1::from_json(&written.path, &written.bytes).unwrap(), record);
}
