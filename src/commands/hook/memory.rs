//! Pushes that passed, by their trees: the same push again (after a rejected one, or a dry run) needs no second check.
//!
//! Only passes are remembered. A regression is judged again, from the rounds that are kept, so that what stops a push is always shown
//! with its figures.

use crate::{
    config::resolve::Settings,
    files::{atomic, tree},
    model::revision::Revision,
};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

/// After this a pass is forgotten: the machine and the compiler are others by then.
const HOLDS: Duration = Duration::from_secs(7 * 24 * 3600);
/// More of them are of no use; the oldest go.
const MOST: usize = 200;
/// Longer than any line that we write.
const MOST_BYTES: u64 = 4096;

/// The file of one comparison.
#[derive(Debug)]
pub(super) struct Memory {
    file: PathBuf,
    now: u64,
}

impl Memory {
    /// Of two trees under the project's rules, in `cache`; `now` is in seconds since 1970.
    pub(super) fn of(cache: &Path, base: &Revision, head: &Revision, settings: &Settings, now: u64) -> Self {
        // What the budget was plays no part: a pass is one whatever it took. Neither do the names of the commits.
        let rules = Settings { budget_seconds: 0.0, base: None, head: None, ..settings.clone() };
        let trees = [base, head].map(|revision| revision.tree.clone().unwrap_or_default());
        let key = format!("1 {} {trees:?} {rules:?}", env!("CARGO_PKG_VERSION"));
        let digest = tree::text_digest(&key);
        Self { file: cache.join("pushes").join(&digest[..digest.len().min(32)]), now }
    }

    /// What came of it, if it passed not long ago.
    pub(super) fn recall(&self) -> Option<String> {
        let mut text = String::new();
        fs::File::open(&self.file).ok()?.take(MOST_BYTES).read_to_string(&mut text).ok()?;
        let (at, words) = text.trim_end().split_once(' ')?;
        let age = self.now.checked_sub(at.parse().ok()?)?;
        (age < HOLDS.as_secs()).then(|| words.to_owned())
    }

    /// Remembers a pass in one line of `words`. One that cannot be kept is only measured again.
    pub(super) fn keep(&self, words: &str) {
        let line: String = words.chars().filter(|c| !c.is_control()).take(1000).collect();
        if let Some(folder) = self.file.parent() {
            sweep(folder);
        }
        let _ = atomic::write(&self.file, format!("{} {line}\n", self.now).as_bytes());
    }
}

/// Removes the oldest beyond the bound.
fn sweep(folder: &Path) {
    let mut files: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    for (_, path) in files.iter().take((files.len() + 1).saturating_sub(MOST)) {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;
    use crate::{
        config::{
            file::File,
            resolve::{Flags, resolve},
        },
        model::revision::Revision,
    };

    #[test]
    fn a_pass_is_recalled_for_the_same_trees_and_rules_and_for_a_week() {
        let folder = tempfile::tempdir().unwrap();
        let of = |tree: &str, margin: f64, now: u64| {
            let revision = |tree: &str| Revision { rev: None, tree: Some(tree.into()), label: tree.into() };
            let settings = resolve(Flags { margin: Some(margin), ..Flags::default() }, &File::default());
            Memory::of(folder.path(), &revision("base"), &revision(tree), &settings, now)
        };
        assert_eq!(of("head", 0.02, 5).recall(), None);
        of("head", 0.02, 5).keep("pass: all\nwell");
        assert_eq!(of("head", 0.02, 6).recall().as_deref(), Some("pass: allwell"));
        assert_eq!(of("other", 0.02, 6).recall(), None);
        assert_eq!(of("head", 0.03, 6).recall(), None);
        assert_eq!(of("head", 0.02, 5 + 7 * 24 * 3600).recall(), None);
        assert_eq!(of("head", 0.02, 4).recall(), None, "a clock that went backwards proves nothing");
    }
}
