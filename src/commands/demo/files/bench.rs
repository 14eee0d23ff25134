//! Benchmarks of the shop, as anyone would write them with criterion.

use criterion::{criterion_group, criterion_main, BatchSize, Criterion};
use std::hint::black_box;

fn text(c: &mut Criterion) {
    let reviews = shop::sample_reviews(400);
    let titles = shop::sample_titles(40);
    let mut group = c.benchmark_group("text");
    group.bench_function("word_counts", |b| b.iter(|| shop::word_counts(black_box(&reviews))));
    group.bench_function("slugs", |b| {
        b.iter(|| black_box(&titles).iter().map(|title| shop::slug(title).len()).sum::<usize>())
    });
    group.finish();
}

fn orders(c: &mut Criterion) {
    let prices = shop::sample_prices(2_000);
    let mut group = c.benchmark_group("orders");
    group.bench_function("moving_average", |b| b.iter(|| shop::moving_average(black_box(&prices), 16)));
    group.bench_function("checksum", |b| b.iter(|| shop::checksum(black_box(&prices))));
    group.bench_function("median", |b| {
        b.iter_batched(|| prices.clone(), |prices| shop::median(prices), BatchSize::SmallInput)
    });
    group.bench_function("histogram", |b| b.iter(|| shop::histogram(black_box(&prices))));
    group.finish();
}

criterion_group!(benches, text, orders);
criterion_main!(benches);
