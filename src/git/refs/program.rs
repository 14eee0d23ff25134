//! Fetching and pushing with the git program: there the user's credentials count.

use std::{path::Path, time::Duration};

use crate::{git::command::git, process::Spec};

/// Settings that keep an exchange to what it was asked for.
const SETTINGS: [&str; 3] =
    ["credential.interactive=false", "fetch.writeCommitGraph=false", "push.followTags=false"];

/// A command of git that exchanges with a remote for the repository in `git_dir`.
pub(super) fn exchange(git_dir: &Path, args: &[&str], timeout: Duration) -> Spec {
    git(git_dir)
        .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
        .args(["--git-dir", "."])
        .args(args)
        .timeout(timeout)
}
