//! One short benchmark: a criterion that counts in whole seconds takes two for each of its slots. `UNLINKED` takes its connection
//! away, as of one older than 0.3.3.

use criterion::Criterion;
use std::hint::black_box;

fn main() {
    if std::env::var_os("UNLINKED").is_some() {
        std::env::remove_var("CARGO_CRITERION_PORT");
    }
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function("short", |bencher| bencher.iter(|| black_box(1_u64)));
    criterion.final_summary();
}
