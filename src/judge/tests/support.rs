//! Runs made by hand: slots with noise from a seed, dealt as `plan::deal` deals them.

use crate::{
    judge::judge,
    model::{
        benchmark::{Benchmark, BenchmarkId},
        environment::{Environment, EnvironmentKey},
        metric::{Direction, Metric, Nature},
        policy::{Policy, Rule, Waiver},
        revision::Revision,
        run::{Block, Fate, Measurement, Mode, Run, Sample, Side, Slot, SlotMethod},
        verdict::{CheckVerdict, Judgement},
    },
    plan::deal::deal,
    stats::random::Stream,
};

pub(super) fn benchmark(id: &str) -> Benchmark {
    Benchmark::new("kernels", BenchmarkId::new(id).unwrap())
}

/// A benchmark of 1000 ns whose head takes `factor` times as long; its slots scatter by `scatter` and drift.
pub(super) struct Noise {
    pub(super) factor: f64,
    /// What head's median takes besides, its fastest samples being spared.
    pub(super) slow_half: f64,
    pub(super) scatter: f64,
    /// The share of slots that something else on the machine slows down, by some 5 %.
    pub(super) disturbed: f64,
    pub(super) seed: u64,
}

impl Noise {
    pub(super) fn factor(factor: f64) -> Self {
        Self { factor, slow_half: 1.0, scatter: 0.01, disturbed: 0.0, seed: 7 }
    }

    pub(super) fn block(&self, benchmark: &Benchmark, block: u64) -> Block {
        let mut stream = Stream::new(self.seed, "noise", &[benchmark.id.as_str()], block);
        // The machine drifts from block to block; a deal within the block is all that the test relies on
        let drift = 0.05 * stream.normal();
        let slots = deal(self.seed, benchmark, block)
            .into_iter()
            .map(|side| self.slot(side, drift + self.shift(&mut stream), &mut stream));
        Block { slots: slots.collect(), void: None }
    }

    fn shift(&self, stream: &mut Stream) -> f64 {
        let disturbance =
            if stream.unit() < self.disturbed { -0.05 * (1.0 - stream.unit()).ln() } else { 0.0 };
        disturbance + self.scatter * stream.normal()
    }

    fn slot(&self, side: Side, shift: f64, stream: &mut Stream) -> Slot {
        let head = side == Side::Head;
        let level = if head { 1000.0 * self.factor } else { 1000.0 };
        let sample = |place: u32| {
            let slow = if head && place.is_multiple_of(2) { self.slow_half } else { 1.0 };
            let total = 10.0 * level * slow * (shift + 0.003 * stream.normal().abs()).exp();
            Sample { iterations: 10.0, total }
        };
        Slot { side, padding: 0, samples: (0..10).map(sample).collect() }
    }
}

pub(super) fn measured(id: &str, noise: &Noise, blocks: u64) -> Measurement {
    let benchmark = benchmark(id);
    let blocks = (0..blocks).map(|block| noise.block(&benchmark, block)).collect();
    Measurement {
        benchmark,
        metric: Metric::time(),
        fate: Fate::Measured,
        method: SlotMethod::Lockstep,
        blocks,
    }
}

/// A clean benchmark after 18 rounds.
pub(super) fn clean(id: &str) -> Measurement {
    measured(id, &Noise::factor(1.0), 6)
}

/// A benchmark that is 10 % slower after 18 rounds.
pub(super) fn slower(id: &str) -> Measurement {
    measured(id, &Noise::factor(1.1), 6)
}

pub(super) fn with_fate(id: &str, fate: Fate) -> Measurement {
    Measurement { fate, ..measured(id, &Noise::factor(1.0), 0) }
}

pub(super) fn failed(id: &str) -> Measurement {
    with_fate(id, Fate::Failed { side: Some(Side::Head), message: "exited with status 101".into() })
}

/// Slots of one value each: (side, value) in time order, block by block.
pub(super) fn of_values(id: &str, metric: Metric, blocks: &[&[(Side, f64)]]) -> Measurement {
    let slot = |&(side, total): &(Side, f64)| Slot {
        side,
        padding: 0,
        samples: vec![Sample { iterations: 1.0, total }],
    };
    let block = |slots: &&[(Side, f64)]| Block { slots: slots.iter().map(slot).collect(), void: None };
    Measurement {
        benchmark: benchmark(id),
        metric,
        fate: Fate::Measured,
        method: SlotMethod::Foreign,
        blocks: blocks.iter().map(block).collect(),
    }
}

pub(super) fn throughput() -> Metric {
    Metric {
        name: "throughput".into(),
        unit: "req/s".into(),
        direction: Direction::Higher,
        nature: Nature::Noisy,
    }
}

pub(super) fn run(mode: Mode, measurements: Vec<Measurement>) -> Run {
    let revision = |label: &str| Revision { label: label.into(), ..Revision::default() };
    Run {
        tool_version: "0.1.0".into(),
        mode,
        base: Some(revision("main")),
        head: revision("work tree"),
        environment: Environment {
            cpu: "test".into(),
            cores: 2,
            memory_gib: 4,
            os: "linux-x86_64".into(),
            kernel: "6.1".into(),
            virtualisation: "none".into(),
            rustc: String::new(),
            profile: "bench".into(),
            flags: String::new(),
            key: EnvironmentKey::parse("0123456789abcdef").unwrap(),
        },
        seed: 7,
        started_at: 0,
        duration_seconds: 10.0,
        budget_seconds: 300.0,
        interrupted: None,
        measurements,
        load: Vec::new(),
        stress: Vec::new(),
        baselines: Vec::new(),
        policy: Policy::default(),
        day: "2026-08-20".into(),
        warnings: Vec::new(),
    }
}

pub(super) fn paired(measurements: Vec<Measurement>) -> Run {
    run(Mode::Paired, measurements)
}

pub(super) fn with_rules(mut run: Run, rules: Vec<Rule>) -> Run {
    run.policy.rules = rules;
    run
}

pub(super) fn rule(glob: &str) -> Rule {
    Rule { benchmark: glob.into(), ..Rule::default() }
}

pub(super) fn waiver(glob: &str, cap: f64, expires: &str) -> Waiver {
    Waiver {
        benchmark: glob.into(),
        cap,
        reason: "the new hash".into(),
        owner: "ada".into(),
        expires: expires.into(),
    }
}

/// The only row of a benchmark.
pub(super) fn row<'a>(verdict: &'a CheckVerdict, id: &str) -> &'a Judgement {
    let mut rows = verdict.judgements.iter().filter(|row| row.benchmark.id.as_str() == id);
    let row = rows.next().unwrap();
    assert!(rows.next().is_none(), "{id} has several rows");
    row
}

/// The row of a check of one benchmark.
pub(super) fn only(run: &Run) -> Judgement {
    let verdict = judge(run);
    assert_eq!(verdict.judgements.len(), 1);
    verdict.judgements[0].clone()
}
