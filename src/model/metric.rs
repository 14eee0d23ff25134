//! What is measured of a benchmark: its name, unit and the direction that is better.

/// Which way a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smaller values are better (time, latency, bytes).
    Lower,
    /// Larger values are better (throughput, hit rate).
    Higher,
}

impl Direction {
    /// The contract's word: `lower` or `higher`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }
}

/// How a metric scatters, which decides how it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nature {
    /// Differs from slot to slot: judged by the randomisation test.
    Noisy,
    /// Repeats exactly or nearly so (instructions, bytes, allocations): judged by exact rules, without a test.
    Deterministic,
}

/// A measured quantity with its unit and direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Metric {
    /// The contract's name: `time`, `instructions`, `latency.p99`, …
    pub name: String,
    /// The unit of its values: `ns`, `instructions`, `bytes`, …
    pub unit: String,
    /// Which way is better.
    pub direction: Direction,
    /// Noisy or deterministic.
    pub nature: Nature,
}

impl Metric {
    /// Wall-clock time of one iteration, in nanoseconds.
    #[must_use]
    pub fn time() -> Self {
        Self { name: "time".into(), unit: "ns".into(), direction: Direction::Lower, nature: Nature::Noisy }
    }

    /// A deterministic count of which fewer are better.
    #[must_use]
    pub fn count(name: impl Into<String>, unit: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            unit: unit.into(),
            direction: Direction::Lower,
            nature: Nature::Deterministic,
        }
    }
}
