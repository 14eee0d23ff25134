//! Which commit each event is compared with, and what a shallow checkout fetches for it.

use super::{
    runner::{Ended, Job},
    scene::{Scene, nothing_was_run},
};
use serde_json::{Value, json};
use std::path::Path;

/// A stand-in that says with what it was started; the base is found before Tollgate runs.
const TELLS: &str = "[ \"$1\" != check ] || printf '<%s>\\n' \"$@\"; exit 4";

fn run(workspace: &Path, event: &str, payload: Value) -> Ended {
    Job::new(workspace, event, payload).program("tollgate", TELLS).run()
}

#[track_caller]
fn compares_with(ended: &Ended, base: &str) {
    let log = &ended.step("Gate").log;
    assert!(log.contains(&format!("<--base={base}>")), "not {base}: {ended:#?}");
}

#[test]
fn a_pull_requests_shallow_merge_is_compared_with_its_first_parent() {
    let scene = Scene::new("feature", 2);
    let workspace = scene.checkout(&scene.merge, 1);
    compares_with(&run(&workspace, "pull_request", scene.pull_request()), &scene.main);
}

#[test]
fn a_merge_that_is_newer_than_the_event_is_compared_with_what_it_was_merged_into() {
    let scene = Scene::new("feature", 1);
    let workspace = scene.checkout(&scene.merge, 1);
    let mut payload = scene.pull_request();
    payload["pull_request"]["base"]["sha"] = scene.fork_point.clone().into();
    compares_with(&run(&workspace, "pull_request", payload), &scene.main);
}

#[test]
fn a_pull_requests_head_is_compared_with_where_it_left_the_base_however_far_that_is() {
    let scene = Scene::new("feature", 60);
    let workspace = scene.checkout(&scene.head, 1);
    compares_with(&run(&workspace, "pull_request", scene.pull_request()), &scene.fork_point);
}

#[test]
fn a_merge_group_is_compared_with_its_base() {
    let scene = Scene::new("feature", 1);
    let workspace = scene.checkout(&scene.merge, 1);
    let payload = json!({"merge_group": {"base_sha": scene.main, "base_ref": "refs/heads/main", "head_sha": scene.merge}});
    compares_with(&run(&workspace, "merge_group", payload), &scene.main);
}

#[test]
fn a_push_is_compared_with_the_commit_before_it_and_a_new_branch_with_where_it_began() {
    let scene = Scene::new("feature", 3);
    let workspace = scene.checkout(&scene.main, 1);
    let repository = json!({"default_branch": "main"});
    let before = json!({"before": scene.fork_point, "repository": repository});
    compares_with(&run(&workspace, "push", before), &scene.fork_point);
    std::fs::remove_dir_all(&workspace).unwrap();

    let workspace = scene.checkout(&scene.head, 1);
    let fresh = json!({"before": "0".repeat(40), "repository": repository});
    compares_with(&run(&workspace, "push", fresh), &scene.fork_point);
    std::fs::remove_dir_all(&workspace).unwrap();

    // A forced push: the commit before it is on another line; where both lines part is compared with.
    let workspace = scene.checkout(&scene.head, 1);
    let forced = json!({"before": scene.main, "repository": repository});
    compares_with(&run(&workspace, "push", forced), &scene.fork_point);
    std::fs::remove_dir_all(&workspace).unwrap();

    // One whose commit before is nowhere any more: the parent is.
    let workspace = scene.checkout(&scene.main, 1);
    let lost = json!({"before": "1".repeat(40), "repository": repository});
    compares_with(&run(&workspace, "push", lost), &scene.fork_point);
}

#[test]
fn an_event_without_a_base_is_compared_with_the_default_branch() {
    let scene = Scene::new("feature", 2);
    let workspace = scene.checkout(&scene.head, 1);
    let payload = json!({"repository": {"default_branch": "main"}});
    compares_with(&run(&workspace, "workflow_dispatch", payload), &scene.fork_point);
}

#[test]
fn a_base_by_name_is_fetched_and_one_that_is_nowhere_says_so() {
    let scene = Scene::new("feature", 1);
    let workspace = scene.checkout(&scene.merge, 1);
    let named = |base: &str| {
        Job::new(&workspace, "push", json!({})).program("tollgate", TELLS).input("base", base).run()
    };
    compares_with(&named("feature"), &scene.head);
    compares_with(&named(&scene.fork_point), &scene.fork_point);
    let missing = named("no-such-branch");
    assert!(!missing.success && missing.output("outcome").is_empty());
    assert!(missing.log().contains("no such revision here or at `origin`"), "{}", missing.log());
}

#[test]
fn hostile_names_are_names_and_nothing_more() {
    let hostile = [
        "$(touch pwned)",
        "`touch pwned`",
        "; touch pwned;",
        "--upload-pack=touch pwned",
        "main\ntouch pwned",
        "' || touch pwned #",
        "+refs/heads/*:refs/pwned/*",
        "-c core.sshCommand=pwned",
    ];
    // What git allows in the name of a branch.
    let scene = Scene::new("$(touch${IFS}pwned);`touch${IFS}pwned`", 1);
    let workspace = scene.checkout(&scene.merge, 1);
    for name in hostile {
        let mut payload = scene.pull_request_from("stranger/anvil", name);
        payload["repository"]["default_branch"] = name.into();
        let job = Job::new(&workspace, "pull_request", payload).program("tollgate", TELLS);
        compares_with(&job.run(), &scene.main);
        nothing_was_run(&[&workspace, &job.temp()]);

        let job = Job::new(&workspace, "push", json!({"repository": {"default_branch": name}}))
            .program("tollgate", TELLS)
            .input("base", name);
        assert!(!job.run().success, "{name}");
        let dispatched =
            Job::new(&workspace, "push", json!({"before": name, "repository": {"default_branch": name}}))
                .program("tollgate", TELLS);
        dispatched.run();
        nothing_was_run(&[&workspace, &job.temp(), &dispatched.temp()]);
        let refs = crate::support::repository::git(&workspace, &["for-each-ref"]);
        assert!(!refs.contains("pwned"), "{refs}");
    }
}

#[test]
fn a_base_that_cannot_be_fetched_names_the_one_line_to_add() {
    let scene = Scene::new("feature", 3);
    let workspace = scene.checkout(&scene.head, 1);
    crate::support::repository::git(&workspace, &["remote", "set-url", "origin", "file:///nowhere/at/all"]);
    let ended = run(&workspace, "pull_request", scene.pull_request());
    assert!(!ended.success);
    assert!(ended.log().contains("add `fetch-depth: 0`"), "{}", ended.log());
}

#[test]
fn a_folder_without_a_repository_says_what_is_missing() {
    let (workspace, job) = Job::anywhere();
    let ended = job.program("tollgate", TELLS).run();
    assert!(!ended.success);
    assert!(ended.log().contains("run actions/checkout"), "{}", ended.log());
    drop(workspace);
}
