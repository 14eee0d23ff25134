//! The reviewed files: `baselines/<environment key>/<target>.json` in the work tree.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{Error, lock::WriteLock};
use crate::{
    files::{self, atomic, scratch},
    format::{baseline_v1, reading::MAX_VERDICT_BYTES},
    model::{baseline::BaselineFile, environment::EnvironmentKey},
};

/// The folder's name in the work tree.
pub const FOLDER: &str = "baselines";
/// What the temporary files of unfinished writes are called.
const TEMPORARY: &str = ".tollgate-";

/// The baselines of a work tree, which need not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baselines {
    folder: PathBuf,
}

/// What a write did to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Created,
    /// Its content is new.
    Updated,
    /// It held just that already.
    Unchanged,
}

impl Baselines {
    /// The baselines of the work tree whose top folder is `work_tree`.
    #[must_use]
    pub fn of(work_tree: &Path) -> Self {
        Self { folder: work_tree.join(FOLDER) }
    }

    /// Their folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the baseline of a target in an environment stands.
    #[must_use]
    pub fn path(&self, environment: &EnvironmentKey, target: &str) -> PathBuf {
        self.folder.join(environment.as_str()).join(baseline_v1::file_name(target))
    }

    /// The environments that have a folder, sorted. Anything else in the folder (a README) is none of ours.
    ///
    /// # Errors
    /// When the folder cannot be read; a missing one holds none.
    pub fn environments(&self) -> Result<Vec<EnvironmentKey>, Error> {
        let names = names(&self.folder)?;
        Ok(names.iter().filter_map(|name| EnvironmentKey::parse(name)).collect())
    }

    /// The baseline files of an environment, sorted.
    ///
    /// # Errors
    /// When its folder cannot be read; a missing one holds none.
    pub fn files(&self, environment: &EnvironmentKey) -> Result<Vec<PathBuf>, Error> {
        let folder = self.folder.join(environment.as_str());
        let names = names(&folder)?;
        let files = names.iter().filter(|name| name.ends_with(".json") && !name.starts_with(TEMPORARY));
        Ok(files.map(|name| folder.join(name)).collect())
    }

    /// A file's bytes, as far as they are within bounds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bytes(&self, path: &Path) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        // One byte more than is accepted, so that the reader of the format sees that it is too large.
        let limit = MAX_VERDICT_BYTES as u64 + 1;
        File::open(path)
            .and_then(|file| file.take(limit).read_to_end(&mut bytes))
            .map_err(files::Error::at("read", path))?;
        Ok(bytes)
    }

    /// The content of one file.
    ///
    /// # Errors
    /// When it cannot be read, cannot be trusted, or stands where another one belongs.
    pub fn read(&self, path: &Path) -> Result<BaselineFile, Error> {
        let place = self.shown(path);
        let file =
            baseline_v1::from_json(&self.bytes(path)?).map_err(|source| Error::Broken { place, source })?;
        self.at_home(path, &file)?;
        Ok(file)
    }

    /// The baselines of an environment, one a target.
    ///
    /// # Errors
    /// As [`Baselines::read`].
    pub fn read_all(&self, environment: &EnvironmentKey) -> Result<Vec<BaselineFile>, Error> {
        self.files(environment)?.iter().map(|path| self.read(path)).collect()
    }

    /// The baseline of a target in an environment, if there is one.
    ///
    /// # Errors
    /// As [`Baselines::read`].
    pub fn find(&self, environment: &EnvironmentKey, target: &str) -> Result<Option<BaselineFile>, Error> {
        let path = self.path(environment, target);
        if path.exists() { self.read(&path).map(Some) } else { Ok(None) }
    }

    /// Whether a file's content belongs where it stands.
    ///
    /// # Errors
    /// When it does not.
    pub fn at_home(&self, path: &Path, file: &BaselineFile) -> Result<(), Error> {
        let home = self.path(&file.environment.key, &file.target);
        if home == path {
            return Ok(());
        }
        Err(Error::Misplaced {
            path: path.to_owned(),
            target: file.target.escape_debug().to_string(),
            environment: file.environment.key.to_string(),
            home,
        })
    }

    /// What writing a baseline would do.
    ///
    /// # Errors
    /// When it could not be read again.
    pub fn change(&self, file: &BaselineFile) -> Result<Change, Error> {
        Ok(self.prepare(file)?.2)
    }

    /// Writes a baseline to its place, whole or not at all.
    ///
    /// # Errors
    /// When it could not be read again (then nothing is written), or the disk refuses.
    pub fn write(&self, _lock: &WriteLock, file: &BaselineFile) -> Result<(PathBuf, Change), Error> {
        let (path, bytes, change) = self.prepare(file)?;
        if change == Change::Unchanged {
            return Ok((path, change));
        }
        atomic::write(&path, &bytes)?;
        if let Some(folder) = path.parent() {
            // What a killed writer left; we hold the lock, so nobody is writing there.
            scratch::sweep(folder, TEMPORARY)?;
        }
        Ok((path, change))
    }

    /// Where a baseline goes, as which bytes, and what that changes.
    fn prepare(&self, file: &BaselineFile) -> Result<(PathBuf, Vec<u8>, Change), Error> {
        let path = self.path(&file.environment.key, &file.target);
        let bytes = baseline_v1::to_json(file);
        baseline_v1::from_json(&bytes).map_err(|source| Error::Unreadable { path: path.clone(), source })?;
        let change = match self.bytes(&path) {
            Ok(there) if there == bytes => Change::Unchanged,
            Ok(_) => Change::Updated,
            Err(_) => Change::Created,
        };
        Ok((path, bytes, change))
    }

    /// Removes a baseline file, and its environment's folder when that was the last one.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn remove(&self, _lock: &WriteLock, path: &Path) -> Result<(), Error> {
        scratch::remove(path)?;
        if let Some(folder) = path.parent()
            && names(folder)?.is_empty()
        {
            scratch::remove(folder)?;
        }
        Ok(())
    }

    /// A path as messages show it: from the top of the work tree.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        let top = self.folder.parent().unwrap_or(&self.folder);
        path.strip_prefix(top).unwrap_or(path).display().to_string()
    }
}

/// The names in a folder, sorted; none when it does not exist.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(files::Error::at("read the folder", folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(files::Error::at("read the folder", folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
