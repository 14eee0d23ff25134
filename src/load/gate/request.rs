//! What is asked of measuring load benchmarks, and what comes back.

use std::time::Duration;

use crate::{
    judge::policy::Limits,
    load::scenario::Scenario,
    model::{
        benchmark::Benchmark,
        metric::Metric,
        policy::FamilyMethod,
        run::{Fate, Measurement, Side, TrialBlock, Warning},
    },
};

/// What is to be measured.
pub struct Request<'a> {
    /// The scenarios.
    pub scenarios: &'a [Scenario],
    /// Why a benchmark is left out by filter or rule.
    pub left_out: &'a dyn Fn(&Benchmark) -> Option<String>,
    /// What the policy says of a metric of a benchmark.
    pub limits: &'a dyn Fn(&Benchmark, &Metric) -> Limits,
    /// The seed of all deals and arrivals.
    pub seed: u64,
    /// What measuring may take.
    pub budget: Duration,
    /// The share of false regressions that the family may have.
    pub false_discovery_rate: f64,
    /// How the family shares it.
    pub family: FamilyMethod,
    /// The share of a block that the machine may take away before the block is void; infinite to void none.
    pub void_share: f64,
    /// What an earlier run of the same request measured, and its trials: it is gone on from.
    pub previous: (&'a [Measurement], &'a [TrialBlock]),
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measured {
    /// Every metric of every scenario, sorted.
    pub measurements: Vec<Measurement>,
    /// The trials behind them, in time order.
    pub trials: Vec<TrialBlock>,
    /// What the reader should know.
    pub warnings: Vec<Warning>,
    /// Why measuring ended before everything was decided: `interrupted by SIGINT`.
    pub interrupted: Option<String>,
    /// The measuring time that was spent.
    pub spent: Duration,
}

/// Why a slot has no trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The server or the load failed: what happened, ending with the end of the server's log.
    Failed(String),
    /// The user wants us to stop; the name of the signal.
    Interrupted(&'static str),
}

impl Trouble {
    /// The same with what was being done before the message.
    pub(super) fn while_doing(self, doing: &str) -> Self {
        match self {
            Self::Failed(message) => Self::Failed(format!("{doing}{message}")),
            stop @ Self::Interrupted(_) => stop,
        }
    }
}

/// Takes what was measured so far, so that it outlives us.
pub type Keep<'a> = &'a mut dyn FnMut(&[Measurement], &[TrialBlock]);

/// The fate of a benchmark that failed on a side.
pub(super) fn failed(side: Option<Side>, message: impl Into<String>) -> Fate {
    Fate::Failed { side, message: message.into() }
}
