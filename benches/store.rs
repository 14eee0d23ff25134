//! Stored runs: a history of 10,000 run records read whole, read for a check, and added to.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench may panic, and criterion's macros write functions without docs"
)]

use std::{ops::ControlFlow, path::Path};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tollgate::{
    git::refs::commits::Commits,
    model::{
        baseline::{RecordedSeries, RunRecord},
        benchmark::{Benchmark, BenchmarkId},
        environment::{Environment, EnvironmentKey},
        metric::Metric,
    },
    store::{
        baselines::Baselines,
        history::{Extent, History},
        load::{self, From},
        lock::WriteLock,
    },
};

/// How many records the history holds.
const RECORDS: u64 = 10_000;
/// How many benchmarks each record holds, of six processes each.
const BENCHMARKS: usize = 8;
/// 2026-01-01T00:00:00Z.
const START: u64 = 1_767_225_600;
/// The time between two runs: about sixteen a day, so the history spans twenty months.
const STEP: u64 = 5_400;

/// A repository with a history.
struct Scene {
    folder: tempfile::TempDir,
    environment: Environment,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git2::Repository::init(folder.path()).unwrap();
        let scene = Self { folder, environment: environment() };
        let records: Vec<RunRecord> = (0..RECORDS).map(|index| scene.record(index)).collect();
        for day in records.chunks(500) {
            scene.append(day);
        }
        scene
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn append(&self, records: &[RunRecord]) {
        let history = History::open(self.path()).unwrap();
        let lock =
            WriteLock::acquire(history.archive().common_dir(), "bench", |_| ControlFlow::Break(())).unwrap();
        let appended = history.append(&lock, records, START).unwrap();
        assert_eq!(appended.written, records.len());
    }

    /// The record of one run; its values differ from run to run by a fixed rule.
    fn record(&self, index: u64) -> RunRecord {
        let value = |benchmark: usize, process: u64| {
            let step = (index * 31 + process * 17) % 1000;
            (1 + benchmark) as f64 * 1000.0 + step as f64 / 7.0
        };
        let series = (0..BENCHMARKS).map(|benchmark| RecordedSeries {
            benchmark: Benchmark::new("kernels", BenchmarkId::new(format!("group/{benchmark}")).unwrap()),
            metric: Metric::time(),
            values: (0..6).map(|process| value(benchmark, process)).collect(),
            trials: Vec::new(),
        });
        RunRecord {
            tool_version: "0.1.0".into(),
            rev: format!("{index:040x}"),
            label: "main".into(),
            recorded_at: START + index * STEP,
            environment: self.environment.clone(),
            seed: index,
            series: series.collect(),
        }
    }
}

fn environment() -> Environment {
    Environment {
        cpu: "Imaginary CPU".into(),
        cores: 4,
        memory_gib: 16,
        os: "linux-x86_64".into(),
        kernel: "6.8".into(),
        virtualisation: "kvm".into(),
        rustc: "rustc 1.95.0".into(),
        profile: "bench".into(),
        flags: String::new(),
        key: EnvironmentKey::parse("00112233445566aa").unwrap(),
    }
}

fn store(criterion: &mut Criterion) {
    let scene = Scene::new();
    let key = scene.environment.key.clone();
    let mut group = criterion.benchmark_group("store");
    group.sample_size(10);
    group.bench_function("history_records/10000", |bencher| {
        let history = History::open(scene.path()).unwrap();
        bencher.iter(|| {
            let read = history.records(&key, Extent::All).unwrap();
            assert!(read.records.len() as u64 >= RECORDS && read.broken.is_empty());
            read.records.len()
        });
    });
    group.bench_function("load_from_history/10000", |bencher| {
        let (history, commits) = (History::open(scene.path()).unwrap(), Commits::open(scene.path()).unwrap());
        let baselines = Baselines::of(scene.path());
        bencher.iter(|| load::load_from(From::History, &baselines, &history, &commits, &key).unwrap());
    });
    let mut next = RECORDS;
    group.bench_function("history_append/10000", |bencher| {
        bencher.iter_batched(
            || {
                next += 1;
                [scene.record(next)]
            },
            |record| scene.append(&record),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, store);
criterion_main!(benches);
