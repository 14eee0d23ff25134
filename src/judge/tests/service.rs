//! Tiers of targets, the score, and what a demanded tier means.

use proptest::prelude::*;

use crate::judge::{
    grade, load_summary,
    service::{Demand, subjects},
    targets::assess,
    waiver::Waivers,
};
use crate::model::{
    load::{Availability, CostSummary, Offered, Quantile, Quantiles, Requests, Slots, Summary},
    outcome::Outcome,
    policy::{Policy, Strictness, Waiver},
    run::Side,
    targets::{Limit, Mark, Part, Targets, Tier, TierResult},
};

/// A service that meets every tier: 1,100 s, two million requests, 2,500 in flight.
fn good() -> Summary {
    let quantile = |ns| Quantile { ns, lower_bound: false };
    let quantiles = [1e6, 5e6, 20e6, 40e6, 90e6].map(quantile);
    let requests = Requests { scheduled: 2_000_000, completed: 2_000_000, ..Requests::default() };
    Summary {
        scenario: "checkout".into(),
        side: Side::Head,
        offered: Offered::Rate(1_818.0),
        slots: Slots { measured: 1, void: Vec::new() },
        seconds: 1_100.0,
        warmup_seconds: 1.0,
        throughput: Some(1_818.0),
        latency: Some(Quantiles { count: requests.scheduled, quantiles, max: quantile(2e8) }),
        service_time: None,
        send_lag: None,
        connect: None,
        pool_wait: None,
        first_byte: None,
        in_flight_peak: 2_500,
        availability: Availability { seconds: 1_100.0, answered_seconds: 1_100.0 },
        received_bytes: 0,
        generator_cpu: 0.1,
        costs: CostSummary::default(),
        endpoints: Vec::new(),
        requests,
    }
}

/// The same with so many requests, of which some failed.
fn with_errors(scheduled: u64, errors: u64) -> Summary {
    let mut load = good();
    load.requests = Requests { scheduled, completed: scheduled - errors, errors, ..Requests::default() };
    if let Some(latency) = &mut load.latency {
        latency.count = scheduled;
    }
    load
}

fn with_p95(ns: f64) -> Summary {
    let mut load = good();
    if let Some(latency) = &mut load.latency {
        latency.quantiles[2].ns = ns;
    }
    load
}

fn met(load: &[Summary]) -> Vec<Option<bool>> {
    assess(load, &Targets::default()).iter().map(|tier| tier.met).collect()
}

fn part(tiers: &[TierResult], tier: usize, part: Part) -> (Option<bool>, String) {
    let found = tiers[tier].parts.iter().find(|result| result.part == part).unwrap();
    (found.met, found.note.clone())
}

#[test]
fn a_service_meets_the_tiers_that_its_numbers_reach() {
    assert_eq!(met(&[good()]), [Some(true); 3]);
    assert_eq!(met(&[with_p95(150e6)]), [Some(true), Some(true), Some(false)]);
    // Just at the limit is not below it.
    assert_eq!(met(&[with_p95(200e6)]), [Some(true), Some(false), Some(false)]);
    assert_eq!(met(&[with_errors(2_000_000, 60_000)]), [Some(true), Some(false), Some(false)]);
    assert_eq!(met(&[with_errors(2_000_000, 2_000_000)]), [Some(false); 3]);
}

#[test]
fn base_is_nobody_s_target() {
    let base = Summary { side: Side::Base, ..good() };
    assert_eq!(met(std::slice::from_ref(&base)), []);
    assert_eq!(grade::score(&[base]), None);
}

#[test]
fn users_that_were_not_asked_for_are_not_shown_and_not_missed() {
    let load = Summary { in_flight_peak: 12, ..good() };
    let tiers = assess(&[load], &Targets::default());
    assert_eq!(
        part(&tiers, 1, Part::ConcurrentUsers),
        (None, "at most 12 in flight, more were not asked for".into())
    );
    assert_eq!(tiers[1].met, None);
    // So many were in flight, but not served as the tier asks.
    let tiers = assess(&[with_p95(700e6)], &Targets::default());
    assert_eq!(part(&tiers, 0, Part::ConcurrentUsers).0, Some(false));
}

#[test]
fn a_short_window_shows_no_availability_but_can_miss_it() {
    let seconds = |seconds, answered_seconds| {
        let load = Summary { availability: Availability { seconds, answered_seconds }, ..good() };
        let tiers = assess(&[load], &Targets::default());
        [0, 1, 2].map(|tier| part(&tiers, tier, Part::Availability).0)
    };
    assert_eq!(seconds(8.0, 8.0), [None; 3]);
    assert_eq!(seconds(100.0, 100.0), [Some(true), None, None]);
    assert_eq!(seconds(200.0, 200.0), [Some(true), Some(true), None]);
    assert_eq!(seconds(1_000.0, 999.0), [Some(true); 3]);
    assert_eq!(seconds(8.0, 7.0), [Some(false); 3]);
}

#[test]
fn few_requests_show_little() {
    let tiers = assess(&[with_errors(12, 0)], &Targets::default());
    assert_eq!(part(&tiers, 0, Part::LatencyP95), (None, "12 requests, 20 would show it".into()));
    assert_eq!(part(&tiers, 2, Part::ErrorRate), (None, "12 requests, 200 would show it".into()));
    assert_eq!(part(&assess(&[with_errors(20, 0)], &Targets::default()), 0, Part::ErrorRate).0, Some(true));
    assert_eq!(part(&assess(&[with_errors(12, 6)], &Targets::default()), 0, Part::ErrorRate).0, Some(false));
}

#[test]
fn a_quantile_that_is_a_lower_bound_counts_only_if_it_would_hold_anyway() {
    let bound = |errors, p99: f64| {
        let mut load = with_errors(10_000, errors);
        let latency = load.latency.as_mut().unwrap();
        latency.quantiles[2].lower_bound = true;
        latency.quantiles[3] = Quantile { ns: p99, lower_bound: true };
        part(&assess(&[load], &Targets::default()), 2, Part::LatencyP95).0
    };
    // 0.1 % never ended: the p95 is at most today's p99, 90 ms.
    assert_eq!(bound(10, 90e6), Some(true));
    assert_eq!(bound(10, 150e6), None);
    assert_eq!(bound(600, 90e6), None);
}

#[test]
fn a_target_over_no_request_is_incomplete_and_has_no_score() {
    let mut load = with_errors(0, 0);
    load.latency = None;
    load.availability = Availability::default();
    let tiers = assess(std::slice::from_ref(&load), &Targets::default());
    assert!(tiers.iter().all(|tier| tier.met.is_none()));
    assert_eq!(part(&tiers, 0, Part::LatencyP95).1, "no request was due");
    assert_eq!(grade::score(std::slice::from_ref(&load)), None);
    assert_eq!(demand(&load, Strictness::Normal, &[]).map(|(outcome, _)| outcome), Some(Outcome::Incomplete));
    assert_eq!(load_summary(&[], &Targets::default()), (Vec::new(), Vec::new(), None));
}

#[test]
fn void_windows_meet_nothing() {
    let load = Summary { slots: Slots { measured: 1, void: vec!["late".into()] }, ..good() };
    assert_eq!(met(std::slice::from_ref(&load)), [None; 3]);
    assert_eq!(grade::score(&[load]), None);
}

#[test]
fn of_two_scenarios_the_worse_one_decides_and_the_larger_one_has_the_users() {
    let other = Summary { scenario: "search".into(), in_flight_peak: 3, ..with_p95(150e6) };
    let tiers = assess(&[good(), other], &Targets::default());
    assert_eq!(tiers.iter().map(|tier| tier.met).collect::<Vec<_>>(), [Some(true), Some(true), Some(false)]);
    assert_eq!(
        (tiers[2].parts[0].scenario.as_str(), tiers[2].parts[2].scenario.as_str()),
        ("search", "checkout")
    );
}

#[test]
fn a_throughput_that_was_not_asked_for_is_not_missed() {
    let targets = |limit| Targets {
        tiers: vec![Tier { name: "fast".into(), limits: vec![Limit { part: Part::Throughput, limit }] }],
        require: None,
    };
    assert_eq!(assess(&[good()], &targets(1_800.0))[0].met, Some(true));
    assert_eq!(assess(&[good()], &targets(5_000.0))[0].met, None);
    let slow = Summary { throughput: Some(900.0), ..good() };
    assert_eq!(assess(std::slice::from_ref(&slow), &targets(1_800.0))[0].met, Some(false));
    let closed = Summary { offered: Offered::Users(50), ..slow };
    assert_eq!(assess(std::slice::from_ref(&closed), &targets(5_000.0))[0].met, Some(false));
    // Users are as fast as the generator: when that had no more to give, it may be to blame.
    let full = Summary { generator_cpu: 0.97, ..closed };
    assert_eq!(assess(&[full], &targets(5_000.0))[0].met, None);
}

#[test]
fn a_rate_that_is_hardly_above_a_throughput_shows_no_miss_of_it() {
    let targets = Targets {
        tiers: vec![Tier {
            name: "own".into(),
            limits: vec![Limit { part: Part::Throughput, limit: 200.0 }],
        }],
        require: None,
    };
    let met = |rate, throughput| {
        let load = Summary { offered: Offered::Rate(rate), throughput: Some(throughput), ..good() };
        assess(&[load], &targets)[0].met
    };
    // A single error of 1,600 takes it below.
    assert_eq!((met(200.0, 199.875), met(200.0, 200.0)), (None, Some(true)));
    assert_eq!((met(200.0, 190.0), met(203.0, 199.5)), (Some(false), None));
    assert_eq!((met(230.0, 199.875), met(190.0, 100.0)), (Some(false), None));
}

#[test]
fn a_scenario_that_was_asked_nothing_keeps_a_demanded_tier_open() {
    let idle = Summary { scenario: "rare".into(), latency: None, ..with_errors(0, 0) };
    let targets = Targets { require: Some("production".into()), ..Targets::default() };
    let load = [good(), idle];
    let tiers = assess(&load, &targets);
    let policy = Policy { targets, ..Policy::default() };
    let demand = Demand::of(&load, &tiers, &policy, &Waivers::new(&[], "2026-11-23"));
    assert_eq!(demand.outcome.unwrap().0, Outcome::Incomplete);
}

fn demand(load: &Summary, strictness: Strictness, waivers: &[Waiver]) -> Option<(Outcome, String)> {
    let targets = Targets { require: Some("production".into()), ..Targets::default() };
    let tiers = assess(std::slice::from_ref(load), &targets);
    let policy = Policy { targets, strictness, ..Policy::default() };
    let waivers = Waivers::new(waivers, "2026-11-23");
    assert_eq!(waivers.unmatched(&subjects(&tiers).iter().collect::<Vec<_>>()), []);
    let demand = Demand::of(std::slice::from_ref(load), &tiers, &policy, &waivers);
    assert!(demand.outcome.is_none() || demand.warning.is_none());
    demand.outcome.or_else(|| demand.warning.map(|warning| (Outcome::Pass, warning.code)))
}

#[test]
fn a_demanded_tier_that_is_missed_is_a_regression_unless_waived() {
    assert_eq!(demand(&good(), Strictness::Strict, &[]), None);
    let slow = with_p95(300e6);
    let (outcome, reason) = demand(&slow, Strictness::Normal, &[]).unwrap();
    assert_eq!(outcome, Outcome::Regressed);
    assert_eq!(
        reason,
        "target `production` was missed: latency.p95 300 ms (limit 200 ms) and concurrent_users 2,500 (limit 1,000)"
    );
    let waiver = |cap, expires: &str| Waiver {
        benchmark: "targets:production".into(),
        cap,
        reason: "new disks".into(),
        owner: "ada".into(),
        expires: expires.into(),
    };
    let waived = demand(&slow, Strictness::Normal, &[waiver(0.5, "2027-01-01")]);
    assert_eq!(waived, Some((Outcome::Pass, "target_waived".into())));
    for other in [waiver(0.4, "2027-01-01"), waiver(0.5, "2026-11-22")] {
        assert_eq!(demand(&slow, Strictness::Normal, &[other]).unwrap().0, Outcome::Regressed);
    }
}

#[test]
fn a_demanded_tier_that_is_not_shown_warns_and_a_strict_check_does_not_pass() {
    let load = Summary { in_flight_peak: 12, ..good() };
    assert_eq!(demand(&load, Strictness::Normal, &[]), Some((Outcome::Pass, "target_not_shown".into())));
    assert_eq!(demand(&load, Strictness::Strict, &[]).unwrap().0, Outcome::Incomplete);
}

#[test]
fn without_a_demand_targets_change_nothing_and_an_unknown_tier_is_incomplete() {
    let waivers = Waivers::new(&[], "2026-11-23");
    let slow = [with_p95(9e9)];
    let outcome = |targets: Targets, load: &[Summary]| {
        let tiers = assess(load, &targets);
        Demand::of(load, &tiers, &Policy { targets, ..Policy::default() }, &waivers).outcome
    };
    assert_eq!(outcome(Targets::default(), &slow), None);
    let unknown = Targets { require: Some("gold".into()), ..Targets::default() };
    assert_eq!(outcome(unknown.clone(), &slow).unwrap().0, Outcome::Incomplete);
    assert_eq!(outcome(unknown, &[]), None);
}

/// The score of head with these numbers.
fn points(
    p95_ms: f64,
    errors: u64,
    users: u64,
    cache: Option<f64>,
    memory: Option<f64>,
    cpu: Option<f64>,
) -> f64 {
    let mut load = with_p95(p95_ms * 1e6);
    load.requests = with_errors(10_000, errors).requests;
    load.in_flight_peak = users;
    load.costs.memory_share = memory;
    load.costs.cpu_share = cpu;
    load.costs.metrics = cache.into_iter().map(|rate| ("cache_hit_rate".to_owned(), rate)).collect();
    grade::score(&[load]).unwrap().points
}

#[test]
fn the_marks_of_the_table_have_their_points() {
    let all = |p95, errors, users, cache, memory, cpu| {
        points(p95, errors, users, Some(cache), Some(memory), Some(cpu))
    };
    assert!((all(100.0, 50, 2_000, 0.9, 0.7, 0.5) - 9.0).abs() < 1e-9);
    assert!((all(200.0, 200, 1_000, 0.8, 0.8, 0.7) - 7.0).abs() < 1e-9);
    assert!((all(500.0, 500, 500, 0.7, 0.9, 0.85) - 5.0).abs() < 1e-9);
    assert!((all(1.0, 0, 9_000, 1.0, 0.1, 0.1) - 10.0).abs() < 1e-9);
    assert!(all(60_000.0, 10_000, 0, 0.0, 2.0, 2.0) < 1e-9);
}

#[test]
fn what_was_not_measured_never_scores_and_is_said() {
    let score = grade::score(&[Summary { in_flight_peak: 12, ..good() }]).unwrap();
    assert!((score.coverage - 0.5).abs() < 1e-9);
    assert!((score.points - 10.0).abs() < 1e-9);
    let measured: Vec<&str> =
        score.parts.iter().filter(|part| part.value.is_some()).map(|part| part.part.as_str()).collect();
    assert_eq!(measured, ["latency.p95", "error_rate"]);
    assert_eq!(score.parts[0].mark, Some(Mark::Excellent));
    assert_eq!(score.parts[0].basis, "measured over 18 min 20 s at 1,818 requests/s (2,000,000 requests)");
    assert_eq!(score.parts[2].basis, "not measured: at most 12 in flight, 500 are the least that counts");
    assert_eq!(score.notes, ["says nothing about concurrent_users, cache_hit_rate, memory and cpu"]);
    assert!((score.parts.iter().map(|part| part.weight).sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn few_requests_score_little() {
    // One good answer is no battle-hardened service.
    assert_eq!(grade::score(&[with_errors(1, 0)]), None);
    assert_eq!(grade::score(&[with_errors(19, 5)]), None);
    let errors = |scheduled, errors| {
        let score = grade::score(&[with_errors(scheduled, errors)]).unwrap();
        let part = score.parts.into_iter().find(|part| part.part == Part::ErrorRate).unwrap();
        (part.points.unwrap(), part.basis)
    };
    // 20 without an error show no more than 20 with one.
    let (points, basis) = errors(20, 0);
    assert!(
        (points - 5.0).abs() < 1e-9 && basis.ends_with("so few that one error more or less cannot be told")
    );
    assert!((errors(20, 1).0 - 5.0).abs() < 1e-9 && errors(20, 2).0 < 5.0);
    assert!((errors(200, 0).0 - 10.0).abs() < 1e-9);
    // Of several scenarios one that was hardly asked says nothing.
    let rare = Summary { scenario: "rare".into(), ..with_errors(3, 3) };
    let score = grade::score(&[rare, good()]).unwrap();
    assert!(
        (score.points - 10.0).abs() < 1e-9 && score.parts[0].basis.ends_with("load:checkout"),
        "{score:?}"
    );
}

#[test]
fn a_service_that_fails_fast_has_no_score_to_be_proud_of() {
    assert!(points(0.1, 10_000, 12, None, None, None) < 1e-9);
    assert!((points(0.1, 500, 12, None, Some(0.1), Some(0.1)) - 5.0).abs() < 1e-9);
}

proptest! {
    #[test]
    fn a_better_value_never_lowers_the_score(
        p95 in 1.0..3_000.0, errors in 0_u64..3_000, users in 0_u64..5_000,
        cache in proptest::option::of(0.0..1.0), memory in proptest::option::of(0.0..1.2), cpu in proptest::option::of(0.0..1.2),
        hundredths in 0_u32..100,
    ) {
        let score = points(p95, errors, users, cache, memory, cpu);
        prop_assert!((0.0..=10.0).contains(&score));
        let by = f64::from(hundredths) / 100.0;
        let fewer = errors - errors * u64::from(hundredths) / 100;
        let more = users + 40 * u64::from(hundredths);
        let lower = |share: Option<f64>| share.map(|share| share * (1.0 - by));
        let higher = |share: Option<f64>| share.map(|share| share + (1.0 - share) * by);
        for better in [
            points(p95 * (1.0 - by), errors, users, cache, memory, cpu),
            points(p95, fewer, users, cache, memory, cpu),
            points(p95, errors, more, cache, memory, cpu),
            points(p95, errors, users, higher(cache), memory, cpu),
            points(p95, errors, users, cache, lower(memory), cpu),
            points(p95, errors, users, cache, memory, lower(cpu)),
        ] {
            prop_assert!(better >= score - 1e-9, "{score} {better}");
        }
    }
}
