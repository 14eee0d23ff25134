//! Trials on slots whose truth is known: labels dealt afresh, a change injected into head, and the whole sequential procedure run on them.
//!
//! The procedure is written here once more, from the published rules and the functions of `stats` alone, so that it judges them and not the
//! code that uses them. `bench/figures.rs` runs the same code on larger recordings.

use tollgate::stats::{
    multiplicity::benjamini_hochberg,
    random::Stream,
    randomisation::{DealtBlocks, estimate, greater, less},
    sequential::{FUTILITY, LOOK_ROUNDS, MEDIAN_NO_WORSE_FACTOR, NO_WORSE_LEVELS, WEIGHTS, combine},
};

/// Slots of a block.
const BLOCK: usize = 6;

/// ln of the two statistics of one process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) fast: f64,
    pub(crate) median: f64,
}

/// One benchmark of a trial; without a median the fastest fifth carries the whole error rate.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    pub(crate) fast: DealtBlocks,
    pub(crate) median: Option<DealtBlocks>,
}

/// Deals three of every six neighbours to head, whose values get `change` added; an incomplete last block is left out.
pub(crate) fn deal(values: &[f64], change: f64, stream: &mut Stream) -> DealtBlocks {
    let deals: Vec<[bool; BLOCK]> = values.chunks_exact(BLOCK).map(|_| labels(stream)).collect();
    dealt(values, &deals, change)
}

/// The same for both statistics of a slot at once, with a change of each.
pub(crate) fn deal_slots(slots: &[Slot], change: Slot, stream: &mut Stream) -> Trial {
    let deals: Vec<[bool; BLOCK]> = slots.chunks_exact(BLOCK).map(|_| labels(stream)).collect();
    let of =
        |value: fn(&Slot) -> f64| dealt(&slots.iter().map(value).collect::<Vec<_>>(), &deals, value(&change));
    Trial { fast: of(|slot| slot.fast), median: Some(of(|slot| slot.median)) }
}

fn labels(stream: &mut Stream) -> [bool; BLOCK] {
    let mut head = [false, false, false, true, true, true];
    stream.shuffle(&mut head);
    head
}

fn dealt(values: &[f64], deals: &[[bool; BLOCK]], change: f64) -> DealtBlocks {
    let block = |(values, labels): (&[f64], &[bool; BLOCK])| {
        let slot = |(value, head): (&f64, &bool)| (*head, if *head { value + change } else { *value });
        values.iter().zip(labels).map(slot).collect()
    };
    let blocks: Vec<_> = values.chunks_exact(BLOCK).zip(deals).map(block).collect();
    DealtBlocks::new(&blocks).expect("finite values, three slots a side")
}

/// A window of `length` values at a random place.
pub(crate) fn window<'a, T>(series: &'a [T], length: usize, stream: &mut Stream) -> &'a [T] {
    let start = stream.place(series.len() - length + 1);
    &series[start..start + length]
}

/// When a benchmark is no longer measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// When it is decided.
    Decided,
    /// When its p is above the futility bound, decided or not.
    Futile,
}

/// The rules of a check.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) margin: f64,
    pub(crate) q: f64,
    pub(crate) stop: Stop,
    /// Tests of the family, of which those that are not simulated have p = 1.
    pub(crate) family: usize,
}

/// How a benchmark ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Regressed,
    Improved,
    NoWorse,
    Undecided,
}

struct Progress<'a> {
    trial: &'a Trial,
    slower: f64,
    faster: f64,
    rounds: u32,
    ending: Option<Ending>,
}

/// Runs a check on a family and tells how each benchmark ended and after how many rounds.
pub(crate) fn check(family: &[Trial], rules: Rules) -> Vec<(Ending, u32)> {
    let start = |trial| Progress { trial, slower: 1.0, faster: 1.0, rounds: 0, ending: None };
    let mut benchmarks: Vec<Progress<'_>> = family.iter().map(start).collect();
    for look in 0..LOOK_ROUNDS.len() {
        let passed: Vec<Passed> =
            benchmarks.iter_mut().map(|benchmark| benchmark.look(look, rules)).collect();
        let slower = rejected(benchmarks.iter().map(|benchmark| benchmark.slower), rules);
        let faster = rejected(benchmarks.iter().map(|benchmark| benchmark.faster), rules);
        for (place, benchmark) in benchmarks.iter_mut().enumerate() {
            // A regression outranks whatever was decided before: the family's other tests may have made room for it.
            benchmark.ending = match benchmark.ending {
                _ if slower[place] => Some(Ending::Regressed),
                Some(ending) => Some(ending),
                None if faster[place] => Some(Ending::Improved),
                None => passed[place].ending(),
            };
        }
    }
    benchmarks
        .iter()
        .map(|benchmark| (benchmark.ending.unwrap_or(Ending::Undecided), benchmark.rounds))
        .collect()
}

/// What a look showed besides the sequential p.
#[derive(Debug, Clone, Copy, Default)]
struct Passed {
    no_worse: bool,
    looks_improved: bool,
    futile: bool,
}

impl Passed {
    fn ending(self) -> Option<Ending> {
        match self {
            Self { no_worse: true, looks_improved: false, .. } => Some(Ending::NoWorse),
            Self { futile: true, .. } => Some(Ending::Undecided),
            _ => None,
        }
    }
}

impl Progress<'_> {
    fn look(&mut self, look: usize, rules: Rules) -> Passed {
        if self.ending.is_some() {
            return Passed::default();
        }
        let rounds = LOOK_ROUNDS[look];
        self.rounds = rounds;
        let bound = rules.margin.ln_1p();
        let [slower, faster] = [1.0, -1.0].map(|direction| self.p_at(rounds, direction, bound));
        if WEIGHTS[look] > 0.0 {
            self.slower = self.slower.min(slower.at_margin / WEIGHTS[look]);
            self.faster = self.faster.min(faster.at_margin / WEIGHTS[look]);
        }
        let blocks = rounds as usize / 3;
        let no_worse = |side: &DealtBlocks, level: f64| less(&side.prefix(blocks), bound) <= level;
        let level = NO_WORSE_LEVELS[look];
        let futility = FUTILITY.get(look).copied().unwrap_or(0.0);
        Passed {
            no_worse: rules.stop == Stop::Decided
                && no_worse(&self.trial.fast, level)
                && self
                    .trial
                    .median
                    .as_ref()
                    .is_none_or(|median| no_worse(median, MEDIAN_NO_WORSE_FACTOR * level)),
            looks_improved: faster.at_margin <= futility,
            futile: rules.stop == Stop::Futile && slower.plain > futility,
        }
    }

    /// The p of one direction at a look; at the margin it is 1 for a statistic whose estimate is short of the margin.
    fn p_at(&self, rounds: u32, direction: f64, bound: f64) -> Direction {
        let one = |side: &DealtBlocks| {
            let side = side.prefix(rounds as usize / 3);
            let p = if direction > 0.0 { greater(&side, 0.0) } else { less(&side, 0.0) };
            (p, if direction * estimate(&side) >= bound { p } else { 1.0 })
        };
        let fast = one(&self.trial.fast);
        match self.trial.median.as_ref().map(one) {
            None => Direction { plain: fast.0, at_margin: fast.1 },
            Some(median) => {
                Direction { plain: combine(fast.0, median.0), at_margin: combine(fast.1, median.1) }
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Direction {
    plain: f64,
    at_margin: f64,
}

fn rejected(p: impl Iterator<Item = f64>, rules: Rules) -> Vec<bool> {
    let mut p: Vec<f64> = p.collect();
    p.resize(p.len().max(rules.family), 1.0);
    benjamini_hochberg(&p).into_iter().map(|adjusted| adjusted <= rules.q).collect()
}
