//! What is compared with what, for every kind of push.

use super::{Scene, pushed};
use crate::support::{
    repository::{Repository, git},
    tollgate::{command, ran},
};
use std::{fs, process::Stdio};

#[test]
fn a_new_branch_is_compared_with_the_merge_base_and_a_known_one_with_what_the_remote_has() {
    let scene = Scene::new();
    let first = scene.git(&["rev-parse", "HEAD"]);
    scene.git(&["checkout", "--quiet", "-b", "feature"]);
    let second = scene.change("2\n");
    scene
        .push(&["origin", "feature"])
        .exits(0)
        .says(&format!("`feature` ({}) against origin/main ({})", &second[..9], &first[..9]))
        .says("not judged: ")
        .says("the push goes on");
    assert_eq!(scene.there("refs/heads/feature"), Some(second.clone()));
    let third = scene.change("3\n");
    scene.push(&["origin", "feature"]).exits(0).says(&format!(
        "`feature` ({}) against origin/feature ({})",
        &third[..9],
        &second[..9]
    ));

    // The default branch went on meanwhile: only what the branch itself brings counts.
    scene.git(&["checkout", "--quiet", "main"]);
    scene.repository.write("other", "x\n").commit("other");
    scene.push(&["origin", "main"]).exits(0);
    scene.git(&["checkout", "--quiet", "-b", "late", "feature"]);
    scene.change("4\n");
    scene
        .push(&["origin", "late"])
        .exits(0)
        .says(&format!("against merge base with origin/main ({})", &first[..9]));
    scene.is_clean();
}

#[test]
fn nothing_to_judge_is_no_work_deletions_dry_runs_and_what_is_up_to_date() {
    let scene = Scene::new();
    scene.push(&["origin", "main"]).exits(0).hides("tollgate");
    scene.git(&["checkout", "--quiet", "-b", "feature"]);
    scene
        .push(&["origin", "feature"])
        .exits(0)
        .says("`feature` brings nothing new: the remote has the commit");
    scene.push(&["origin", "--delete", "feature"]).exits(0).hides("tollgate");
    assert_eq!(scene.there("refs/heads/feature"), None);
    let second = scene.change("2\n");
    scene.push(&["--dry-run", "origin", "feature"]).exits(0).says(&format!("`feature` ({})", &second[..9]));
    assert_eq!(scene.there("refs/heads/feature"), None);
    // A commit with the same files changes nothing, whatever it says.
    scene.push(&["origin", "feature"]).exits(0);
    scene.git(&["commit", "--quiet", "--allow-empty", "--message", "words"]);
    scene.push(&["origin", "feature"]).exits(0).says("the same files");
}

#[test]
fn a_commit_is_judged_once_under_however_many_names_and_tags_are_peeled() {
    let scene = Scene::new();
    let second = scene.change("2\n");
    scene.git(&["tag", "light"]);
    scene.git(&["tag", "--annotate", "--message", "words", "heavy"]);
    scene.git(&["branch", "same"]);
    let ran = scene.push(&["origin", "main", "same", "light", "heavy"]).exits(0);
    assert_eq!(ran.judged(), 1, "{}", ran.stderr);
    ran.says(&format!("`main` ({})", &second[..9]));
    assert!(scene.there("refs/tags/heavy").is_some_and(|object| object != second));
    scene.git(&["tag", "--annotate", "--message", "words", "old", "HEAD~"]);
    scene.push(&["origin", "old"]).exits(0).says("`old` brings nothing new");
    scene.git(&["tag", "older", "HEAD~^0"]);
    scene.git(&["tag", "--delete", "old"]);
    scene.repository.write("more", "1\n").commit("more");
    scene.git(&["push", "--quiet", "--no-verify", "origin", "main"]);
    scene.git(&["tag", "newer", "HEAD"]);
    scene
        .push(&["origin", "older", "newer"])
        .exits(0)
        .says("`older` and `newer` bring nothing new: the remote has the commits");
    // A tag of a file is no commit.
    scene.git(&["tag", "blob", "HEAD:file"]);
    scene.push(&["origin", "blob"]).exits(0).says("`blob` is not judged: it is no commit that is here");
}

#[test]
fn many_refs_are_bounded_work_and_the_rest_is_told() {
    let scene = Scene::new();
    for branch in ["a", "b", "c", "d", "e", "f"] {
        scene.git(&["checkout", "--quiet", "-b", branch, "main"]);
        scene.change(branch);
    }
    let ran = scene.push(&["origin", "--all"]).exits(0).says("2 more commits are not judged");
    assert_eq!(ran.judged(), 4, "{}", ran.stderr);
    assert!(scene.there("refs/heads/f").is_some());
    for branch in 0..45 {
        scene.git(&["branch", &format!("many-{branch}"), "main"]);
    }
    scene.push(&["origin", "--all"]).exits(0).says("5 more refs are not looked at");
}

#[test]
fn a_commit_is_pushed_by_any_expression_and_to_any_name() {
    let scene = Scene::new();
    let second = scene.change("2\n");
    scene.change("3\n");
    scene.push(&["origin", "HEAD~:refs/heads/x"]).exits(0).says(&format!("`HEAD~` ({})", &second[..9]));
    assert_eq!(scene.there("refs/heads/x"), Some(second));
    // To a URL that is a remote's, and to one that is nobody's.
    let url = scene.remote.to_str().unwrap().to_owned();
    scene.push(&[&url, "HEAD:refs/heads/y"]).exits(0).says("against origin/main");
    let elsewhere = scene.repository.cache().with_file_name("elsewhere.git");
    fs::create_dir(&elsewhere).unwrap();
    git(&elsewhere, &["init", "--quiet", "--bare"]);
    scene
        .push(&[elsewhere.to_str().unwrap(), "HEAD:refs/heads/y"])
        .exits(0)
        .says("there is nothing to compare with");
}

#[test]
fn a_forced_push_is_compared_with_what_both_share_also_when_the_old_commit_is_not_here() {
    let scene = Scene::new();
    let first = scene.git(&["rev-parse", "HEAD"]);
    scene.git(&["checkout", "--quiet", "-b", "feature"]);
    scene.change("2\n");
    scene.push(&["origin", "feature"]).exits(0);
    scene.git(&["commit", "--quiet", "--amend", "--all", "--message", "amended", "--allow-empty"]);
    scene.change("3\n");
    // Git itself refuses the plain push; the hook then has nothing to judge.
    scene.push(&["origin", "feature"]).exits(1).hides(") against ");
    scene
        .push(&["--force", "origin", "feature"])
        .exits(0)
        .says(&format!("against merge base with origin/feature ({})", &first[..9]));

    // Somebody else pushes, and that is not fetched here.
    let other = scene.repository.cache().with_file_name("other");
    git(&scene.remote, &["clone", "--quiet", "--branch", "feature", ".", other.to_str().unwrap()]);
    fs::write(other.join("file"), "theirs\n").unwrap();
    git(&other, &["commit", "--quiet", "--all", "--message", "theirs"]);
    git(&other, &["push", "--quiet", "origin", "feature"]);
    let known = scene.git(&["rev-parse", "origin/feature"]);
    scene.change("4\n");
    scene
        .push(&["--force", "origin", "feature"])
        .exits(0)
        .says(&format!("against origin/feature ({})", &known[..9]));
    // Back to an older commit brings nothing new.
    scene.push(&["--force", "origin", "HEAD~2:feature"]).exits(0).says("brings nothing new");
    scene.is_clean();
}

#[test]
fn the_first_push_of_all_has_nothing_to_compare_with() {
    let repository = Repository::new();
    repository.write("file", "1\n").commit("first");
    let scene = Scene::unpushed(repository);
    scene.push(&["origin", "main"]).exits(0).says("there is nothing to compare with");
    assert!(scene.there("refs/heads/main").is_some());
}

#[test]
fn linked_worktrees_submodules_and_bare_repositories_push_too() {
    let scene = Scene::new();
    let linked = scene.repository.cache().with_file_name("linked");
    scene.git(&["worktree", "add", "--quiet", "-b", "side", linked.to_str().unwrap()]);
    fs::write(linked.join("file"), "side\n").unwrap();
    git(&linked, &["commit", "--quiet", "--all", "--message", "side"]);
    pushed(scene.pusher(&linked, &["origin", "side"])).exits(0).says("`side` (").says("against origin/main");
    assert_eq!(git(&linked, &["status", "--porcelain"]), "", "git was told the right repository");

    let bare = scene.repository.cache().with_file_name("bare.git");
    git(&scene.remote, &["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    git(&bare, &["remote", "set-url", "origin", scene.remote.to_str().unwrap()]);
    ran(&command(&bare).args(["hook", "install"]).output().unwrap()).exits(0);
    let tip = scene.change("bare\n");
    git(&bare, &["fetch", "--quiet", scene.root().to_str().unwrap(), "main:topic"]);
    git(&bare, &["update-ref", "refs/remotes/origin/main", "main"]);
    pushed(scene.pusher(&bare, &["origin", "topic"])).exits(0).says("is a bare repository");
    assert_eq!(scene.there("refs/heads/topic"), Some(tip));

    let outer = Repository::new();
    outer.git(&["submodule", "--quiet", "add", scene.remote.to_str().unwrap(), "inner"]);
    outer.commit("outer");
    let inner = outer.root().join("inner");
    ran(&command(&inner).args(["hook", "install"]).output().unwrap()).exits(0);
    fs::write(inner.join("file"), "inner\n").unwrap();
    git(&inner, &["commit", "--quiet", "--all", "--message", "inner"]);
    pushed(scene.pusher(&inner, &["origin", "HEAD:refs/heads/inner"])).exits(0).says("against origin/main");
    assert!(scene.there("refs/heads/inner").is_some());
}

#[test]
fn object_ids_that_cannot_be_read_let_the_push_go_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let probe = std::process::Command::new("git")
        .args(["init", "--quiet", "--object-format=sha256", "."])
        .current_dir(folder.path())
        .status()
        .unwrap();
    if !probe.success() {
        eprintln!("this git has no SHA-256");
        return;
    }
    let repository = Repository::new();
    fs::remove_dir_all(repository.root().join(".git")).unwrap();
    repository.git(&["init", "--quiet", "--object-format=sha256", "--initial-branch=main"]);
    repository.write("file", "1\n").commit("first");
    let scene = Scene::of(repository);
    scene.change("2\n");
    scene
        .push(&["origin", "main"])
        .exits(0)
        .says("SHA-256 object ids, which Tollgate cannot read; the push goes on");
    scene.push(&["origin", "--delete", "main"]).hides("tollgate");
}

#[test]
fn documents_that_nothing_mentions_are_not_built_for() {
    let scene = Scene::new();
    scene.repository.write("README.md", "words\n").write("docs/a.md", "more\n").commit("documents");
    scene
        .push(&["origin", "main"])
        .exits(0)
        .says("only documents changed (README.md and docs/a.md), nothing was built");
    scene.repository.write("README.md", "others\n").write("file", "2\n").commit("both");
    scene.push(&["origin", "main"]).exits(0).says("not judged").hides("only documents");
    // Who reads a document names it.
    scene
        .repository
        .write("src/lib.rs", "const X: &str = include_str!(\"../README.MD\");\n")
        .commit("included");
    scene.push(&["origin", "main"]).exits(0);
    scene.repository.write("docs/a.md", "less\n").commit("a document");
    scene.push(&["origin", "main"]).exits(0).says("not judged").hides("only documents");
}

#[test]
fn names_that_would_like_to_be_commands_are_only_names() {
    let scene = Scene::new();
    let names = [
        "$(touch${IFS}pwned)",
        "a;touch${IFS}pwned",
        "`touch${IFS}pwned`",
        "'\"quote",
        "é\u{202e}rtl",
        "%n%s",
        "@TOLLGATE",
    ];
    for name in names {
        scene.git(&["checkout", "--quiet", "-b", name, "main"]);
        scene.change(name);
        let ran = scene.push(&["origin", &format!("refs/heads/{name}:refs/heads/{name}")]).exits(0);
        assert_eq!(ran.judged(), 1, "{name}: {}", ran.stderr);
        assert!(!ran.stderr.lines().any(|line| line.starts_with("tollgate") && line.contains('\u{202e}')));
        assert!(scene.there(&format!("refs/heads/{name}")).is_some());
    }
    let files: Vec<_> = fs::read_dir(scene.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!files.iter().any(|name| name == "pwned"), "{files:?}");
}

#[test]
fn a_variable_skips_it_and_a_broken_configuration_does_not_stop_a_push() {
    let scene = Scene::new();
    scene.change("2\n");
    let mut skipped = scene.pusher(scene.root(), &["origin", "main"]);
    skipped.env("TOLLGATE_SKIP", "1");
    pushed(skipped).exits(0).says("skipped by TOLLGATE_SKIP").hides("against");
    scene.repository.write("tollgate.toml", "[hook]\nbudgett = \"1s\"\n");
    scene.change("3\n");
    scene
        .push(&["origin", "main"])
        .exits(0)
        .says("did you mean `budget`")
        .says("not judged, the push goes on");
}

#[test]
fn input_that_is_none_and_pre_commits_variables_are_understood() {
    let scene = Scene::new();
    let first = scene.git(&["rev-parse", "HEAD"]);
    let second = scene.change("2\n");
    let hook = |input: &str, variables: &[(&str, &str)]| {
        let file = scene.repository.cache().with_file_name("input");
        fs::write(&file, input).unwrap();
        let mut hook = command(scene.root());
        hook.args(["hook", "run", "pre-push"]).env("TOLLGATE_CACHE_DIR", scene.repository.cache());
        hook.envs(variables.iter().copied()).stdin(Stdio::from(fs::File::open(file).unwrap()));
        pushed(hook)
    };
    hook("", &[]).exits(0).hides("tollgate");
    hook("no line at all\n", &[]).exits(0).says("1 line of the input could not be read");
    let zeros = "0".repeat(64);
    hook(&format!("(delete) {zeros} refs/heads/x {first}\n"), &[]).exits(0).hides("tollgate");
    let absent = "1".repeat(40);
    hook(&format!("refs/heads/x {absent} refs/heads/x {zeros}\n"), &[])
        .exits(0)
        .says("no commit that is here");
    let said = [
        ("PRE_COMMIT", "1"),
        ("PRE_COMMIT_REMOTE_NAME", "origin"),
        ("PRE_COMMIT_REMOTE_URL", scene.remote.to_str().unwrap()),
        ("PRE_COMMIT_LOCAL_BRANCH", "refs/heads/main"),
        ("PRE_COMMIT_REMOTE_BRANCH", "refs/heads/main"),
    ];
    let refs = [("PRE_COMMIT_FROM_REF", first.as_str()), ("PRE_COMMIT_TO_REF", second.as_str())];
    hook("", &[&said[..], &refs[..]].concat()).exits(0).says(&format!(
        "`main` ({}) against origin/main ({})",
        &second[..9],
        &first[..9]
    ));
    hook("", &said).exits(0).hides("against");
    // A manager that keeps the input open must not hang the push.
    let mut open = command(scene.root());
    open.args(["hook", "run", "pre-push"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = open.spawn().unwrap();
    let held = child.stdin.take();
    let ended = ran(&child.wait_with_output().unwrap()).exits(0);
    assert!(ended.stderr.contains("use_stdin: true"), "{}", ended.stderr);
    drop(held);
}
