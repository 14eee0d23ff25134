//! Which metrics of a scenario are judged, and what a slot of it is expected to take.

use crate::{
    judge::load::{PREFIX, TARGET},
    load::{
        modes::knee,
        scenario::{Formula, Model, Scenario},
    },
    model::{
        benchmark::{Benchmark, BenchmarkId, InvalidBenchmarkId},
        metric::{Direction, Metric, Nature},
    },
    plan::deal::SLOTS,
};

/// The metrics that are judged where the scenario names none.
pub const DEFAULT_GATE: [&str; 4] = ["latency.p50", "latency.p90", "cpu", "rss.max"];

/// The metric that is always judged, and first.
pub const ERROR_RATE: &str = "error_rate";

/// The rate that a service bears: searched for after the window, in each slot, where the scenario asks for it.
pub const KNEE: &str = "knee";

/// What starting and stopping a server is expected to take until one was, seconds.
const START_SECONDS: f64 = 1.0;

/// The benchmark of a scenario.
///
/// # Errors
/// When its name is too long.
pub fn benchmark(scenario: &Scenario) -> Result<Benchmark, InvalidBenchmarkId> {
    Ok(Benchmark::new(TARGET, BenchmarkId::new(format!("{PREFIX}{}", scenario.name))?))
}

/// The metrics of a scenario: its error share first, then those that it names, each once. Throughput is a result only where
/// users wait for answers; at a fixed rate it is what was asked.
#[must_use]
pub fn metrics(scenario: &Scenario) -> Vec<Metric> {
    let closed = matches!(scenario.model, Model::Users { .. });
    let mut names: Vec<&str> = vec![ERROR_RATE];
    if scenario.gate.is_empty() {
        names.extend(DEFAULT_GATE);
        names.extend(closed.then_some("throughput"));
        names.extend(scenario.metrics.iter().map(|formula| formula.name.as_str()));
    } else {
        names.extend(scenario.gate.iter().map(String::as_str));
    }
    let mut metrics: Vec<Metric> = Vec::new();
    for name in names.into_iter().filter(|name| closed || *name != "throughput") {
        if metrics.iter().any(|known| known.name == name) {
            continue;
        }
        let own = scenario.metrics.iter().find(|formula| formula.name == name);
        metrics.extend(own.map(of_formula).or_else(|| Metric::of_load(name)));
    }
    metrics
}

/// Whether a slot of a scenario ends with a search for the rate that its service bears. Users wait for a slow service, so nothing
/// is too much for it.
#[must_use]
pub fn wants_knee(scenario: &Scenario) -> bool {
    matches!(scenario.model, Model::Rate { .. }) && scenario.gate.iter().any(|name| name == KNEE)
}

/// Names in `gate` that are no metric of the scenario.
#[must_use]
pub fn unknown(scenario: &Scenario) -> Vec<&str> {
    let own = |name: &str| scenario.metrics.iter().any(|formula| formula.name == name);
    let names = scenario.gate.iter().map(String::as_str);
    names.filter(|name| !own(name) && Metric::of_load(name).is_none()).collect()
}

fn of_formula(formula: &Formula) -> Metric {
    Metric {
        name: formula.name.clone(),
        unit: if formula.unit.is_empty() { "ratio".into() } else { formula.unit.clone() },
        direction: if formula.higher_is_better { Direction::Higher } else { Direction::Lower },
        nature: Nature::Noisy,
    }
}

/// The slots of a block.
#[expect(clippy::cast_precision_loss, reason = "six")]
const SLOTS_OF_BLOCK: f64 = SLOTS as f64;

/// What one block is expected to take before any was measured, seconds; its searches for the knee included.
#[must_use]
pub fn block_seconds(scenario: &Scenario) -> f64 {
    let slot = START_SECONDS + scenario.warmup.as_secs_f64() + scenario.window.as_secs_f64();
    SLOTS_OF_BLOCK * slot + search_seconds(scenario)
}

/// What the searches for the knee in one block are expected to take before any was measured, seconds.
#[must_use]
pub fn search_seconds(scenario: &Scenario) -> f64 {
    if wants_knee(scenario) { SLOTS_OF_BLOCK * knee::SECONDS } else { 0.0 }
}
