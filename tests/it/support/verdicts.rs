//! Verdicts judged from made-up slots: benchmarks that changed by so much.

use super::fixtures;
use tollgate::{
    format::run_v1,
    judge,
    model::{
        benchmark::{Benchmark, BenchmarkId},
        metric::Metric,
        run::{Block, Fate, Measurement, Run, Sample, Side, Slot, SlotMethod},
        verdict::CheckVerdict,
    },
};

/// A paired run of `head` in which each benchmark changed by a share, with little scatter.
pub(crate) fn run(head: Option<&str>, changes: &[(String, f64)]) -> Run {
    let mut run = run_v1::from_json(&fixtures::bytes("tollgate/1/run.json")).unwrap();
    run.head.rev = head.map(str::to_owned);
    run.baselines.clear();
    run.warnings.clear();
    run.policy.rules.clear();
    run.policy.waivers.clear();
    run.policy.renames.clear();
    run.measurements = changes.iter().map(|(id, change)| measurement(id, *change)).collect();
    run
}

/// The verdict of such a run.
pub(crate) fn verdict(head: Option<&str>, changes: &[(&str, f64)]) -> CheckVerdict {
    let changes: Vec<_> = changes.iter().map(|(id, change)| ((*id).to_owned(), *change)).collect();
    judge::judge(&run(head, &changes))
}

fn measurement(id: &str, change: f64) -> Measurement {
    use Side::{Base, Head};
    let orders = [[Base, Head, Head, Base, Head, Base], [Head, Head, Base, Base, Base, Head]];
    let block = |at: usize| {
        let slot = |(place, side): (usize, Side)| {
            let scatter = 1.0 + 0.001 * ((place * 7 + at * 5) % 11) as f64;
            let value = 1_000.0 * scatter * if side == Head { 1.0 + change } else { 1.0 };
            let sample = |n: u32| Sample { iterations: f64::from(n), total: f64::from(n) * value };
            Slot { side, padding: 0, samples: (1..=10).map(sample).collect() }
        };
        Block { slots: orders[at % 2].into_iter().enumerate().map(slot).collect(), void: None }
    };
    Measurement {
        benchmark: Benchmark::new("kernels", BenchmarkId::new(id).unwrap()),
        metric: Metric::time(),
        fate: Fate::Measured,
        method: SlotMethod::Lockstep,
        blocks: (0..6).map(block).collect(),
    }
}
