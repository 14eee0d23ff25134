//! Executables kept for the next run: a folder a set, named by the digest of all that went into it.
//!
//! A set is written whole and renamed into place; its files are checked against their digests before they are used.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    cargo::{Error, build::Built, metadata::Skipped},
    files::{self, scratch::Scratch, tree},
};

/// The sets that are kept.
const MAX_SETS: usize = 20;
/// The description of a set in its folder.
const DESCRIPTION: &str = "set.json";
/// Changes when older descriptions mean something else.
const SCHEMA: &str = "tollgate.executables/1";
/// Stands for the tree in values that begin with or hold its path.
const TREE: &str = "\u{0}tree\u{0}";

/// What was built of one tree.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Set {
    schema: String,
    /// The compiler's version line.
    pub rustc: String,
    /// The compiler options that made the executables what they are.
    pub code_flags: Vec<String>,
    /// The executables, sorted by package and target.
    pub kept: Vec<Kept>,
    /// The bench targets that are not measured.
    pub skipped: Vec<Skipped>,
    /// Whether running an executable needs what else is in the target folder; such a set is only good while that folder
    /// holds this build.
    pub needs_folder: bool,
}

/// One executable of a set.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    /// Its package.
    pub package: String,
    /// Its target.
    pub target: String,
    /// Its file name in the set's folder.
    pub file: String,
    digest: String,
    directory: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Kept {
    /// The folder of its package in a tree.
    #[must_use]
    pub fn directory(&self, tree: &Path) -> PathBuf {
        tree.join(&self.directory)
    }

    /// Its environment when it runs for a tree.
    #[must_use]
    pub fn environment(&self, tree: &Path) -> BTreeMap<String, String> {
        let tree = tree.to_string_lossy();
        self.environment.iter().map(|(name, value)| (name.clone(), value.replace(TREE, &tree))).collect()
    }
}

/// The folder with the sets.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

/// What is worth keeping of a build.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// The tree that was built.
    pub tree: &'a Path,
    /// The compiler's version line.
    pub rustc: &'a str,
    /// The executables.
    pub built: &'a [Built],
    /// The bench targets that are not measured.
    pub skipped: &'a [Skipped],
    /// See [`Set::needs_folder`].
    pub needs_folder: bool,
}

impl Cache {
    /// The sets in a folder, which need not exist.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where the files of a set are.
    #[must_use]
    pub fn folder_of(&self, key: &str) -> PathBuf {
        self.folder.join(key)
    }

    /// The set with this key, if it is there and whole. Marks it as used now.
    #[must_use]
    pub fn load(&self, key: &str) -> Option<Set> {
        let folder = self.folder_of(key);
        let set: Set = serde_json::from_slice(&fs::read(folder.join(DESCRIPTION)).ok()?).ok()?;
        let is_whole = |kept: &Kept| {
            let name = Path::new(&kept.file);
            name.file_name() == Some(name.as_os_str())
                && tree::file_digest(&folder.join(name)).is_ok_and(|digest| digest == kept.digest)
        };
        if set.schema != SCHEMA || !set.kept.iter().all(is_whole) {
            return None;
        }
        // Only the order of removal depends on it.
        drop(tree::clock(&folder).and_then(|now| tree::stamp(&folder, &[DESCRIPTION.into()], now)));
        Some(set)
    }

    /// Keeps the executables of a build under `key`, in place of what was there, and removes the sets unused for longest.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn store(&self, key: &str, outcome: &Outcome<'_>) -> Result<Set, Error> {
        let scratch = Scratch::new_in(&self.folder, "new-")?;
        let mut kept: Vec<_> = outcome
            .built
            .iter()
            .map(|built| keep(built, outcome.tree, scratch.path()))
            .collect::<Result<_, _>>()?;
        kept.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
        let mut code_flags: Vec<_> =
            outcome.built.iter().flat_map(|built| built.code_flags.clone()).collect();
        code_flags.sort();
        code_flags.dedup();
        let set = Set {
            schema: SCHEMA.into(),
            rustc: outcome.rustc.into(),
            code_flags,
            kept,
            skipped: outcome.skipped.to_vec(),
            needs_folder: outcome.needs_folder,
        };
        let text = serde_json::to_vec_pretty(&set)
            .map_err(|error| Error::Output { command: "cargo bench", source: error.into() })?;
        files::atomic::write(&scratch.path().join(DESCRIPTION), &text)?;
        let folder = self.folder_of(key);
        files::scratch::remove(&folder)?;
        fs::rename(scratch.path(), &folder).map_err(files::Error::at("move a folder to", &folder))?;
        self.prune(key)?;
        Ok(set)
    }

    /// Removes what a killed run left half-written. Only call it while no other run stores.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn sweep(&self) -> Result<(), Error> {
        scratch_sweep(&self.folder)
    }

    fn prune(&self, newest: &str) -> Result<(), Error> {
        let mut sets: Vec<(SystemTime, PathBuf)> = fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_name() != newest)
            .map(|entry| {
                let used = fs::metadata(entry.path().join(DESCRIPTION)).and_then(|found| found.modified());
                (used.unwrap_or(SystemTime::UNIX_EPOCH), entry.path())
            })
            .collect();
        sets.sort();
        let excess = (sets.len() + 1).saturating_sub(MAX_SETS);
        for (_, folder) in sets.into_iter().take(excess) {
            files::scratch::remove(&folder)?;
        }
        Ok(())
    }
}

fn scratch_sweep(folder: &Path) -> Result<(), Error> {
    files::scratch::sweep(folder, "new-")?;
    Ok(())
}

fn keep(built: &Built, tree: &Path, folder: &Path) -> Result<Kept, Error> {
    let extension =
        built.executable.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    let file = format!("{}-{}{extension}", built.package, built.target);
    let to = folder.join(&file);
    tree::copy_entry(&built.executable, &to)?;
    let path = tree.to_string_lossy();
    let environment =
        built.environment.iter().map(|(n, value)| (n.clone(), value.replace(path.as_ref(), TREE)));
    Ok(Kept {
        package: built.package.clone(),
        target: built.target.clone(),
        digest: tree::file_digest(&to)?,
        directory: built.directory.strip_prefix(tree).unwrap_or(&built.directory).to_owned(),
        environment: environment.collect(),
        file,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn store(cache: &Cache, key: &str, folder: &Path) -> Set {
        let tree = folder.join("head");
        let executable = folder.join("kernels-0123");
        fs::write(&executable, "code").unwrap();
        let built = Built {
            package: "p".into(),
            target: "kernels".into(),
            executable,
            directory: tree.join("p"),
            environment: BTreeMap::from([(
                "CARGO_MANIFEST_DIR".into(),
                tree.join("p").to_str().unwrap().into(),
            )]),
            code_flags: vec!["-C opt-level=3".into()],
        };
        let outcome =
            Outcome { tree: &tree, rustc: "rustc 1", built: &[built], skipped: &[], needs_folder: false };
        cache.store(key, &outcome).unwrap()
    }

    #[test]
    fn a_set_comes_back_for_the_other_tree_and_a_damaged_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("exe"));
        assert_eq!(cache.load("key"), None);
        let stored = store(&cache, "key", folder.path());
        assert_eq!(cache.load("key").as_ref(), Some(&stored));
        let other = Path::new("/elsewhere/base");
        assert_eq!(stored.kept[0].directory(other), other.join("p"));
        assert_eq!(stored.kept[0].environment(other)["CARGO_MANIFEST_DIR"], "/elsewhere/base/p");
        fs::write(cache.folder_of("key").join(&stored.kept[0].file), "cOde").unwrap();
        assert_eq!(cache.load("key"), None);
    }

    #[test]
    fn sets_unused_for_longest_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("exe"));
        for number in 0..MAX_SETS {
            let key = format!("{number:02}");
            store(&cache, &key, folder.path());
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + number as u64);
            tree::stamp(&cache.folder_of(&key), &[DESCRIPTION.into()], at).unwrap();
        }
        assert!(cache.load("00").is_some());
        store(&cache, "new", folder.path());
        assert!(cache.load("01").is_none() && cache.load("00").is_some());
        assert!(cache.load("02").is_some() && cache.load("new").is_some());
    }
}
