//! A job with the action in it, run as GitHub's runner runs composite steps.
//!
//! The rules are the runner's (`ScriptHandlerHelpers.cs`, `CompositeActionHandler.cs`, `FileCommandManager.cs`): the exact bash
//! line over a script file, no `INPUT_*` for composite steps, new command files for each step, environment and path for later
//! steps only, and after a failure only steps that ask for it. `uses:` is written down, not run.

use super::expression::{self, Contexts};
use serde_json::{Map, Value, json};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What was given to the job.
pub(crate) struct Job {
    folder: tempfile::TempDir,
    workspace: PathBuf,
    event: (String, Value),
    inputs: BTreeMap<String, String>,
    environment: Vec<(String, String)>,
}

/// A step that ran.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) code: i32,
    pub(crate) log: String,
    pub(crate) summary: String,
}

/// What a job came to.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Whether every step succeeded.
    pub(crate) success: bool,
    /// The steps that ran, in order.
    pub(crate) steps: Vec<Step>,
    /// Other actions that were used, with what they were given.
    pub(crate) used: Vec<(String, BTreeMap<String, String>)>,
    /// The action's outputs.
    pub(crate) outputs: BTreeMap<String, String>,
}

impl Ended {
    /// The step of this name.
    #[track_caller]
    pub(crate) fn step(&self, name: &str) -> &Step {
        self.steps
            .iter()
            .find(|step| step.name == name)
            .unwrap_or_else(|| panic!("no step {name}: {self:#?}"))
    }

    /// An output of the action.
    pub(crate) fn output(&self, name: &str) -> &str {
        &self.outputs[name]
    }

    /// All that was printed.
    pub(crate) fn log(&self) -> String {
        self.steps.iter().map(|step| step.log.as_str()).collect()
    }
}

/// The state between steps.
#[derive(Default)]
struct State {
    outputs: BTreeMap<String, String>,
    environment: Vec<(String, String)>,
    path: Vec<String>,
}

struct Scope<'a> {
    job: &'a Job,
    inputs: BTreeMap<String, String>,
    state: &'a RefCell<State>,
}

impl Contexts for Scope<'_> {
    fn value(&self, path: &str) -> String {
        let (context, rest) = path.split_once('.').unwrap();
        match context {
            "inputs" => self.inputs.get(rest).unwrap_or_else(|| panic!("no input {rest}")).clone(),
            "steps" => self.state.borrow().outputs.get(rest).cloned().unwrap_or_default(),
            "github" => match rest.strip_prefix("event.") {
                Some(rest) => expression::lookup(&self.job.event.1, rest),
                None => TOKEN.to_owned(),
            },
            _ => panic!("{path}"),
        }
    }
}

/// The token of every job; it must not be found in any log.
pub(crate) const TOKEN: &str = "ghs_secretsecretsecret";

/// The action, parsed.
pub(crate) fn action() -> Value {
    serde_yaml_ng::from_str(&fs::read_to_string(root().join("action.yml")).unwrap()).unwrap()
}

/// The project's root, which is the action's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Job {
    /// A job in `workspace`, with the built `tollgate` on its path.
    pub(crate) fn new(workspace: &Path, event: &str, payload: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["bin", "temp", "home"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let job = Self {
            folder,
            workspace: workspace.to_owned(),
            event: (event.to_owned(), payload),
            inputs: BTreeMap::new(),
            environment: Vec::new(),
        };
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tollgate"), job.bin().join("tollgate")).unwrap();
        job.input("version", "installed")
    }

    /// The same inputs, in a job of its own.
    pub(crate) fn again(&self) -> Self {
        let mut job = Self::new(&self.workspace, &self.event.0, self.event.1.clone());
        job.inputs.clone_from(&self.inputs);
        job.environment.clone_from(&self.environment);
        job
    }

    /// A job without an event's details, in an empty folder of its own.
    pub(crate) fn anywhere() -> (tempfile::TempDir, Self) {
        let workspace = tempfile::tempdir().unwrap();
        let job = Self::new(workspace.path(), "workflow_dispatch", json!({}));
        (workspace, job)
    }

    /// Sets an input.
    pub(crate) fn input(mut self, name: &str, value: &str) -> Self {
        self.inputs.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets a variable of the runner.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Puts a shell script on the path, before everything else.
    pub(crate) fn program(self, name: &str, script: &str) -> Self {
        let path = self.bin().join(name);
        let _ = fs::remove_file(&path);
        write_program(&path, script);
        self
    }

    /// Takes a program off the path.
    pub(crate) fn without(self, name: &str) -> Self {
        fs::remove_file(self.bin().join(name)).unwrap();
        self
    }

    /// The runner's folder for temporary files.
    pub(crate) fn temp(&self) -> PathBuf {
        self.folder.path().join("temp")
    }

    fn bin(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    /// Runs the action.
    pub(crate) fn run(&self) -> Ended {
        let action = action();
        let state = RefCell::default();
        let scope = Scope { job: self, inputs: self.all_inputs(&action), state: &state };
        let mut ended =
            Ended { success: true, steps: Vec::new(), used: Vec::new(), outputs: BTreeMap::new() };
        for (number, step) in action["runs"]["steps"].as_array().unwrap().iter().enumerate() {
            let condition = step["if"].as_str();
            // Without a status function a condition is `success() && (…)`.
            if !ended.success && !condition.is_some_and(|text| text.contains("always()")) {
                continue;
            }
            if !condition.is_none_or(|text| expression::holds(text, &scope)) {
                continue;
            }
            match step["uses"].as_str() {
                Some(uses) => {
                    ended.used.push((uses.to_owned(), filled(&step["with"], &scope)));
                    self.pretend(step, &state);
                }
                None => {
                    let ran = self.run_step(number, step, &scope);
                    ended.success &= ran.code == 0;
                    ended.steps.push(ran);
                }
            }
        }
        for (name, output) in action["outputs"].as_object().unwrap() {
            ended.outputs.insert(name.clone(), expression::fill(output["value"].as_str().unwrap(), &scope));
        }
        assert!(!ended.log().contains(TOKEN), "the token was printed: {ended:#?}");
        ended
    }

    /// What the actions that are not run would put out.
    fn pretend(&self, step: &Value, state: &RefCell<State>) {
        if let Some(id) = step["id"].as_str() {
            let name = format!("{id}.outputs.artifact-url");
            state.borrow_mut().outputs.insert(name, "https://github.example/artifacts/1".into());
        }
    }

    fn all_inputs(&self, action: &Value) -> BTreeMap<String, String> {
        let declared = action["inputs"].as_object().unwrap();
        for name in self.inputs.keys() {
            assert!(declared.contains_key(name), "the action has no input `{name}`");
        }
        let value = |name: &String, input: &Value| {
            let default = input["default"].as_str().unwrap();
            let default = if default.contains("github.token") { TOKEN } else { default };
            self.inputs.get(name).map_or(default.to_owned(), Clone::clone)
        };
        declared.iter().map(|(name, input)| (name.clone(), value(name, input))).collect()
    }

    fn run_step(&self, number: usize, step: &Value, scope: &Scope<'_>) -> Step {
        let files = self.folder.path().join(format!("step{number}"));
        fs::create_dir_all(&files).unwrap();
        for name in FILES {
            fs::write(files.join(name), "").unwrap();
        }
        let script = files.join("script.sh");
        fs::write(&script, step["run"].as_str().unwrap()).unwrap();
        assert_eq!(step["shell"], "bash", "a composite step names its shell");
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(&script)
            .current_dir(&self.workspace)
            .env_clear()
            .envs(self.defaults())
            .envs(scope.state.borrow().environment.iter().cloned())
            .env("PATH", self.path(&scope.state.borrow().path))
            .envs(FILES.map(|name| (name, files.join(name))))
            .envs(filled(&step["env"], scope))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let read = |name: &str| fs::read_to_string(files.join(name)).unwrap();
        let mut state = scope.state.borrow_mut();
        for (name, value) in pairs(&read("GITHUB_OUTPUT")) {
            state.outputs.insert(format!("{}.outputs.{name}", step["id"].as_str().unwrap()), value);
        }
        state.environment.extend(pairs(&read("GITHUB_ENV")));
        state.path.extend(read("GITHUB_PATH").lines().filter(|line| !line.is_empty()).map(str::to_owned));
        Step {
            name: step["name"].as_str().unwrap().to_owned(),
            code: output.status.code().unwrap_or(-1),
            log: String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
            summary: read("GITHUB_STEP_SUMMARY"),
        }
    }

    /// The documented default variables.
    fn defaults(&self) -> Vec<(String, String)> {
        let event = self.folder.path().join("event.json");
        fs::write(&event, self.event.1.to_string()).unwrap();
        let text = |path: &Path| path.display().to_string();
        let mut variables: Vec<(String, String)> = [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", "http://127.0.0.1:9"),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_REPOSITORY", "acme/anvil"),
            ("GITHUB_RUN_ID", "17"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_ACTOR", "someone"),
            ("RUNNER_OS", "Linux"),
            ("RUNNER_ARCH", "X64"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        variables.extend([
            ("GITHUB_ACTION_PATH".to_owned(), text(root())),
            ("GITHUB_WORKSPACE".to_owned(), text(&self.workspace)),
            ("GITHUB_EVENT_NAME".to_owned(), self.event.0.clone()),
            ("GITHUB_EVENT_PATH".to_owned(), text(&event)),
            ("RUNNER_TEMP".to_owned(), text(&self.temp())),
            ("HOME".to_owned(), text(&self.folder.path().join("home"))),
        ]);
        for name in ["CARGO_HOME", "RUSTUP_HOME"] {
            let folder = std::env::var(name).ok().or_else(|| {
                let home = std::env::home_dir()?;
                Some(text(&home.join(if name == "CARGO_HOME" { ".cargo" } else { ".rustup" })))
            });
            variables.extend(folder.map(|folder| (name.to_owned(), folder)));
        }
        variables.extend(self.environment.iter().cloned());
        variables
    }

    fn path(&self, added: &[String]) -> String {
        let outer = std::env::var("PATH").unwrap();
        let mut folders: Vec<String> = added.iter().rev().cloned().collect();
        folders.push(self.bin().display().to_string());
        // Only the program that a test put there may be found.
        let others = outer.split(':').filter(|folder| !Path::new(folder).join("tollgate").exists());
        folders.extend(others.map(str::to_owned));
        folders.join(":")
    }
}

const FILES: [&str; 5] =
    ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"];

/// Writes an executable shell script.
pub(crate) fn write_program(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, format!("#!/usr/bin/env bash\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn filled(map: &Value, scope: &Scope<'_>) -> BTreeMap<String, String> {
    let empty = Map::new();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let map = map.as_object().unwrap_or(&empty);
    map.iter().map(|(name, value)| (name.clone(), expression::fill(&text(value), scope))).collect()
}

/// `name=value` and `name<<DELIMITER` lines.
fn pairs(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("no `name=value`: {line}"));
            (name.to_owned(), value.to_owned())
        })
        .collect()
}
