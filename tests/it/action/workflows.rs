//! The action, the workflows and the templates of `init` keep to the rules that make them safe.

use super::runner::{action, root};
use serde_json::Value;
use std::{fs, path::PathBuf};

/// Every workflow: those of this repository and those that `init` writes.
fn workflows() -> Vec<(String, Value)> {
    let templates = root().join("src/commands/init/files");
    let folders = [root().join(".github/workflows"), templates];
    let mut paths: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yml") && !path.ends_with("gitlab.yml"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 8, "{paths:?}");
    paths.iter().map(|path| (path.display().to_string(), parse(&fs::read_to_string(path).unwrap()))).collect()
}

fn parse(text: &str) -> Value {
    let text = text.replace("@BRANCH@", "main").replace("@VERSION@", "0.1.0");
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn jobs(workflow: &Value) -> impl Iterator<Item = (&String, &Value)> {
    workflow["jobs"].as_object().unwrap().iter()
}

fn steps(job: &Value) -> &Vec<Value> {
    job["steps"].as_array().unwrap()
}

#[test]
fn every_workflow_grants_nothing_at_the_top_and_little_below() {
    for (path, workflow) in workflows() {
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{path}");
        assert!(workflow["concurrency"]["group"].is_string(), "{path}");
        assert!(workflow["on"].get("pull_request_target").is_none(), "{path}");
        for (name, job) in jobs(&workflow) {
            assert!(job["timeout-minutes"].is_u64(), "{path}: {name} may run for hours");
            let permissions = job["permissions"].as_object().unwrap_or_else(|| panic!("{path}: {name}"));
            let writes = permissions.values().any(|level| level == "write");
            let measures = steps(job).iter().any(|step| {
                let command = step["with"]["command"].as_str();
                let gate = step["uses"]
                    .as_str()
                    .is_some_and(|uses| uses == "./" || uses.starts_with("tollgate-rs/"))
                    && !matches!(command, Some("install" | "comment"));
                gate || step["run"]
                    .as_str()
                    .is_some_and(|run| run.contains("tollgate run") || run.contains("cargo "))
            });
            assert!(!(writes && measures), "{path}: {name} runs measured code beside a token that can write");
        }
    }
}

#[test]
fn foreign_actions_are_pinned_and_checkouts_keep_no_credentials() {
    let composite = action();
    let mut all: Vec<(String, Value)> = vec![("action.yml".into(), composite["runs"].clone())];
    for (path, workflow) in workflows() {
        all.extend(jobs(&workflow).map(|(name, job)| (format!("{path}: {name}"), job.clone())));
    }
    for (place, job) in all {
        for step in steps(&job) {
            let Some(uses) = step["uses"].as_str() else { continue };
            if uses == "./" || uses.starts_with("tollgate-rs/tollgate@v") {
                continue;
            }
            let (_, hash) = uses.split_once('@').unwrap_or_else(|| panic!("{place}: {uses}"));
            assert!(hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{place}: {uses}");
            if uses.starts_with("actions/checkout@") {
                let keeps = step["with"]["persist-credentials"] != Value::Bool(false);
                let pushes = steps(&job)
                    .iter()
                    .any(|step| step["run"].as_str().is_some_and(|run| run.contains("--push")));
                assert_eq!(keeps, pushes, "{place}: {uses}");
            }
        }
    }
}

#[test]
fn no_expression_stands_in_a_script() {
    let composite = action();
    let mut scripts: Vec<String> = Vec::new();
    let mut collect = |job: &Value| {
        scripts.extend(steps(job).iter().filter_map(|step| step["run"].as_str().map(str::to_owned)));
    };
    collect(&composite["runs"]);
    for (_, workflow) in workflows() {
        jobs(&workflow).for_each(|(_, job)| collect(job));
    }
    assert!(scripts.len() > 10);
    for script in scripts {
        assert!(!script.contains("${{"), "{script}");
    }
}

#[test]
fn every_input_is_used_and_every_variable_of_a_step_is_read() {
    let composite = action();
    let text = composite["runs"].to_string();
    for name in composite["inputs"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("inputs.{name} ")), "input `{name}` does nothing");
    }
    for step in steps(&composite["runs"]) {
        let Some(run) = step["run"].as_str() else { continue };
        let script = run.split("scripts/action/").nth(1).unwrap().trim_end_matches('"');
        let script = fs::read_to_string(root().join("scripts/action").join(script)).unwrap();
        for name in step["env"].as_object().unwrap().keys() {
            let read =
                script.lines().any(|line| !line.starts_with('#') && line.contains(&format!("${name}")))
                    || script.contains(&format!("${{{name}"));
            // The token of the report is read by the program.
            assert!(read || name == "GITHUB_TOKEN", "{name} of {run}");
        }
    }
}

#[test]
fn the_fork_pair_fits_together() {
    for (check, comment) in [
        (".github/workflows/tollgate.yml", ".github/workflows/tollgate-comment.yml"),
        ("src/commands/init/files/github-check.yml", "src/commands/init/files/github-comment.yml"),
    ] {
        let [check, comment] =
            [check, comment].map(|path| parse(&fs::read_to_string(root().join(path)).unwrap()));
        // What starts the trusted job is the name of the untrusted one.
        assert_eq!(comment["on"]["workflow_run"]["workflows"][0], check["name"]);
        // Always started, so that it can be required.
        assert!(check["on"]["pull_request"].get("paths").is_none());
        assert!(check["on"].get("merge_group").is_some());
        let download = &steps(&comment["jobs"]["comment"]).iter().find(|step| {
            step["uses"].as_str().is_some_and(|uses| uses.starts_with("actions/download-artifact@"))
        });
        let pattern = download.unwrap()["with"]["pattern"].as_str().unwrap();
        let prefix = fs::read_to_string(root().join("scripts/action/gate.sh")).unwrap();
        assert!(prefix.contains(&pattern.replace('*', "$NAME")));
        // Nothing of the pull request is checked out where the token can write.
        for step in steps(&comment["jobs"]["comment"]) {
            let reference = step["with"]["ref"].as_str().unwrap_or_default();
            assert!(!reference.contains("workflow_run"), "{reference}");
        }
    }
}

#[test]
fn the_gitlab_file_keeps_what_gitlab_reads() {
    let file = parse(&fs::read_to_string(root().join("src/commands/init/files/gitlab.yml")).unwrap());
    let job = &file["tollgate"];
    let script = job["script"][0].as_str().unwrap();
    for (key, format) in [("junit", "junit="), ("codequality", "code-quality=")] {
        let path = job["artifacts"]["reports"][key].as_str().unwrap();
        assert!(script.contains(&format!("--output {format}{path}")), "{script}");
    }
    assert_eq!(job["artifacts"]["when"], "always");
}
