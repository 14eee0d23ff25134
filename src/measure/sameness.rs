//! Which pairs of executables need no measuring: the same code, reading the same files.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{
    cargo::{
        identical::{Renamed, same_code},
        loaded::Loaded,
    },
    files::{self, tree::Digests},
};

/// The differences between two trees that may reach a benchmark without changing its code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangedFiles {
    /// Names that an executable that reads a changed file is likely to hold.
    names: BTreeSet<String>,
}

impl ChangedFiles {
    /// Compares the files of two trees.
    #[must_use]
    pub fn between(base: &Digests, head: &Digests) -> Self {
        let (base, head): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (base.iter().cloned().collect(), head.iter().cloned().collect());
        let changed = base.keys().chain(head.keys()).filter(|path| base.get(*path) != head.get(*path));
        Self { names: changed.flat_map(|path| telling_names(path)).collect() }
    }

    /// Whether an executable seems to read one of them: it holds the file's name, or that of a folder around it.
    #[must_use]
    pub fn may_be_read_by(&self, executable: &Loaded) -> bool {
        self.names.iter().any(|name| executable.contains(name.as_bytes()))
    }
}

impl ChangedFiles {
    /// Whether one of these words names one of them.
    #[must_use]
    pub fn may_be_named_in<'a>(&self, mut words: impl Iterator<Item = &'a String>) -> bool {
        words.any(|word| self.names.iter().any(|name| word.contains(name.as_str())))
    }
}

/// The name of a changed file and of the folders around it, as far as they tell that just this file is meant. What the
/// compiler reads shows in the code; prose is not read by folder.
fn telling_names(path: &Path) -> Vec<String> {
    const COMPILED: [&str; 2] = ["rs", "lock"];
    const PROSE: [&str; 3] = ["md", "adoc", "rst"];
    /// Folders of every package, and names too short to tell anything.
    const EVERYWHERE: [&str; 11] = [
        ".cargo",
        ".github",
        "baselines",
        "benches",
        "crates",
        "docs",
        "examples",
        "scripts",
        "src",
        "tests",
        "tools",
    ];
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    if COMPILED.contains(&extension) || name == "Cargo.toml" || name.starts_with(".git") || name.len() < 4 {
        return Vec::new();
    }
    let mut names = vec![name.to_owned()];
    // Below `.github` and the like is what other programs read.
    let hidden =
        path.components().next().is_some_and(|first| first.as_os_str().as_encoded_bytes().starts_with(b"."));
    if !PROSE.contains(&extension) && !name.starts_with("LICENSE") && !hidden {
        let folders = path.parent().into_iter().flat_map(Path::components);
        let folders = folders.filter_map(|folder| folder.as_os_str().to_str());
        let telling = folders.filter(|folder| folder.len() >= 4 && !EVERYWHERE.contains(folder));
        names.extend(telling.map(str::to_owned));
    }
    names
}

/// Whether two executables are the same code and read the same files.
///
/// # Errors
/// When one cannot be read.
pub fn are_identical(
    base: &Path,
    head: &Path,
    folders: &[(PathBuf, PathBuf)],
    changed: &ChangedFiles,
) -> Result<bool, files::Error> {
    let head_code = Loaded::read(head)?;
    if changed.may_be_read_by(&head_code) {
        return Ok(false);
    }
    if base == head {
        return Ok(true);
    }
    let bytes = |path: &Path| path.as_os_str().as_encoded_bytes().to_vec();
    let renamed: Vec<_> =
        folders.iter().map(|(base, head)| Renamed { base: bytes(base), head: bytes(head) }).collect();
    Ok(same_code(&Loaded::read(base)?, &head_code, &renamed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str) -> Vec<String> {
        telling_names(Path::new(path))
    }

    #[test]
    fn data_tells_its_folders_and_prose_only_its_name() {
        assert_eq!(names("tests/corpus/large.json"), ["large.json", "corpus"]);
        assert_eq!(names("docs/guide/start.md"), ["start.md"]);
        // A service may serve a folder, or read a template that another one names.
        assert_eq!(names("static/app.css"), ["app.css", "static"]);
        assert_eq!(names(".github/workflows/build.yml"), ["build.yml"]);
        assert!(names("src/lib.rs").is_empty() && names("Cargo.toml").is_empty() && names("a").is_empty());
    }

    #[test]
    fn changed_added_and_removed_files_count() {
        let digests = |files: &[(&str, &str)]| -> Digests {
            files.iter().map(|(path, digest)| (PathBuf::from(path), (*digest).to_owned())).collect()
        };
        let base = digests(&[("same.bin", "1"), ("changed.bin", "1"), ("removed.bin", "1")]);
        let head = digests(&[("same.bin", "1"), ("changed.bin", "2"), ("added.bin", "1")]);
        let changed = ChangedFiles::between(&base, &head);
        assert_eq!(
            changed.names.into_iter().collect::<Vec<_>>(),
            ["added.bin", "changed.bin", "removed.bin"]
        );
    }
}
