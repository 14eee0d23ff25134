//! Where a benchmark stands at a look: all that the planner needs to know of its tests.

use crate::stats::sequential::{FUTILITY, LOOK_ROUNDS};

/// Where a benchmark stands at a look; made by `judge::paired::standing`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The rounds of the look: one of the planned ones.
    pub rounds: u32,
    /// Sequential p of "head is worse" over the looks so far, at most 1.
    pub p_value: f64,
    /// p of "head is worse" at this look alone; 1 when the estimate is within the margin.
    pub p_at_look: f64,
    /// Sequential p of "head is better" over the looks so far, at most 1.
    pub improved_p_value: f64,
    /// p of "head is better" at this look alone; 1 when the estimate is within the margin.
    pub improved_p_at_look: f64,
    /// p of "worse by the margin or more" over the level of this look: at most 1 when it is shown to be no worse.
    pub no_worse_ratio: f64,
}

impl Standing {
    /// Whether it is shown to be no worse than its margin at this look.
    #[must_use]
    pub fn is_no_worse(&self) -> bool {
        self.no_worse_ratio <= 1.0
    }

    /// Whether it looks slower by more than its margin, so that more rounds may show it.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.p_at_look <= self.futility()
    }

    /// Whether it looks faster by more than its margin, so that more rounds may show it.
    #[must_use]
    pub fn looks_improved(&self) -> bool {
        self.improved_p_at_look <= self.futility()
    }

    /// The p at this look above which more rounds will hardly show anything; 0 at the last look.
    fn futility(&self) -> f64 {
        let look = LOOK_ROUNDS.iter().position(|rounds| *rounds == self.rounds);
        look.and_then(|look| FUTILITY.get(look)).copied().unwrap_or(0.0)
    }
}
