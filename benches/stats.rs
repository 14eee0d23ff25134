//! Speed of the statistics that judging thousands of benchmarks rests on. Ids follow `module/function/size`.

mod support;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tollgate::stats::{
    multiplicity::{benjamini_hochberg, holm},
    prediction::compare_with_stored,
    randomisation::{DealtBlocks, estimate, greater, interval, less, scatter},
    sequential::{LOOK_ROUNDS, NO_WORSE_LEVELS},
};

fn randomisation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("randomisation");
    for rounds in [3, 12, 18, 39] {
        let blocks = support::blocks(rounds, 0.01, 1);
        group.bench_with_input(BenchmarkId::new("greater", rounds), &blocks, |b, blocks| {
            b.iter(|| greater(black_box(blocks), 0.0));
        });
        group.bench_with_input(BenchmarkId::new("interval", rounds), &blocks, |b, blocks| {
            b.iter(|| interval(black_box(blocks), 0.005));
        });
    }
    for rounds in [12, 39] {
        let (fast, median) = (support::blocks(rounds, 0.01, 1), support::blocks(rounds, 0.01, 2));
        group.bench_function(BenchmarkId::new("every_look", rounds), |b| {
            b.iter(|| (every_look(black_box(&fast)), every_look(black_box(&median))));
        });
    }
    group.finish();
}

/// What judging asks of one statistic of one benchmark: at every look is head slower, is it faster, is it no worse than the margin and than
/// what must be ruled out; in the end one estimate, interval and scatter.
fn every_look(blocks: &DealtBlocks) -> f64 {
    let mut sum = 0.0;
    for rounds in LOOK_ROUNDS.into_iter().filter(|rounds| *rounds <= blocks.rounds()) {
        let look = blocks.prefix(rounds as usize / 3);
        sum += greater(&look, 0.0)
            + less(&look, 0.0)
            + less(&look, 0.02_f64.ln_1p())
            + less(&look, 0.1_f64.ln_1p());
        sum += estimate(&look);
    }
    let bounds = interval(blocks, NO_WORSE_LEVELS[5]);
    sum + bounds.lower + bounds.upper + scatter(blocks).unwrap_or(0.0)
}

fn families(criterion: &mut Criterion) {
    let p = support::p_values(10_000);
    let mut group = criterion.benchmark_group("multiplicity");
    group.bench_function(BenchmarkId::new("benjamini_hochberg", p.len()), |b| {
        b.iter(|| benjamini_hochberg(black_box(&p)));
    });
    group.bench_function(BenchmarkId::new("holm", p.len()), |b| b.iter(|| holm(black_box(&p))));
    group.finish();
    let (histories, new) = support::suite(200, 20);
    let mut group = criterion.benchmark_group("prediction");
    group.bench_function(BenchmarkId::new("compare_with_stored", new.len()), |b| {
        b.iter(|| compare_with_stored(black_box(&histories), black_box(&new)));
    });
    group.finish();
}

criterion_group!(benches, randomisation, families);
criterion_main!(benches);
