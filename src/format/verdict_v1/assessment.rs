//! What is made of load in a verdict file: targets, score and advice; the keys, and both ways between them and the model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::load::{MAX_PARTS, PREFIX, finite, most, number, positive, positive_or_none, scenario};
use crate::format::{
    parts_v1::{PartWord, words},
    reading::{Fault, invalid},
};
use crate::model::{
    load::Advice,
    targets::{self, PartResult, Score, ScorePart, TierResult},
};

words! {
    /// Where a value stands in the grading table.
    MarkWord = targets::Mark { Poor, Fair, Good, Excellent }
}

/// What became of a tier of targets.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct TierV1 {
    /// The tier's name.
    tier: String,
    /// Whether it was met; null when this run does not show it.
    met: Option<bool>,
    /// Whether the project demands it.
    #[serde(default)]
    required: bool,
    /// What it asks.
    parts: Vec<TierPartV1>,
}

/// One limit of a tier.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct TierPartV1 {
    /// What it is about.
    name: PartWord,
    /// What was measured: nanoseconds, a share, a count, or requests a second.
    measured: Option<f64>,
    /// The limit in the same unit.
    limit: f64,
    /// Whether it was met; null when this run does not show it.
    met: Option<bool>,
    /// The scenario that it was measured in, `load:` and its name: the worst one.
    #[serde(default)]
    scenario: Option<String>,
    /// Why it is not shown, or what else to know.
    #[serde(default)]
    note: String,
}

/// The score of the service under load.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct ScoreV1 {
    /// The points over what was measured.
    points: f64,
    /// What they are out of.
    of: u32,
    /// `A+`, `A`, `B+`, `B`, `C+` or `not production ready`.
    grade: String,
    /// The share of the grading table that was measured.
    coverage: f64,
    /// The lines of the table.
    parts: Vec<ScorePartV1>,
    /// `battle-hardened`, `battle-ready`, `combat-capable` or `not battle-ready`.
    #[serde(default)]
    standing: String,
    /// What a reader must know of it.
    #[serde(default)]
    notes: Vec<String>,
}

/// One line of the grading table.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct ScorePartV1 {
    /// What it is about.
    name: PartWord,
    /// 0 to 10; null where nothing was measured.
    points: Option<f64>,
    /// Whether it was measured in this run.
    measured: bool,
    /// What was measured: nanoseconds, a share, or a count.
    #[serde(default)]
    value: Option<f64>,
    /// Its share of the table.
    #[serde(default)]
    weight: f64,
    /// Where the value stands; null where nothing was measured.
    #[serde(default)]
    mark: Option<MarkWord>,
    /// How long and at what load it was measured, or why it was not.
    #[serde(default)]
    basis: String,
}

/// What to look at.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct AdviceV1 {
    /// A stable word for the rule.
    code: String,
    /// `load:` and the scenario's name.
    id: String,
    /// What was seen, with figures, and what to look at.
    text: String,
}

impl From<&Advice> for AdviceV1 {
    fn from(advice: &Advice) -> Self {
        let Advice { code, scenario, text } = advice.clone();
        Self { code, id: format!("{PREFIX}{scenario}"), text }
    }
}

impl From<&TierResult> for TierV1 {
    fn from(tier: &TierResult) -> Self {
        let part = |part: &PartResult| TierPartV1 {
            name: part.part.into(),
            measured: finite(part.measured),
            limit: number(part.limit),
            met: part.met,
            scenario: (!part.scenario.is_empty()).then(|| format!("{PREFIX}{}", part.scenario)),
            note: part.note.clone(),
        };
        Self {
            tier: tier.tier.clone(),
            met: tier.met,
            required: tier.required,
            parts: tier.parts.iter().map(part).collect(),
        }
    }
}

impl From<&Score> for ScoreV1 {
    fn from(score: &Score) -> Self {
        let part = |part: &ScorePart| ScorePartV1 {
            name: part.part.into(),
            points: finite(part.points),
            measured: part.value.is_some(),
            value: finite(part.value),
            weight: part.weight,
            mark: part.mark.map(MarkWord::from),
            basis: part.basis.clone(),
        };
        Self {
            points: number(score.points),
            of: 10,
            grade: score.grade().to_owned(),
            coverage: number(score.coverage),
            parts: score.parts.iter().map(part).collect(),
            standing: score.standing().to_owned(),
            notes: score.notes.clone(),
        }
    }
}

/// The advice of a document.
pub(super) fn advice(entries: Vec<AdviceV1>) -> Result<Vec<Advice>, Fault> {
    most("advice", entries.len(), MAX_PARTS)?;
    let advice = |(at, AdviceV1 { code, id, text }): (usize, AdviceV1)| {
        let scenario = scenario("id", &id).map_err(|fault| fault.under(&format!("advice[{at}]")))?;
        Ok(Advice { code, scenario, text })
    };
    entries.into_iter().enumerate().map(advice).collect()
}

/// The targets of a document.
pub(super) fn tiers(entries: Vec<TierV1>) -> Result<Vec<TierResult>, Fault> {
    most("targets", entries.len(), MAX_PARTS)?;
    let entries = entries.into_iter().enumerate();
    entries.map(|(at, entry)| entry.model().map_err(|fault| fault.under(&format!("targets[{at}]")))).collect()
}

impl TierV1 {
    fn model(self) -> Result<TierResult, Fault> {
        most("parts", self.parts.len(), MAX_PARTS)?;
        let part = |entry: TierPartV1| {
            let scenario = entry.scenario.map(|id| scenario("scenario", &id)).transpose()?;
            Ok(PartResult {
                part: entry.name.into(),
                scenario: scenario.unwrap_or_default(),
                measured: positive_or_none("measured", entry.measured)?,
                limit: entry.limit,
                met: entry.met,
                note: entry.note,
            })
        };
        Ok(TierResult {
            tier: self.tier,
            met: self.met,
            required: self.required,
            parts: self.parts.into_iter().map(part).collect::<Result<_, Fault>>()?,
        })
    }
}

impl ScoreV1 {
    pub(super) fn model(self) -> Result<Score, Fault> {
        most("parts", self.parts.len(), MAX_PARTS)?;
        if !(0.0..=Score::OF).contains(&self.points) || !(0.0..=1.0 + 1e-9).contains(&self.coverage) {
            return Err(invalid("points", "points lie between 0 and 10, the coverage between 0 and 1"));
        }
        let part = |entry: ScorePartV1| {
            let (value, points) =
                (positive_or_none("value", entry.value)?, positive_or_none("points", entry.points)?);
            if value.is_some() != points.is_some() || value.is_some() != entry.mark.is_some() {
                return Err(invalid("parts", "`value`, `points` and `mark` are all there or none is"));
            }
            Ok(ScorePart {
                part: entry.name.into(),
                weight: positive("weight", entry.weight)?,
                value,
                points,
                mark: entry.mark.map(targets::Mark::from),
                basis: entry.basis,
            })
        };
        Ok(Score {
            points: self.points,
            coverage: self.coverage,
            parts: self.parts.into_iter().map(part).collect::<Result<_, Fault>>()?,
            notes: self.notes,
        })
    }
}
