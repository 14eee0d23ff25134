//! Judging a whole check: exact tests at every look, intervals, families, census and outcome.
//!
//! `TOLLGATE_BENCH_LARGE=1 cargo bench --bench judge -- 10000` judges ten thousand benchmarks at once, which takes minutes;
//! without it only the sizes that a gate can afford are registered.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use tollgate::{
    judge::{judge, paired::standing, policy::Rules},
    model::{
        benchmark::{Benchmark, BenchmarkId as Id},
        environment::{Environment, EnvironmentKey},
        metric::Metric,
        policy::Policy,
        revision::Revision,
        run::{Block, Fate, Measurement, Mode, Run, Sample, Slot, SlotMethod},
    },
    plan::deal::deal,
    stats::random::Stream,
};

const SEED: u64 = 7;

/// A benchmark without a change whose slots scatter by 1 %, each with ten samples.
fn measurement(place: usize, rounds: u64) -> Measurement {
    let benchmark = Benchmark::new("kernels", Id::new(format!("group/{place:05}")).expect("a short id"));
    let block = |block: u64| {
        let mut stream = Stream::new(SEED, "bench", &[benchmark.id.as_str()], block);
        let slot = |side| {
            let level = 1000.0 * (0.01 * stream.normal()).exp();
            let mut sample =
                |_| Sample { iterations: 10.0, total: 10.0 * level * (1.0 + 0.003 * stream.unit()) };
            Slot { side, padding: 0, samples: (0..10).map(&mut sample).collect() }
        };
        Block { slots: deal(SEED, &benchmark, block).into_iter().map(slot).collect(), void: None }
    };
    let blocks = (0..rounds / 3).map(block).collect();
    Measurement {
        benchmark,
        metric: Metric::time(),
        fate: Fate::Measured,
        method: SlotMethod::Lockstep,
        blocks,
    }
}

fn run(benchmarks: usize, rounds: u64) -> Run {
    Run {
        tool_version: "0.1.0".into(),
        mode: Mode::Paired,
        base: Some(Revision::default()),
        head: Revision::default(),
        environment: Environment {
            cpu: String::new(),
            cores: 2,
            memory_gib: 4,
            os: String::new(),
            kernel: String::new(),
            virtualisation: String::new(),
            rustc: String::new(),
            profile: String::new(),
            flags: String::new(),
            key: EnvironmentKey::parse("0123456789abcdef").expect("sixteen digits"),
        },
        seed: SEED,
        started_at: 0,
        duration_seconds: 0.0,
        budget_seconds: 0.0,
        interrupted: None,
        measurements: (0..benchmarks).map(|place| measurement(place, rounds)).collect(),
        load: Vec::new(),
        stress: Vec::new(),
        baselines: Vec::new(),
        policy: Policy::default(),
        day: "2026-08-20".into(),
        warnings: Vec::new(),
    }
}

fn check(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge/check");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(3));
    let large = std::env::var_os("TOLLGATE_BENCH_LARGE").is_some();
    let sizes: &[(usize, u64)] =
        if large { &[(200, 12), (200, 39), (10_000, 12), (10_000, 39)] } else { &[(200, 12), (200, 39)] };
    for &(benchmarks, rounds) in sizes {
        let id = BenchmarkId::from_parameter(format!("{benchmarks}x{rounds}"));
        // Built only when it runs: criterion asks for every closure, filtered or not
        let mut input = None;
        group.bench_function(id, |bencher| {
            let run = input.get_or_insert_with(|| run(benchmarks, rounds));
            bencher.iter(|| judge(black_box(run)));
        });
    }
    group.finish();
}

fn look(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge/standing");
    let policy = Policy::default();
    for rounds in [3, 12, 39] {
        let measurement = measurement(0, rounds);
        let limits = Rules::new(&policy).limits(&measurement.benchmark, &measurement.metric);
        group.bench_function(rounds.to_string(), |bencher| {
            bencher.iter(|| standing(black_box(&measurement), &limits));
        });
    }
    group.finish();
}

criterion_group!(benches, check, look);
criterion_main!(benches);
