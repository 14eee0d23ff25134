//! A run and a verdict with a row of every kind, for the tests of `format` and `report`.

use crate::model::{
    baseline::{StoredRun, StoredSeries},
    benchmark::{Benchmark, BenchmarkId},
    census::Census,
    environment::{Environment, EnvironmentKey},
    load::{
        Aim, Availability, CostSummary, EndpointSummary, ErrorKind, Offered, Probe, Quantile, Quantiles,
        Recovery, Replicas, Requests, Scaling, Slots, Stress, StressResult, Summary, Within,
    },
    metric::{Direction, Metric, Nature},
    outcome::Outcome,
    policy::{Policy, Rename, Rule, Strictness, Waiver},
    revision::Revision,
    run::{Block, Fate, Measurement, Mode, Run, Sample, Side, Slot, SlotMethod, VoidReason, Warning},
    targets::{Mark, Part, PartResult, Score, ScorePart, TierResult},
    verdict::{Change, CheckVerdict, Family, Judgement, SlotValue, Verdict, reduced},
};

/// A revision whose commit is `digit` forty times.
pub(crate) fn revision(digit: &str, label: &str) -> Revision {
    Revision { rev: Some(digit.repeat(40)), tree: Some("e".repeat(40)), label: label.into() }
}

/// A plausible machine.
pub(crate) fn environment() -> Environment {
    Environment {
        cpu: "AMD EPYC 7763 64-Core Processor".into(),
        cores: 4,
        memory_gib: 16,
        os: "linux-x86_64".into(),
        kernel: "6.8".into(),
        virtualisation: "kvm".into(),
        rustc: "rustc 1.95.0 (f2d3ce0bd 2026-03-21)".into(),
        profile: "bench".into(),
        flags: "-C llvm-args=-align-all-functions=6".into(),
        key: EnvironmentKey::parse("a3f09c0d4e5b6172").unwrap(),
    }
}

/// Base around `base` ns, head around `head`, two blocks of three rounds with a void one between them.
pub(crate) fn blocks(base: f64, head: f64) -> Vec<Block> {
    use Side::{Base, Head};
    let block = |order: [Side; 6], wobble: f64| {
        let slot = |(at, side): (usize, Side)| {
            let value = if side == Base { base } else { head };
            let sample = |n: u32| Sample {
                iterations: f64::from(n * 10),
                total: f64::from(n * 10) * value * (1.0 + wobble * at as f64) * (1.0 + 0.001 * f64::from(n)),
            };
            Slot { side, padding: [0, 16, 32, 48, 64, 4096][at], samples: (1..=10).map(sample).collect() }
        };
        order.into_iter().enumerate().map(slot).collect::<Vec<_>>()
    };
    let void = Some(VoidReason { reason: "the machine was taken away for 31 % of the block".into() });
    vec![
        Block { slots: block([Base, Head, Head, Base, Head, Base], 0.001), void: None },
        Block { slots: block([Head, Base, Base, Head, Base, Head], 0.1), void },
        Block { slots: block([Head, Head, Base, Base, Base, Head], 0.0005), void: None },
    ]
}

fn named(target: &str, id: &str) -> Benchmark {
    Benchmark::new(target, BenchmarkId::new(id).unwrap())
}

fn measured(target: &str, id: &str, fate: Fate, blocks: Vec<Block>) -> Measurement {
    Measurement {
        benchmark: named(target, id),
        metric: Metric::time(),
        fate,
        method: SlotMethod::Lockstep,
        blocks,
    }
}

/// A run with every field in use.
pub(crate) fn run() -> Run {
    let failed = Fate::Failed {
        side: Some(Side::Head),
        message: "exited with code 101\nthread 'main' panicked at benches/io.rs:12:5:\nno such file".into(),
    };
    Run {
        tool_version: "0.1.0".into(),
        mode: Mode::Paired,
        base: Some(revision("4f2a", "main")).map(|r| Revision { rev: Some("4f2a91c03d".repeat(4)), ..r }),
        head: Revision { rev: None, tree: Some("c".repeat(40)), label: "work tree".into() },
        environment: environment(),
        seed: u64::MAX - 6,
        started_at: 1_795_456_800,
        duration_seconds: 71.3,
        budget_seconds: 300.0,
        interrupted: None,
        measurements: vec![
            measured("kernels", "hash/fnv", Fate::Measured, blocks(2_310.0, 2_101.0)),
            measured("kernels", "io/read", failed, Vec::new()),
            measured("kernels", "layout/a|b <i>", Fate::Identical, Vec::new()),
            measured("kernels", "num/fact", Fate::Measured, blocks(812.4, 815.0)),
            measured("kernels", "num/gone", Fate::Missing, Vec::new()),
            measured("kernels", "num/sieve", Fate::Measured, blocks(17_203.1, 18_064.9)),
            measured("kernels", "sort/new", Fate::New, Vec::new()),
            measured("kernels", "sort/quick", Fate::Measured, blocks(5_200.0, 5_400.0)),
            measured("kernels", "tree/walk", Fate::Measured, blocks(1_204_000.0, 1_300_000.0)),
            measured("kernels", "x/skipped", Fate::Ignored("`--filter num`".into()), Vec::new()),
        ],
        load: Vec::new(),
        stress: Vec::new(),
        baselines: vec![stored()],
        policy: Policy {
            strictness: Strictness::Normal,
            rules: vec![Rule {
                benchmark: "num/*".into(),
                margin: Some(0.02),
                metrics: Some(vec!["time".into()]),
                ignore: None,
                budget: Some(50_000.0),
                floor: Some(2.0),
            }],
            waivers: vec![Waiver {
                benchmark: "tree/*".into(),
                cap: 0.1,
                reason: "the new tree keeps parents".into(),
                owner: "ada".into(),
                expires: "2027-01-31".into(),
            }],
            renames: vec![Rename { from: "num/factorial".into(), to: "num/fact".into() }],
            ..Policy::default()
        },
        day: "2026-11-23".into(),
        warnings: vec![Warning::new("different_lockfile", "`Cargo.lock` differs between base and head")],
    }
}

/// A stored series of two runs.
pub(crate) fn stored() -> StoredSeries {
    let run = |digit: &str, recorded_at, values: &[f64]| StoredRun {
        rev: digit.repeat(40),
        recorded_at,
        values: values.to_vec(),
        trials: Vec::new(),
    };
    StoredSeries {
        benchmark: named("kernels", "num/sieve"),
        metric: Metric::time(),
        runs: vec![
            run("1", 1_795_000_000, &[17_200.25, 17_199.0, 17_310.5]),
            run("2", 1_795_100_000, &[0.1 + 0.2, 1e-7]),
        ],
    }
}

struct Row {
    id: &'static str,
    verdict: Verdict,
    /// estimate, lower, upper
    change: Option<(f64, f64, f64)>,
    /// p, q
    p: Option<(f64, f64)>,
    reason: &'static str,
}

const ROWS: [Row; 9] = [
    Row {
        id: "hash/fnv",
        verdict: Verdict::Improved,
        change: Some((-0.0905, -0.0981, -0.0832)),
        p: Some((1.0, 1.0)),
        reason: "faster, by 8.3 % at least; store it with `tollgate baseline accept`",
    },
    Row {
        id: "io/read",
        verdict: Verdict::Failed,
        change: None,
        p: None,
        reason: "head exited with code 101: thread 'main' panicked at benches/io.rs:12:5: no such file",
    },
    Row {
        id: "layout/a|b <i>",
        verdict: Verdict::Identical,
        change: None,
        p: None,
        reason: "same machine code on both sides: it cannot have changed",
    },
    Row {
        id: "num/fact",
        verdict: Verdict::Unchanged,
        change: Some((0.0032, -0.0041, 0.0087)),
        p: Some((0.41, 0.73)),
        reason: "a slowdown of more than 0.9 % is ruled out",
    },
    Row {
        id: "num/gone",
        verdict: Verdict::Missing,
        change: None,
        p: None,
        reason: "only base has it; rename it in `tollgate.toml` or take it out on purpose",
    },
    Row {
        id: "num/sieve",
        verdict: Verdict::Regressed,
        change: Some((0.0501, 0.0432, 0.0570)),
        p: Some((1.2e-6, 5.0e-5)),
        reason: "slower, by 4.3 % at least",
    },
    Row {
        id: "sort/new",
        verdict: Verdict::New,
        change: None,
        p: None,
        reason: "only head has it; nothing to compare with",
    },
    Row {
        id: "sort/quick",
        verdict: Verdict::Inconclusive,
        change: Some((0.0385, -0.0112, 0.0892)),
        p: Some((0.08, 0.19)),
        reason: "a slowdown of up to 8.9 % could not be ruled out; give it more time with `--budget`",
    },
    Row {
        id: "tree/walk",
        verdict: Verdict::Waived,
        change: Some((0.0797, 0.0721, 0.0868)),
        p: Some((3.0e-7, 2.0e-5)),
        reason: "slower by 8.0 %, waived up to 10 % by ada until 2027-01-31: the new tree keeps parents",
    },
];

fn judgement(row: &Row, run: &Run) -> Judgement {
    let measurement = run.measurements.iter().find(|m| m.benchmark.id.as_str() == row.id).unwrap();
    let slots: Vec<Vec<SlotValue>> = measurement
        .blocks
        .iter()
        .filter(|block| block.void.is_none())
        .map(|block| block.slots.iter().map(SlotValue::of).collect())
        .collect();
    let value = |side: Side| {
        let mut values: Vec<f64> =
            slots.iter().flatten().filter(|slot| slot.side == side).map(|slot| slot.fast).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    Judgement {
        benchmark: measurement.benchmark.clone(),
        display_id: row.id.into(),
        metric: Metric::time(),
        verdict: row.verdict,
        rounds: if slots.is_empty() { 0 } else { 6 },
        base: value(Side::Base),
        head: value(Side::Head),
        change: row.change.map(|(estimate, lower, upper)| Change {
            estimate,
            lower: Some(lower),
            upper: Some(upper),
            confidence: 0.995,
        }),
        margin: 0.02,
        p_value: row.p.map(|(p, _)| p),
        q_value: row.p.map(|(_, q)| q),
        minimum_detectable: row.p.map(|_| 0.009),
        scatter: row.p.map(|(p, _)| 0.009 + p / 100.0),
        blind: row.p.map(|_| false),
        reason: row.reason.into(),
        slots,
    }
}

/// A verdict with a row of every kind: outcome `regressed`, and incomplete and failed besides.
pub(crate) fn verdict() -> CheckVerdict {
    let run = run();
    let outcomes = [
        (Outcome::Regressed, "1 benchmark got slower"),
        (Outcome::Error(crate::model::outcome::ErrorClass::Measurement), "1 benchmark could not be measured"),
        (Outcome::Incomplete, "1 benchmark is missing"),
    ];
    CheckVerdict {
        tool_version: "0.1.0".into(),
        outcome: Outcome::Regressed,
        outcomes: outcomes.map(|(outcome, reason)| (outcome, reason.to_owned())).to_vec(),
        mode: run.mode,
        seed: run.seed,
        base: run.base.clone(),
        head: run.head.clone(),
        environment: run.environment.clone(),
        families: vec![Family {
            name: "time".into(),
            tests: 5,
            method: "benjamini-hochberg".into(),
            false_discovery_rate: 0.01,
        }],
        census: Census {
            expected: 9,
            measured: 6,
            compared: 6,
            identical: 1,
            inconclusive: 1,
            blind: 0,
            voided_blocks: 5,
            new: vec!["sort/new".into()],
            missing: vec!["num/gone".into()],
            failed: vec!["io/read".into()],
            ignored: vec![("x/skipped".into(), "`--filter num`".into())],
        },
        judgements: ROWS.iter().map(|row| judgement(row, &run)).collect(),
        load: Vec::new(),
        stress: Vec::new(),
        targets: Vec::new(),
        score: None,
        levels: Vec::new(),
        advice: Vec::new(),
        warnings: run.warnings.clone(),
        duration_seconds: run.duration_seconds,
        evidence: Some(reduced(&run)),
    }
}

/// A verdict with only those of [`verdict`]'s rows, and a census to match.
pub(crate) fn verdict_of(ids: &[&str], outcome: Outcome, reason: &str) -> CheckVerdict {
    let mut verdict = verdict();
    verdict.judgements.retain(|row| ids.contains(&row.display_id.as_str()));
    let count =
        |wanted: &[Verdict]| verdict.judgements.iter().filter(|row| wanted.contains(&row.verdict)).count();
    let not_compared = count(&[Verdict::New, Verdict::Missing, Verdict::Failed]);
    let rows = verdict.judgements.len();
    verdict.census = Census {
        expected: rows,
        measured: rows - not_compared,
        compared: rows - not_compared,
        identical: count(&[Verdict::Identical]),
        inconclusive: count(&[Verdict::Inconclusive]),
        new: ids.iter().filter(|id| **id == "sort/new").map(|&id| id.into()).collect(),
        missing: ids.iter().filter(|id| **id == "num/gone").map(|&id| id.into()).collect(),
        failed: ids.iter().filter(|id| **id == "io/read").map(|&id| id.into()).collect(),
        ..Census::default()
    };
    verdict.families[0].tests = rows - not_compared;
    verdict.warnings.clear();
    verdict.outcome = outcome;
    verdict.outcomes = vec![(outcome, reason.to_owned())];
    verdict
}

/// A verdict with load on both sides, tiers of each fate, and a score with every kind of line. The numbers fit together, but
/// nothing judged them.
pub(crate) fn load_verdict() -> CheckVerdict {
    let part = |part: Part, measured: Option<f64>, limit: f64, met: Option<bool>, note: &str| PartResult {
        part,
        scenario: measured.map(|_| "checkout".to_owned()).unwrap_or_default(),
        measured,
        limit,
        met,
        note: note.into(),
    };
    let users = "at most 12 in flight, more were not asked for";
    let short = "8.0 s of load, 3 min 20 s would show it";
    let tier = |name: &str, met, required, parts| TierResult { tier: name.into(), met, required, parts };
    let line = |part: Part, weight, value: Option<(f64, f64, Mark)>, basis: &str| ScorePart {
        part,
        weight,
        value: value.map(|(value, ..)| value),
        points: value.map(|(_, points, _)| points),
        mark: value.map(|(.., mark)| mark),
        basis: basis.into(),
    };
    let measured = "measured over 8.0 s at 200 requests/s (1,600 requests)";
    CheckVerdict {
        load: vec![load(Side::Base, 1.0), load(Side::Head, 1.1)],
        targets: vec![
            tier(
                "minimum viable",
                Some(true),
                false,
                vec![part(Part::LatencyP95, Some(1.1e8), 5e8, Some(true), "")],
            ),
            tier(
                "production",
                Some(false),
                true,
                vec![
                    part(Part::LatencyP95, Some(1.1e8), 2e8, Some(true), ""),
                    part(Part::ErrorRate, Some(0.025), 0.02, Some(false), ""),
                    part(Part::ConcurrentUsers, Some(12.0), 1_000.0, None, users),
                ],
            ),
            tier("battle-tested", None, false, vec![part(Part::Availability, Some(1.0), 0.995, None, short)]),
        ],
        score: Some(Score {
            points: 6.83,
            coverage: 0.6,
            parts: vec![
                line(Part::LatencyP95, 0.25, Some((1.1e8, 8.8, Mark::Good)), measured),
                line(Part::ErrorRate, 0.25, Some((0.025, 6.83, Mark::Fair)), measured),
                line(
                    Part::ConcurrentUsers,
                    0.2,
                    None,
                    "not measured: at most 12 in flight, 500 are the least that counts",
                ),
                line(
                    Part::CacheHitRate,
                    0.1,
                    None,
                    "not measured: the scenario has no metric `cache_hit_rate`",
                ),
                line(Part::Memory, 0.1, Some((0.04, 10.0, Mark::Excellent)), measured),
                line(Part::Cpu, 0.1, None, "not measured: what the service uses was not measured"),
            ],
            notes: vec!["never above the points of the error rate: failing fast is no merit".into()],
        }),
        ..verdict_of(
            &["num/fact"],
            Outcome::Regressed,
            "target `production` was missed: error_rate 2.5 % (limit 2 %)",
        )
    }
}

/// A verdict of a search: 200 requests a second were borne, 208 were not.
pub(crate) fn stress_verdict() -> CheckVerdict {
    let probe = |rate: f64, met: bool| Probe {
        rate,
        seconds: 3.0,
        scheduled: 600,
        completed: if met { 600 } else { 540 },
        errors: if met { 0 } else { 60 },
        unfinished: 0,
        error_kinds: if met { std::collections::BTreeMap::new() } else { [(ErrorKind::Status, 60)].into() },
        throughput: if met { 200.0 } else { 180.0 },
        within: vec![if met { 1.0 } else { 0.6 }],
        growth: Some(if met { 0.0 } else { 0.05 }),
        latency_ns: Some([6e6, 9e6, if met { 1.2e7 } else { 2.4e8 }, 3e8]),
        in_flight: Some(1.5),
        in_flight_peak: 12,
        cpu: Some(1.9),
        cpu_limit: Some(2.0),
        rss_bytes: Some(41 << 20),
        descriptors: Some(64),
        met,
        void: None,
    };
    let stress = Stress {
        scenario: "checkout".into(),
        aim: Aim { within: vec![Within { share: 0.95, ns: 2e8 }], errors: 0.02 },
        probes: vec![probe(200.0, true), probe(208.0, false), probe(200.0, true)],
        lower: Some(200.0),
        upper: Some(208.0),
        limit: None,
        recovery: Some(Recovery {
            overload: 312.0,
            overload_seconds: 3.0,
            calm: 100.0,
            watched_seconds: 6.0,
            seconds: Some(2.0),
        }),
    };
    let scaling = Scaling {
        contention: 0.05,
        coherency: 0.001,
        explained: 0.98,
        peak_in_flight: Some(30.0),
        capacity: Some(215.0),
        replicas: vec![Replicas { count: 2, lower: 380.0, upper: 400.0 }],
    };
    let gives = Some("at 208 requests/s 10 % of the requests failed (status 60)".into());
    CheckVerdict { stress: vec![StressResult { stress, gives, scaling: Some(scaling) }], ..load_verdict() }
}

/// Eight seconds at 200 requests a second, `factor` times slower than base.
fn load(side: Side, factor: f64) -> Summary {
    let quantiles = |scale: f64, bound: bool| {
        let ns = |ns: f64| ns * scale * factor;
        let quantile = |ns, lower_bound| Quantile { ns, lower_bound };
        let values = [2.11e5, 4.0e6, 1.0e8, 4.2e8, 9.9e8].map(ns);
        let mut quantiles = values.map(|ns| quantile(ns, false));
        quantiles[4].lower_bound = bound;
        Some(Quantiles { count: 1_600, quantiles, max: quantile(ns(1.0e9), bound) })
    };
    let requests = Requests {
        scheduled: 1_600,
        completed: 1_560,
        errors: 30,
        unfinished: 10,
        error_kinds: [(ErrorKind::Timeout, 12), (ErrorKind::Status, 18)].into(),
        statuses: [(200, 1_560), (503, 18)].into(),
        retried: 2,
    };
    Summary {
        scenario: "checkout".into(),
        side,
        offered: Offered::Rate(200.0),
        slots: Slots { measured: 2, void: vec!["the generator was late: send lag p99 12 ms".into()] },
        seconds: 8.0,
        warmup_seconds: 1.0,
        throughput: Some(195.0),
        latency: quantiles(1.0, true),
        service_time: quantiles(0.5, false),
        send_lag: quantiles(0.001, false),
        connect: None,
        pool_wait: quantiles(0.01, false),
        first_byte: quantiles(0.4, false),
        in_flight_peak: 12,
        availability: Availability { seconds: 8.0, answered_seconds: 8.0 },
        received_bytes: 1 << 20,
        generator_cpu: 0.12,
        costs: CostSummary {
            cpu_per_request_ns: Some(612_000.0 * factor),
            cpu: Some(0.12 * factor),
            cpu_share: None,
            rss_peak_bytes: Some(41 << 20),
            memory_share: Some(0.04),
            threads_peak: Some(9),
            descriptors_peak: Some(64),
            metrics: [("pool_use".to_owned(), 0.31)].into(),
        },
        endpoints: vec![EndpointSummary {
            name: "GET /cart".into(),
            requests: requests.clone(),
            latency: quantiles(1.0, true),
        }],
        requests,
    }
}

/// A row of a deterministic count.
pub(crate) fn count_row(id: &str, base: f64, head: f64, verdict: Verdict) -> Judgement {
    let metric = Metric {
        name: "instructions".into(),
        unit: "instructions".into(),
        direction: Direction::Lower,
        nature: Nature::Deterministic,
    };
    let change = Change {
        estimate: head / base - 1.0,
        lower: Some(head / base - 1.0),
        upper: Some(head / base - 1.0),
        confidence: 1.0,
    };
    Judgement {
        benchmark: named("kernels", id),
        display_id: id.into(),
        metric,
        verdict,
        rounds: 2,
        base: Some(base),
        head: Some(head),
        change: Some(change),
        margin: 0.01,
        p_value: None,
        q_value: None,
        minimum_detectable: None,
        scatter: None,
        blind: None,
        reason: "more instructions, exactly".into(),
        slots: Vec::new(),
    }
}

/// Writes the documents under `tests/fixtures/tollgate/1`, which show what version 1 looks like. They are frozen: run this
/// only to add a document, never to make a test pass.
#[test]
#[ignore = "writes files: cargo test --lib writes_the_frozen_documents -- --ignored"]
fn writes_the_frozen_documents() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tollgate/1");
    let write = |name: &str, bytes: Vec<u8>| {
        let path = folder.join(name);
        if !path.exists() {
            std::fs::write(&path, &bytes).unwrap();
        }
    };
    write("run.json", super::run_v1::to_json(&run()));
    write("verdict.json", super::verdict_v1::to_json(&verdict()));
    write("load-verdict.json", super::verdict_v1::to_json(&load_verdict()));
}
