//! Decides what is measured next.

use std::{cmp::Ordering, collections::BTreeMap};

use super::{
    standing::Standing,
    tally::{Item, Tally, positive},
};
use crate::{
    model::policy::FamilyMethod,
    stats::{
        multiplicity::{benjamini_hochberg, holm},
        sequential::LOOK_ROUNDS,
    },
};

/// Rounds in a block.
pub const ROUNDS_PER_BLOCK: u32 = 3;

/// What bounds the work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Seconds of measuring that may be spent; infinite when nothing bounds them.
    pub budget_seconds: f64,
    /// The share of false regressions that this family may have.
    pub false_discovery_rate: f64,
    /// How the family shares it.
    pub family: FamilyMethod,
}

/// One block of each of several benchmarks of one target, measured in lockstep by the same six processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPlan {
    /// The bench target.
    pub target: String,
    /// Indices of its items, ascending; not empty.
    pub benchmarks: Vec<usize>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Measure a block of each of these.
    Block(BlockPlan),
    /// Everything is decided, or nothing that is not would end within the budget.
    Done,
}

/// Decides what is measured next. Fed by [`Planner::record`] and [`Planner::fail`]; asked by [`Planner::next`].
#[derive(Debug, Clone)]
pub struct Planner {
    settings: Settings,
    states: Vec<State>,
    /// Seconds that a block of a target costs whatever it measures: spawning.
    overhead: BTreeMap<String, f64>,
}

#[derive(Debug, Clone)]
struct State {
    item: Item,
    blocks: u32,
    standing: Option<Standing>,
    failed: bool,
    /// The family rejects it, in either direction. Never withdrawn: sequential p only fall.
    rejected: bool,
}

/// Why a benchmark is measured; in the order of priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// It has no block yet.
    First,
    /// It is between two looks: the blocks since the last one count for nothing until the next is reached.
    Begun,
    /// It looks slower.
    Suspect,
    /// It is neither shown to be no worse nor suspect.
    Undecided,
}

/// A benchmark that could be measured, with its place in the queue.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    index: usize,
    claim: Claim,
    /// Smaller goes first among equal claims.
    order: (f64, f64),
}

impl Planner {
    /// A planner over these items, none of them measured. What a broken-off check measured is given by [`Planner::record`].
    #[must_use]
    pub fn new(settings: Settings, items: Vec<Item>) -> Self {
        let states = items.into_iter().map(State::new).collect();
        Self { settings, states, overhead: BTreeMap::new() }
    }

    /// Tells what a block of a target costs whatever it measures (spawning its six processes), seconds.
    pub fn set_target_overhead(&mut self, target: &str, seconds: f64) {
        self.overhead.insert(target.to_owned(), positive(seconds));
    }

    /// What to measure next, `elapsed_seconds` of measuring after the start: nothing that cannot end within the budget.
    ///
    /// Work is granted to the next look or not at all, since blocks beyond the last complete look enter no test. Benchmarks of
    /// one target ride together, but a lower claim only on what no higher one can still need.
    pub fn next(&mut self, elapsed_seconds: f64) -> Next {
        let admitted = self.admit(self.settings.budget_seconds - elapsed_seconds);
        let Some(first) = admitted.first() else { return Next::Done };
        let target = &self.states[first.index].item.benchmark.target;
        let mut benchmarks: Vec<usize> = admitted
            .iter()
            .filter(|candidate| self.states[candidate.index].item.benchmark.target == *target)
            .filter(|candidate| (candidate.claim == Claim::First) == (first.claim == Claim::First))
            .map(|candidate| candidate.index)
            .collect();
        benchmarks.sort_unstable();
        Next::Block(BlockPlan { target: target.clone(), benchmarks })
    }

    /// Takes in what was measured of an item: its valid blocks so far, where it stands when that is a look, and what its last
    /// block took (ignored unless positive). A void block is recorded with the count it left unchanged.
    pub fn record(&mut self, index: usize, blocks: u32, standing: Option<Standing>, block_seconds: f64) {
        let Some(state) = self.states.get_mut(index) else { return };
        state.blocks = blocks;
        if block_seconds.is_finite() && block_seconds > 0.0 {
            state.item.block_seconds = block_seconds;
        }
        let Some(standing) = standing else { return };
        state.standing = Some(standing);
        // The correction rejects only what is below its level unadjusted, so no other p can change what it rejects
        let level = self.settings.false_discovery_rate;
        if standing.p_value.min(standing.improved_p_value) <= level {
            self.reject();
        }
    }

    /// The item could not be measured: it will not be planned again.
    pub fn fail(&mut self, index: usize) {
        if let Some(state) = self.states.get_mut(index) {
            state.failed = true;
        }
    }

    /// Items that need no more blocks: decided, measured to the last look, or failed.
    #[must_use]
    pub fn decided(&self) -> usize {
        self.states.iter().filter(|state| state.is_settled()).count()
    }

    /// Items without a single valid block that did not fail: the budget did not reach them.
    #[must_use]
    pub fn unmeasured(&self) -> Vec<usize> {
        (0..self.states.len()).filter(|i| self.states[*i].blocks == 0 && !self.states[*i].failed).collect()
    }

    /// A guess at the seconds of measuring left: every undecided item to its next look and at least to 12 rounds, where most
    /// are decided; never more than what is left of the budget.
    #[must_use]
    pub fn remaining_seconds(&self, elapsed_seconds: f64) -> f64 {
        let mut tally = Tally::new(&self.overhead, f64::INFINITY);
        for state in self.states.iter().filter(|state| !state.is_settled()) {
            let goal = state.next_look().max(12) / ROUNDS_PER_BLOCK;
            tally.spend(&state.item, goal - state.blocks);
        }
        tally.spent.min((self.settings.budget_seconds - elapsed_seconds).max(0.0))
    }

    /// The rounds at which an item is looked at next; the last look's once that is reached.
    #[must_use]
    pub fn next_look(&self, index: usize) -> u32 {
        self.states.get(index).map_or(LOOK_ROUNDS[LOOK_ROUNDS.len() - 1], State::next_look)
    }

    /// The candidates whose work fits into `left` seconds beside all that goes before it.
    fn admit(&self, left: f64) -> Vec<Candidate> {
        let mut tally = Tally::new(&self.overhead, left);
        let mut admitted = Vec::new();
        for candidate in self.queue() {
            let state = &self.states[candidate.index];
            if tally.fits(&state.item, state.step(candidate.claim)) {
                // A suspect may need every look, so others get only what that leaves
                let reserved = if state.is_suspect() { state.blocks_left() } else { 0 };
                tally.spend(&state.item, reserved.max(state.step(candidate.claim)));
                admitted.push(candidate);
            }
        }
        admitted
    }

    /// Everything that is not settled, most urgent first.
    fn queue(&self) -> Vec<Candidate> {
        let open = self.states.iter().enumerate().filter(|(_, state)| !state.is_settled());
        let mut queue: Vec<Candidate> = open.map(|(index, state)| state.candidate(index)).collect();
        queue.sort_by(Candidate::compare);
        queue
    }

    /// Applies the family's correction to where every item stands; one without a look counts with p = 1.
    fn reject(&mut self) {
        let level = self.settings.false_discovery_rate;
        let adjust = match self.settings.family {
            FamilyMethod::FalseDiscovery => benjamini_hochberg,
            FamilyMethod::Strict => holm,
        };
        let adjusted = |p: fn(&Standing) -> f64| {
            adjust(&self.states.iter().map(|s| s.standing.as_ref().map_or(1.0, p)).collect::<Vec<_>>())
        };
        let worse = adjusted(|standing| standing.p_value);
        let improved = adjusted(|standing| standing.improved_p_value);
        for (state, (worse, improved)) in self.states.iter_mut().zip(worse.into_iter().zip(improved)) {
            state.rejected |= worse <= level || improved <= level;
        }
    }
}

impl State {
    fn new(mut item: Item) -> Self {
        item.block_seconds = positive(item.block_seconds);
        Self { item, blocks: 0, standing: None, failed: false, rejected: false }
    }

    fn rounds(&self) -> u32 {
        self.blocks.saturating_mul(ROUNDS_PER_BLOCK)
    }

    fn next_look(&self) -> u32 {
        let rounds = self.rounds();
        let last = LOOK_ROUNDS[LOOK_ROUNDS.len() - 1];
        LOOK_ROUNDS.into_iter().find(|look| *look > rounds).unwrap_or(last)
    }

    fn blocks_left(&self) -> u32 {
        (LOOK_ROUNDS[LOOK_ROUNDS.len() - 1] / ROUNDS_PER_BLOCK).saturating_sub(self.blocks)
    }

    /// Blocks that must be granted together.
    fn step(&self, claim: Claim) -> u32 {
        match claim {
            Claim::First => 1,
            _ => (self.next_look() / ROUNDS_PER_BLOCK).saturating_sub(self.blocks),
        }
    }

    fn is_settled(&self) -> bool {
        let shown = self.standing.is_some_and(|s| s.is_no_worse() && !s.looks_improved());
        self.failed || self.rejected || shown || self.blocks_left() == 0
    }

    /// At its last look, be it between two looks now.
    fn is_suspect(&self) -> bool {
        self.standing.is_some_and(|standing| standing.is_suspect())
    }

    fn candidate(&self, index: usize) -> Candidate {
        let at_look = self.standing.filter(|standing| standing.rounds == self.rounds());
        let (claim, order) = match at_look {
            _ if self.blocks == 0 => (Claim::First, (0.0, 0.0)),
            Some(standing) if standing.is_suspect() => {
                (Claim::Suspect, (standing.p_value, standing.p_at_look))
            }
            Some(standing) => (Claim::Undecided, (standing.no_worse_ratio, f64::from(standing.rounds))),
            None => (Claim::Begun, (0.0, 0.0)),
        };
        Candidate { index, claim, order }
    }
}

impl Candidate {
    fn compare(&self, other: &Self) -> Ordering {
        let orders = self.order.0.total_cmp(&other.order.0).then(self.order.1.total_cmp(&other.order.1));
        self.claim.cmp(&other.claim).then(orders).then(self.index.cmp(&other.index))
    }
}
