//! What holds of load benchmarks alone: their counts of requests, percentiles that need enough of them, and errors first.
//!
//! The slots of a load benchmark are trials. Their values are judged like any other's; what a value does not tell (how many
//! requests it rests on, how many of them failed, whether it is only a lower bound) is read from the run's trials.

use std::collections::BTreeSet;

use crate::{
    judge::{counted, evidence::Untested, paired, policy::Limits, subject::Subject},
    model::{
        benchmark::Benchmark,
        load::Trial,
        metric::{Metric, Nature, percentile},
        run::{Fate, Measurement, Run, Side, TrialBlock},
        verdict::{Judgement, Verdict},
    },
    plan::looks::Standing,
    stats::proportion::Counted,
};

/// The bench target of every load benchmark.
pub const TARGET: &str = "load";

/// What the id of every load benchmark begins with.
pub const PREFIX: &str = "load:";

/// Fewer requests beyond a percentile than this say too little about it (`statistics.md`, part (d)).
const LEAST_BEYOND: f64 = 20.0;

/// Whether a benchmark is a load scenario.
#[must_use]
pub fn is_load(benchmark: &Benchmark) -> bool {
    benchmark.id.as_str().starts_with(PREFIX)
}

/// Requests that a window needs for a percentile to be judged; 0 for other metrics.
#[must_use]
pub fn requests_needed(metric: &str) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and eight digits name it"
    )]
    percentile(metric).map_or(0, |share| (LEAST_BEYOND / (1.0 - share) - 1e-6).ceil() as u64)
}

/// One valid trial as judging reads it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TrialCounts {
    pub(super) side: Side,
    /// Requests that were due, and those of them that failed or were not answered.
    pub(super) requests: Counted,
    /// Whether the value of the metric is only known to be at least so large.
    pub(super) lower_bound: bool,
}

/// The valid trials behind a measurement, block by block.
pub(super) fn counts(benchmark: &Benchmark, metric: &Metric, load: &[TrialBlock]) -> Vec<Vec<TrialCounts>> {
    let Some(scenario) = benchmark.id.as_str().strip_prefix(PREFIX) else { return Vec::new() };
    let share = percentile(&metric.name);
    let blocks = load.iter().filter(|block| block.scenario == scenario && block.void.is_none());
    blocks
        .map(|block| {
            let counts = block.trials.iter().map(|trial| TrialCounts {
                side: trial.side,
                requests: Counted {
                    hits: trial.requests.errors.saturating_add(trial.requests.unfinished),
                    cases: trial.requests.scheduled,
                },
                lower_bound: share
                    .and_then(|share| trial.clocks.response_time.quantile(share))
                    .is_some_and(|quantile| quantile.lower_bound),
            });
            counts.collect()
        })
        .collect()
}

/// All trials of a run but those of scenarios that are left out; those of a void block say so, whichever of them it was.
pub(super) fn trials(run: &Run) -> Vec<Trial> {
    let of_block = |block: &TrialBlock| -> Vec<Trial> {
        let void = |trial: &Trial| trial.void.clone().or(block.void.as_ref().map(|void| void.reason.clone()));
        block.trials.iter().map(|trial| Trial { void: void(trial), ..trial.clone() }).collect()
    };
    let left_out = left_out(run);
    let shown = |block: &&TrialBlock| !left_out.contains(block.scenario.as_str());
    run.load.iter().filter(shown).flat_map(of_block).collect()
}

/// The scenarios whose every row is left out: a filter that came later does not take away what was measured before it.
fn left_out(run: &Run) -> BTreeSet<&str> {
    let of = |is_out: bool| {
        let measurements = run.measurements.iter();
        measurements
            .filter(move |measurement| matches!(measurement.fate, Fate::Ignored(_)) == is_out)
            .filter_map(|measurement| measurement.benchmark.id.as_str().strip_prefix(PREFIX))
    };
    let shown: BTreeSet<&str> = of(false).collect();
    of(true).filter(|scenario| !shown.contains(scenario)).collect()
}

/// Where a measurement of a load scenario stands at its last complete look, given the scenario's trials.
///
/// `None` before the first look, and for a percentile of too few requests, which is not judged.
#[must_use]
pub fn standing(measurement: &Measurement, load: &[TrialBlock], limits: &Limits) -> Option<Standing> {
    let trials = counts(&measurement.benchmark, &measurement.metric, load);
    if few(&measurement.metric, &trials).is_some() {
        return None;
    }
    match measurement.metric.nature {
        Nature::Counted => counted::standing(&trials, limits),
        Nature::Noisy | Nature::Deterministic => paired::standing(measurement, limits),
    }
}

/// Why a percentile is not judged, if its windows hold too few requests.
pub(super) fn too_few(subject: &Subject) -> Option<Untested> {
    if subject.blocks.is_empty() { None } else { few(&subject.metric, &subject.trials) }
}

fn few(metric: &Metric, trials: &[Vec<TrialCounts>]) -> Option<Untested> {
    let need = requests_needed(&metric.name);
    let have = trials.iter().flatten().map(|trial| trial.requests.cases).min()?;
    (have < need).then_some(Untested::TooFewRequests { have, need })
}

/// Whether any value of a subject is only a lower bound.
pub(super) fn is_lower_bound(subject: &Subject) -> bool {
    subject.trials.iter().flatten().any(|trial| trial.lower_bound)
}

/// A side that fails more is not faster, and does less: where the error share regressed, nothing of the scenario is improved, and
/// no latency nor the processor time of a request is shown to be unchanged.
pub(super) fn errors_first(judgements: &mut [Judgement]) {
    let failing: BTreeSet<Benchmark> = judgements
        .iter()
        .filter(|row| row.metric.nature == Nature::Counted)
        .filter(|row| matches!(row.verdict, Verdict::Regressed | Verdict::Waived))
        .map(|row| row.benchmark.clone())
        .collect();
    let others = judgements.iter_mut().filter(|row| row.metric.nature != Nature::Counted);
    for row in others.filter(|row| failing.contains(&row.benchmark)) {
        let of_requests = row.metric.name == "cpu" || percentile(&row.metric.name).is_some();
        let is_good = row.verdict == Verdict::Improved || (of_requests && row.verdict == Verdict::Unchanged);
        if is_good {
            let why = if of_requests { "to fail faster is not better" } else { "what fails does less" };
            row.verdict = Verdict::Inconclusive;
            row.reason = format!("more requests fail, and {why} ({})", row.reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::requests_needed;

    #[test]
    fn twenty_requests_must_lie_beyond_a_percentile() {
        assert_eq!(requests_needed("latency.p50"), 40);
        assert_eq!(requests_needed("latency.p90"), 200);
        assert_eq!(requests_needed("latency.p99"), 2_000);
        assert_eq!(requests_needed("latency.p99.9"), 20_000);
        assert_eq!(requests_needed("cpu"), 0);
    }
}
