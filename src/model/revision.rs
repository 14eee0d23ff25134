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
    /// The first nine digits of the commit with the label, for messages: `4f2a91c03 (main)`. A label that is the commit itself says
    /// nothing more.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.rev {
            Some(rev) if self.label.len() >= 7 && rev.starts_with(&self.label) => {
                rev.get(..9).unwrap_or(rev).to_owned()
            }
            Some(rev) => format!("{} ({})", rev.get(..9).unwrap_or(rev), self.label),
            None => self.label.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Revision;

    #[test]
    fn a_label_that_is_the_commit_itself_is_not_said_twice() {
        let described = |label: &str| {
            Revision { rev: Some("4f2a91c03".repeat(4)), tree: None, label: label.into() }.describe()
        };
        assert_eq!(described("main"), "4f2a91c03 (main)");
        assert_eq!(described(&"4f2a91c03".repeat(4)), "4f2a91c03");
        assert_eq!(described("4f2a91c"), "4f2a91c03");
        assert_eq!(described("4f2a"), "4f2a91c03 (4f2a)", "a branch may be called that");
    }
}
