//! A verdict from JSON. Whoever wrote it is not trusted: an artifact of a foreign pull request comes this way.

use std::collections::HashSet;

use super::document::{
    Census, Change, Document, Evidence, Family, Measurement, OutcomeWord, Reasoned, Row, SlotV1, VoidBlock,
};
use super::{
    assessment::{advice, tiers},
    load::{levels, loads},
};
use crate::format::{
    histogram::Room,
    load_v1,
    parts_v1::{self, benchmark},
    reading::{self, Error, Fault, MAX_BENCHMARKS, MAX_SLOTS, invalid},
    run_v1::check_unique,
    stress_v1,
    version::Kind,
};
use crate::model::{
    benchmark::{Benchmark, BenchmarkId},
    census,
    outcome::{ErrorClass, Outcome},
    policy::Policy,
    run::{self, Run},
    verdict::{self, CheckVerdict, Judgement, SlotValue},
};

/// Reads a verdict.
///
/// # Errors
/// When the bytes are no verdict of a version that is read, or break a rule of the model or a bound of [`reading`].
pub fn from_json(bytes: &[u8]) -> Result<CheckVerdict, Error> {
    let document: Document = reading::read(bytes, Kind::Verdict, |document: &Document| &document.schema)?;
    Ok(document.model()?)
}

impl Document {
    fn model(self) -> Result<CheckVerdict, Fault> {
        let outcome = outcome(self.outcome, self.exit_code)?;
        let judgements = judgements(self.benchmarks)?;
        let mut verdict = CheckVerdict {
            tool_version: self.tool.version,
            outcome,
            outcomes: outcomes(self.outcomes, outcome)?,
            mode: self.mode.into(),
            seed: self.seed,
            base: match self.base {
                Some(base) => Some(base.model().map_err(|fault| fault.under("base"))?),
                None => None,
            },
            head: self.head.model().map_err(|fault| fault.under("head"))?,
            environment: self.environment.model().map_err(|fault| fault.under("environment"))?,
            families: self.families.into_iter().map(verdict::Family::from).collect(),
            census: self.census.into(),
            judgements,
            load: loads(self.load)?,
            targets: tiers(self.targets)?,
            score: match self.score {
                Some(score) => Some(score.model().map_err(|fault| fault.under("score"))?),
                None => None,
            },
            levels: levels(self.levels)?,
            advice: advice(self.advice)?,
            stress: stress_v1::judged(self.stress)?,
            warnings: warnings(self.warnings, self.warning_codes),
            duration_seconds: self.duration_seconds,
            evidence: None,
        };
        verdict.evidence = match (self.evidence, self.policy) {
            (Some(evidence), Some(policy)) => {
                Some(evidence.model(&verdict, policy.into()).map_err(|fault| fault.under("evidence"))?)
            }
            (Some(_), None) => return Err(invalid("policy", "missing, though there is evidence")),
            (None, _) => None,
        };
        Ok(verdict)
    }
}

fn outcome(word: OutcomeWord, exit_code: u8) -> Result<Outcome, Fault> {
    let outcome = match (word, exit_code) {
        (OutcomeWord::Pass, 0) => Outcome::Pass,
        (OutcomeWord::Regressed, 1) => Outcome::Regressed,
        (OutcomeWord::Inconclusive, 3) => Outcome::Inconclusive,
        (OutcomeWord::Incomplete, 4) => Outcome::Incomplete,
        (OutcomeWord::Error, 2) => Outcome::Error(ErrorClass::Configuration),
        (OutcomeWord::Error, 5) => Outcome::Error(ErrorClass::Measurement),
        (OutcomeWord::Error, 6) => Outcome::Error(ErrorClass::Reporting),
        _ => return Err(invalid("exit_code", format!("{exit_code} does not belong to the outcome"))),
    };
    Ok(outcome)
}

/// Those of the document; a document without them has the one outcome.
fn outcomes(reasoned: Vec<Reasoned>, outcome: Outcome) -> Result<Vec<(Outcome, String)>, Fault> {
    if reasoned.is_empty() {
        return Ok(vec![(outcome, String::new())]);
    }
    let outcomes = reasoned.into_iter().enumerate();
    outcomes
        .map(|(at, entry)| {
            let outcome = self::outcome(entry.outcome, entry.exit_code);
            Ok((outcome.map_err(|fault| fault.under(&format!("outcomes[{at}]")))?, entry.reason))
        })
        .collect()
}

fn warnings(messages: Vec<String>, codes: Vec<String>) -> Vec<run::Warning> {
    let codes = codes.into_iter().chain(std::iter::repeat(String::new()));
    messages.into_iter().zip(codes).map(|(message, code)| run::Warning { code, message }).collect()
}

impl From<Family> for verdict::Family {
    fn from(family: Family) -> Self {
        let Family { name, tests, method, false_discovery_rate } = family;
        Self { name, tests, method, false_discovery_rate }
    }
}

impl From<Census> for census::Census {
    fn from(census: Census) -> Self {
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
            ignored: census.ignored.into_iter().map(|ignored| (ignored.id, ignored.reason)).collect(),
        }
    }
}

fn judgements(rows: Vec<Row>) -> Result<Vec<Judgement>, Fault> {
    if rows.len() > MAX_BENCHMARKS {
        return Err(invalid("benchmarks", format!("more than {MAX_BENCHMARKS} entries")));
    }
    let rows = rows.into_iter().enumerate();
    rows.map(|(at, row)| row.model().map_err(|fault| fault.under(&format!("benchmarks[{at}]")))).collect()
}

impl Row {
    fn model(self) -> Result<Judgement, Fault> {
        // A prefixed display id may be longer than an id alone.
        if self.id.is_empty() {
            return Err(invalid("id", "a benchmark id is empty"));
        }
        let id = self.benchmark.unwrap_or_else(|| self.id.clone());
        let id = BenchmarkId::new(id).map_err(|problem| invalid("id", problem.to_string()))?;
        Ok(Judgement {
            benchmark: Benchmark { target: self.target, id },
            display_id: self.id,
            metric: parts_v1::metric(self.metric, self.unit, self.direction, self.nature),
            verdict: self.verdict.into(),
            rounds: self.rounds,
            base: self.base,
            head: self.head,
            change: self.change.map(verdict::Change::from),
            margin: self.margin,
            p_value: self.p_value,
            q_value: self.q_value,
            minimum_detectable: self.minimum_detectable,
            scatter: self.scatter,
            blind: self.blind,
            reason: self.reason,
            slots: slots(self.slots)?,
        })
    }
}

impl From<Change> for verdict::Change {
    fn from(change: Change) -> Self {
        let Change { estimate, lower, upper, confidence } = change;
        Self { estimate, lower, upper, confidence }
    }
}

fn slots(blocks: Vec<Vec<SlotV1>>) -> Result<Vec<Vec<SlotValue>>, Fault> {
    if blocks.iter().map(Vec::len).sum::<usize>() > MAX_SLOTS {
        return Err(invalid("slots", format!("more than {MAX_SLOTS} slots")));
    }
    let blocks = blocks.into_iter().enumerate();
    blocks
        .map(|(at, block)| {
            let slots = block.into_iter().map(SlotV1::model).collect::<Result<_, _>>();
            slots.map_err(|problem: String| invalid(format!("slots[{at}]"), problem))
        })
        .collect()
}

impl SlotV1 {
    fn model(self) -> Result<SlotValue, String> {
        let Self { side, fast, median } = self;
        if !(fast.is_finite() && median.is_finite() && 0.0 <= fast && fast <= median) {
            return Err(format!(
                "`fast` is {fast} and `median` {median}: neither negative, `fast` not above `median`"
            ));
        }
        Ok(SlotValue { side: side.into(), fast, median })
    }
}

impl Evidence {
    fn model(self, verdict: &CheckVerdict, policy: Policy) -> Result<Run, Fault> {
        if self.measurements.len() > MAX_BENCHMARKS {
            return Err(invalid("measurements", format!("more than {MAX_BENCHMARKS} entries")));
        }
        // Each row may be used once: a small file that points to one large row a thousand times would not stay small.
        let mut used = HashSet::new();
        let measurements = self
            .measurements
            .into_iter()
            .enumerate()
            .map(|(at, measurement)| {
                let measurement = measurement.model(&verdict.judgements, &mut used);
                measurement.map_err(|fault| fault.under(&format!("measurements[{at}]")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        check_unique(&measurements)?;
        let baselines = self.baselines.into_iter().enumerate();
        let mut room = Room::default();
        Ok(Run {
            tool_version: self.measured_by,
            mode: verdict.mode,
            base: verdict.base.clone(),
            head: verdict.head.clone(),
            environment: verdict.environment.clone(),
            seed: verdict.seed,
            started_at: self.started_at,
            duration_seconds: verdict.duration_seconds,
            budget_seconds: self.budget_seconds,
            interrupted: self.interrupted,
            measurements,
            load: load_v1::model(self.load)?,
            stress: verdict.stress.iter().map(|result| result.stress.clone()).collect(),
            baselines: baselines
                .map(|(at, series)| {
                    series.model(&mut room).map_err(|fault| fault.under(&format!("baselines[{at}]")))
                })
                .collect::<Result<_, _>>()?,
            policy,
            day: self.day,
            warnings: self.warnings.into_iter().map(run::Warning::from).collect(),
        })
    }
}

impl Measurement {
    fn model(self, rows: &[Judgement], used: &mut HashSet<usize>) -> Result<run::Measurement, Fault> {
        let values = match (self.row, self.slots) {
            (Some(row), _) => {
                let judgement = rows.get(row).filter(|_| used.insert(row));
                let judgement =
                    judgement.ok_or_else(|| invalid("row", format!("no row {row}, or used twice")))?;
                judgement.slots.clone()
            }
            (None, Some(own)) => slots(own)?,
            (None, None) => return Err(invalid("slots", "missing, and no `row` has them")),
        };
        let blocks = blocks(values, self.void_blocks)?;
        Ok(run::Measurement {
            benchmark: benchmark(self.target, self.id)?,
            metric: parts_v1::metric(self.metric, self.unit, self.direction, self.nature),
            fate: self.fate.into(),
            method: self.method.into(),
            blocks,
        })
    }
}

/// All blocks of a measurement in time order: void ones at the places that they state, which must ascend.
fn blocks(values: Vec<Vec<SlotValue>>, voids: Vec<VoidBlock>) -> Result<Vec<run::Block>, Fault> {
    let mut valid = values
        .into_iter()
        .map(|block| run::Block { slots: block.into_iter().map(SlotValue::to_slot).collect(), void: None });
    let mut blocks = Vec::with_capacity(valid.len() + voids.len());
    for VoidBlock { at, reason } in voids {
        blocks.extend(valid.by_ref().take(at.saturating_sub(blocks.len())));
        if blocks.len() != at {
            return Err(invalid("void_blocks", format!("place {at} is not free")));
        }
        blocks.push(run::Block { slots: Vec::new(), void: Some(run::VoidReason { reason }) });
    }
    blocks.extend(valid);
    Ok(blocks)
}
