//! A repository on "GitHub" with a pull request, and checkouts of it as `actions/checkout` makes them.

use crate::support::repository::{Repository, git};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const MANIFEST: &str = "[package]
name = \"sample\"
version = \"0.1.0\"
edition = \"2021\"

[dev-dependencies]
criterion = { version = \"0.8\", default-features = false, features = [\"cargo_bench_support\"] }

[[bench]]
name = \"kernels\"
harness = false
";

const BENCH: &str = "use criterion::{criterion_group, criterion_main, Criterion};
fn kernels(c: &mut Criterion) {
    c.bench_function(\"fold\", |b| b.iter(|| (0..100u64).fold(7, |a, n| std::hint::black_box(a) ^ n)));
}
criterion_group!(benches, kernels);
criterion_main!(benches);
";

/// A remote whose `main` has moved on since the pull request's branch left it.
pub(crate) struct Scene {
    pub(crate) remote: Repository,
    /// Where the branch left `main`.
    pub(crate) fork_point: String,
    /// The tip of `main`.
    pub(crate) main: String,
    /// The head of the pull request.
    pub(crate) head: String,
    /// The merge that GitHub makes of both.
    pub(crate) merge: String,
    pub(crate) branch: String,
}

impl Scene {
    /// A pull request from `branch` that changes a text file only, `commits` commits long.
    pub(crate) fn new(branch: &str, commits: usize) -> Self {
        let remote = Repository::new();
        remote.write("Cargo.toml", MANIFEST).write("src/lib.rs", "").write("benches/kernels.rs", BENCH);
        remote.commit("first");
        // As GitHub does: any commit may be fetched by its name.
        remote.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        let fork_point = remote.git(&["rev-parse", "HEAD"]);
        remote.git(&["checkout", "--quiet", "-b", branch]);
        let mut head = String::new();
        for number in 0..commits {
            head = remote.write("NOTES.md", &format!("{number}\n")).commit("a note");
        }
        remote.git(&["checkout", "--quiet", "main"]);
        let main = remote.write("OTHER.md", "main moved on\n").commit("main moves on");
        remote.git(&["checkout", "--quiet", "--detach", "main"]);
        remote.git(&["merge", "--quiet", "--no-ff", "--message", "merge", branch]);
        let merge = remote.git(&["rev-parse", "HEAD"]);
        remote.git(&["update-ref", "refs/pull/1/merge", &merge]);
        remote.git(&["checkout", "--quiet", "main"]);
        Self { remote, fork_point, main, head, merge, branch: branch.to_owned() }
    }

    /// A checkout of one commit, `depth` commits deep.
    pub(crate) fn checkout(&self, commit: &str, depth: usize) -> PathBuf {
        let folder = self.remote.around().join("checkout");
        std::fs::create_dir(&folder).unwrap();
        git(&folder, &["init", "--quiet", "--initial-branch=unborn"]);
        let url = format!("file://{}", self.remote.root().display());
        git(&folder, &["remote", "add", "origin", &url]);
        let depth = format!("--depth={depth}");
        git(&folder, &["fetch", "--quiet", "--no-tags", &depth, "origin", commit]);
        git(&folder, &["checkout", "--quiet", "--detach", "FETCH_HEAD"]);
        folder
    }

    /// The payload of `pull_request`.
    pub(crate) fn pull_request(&self) -> Value {
        self.pull_request_from("acme/anvil", "a title")
    }

    /// The payload of `pull_request` from another repository.
    pub(crate) fn pull_request_from(&self, repository: &str, title: &str) -> Value {
        json!({
            "action": "synchronize", "number": 1,
            "pull_request": {
                "number": 1, "title": title, "body": title,
                "base": {"ref": "main", "sha": self.main, "repo": {"full_name": "acme/anvil"}},
                "head": {"ref": self.branch, "sha": self.head,
                         "repo": {"full_name": repository, "fork": repository != "acme/anvil"}},
            },
            "repository": {"full_name": "acme/anvil", "default_branch": "main"},
        })
    }
}

/// Asserts that nothing below the folders is named `pwned`.
#[track_caller]
pub(crate) fn nothing_was_run(folders: &[&Path]) {
    for folder in folders {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            assert!(!path.to_string_lossy().contains("pwned"), "{}", path.display());
            if path.is_dir() && !path.is_symlink() && !path.ends_with(".git") {
                nothing_was_run(&[&path]);
            }
        }
    }
}
