//! The rates that services bear, where a scenario judges its `knee`: about where once a check, then near it in each slot.

use std::collections::BTreeMap;

use super::metrics::wants_knee;
use crate::{
    load::{
        modes::{
            knee::{self, Trouble},
            prober::Hands,
        },
        scenario::Scenario,
    },
    model::load::{Aim, Trial},
    stats::random::Stream,
};

/// With what the reason of a slot begins that is void for its search.
const SEARCHING: &str = "searching for the knee, ";
/// So many slots may be void for the search of a scenario, until its knee is given up.
const MOST_VOIDS: u32 = 3;

/// What is known of the knees of a check's scenarios.
#[derive(Debug)]
pub(super) struct Knees {
    /// What a rate must hold.
    aim: Aim,
    seed: u64,
    /// About where each is; `None` where the generator gave out first.
    near: BTreeMap<String, Option<f64>>,
    /// Slots of each that are void for its search.
    voids: BTreeMap<String, u32>,
}

impl Knees {
    pub(super) fn new(aim: Aim, seed: u64) -> Self {
        Self { aim, seed, near: BTreeMap::new(), voids: BTreeMap::new() }
    }

    /// Whether a service of a scenario is to be surveyed before its first slot.
    pub(super) fn is_unknown(&self, scenario: &Scenario) -> bool {
        wants_knee(scenario) && !self.near.contains_key(&scenario.name)
    }

    /// Finds out about where the knee of a scenario is, on a service of its own: what begins all searches is the same for both sides.
    pub(super) fn survey(&self, scenario: &Scenario, hands: Hands<'_>) -> Result<f64, Trouble> {
        knee::survey(scenario, &self.aim, hands)
    }

    /// Takes what a survey found; `None` where the generator gave out first: then there is no knee, whatever the service bears.
    pub(super) fn keep(&mut self, scenario: &Scenario, near: Option<f64>) {
        self.near.insert(scenario.name.clone(), near);
    }

    /// Gives up the knee of a scenario of which too many slots were void for it: its other metrics go on.
    pub(super) fn look_at(&mut self, trial: &Trial) {
        if !trial.void.as_ref().is_some_and(|void| void.starts_with(SEARCHING)) {
            return;
        }
        let voids = self.voids.entry(trial.scenario.clone()).or_default();
        *voids += 1;
        if *voids >= MOST_VOIDS {
            self.near.insert(trial.scenario.clone(), None);
        }
    }

    /// Adds the knee of a slot's service to its trial, where the scenario wants it. A generator that is late in it voids the slot.
    pub(super) fn add(
        &self,
        scenario: &Scenario,
        padding: u32,
        trial: &mut Trial,
        hands: Hands<'_>,
    ) -> Result<(), Trouble> {
        let Some(near) = self.near.get(&scenario.name).copied().flatten() else { return Ok(()) };
        if trial.void.is_some() {
            return Ok(());
        }
        // The padding is drawn anew for each slot, and tells nothing of its side.
        let draw = Stream::new(self.seed, "knee", &[&scenario.name], u64::from(padding)).unit();
        match knee::knee(scenario, &self.aim, (near, draw), hands) {
            Ok(knee) => trial.knee = Some(knee),
            Err(Trouble::Generator(why)) => trial.void = Some(format!("{SEARCHING}{why}")),
            Err(trouble) => return Err(trouble),
        }
        Ok(())
    }
}
