//! What a benchmark is called, and how two benchmarks are told apart.

use std::fmt;

/// The longest id that is kept; a longer one comes from a broken or hostile producer.
pub const MAX_ID_BYTES: usize = 4096;

/// The stable id of a benchmark, as its producer spells it: `num/sieve` (criterion's group/function/value).
///
/// Not empty and at most [`MAX_ID_BYTES`] long. It may hold any character, so it is escaped where it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BenchmarkId(String);

/// Why a text is no benchmark id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBenchmarkId {
    /// The text is empty.
    #[error("a benchmark id is empty")]
    Empty,
    /// The text is longer than [`MAX_ID_BYTES`].
    #[error("a benchmark id is {0} bytes long; at most {MAX_ID_BYTES} are accepted")]
    TooLong(usize),
}

impl BenchmarkId {
    /// Checks and wraps an id.
    ///
    /// # Errors
    /// When it is empty or longer than [`MAX_ID_BYTES`].
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidBenchmarkId> {
        let id = id.into();
        match id.len() {
            0 => Err(InvalidBenchmarkId::Empty),
            length if length > MAX_ID_BYTES => Err(InvalidBenchmarkId::TooLong(length)),
            _ => Ok(Self(id)),
        }
    }

    /// The id as its producer spells it, unescaped.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BenchmarkId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A benchmark's identity within a check: its bench target and its id. Ordered by target, then id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Benchmark {
    /// The bench target that holds it (`kernels`); with `package/` in front where two packages share a target name.
    pub target: String,
    /// Its id within the target.
    pub id: BenchmarkId,
}

impl Benchmark {
    /// A benchmark of a target.
    #[must_use]
    pub fn new(target: impl Into<String>, id: BenchmarkId) -> Self {
        Self { target: target.into(), id }
    }
}
