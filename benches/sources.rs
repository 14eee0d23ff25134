//! Reading what other tools and we ourselves wrote: 1,000 criterion folders, 60,000 rows of slots, a run file.

use std::{fmt::Write as _, hint::black_box};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tollgate::{
    format::run_v1,
    model::run::Run,
    sources::{
        input::{Input, InputFile, parse},
        slots_csv,
    },
};

/// criterion's folders in memory, all with the samples of a real one.
fn criterion_folders(count: usize) -> Input {
    let samples = include_bytes!("../tests/fixtures/criterion/0.8.2/num/sieve/100/new/sample.json");
    let files = (0..count).flat_map(|at| {
        let folder = format!("group/{at}/new");
        let identity = format!("{{\"full_id\": \"group/{at}\"}}");
        [
            InputFile { path: format!("{folder}/benchmark.json"), bytes: identity.into_bytes() },
            InputFile { path: format!("{folder}/sample.json"), bytes: samples.to_vec() },
        ]
    });
    Input { name: "target/criterion".into(), files: files.collect(), baseline: None }
}

/// Rows of 50 benchmarks in blocks of six.
fn slots(rows: usize) -> String {
    let mut text = "benchmark,position,block,side,value\n".to_owned();
    for row in 0..rows {
        let (benchmark, slot) = (row % 50, row / 50);
        let side = if (slot + benchmark).is_multiple_of(2) { "A" } else { "B" };
        writeln!(text, "group/{benchmark},{slot},{},{side},{}.25", slot / 6, 17_000 + slot % 97)
            .expect("a string takes every write");
    }
    text
}

/// The frozen run with its blocks again and again.
fn run(blocks: usize) -> Run {
    let bytes = include_bytes!("../tests/fixtures/tollgate/1/run.json");
    let mut run = run_v1::from_json(bytes).expect("the frozen run is read");
    for measurement in &mut run.measurements {
        measurement.blocks = measurement.blocks.iter().cycle().take(blocks).cloned().collect();
    }
    run
}

fn sources(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sources");
    group.sample_size(20);
    let folders = criterion_folders(1000);
    group.bench_function(BenchmarkId::new("criterion", 1000), |b| b.iter(|| parse(black_box(&folders))));
    let text = slots(60_000);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function(BenchmarkId::new("slots_csv", 60_000), |b| {
        b.iter(|| slots_csv::parse("slots.csv", black_box(text.as_bytes())));
    });
    let run = run(1300);
    let bytes = run_v1::to_json(&run);
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function(BenchmarkId::new("write_run", bytes.len() >> 20), |b| {
        b.iter(|| run_v1::to_json(black_box(&run)));
    });
    group.bench_function(BenchmarkId::new("read_run", bytes.len() >> 20), |b| {
        b.iter(|| run_v1::from_json(black_box(&bytes)));
    });
    group.finish();
}

criterion_group!(benches, sources);
criterion_main!(benches);
