//! What is wrong with a flow: the flow, the step, the part of it, and a sentence.

use std::fmt;

use crate::hint::Hint;

/// More problems than this are counted, not listed.
const MAX_LISTED: usize = 20;

/// Which part of a flow or step a problem is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The flow's weight.
    Weight,
    /// The flow's list of steps.
    Steps,
    /// The flow's data file.
    Data,
    /// The step's method.
    Method,
    /// The step's path.
    Path,
    /// The header of this name.
    Header(String),
    /// The step's body, text or file.
    Body,
    /// The statuses that are expected.
    Status,
    /// The pattern that the body must match.
    Pattern,
    /// The capture of this name.
    Capture(String),
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weight => formatter.write_str("weight"),
            Self::Steps => formatter.write_str("steps"),
            Self::Data => formatter.write_str("data"),
            Self::Method => formatter.write_str("method"),
            Self::Path => formatter.write_str("path"),
            Self::Header(name) => write!(formatter, "header `{name}`"),
            Self::Body => formatter.write_str("body"),
            Self::Status => formatter.write_str("expected status"),
            Self::Pattern => formatter.write_str("expected body"),
            Self::Capture(name) => write!(formatter, "capture `{name}`"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The flow's place in the list, from 0.
    pub flow: usize,
    /// The step's place in the flow, from 0; `None` where it is the flow's own.
    pub step: Option<usize>,
    /// The part.
    pub part: Part,
    /// What is wrong with it, without naming the part.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "flow {}", self.flow + 1)?;
        if let Some(step) = self.step {
            write!(formatter, ", step {}", step + 1)?;
        }
        write!(formatter, ", {}: {}", self.part, self.message)
    }
}

/// Flows that cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is nothing to ask.
    #[error("the scenario asks nothing: it has no requests")]
    Empty,
    /// What is wrong with them; at least one.
    #[error("{}", listed(.0))]
    Problems(Vec<Problem>),
}

fn listed(problems: &[Problem]) -> String {
    let mut lines: Vec<String> = problems.iter().take(MAX_LISTED).map(Problem::to_string).collect();
    if let Some(more) = problems.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
        lines.push(format!("… and {more} more"));
    }
    lines.join("\n")
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty => "add a `[[load.request]]` with a `path`".into(),
            Self::Problems(_) => "docs/load.md lists what a request may say".into(),
        })
    }
}
