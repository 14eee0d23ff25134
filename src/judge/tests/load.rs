//! Load benchmarks: trials made by hand, dealt as `plan::deal` deals them.

#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "made-up durations and bytes")]

use super::support::{Noise, measured, paired, rule, run, with_rules};
use crate::{
    judge::{self, judge},
    model::{
        benchmark::{Benchmark, BenchmarkId},
        load::{Clocks, Costs, Distribution, Knee, Offered, Requests, Trial},
        metric::{Metric, Nature},
        policy::{Policy, Rule},
        run::{Block, Fate, Measurement, Mode, Run, Sample, Side, Slot, SlotMethod, TrialBlock, VoidReason},
        verdict::{CheckVerdict, Judgement, Verdict, reduced},
    },
    plan::deal::deal,
    stats::random::Stream,
};

const NAME: &str = "checkout";

/// A service whose head is slower by a factor, fails a share of its requests, and so on.
#[derive(Clone, Copy)]
struct Service {
    /// Requests a window.
    requests: u64,
    /// Head's latency and processor time over base's.
    slower: f64,
    /// Head's memory over base's.
    larger: f64,
    /// The share of requests that fails, base then head.
    failing: [f64; 2],
    /// How the slots scatter.
    scatter: f64,
    seed: u64,
}

const CALM: Service =
    Service { requests: 1_000, slower: 1.0, larger: 1.0, failing: [0.0, 0.0], scatter: 0.02, seed: 7 };

impl Service {
    fn trial(&self, side: Side, stream: &mut Stream) -> Trial {
        let head = side == Side::Head;
        let slow = if head { self.slower } else { 1.0 };
        let level = 5e6 * slow * (self.scatter * stream.normal()).exp();
        let mut response_time = Distribution::default();
        for at in 0..self.requests {
            response_time.record((level * (0.5 + at as f64 / self.requests as f64)) as u64);
        }
        let share = self.failing[usize::from(head)];
        let errors = (0..self.requests).filter(|_| stream.unit() < share).count() as u64;
        let rss = 5e7 * if head { self.larger } else { 1.0 } * (0.002 * stream.normal()).exp();
        Trial {
            scenario: NAME.into(),
            side,
            offered: Offered::Rate(200.0),
            seconds: 5.0,
            warmup_seconds: 1.0,
            requests: Requests {
                scheduled: self.requests,
                completed: self.requests - errors,
                errors,
                ..Requests::default()
            },
            clocks: Clocks { response_time, ..Clocks::default() },
            endpoints: Vec::new(),
            in_flight_peak: 3,
            answered: None,
            received_bytes: 1,
            generator_cpu: 0.1,
            costs: Costs {
                cpu_ns: Some((level * 0.1 * (self.requests - errors) as f64) as u64),
                rss_peak_bytes: Some(rss as u64),
                ..Costs::default()
            },
            // As a search leaves it: an interval of 2 %, and a service that is slower bears less.
            knee: Some(Knee { met: Some(1e10 / level), missed: Some(1.02e10 / level) }),
            varied: false,
            intervals: Vec::new(),
            void: None,
        }
    }

    fn block(&self, number: u64) -> TrialBlock {
        let mut stream = Stream::new(self.seed, "load", &[NAME], number);
        let trials = deal(self.seed, &benchmark(), number).map(|side| self.trial(side, &mut stream));
        TrialBlock { scenario: NAME.into(), void: None, trials: trials.into() }
    }

    fn blocks(&self, count: u64) -> Vec<TrialBlock> {
        (0..count).map(|number| self.block(number)).collect()
    }
}

fn benchmark() -> Benchmark {
    Benchmark::new("load", BenchmarkId::new(format!("load:{NAME}")).unwrap())
}

fn measurement(metric: &str, load: &[TrialBlock]) -> Measurement {
    let slot = |trial: &Trial| Slot {
        side: trial.side,
        padding: 0,
        samples: vec![Sample { iterations: 1.0, total: trial.value(metric).unwrap() }],
    };
    let block = |block: &TrialBlock| Block {
        slots: block.trials.iter().map(slot).collect(),
        void: block.void.clone(),
    };
    Measurement {
        benchmark: benchmark(),
        metric: Metric::of_load(metric).unwrap(),
        fate: Fate::Measured,
        method: SlotMethod::Load,
        blocks: load.iter().map(block).collect(),
    }
}

fn run_of(load: Vec<TrialBlock>, metrics: &[&str]) -> Run {
    let measurements = metrics.iter().map(|metric| measurement(metric, &load)).collect();
    Run { load, ..paired(measurements) }
}

const ALL: [&str; 5] = ["error_rate", "latency.p50", "latency.p90", "cpu", "rss.max"];

fn verdict(service: Service, blocks: u64) -> CheckVerdict {
    judge(&run_of(service.blocks(blocks), &ALL))
}

fn row<'a>(verdict: &'a CheckVerdict, metric: &str) -> &'a Judgement {
    verdict.judgements.iter().find(|row| row.metric.name == metric).unwrap()
}

#[test]
fn the_same_service_twice_is_unchanged_in_every_metric() {
    let verdict = verdict(CALM, 6);
    for metric in ALL {
        assert_eq!(
            row(&verdict, metric).verdict,
            Verdict::Unchanged,
            "{metric}: {}",
            row(&verdict, metric).reason
        );
    }
    assert_eq!(verdict.outcome.exit_code(), 0);
    assert_eq!(verdict.families.len(), 1);
    assert_eq!((verdict.families[0].name.as_str(), verdict.families[0].tests), ("load", 5));
    insta::assert_snapshot!(row(&verdict, "error_rate").reason, @"0 of 18,000 requests failed, 0 of 18,000 on base: not more by 0.5 % of all requests");
}

#[test]
fn no_false_failure_in_forty_checks_of_one_service() {
    for seed in 0..40 {
        let service = Service { seed, scatter: 0.05, failing: [0.01, 0.01], ..CALM };
        let verdict = verdict(service, 6);
        assert!(!verdict.judgements.iter().any(|row| row.verdict == Verdict::Regressed), "seed {seed}");
    }
}

#[test]
fn ten_per_cent_more_latency_and_processor_time_is_found() {
    let verdict = verdict(Service { slower: 1.1, ..CALM }, 4);
    for metric in ["latency.p50", "latency.p90", "cpu"] {
        let row = row(&verdict, metric);
        assert_eq!(row.verdict, Verdict::Regressed, "{metric}: {}", row.reason);
        assert!((row.change.unwrap().estimate - 0.1).abs() < 0.03);
        assert!((row.margin - 0.05).abs() < 1e-12);
    }
    assert_eq!(row(&verdict, "rss.max").verdict, Verdict::Unchanged);
}

#[test]
fn a_service_that_bears_less_is_regressed_and_one_that_bears_as_much_is_not() {
    let slower = Service { slower: 1.1, ..CALM };
    let less = judge(&run_of(slower.blocks(4), &["error_rate", "knee"]));
    let knee = row(&less, "knee");
    assert_eq!(knee.verdict, Verdict::Regressed, "{}", knee.reason);
    assert!((knee.change.unwrap().estimate + 0.09).abs() < 0.03, "{:?}", knee.change);
    assert!(knee.reason.contains("lower") && (knee.margin - 0.05).abs() < 1e-12, "{}", knee.reason);
    let same = judge(&run_of(CALM.blocks(6), &["error_rate", "knee"]));
    assert_eq!(row(&same, "knee").verdict, Verdict::Unchanged, "{}", row(&same, "knee").reason);
}

#[test]
fn two_per_cent_more_memory_is_found() {
    let verdict = verdict(Service { larger: 1.02, ..CALM }, 4);
    assert_eq!(row(&verdict, "rss.max").verdict, Verdict::Regressed, "{}", row(&verdict, "rss.max").reason);
    assert_eq!(row(&verdict, "latency.p50").verdict, Verdict::Unchanged);
}

#[test]
fn one_value_a_slot_pays_for_one_test() {
    // Twelve rounds that part completely: p is 20^-4 over the look's weight, not over a share of it besides
    let verdict = verdict(Service { slower: 1.5, scatter: 0.0001, ..CALM }, 4);
    let p = row(&verdict, "latency.p50").p_value.unwrap();
    assert!((p - 20_f64.powi(-4) / 0.3).abs() < 1e-9, "{p}");
}

#[test]
fn a_head_that_fails_more_is_regressed_and_not_faster() {
    let service = Service { failing: [0.0, 0.05], slower: 0.7, larger: 0.9, ..CALM };
    let verdict = verdict(service, 4);
    let errors = row(&verdict, "error_rate");
    assert_eq!(errors.verdict, Verdict::Regressed, "{}", errors.reason);
    for metric in ["latency.p50", "latency.p90", "cpu"] {
        let row = row(&verdict, metric);
        assert_eq!(row.verdict, Verdict::Inconclusive, "{metric}");
        assert!(
            row.reason.starts_with("more requests fail, and to fail faster is not better"),
            "{}",
            row.reason
        );
    }
    let memory = row(&verdict, "rss.max");
    assert_eq!(memory.verdict, Verdict::Inconclusive);
    assert!(memory.reason.starts_with("more requests fail, and what fails does less"), "{}", memory.reason);
    assert_eq!(verdict.outcome.exit_code(), 1);
    // Without the failures it would have been faster
    assert_eq!(
        row(&self::verdict(Service { failing: [0.0, 0.0], ..service }, 4), "latency.p50").verdict,
        Verdict::Improved
    );
}

#[test]
fn a_head_that_fails_less_is_improved() {
    let verdict = verdict(Service { failing: [0.05, 0.0], ..CALM }, 4);
    assert_eq!(row(&verdict, "error_rate").verdict, Verdict::Improved);
}

#[test]
fn one_burst_of_errors_fails_no_check() {
    let mut load = CALM.blocks(4);
    let trial = load[2].trials.iter_mut().find(|trial| trial.side == Side::Head).unwrap();
    trial.requests.errors = 400;
    trial.requests.completed = 600;
    let verdict = judge(&run_of(load, &["error_rate"]));
    assert_eq!(
        row(&verdict, "error_rate").verdict,
        Verdict::Inconclusive,
        "{}",
        row(&verdict, "error_rate").reason
    );
}

#[test]
fn one_percentile_that_shows_nothing_makes_no_blind_check_but_most_metrics_do() {
    let blurred = |names: &[&str]| {
        let mut run = run_of(CALM.blocks(4), &ALL);
        let mut stream = Stream::new(3, "blur", &[], 0);
        for measurement in run.measurements.iter_mut().filter(|m| names.contains(&m.metric.name.as_str())) {
            let slots = measurement.blocks.iter_mut().flat_map(|block| &mut block.slots);
            slots.for_each(|slot| slot.samples[0].total *= (0.8 * stream.normal()).exp());
        }
        judge(&run)
    };
    let one = blurred(&["latency.p90"]);
    assert_eq!((row(&one, "latency.p90").blind, row(&one, "latency.p50").blind), (Some(true), Some(false)));
    assert_eq!((one.census.blind, one.outcome.exit_code()), (0, 0));
    let most = blurred(&["latency.p50", "latency.p90", "cpu"]);
    assert_eq!((most.census.blind, most.outcome.exit_code()), (1, 3));
}

#[test]
fn failures_of_every_request_are_found_after_two_blocks() {
    let verdict = judge(&run_of(Service { failing: [0.0, 1.1], ..CALM }.blocks(2), &["error_rate"]));
    let row = row(&verdict, "error_rate");
    assert_eq!((row.verdict, row.change), (Verdict::Regressed, None));
    insta::assert_snapshot!(row.reason, @"6,000 of 6,000 requests failed, 0 of 6,000 on base, beyond the margin of 2 %: fix it, or accept it by a waiver in `tollgate.toml`");
}

#[test]
fn a_percentile_of_too_few_requests_is_shown_and_not_gated() {
    let mut run = run_of(CALM.blocks(4), &["latency.p50", "latency.p99"]);
    run.policy.strictness = crate::model::policy::Strictness::Strict;
    let verdict = judge(&run);
    let row = row(&verdict, "latency.p99");
    assert_eq!((row.verdict, row.blind, row.p_value), (Verdict::Inconclusive, None, None));
    insta::assert_snapshot!(row.reason, @"too few requests for p99: 1,000 in a window, 2,000 are needed, so it is not gated; lengthen `window` or raise the rate");
    assert_eq!((verdict.families[0].tests, verdict.census.inconclusive), (1, 0));
    assert_eq!(verdict.outcome.exit_code(), 0);
    let enough = judge(&run_of(Service { requests: 2_000, ..CALM }.blocks(4), &["latency.p99"]));
    assert_eq!(self::row(&enough, "latency.p99").verdict, Verdict::Unchanged);
}

#[test]
fn a_quantile_among_requests_without_an_answer_says_so() {
    let mut load = CALM.blocks(4);
    for trial in load.iter_mut().flat_map(|block| &mut block.trials) {
        for _ in 0..300 {
            trial.clocks.response_time.record_at_least(9_000_000);
        }
    }
    let verdict = judge(&run_of(load, &["latency.p50", "latency.p90"]));
    assert!(row(&verdict, "latency.p90").reason.ends_with("the true values are at least these"));
    assert!(!row(&verdict, "latency.p50").reason.contains("without an answer"));
}

#[test]
fn criterion_and_load_share_the_error_rate_evenly() {
    let mut run = run_of(CALM.blocks(4), &ALL);
    run.measurements.push(measured("num/sieve", &Noise::factor(1.0), 4));
    let verdict = judge(&run);
    let names: Vec<&str> = verdict.families.iter().map(|family| family.name.as_str()).collect();
    assert_eq!(names, ["time", "load"]);
    assert!(verdict.families.iter().all(|family| (family.false_discovery_rate - 0.005).abs() < 1e-12));
}

#[test]
fn trials_of_a_scenario_that_a_filter_leaves_out_are_neither_judged_nor_shown() {
    let mut run = run_of(CALM.blocks(4), &ALL);
    for measurement in &mut run.measurements {
        measurement.fate = Fate::Ignored("not matched by `--filter`".into());
    }
    run.measurements.push(measured("num/sieve", &Noise::factor(1.0), 4));
    let verdict = judge(&run);
    assert_eq!((verdict.judgements.len(), verdict.census.ignored.len()), (1, 1));
    assert!(verdict.load.is_empty() && verdict.targets.is_empty() && verdict.score.is_none());
    let rates: Vec<f64> = verdict.families.iter().map(|family| family.false_discovery_rate).collect();
    assert_eq!(rates, [0.01]);
}

#[test]
fn where_nothing_failed_and_more_requests_would_show_it_a_wider_margin_is_no_advice() {
    let verdict = judge(&run_of(Service { requests: 48, ..CALM }.blocks(4), &["error_rate"]));
    let reason = &row(&verdict, "error_rate").reason;
    assert!(
        reason.ends_with("with 12 rounds: measure more of them, or ask more in each (`window`)"),
        "{reason}"
    );
}

#[test]
fn rules_choose_margins_and_metrics_of_load_benchmarks() {
    let rules = vec![Rule { margin: Some(0.3), metrics: Some(vec!["latency.p50".into()]), ..rule("load:*") }];
    let verdict = judge(&with_rules(run_of(Service { slower: 1.1, ..CALM }.blocks(6), &ALL), rules));
    assert_eq!(verdict.judgements.len(), 1);
    assert_eq!(verdict.judgements[0].verdict, Verdict::Unchanged);
}

#[test]
fn the_metrics_of_a_void_block_count_it_once() {
    let mut load = CALM.blocks(5);
    load[1].void = Some(VoidReason { reason: "the generator was late".into() });
    let verdict = judge(&run_of(load, &ALL));
    assert_eq!(verdict.census.voided_blocks, 1);
    assert_eq!(row(&verdict, "error_rate").rounds, 12);
}

#[test]
fn a_reduced_run_is_judged_to_the_same_verdict() {
    let mut load = Service { failing: [0.01, 0.03], slower: 1.05, ..CALM }.blocks(5);
    load[3].void = Some(VoidReason { reason: "the generator was late".into() });
    let run = run_of(load, &ALL);
    assert_eq!(judge(&run), judge(&reduced(&run)));
    assert_eq!(reduced(&reduced(&run)), reduced(&run));
}

#[test]
fn counts_without_their_trials_are_not_judged() {
    let mut run = run_of(CALM.blocks(4), &["error_rate"]);
    run.load.clear();
    let verdict = judge(&run);
    assert_eq!(row(&verdict, "error_rate").verdict, Verdict::Inconclusive);
    assert!(row(&verdict, "error_rate").reason.contains("counts behind it are not known"));
}

#[test]
fn a_standing_tells_the_planner_of_every_kind_of_metric() {
    let load = Service { failing: [0.0, 0.2], ..CALM }.blocks(2);
    let policy = Policy::default();
    let rules = judge::policy::Rules::new(&policy);
    let standing = |metric: &str| {
        let measurement = measurement(metric, &load);
        judge::load::standing(&measurement, &load, &rules.limits(&benchmark(), &measurement.metric))
    };
    assert!(standing("error_rate").unwrap().p_value < 1e-9);
    assert_eq!(standing("latency.p50").unwrap().rounds, 6);
    assert_eq!(standing("latency.p99"), None);
}

#[test]
fn head_alone_has_nothing_to_compare() {
    let mut run = Run { mode: Mode::Single, ..run_of(CALM.blocks(1), &ALL) };
    run.load[0].trials.retain(|trial| trial.side == Side::Head);
    for measurement in &mut run.measurements {
        measurement.blocks[0].slots.retain(|slot| slot.side == Side::Head);
    }
    let verdict = judge(&run);
    assert!(verdict.judgements.iter().all(|row| row.verdict == Verdict::New));
    assert_eq!(verdict.judgements.iter().filter(|row| row.metric.nature == Nature::Counted).count(), 1);
}

#[test]
fn a_run_of_no_load_has_no_family_of_it() {
    let verdict = judge(&run(Mode::Paired, vec![measured("a", &Noise::factor(1.0), 4)]));
    assert_eq!(verdict.families.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["time"]);
}
