//! The hook beside other hooks, in every place that git takes hooks from.

use super::{Scene, pushed};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

/// Installs a hook of somebody else, then ours in front of it.
fn beside(scene: &Scene, text: &str, mode: u32) -> PathBuf {
    scene.tollgate(&["hook", "uninstall"]).exits(0);
    let hook = scene.root().join(".git/hooks/pre-push");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, text).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(mode)).unwrap();
    scene.tollgate(&["hook", "install"]).exits(0);
    hook
}

#[test]
fn the_hook_that_was_there_runs_first_with_the_same_input_and_its_failure_stops_the_push() {
    let scene = Scene::new();
    let reader = "#!/bin/sh\ncat > .git/seen\nprintf '%s|' \"$@\" > .git/arguments\necho theirs\n";
    let hook = beside(&scene, reader, 0o755);
    let first = scene.git(&["rev-parse", "HEAD"]);
    let second = scene.change("2\n");
    let ran = scene.push(&["origin", "main"]).exits(0).says("theirs").says("`main` (");
    assert!(ran.stderr.find("theirs") < ran.stderr.find("tollgate: `main`"), "{}", ran.stderr);
    let seen = fs::read_to_string(scene.root().join(".git/seen")).unwrap();
    assert_eq!(seen, format!("refs/heads/main {second} refs/heads/main {first}\n"));
    let arguments = fs::read_to_string(scene.root().join(".git/arguments")).unwrap();
    assert_eq!(arguments, format!("origin|{}|", scene.remote.display()));
    // No lines are no lines for it too.
    scene.push(&["origin", "main"]).exits(0).says("theirs").hides("tollgate");
    assert_eq!(fs::read_to_string(scene.root().join(".git/seen")).unwrap(), "");

    scene.tollgate(&["hook", "uninstall"]).exits(0);
    assert_eq!(fs::read_to_string(&hook).unwrap(), reader);
    assert!(!hook.with_file_name("pre-push.pre-tollgate").exists());

    beside(&scene, "#!/bin/sh\necho no >&2\nexit 7\n", 0o755);
    scene.change("3\n");
    scene.push(&["origin", "main"]).exits(1).says("no\n").hides("tollgate: `main`");
    assert_eq!(scene.there("refs/heads/main"), Some(second));
    // One that does not read, and one that git itself would not run.
    beside(&scene, "#!/bin/sh\nexit 0\n", 0o755);
    scene.push(&["origin", "main"]).exits(0).says("tollgate: `main`");
    let off = beside(&scene, "#!/bin/sh\nexit 1\n", 0o644);
    scene.change("4\n");
    scene.push(&["origin", "main"]).exits(0).says("tollgate: `main`");
    scene.tollgate(&["hook", "uninstall"]).exits(0);
    assert_eq!(fs::metadata(&off).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn installing_twice_is_installing_once_and_a_dry_run_changes_nothing() {
    let scene = Scene::new();
    let hook = scene.root().join(".git/hooks/pre-push");
    let text = fs::read_to_string(&hook).unwrap();
    let again = scene.tollgate(&["hook", "install"]).exits(0);
    assert!(again.stdout.contains("it is as it should be"), "{}", again.stdout);
    assert_eq!(fs::read_to_string(&hook).unwrap(), text);
    scene.tollgate(&["hook", "install", "--budget", "30s", "--dry-run"]).exits(0);
    assert_eq!(fs::read_to_string(&hook).unwrap(), text);
    scene.tollgate(&["hook", "install", "--budget", "30s"]).exits(0);
    assert!(fs::read_to_string(&hook).unwrap().contains("pre-push --budget 30s -- \"$@\""));
    scene.tollgate(&["hook", "uninstall", "--dry-run"]).exits(0);
    assert!(hook.exists());
    scene.tollgate(&["hook", "uninstall"]).exits(0);
    assert!(!hook.exists());
    scene.tollgate(&["hook", "uninstall"]).exits(0);
    fs::write(&hook, text.clone() + "echo mine\n").unwrap();
    let refused = scene.tollgate(&["hook", "install"]).exits(2);
    assert!(
        refused.stderr.contains("edited since") && refused.stderr.contains("help: "),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::read_to_string(&hook).unwrap(), text + "echo mine\n");
}

#[test]
fn git_is_asked_where_hooks_are() {
    let scene = Scene::new();
    scene.tollgate(&["hook", "uninstall"]).exits(0);
    scene.git(&["config", "core.hooksPath", "my hooks"]);
    fs::create_dir(scene.root().join("sub")).unwrap();
    let told = scene.tollgate(&["-C", "sub", "hook", "install"]).exits(0);
    assert!(told.stdout.contains("lies in the work tree"), "{}", told.stdout);
    assert!(scene.root().join("my hooks/pre-push").exists());
    scene.change("2\n");
    scene.push(&["origin", "main"]).exits(0).says("tollgate: `main`");
    scene.tollgate(&["hook", "uninstall"]).exits(0);
    assert!(!scene.root().join("my hooks").exists());

    // In a linked worktree the hooks are those of the repository.
    scene.git(&["config", "--unset", "core.hooksPath"]);
    let linked = scene.repository.cache().with_file_name("linked");
    scene.git(&["worktree", "add", "--quiet", "-b", "side", linked.to_str().unwrap()]);
    scene.tollgate(&["-C", linked.to_str().unwrap(), "hook", "install"]).exits(0);
    assert!(scene.root().join(".git/hooks/pre-push").exists());

    // A hook of the configuration is another of ours already.
    scene.tollgate(&["hook", "uninstall"]).exits(0);
    scene.git(&["config", "hook.gate.event", "pre-push"]);
    scene.git(&["config", "hook.gate.command", "tollgate hook run pre-push"]);
    let told = scene.tollgate(&["hook", "install"]).exits(0);
    assert!(told.stdout.contains("`hook.gate.command`"), "{}", told.stdout);
    // An older git knows no such hooks, and needs the file.
    let runs = told.stdout.contains("runs it already");
    assert_eq!(scene.root().join(".git/hooks/pre-push").exists(), !runs, "{}", told.stdout);
    scene.git(&["config", "--remove-section", "hook.gate"]);
    // The hooks of all repositories are nobody's to change from one of them.
    let (shared, settings) =
        (scene.repository.cache().with_file_name("shared"), scene.root().join("settings"));
    fs::create_dir(&shared).unwrap();
    fs::write(&settings, format!("[core]\n\thooksPath = {}\n", shared.display())).unwrap();
    let mut install = crate::support::tollgate::command(scene.root());
    install.env("GIT_CONFIG_GLOBAL", &settings).args(["hook", "install"]);
    pushed(install)
        .exits(2)
        .says("the hooks of all your repositories")
        .says("git config core.hooksPath .git/hooks");
    assert_eq!(fs::read_dir(&shared).unwrap().count(), 0);
    let nowhere = tempfile::tempdir().unwrap();
    let refused = scene.tollgate(&["-C", nowhere.path().to_str().unwrap(), "hook", "install"]).exits(2);
    assert!(refused.stderr.contains("is not in a git repository"), "{}", refused.stderr);
}

#[test]
fn a_program_that_is_gone_is_looked_for_and_then_lets_the_push_go() {
    let scene = Scene::new();
    let program = scene.repository.cache().with_file_name("tollgate");
    fs::copy(env!("CARGO_BIN_EXE_tollgate"), &program).unwrap();
    scene.tollgate(&["hook", "uninstall"]).exits(0);
    let mut install = std::process::Command::new(&program);
    install.args(["hook", "install"]).current_dir(scene.root());
    pushed(install).exits(0);
    scene.change("2\n");
    scene.push(&["origin", "main"]).exits(0).says("tollgate: `main`");

    fs::remove_file(&program).unwrap();
    scene.change("3\n");
    let mut gone = scene.pusher(scene.root(), &["origin", "main"]);
    gone.env("PATH", "/usr/bin:/bin");
    pushed(gone).exits(0).says("is gone or too old, so the push goes on").hides("against");
    scene.change("4\n");
    let mut found = scene.pusher(scene.root(), &["origin", "main"]);
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_tollgate")).parent().unwrap().display().to_string();
    found.env("PATH", format!("{folder}:/usr/bin:/bin"));
    pushed(found).exits(0).says("tollgate: `main`");
    // One that does not know the command is as good as none.
    let old = program.with_file_name("old");
    fs::create_dir(&old).unwrap();
    fs::write(old.join("tollgate"), "#!/bin/sh\necho 'unknown command' >&2; exit 2\n").unwrap();
    fs::set_permissions(old.join("tollgate"), fs::Permissions::from_mode(0o755)).unwrap();
    scene.change("5\n");
    let mut too_old = scene.pusher(scene.root(), &["origin", "main"]);
    too_old.env("PATH", format!("{}:/usr/bin:/bin", old.display()));
    pushed(too_old).exits(0).says("is gone or too old");
}
