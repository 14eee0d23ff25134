//! What a check leaves behind below `target/tollgate`: its last results, and the state that a re-run goes on from.

use crate::{
    commands::{failure::Failure, session::Session},
    config::resolve::Settings,
    files::atomic,
    format::{run_v1, verdict_v1},
    model::{
        outcome::ErrorClass,
        run::{Measurement, Run},
        verdict::CheckVerdict,
    },
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
        let loads = settings.loads.iter().map(|scenario| format!("{scenario:?}"));
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
pub(super) fn forget_results(folder: &Path) {
    for name in ["run.json", "verdict.json", "verdict.md"] {
        // Mostly there is nothing to remove; what cannot be removed cannot be written either, and is told then.
        let _ = fs::remove_file(folder.join(name));
    }
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
