//! Chosen files and all links of a commit, read without checking it out.

use std::path::{Path, PathBuf};

use git2::Oid;

use crate::git::{
    Error, Repository,
    revision::Commit,
    snapshot::{path_of, tree_entries},
};

/// Files and links of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// Path and content of the files that were asked for.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Path and target of every symbolic link.
    pub links: Vec<(PathBuf, PathBuf)>,
}

/// The files of `commit` whose paths are `wanted`, and its links. Submodules are not entered.
///
/// # Errors
/// When the commit or one of its files cannot be read.
pub fn of_commit(
    repository: &Repository,
    commit: &Commit,
    wanted: &dyn Fn(&Path) -> bool,
) -> Result<Content, Error> {
    let failed = repository.failed("read the files of a commit");
    let handle = repository.handle();
    let tree = Oid::from_str(&commit.tree).and_then(|id| handle.find_tree(id)).map_err(&failed)?;
    let mut content = Content::default();
    for entry in tree_entries(handle, &tree).map_err(&failed)? {
        if !entry.is_link && (entry.commit.is_some() || !wanted(&entry.path)) {
            continue;
        }
        let blob = handle.find_blob(entry.id).map_err(&failed)?;
        if entry.is_link {
            content.links.push((entry.path, path_of(blob.content())));
        } else {
            content.files.push((entry.path, blob.content().to_vec()));
        }
    }
    Ok(content)
}
