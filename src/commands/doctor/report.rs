//! What came of an examination, and the outcome that follows from it.

use std::path::PathBuf;

use crate::{
    calibrate::{SelfTest, self_test::Sight},
    commands::doctor::{json, text},
    format::doctor_v1,
    machine::{
        advice::Advice,
        inspect::{Activity, Findings},
    },
    model::outcome::{ErrorClass, Outcome},
};

/// All that was seen, measured and concluded.
#[derive(Debug, Clone)]
pub struct Report {
    /// Whether the quick self-test was asked for.
    pub quick: bool,
    /// The seed of every deal.
    pub seed: u64,
    /// What the machine is, and the state it was in when we came.
    pub findings: Findings,
    /// What it did at rest.
    pub before: Activity,
    /// What it did during the self-test.
    pub during: Activity,
    /// What was measured.
    pub self_test: SelfTest,
    /// What to change, the most harmful first.
    pub advice: Vec<Advice>,
    /// The file of the recorded slots, or why there is none.
    pub recorded: Result<PathBuf, String>,
}

impl Report {
    /// `pass` when the gate can see here what it must, `inconclusive` when it cannot, an error of measurement when the user
    /// ended it before that could be told.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (self.self_test.recording.interrupted, self.self_test.sight()) {
            (Some(_), _) => Outcome::Error(ErrorClass::Measurement),
            (None, Sight::Clear) => Outcome::Pass,
            (None, _) => Outcome::Inconclusive,
        }
    }

    /// The report for people, in lines of at most `width` columns where words allow it; at least 40.
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        text::render(self, width)
    }

    /// The report as `tollgate.doctor/1`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        doctor_v1::write(&json::document(self))
    }
}
