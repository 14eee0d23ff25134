//! Each rule with the run that fulfils it, and runs that fulfil none.

use super::advise;
use crate::{
    judge::over_time::OverTime,
    model::{
        load::{
            Availability, CostSummary, ErrorKind, Interval, Offered, Quantile, Quantiles, Requests, Slots,
            Summary, Trial, summary_support,
        },
        run::Side,
    },
};

const MS: f64 = 1e6;

/// A clock of 2,000 requests with these p50, p95 and p99, milliseconds.
fn clock(p50: f64, p95: f64, p99: f64) -> Option<Quantiles> {
    let quantile = |ms: f64| Quantile { ns: ms * MS, lower_bound: false };
    let quantiles = [p50, p95, p95, p99, p99].map(quantile);
    Some(Quantiles { count: 2_000, quantiles, max: quantile(p99) })
}

/// Ten seconds at 200 requests a second, each answered within milliseconds by a service that uses an eighth of four processors.
fn healthy() -> Summary {
    Summary {
        scenario: "x".into(),
        side: Side::Head,
        offered: Offered::Rate(200.0),
        slots: Slots { measured: 1, void: Vec::new() },
        seconds: 10.0,
        warmup_seconds: 1.0,
        requests: Requests { scheduled: 2_000, completed: 2_000, ..Requests::default() },
        throughput: Some(200.0),
        latency: clock(2.0, 5.0, 9.0),
        service_time: clock(2.0, 5.0, 9.0),
        send_lag: clock(0.1, 0.2, 0.5),
        connect: None,
        pool_wait: None,
        first_byte: clock(2.0, 5.0, 9.0),
        in_flight_peak: 4,
        availability: Availability { seconds: 10.0, answered_seconds: 10.0 },
        received_bytes: 20_000,
        generator_cpu: 0.1,
        costs: CostSummary {
            cpu_per_request_ns: Some(2.5e6),
            cpu: Some(0.5),
            cpu_share: Some(0.125),
            rss_peak_bytes: Some(50 << 20),
            memory_share: Some(0.1),
            descriptors_peak: Some(64),
            metrics: [("cache_hit_rate".to_owned(), 0.9)].into(),
            ..CostSummary::default()
        },
        endpoints: Vec::new(),
    }
}

fn failing(kind: ErrorKind, count: u64) -> Summary {
    let mut load = healthy();
    load.requests.errors = count;
    load.requests.completed -= count;
    load.requests.error_kinds.insert(kind, count);
    load
}

/// The words and the sentences of the advice on a scenario with these levels.
fn advice(load: Summary, levels: &[Summary]) -> Vec<(String, String)> {
    let advice = advise(&[load], levels, &[], &OverTime::default());
    advice.into_iter().map(|advice| (advice.code, advice.text)).collect()
}

/// The one piece of advice.
fn only(load: Summary, levels: &[Summary]) -> (String, String) {
    let advice = advice(load, levels);
    assert_eq!(advice.len(), 1, "{advice:#?}");
    advice.into_iter().next().unwrap()
}

fn says(load: Summary, levels: &[Summary], code: &str, figures: &[&str]) {
    let (found, text) = only(load, levels);
    assert_eq!(found, code, "{text}");
    for figure in figures {
        assert!(text.contains(figure), "`{figure}` in {text}");
    }
}

#[test]
fn a_healthy_run_has_none() {
    assert_eq!(advice(healthy(), &[]), []);
    assert_eq!(advice(healthy(), &[healthy(), healthy()]), []);
    let unknown = Summary { costs: CostSummary::default(), first_byte: None, ..healthy() };
    assert_eq!(advice(unknown, &[]), []);
    assert_eq!(advise(&[], &[], &[], &OverTime::default()), []);
    // A single failure of two thousand requests is no pattern.
    for kind in ErrorKind::ALL {
        assert_eq!(advice(failing(kind, 1), &[]), [], "{kind:?}");
    }
}

#[test]
fn base_and_void_windows_get_none() {
    let base = Summary { side: Side::Base, ..failing(ErrorKind::Timeout, 500) };
    assert_eq!(advice(base, &[]), []);
    let void = Slots { measured: 1, void: vec!["late".into()] };
    assert_eq!(advice(Summary { slots: void, ..failing(ErrorKind::Timeout, 500) }, &[]), []);
}

#[test]
fn timeouts_of_an_idle_service_point_to_its_pools_and_of_a_busy_one_to_its_processors() {
    let idle = failing(ErrorKind::Timeout, 240);
    says(idle.clone(), &[], "timeouts", &["12 % of the requests (240)", "0.50 of 4 processors", "pools"]);
    let mut busy = idle.clone();
    (busy.costs.cpu, busy.costs.cpu_share) = (Some(3.8), Some(0.95));
    says(busy, &[], "cpu_limit", &["at 200 requests/s", "of 4 processors (95 %)", "2.50 ms a request"]);
    let unknown = Summary { costs: CostSummary::default(), ..idle };
    says(unknown, &[], "timeouts", &["12 % of the requests", "is not known here"]);
}

#[test]
fn one_busy_thread_of_several_processors_is_told_where_it_hurts() {
    let mut load = healthy();
    (load.costs.cpu, load.costs.cpu_share) = (Some(0.98), Some(0.245));
    assert_eq!(advice(load.clone(), &[]), []);
    (load.latency, load.service_time, load.first_byte) =
        (clock(90.0, 300.0, 400.0), clock(90.0, 300.0, 400.0), clock(90.0, 300.0, 400.0));
    says(load, &[], "one_thread", &["0.98 of 4 processors", "one thread"]);
}

#[test]
fn connections_that_fail_beside_others_are_told_with_the_descriptors() {
    says(
        failing(ErrorKind::Connect, 100),
        &[],
        "connect_errors",
        &["5 % of the requests (100)", "1,900", "64"],
    );
    says(failing(ErrorKind::Reset, 100), &[], "resets", &["5 % of the requests (100)"]);
}

#[test]
fn server_errors_above_a_level_name_both_levels() {
    let mut broken = failing(ErrorKind::Status, 600);
    broken.requests.statuses.insert(503, 600);
    let calm = Summary { offered: Offered::Rate(50.0), ..healthy() };
    let figures =
        ["30 % of the answers (600) at 200 requests/s", "mostly 503", "none of 2,000 at 50 requests/s"];
    says(broken.clone(), &[calm, broken.clone()], "server_errors_under_load", &figures);
    // What fails at every level fails for another reason.
    assert_eq!(advice(broken.clone(), &[broken.clone(), broken]), []);
}

#[test]
fn answers_that_slow_down_while_the_service_idles_queue() {
    let calm = Summary { offered: Offered::Rate(20.0), ..healthy() };
    let mut slow = healthy();
    (slow.latency, slow.service_time) = (clock(40.0, 90.0, 95.0), clock(40.0, 90.0, 95.0));
    let figures = ["5.00 ms at 20 requests/s", "90.0 ms at 200 requests/s", "0.50 of 4"];
    says(slow.clone(), &[calm.clone(), slow.clone()], "queueing", &figures);
    (slow.costs.cpu, slow.costs.cpu_share) = (Some(3.0), Some(0.75));
    assert_eq!(advice(slow.clone(), &[calm, slow]), []);
}

#[test]
fn a_slow_first_byte_and_a_slow_rest_are_told_apart() {
    let mut load = healthy();
    (load.latency, load.service_time, load.first_byte) =
        (clock(200.0, 400.0, 450.0), clock(200.0, 400.0, 450.0), clock(199.0, 399.0, 449.0));
    says(load.clone(), &[], "first_byte", &["399 ms", "400 ms"]);
    load.first_byte = clock(10.0, 20.0, 25.0);
    says(load, &[], "slow_body", &["20.0 ms", "400 ms", "10 B"]);
}

#[test]
fn waiting_for_a_connection_is_told_unless_the_generator_was_late() {
    let mut load = Summary { latency: clock(50.0, 200.0, 250.0), ..healthy() };
    load.pool_wait = clock(45.0, 190.0, 240.0);
    says(load.clone(), &[], "connections", &["200 ms", "5.00 ms", "190 ms"]);
    load.send_lag = clock(45.0, 190.0, 240.0);
    assert_eq!(advice(load, &[]), []);
}

#[test]
fn memory_near_its_limit_and_growth_are_told() {
    let mut load = healthy();
    load.costs.memory_share = Some(0.93);
    says(load, &[], "memory_limit", &["50.0 MiB", "93 %"]);
    let grown = |what| OverTime {
        grown: vec![("x".into(), what, "by 12 MiB an hour".into())],
        ..OverTime::default()
    };
    for (what, code) in [("memory", "memory_grows"), ("latency p95", "latency_grows")] {
        let time = grown(what);
        let advice = advise(&[healthy()], &[], &[], &time);
        assert_eq!((advice.len(), advice[0].code.as_str()), (1, code));
        assert!(advice[0].text.contains("by 12 MiB an hour"), "{advice:?}");
    }
    let other = Summary { scenario: "y".into(), ..healthy() };
    assert_eq!(advise(&[other], &[], &[], &grown("memory")), []);
}

fn window(rates: impl Fn(u32) -> f64) -> Trial {
    let interval = |second: u32| Interval {
        start_seconds: f64::from(second),
        seconds: 1.0,
        metrics: [("cache_hit_rate".to_owned(), rates(second))].into(),
        ..Interval::default()
    };
    let mut trial = summary_support::trial(Side::Head, 100, 1_000_000);
    (trial.scenario, trial.seconds) = ("x".into(), 30.0);
    trial.intervals = (0..30).map(interval).collect();
    trial
}

#[test]
fn a_cache_that_loses_its_hits_is_told_over_time_and_over_levels() {
    let falling =
        advise(&[healthy()], &[], &[window(|at| 0.95 - 0.01 * f64::from(at))], &OverTime::default());
    assert_eq!((falling.len(), falling[0].code.as_str()), (1, "cache"));
    assert!(falling[0].text.contains("from 90 % to 70 %"), "{falling:?}");
    let filling = advise(&[healthy()], &[], &[window(|at| 0.5 + 0.01 * f64::from(at))], &OverTime::default());
    assert_eq!(filling, []);
    let mut worse = healthy();
    worse.costs.metrics.insert("cache_hit_rate".into(), 0.6);
    let calm = Summary { offered: Offered::Rate(20.0), ..healthy() };
    says(
        worse.clone(),
        &[calm, worse],
        "cache",
        &["from 90 % to 60 %", "from 20 requests/s to 200 requests/s"],
    );
}

#[test]
fn stalls_connecting_and_closed_connections_are_told() {
    let mut load = healthy();
    (load.latency, load.service_time) = (clock(2.0, 5.0, 900.0), clock(2.0, 5.0, 900.0));
    says(load, &[], "stalls", &["2.00 ms", "900 ms"]);
    let load = Summary { connect: clock(100.0, 300.0, 400.0), ..healthy() };
    says(load, &[], "slow_connect", &["300 ms", "2,000"]);
    let mut load = healthy();
    load.requests.retried = 200;
    says(load, &[], "idle_connections", &["10 % of the requests (200)"]);
}

#[test]
fn at_most_three_are_shown_and_the_weightiest_first() {
    let mut load = failing(ErrorKind::Timeout, 240);
    load.requests.error_kinds.insert(ErrorKind::Connect, 100);
    load.requests.error_kinds.insert(ErrorKind::Reset, 100);
    load.requests.retried = 400;
    load.costs.memory_share = Some(0.95);
    let codes: Vec<String> = advice(load, &[]).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["connect_errors", "timeouts", "resets"]);
}
