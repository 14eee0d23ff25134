//! A verdict to JSON.

use std::collections::HashMap;

use super::document::{
    Census, Change, Document, Evidence, Family, Ignored, Measurement, OutcomeWord, Reasoned, Row, SlotV1,
    VoidBlock,
};
use super::{
    assessment::{AdviceV1, ScoreV1, TierV1},
    load::Load,
};
use crate::format::{
    layout, load_v1,
    parts_v1::{Environment, Revision, Series, Tool, Warning},
    policy_v1::Policy,
    stress_v1,
    version::Kind,
};
use crate::model::{
    benchmark::Benchmark,
    census,
    outcome::Outcome,
    run::{self, Run},
    verdict::{self, CheckVerdict, Judgement, SlotValue},
};

/// Containers down to this depth stand on lines of their own: the deepest is one block of slots.
const DEPTH: usize = 5;

/// Writes a verdict; the same verdict gives the same bytes. Its evidence is written [reduced](verdict::reduced).
#[must_use]
pub fn to_json(verdict: &CheckVerdict) -> Vec<u8> {
    layout::to_json(&Document::from(verdict), DEPTH)
}

impl From<&CheckVerdict> for Document {
    fn from(verdict: &CheckVerdict) -> Self {
        let evidence = verdict.evidence.as_ref();
        Self {
            schema: Kind::Verdict.schema(),
            tool: Tool::new(&verdict.tool_version),
            outcome: verdict.outcome.into(),
            exit_code: verdict.outcome.exit_code(),
            mode: verdict.mode.into(),
            seed: verdict.seed,
            base: verdict.base.as_ref().map(Revision::from),
            head: Revision::from(&verdict.head),
            environment: Environment::from(&verdict.environment),
            families: verdict.families.iter().map(Family::from).collect(),
            census: Census::from(&verdict.census),
            benchmarks: verdict.judgements.iter().map(Row::from).collect(),
            load: verdict.load.iter().map(Load::from).collect(),
            targets: verdict.targets.iter().map(TierV1::from).collect(),
            score: verdict.score.as_ref().map(ScoreV1::from),
            levels: verdict.levels.iter().map(Load::from).collect(),
            advice: verdict.advice.iter().map(AdviceV1::from).collect(),
            stress: verdict.stress.iter().map(stress_v1::Judged::from).collect(),
            warnings: verdict.warnings.iter().map(|warning| warning.message.clone()).collect(),
            duration_seconds: verdict.duration_seconds,
            warning_codes: verdict.warnings.iter().map(|warning| warning.code.clone()).collect(),
            outcomes: verdict.outcomes.iter().map(|(outcome, reason)| reasoned(*outcome, reason)).collect(),
            policy: evidence.map(|run| Policy::from(&run.policy)),
            evidence: evidence.map(|run| self::evidence(run, &verdict.judgements)),
        }
    }
}

impl From<Outcome> for OutcomeWord {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pass => Self::Pass,
            Outcome::Regressed => Self::Regressed,
            Outcome::Inconclusive => Self::Inconclusive,
            Outcome::Incomplete => Self::Incomplete,
            Outcome::Error(_) => Self::Error,
        }
    }
}

fn reasoned(outcome: Outcome, reason: &str) -> Reasoned {
    Reasoned { outcome: outcome.into(), exit_code: outcome.exit_code(), reason: reason.to_owned() }
}

impl From<&verdict::Family> for Family {
    fn from(family: &verdict::Family) -> Self {
        let verdict::Family { name, tests, method, false_discovery_rate } = family.clone();
        Self { name, tests, method, false_discovery_rate }
    }
}

impl From<&census::Census> for Census {
    fn from(census: &census::Census) -> Self {
        let census = census.clone();
        Self {
            expected: census.expected,
            measured: census.measured,
            compared: census.compared,
            identical: census.identical,
            inconclusive: census.inconclusive,
            blind: census.blind,
            voided_blocks: census.voided_blocks,
            new: census.new,
            missing: census.missing,
            failed: census.failed,
            ignored: census.ignored.into_iter().map(|(id, reason)| Ignored { id, reason }).collect(),
        }
    }
}

impl From<&Judgement> for Row {
    fn from(row: &Judgement) -> Self {
        let id = row.benchmark.id.as_str();
        Self {
            id: row.display_id.clone(),
            target: row.benchmark.target.clone(),
            metric: row.metric.name.clone(),
            unit: row.metric.unit.clone(),
            direction: row.metric.direction.into(),
            verdict: row.verdict.into(),
            rounds: row.rounds,
            base: finite(row.base),
            head: finite(row.head),
            change: row.change.and_then(change),
            margin: row.margin,
            p_value: finite(row.p_value),
            q_value: finite(row.q_value),
            minimum_detectable: finite(row.minimum_detectable),
            scatter: finite(row.scatter),
            reason: row.reason.clone(),
            nature: row.metric.nature.into(),
            benchmark: (id != row.display_id).then(|| id.to_owned()),
            blind: row.blind,
            slots: slots(&row.slots),
        }
    }
}

/// Numbers that do not exist are null.
fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}

fn change(change: verdict::Change) -> Option<Change> {
    let verdict::Change { estimate, lower, upper, confidence } = change;
    (estimate.is_finite() && confidence.is_finite()).then(|| Change {
        estimate,
        lower: finite(lower),
        upper: finite(upper),
        confidence,
    })
}

fn slots(blocks: &[Vec<SlotValue>]) -> Vec<Vec<SlotV1>> {
    let slot = |&SlotValue { side, fast, median }: &SlotValue| SlotV1 { side: side.into(), fast, median };
    blocks.iter().map(|block| block.iter().map(slot).collect()).collect()
}

fn evidence(run: &Run, judgements: &[Judgement]) -> Evidence {
    let rows: HashMap<(&Benchmark, &str), usize> = judgements
        .iter()
        .enumerate()
        .map(|(at, row)| ((&row.benchmark, row.metric.name.as_str()), at))
        .collect();
    let measurement = |measurement: &run::Measurement| {
        let row = rows.get(&(&measurement.benchmark, measurement.metric.name.as_str())).copied();
        self::measurement(measurement, row.map(|at| (at, &judgements[at])))
    };
    Evidence {
        measured_by: run.tool_version.clone(),
        started_at: run.started_at,
        day: run.day.clone(),
        budget_seconds: run.budget_seconds,
        interrupted: run.interrupted.clone(),
        warnings: run.warnings.iter().map(Warning::from).collect(),
        baselines: run.baselines.iter().map(Series::from).collect(),
        measurements: run.measurements.iter().map(measurement).collect(),
        load: run.load.iter().map(load_v1::Block::from).collect(),
    }
}

fn measurement(measurement: &run::Measurement, row: Option<(usize, &Judgement)>) -> Measurement {
    let run::Measurement { benchmark, metric, fate, method, blocks } = measurement;
    let values: Vec<Vec<SlotValue>> = blocks
        .iter()
        .filter(|block| block.void.is_none())
        .map(|block| block.slots.iter().map(SlotValue::of).collect())
        .collect();
    let row = row.filter(|(_, judgement)| judgement.slots == values).map(|(at, _)| at);
    let void = |(at, block): (usize, &run::Block)| {
        block.void.as_ref().map(|void| VoidBlock { at, reason: void.reason.clone() })
    };
    Measurement {
        target: benchmark.target.clone(),
        id: benchmark.id.as_str().to_owned(),
        metric: metric.name.clone(),
        unit: metric.unit.clone(),
        direction: metric.direction.into(),
        nature: metric.nature.into(),
        fate: fate.into(),
        method: (*method).into(),
        row,
        slots: row.is_none().then(|| slots(&values)),
        void_blocks: blocks.iter().enumerate().filter_map(void).collect(),
    }
}
