//! The engine over recorded trials: no server, no clock that matters.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "made-up durations")]

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use super::{
    alone::measure_alone,
    metrics,
    paired::{Slots, measure},
    request::{Measured, Request, Trouble},
    stand::full_generator,
};
use crate::{
    judge::policy::Rules,
    load::scenario::{Formula, Launch, Model, Ready, Scenario, Service, Stage, example},
    model::{
        benchmark::Benchmark,
        load::{Clocks, Costs, Distribution, Knee, Offered, Requests, Trial},
        metric::Metric,
        policy::Policy,
        run::{Fate, Measurement, Side, TrialBlock},
    },
    progress::Silent,
};

fn scenario(name: &str) -> Scenario {
    Scenario {
        service: Service::Command(Launch {
            build: Vec::new(),
            command: vec!["server".into()],
            directory: PathBuf::new(),
            environment: Vec::new(),
            url: "http://127.0.0.1:{port}".into(),
            ready: Ready::Port,
            ready_timeout: Duration::from_secs(1),
            stop_timeout: Duration::from_secs(1),
            executable: None,
        }),
        model: example::rate(200.0),
        warmup: Duration::from_secs(1),
        request_timeout: Duration::from_secs(1),
        drain: Duration::from_secs(1),
        ..example::scenario(name)
    }
}

/// Hands out made-up trials and remembers who asked.
#[derive(Default)]
struct Replay {
    asked: Vec<(String, Side, u32)>,
    /// Of each of them, whether the knee was searched for.
    searched: Vec<bool>,
    /// How often it was looked for about where the knee is.
    surveys: usize,
    /// By how much latencies differ from slot to slot, of themselves.
    scatter: f64,
    fates: BTreeMap<String, Fate>,
    /// Slots (from 0) that are void.
    void: Vec<usize>,
    /// The slot at which the server dies.
    dies: Option<usize>,
    /// The slot at which the user wants us to stop.
    stops: Option<usize>,
    /// Head's latency over base's.
    slower: f64,
    hits: BTreeMap<Side, f64>,
    /// What building the services takes.
    building: Duration,
}

impl Slots for Replay {
    fn settle(&mut self, scenario: &Scenario) -> Result<Option<Fate>, Trouble> {
        std::thread::sleep(self.building);
        Ok(self.fates.get(&scenario.name).cloned())
    }

    fn survey(&mut self, _: &Scenario) -> Result<(), Trouble> {
        self.surveys += 1;
        Ok(())
    }

    fn slot(
        &mut self,
        scenario: &Scenario,
        side: Side,
        padding: u32,
        search: bool,
    ) -> Result<Trial, Trouble> {
        let at = self.asked.len();
        self.searched.push(search);
        self.asked.push((scenario.name.clone(), side, padding));
        if self.dies == Some(at) {
            return Err(Trouble::Failed("the service ended under load\nthe end of its log".into()));
        }
        if self.stops == Some(at) {
            return Err(Trouble::Interrupted("SIGINT"));
        }
        let slower = if side == Side::Head { self.slower.max(1.0) } else { 1.0 };
        let slower = slower * (1.0 + self.scatter * ((at * 7) % 11) as f64 / 11.0);
        let mut response_time = Distribution::default();
        (0..1_000_u32).for_each(|n| {
            response_time.record((slower * 1e6 * (1.0 + f64::from(n) / 1e3)) as u64 + at as u64);
        });
        let metrics = self.hits.get(&side).map(|hits| ("hits".to_owned(), *hits)).into_iter().collect();
        Ok(Trial {
            scenario: scenario.name.clone(),
            side,
            offered: Offered::Rate(200.0),
            seconds: 5.0,
            warmup_seconds: 1.0,
            requests: Requests { scheduled: 1_000, completed: 1_000, ..Requests::default() },
            clocks: Clocks { response_time, ..Clocks::default() },
            endpoints: Vec::new(),
            in_flight_peak: 1,
            answered: None,
            received_bytes: 1,
            generator_cpu: 0.1,
            costs: Costs {
                cpu_ns: Some(1_000_000),
                rss_peak_bytes: Some(1_000_000),
                metrics,
                ..Costs::default()
            },
            varied: false,
            knee: search.then_some(Knee {
                met: Some(1_000.0 + (at % 3) as f64),
                missed: Some(1_025.0 + (at % 3) as f64),
            }),
            intervals: Vec::new(),
            void: self.void.contains(&at).then(|| "the generator was late".into()),
        })
    }
}

struct Setup {
    scenarios: Vec<Scenario>,
    budget: Duration,
    void_share: f64,
    left_out: &'static str,
    /// A metric that a rule leaves out.
    left_out_metric: &'static str,
    previous: (Vec<Measurement>, Vec<TrialBlock>),
}

fn setup(names: &[&str]) -> Setup {
    let scenarios = names.iter().map(|name| scenario(name)).collect();
    Setup {
        scenarios,
        budget: Duration::from_secs(3_600),
        void_share: f64::INFINITY,
        left_out: "load:out",
        left_out_metric: "",
        previous: (Vec::new(), Vec::new()),
    }
}

impl Setup {
    fn with<T>(&self, job: impl FnOnce(&Request<'_>) -> T) -> T {
        let policy = Policy::default();
        let rules = Rules::new(&policy);
        let limits = |benchmark: &Benchmark, metric: &Metric| {
            let mut limits = rules.limits(benchmark, metric);
            if metric.name == self.left_out_metric {
                limits.left_out = Some("by a rule".into());
            }
            limits
        };
        job(&Request {
            scenarios: &self.scenarios,
            left_out: &|benchmark| (benchmark.id.as_str() == self.left_out).then(|| "by a rule".into()),
            limits: &limits,
            seed: 7,
            budget: self.budget,
            false_discovery_rate: 0.01,
            family: policy.family,
            void_share: self.void_share,
            previous: (&self.previous.0, &self.previous.1),
        })
    }

    fn measure(&self, replay: &mut Replay) -> Measured {
        self.with(|request| measure(request, replay, &Silent, &mut |_, _| {}))
    }
}

fn fate<'a>(measured: &'a Measured, id: &str, metric: &str) -> &'a Fate {
    let same = |m: &&Measurement| m.benchmark.id.as_str() == id && m.metric.name == metric;
    &measured.measurements.iter().find(same).unwrap().fate
}

#[test]
fn a_block_is_three_slots_a_side_in_a_dealt_order_with_the_trials_behind_it() {
    let mut replay = Replay { slower: 1.5, ..Replay::default() };
    let measured = setup(&["a"]).measure(&mut replay);
    assert!(replay.asked.len() >= 18, "{}", replay.asked.len());
    for block in replay.asked.chunks(6) {
        assert_eq!(block.iter().filter(|(_, side, _)| *side == Side::Head).count(), 3);
    }
    assert!(replay.asked.iter().any(|(.., padding)| *padding != replay.asked[0].2));
    assert_eq!(measured.trials.len() * 6, replay.asked.len());
    let names: Vec<&str> = measured.measurements.iter().map(|m| m.metric.name.as_str()).collect();
    assert_eq!(names, ["cpu", "error_rate", "latency.p50", "latency.p90", "rss.max"]);
    assert!(measured.measurements.iter().all(|m| m.benchmark.target == "load"));
    let errors = measured.measurements.iter().find(|m| m.metric.name == "error_rate").unwrap();
    assert_eq!(errors.blocks.len(), measured.trials.len());
}

#[test]
fn the_machine_voids_blocks_of_which_next_to_nothing_was_left_but_not_for_ever() {
    // Nothing is taken away by less than nothing: every block is void.
    let all_void = Setup { void_share: -1.0, ..setup(&["a"]) };
    let measured = all_void.measure(&mut Replay { slower: 1.5, ..Replay::default() });
    let void: Vec<bool> = measured.trials.iter().map(|block| block.void.is_some()).collect();
    assert_eq!(void[..4], [true, true, false, true], "{void:?}");
    assert!(void.iter().filter(|void| !**void).count() >= 4, "{void:?}");
    let reason = &measured.trials[0].void.as_ref().unwrap().reason;
    assert!(reason.starts_with("the machine was taken away for "), "{reason}");
    assert_eq!(measured.trials[0].trials.len(), 6);

    let alone = all_void.with(|request| measure_alone(request, 3, &mut Replay::default(), &Silent));
    assert_eq!(alone.trials.iter().filter(|block| block.void.is_none()).count(), 3);
    assert!(alone.trials[0].void.is_some());
}

#[test]
fn scenarios_take_turns_and_a_slower_one_is_measured_until_that_is_certain() {
    let mut replay = Replay { slower: 1.5, ..Replay::default() };
    let measured = setup(&["a", "b"]).measure(&mut replay);
    let firsts: Vec<&str> = replay.asked.chunks(6).take(2).map(|block| block[0].0.as_str()).collect();
    assert_eq!(firsts, ["a", "b"]);
    let p50 = measured.measurements.iter().find(|m| m.metric.name == "latency.p50").unwrap();
    assert_eq!(p50.blocks.len(), 4, "a clear change is settled after twelve rounds");
}

#[test]
fn a_void_slot_voids_its_block_for_both_sides_and_it_is_measured_again() {
    let mut replay = Replay { void: vec![8], slower: 1.5, ..Replay::default() };
    let measured = setup(&["a"]).measure(&mut replay);
    assert!(measured.trials[1].void.is_some());
    assert_eq!(measured.trials[1].trials.len(), 3, "the rest of a void block is not measured");
    assert!(measured.trials[1].trials[2].void.is_some());
    assert!(measured.trials[2].void.is_none());
    assert!(measured.measurements.iter().all(|m| m.blocks.len() < 2 || m.blocks[1].void.is_some()));
}

#[test]
fn a_scenario_of_which_nothing_valid_is_left_failed() {
    let mut replay = Replay { void: (0..100).collect(), ..Replay::default() };
    let measured = setup(&["a"]).measure(&mut replay);
    assert_eq!(replay.asked.len(), 6);
    let Fate::Failed { side: None, message } = fate(&measured, "load:a", "error_rate") else {
        panic!("not failed")
    };
    assert_eq!(message, "6 of 6 blocks are void: the generator was late");
    assert_eq!(measured.trials.len(), 6);
}

#[test]
fn a_server_that_dies_fails_its_side_and_others_go_on() {
    let mut replay = Replay { dies: Some(14), slower: 1.5, ..Replay::default() };
    let measured = setup(&["a", "b"]).measure(&mut replay);
    let side = replay.asked[14].1;
    let id = format!("load:{}", replay.asked[14].0);
    let tail = "the service ended under load\nthe end of its log".to_owned();
    assert_eq!(*fate(&measured, &id, "error_rate"), Fate::Failed { side: Some(side), message: tail });
    let short = "the service ended under load".to_owned();
    assert_eq!(*fate(&measured, &id, "cpu"), Fate::Failed { side: Some(side), message: short });
    let other = if id == "load:a" { "load:b" } else { "load:a" };
    assert_eq!(*fate(&measured, other, "cpu"), Fate::Measured);
    assert!(replay.asked.len() > 18);
}

#[test]
fn an_interrupt_keeps_what_was_measured() {
    let mut replay = Replay { stops: Some(10), slower: 1.5, ..Replay::default() };
    let measured = setup(&["a"]).measure(&mut replay);
    assert_eq!(measured.interrupted.as_deref(), Some("interrupted by SIGINT"));
    assert_eq!(measured.trials.len(), 1);
    assert_eq!(*fate(&measured, "load:a", "cpu"), Fate::Measured);
}

#[test]
fn a_re_run_goes_on_from_what_was_measured() {
    let mut first = Replay { stops: Some(9), slower: 1.5, ..Replay::default() };
    let mut setup = setup(&["a"]);
    let measured = setup.measure(&mut first);
    setup.previous = (measured.measurements, measured.trials);
    let mut second = Replay { slower: 1.5, ..Replay::default() };
    let measured = setup.measure(&mut second);
    let mut whole = Replay { slower: 1.5, ..Replay::default() };
    setup.previous = (Vec::new(), Vec::new());
    let unbroken = setup.measure(&mut whole);
    assert_eq!(second.asked, whole.asked[6..]);
    assert_eq!(measured.trials.len(), unbroken.trials.len());
}

#[test]
fn trials_that_do_not_match_their_measurements_are_no_basis() {
    let mut setup = setup(&["a"]);
    let measured = setup.measure(&mut Replay::default());
    let mut trials = measured.trials;
    trials.pop();
    setup.previous = (measured.measurements, trials);
    let mut replay = Replay::default();
    let again = setup.measure(&mut replay);
    assert_eq!(again.trials.len() * 6, replay.asked.len());
}

#[test]
fn a_block_that_cannot_end_within_the_budget_is_not_begun() {
    let mut setup = setup(&["a"]);
    setup.budget = Duration::from_secs(30);
    let mut replay = Replay::default();
    let measured = setup.measure(&mut replay);
    assert!(replay.asked.is_empty());
    assert_eq!(measured.warnings[0].message, "the budget of 30 s had no room for load:a");
}

#[test]
fn building_the_services_takes_nothing_from_the_budget() {
    let mut setup = setup(&["a"]);
    let slack = Duration::from_millis(900);
    setup.budget = Duration::from_secs_f64(metrics::block_seconds(&setup.scenarios[0])) + slack;
    let mut replay = Replay { building: slack + Duration::from_millis(100), ..Replay::default() };
    let measured = setup.measure(&mut replay);
    assert!(!replay.asked.is_empty(), "{:?}", measured.warnings);
}

#[test]
fn what_is_settled_before_gets_no_slots() {
    let mut replay = Replay::default();
    replay.fates.insert("same".into(), Fate::Identical);
    let broken = Fate::Failed { side: Some(Side::Base), message: "no build".into() };
    replay.fates.insert("broken".into(), broken.clone());
    let measured = setup(&["same", "broken", "out"]).measure(&mut replay);
    assert!(replay.asked.is_empty());
    let fates: Vec<_> =
        measured.measurements.iter().map(|m| (m.benchmark.id.as_str(), m.fate.clone())).collect();
    let out = Fate::Ignored("by a rule".into());
    assert_eq!(fates, [("load:broken", broken), ("load:out", out), ("load:same", Fate::Identical)]);
}

fn hits() -> Formula {
    Formula { name: "hits".into(), formula: "hits".into(), higher_is_better: true, unit: String::new() }
}

#[test]
fn a_metric_that_one_side_does_not_have_is_new_or_missing() {
    let mut setup = setup(&["a"]);
    setup.scenarios[0].metrics = vec![hits()];
    let of = |hits: &[(Side, f64)]| {
        let mut replay = Replay { hits: hits.iter().copied().collect(), ..Replay::default() };
        fate(&setup.measure(&mut replay), "load:a", "hits").clone()
    };
    assert_eq!(of(&[(Side::Base, 0.9), (Side::Head, 0.9)]), Fate::Measured);
    assert_eq!(of(&[(Side::Head, 0.9)]), Fate::New);
    assert_eq!(of(&[(Side::Base, 0.9)]), Fate::Missing);
    assert!(matches!(of(&[]), Fate::Failed { side: None, .. }));
}

#[test]
fn a_metric_of_its_own_that_is_zero_takes_no_more_than_others() {
    let mut setup = setup(&["a"]);
    setup.scenarios[0].metrics = vec![hits()];
    let blocks = |base: f64, head: f64| {
        let hits = [(Side::Base, base), (Side::Head, head)].into_iter().collect();
        let measured = setup.measure(&mut Replay { hits, ..Replay::default() });
        measured.measurements.iter().find(|m| m.metric.name == "hits").unwrap().blocks.len()
    };
    assert_eq!(blocks(0.0, 0.0), blocks(0.9, 0.9));
    assert!(blocks(0.9, 0.0) <= 6, "{}", blocks(0.9, 0.0));
}

#[test]
fn users_of_a_generator_without_a_rest_void_a_slot() {
    let mut trial = Replay::default().slot(&scenario("a"), Side::Head, 0, false).unwrap_or_else(|_| panic!());
    trial.generator_cpu = 0.97;
    assert_eq!(full_generator(&trial), None, "a rate is looked after by the generator itself");
    trial.offered = Offered::Users(8);
    assert!(full_generator(&trial).unwrap().contains("it used 97 % of a processor"));
    trial.generator_cpu = 0.9;
    assert_eq!(full_generator(&trial), None);
    // A window of errors is judged by them.
    let failed = Requests { scheduled: 1_000, errors: 1_000, ..Requests::default() };
    assert_eq!(full_generator(&Trial { generator_cpu: 1.0, requests: failed, ..trial }), None);
}

#[test]
fn a_knee_is_searched_for_until_it_is_decided() {
    let mut setup = setup(&["a"]);
    setup.scenarios[0].gate = vec!["latency.p50".into(), "knee".into()];
    let mut replay = Replay { scatter: 0.5, ..Replay::default() };
    let measured = setup.measure(&mut replay);
    let blocks =
        |name: &str| measured.measurements.iter().find(|m| m.metric.name == name).unwrap().blocks.len();
    assert!(blocks("knee") < blocks("latency.p50"), "{} of {}", blocks("knee"), blocks("latency.p50"));
    let searched: Vec<bool> = replay.searched.chunks(6).map(|block| block[0]).collect();
    assert_eq!(searched.iter().filter(|searched| **searched).count(), blocks("knee"));
    assert!(searched.is_sorted_by(|before, after| before >= after), "{searched:?}");

    // Where it is not judged, not at all, and nothing is said of it.
    setup.scenarios[0].gate.pop();
    let mut replay = Replay::default();
    setup.measure(&mut replay);
    assert!(replay.searched.iter().all(|searched| !searched));
    assert_eq!(replay.surveys, 0);
}

#[test]
fn a_knee_that_a_rule_leaves_out_is_not_searched_for() {
    let mut setup = setup(&["a"]);
    setup.scenarios[0].gate = vec!["latency.p50".into(), "knee".into()];
    setup.left_out_metric = "knee";
    let mut replay = Replay::default();
    let measured = setup.measure(&mut replay);
    assert!(!replay.searched.is_empty() && replay.searched.iter().all(|searched| !searched));
    assert_eq!((fate(&measured, "load:a", "knee"), replay.surveys), (&Fate::Measured, 0));
    let mut replay = Replay::default();
    let measured = setup.with(|request| measure_alone(request, 2, &mut replay, &Silent));
    assert_eq!((&*replay.searched, replay.surveys), (&[false; 2][..], 0));
    assert_eq!(fate(&measured, "load:a", "knee"), &Fate::Measured);
}

#[test]
fn head_alone_has_a_block_a_trial() {
    let mut replay = Replay { void: vec![1], ..Replay::default() };
    let setup = setup(&["a", "b"]);
    let measured = setup.with(|request| measure_alone(request, 6, &mut replay, &Silent));
    assert_eq!(replay.asked.len(), 13);
    assert!(replay.asked.iter().all(|(_, side, _)| *side == Side::Head));
    let of = |name: &str| {
        measured.trials.iter().filter(|block| block.scenario == name && block.void.is_none()).count()
    };
    assert_eq!((of("a"), of("b")), (6, 6));
    assert!(measured.measurements.iter().all(|m| m.blocks.iter().all(|block| block.slots.len() == 1)));
}

#[test]
fn throughput_is_a_result_only_where_users_wait() {
    let mut one = scenario("a");
    one.gate = vec!["throughput".into(), "latency.p99".into(), "typo".into()];
    let names =
        |scenario: &Scenario| metrics::metrics(scenario).into_iter().map(|m| m.name).collect::<Vec<_>>();
    assert_eq!(names(&one), ["error_rate", "latency.p99"]);
    assert_eq!(metrics::unknown(&one), ["typo"]);
    one.model = Model::Users {
        stages: vec![Stage { level: 8.0, duration: Duration::from_secs(5), ramp: false }],
        think: Duration::ZERO,
    };
    assert_eq!(names(&one), ["error_rate", "throughput", "latency.p99"]);
}

#[test]
fn a_scenario_that_is_left_out_later_keeps_its_blocks_and_trials_for_when_it_is_back() {
    let first = setup(&["a"]).measure(&mut Replay { slower: 1.5, ..Replay::default() });
    let previous = (first.measurements.clone(), first.trials.clone());
    let mut replay = Replay::default();
    let filtered = Setup { left_out: "load:a", previous, ..setup(&["a"]) }.measure(&mut replay);
    assert!(replay.asked.is_empty());
    assert!(filtered.measurements.iter().all(|m| m.fate == Fate::Ignored("by a rule".into())));
    let blocks = |measured: &Measured| {
        measured
            .measurements
            .iter()
            .map(|m| m.blocks.len())
            .chain([measured.trials.len()])
            .collect::<Vec<_>>()
    };
    assert_eq!(blocks(&filtered), blocks(&first));
}
