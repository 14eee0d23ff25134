//! Which commit is meant, and what is in a work tree, asked of real repositories in every odd state.

use std::{fs, path::Path};

use tollgate::{
    git::{
        Error, Repository as Opened,
        revision::{Head, default_base, head, resolve},
        snapshot::{Snapshot, take},
    },
    hint::Hint,
    process::Interrupt,
};

use crate::support::repository::{Repository, git};

fn open(path: &Path) -> Opened {
    Opened::discover(path).unwrap()
}

fn snapshot(repository: &Repository) -> Snapshot {
    take(repository.root(), &repository.cache(), &Interrupt::new()).unwrap()
}

/// A clone of `repository` under `name`, beside it.
fn clone(repository: &Repository, name: &str, more: &[&str]) -> std::path::PathBuf {
    let url = format!("file://{}", repository.root().display());
    let mut args = vec!["clone", "--quiet"];
    args.extend(more);
    args.extend([url.as_str(), name]);
    git(&repository.around(), &args);
    repository.around().join(name)
}

#[test]
fn an_unknown_revision_is_named_with_those_like_it() {
    let repository = Repository::new();
    repository.commit("first");
    repository.git(&["branch", "feature/faster-sieve"]);
    let opened = open(repository.root());
    let error = resolve(&opened, "faster-seive").unwrap_err();
    assert_eq!(error.to_string(), "there is no revision `faster-seive`");
    assert_eq!(error.hint().as_deref(), Some("did you mean `feature/faster-sieve`?"));
    let error = resolve(&opened, "--output=/etc/passwd").unwrap_err();
    assert!(matches!(error, Error::UnknownRevision { near, .. } if near.is_empty()));
    let tree = repository.git(&["rev-parse", "HEAD^{tree}"]);
    assert_eq!(resolve(&opened, &tree).unwrap_err().to_string(), format!("`{tree}` is a tree, not a commit"));
}

#[test]
fn what_a_shallow_clone_lacks_is_to_be_fetched_whatever_else_has_a_name_like_it() {
    let repository = Repository::new();
    repository.commit("first");
    repository.git(&["branch", "HEAD-2"]);
    repository.commit("second");
    let opened = open(&clone(&repository, "shallow", &["--depth", "1", "--no-single-branch"]));
    for name in ["HEAD~1", "HEAD^", "HEAD-1"] {
        let error = resolve(&opened, name).unwrap_err();
        assert_eq!(error.to_string(), format!("there is no revision `{name}`"));
        let hint = error.hint().unwrap();
        assert!(hint.contains("git fetch --unshallow") && hint.contains("fetch-depth: 0"), "{name}: {hint}");
    }
}

#[test]
fn a_tag_a_short_hash_and_a_branch_of_the_remote_alone_are_found() {
    let repository = Repository::new();
    let first = repository.commit("first");
    repository.git(&["tag", "--annotate", "v1", "--message", "one"]);
    repository.git(&["branch", "release"]);
    let opened = open(&clone(&repository, "clone", &[]));
    for (name, label) in [("v1", "v1"), (&first[..10], &first[..10]), ("release", "origin/release")] {
        let commit = resolve(&opened, name).unwrap();
        assert_eq!((commit.rev.as_str(), commit.label.as_str()), (first.as_str(), label));
    }
}

#[test]
fn default_base_is_the_merge_base_with_the_default_branch_or_what_was_before() {
    let repository = Repository::new();
    let first = repository.commit("first");
    let second = repository.commit("second");
    let opened = open(repository.root());
    let base = |of| default_base(&opened, of).map(|base| (base.rev, base.label));
    assert_eq!(base(Head::WorkTree { changed: true }).unwrap(), (second.clone(), "HEAD".into()));
    assert_eq!(base(Head::WorkTree { changed: false }).unwrap(), (first.clone(), "HEAD~1".into()));
    let old = resolve(&opened, &first).unwrap();
    let error = base(Head::Commit(&old)).unwrap_err();
    assert_eq!(error.to_string(), format!("commit {} has no parent to compare with", &first[..9]));

    repository.git(&["switch", "--quiet", "--detach", &second]);
    let detached = repository.commit("detached");
    assert_eq!(base(Head::WorkTree { changed: false }).unwrap(), (second.clone(), "main".into()));
    repository.git(&["switch", "--quiet", "main"]);
    repository.commit("main goes on");
    repository.git(&["switch", "--quiet", "--detach", &detached]);
    let wanted = (second, "merge base with main".to_owned());
    assert_eq!(base(Head::WorkTree { changed: true }).unwrap(), wanted);
}

#[test]
fn default_branch_is_the_remotes_whatever_its_name() {
    let repository = Repository::new();
    repository.git(&["branch", "--move", "trunk"]);
    let first = repository.commit("first");
    let path = clone(&repository, "clone", &[]);
    git(&path, &["switch", "--quiet", "--create", "mine"]);
    git(&path, &["commit", "--quiet", "--allow-empty", "--message", "mine"]);
    git(&path, &["branch", "--quiet", "--delete", "trunk"]);
    let opened = open(&path);
    let base = default_base(&opened, Head::WorkTree { changed: false }).unwrap();
    assert_eq!((base.rev, base.label.as_str()), (first, "origin/trunk"));
    git(&path, &["remote", "remove", "origin"]);
    let error = default_base(&opened, Head::WorkTree { changed: false }).unwrap_err();
    assert!(matches!(error, Error::NoDefaultBranch { shallow: false }), "{error}");
}

#[test]
fn a_shallow_clone_says_how_to_get_its_history() {
    let repository = Repository::new();
    repository.commit("first");
    repository.commit("second");
    let opened = open(&clone(&repository, "shallow", &["--depth=1"]));
    let error = default_base(&opened, Head::WorkTree { changed: false }).unwrap_err();
    assert!(error.to_string().ends_with("has no parent in this shallow clone to compare with"), "{error}");
    assert!(error.hint().unwrap().contains("git fetch --unshallow origin"), "{:?}", error.hint());

    repository.git(&["switch", "--quiet", "--create", "feature", "HEAD~1"]);
    repository.commit("feature");
    repository.git(&["switch", "--quiet", "main"]);
    let path = clone(&repository, "cut", &["--depth=1", "--no-single-branch", "--branch=feature"]);
    let error = default_base(&open(&path), Head::WorkTree { changed: false }).unwrap_err();
    assert_eq!(error.to_string(), "`HEAD` and `origin/main` have no common commit in this shallow clone");
    assert!(error.hint().unwrap().contains("--unshallow"));
}

#[test]
fn folders_that_are_no_usable_repository_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let error = Opened::discover(folder.path()).unwrap_err();
    assert!(error.to_string().ends_with("is not in a git repository"), "{error}");
    git(folder.path(), &["init", "--quiet", "--bare", "bare"]);
    assert!(matches!(Opened::discover(&folder.path().join("bare")), Err(Error::Bare(_))));
    let unborn = Repository::new();
    assert!(matches!(Opened::discover(unborn.root()), Err(Error::Unborn(_))));
    assert!(Opened::discover(&folder.path().join("missing")).is_err());
    let repository = Repository::new();
    repository.write("deep/er/file", "").commit("first");
    let opened = open(&repository.root().join("deep/er"));
    assert_eq!((opened.root(), opened.prefix()), (repository.root(), Path::new("deep/er")));
}

#[test]
fn a_linked_worktree_is_a_repository_of_its_own_head() {
    let repository = Repository::new();
    repository.commit("first");
    repository.git(&["worktree", "add", "--quiet", "-b", "linked", "../linked"]);
    let linked = repository.around().join("linked");
    git(&linked, &["commit", "--quiet", "--allow-empty", "--message", "on linked"]);
    let opened = open(&linked);
    assert_eq!(head(&opened).unwrap().rev, git(&linked, &["rev-parse", "HEAD"]));
    assert!(opened.common_folder().canonicalize().unwrap().ends_with("repo/.git"));
    fs::write(linked.join("new"), "").unwrap();
    let found = take(&linked, &repository.cache(), &Interrupt::new()).unwrap();
    assert!(found.changed && found.paths.contains(&"new".into()));
}

#[test]
fn a_clean_work_tree_has_heads_tree_and_an_edit_of_the_same_size_has_not() {
    let repository = Repository::new();
    repository.write("file", "one").write("ignored.tmp", "").write(".gitignore", "*.tmp\n").commit("first");
    let clean = snapshot(&repository);
    assert!(!clean.changed);
    assert_eq!(clean.tree, repository.git(&["rev-parse", "HEAD^{tree}"]));
    assert_eq!(clean.paths, [Path::new(".gitignore"), Path::new("file")]);
    repository.write("file", "two");
    let edited = snapshot(&repository);
    assert!(edited.changed && edited.tree != clean.tree);
    // However it was staged or hidden: what counts is what is on disk.
    repository.git(&["update-index", "--assume-unchanged", "file"]);
    assert_eq!(snapshot(&repository).tree, edited.tree);
    repository.write("file", "one");
    assert!(!snapshot(&repository).changed);
}

#[test]
fn untracked_deleted_and_oddly_named_files_are_in_the_snapshot_as_they_are() {
    let repository = Repository::new();
    repository.write("gone", "").write("kept", "").commit("first");
    fs::remove_file(repository.root().join("gone")).unwrap();
    repository.write("new/späß \"quoted\"", "").write("-dash", "").write(":colon", "");
    repository.git(&["add", "--intent-to-add", "--", "-dash"]);
    // Cargo's target folder in a repository that does not ignore it.
    repository.write(".gitignore", "").write("target/CACHEDIR.TAG", "Signature").write("target/big", "");
    let found = snapshot(&repository);
    let names: Vec<_> = found.paths.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(names, ["-dash", ".gitignore", ":colon", "kept", "new/späß \"quoted\""]);
    assert_eq!(found.unreadable, None);
}

#[test]
fn a_conflict_and_a_nested_repository_do_not_stop_a_snapshot() {
    let repository = Repository::new();
    repository.write("file", "base").commit("base");
    repository.git(&["switch", "--quiet", "--create", "other"]);
    repository.write("file", "other").commit("other");
    repository.git(&["switch", "--quiet", "main"]);
    repository.write("file", "main").commit("main");
    let mut merge = std::process::Command::new("git");
    let merged = merge.args(["merge", "other"]).current_dir(repository.root()).output().unwrap();
    assert!(!merged.status.success());
    git(repository.root(), &["init", "--quiet", "nested"]);
    git(&repository.root().join("nested"), &["commit", "--quiet", "--allow-empty", "--message", "nested"]);
    repository.write("nested/inside", "");
    git(repository.root(), &["init", "--quiet", "empty"]);
    let found = snapshot(&repository);
    assert!(found.changed);
    assert!(
        found.paths.contains(&"nested/inside".into()) && found.paths.contains(&"file".into()),
        "{found:?}"
    );
}
