//! Data refs in real repositories with real remotes: bare ones, reached by `file://`.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Barrier,
    thread,
    time::Duration,
};

use super::{
    Error,
    archive::{Archive, File, Message, Swap},
    commits::{Commits, Kinship},
    exchange::Remote,
};
use crate::{hint::Hint, process::Interrupt};

const NAME: &str = "refs/tollgate/history";

/// A folder with a bare remote and clones of it.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        git(scene.folder.path(), &["init", "-q", "--bare", "remote.git"]);
        scene
    }

    fn remote(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    fn clone(&self, name: &str) -> PathBuf {
        let url = format!("file://{}", self.remote().display());
        git(self.folder.path(), &["clone", "-q", &url, name]);
        self.folder.path().join(name)
    }
}

fn git(directory: &Path, args: &[&str]) -> String {
    let identity = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"];
    let output = Command::new("git").current_dir(directory).args(identity).args(args).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn message() -> Message {
    Message { subject: "Record a run".into(), time: 1_700_000_000 }
}

fn file(path: &str) -> File {
    File { path: path.into(), bytes: path.as_bytes().to_vec() }
}

fn append(clone: &Path, paths: &[&str]) {
    let files: Vec<File> = paths.iter().map(|path| file(path)).collect();
    Archive::open(clone, NAME).unwrap().append(&files, &message()).unwrap();
}

fn paths(repository: &Path) -> Vec<String> {
    let archive = Archive::open(repository, NAME).unwrap();
    let Some(tip) = archive.tip().unwrap() else { return Vec::new() };
    archive.list(tip).unwrap().into_iter().map(|entry| entry.path).collect()
}

/// Calls `act` with the remote `name` and the patience for a few races.
fn with_remote<T>(name: &str, act: impl FnOnce(&Remote<'_>) -> T) -> T {
    let interrupt = Interrupt::new();
    let pauses: Vec<Duration> = (0..40).map(|index| Duration::from_millis(index % 7)).collect();
    act(&Remote { name, interrupt: &interrupt, timeout: Duration::from_secs(300), pauses: &pauses })
}

fn push(clone: &Path) -> Result<super::exchange::Pushed, Error> {
    let archive = Archive::open(clone, NAME).unwrap();
    with_remote("origin", |remote| archive.push(remote, &message()))
}

fn prune(clone: &Path, keep: &str) -> usize {
    let archive = Archive::open(clone, NAME).unwrap();
    with_remote("origin", |remote| {
        archive.replace(remote, &message(), &mut |all| {
            Ok(all.iter().filter(|entry| entry.path.starts_with(keep)).cloned().collect())
        })
    })
    .unwrap()
}

#[test]
fn files_come_back_and_nothing_else_in_the_repository_changes() {
    let scene = Scene::new();
    let clone = scene.clone("one");
    std::fs::write(clone.join("file"), "staged").unwrap();
    git(&clone, &["add", "file"]);
    let before = git(&clone, &["status", "--porcelain=v2", "--branch"]);
    append(&clone, &["a/1", "b/c/2"]);
    append(&clone, &["a/3"]);
    assert_eq!(git(&clone, &["status", "--porcelain=v2", "--branch"]), before);
    assert_eq!(git(&clone, &["for-each-ref", "--format=%(refname)"]), NAME);
    assert_eq!(git(&clone, &["rev-list", "--count", NAME]), "2");
    let archive = Archive::open(&clone, NAME).unwrap();
    let tip = archive.tip().unwrap().unwrap();
    let all = archive.list(tip).unwrap();
    assert_eq!(all.iter().map(|entry| entry.path.as_str()).collect::<Vec<_>>(), ["a/1", "a/3", "b/c/2"]);
    assert_eq!(archive.read(&all[2], 100).unwrap(), b"b/c/2");
    assert!(matches!(archive.read(&all[2], 4), Err(Error::TooLarge { .. })));
    assert_eq!(archive.list_below(tip, "b/c").unwrap(), all[2..]);
    assert_eq!(archive.list_below(tip, "none").unwrap(), []);
    assert_eq!(archive.folders(tip).unwrap(), ["a", "b"]);
}

#[test]
fn same_file_twice_is_no_new_commit_and_other_content_is_refused() {
    let scene = Scene::new();
    let clone = scene.clone("one");
    append(&clone, &["a/1"]);
    let archive = Archive::open(&clone, NAME).unwrap();
    let tip = archive.tip().unwrap().unwrap();
    let again = archive.append(&[file("a/1")], &message()).unwrap();
    assert_eq!((again.tip, again.written), (tip, 0));
    let other = File { path: "a/1".into(), bytes: b"other".to_vec() };
    let error = archive.append(&[other], &message()).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
}

#[test]
fn ref_that_moved_between_read_and_write_is_not_overwritten() {
    let scene = Scene::new();
    let clone = scene.clone("one");
    append(&clone, &["a/1"]);
    let archive = Archive::open(&clone, NAME).unwrap();
    let seen = archive.tip().unwrap().unwrap();
    let kept = archive.list(seen).unwrap();
    append(&clone, &["a/2"]);
    let (swap, _) = archive.rewrite(seen, &kept, &message()).unwrap();
    assert_eq!(swap, Swap::Moved);
    assert_eq!(paths(&clone), ["a/1", "a/2"]);
}

#[test]
fn local_writers_side_by_side_lose_nothing() {
    let scene = Scene::new();
    let clone = scene.clone("one");
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for writer in 0..8 {
            let (clone, barrier) = (&clone, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for run in 0..3 {
                    append(clone, &[&format!("{writer}/{run}")]);
                }
            });
        }
    });
    assert_eq!(paths(&clone).len(), 24);
    assert_eq!(git(&clone, &["rev-list", "--count", NAME]), "24");
}

#[test]
fn eight_clones_that_push_side_by_side_lose_nothing() {
    let scene = Scene::new();
    let clones: Vec<PathBuf> = (0..8).map(|writer| scene.clone(&format!("clone{writer}"))).collect();
    let barrier = Barrier::new(clones.len());
    thread::scope(|scope| {
        for (writer, clone) in clones.iter().enumerate() {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                for run in 0..2 {
                    append(clone, &[&format!("{writer}/{run}")]);
                    push(clone).unwrap();
                }
            });
        }
    });
    let everything: Vec<String> =
        (0..8).flat_map(|writer| (0..2).map(move |run| format!("{writer}/{run}"))).collect();
    assert_eq!(paths(&scene.remote()), everything);
    git(&scene.remote(), &["fsck", "--strict"]);
    // The history is one line: no push brought a merge.
    assert_eq!(git(&scene.remote(), &["rev-list", "--merges", "--count", NAME]), "0");
}

#[test]
fn clone_that_is_behind_gets_what_others_sent() {
    let scene = Scene::new();
    let (one, two) = (scene.clone("one"), scene.clone("two"));
    append(&one, &["a/1"]);
    assert_eq!(push(&one).unwrap().sent, 1);
    append(&two, &["a/2"]);
    let pushed = push(&two).unwrap();
    assert_eq!((pushed.sent, pushed.attempts), (1, 1));
    let archive = Archive::open(&one, NAME).unwrap();
    let fetched = with_remote("origin", |remote| archive.fetch(remote, &message())).unwrap();
    assert_eq!((fetched.local, fetched.remote, fetched.unsent), (pushed.tip, pushed.tip, 0));
    assert_eq!(paths(&one), ["a/1", "a/2"]);
    assert_eq!(push(&one).unwrap().sent, 0);
    let refs = git(&one, &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/tollgate/history\nrefs/tollgate/remotes/origin/history");
    assert!(!one.join(".git/FETCH_HEAD").exists());
}

#[test]
fn pruned_files_do_not_come_back_and_unsent_ones_are_not_pruned() {
    let scene = Scene::new();
    let (one, two) = (scene.clone("one"), scene.clone("two"));
    append(&one, &["new/1", "old/1"]);
    push(&one).unwrap();
    append(&two, &["new/2"]);
    push(&two).unwrap();
    append(&two, &["old/unsent"]);
    assert_eq!(prune(&one, "new"), 1);
    assert_eq!(paths(&scene.remote()), ["new/1", "new/2"]);
    assert_eq!(git(&scene.remote(), &["rev-list", "--count", NAME]), "1");
    push(&two).unwrap();
    assert_eq!(paths(&scene.remote()), ["new/1", "new/2", "old/unsent"]);
    assert_eq!(paths(&two), paths(&scene.remote()));
    assert_eq!(git(&scene.remote(), &["rev-list", "--count", NAME]), "2");
}

#[test]
fn pruning_beside_pushing_loses_no_new_file() {
    let scene = Scene::new();
    let clones: Vec<PathBuf> = (0..4).map(|writer| scene.clone(&format!("clone{writer}"))).collect();
    append(&clones[0], &["old/1", "old/2"]);
    push(&clones[0]).unwrap();
    let barrier = Barrier::new(clones.len());
    thread::scope(|scope| {
        for (writer, clone) in clones.iter().enumerate() {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                if writer == 0 {
                    prune(clone, "new");
                    return;
                }
                append(clone, &[&format!("new/{writer}")]);
                push(clone).unwrap();
            });
        }
    });
    assert_eq!(paths(&scene.remote()), ["new/1", "new/2", "new/3"]);
}

#[test]
fn remote_that_refuses_is_told_from_one_that_is_not_there() {
    let scene = Scene::new();
    let clone = scene.clone("one");
    append(&clone, &["a/1"]);
    let archive = Archive::open(&clone, NAME).unwrap();
    let error = with_remote("upstream", |remote| archive.push(remote, &message())).unwrap_err();
    assert_eq!(error.to_string(), "the repository has no remote `upstream`");
    let hook = scene.remote().join("hooks/update");
    std::fs::write(&hook, "#!/bin/sh\necho no entry >&2\nexit 1\n").unwrap();
    git(&scene.remote(), &["config", "core.hooksPath", "hooks"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let error = push(&clone).unwrap_err();
    assert!(matches!(error, Error::Denied { verb: "update", .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("right to push"));
    std::fs::rename(scene.remote(), scene.folder.path().join("moved.git")).unwrap();
    let error = push(&clone).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    git(&clone, &["remote", "set-url", "origin", "https://127.0.0.1:1/x.git"]);
    let error = push(&clone).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert_eq!(paths(&clone), ["a/1"]);
}

#[test]
fn push_from_inside_a_hook_goes_to_the_right_repository() {
    let scene = Scene::new();
    let clone = scene.clone("one");
    append(&clone, &["a/1"]);
    // What git sets for its hooks, pointing elsewhere, must not reach our git.
    let spec = super::program::exchange(&clone.join(".git"), &["rev-parse", NAME], Duration::from_secs(60));
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        assert!(spec.environment.contains(&(name.into(), None)), "{name} is not removed");
    }
}

#[test]
fn interrupted_push_says_so_and_keeps_what_was_recorded() {
    let scene = Scene::new();
    let clone = scene.clone("one");
    append(&clone, &["a/1"]);
    let archive = Archive::open(&clone, NAME).unwrap();
    let interrupt = Interrupt::new();
    interrupt.request("SIGINT");
    let remote =
        Remote { name: "origin", interrupt: &interrupt, timeout: Duration::from_secs(60), pauses: &[] };
    assert!(matches!(archive.push(&remote, &message()), Err(Error::Interrupted("SIGINT"))));
    assert_eq!(paths(&clone), ["a/1"]);
}

#[cfg(unix)]
#[test]
fn remote_that_never_answers_is_given_up() {
    let scene = Scene::new();
    let clone = scene.clone("one");
    append(&clone, &["a/1"]);
    git(&clone, &["remote", "set-url", "origin", "ssh://somewhere/x.git"]);
    git(&clone, &["config", "core.sshCommand", "sleep 600 #"]);
    let archive = Archive::open(&clone, NAME).unwrap();
    let interrupt = Interrupt::new();
    let patience = Duration::from_millis(500);
    let remote = Remote { name: "origin", interrupt: &interrupt, timeout: patience, pauses: &[] };
    let error = archive.push(&remote, &message()).unwrap_err();
    assert!(error.to_string().contains("no answer within 0.5 s"), "{error}");
}

#[test]
fn lock_file_left_by_a_killed_process_is_cleared_away() {
    let scene = Scene::new();
    let clone = scene.clone("one");
    append(&clone, &["a/1"]);
    let lock = clone.join(".git/refs/tollgate/history.lock");
    let left = std::fs::File::create(&lock).unwrap();
    let archive = Archive::open(&clone, NAME).unwrap();
    let error = archive.append(&[file("a/2")], &message()).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "a fresh lock is respected: {error}");
    let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    left.set_modified(hour_ago).unwrap();
    archive.append(&[file("a/2")], &message()).unwrap();
    assert_eq!(paths(&clone), ["a/1", "a/2"]);
}

#[test]
fn shallow_and_partial_clones_exchange_whole_histories() {
    let scene = Scene::new();
    let one = scene.clone("one");
    git(&one, &["commit", "-q", "--allow-empty", "-m", "first"]);
    git(&one, &["commit", "-q", "--allow-empty", "-m", "second"]);
    git(&one, &["push", "-q", "origin", "HEAD:main"]);
    git(&scene.remote(), &["config", "uploadpack.allowFilter", "true"]);
    git(&scene.remote(), &["symbolic-ref", "HEAD", "refs/heads/main"]);
    append(&one, &["a/1"]);
    append(&one, &["a/2"]);
    push(&one).unwrap();
    let url = format!("file://{}", scene.remote().display());
    for option in ["--depth=1", "--filter=blob:none"] {
        let name = option.trim_start_matches("--").replace([':', '='], "-");
        git(scene.folder.path(), &["clone", "-q", option, &url, &name]);
        let clone = scene.folder.path().join(&name);
        append(&clone, &[&format!("a/{name}")]);
        push(&clone).unwrap();
        let archive = Archive::open(&clone, NAME).unwrap();
        let all = archive.list(archive.tip().unwrap().unwrap()).unwrap();
        assert_eq!(archive.read(&all[0], 100).unwrap(), b"a/1");
    }
    assert_eq!(paths(&scene.remote()), ["a/1", "a/2", "a/depth-1", "a/filter-blob-none"]);
}

#[test]
fn commits_know_their_kin() {
    let scene = Scene::new();
    let clone = scene.clone("one");
    let commit = |name: &str| {
        git(&clone, &["commit", "-q", "--allow-empty", "-m", name]);
        git(&clone, &["rev-parse", "HEAD"])
    };
    let (first, second) = (commit("first"), commit("second"));
    git(&clone, &["checkout", "-q", "--detach", &first]);
    let side = commit("side");
    let commits = Commits::open(&clone).unwrap();
    assert_eq!(commits.kinship(&first, &first), Kinship::Same);
    assert_eq!(commits.kinship(&first, &second), Kinship::Ancestor);
    assert_eq!(commits.kinship(&second, &first), Kinship::Descendant);
    assert_eq!(commits.kinship(&second, &side), Kinship::Unrelated);
    assert_eq!(commits.kinship(&first, &"0".repeat(40)), Kinship::Unknown);
    assert_eq!(commits.distance(&first, &second), Some(1));
    assert_eq!(commits.distance("0", &second), None);
    assert_eq!(commits.resolve("HEAD"), Some(side.clone()));
    assert!(commits.contains(&side) && !commits.contains(&side[..7]) && !commits.is_shallow());
}

#[test]
fn folder_without_a_repository_is_an_error_with_help() {
    let folder = tempfile::tempdir().unwrap();
    let Err(error) = Archive::open(folder.path(), NAME) else { panic!("there is no repository") };
    assert!(error.hint().unwrap().contains("-C DIR"), "{error}");
}
