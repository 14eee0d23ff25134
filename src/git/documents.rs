//! Whether two commits differ in nothing but documents that no file of theirs mentions: then no build can differ.
//!
//! A document can be part of a program (`include_str!`, a build script, a benchmark that reads it). Whoever does that names it, so a
//! document counts as harmless only while its ending stands in no other tracked file of either commit. A mention in a comment
//! costs a build, never a wrong answer.

use crate::{
    git::{Error, push::Pusher},
    process::{self, ExitStatus},
};

/// Endings of documents.
const ENDINGS: [&str; 4] = [".md", ".markdown", ".rst", ".adoc"];
/// The folder of what only a server reads.
const SERVER: &str = ".github/";
/// More changed files than this are not looked at one by one.
const MOST: usize = 10_000;

/// The documents in which `base` and `head` differ, when nothing else does and nothing mentions their kind; empty when something
/// else does, or when that cannot be told.
///
/// # Errors
/// When git cannot be run.
pub fn only_documents(pusher: &Pusher<'_>, base: &str, head: &str) -> Result<Vec<String>, Error> {
    let args = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", base, head];
    let changed = pusher.ask(&args)?.unwrap_or_default();
    let changed: Vec<String> =
        changed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    let Some(kinds) = changed.iter().map(|path| kind(path)).collect::<Option<Vec<&str>>>() else {
        return Ok(Vec::new());
    };
    if changed.is_empty() || changed.len() > MOST {
        return Ok(Vec::new());
    }
    for commit in [base, head] {
        if is_mentioned(pusher, &kinds, commit)? {
            return Ok(Vec::new());
        }
    }
    Ok(changed)
}

/// What somebody who reads the file would write of its name; `None` when it is no document.
fn kind(path: &str) -> Option<&'static str> {
    let lower = path.to_ascii_lowercase();
    let ending = ENDINGS.into_iter().find(|ending| lower.ends_with(ending));
    ending.or_else(|| path.starts_with(SERVER).then_some(".github"))
}

/// Whether any file of a commit that is no document itself holds one of these words. A manifest names its readme, which is no part of
/// what is built.
fn is_mentioned(pusher: &Pusher<'_>, kinds: &[&str], commit: &str) -> Result<bool, Error> {
    let mut words = kinds.to_vec();
    words.sort_unstable();
    words.dedup();
    let excluded = ENDINGS.map(|ending| format!(":(top,exclude,icase)*{ending}"));
    let spec = pusher
        .git()
        .args(["grep", "--quiet", "--ignore-case", "--fixed-strings"])
        .args(words.iter().flat_map(|word| ["-e", word]))
        .args([commit, "--", ":(top)", ":(top,exclude).github", ":(top,exclude,glob)**/Cargo.toml"])
        .args(excluded);
    // 1 is git's word for nothing found; whatever else went wrong, nothing is known.
    Ok(process::run(&spec, pusher.interrupt)?.status != ExitStatus::Code(1))
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn documents_are_known_by_their_ending_and_everything_else_is_none() {
        assert_eq!(kind("docs/READ.ME.MD"), Some(".md"));
        assert_eq!(kind(".github/workflows/ci.yml"), Some(".github"));
        for path in ["src/lib.rs", "md", "data.json", "github/x", "x/.github/y", "Cargo.toml", "readme"] {
            assert_eq!(kind(path), None, "{path}");
        }
    }
}
