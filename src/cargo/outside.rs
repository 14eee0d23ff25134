//! What a tree needs from beside the repository: path dependencies, patches, vendored sources and links that lead out of it.
//!
//! A tree stands somewhere else than the repository, so `../sibling` would lead nowhere. The needed neighbours are linked
//! beside the tree, and the tree stands as deep in its folder as the paths climb.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
    time::UNIX_EPOCH,
};

use crate::{
    cargo::Error,
    files::{self, tree},
};

/// The neighbours of a repository that its trees need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outside {
    /// How many folders above the root the paths climb, at most.
    pub climb: usize,
    /// The folders and files that are needed, as the user has them.
    needed: BTreeSet<PathBuf>,
    /// Where to link what: a path relative to the tree (`../sibling`) and the user's folder or file.
    pub links: BTreeMap<PathBuf, PathBuf>,
}

/// A file of a tree that may name neighbours: its path relative to the root, and its content.
pub type Source = (PathBuf, Vec<u8>);

/// Whether a file is one that [`Outside::add`] should read.
#[must_use]
pub fn may_name_neighbours(path: &Path) -> bool {
    let in_cargo = path.parent().is_some_and(|folder| folder.ends_with(".cargo"));
    path.file_name()
        .is_some_and(|name| name == "Cargo.toml" || (in_cargo && (name == "config.toml" || name == "config")))
}

impl Outside {
    /// Adds the neighbours that the files of one tree of the repository at `root` name, and those that these name in turn.
    pub fn add(&mut self, root: &Path, sources: &[Source]) {
        let mut pending: Vec<PathBuf> = Vec::new();
        for (path, content) in sources {
            let folder = base_folder(path);
            pending.extend(paths_in(content).into_iter().map(|named| folder.join(named)));
        }
        self.follow(root, pending);
    }

    /// Adds what a link of the tree leads to.
    pub fn add_link(&mut self, root: &Path, link: &Path, target: &Path) {
        let folder = link.parent().unwrap_or(Path::new(""));
        if target.is_relative() {
            self.follow(root, vec![folder.join(target)]);
        }
    }

    /// Follows paths relative to the root.
    fn follow(&mut self, root: &Path, mut pending: Vec<PathBuf>) {
        while let Some(path) = pending.pop() {
            let (climb, rest) = climbed(&path);
            if climb == 0 {
                continue;
            }
            let Some(ancestor) = root.ancestors().nth(climb) else { continue };
            let real = ancestor.join(&rest);
            if real.starts_with(root)
                || fs::symlink_metadata(&real).is_err()
                || !self.needed.insert(real.clone())
            {
                continue;
            }
            self.climb = self.climb.max(climb);
            self.link(root, &real);
            for manifest in real.ancestors().take_while(|folder| !root.starts_with(folder)) {
                if let Ok(content) = fs::read(manifest.join("Cargo.toml")) {
                    let named = paths_in(&content).into_iter().map(|named| manifest.join(named));
                    pending.extend(named.map(|absolute| relative(&absolute, root)));
                }
            }
        }
    }

    /// Links the highest folder above `real` that does not hold the repository.
    fn link(&mut self, root: &Path, real: &Path) {
        let top = real.ancestors().take_while(|folder| !root.starts_with(folder)).last().unwrap_or(real);
        self.links.insert(relative(top, root), top.to_owned());
    }

    /// Names, sizes and times of what is needed, for the question whether it changed since a build. Empty when nothing is.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn stamp(&self) -> Result<String, Error> {
        let mut lines = String::new();
        for needed in &self.needed {
            if !needed.is_dir() {
                stamp_file(needed, &mut lines);
                continue;
            }
            let skip = |path: &Path| path.ends_with(".git") || path.ends_with("target");
            for path in tree::list(needed, &skip)? {
                stamp_file(&needed.join(path), &mut lines);
            }
        }
        Ok(lines)
    }

    /// Makes the links for trees in `parent`, `climb - 1` folders below the folder that stands for the highest ancestor.
    ///
    /// # Errors
    /// When a link cannot be made.
    pub fn make_links(&self, parent: &Path) -> Result<(), files::Error> {
        for (at, real) in &self.links {
            // `at` is relative to a tree in `parent`; any name does for the tree, as the path leaves it at once.
            let at = crate::git::worktree::normalise(&parent.join("tree").join(at));
            if fs::symlink_metadata(&at).is_ok() {
                continue;
            }
            if let Some(folder) = at.parent() {
                fs::create_dir_all(folder).map_err(files::Error::at("create the folder", folder))?;
            }
            tree::link(real, &at)?;
        }
        Ok(())
    }
}

fn stamp_file(path: &Path, lines: &mut String) {
    let Ok(found) = fs::metadata(path) else { return };
    let time =
        found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    lines.push_str(&format!("{}\t{}\t{}\n", path.display(), found.len(), time.as_nanos()));
}

/// The folder that relative paths in a file start from: its own, and for cargo's configuration the one that holds `.cargo`.
fn base_folder(file: &Path) -> &Path {
    let folder = file.parent().unwrap_or(Path::new(""));
    if folder.ends_with(".cargo") { folder.parent().unwrap_or(Path::new("")) } else { folder }
}

/// Every relative path in a manifest or configuration file that may lead to another folder, wherever it stands: dependencies,
/// patches, targets, source replacements, `paths` overrides, workspace members.
fn paths_in(content: &[u8]) -> Vec<PathBuf> {
    let Some(table) = std::str::from_utf8(content).ok().and_then(|text| text.parse::<toml::Table>().ok())
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    collect(&toml::Value::Table(table), &mut found);
    found.into_iter().map(PathBuf::from).filter(|path| path.is_relative()).collect()
}

fn collect(value: &toml::Value, found: &mut Vec<String>) {
    const KEYS: [&str; 6] = ["path", "paths", "directory", "local-registry", "members", "workspace"];
    let toml::Value::Table(table) = value else { return };
    for (key, value) in table {
        match value {
            toml::Value::String(text) if KEYS.contains(&key.as_str()) => found.push(text.clone()),
            toml::Value::Array(items) => {
                let texts =
                    items.iter().filter_map(toml::Value::as_str).filter(|_| KEYS.contains(&key.as_str()));
                found.extend(texts.map(str::to_owned));
                items.iter().for_each(|item| collect(item, found));
            }
            other => collect(other, found),
        }
    }
}

/// How many folders above the root a path relative to it climbs, and what it names there.
fn climbed(path: &Path) -> (usize, PathBuf) {
    let normal = crate::git::worktree::normalise(path);
    let climb = normal.components().take_while(|part| *part == Component::ParentDir).count();
    (climb, normal.components().skip(climb).collect())
}

/// An absolute path as seen from `root`.
fn relative(absolute: &Path, root: &Path) -> PathBuf {
    let absolute = crate::git::worktree::normalise(absolute);
    let shared = absolute.components().zip(root.components()).take_while(|(a, b)| a == b).count();
    let up = root.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(absolute.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn neighbours_are_found_wherever_a_manifest_names_them_and_followed() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let root = top.join("in/repo");
        fs::create_dir_all(&root).unwrap();
        write(&top.join("in/sibling/Cargo.toml"), "[dependencies]\nfar = { path = \"../../far/deep\" }\n");
        write(&top.join("far/deep/Cargo.toml"), "[dependencies]\nback = { path = \"../../in/repo/own\" }\n");
        write(&top.join("in/vendor/x"), "");
        let sources = [
            (PathBuf::from("a/Cargo.toml"), b"[target.'cfg(unix)'.dependencies.s]\npath = \"../../sibling\"\n[dependencies]\nown = { path = \"../b\" }\n".to_vec()),
            (PathBuf::from(".cargo/config.toml"), b"[source.v]\ndirectory = \"../vendor\"\n".to_vec()),
            (PathBuf::from("Cargo.toml"), b"[dependencies]\ngone = { path = \"../gone\" }\n".to_vec()),
        ];
        let mut outside = Outside::default();
        outside.add(&root, &sources);
        let links: Vec<_> = outside.links.iter().map(|(at, to)| (at.to_str().unwrap(), to.clone())).collect();
        let wanted = [("../../far", "far"), ("../sibling", "in/sibling"), ("../vendor", "in/vendor")];
        assert_eq!(links, wanted.map(|(at, to)| (at, top.join(to))));
        assert_eq!(outside.climb, 2);

        let before = outside.stamp().unwrap();
        assert_eq!(before, outside.stamp().unwrap());
        write(&top.join("in/sibling/src/lib.rs"), "");
        assert_ne!(before, outside.stamp().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_from_a_tree_to_where_the_repository_would() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let root = top.join("in/repo");
        fs::create_dir_all(&root).unwrap();
        write(&top.join("far/file"), "far");
        write(&top.join("in/near"), "near");
        let mut outside = Outside::default();
        outside.add_link(&root, Path::new("link"), Path::new("../near"));
        outside.add_link(&root, Path::new("deep/link"), Path::new("../../../far/file"));
        let parent = top.join("cache/state/in");
        outside.make_links(&parent).unwrap();
        assert_eq!(fs::read_to_string(parent.join("near")).unwrap(), "near");
        assert_eq!(fs::read_to_string(top.join("cache/state/far/file")).unwrap(), "far");
    }
}
