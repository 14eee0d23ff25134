//! Tools that write hooks themselves.

use super::Scene;
use std::fs;
use tollgate::git::hooks::Manager;

#[test]
fn where_a_tool_writes_the_hooks_its_lines_are_printed_and_nothing_is_written() {
    let scene = Scene::new();
    scene.tollgate(&["hook", "uninstall"]).exits(0);
    let hook = scene.root().join(".git/hooks/pre-push");
    for (file, words) in [
        (".pre-commit-config.yaml", "entry: tollgate hook run pre-push, stages: [pre-push]"),
        ("lefthook.yml", "run: \"tollgate hook run pre-push {1} {2}\", use_stdin: true"),
    ] {
        scene.repository.write(file, "{}\n");
        let told = scene.tollgate(&["hook", "install"]).exits(0);
        assert!(told.stdout.contains(words), "{}", told.stdout);
        assert!(!hook.exists());
        fs::remove_file(scene.root().join(file)).unwrap();
    }
    let husky = scene.tollgate(&["hook", "install", "--manager", "husky", "--budget", "5s"]).exits(0);
    assert!(husky.stdout.ends_with("tollgate hook run pre-push --budget 5s \"$@\"\n"), "{}", husky.stdout);
    scene.repository.write("lefthook.yml", "{}\n");
    scene.tollgate(&["hook", "install", "--manager", "git"]).exits(0);
    assert!(hook.exists());
}

#[test]
fn the_page_about_hooks_shows_what_is_printed_and_keys_that_there_are() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/hook.md");
    let text = fs::read_to_string(path).unwrap();
    for manager in [Manager::PreCommit, Manager::Lefthook, Manager::Husky] {
        let lines = manager.lines("").unwrap();
        assert!(text.contains(&lines), "{lines}");
    }
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let file = tollgate::config::read::parse(example).unwrap();
    assert!(file.hook.budget.is_some() && file.hook.timeout.is_some());
}

#[test]
fn the_hook_that_we_offer_to_pre_commit_says_what_we_print() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml");
    let text = fs::read_to_string(path).unwrap();
    for line in [
        "id: tollgate",
        "entry: tollgate hook run pre-push",
        "stages: [pre-push]",
        "pass_filenames: false",
        "always_run: true",
    ] {
        assert!(text.contains(line), "{line}");
    }
}
