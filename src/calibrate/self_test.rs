//! What a recording says of the machine, and whether the gate can see here what it must.

use crate::{
    calibrate::{
        floor::{BENCHMARKS, Check, DEFAULT_BUDGET_SECONDS, Floor},
        injected::{Detection, detections},
        kernel::Kernel,
        null::NullRates,
        recorder::Recording,
        series::Series,
    },
    machine::advice::{Slots, Unseen},
    model::policy::Policy,
    plan::looks::ROUNDS_PER_BLOCK,
    stats::proportion::lower_bound,
};

/// A margin is advised in steps of this, relative.
const MARGIN_STEP: f64 = 0.005;

const DEFAULT: Check = Check { budget_seconds: DEFAULT_BUDGET_SECONDS, benchmarks: BENCHMARKS[0] };

/// The conclusions of a self-test.
#[derive(Debug, Clone)]
pub struct SelfTest {
    /// What was measured.
    pub recording: Recording,
    /// The A/A series; `None` when no block of them counts.
    pub null: Option<NullRates>,
    /// The injected slowdowns, the smallest first.
    pub injected: Vec<Detection>,
    /// The smallest visible change; `None` when no scatter could be told.
    pub floor: Option<Floor>,
}

/// Whether the gate can see here what it must.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// In more than half of the kernels a slowdown of `policy.must_rule_out` shows within the default budget, and it was found
    /// where it was injected.
    Clear,
    /// In so many kernels it would not show: in more than `policy.max_blind` of them.
    Blind(Vec<Kernel>),
    /// The machine was taken away from more than half of the blocks, and what is left shows too little.
    Taken {
        /// Thrown away.
        voided: usize,
        /// All blocks.
        blocks: usize,
    },
    /// It should show by the scatter, but was found in only `found` of `series` cases in which it was injected.
    Missed {
        /// Found.
        found: u64,
        /// Injected.
        series: u64,
    },
    /// A/A series alarmed more often than chance allows: with the promised rate so many have a chance below 1 in 1,000.
    Alarming {
        /// False alarms.
        alarms: u64,
        /// A/A verdicts.
        verdicts: u64,
    },
    /// Too little was measured to tell.
    Unknown,
}

impl SelfTest {
    /// Draws the conclusions.
    #[must_use]
    pub fn new(recording: Recording, seed: u64) -> Self {
        let null = NullRates::of(&recording.series, seed);
        let injected = detections(&recording.series);
        let floor = recording.round_seconds.and_then(|seconds| Floor::of(&recording.series, seconds));
        Self { recording, null, injected, floor }
    }

    /// Blocks that the machine was taken away from, and all blocks.
    #[must_use]
    pub fn voided_blocks(&self) -> (usize, usize) {
        let voided: usize = self.recording.series.iter().map(Series::voided).sum();
        let rounds: usize = self.recording.series.iter().map(|series| series.rounds() as usize).sum();
        (voided, voided + rounds / ROUNDS_PER_BLOCK as usize)
    }

    /// What advice on the machine needs to know of the slots.
    #[must_use]
    pub fn slots(&self) -> Slots {
        let worst = self.floor.as_ref().and_then(Floor::worst_scatter);
        Slots {
            worst_scatter: worst.map(|(_, scatter)| scatter),
            voided: self.voided_blocks(),
            unseen: self.floor.as_ref().and_then(unseen),
        }
    }

    /// Whether the gate can see here what it must.
    #[must_use]
    pub fn sight(&self) -> Sight {
        let (voided, blocks) = self.voided_blocks();
        match self.sight_by_values() {
            // Whatever else is wrong follows from that
            Sight::Blind(_) | Sight::Missed { .. } | Sight::Unknown if 2 * voided > blocks => {
                Sight::Taken { voided, blocks }
            }
            sight => sight,
        }
    }

    fn sight_by_values(&self) -> Sight {
        let (Some(null), Some(floor)) = (&self.null, &self.floor) else { return Sight::Unknown };
        let blind = blind_kernels(floor);
        let share = blind.len() as f64 / floor.scatter.len() as f64;
        if share > Policy::default().max_blind {
            return Sight::Blind(blind);
        }
        let alarms = null.false_alarms;
        if lower_bound(alarms.hits, alarms.cases, 1e-3) > null.promised {
            return Sight::Alarming { alarms: alarms.hits, verdicts: alarms.cases };
        }
        let injected = self.injected.iter().find(|detection| is_must_rule_out(detection.injected_percent));
        match injected {
            Some(detection) if 2 * detection.found < detection.series => {
                Sight::Missed { found: detection.found, series: detection.series }
            }
            Some(_) => Sight::Clear,
            None => Sight::Unknown,
        }
    }
}

/// The kernels in which a slowdown of the default margin does not show within the default budget, and what would help the worst.
fn unseen(floor: &Floor) -> Option<Unseen> {
    let margin = Policy::default().margin;
    let unseen = |scatter: f64| floor.smallest(scatter, DEFAULT).is_none_or(|smallest| smallest > margin);
    let kernels: Vec<String> = floor
        .scatter
        .iter()
        .filter(|(_, s)| unseen(*s))
        .map(|(kernel, _)| kernel.name().to_owned())
        .collect();
    let (_, scatter) = floor.worst_scatter().filter(|_| !kernels.is_empty())?;
    let smallest = floor.smallest(scatter, DEFAULT);
    Some(Unseen {
        kernels,
        scatter,
        margin: smallest.map(|smallest| (smallest / MARGIN_STEP).ceil() * MARGIN_STEP),
        budget_seconds: floor.budget_for(scatter, DEFAULT.benchmarks, margin),
    })
}

/// The kernels in which a slowdown of `policy.must_rule_out` does not show within the default budget.
fn blind_kernels(floor: &Floor) -> Vec<Kernel> {
    let check = Check { budget_seconds: DEFAULT_BUDGET_SECONDS, benchmarks: BENCHMARKS[0] };
    let sees = |scatter: f64| {
        floor.gated(scatter, check).is_some_and(|found| found <= Policy::default().must_rule_out)
    };
    floor.scatter.iter().filter(|(_, scatter)| !sees(*scatter)).map(|(kernel, _)| *kernel).collect()
}

fn is_must_rule_out(percent: u32) -> bool {
    (f64::from(percent) / 100.0 - Policy::default().must_rule_out).abs() < 1e-9
}
