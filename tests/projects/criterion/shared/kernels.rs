//! A plain group, a group that sets its own times, one whose iteration is long, and names that are hard to print or to match.

use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion};
use std::{hint::black_box, time::Duration};

// The library of every member is the same file under another name.
#[path = "lib.rs"]
mod library;

fn plain(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plain");
    for size in [100_u64, 1000] {
        let numbers: Vec<u64> = (0..size).collect();
        group.bench_with_input(BenchmarkId::new("sum", size), &numbers, |bencher, numbers| {
            bencher.iter(|| library::sum(black_box(numbers)));
        });
    }
    group.finish();
}

fn own_times(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("own");
    group.warm_up_time(Duration::from_secs(60)).measurement_time(Duration::from_secs(60));
    group.bench_function("times", |bencher| bencher.iter(|| library::sum(black_box(&[1, 2, 3]))));
    group.finish();
}

fn long(criterion: &mut Criterion) {
    criterion.bench_function("long iteration", |bencher| {
        bencher.iter(|| std::thread::sleep(Duration::from_millis(60)));
    });
}

fn odd_names(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("odd (a|b)[c]* ^$ #&-~");
    for name in ["größe 🦀", "two\nlines", "tab\t and \u{7}bell", "back\\slash", "x", "X"] {
        group.bench_function(name, |bencher| bencher.iter(|| black_box(1_u64)));
    }
    group.bench_function("l".repeat(300), |bencher| bencher.iter(|| black_box(1_u64)));
    group.finish();
    // The same id again, and one that looks like the name given to a second one.
    for name in ["twice", "twice", "twice #2"] {
        criterion.bench_function(name, |bencher| bencher.iter(|| black_box(1_u64)));
    }
}

criterion_group!(benches, plain, own_times, long, odd_names);
criterion_main!(benches);
