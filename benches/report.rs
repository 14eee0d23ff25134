//! Drawing a verdict of 500 rows in each format, and reading it back.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tollgate::{
    format::verdict_v1,
    model::{benchmark::BenchmarkId as Id, verdict::CheckVerdict},
    report::{
        html, json, markdown,
        table::{self, Style},
    },
};

/// A verdict with a row of every kind, again and again under other names.
fn verdict(rows: usize) -> CheckVerdict {
    let bytes = include_bytes!("../tests/fixtures/tollgate/1/verdict.json");
    let mut verdict = verdict_v1::from_json(bytes).expect("the frozen verdict is read");
    let kinds = std::mem::take(&mut verdict.judgements);
    let numbered = kinds.iter().cycle().take(rows).enumerate().map(|(at, kind)| {
        let mut row = kind.clone();
        row.display_id = format!("{}/{at}", kind.display_id);
        row.benchmark.id = Id::new(row.display_id.clone()).expect("a short id");
        row
    });
    verdict.judgements = numbered.collect();
    verdict.evidence = None;
    verdict
}

fn report(criterion: &mut Criterion) {
    const ROWS: usize = 500;
    let verdict = verdict(ROWS);
    let mut group = criterion.benchmark_group("report");
    group.sample_size(20);
    let style = Style { verbose: true, ..Style::default() };
    group.bench_function(BenchmarkId::new("table", ROWS), |b| {
        b.iter(|| table::render(black_box(&verdict), style));
    });
    group.bench_function(BenchmarkId::new("markdown", ROWS), |b| {
        b.iter(|| markdown::render(black_box(&verdict)));
    });
    group.bench_function(BenchmarkId::new("json", ROWS), |b| b.iter(|| json::render(black_box(&verdict))));
    group.bench_function(BenchmarkId::new("html", ROWS), |b| b.iter(|| html::render(black_box(&verdict))));
    let bytes = json::render(&verdict);
    group.bench_function(BenchmarkId::new("read", ROWS), |b| {
        b.iter(|| verdict_v1::from_json(black_box(&bytes)));
    });
    group.finish();
}

criterion_group!(benches, report);
criterion_main!(benches);
