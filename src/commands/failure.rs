//! Why a command could not do its job, by the class that decides the exit code.

use crate::{
    hint::Hint,
    model::outcome::{ErrorClass, Outcome},
};
use std::{error::Error, fmt};

/// A command's failure: its outcome, its cause chain and the next step for the user.
#[derive(Debug)]
pub struct Failure {
    outcome: Outcome,
    error: Box<dyn Error + Send + Sync>,
    hint: Option<String>,
}

impl Failure {
    /// Bad flags, a bad file, a revision that does not exist: exit code 2.
    pub fn configuration(error: impl Error + Hint + Send + Sync + 'static) -> Self {
        Self::new(ErrorClass::Configuration, error)
    }

    /// A build, a benchmark or the machine failed: exit code 5.
    pub fn measurement(error: impl Error + Hint + Send + Sync + 'static) -> Self {
        Self::new(ErrorClass::Measurement, error)
    }

    /// A result could not be written: exit code 6.
    pub fn reporting(error: impl Error + Hint + Send + Sync + 'static) -> Self {
        Self::new(ErrorClass::Reporting, error)
    }

    /// A failure with its class and whatever hint the error has.
    pub fn new(class: ErrorClass, error: impl Error + Hint + Send + Sync + 'static) -> Self {
        Self::ending_in(Outcome::Error(class), error)
    }

    /// A failure with an outcome of its own: something was missing rather than wrong.
    pub fn ending_in(outcome: Outcome, error: impl Error + Hint + Send + Sync + 'static) -> Self {
        let hint = error.hint();
        Self { outcome, error: Box::new(error), hint }
    }

    /// A failure that is one sentence.
    pub fn message(class: ErrorClass, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::sentence(Outcome::Error(class), message, hint)
    }

    /// A failure that is one sentence, with an outcome of its own.
    pub fn sentence(outcome: Outcome, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        Self { outcome, error: message.into().into(), hint: (!hint.is_empty()).then_some(hint) }
    }

    /// The same failure as the cause of a sentence that says what was being done.
    #[must_use]
    pub fn while_doing(self, what: impl Into<String>) -> Self {
        Self {
            outcome: self.outcome,
            error: Box::new(While { what: what.into(), cause: self.error }),
            hint: self.hint,
        }
    }

    /// The outcome that this failure makes of the command.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The next step for the user.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// What was being done when something else went wrong.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
struct While {
    what: String,
    #[source]
    cause: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}
