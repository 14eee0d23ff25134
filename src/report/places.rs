//! Where a benchmark's source stands, as far as that is known: reports never guess a file.

use std::collections::BTreeMap;

use crate::model::verdict::Judgement;

/// Bench targets with their source files, relative to the repository's root, with forward slashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<String, String>);

impl Places {
    /// No file is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// These targets have these files.
    #[must_use]
    pub fn new(files: BTreeMap<String, String>) -> Self {
        Self(files)
    }

    /// The file of a row's benchmark.
    #[must_use]
    pub fn of(&self, row: &Judgement) -> Option<&str> {
        self.0.get(&row.benchmark.target).map(String::as_str)
    }
}
