//! Real criterion that does not connect, as one older than 0.3.3 does not: its variable is taken away before it looks.

use criterion::Criterion;
use std::hint::black_box;

fn main() {
    std::env::remove_var("CARGO_CRITERION_PORT");
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("files");
    for name in ["one", "two/with slash"] {
        group.bench_function(name, |bencher| bencher.iter(|| black_box(1_u64)));
    }
    group.finish();
    criterion.final_summary();
}
