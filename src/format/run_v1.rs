//! `tollgate.run/1`: everything measured, sample by sample. One slot a line, its samples as two lists of equal length.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    histogram::Room,
    layout, load_v1,
    parts_v1::{
        self, Direction, Environment, FateV1, Method, Mode, Nature, Revision, Series, Side, Tool, Warning,
        benchmark,
    },
    policy_v1::Policy,
    reading::{self, Error, Fault, MAX_BENCHMARKS, MAX_SLOTS, invalid},
    stress_v1,
    version::Kind,
};
use crate::model::run;

/// Containers down to this depth stand on lines of their own: the deepest is one slot.
const DEPTH: usize = 6;

/// A run file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Document {
    /// `tollgate.run/1`.
    pub(super) schema: String,
    /// Who measured it.
    tool: Tool,
    /// How it is to be judged.
    mode: Mode,
    /// The seed of every deal in it.
    seed: u64,
    /// What head is compared with; null for a single revision.
    base: Option<Revision>,
    /// The revision under test.
    head: Revision,
    /// Where it was measured.
    environment: Environment,
    /// When measuring began, seconds since 1970-01-01T00:00:00Z.
    started_at: u64,
    /// The day on which waivers are checked, `YYYY-MM-DD` (UTC).
    day: String,
    /// What the whole check took, seconds.
    duration_seconds: f64,
    /// The seconds of measuring that were allowed; 0 when not bounded.
    budget_seconds: f64,
    /// Why it ended early, if it did.
    interrupted: Option<String>,
    /// What the reader should know.
    warnings: Vec<Warning>,
    /// The rules in force.
    policy: Policy,
    /// The stored runs that head is judged against.
    baselines: Vec<Series>,
    /// Every benchmark seen on either side.
    measurements: Vec<Measurement>,
    /// The load trials behind the measurements of load scenarios, in time order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    load: Vec<load_v1::Block>,
    /// Searches for the rate that services bear, in time order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stress: Vec<stress_v1::Stress>,
}

/// All that was measured of one metric of one benchmark.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Measurement {
    /// The bench target.
    target: String,
    /// The benchmark's id within the target.
    id: String,
    /// The metric's name.
    metric: String,
    /// The metric's unit.
    unit: String,
    /// Which way is better.
    direction: Direction,
    /// How the metric scatters.
    nature: Nature,
    /// What became of the benchmark.
    fate: FateV1,
    /// How its slots were obtained.
    method: Method,
    /// Its blocks in time order, void ones included.
    blocks: Vec<Block>,
}

/// Slots measured back to back.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Block {
    /// Why it does not count; null when it does.
    void: Option<String>,
    /// Its slots in time order.
    slots: Vec<Slot>,
}

/// One fresh process.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Slot {
    /// Whose process it was.
    side: Side,
    /// Bytes of environment padding.
    padding: u32,
    /// How many times the routine ran in each sample.
    iterations: Vec<f64>,
    /// What each sample took in all, in the metric's unit.
    totals: Vec<f64>,
}

/// Writes a run; the same run gives the same bytes.
#[must_use]
pub fn to_json(run: &run::Run) -> Vec<u8> {
    layout::to_json(&Document::from(run), DEPTH)
}

/// Reads a run.
///
/// # Errors
/// When the bytes are no run of a version that is read, or break a rule of the model or a bound of [`reading`].
pub fn from_json(bytes: &[u8]) -> Result<run::Run, Error> {
    let document: Document = reading::read(bytes, Kind::Run, |document: &Document| &document.schema)?;
    Ok(document.model()?)
}

impl From<&run::Run> for Document {
    fn from(run: &run::Run) -> Self {
        Self {
            schema: Kind::Run.schema(),
            tool: Tool::new(&run.tool_version),
            mode: run.mode.into(),
            seed: run.seed,
            base: run.base.as_ref().map(Revision::from),
            head: Revision::from(&run.head),
            environment: Environment::from(&run.environment),
            started_at: run.started_at,
            day: run.day.clone(),
            duration_seconds: run.duration_seconds,
            budget_seconds: run.budget_seconds,
            interrupted: run.interrupted.clone(),
            warnings: run.warnings.iter().map(Warning::from).collect(),
            policy: Policy::from(&run.policy),
            baselines: run.baselines.iter().map(Series::from).collect(),
            measurements: run.measurements.iter().map(Measurement::from).collect(),
            load: run.load.iter().map(load_v1::Block::from).collect(),
            stress: run.stress.iter().map(stress_v1::Stress::from).collect(),
        }
    }
}

impl From<&run::Measurement> for Measurement {
    fn from(measurement: &run::Measurement) -> Self {
        let run::Measurement { benchmark, metric, fate, method, blocks } = measurement;
        Self {
            target: benchmark.target.clone(),
            id: benchmark.id.as_str().to_owned(),
            metric: metric.name.clone(),
            unit: metric.unit.clone(),
            direction: metric.direction.into(),
            nature: metric.nature.into(),
            fate: fate.into(),
            method: (*method).into(),
            blocks: blocks.iter().map(Block::from).collect(),
        }
    }
}

impl From<&run::Block> for Block {
    fn from(block: &run::Block) -> Self {
        let slot = |slot: &run::Slot| Slot {
            side: slot.side.into(),
            padding: slot.padding,
            iterations: slot.samples.iter().map(|sample| sample.iterations).collect(),
            totals: slot.samples.iter().map(|sample| sample.total).collect(),
        };
        Self {
            void: block.void.as_ref().map(|void| void.reason.clone()),
            slots: block.slots.iter().map(slot).collect(),
        }
    }
}

impl Document {
    fn model(self) -> Result<run::Run, Fault> {
        let measurements = measurements(self.measurements)?;
        let baselines = self.baselines.into_iter().enumerate();
        let mut room = Room::default();
        Ok(run::Run {
            tool_version: self.tool.version,
            mode: self.mode.into(),
            base: match self.base {
                Some(base) => Some(base.model().map_err(|fault| fault.under("base"))?),
                None => None,
            },
            head: self.head.model().map_err(|fault| fault.under("head"))?,
            environment: self.environment.model().map_err(|fault| fault.under("environment"))?,
            seed: self.seed,
            started_at: self.started_at,
            duration_seconds: self.duration_seconds,
            budget_seconds: self.budget_seconds,
            interrupted: self.interrupted,
            measurements,
            load: load_v1::model(self.load)?,
            stress: stress_v1::model(self.stress)?,
            baselines: baselines
                .map(|(at, series)| {
                    series.model(&mut room).map_err(|fault| fault.under(&format!("baselines[{at}]")))
                })
                .collect::<Result<_, _>>()?,
            policy: self.policy.into(),
            day: self.day,
            warnings: self.warnings.into_iter().map(run::Warning::from).collect(),
        })
    }
}

fn measurements(documents: Vec<Measurement>) -> Result<Vec<run::Measurement>, Fault> {
    if documents.len() > MAX_BENCHMARKS {
        return Err(invalid("measurements", format!("more than {MAX_BENCHMARKS} entries")));
    }
    let measurements: Vec<run::Measurement> = documents
        .into_iter()
        .enumerate()
        .map(|(at, document)| document.model().map_err(|fault| fault.under(&format!("measurements[{at}]"))))
        .collect::<Result<_, _>>()?;
    check_unique(&measurements)?;
    Ok(measurements)
}

/// Two measurements of one metric of one benchmark would be judged as two benchmarks.
pub(super) fn check_unique(measurements: &[run::Measurement]) -> Result<(), Fault> {
    let mut seen = HashSet::with_capacity(measurements.len());
    for (at, measurement) in measurements.iter().enumerate() {
        if !seen.insert((&measurement.benchmark, &measurement.metric.name)) {
            return Err(invalid(
                format!("measurements[{at}]"),
                format!("`{}` is there twice", measurement.benchmark.id),
            ));
        }
    }
    Ok(())
}

impl Measurement {
    fn model(self) -> Result<run::Measurement, Fault> {
        if self.blocks.iter().map(|block| block.slots.len()).sum::<usize>() > MAX_SLOTS {
            return Err(invalid("blocks", format!("more than {MAX_SLOTS} slots")));
        }
        let blocks = self.blocks.into_iter().enumerate();
        Ok(run::Measurement {
            benchmark: benchmark(self.target, self.id)?,
            metric: parts_v1::metric(self.metric, self.unit, self.direction, self.nature),
            fate: self.fate.into(),
            method: self.method.into(),
            blocks: blocks
                .map(|(at, block)| block.model().map_err(|fault| fault.under(&format!("blocks[{at}]"))))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Block {
    fn model(self) -> Result<run::Block, Fault> {
        let slots = self.slots.into_iter().enumerate();
        Ok(run::Block {
            slots: slots
                .map(|(at, slot)| slot.model().map_err(|fault| fault.under(&format!("slots[{at}]"))))
                .collect::<Result<_, _>>()?,
            void: self.void.map(|reason| run::VoidReason { reason }),
        })
    }
}

impl Slot {
    fn model(self) -> Result<run::Slot, Fault> {
        let (iterations, totals) = (&self.iterations, &self.totals);
        if iterations.is_empty() || iterations.len() != totals.len() {
            let (iterations, totals) = (iterations.len(), totals.len());
            return Err(invalid(
                "totals",
                format!(
                    "{iterations} iterations and {totals} totals; a slot has as many of both, at least one"
                ),
            ));
        }
        if let Some(bad) = iterations.iter().find(|value| !(value.is_finite() && **value > 0.0)) {
            return Err(invalid("iterations", format!("{bad} is not positive and finite")));
        }
        if let Some(bad) = totals.iter().find(|value| !(value.is_finite() && **value >= 0.0)) {
            return Err(invalid("totals", format!("{bad} is negative or not finite")));
        }
        let samples = self.iterations.into_iter().zip(self.totals);
        Ok(run::Slot {
            side: self.side.into(),
            padding: self.padding,
            samples: samples.map(|(iterations, total)| run::Sample { iterations, total }).collect(),
        })
    }
}
#[cfg(test)]
mod tests {
    use super::{from_json, to_json};
    use crate::format::{Error, example};

    fn edited(from: &str, to: &str) -> Error {
        let text = String::from_utf8(to_json(&example::run())).unwrap();
        assert!(text.contains(from), "{from}");
        from_json(text.replacen(from, to, 1).as_bytes()).unwrap_err()
    }

    #[test]
    fn a_run_comes_back_bit_by_bit() {
        let mut run = example::run();
        run.measurements[0].blocks[0].slots[0].samples[0].total = f64::from_bits(0x3FF0_0000_0000_0001);
        let bytes = to_json(&run);
        let read = from_json(&bytes).unwrap();
        assert_eq!(read, run);
        assert_eq!(to_json(&read), bytes);
    }

    #[test]
    fn every_slot_is_one_line() {
        let text = String::from_utf8(to_json(&example::run())).unwrap();
        let slots: Vec<&str> = text.lines().filter(|line| line.contains("\"side\": \"base\"")).collect();
        assert_eq!(slots.len(), 5 * 9);
        let line = slots[0].trim();
        assert!(
            line.starts_with(r#"{"side": "base", "padding": 0, "iterations": [10.0,20.0,30.0,"#),
            "{line}"
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        insta::assert_snapshot!(edited("\"iterations\": [10.0,", "\"iterations\": [0,"),
            @"the document has a bad value at `measurements[0].blocks[0].slots[0].iterations`: 0 is not positive and finite");
        insta::assert_snapshot!(edited("\"iterations\": [10.0,", "\"iterations\": ["),
            @"the document has a bad value at `measurements[0].blocks[0].slots[0].totals`: 9 iterations and 10 totals; a slot has as many of both, at least one");
        insta::assert_snapshot!(edited("\"id\": \"hash/fnv\"", "\"id\": \"\""),
            @"the document has a bad value at `measurements[0].id`: a benchmark id is empty");
        insta::assert_snapshot!(edited("\"id\": \"hash/fnv\"", "\"id\": \"num/sieve\""),
            @"the document has a bad value at `measurements[5]`: `num/sieve` is there twice");
        insta::assert_snapshot!(edited("a3f09c0d4e5b6172", "A3F0"),
            @"the document has a bad value at `environment.key`: an environment key is 16 lowercase hexadecimal digits");
        insta::assert_snapshot!(edited("\"seed\"", "\"seeds\"").in_file("run.json"),
            @"`run.json` cannot be read in line 396, column 1: missing field `seed`");
        insta::assert_snapshot!(edited("\"duration_seconds\": 71.3", "\"duration_seconds\": 1e999"),
            @"the document cannot be read in line 33, column 27: number out of range");
        insta::assert_snapshot!(edited("tollgate.run/1", "tollgate.run/2").in_file("base.json"),
            @"`base.json` has format `tollgate.run/2`; this tollgate reads up to `/1`");
        insta::assert_snapshot!(edited("tollgate.run/1", "tollgate.verdict/1"),
            @"the document has format `tollgate.verdict/1` where `tollgate.run/1` is expected");
    }

    #[test]
    fn keys_of_a_later_minor_version_are_ignored() {
        let text = String::from_utf8(to_json(&example::run())).unwrap();
        let later = text.replacen("\"seed\":", "\"later\": {\"a\": [1]}, \"seed\":", 1);
        assert_eq!(from_json(later.as_bytes()).unwrap(), example::run());
        assert_eq!(from_json(format!("\u{feff}{text}").as_bytes()).unwrap(), example::run());
    }
}
