//! Which code was measured.

/// A revision of the code under test.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revision {
    /// The commit, 40 hexadecimal digits; `None` when the measured tree differs from it (a dirty work tree) or is unknown.
    pub rev: Option<String>,
    /// The git tree that was measured, 40 hexadecimal digits, untracked files included; `None` for foreign data.
    pub tree: Option<String>,
    /// What people call it: `main`, `work tree`, a tag, a file name.
    pub label: String,
}

impl Revision {
    /// The first nine digits of the commit with the label, for messages: `4f2a91c03 (main)`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.rev {
            Some(rev) => format!("{} ({})", rev.get(..9).unwrap_or(rev), self.label),
            None => self.label.clone(),
        }
    }
}
