//! From what tools wrote on both sides to one [`Run`] that can be judged in one look.
//!
//! What counts as a slot is a process, or where processes of one sitting share their hour, the sitting:
//!
//! - **One input a side**: each process is a slot. All of base ran before all of head (or after), so everything is one
//!   block, and the warning `not_interleaved` says that a machine that changed in between looks like a change of the code.
//! - **Several inputs a side**: each input is one slot, its processes its samples, since what changes from sitting to
//!   sitting is the larger noise. The order is taken to be A1 B1 A2 B2 …, as when one script runs both in turn. Blocks
//!   are of three rounds in that order where the count allows (what is left over goes round by round to the last
//!   blocks, so 7 rounds are blocks of 3 and 4); what one side has more comes last. The order was not dealt at random:
//!   the warning `not_dealt` says so.
//!
//! One value a side is a block of two slots, too few for any test to say anything: it is shown (`one_value`).

use std::collections::BTreeMap;

use crate::model::{
    benchmark::Benchmark,
    environment::{Environment, EnvironmentKey},
    load::Trial,
    metric::{Metric, Nature},
    policy::Policy,
    revision::Revision,
    run::{Block, Fate, Measurement, Mode, Run, Sample, Side, Slot, SlotMethod, TrialBlock, Warning},
};

/// Rounds of a block where the count allows.
const ROUNDS: usize = 3;

/// What one input told.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceRun {
    /// The tool.
    pub tool: &'static str,
    /// What was measured, as far as it is known; the label is the input's name otherwise.
    pub revision: Revision,
    /// Where it was measured; [`unknown_environment`] for tools that do not say.
    pub environment: Environment,
    /// Each metric of each benchmark once.
    pub measurements: Vec<SourceMeasurement>,
    /// Whether an input may be compared with one in which its only benchmark has another name.
    pub names_are_commands: bool,
    /// The load trials behind its measurements of load scenarios, where it knows them.
    pub load: Vec<TrialBlock>,
    /// What this tool's output cannot tell, or what is odd in it.
    pub warnings: Vec<Warning>,
}

/// One metric of one benchmark in one input.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceMeasurement {
    /// Which benchmark.
    pub benchmark: Benchmark,
    /// Which metric.
    pub metric: Metric,
    /// One entry a process in time order, each with at least one sample; empty where it failed.
    pub processes: Vec<Vec<Sample>>,
    /// Why there is no value.
    pub failure: Option<String>,
}

impl SourceRun {
    /// An input of a tool that knows neither revision nor machine.
    #[must_use]
    pub fn foreign(tool: &'static str, label: &str, measurements: Vec<SourceMeasurement>) -> Self {
        Self {
            tool,
            revision: Revision { rev: None, tree: None, label: label.to_owned() },
            environment: unknown_environment(),
            measurements,
            names_are_commands: false,
            load: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// Makes one run of one revision of several inputs in time order, each a slot where there are several. The policy is the
/// default one and `day` empty: the caller sets both.
#[must_use]
pub fn single(inputs: Vec<SourceRun>) -> Run {
    let mut run = pair(Vec::new(), inputs);
    run.mode = Mode::Single;
    run.base = None;
    for measurement in &mut run.measurements {
        if measurement.fate == Fate::New {
            measurement.fate = Fate::Measured;
        }
    }
    run
}

impl From<Run> for SourceRun {
    /// What a run file of ours tells of its head: for `compare A B` of two run files.
    fn from(run: Run) -> Self {
        let measurement = |measurement: Measurement| {
            let failure = match measurement.fate {
                Fate::Failed { message, .. } => Some(message),
                Fate::Missing | Fate::Ignored(_) => return None,
                _ => None,
            };
            let valid = measurement.blocks.into_iter().filter(|block| block.void.is_none());
            let slots = valid.flat_map(|block| block.slots).filter(|slot| slot.side == Side::Head);
            let processes: Vec<Vec<Sample>> = slots.map(|slot| slot.samples).collect();
            (!processes.is_empty() || failure.is_some()).then_some(SourceMeasurement {
                benchmark: measurement.benchmark,
                metric: measurement.metric,
                processes,
                failure,
            })
        };
        Self {
            tool: "tollgate",
            revision: run.head,
            environment: run.environment,
            measurements: run.measurements.into_iter().filter_map(measurement).collect(),
            names_are_commands: false,
            load: run.load,
            warnings: run.warnings,
        }
    }
}

/// The environment of values whose machine is not known: no factors, a key of zeros.
///
/// # Panics
/// Never: sixteen zeros are a key.
#[must_use]
pub fn unknown_environment() -> Environment {
    Environment {
        cpu: String::new(),
        cores: 0,
        memory_gib: 0,
        os: String::new(),
        kernel: String::new(),
        virtualisation: String::new(),
        rustc: String::new(),
        profile: String::new(),
        flags: String::new(),
        key: EnvironmentKey::parse("0000000000000000").expect("sixteen hexadecimal digits are a key"),
    }
}

/// A run in which nothing is measured yet, for values that were measured elsewhere: `day` is empty and the policy the
/// default one, both for the caller to set.
pub(super) fn one_look(base: Revision, head: Revision, environment: Environment) -> Run {
    Run {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        mode: Mode::OneLook,
        base: Some(base),
        head,
        environment,
        seed: 0,
        started_at: 0,
        duration_seconds: 0.0,
        budget_seconds: 0.0,
        interrupted: None,
        measurements: Vec::new(),
        load: Vec::new(),
        stress: Vec::new(),
        baselines: Vec::new(),
        policy: Policy::default(),
        day: String::new(),
        warnings: Vec::new(),
    }
}

/// Makes one run of the inputs of both sides, each side in time order. Mode is one-look, the policy the default one and
/// `day` empty: the caller sets both. Without inputs on a side, all of the other is new or missing.
#[must_use]
pub fn pair(base: Vec<SourceRun>, mut head: Vec<SourceRun>) -> Run {
    let mut base = base;
    let mut warnings = Vec::new();
    rename_commands(&mut base, &mut head, &mut warnings);
    let environment =
        head.first().or(base.first()).map_or_else(unknown_environment, |run| run.environment.clone());
    let mut run = one_look(revision(&base), revision(&head), environment);
    warnings.extend(shared_warnings(&base, &head));

    let several = base.len() > 1 || head.len() > 1;
    let mut found: BTreeMap<(Benchmark, String), Sides> = BTreeMap::new();
    for (side, inputs) in [(Side::Base, base), (Side::Head, head)] {
        for input in inputs {
            run.load.extend(input.load.iter().map(|block| heads_as(block, side)));
            for measurement in input.measurements {
                let key = (measurement.benchmark.clone(), measurement.metric.name.clone());
                found.entry(key).or_insert_with(|| Sides::new(&measurement)).add(side, measurement, several);
            }
        }
    }
    let sides: Vec<Sides> = found.into_values().collect();
    warnings.extend(order_warnings(&sides, several));
    run.measurements = sides.into_iter().map(|sides| sides.measurement(several)).collect();
    run.warnings = warnings;
    run
}

/// Head's trials of a block, as those of a side.
fn heads_as(block: &TrialBlock, side: Side) -> TrialBlock {
    let heads = block.trials.iter().filter(|trial| trial.side == Side::Head);
    let trials = heads.map(|trial| Trial { side, ..trial.clone() }).collect();
    TrialBlock { scenario: block.scenario.clone(), void: block.void.clone(), trials }
}

/// What both sides hold of one metric of one benchmark.
struct Sides {
    benchmark: Benchmark,
    metric: Metric,
    base: Vec<Slot>,
    head: Vec<Slot>,
    failure: Option<(Option<Side>, String)>,
}

impl Sides {
    fn new(measurement: &SourceMeasurement) -> Self {
        Self {
            benchmark: measurement.benchmark.clone(),
            metric: measurement.metric.clone(),
            base: Vec::new(),
            head: Vec::new(),
            failure: None,
        }
    }

    fn add(&mut self, side: Side, measurement: SourceMeasurement, several: bool) {
        if !alike(&self.metric, &measurement.metric) {
            let (first, other) = (described(&self.metric), described(&measurement.metric));
            let message = format!("measured in {first} in one input and in {other} in another");
            self.failure.get_or_insert((None, message));
            return;
        }
        if let Some(failure) = measurement.failure {
            self.failure.get_or_insert((Some(side), failure));
        }
        let slot = |samples| Slot { side, padding: 0, samples };
        let slots = if side == Side::Base { &mut self.base } else { &mut self.head };
        if several {
            let samples: Vec<Sample> = measurement.processes.into_iter().flatten().collect();
            slots.extend((!samples.is_empty()).then(|| slot(samples)));
        } else {
            slots.extend(measurement.processes.into_iter().map(slot));
        }
    }

    fn measurement(self, several: bool) -> Measurement {
        let fate = match (self.failure, self.base.is_empty(), self.head.is_empty()) {
            (Some((side, message)), ..) => Fate::Failed { side, message },
            (None, true, _) => Fate::New,
            (None, _, true) => Fate::Missing,
            (None, false, false) => Fate::Measured,
        };
        let blocks = if several { blocks(self.base, self.head) } else { one_block(self.base, self.head) };
        Measurement {
            benchmark: self.benchmark,
            metric: self.metric,
            fate,
            method: SlotMethod::Foreign,
            blocks,
        }
    }
}

/// Whether values of both mean the same: a ratio of microseconds to nanoseconds is no change.
fn alike(one: &Metric, other: &Metric) -> bool {
    (&one.unit, one.direction) == (&other.unit, other.direction)
}

/// `ms` (lower is better).
fn described(metric: &Metric) -> String {
    format!("`{}` ({} is better)", metric.unit, metric.direction.as_str())
}

/// All of base, then all of head.
fn one_block(base: Vec<Slot>, head: Vec<Slot>) -> Vec<Block> {
    let slots: Vec<Slot> = base.into_iter().chain(head).collect();
    if slots.is_empty() { Vec::new() } else { vec![Block { slots, void: None }] }
}

/// Rounds in turn, three a block and more in the last ones; what one side has more goes to the last block.
fn blocks(base: Vec<Slot>, head: Vec<Slot>) -> Vec<Block> {
    let rounds = base.len().min(head.len());
    let (mut base, mut head) = (base.into_iter(), head.into_iter());
    let count = (rounds / ROUNDS).max(1);
    let mut blocks: Vec<Block> = Vec::with_capacity(count);
    for at in 0..count {
        // The last blocks take one round more until none is left over.
        let size = rounds / count + usize::from(at >= count - rounds % count);
        let slots = (0..size).flat_map(|_| base.next().into_iter().chain(head.next()).collect::<Vec<_>>());
        blocks.push(Block { slots: slots.collect(), void: None });
    }
    if let Some(last) = blocks.last_mut() {
        last.slots.extend(base.chain(head));
    }
    blocks.retain(|block| !block.slots.is_empty());
    blocks
}

fn revision(inputs: &[SourceRun]) -> Revision {
    match inputs {
        [] => Revision { rev: None, tree: None, label: "nothing".to_owned() },
        [one] => one.revision.clone(),
        [first, rest @ ..] => {
            let same = rest.iter().all(|other| other.revision.rev == first.revision.rev);
            let rev = first.revision.rev.clone().filter(|_| same);
            let label = format!("{} and {} more", first.revision.label, rest.len());
            Revision { rev, tree: None, label }
        }
    }
}

/// Two inputs of one command each are compared although the commands differ: they name the two builds.
fn rename_commands(base: &mut [SourceRun], head: &mut [SourceRun], warnings: &mut Vec<Warning>) {
    let only = |inputs: &[SourceRun]| -> Option<Benchmark> {
        let first = inputs.first()?.measurements.first()?.benchmark.clone();
        let single = |input: &SourceRun| {
            input.names_are_commands && matches!(input.measurements.as_slice(), [m] if m.benchmark == first)
        };
        inputs.iter().all(single).then_some(first)
    };
    let (Some(old), Some(new)) = (only(base), only(head)) else { return };
    if old == new {
        return;
    }
    for input in base {
        for measurement in &mut input.measurements {
            measurement.benchmark = new.clone();
        }
    }
    warnings.push(Warning::new(
        "different_commands",
        format!("the command of base is `{}`; it is compared as `{}`", old.id, new.id),
    ));
}

/// Those of the inputs, each once, and those about what the sides do not share.
fn shared_warnings(base: &[SourceRun], head: &[SourceRun]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    for warning in base.iter().chain(head).flat_map(|input| &input.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    let mut inputs = base.iter().chain(head);
    let first = inputs.next().map(|input| &input.environment.key);
    if inputs.any(|input| Some(&input.environment.key) != first) {
        warnings.push(Warning::new(
            "different_environment",
            "the inputs were measured in different environments: a difference may be the machine's",
        ));
    }
    warnings
}

/// What the order of the values leaves open, said once for all benchmarks that are tested.
fn order_warnings(sides: &[Sides], several: bool) -> Vec<Warning> {
    let tested: Vec<&Sides> = sides
        .iter()
        .filter(|sides| {
            sides.metric.nature == Nature::Noisy && !sides.base.is_empty() && !sides.head.is_empty()
        })
        .collect();
    let mut warnings = Vec::new();
    let single = tested.iter().filter(|sides| sides.base.len() == 1 && sides.head.len() == 1).count();
    if single > 0 {
        warnings.push(Warning::new(
            "one_value",
            format!(
                "{single} of {} benchmarks have one value a side: they are shown, but can neither show nor rule out a \
                 change; give several inputs a side (at least three)",
                tested.len()
            ),
        ));
    }
    if single < tested.len() {
        warnings.push(match several {
            true => Warning::new(
                "not_dealt",
                "the inputs are taken as measured in turn (base, head, base, head, …) in the order given; nothing dealt \
                 their order at random, so a machine that drifts in step with it looks like a change",
            ),
            false => Warning::new(
                "not_interleaved",
                "all of base was measured before or after all of head: a machine that changed in between looks like a \
                 change of the code; measure in turn and give several inputs a side, or use `tollgate check`",
            ),
        });
    }
    if several && tested.iter().any(|sides| sides.base.len() != sides.head.len()) {
        warnings.push(Warning::new(
            "unequal_counts",
            "base and head have different numbers of inputs for some benchmarks; the surplus stands in the last block",
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::{SourceMeasurement, SourceRun, pair, single};
    use crate::model::{
        benchmark::{Benchmark, BenchmarkId},
        metric::{Direction, Metric, Nature},
        run::{Fate, Mode, Run, Sample, Side},
    };

    fn measured(id: &str, processes: &[f64]) -> SourceMeasurement {
        SourceMeasurement {
            benchmark: Benchmark::new("t", BenchmarkId::new(id).unwrap()),
            metric: Metric::time(),
            processes: processes.iter().map(|&total| vec![Sample { iterations: 1.0, total }]).collect(),
            failure: None,
        }
    }

    fn input(label: &str, measurements: Vec<SourceMeasurement>) -> SourceRun {
        SourceRun::foreign("tool", label, measurements)
    }

    /// Blocks as words of sides and values: `b1h2`.
    fn layout(run: &Run) -> Vec<String> {
        let block = |slots: &[crate::model::run::Slot]| {
            let slot = |slot: &crate::model::run::Slot| {
                let side = if slot.side == Side::Base { "b" } else { "h" };
                format!("{side}{}", slot.samples[0].total)
            };
            slots.iter().map(slot).collect::<String>()
        };
        run.measurements[0].blocks.iter().map(|found| block(&found.slots)).collect()
    }

    fn codes(run: &Run) -> Vec<&str> {
        run.warnings.iter().map(|warning| warning.code.as_str()).collect()
    }

    /// One input a value: base 1, 2, 3, …, head 1, 2, 3, …
    fn in_turn(base: u32, head: u32) -> Run {
        let inputs = |n: u32| (1..=n).map(|at| input("x", vec![measured("a", &[f64::from(at)])])).collect();
        pair(inputs(base), inputs(head))
    }

    #[test]
    fn one_input_a_side_is_one_block_of_processes_and_says_that_nothing_was_interleaved() {
        let run = pair(
            vec![input("old", vec![measured("a", &[1.0, 2.0])])],
            vec![input("new", vec![measured("a", &[3.0, 4.0, 5.0])])],
        );
        assert_eq!(layout(&run), ["b1b2h3h4h5"]);
        assert_eq!(codes(&run), ["not_interleaved"]);
        assert_eq!(
            (run.mode, run.base.unwrap().label, run.head.label),
            (Mode::OneLook, "old".into(), "new".into())
        );
    }

    #[test]
    fn several_inputs_a_side_are_rounds_in_blocks_of_three() {
        assert_eq!(layout(&in_turn(3, 3)), ["b1h1b2h2b3h3"]);
        assert_eq!(layout(&in_turn(6, 6)), ["b1h1b2h2b3h3", "b4h4b5h5b6h6"]);
        assert_eq!(layout(&in_turn(7, 7)), ["b1h1b2h2b3h3", "b4h4b5h5b6h6b7h7"]);
        assert_eq!(layout(&in_turn(2, 2)), ["b1h1b2h2"]);
        assert_eq!(codes(&in_turn(6, 6)), ["not_dealt"]);
    }

    #[test]
    fn what_one_side_has_more_comes_last() {
        assert_eq!(layout(&in_turn(5, 3)), ["b1h1b2h2b3h3b4b5"]);
        assert_eq!(codes(&in_turn(5, 3)), ["not_dealt", "unequal_counts"]);
        assert_eq!(layout(&in_turn(2, 0)), ["b1b2"]);
        assert_eq!(in_turn(2, 0).measurements[0].fate, Fate::Missing);
        assert_eq!(in_turn(0, 1).measurements[0].fate, Fate::New);
    }

    #[test]
    fn processes_of_one_of_several_sittings_are_its_samples() {
        let sitting = |values: &[f64]| input("x", vec![measured("a", values)]);
        let run =
            pair(vec![sitting(&[1.0, 2.0]), sitting(&[3.0])], vec![sitting(&[4.0]), sitting(&[5.0, 6.0])]);
        let samples: Vec<usize> =
            run.measurements[0].blocks[0].slots.iter().map(|slot| slot.samples.len()).collect();
        assert_eq!(samples, [2, 1, 1, 2]);
    }

    #[test]
    fn a_single_value_is_said_to_show_nothing() {
        assert_eq!(codes(&in_turn(1, 1)), ["one_value"]);
        assert_eq!(layout(&in_turn(1, 1)), ["b1h1"]);
    }

    #[test]
    fn a_failure_on_either_side_is_kept_with_its_side() {
        let mut broken = measured("a", &[]);
        broken.failure = Some("exited with code 1".into());
        let run = pair(vec![input("x", vec![measured("a", &[1.0])])], vec![input("y", vec![broken])]);
        let expected = Fate::Failed { side: Some(Side::Head), message: "exited with code 1".into() };
        assert_eq!(run.measurements[0].fate, expected);
    }

    #[test]
    fn a_metric_of_another_unit_or_direction_is_refused_and_not_taken_for_a_change() {
        let alien = |change: fn(&mut Metric)| {
            let mut other = measured("a", &[1.0]);
            change(&mut other.metric);
            let run = pair(vec![input("x", vec![measured("a", &[1.0])])], vec![input("y", vec![other])]);
            match &run.measurements[0].fate {
                Fate::Failed { side: None, message } => message.clone(),
                fate => panic!("{fate:?}"),
            }
        };
        let message = alien(|metric| metric.unit = "ms".into());
        let expected =
            "measured in `ns` (lower is better) in one input and in `ms` (lower is better) in another";
        assert_eq!(message, expected);
        assert!(alien(|metric| metric.direction = Direction::Higher).contains("`ns` (higher is better)"));
        // Its nature is how it is judged, not what it means: an older file may know it otherwise
        let mut counted = measured("a", &[1.0]);
        counted.metric.nature = Nature::Deterministic;
        let run = pair(vec![input("x", vec![measured("a", &[1.0])])], vec![input("y", vec![counted])]);
        assert_eq!(run.measurements[0].fate, Fate::Measured);
    }

    #[test]
    fn two_commands_are_compared_though_their_names_differ() {
        let command =
            |id: &str| SourceRun { names_are_commands: true, ..input(id, vec![measured(id, &[1.0, 2.0])]) };
        let run = pair(vec![command("./old")], vec![command("./new")]);
        assert_eq!(run.measurements.len(), 1);
        assert_eq!(run.measurements[0].benchmark.id.as_str(), "./new");
        assert_eq!(codes(&run), ["different_commands", "not_interleaved"]);
        let run = pair(
            vec![input("x", vec![measured("a", &[1.0])])],
            vec![input("y", vec![measured("b", &[1.0])])],
        );
        assert_eq!(run.measurements.len(), 2);
    }

    #[test]
    fn inputs_of_one_revision_are_slots_of_one_run() {
        let inputs = (1..=3).map(|at| input("x", vec![measured("a", &[f64::from(at)])])).collect();
        let run = single(inputs);
        assert_eq!((run.mode, &run.base, &run.measurements[0].fate), (Mode::Single, &None, &Fate::Measured));
        assert_eq!(layout(&run), ["h1h2h3"]);
        assert_eq!(codes(&run), Vec::<&str>::new());
    }

    #[test]
    fn the_head_of_a_run_of_ours_is_an_input() {
        let run = in_turn(3, 3);
        let source = SourceRun::from(run.clone());
        assert_eq!(source.environment, run.environment);
        let values: Vec<f64> =
            source.measurements[0].processes.iter().map(|samples| samples[0].total).collect();
        assert_eq!(values, [1.0, 2.0, 3.0]);
        let paired = pair(vec![source.clone()], vec![source]);
        assert_eq!(layout(&paired), ["b1b2b3h1h2h3"]);
        assert!(codes(&paired).contains(&"not_interleaved"));
    }
}
