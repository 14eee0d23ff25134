//! What a check leaves behind below `target/tollgate`: its last results, and the state that a re-run goes on from.

use crate::{
    cargo::{
        invocation::Invocation,
        metadata::{self, Selection},
    },
    commands::{failure::Failure, session::Session},
    config::resolve::Settings,
    files::atomic,
    format::{run_v1, verdict_v1},
    git::Repository,
    load::{gate, script},
    model::{
        load::Aim,
        outcome::ErrorClass,
        run::{Measurement, Run},
        verdict::CheckVerdict,
    },
    process::Interrupt,
    report,
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// More states than this are of no use: the oldest go.
const MOST_STATES: usize = 40;
/// A state is as large as its samples; more than this is no state of ours.
const MAX_BYTES: u64 = 1 << 30;

/// The files of one pair of trees in one environment.
#[derive(Debug)]
pub(super) struct State {
    folder: PathBuf,
    file: PathBuf,
}

impl State {
    /// The state of a session: keyed by both trees, the environment and the shape of a slot. Margins and budgets are not in the
    /// key: slots that were measured stay measured, whatever is made of them.
    pub(super) fn of(session: &Session<'_>, settings: &Settings) -> Self {
        let builds = &session.builds;
        let tree = |revision: Option<&crate::model::revision::Revision>| {
            revision.and_then(|revision| revision.tree.clone()).unwrap_or_default()
        };
        let slot = format!("{:?} {:?}", settings.slot, settings.pin);
        let parts = [
            "state/1".to_owned(),
            tree(builds.base.as_ref()),
            tree(Some(&builds.head)),
            session.environment.key.as_str().to_owned(),
            format!("{:?}", settings.selection),
            settings.measure_identical.to_string(),
            slot,
        ];
        // A project without load scenarios keeps the states that it has.
        let loads = settings
            .loads
            .iter()
            .map(|scenario| format!("{scenario:?} {:?}", script::digests(&scenario.flows, &scenario.folder)));
        // A knee is of the limits that it was searched for by.
        let has_knee = settings.loads.iter().any(gate::metrics::wants_knee);
        let aim = has_knee.then(|| format!("{:?}", Aim::of(&settings.policy.targets)));
        let loads = loads.chain(aim).chain(settings.commands.iter().map(|program| format!("{program:?}")));
        let mut digest = Sha256::new();
        for part in parts.into_iter().chain(loads) {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        let name: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let folder = builds.state_folder.clone();
        Self { file: folder.join("state").join(name + ".json"), folder }
    }

    /// The folder of the last results.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What an earlier check measured. A state that cannot be read is as good as none: it is measured again.
    pub(super) fn load(&self) -> Option<Run> {
        let size = fs::metadata(&self.file).ok()?.len();
        let bytes = (size <= MAX_BYTES).then(|| fs::read(&self.file).ok()).flatten()?;
        run_v1::from_json(&bytes).ok()
    }

    /// Keeps what is measured so far.
    pub(super) fn save(&self, run: &Run, measurements: &[Measurement]) -> Result<(), Failure> {
        let run = Run { measurements: measurements.to_vec(), ..run.clone() };
        let states = self.file.parent().unwrap_or(&self.folder);
        fs::create_dir_all(states).map_err(|error| failed(states, &error))?;
        sweep(states, &self.file);
        write(&self.file, &run_v1::to_json(&run))
    }

    /// Keeps the last results under fixed names.
    pub(super) fn keep_results(&self, run: &Run, verdict: &CheckVerdict) -> Result<(), Failure> {
        fs::create_dir_all(&self.folder).map_err(|error| failed(&self.folder, &error))?;
        write(&self.folder.join("run.json"), &run_v1::to_json(run))?;
        write(&self.folder.join("verdict.json"), &verdict_v1::to_json(verdict))?;
        write(&self.folder.join("verdict.md"), report::markdown::render(verdict).as_bytes())
    }
}

/// Removes the last results, so that a check that fails leaves no old verdict that looks like its own.
pub(super) fn forget_results(directory: &Path, interrupt: &Interrupt) {
    if let Ok(repository) = Repository::discover(directory) {
        forget_results_in(&target_folder(&repository, interrupt).join("tollgate"));
    }
}

/// The same, of a folder that is known.
pub(super) fn forget_results_in(folder: &Path) {
    for name in ["run.json", "verdict.json", "verdict.md"] {
        // Mostly there is nothing to remove; what cannot be removed cannot be written either, and is told then.
        let _ = fs::remove_file(folder.join(name));
    }
}

/// Where cargo builds the work tree: the settings of cargo and its variables may put that anywhere.
fn target_folder(repository: &Repository, interrupt: &Interrupt) -> PathBuf {
    let root = repository.root();
    let asked = Invocation::new(root, root, repository.prefix(), interrupt)
        .and_then(|invocation| metadata::read(&invocation, &Selection::default(), interrupt));
    // What cargo refuses now it refuses again when the build asks, and that is told then.
    asked.map_or_else(|_| root.join("target"), |workspace| workspace.target_directory)
}

/// Removes the oldest states beyond the bound, this one never.
fn sweep(folder: &Path, keep: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut files: Vec<(SystemTime, PathBuf)> = entries
        .flatten()
        .filter(|entry| entry.path() != keep)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let surplus = (files.len() + 1).saturating_sub(MOST_STATES);
    for (_, path) in files.into_iter().take(surplus) {
        // A state that cannot be removed costs room, not correctness.
        let _ = fs::remove_file(path);
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    atomic::write(path, bytes).map_err(|error| {
        Failure::reporting(error).while_doing(format!("could not write `{}`", path.display()))
    })
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    let message = format!("could not write `{}`: {error}", path.display());
    Failure::message(ErrorClass::Reporting, message, "make room or give write permission; the verdict stands")
}

#[cfg(test)]
mod tests {
    use super::{forget_results_in, target_folder};
    use crate::{git::Repository, process::Interrupt};
    use std::{env, fs, path::Path};

    /// A repository with one commit, in whose folder `below` a package builds into a target folder of the user's choice.
    fn repository(root: &Path, below: &str, target: &str) {
        let git = git2::Repository::init(root).unwrap();
        let someone = git2::Signature::now("a", "a@b.c").unwrap();
        let tree = git.find_tree(git.index().unwrap().write_tree().unwrap()).unwrap();
        git.commit(Some("HEAD"), &someone, &someone, "first", &tree, &[]).unwrap();
        let package = root.join(below);
        let manifest = "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
        let files = [
            ("Cargo.toml", manifest.to_owned()),
            ("src/lib.rs", String::new()),
            (".cargo/config.toml", format!("[build]\ntarget-dir = \"{target}\"\n")),
        ];
        for (path, text) in files {
            fs::create_dir_all(package.join(path).parent().unwrap()).unwrap();
            fs::write(package.join(path), text).unwrap();
        }
    }

    #[test]
    fn results_are_looked_for_where_cargo_builds_and_the_work_tree_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        repository(&root, "crates/sample", "elsewhere");
        let package = root.join("crates/sample");
        let found = target_folder(&Repository::discover(&package).unwrap(), &Interrupt::new());
        // Cargo's variable, which may be set for this very test, outranks its file.
        let variable = env::var_os("CARGO_TARGET_DIR").or_else(|| env::var_os("CARGO_BUILD_TARGET_DIR"));
        assert_eq!(found, variable.map_or(package.join("elsewhere"), Into::into));
        assert!(!package.join("Cargo.lock").exists());
        fs::write(package.join("Cargo.toml"), "no manifest").unwrap();
        let fallback = target_folder(&Repository::discover(&package).unwrap(), &Interrupt::new());
        assert_eq!(fallback, root.join("target"));
    }

    #[test]
    fn old_results_go_and_states_stay() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path();
        fs::create_dir_all(results.join("state")).unwrap();
        for name in ["run.json", "verdict.json", "verdict.md", "state/1.json"] {
            fs::write(results.join(name), "old").unwrap();
        }
        forget_results_in(results);
        let left: Vec<_> = fs::read_dir(results).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["state"]);
        assert!(results.join("state/1.json").exists());
    }
}
