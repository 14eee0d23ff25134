//! The outcome of a check and its exit code.

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Something was compared or identical, and nothing below applies.
    Pass,
    /// At least one regression, broken budget or broken target that no waiver covers.
    Regressed,
    /// Nothing regressed, but the check was blind.
    Inconclusive,
    /// There was nothing to compare, or something expected vanished.
    Incomplete,
    /// Usage or configuration, measurement, or reporting went wrong.
    Error(ErrorClass),
}

/// Which part of the work failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Bad flags or a bad configuration: exit code 2.
    Configuration,
    /// A build failed, a benchmark crashed or hung: exit code 5.
    Measurement,
    /// A comment or file could not be written: exit code 6.
    Reporting,
}

impl Outcome {
    /// The contract's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Regressed => "regressed",
            Self::Inconclusive => "inconclusive",
            Self::Incomplete => "incomplete",
            Self::Error(_) => "error",
        }
    }

    /// The contract's exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Regressed => 1,
            Self::Error(ErrorClass::Configuration) => 2,
            Self::Inconclusive => 3,
            Self::Incomplete => 4,
            Self::Error(ErrorClass::Measurement) => 5,
            Self::Error(ErrorClass::Reporting) => 6,
        }
    }

    /// The one of two outcomes that decides the exit code: the first of 2, 1, 5, 4, 3, 6, 0.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        if self.rank() <= other.rank() { self } else { other }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Error(ErrorClass::Configuration) => 0,
            Self::Regressed => 1,
            Self::Error(ErrorClass::Measurement) => 2,
            Self::Incomplete => 3,
            Self::Inconclusive => 4,
            Self::Error(ErrorClass::Reporting) => 5,
            Self::Pass => 6,
        }
    }
}
