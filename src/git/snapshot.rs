//! What is in a work tree: all that git tracks and all that it does not ignore, as it is on disk.
//!
//! `git add --all` runs on a copy of the index, with an object folder of its own, so the user's index, stash and object store
//! stay as they are while filters, attributes and ignore rules are git's own.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use git2::ObjectType;

use crate::{
    files::{self, scratch::Scratch},
    git::{Error, command},
    process::{Interrupt, Spec},
};

/// The mode of a tree entry that stands for a commit of another repository.
const GITLINK: i32 = 0o160_000;
/// The mode of a symbolic link.
const LINK: i32 = 0o120_000;

/// The content of a work tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The git tree that its content makes, 40 hexadecimal digits.
    pub tree: String,
    /// Whether it differs from HEAD, in this repository or in one nested in it.
    pub changed: bool,
    /// Its files and links, relative to its root and sorted, those of nested repositories included.
    pub paths: Vec<PathBuf>,
    /// What git said about files that it could not read.
    pub unreadable: Option<String>,
}

/// Takes a snapshot of the work tree at `root`. `parent` holds the temporary index and objects meanwhile.
///
/// # Errors
/// When git cannot read the work tree, or the disk refuses.
pub fn take(root: &Path, parent: &Path, interrupt: &Interrupt) -> Result<Snapshot, Error> {
    let failed = |source| Error::Read { doing: "read the work tree", path: root.to_owned(), source };
    let repository = git2::Repository::open(root).map_err(failed)?;
    let scratch = Scratch::new_in(parent, "snapshot-")?;
    let staged = stage(&repository, root, scratch.path(), interrupt)?;
    let (own, nested) = entries(&repository, &staged.objects, &staged.tree).map_err(failed)?;
    let head = repository.head().and_then(|head| head.peel_to_tree()).ok().map(|tree| tree.id().to_string());
    let mut snapshot = Snapshot {
        changed: head.as_deref() != Some(staged.tree.as_str()),
        tree: staged.tree,
        paths: own.into_iter().filter(|path| fs::symlink_metadata(root.join(path)).is_ok()).collect(),
        unreadable: staged.unreadable,
    };
    for folder in nested {
        include(&mut snapshot, root, &folder, parent, interrupt)?;
    }
    snapshot.paths.sort();
    snapshot.paths.dedup();
    Ok(snapshot)
}

/// Adds the content of a repository nested in this one, submodule or not; one that is not checked out has none.
fn include(
    snapshot: &mut Snapshot,
    root: &Path,
    folder: &Path,
    parent: &Path,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    if fs::symlink_metadata(root.join(folder).join(".git")).is_err() {
        return Ok(());
    }
    let nested = take(&root.join(folder), parent, interrupt)?;
    snapshot.changed |= nested.changed;
    snapshot.paths.extend(nested.paths.into_iter().map(|path| folder.join(path)));
    snapshot.unreadable = snapshot.unreadable.take().or(nested.unreadable);
    Ok(())
}

/// The work tree as objects of its own.
struct Staged {
    tree: String,
    objects: PathBuf,
    unreadable: Option<String>,
}

fn stage(
    repository: &git2::Repository,
    root: &Path,
    scratch: &Path,
    interrupt: &Interrupt,
) -> Result<Staged, Error> {
    let index = scratch.join("index");
    copy_index(&repository.path().join("index"), &index)?;
    let objects = borrow_objects(repository, scratch)?;
    let git = || {
        command::git(root)
            .args([
                "-c",
                "core.splitIndex=false",
                "-c",
                "index.sparse=false",
                "-c",
                "core.untrackedCache=false",
            ])
            .set("GIT_INDEX_FILE", &index)
            .set("GIT_OBJECT_DIRECTORY", &objects)
    };
    trust_no_flag(&git, interrupt)?;
    let mut add = git().args(["add", "--all", "--ignore-errors", "--", "."]);
    for cache in caches(root, &git, interrupt)? {
        let mut exclude = std::ffi::OsString::from(":(top,exclude,literal)");
        exclude.push(cache);
        add = add.args([exclude]);
    }
    let added = crate::process::run(&add, interrupt)?;
    let unreadable = (!added.status.success()).then_some(added.stderr_tail);
    let tree = command::run(&git().args(["write-tree"]), interrupt)?.stdout;
    Ok(Staged { tree: String::from_utf8_lossy(&tree).trim().to_owned(), objects, unreadable })
}

/// Copies the index with its time: git takes an entry that is as young as the index as perhaps changed, and a younger copy
/// would hide an edit of the last milliseconds.
fn copy_index(from: &Path, to: &Path) -> Result<(), Error> {
    let Ok(found) = fs::metadata(from) else { return Ok(()) };
    fs::copy(from, to).map_err(files::Error::at("copy the index to", to))?;
    if let Ok(time) = found.modified() {
        files::tree::stamp(Path::new(""), &[to.to_owned()], time)?;
    }
    Ok(())
}

/// An object folder that reads the repository's objects and takes the new ones.
fn borrow_objects(repository: &git2::Repository, scratch: &Path) -> Result<PathBuf, Error> {
    let objects = scratch.join("objects");
    let theirs = repository.commondir().join("objects");
    let line = [theirs.as_os_str().as_encoded_bytes(), b"\n"].concat();
    files::atomic::write(&objects.join("info/alternates"), &line)?;
    Ok(objects)
}

/// Takes back `--assume-unchanged` in the copied index: what counts is what is on disk.
fn trust_no_flag(git: &dyn Fn() -> Spec, interrupt: &Interrupt) -> Result<(), Error> {
    let listed = command::run(&git().args(["ls-files", "-v", "-z"]), interrupt)?.stdout;
    let flagged: Vec<_> = listed
        .split(|byte| *byte == 0)
        .filter(|line| line.first().is_some_and(u8::is_ascii_lowercase))
        .filter_map(|line| line.get(2..).map(path_of))
        .collect();
    for some in flagged.chunks(500) {
        let update = git().args(["update-index", "--no-assume-unchanged", "--"]).args(some.iter().cloned());
        command::run(&update, interrupt)?;
    }
    Ok(())
}

/// Untracked folders that say of themselves that they are caches (cargo's `target` in a repository that forgot to ignore it).
fn caches(root: &Path, git: &dyn Fn() -> Spec, interrupt: &Interrupt) -> Result<Vec<PathBuf>, Error> {
    let list = git().args(["ls-files", "--others", "--exclude-standard", "--directory", "-z"]);
    let listed = command::run(&list, interrupt)?.stdout;
    let folders = listed.split(|byte| *byte == 0).filter(|name| name.ends_with(b"/")).map(path_of);
    Ok(folders.filter(|folder| root.join(folder).join("CACHEDIR.TAG").is_file()).collect())
}

#[cfg(unix)]
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).as_ref())
}

type Paths = Vec<PathBuf>;

/// The files and links of a tree, and the folders that stand for other repositories.
fn entries(repository: &git2::Repository, objects: &Path, tree: &str) -> Result<(Paths, Paths), git2::Error> {
    repository.odb()?.add_disk_alternate(&objects.to_string_lossy())?;
    let tree = repository.find_tree(git2::Oid::from_str(tree)?)?;
    let (links, own) =
        tree_entries(repository, &tree)?.into_iter().partition::<Vec<_>, _>(|e| e.commit.is_some());
    let paths = |entries: Vec<TreeEntry>| entries.into_iter().map(|entry| entry.path).collect();
    Ok((paths(own), paths(links)))
}

/// One entry of a tree that is no folder.
pub(super) struct TreeEntry {
    /// Relative to the root.
    pub(super) path: PathBuf,
    /// Its object.
    pub(super) id: git2::Oid,
    /// Set when it stands for a commit of another repository.
    pub(super) commit: Option<git2::Oid>,
    /// Whether it is a symbolic link.
    pub(super) is_link: bool,
}

/// Everything in a tree that is no folder. Names that would lead out of it are left out.
pub(super) fn tree_entries(
    repository: &git2::Repository,
    tree: &git2::Tree<'_>,
) -> Result<Vec<TreeEntry>, git2::Error> {
    let mut found = Vec::new();
    let mut pending = vec![(PathBuf::new(), tree.clone())];
    while let Some((folder, tree)) = pending.pop() {
        for entry in &tree {
            let name = path_of(entry.name_bytes());
            if !name.components().all(|part| matches!(part, Component::Normal(_))) {
                continue;
            }
            let path = folder.join(name);
            match entry.kind() {
                Some(ObjectType::Tree) => pending.push((path, repository.find_tree(entry.id())?)),
                _ => {
                    let (mode, id) = (entry.filemode(), entry.id());
                    let commit = (mode == GITLINK).then_some(id);
                    found.push(TreeEntry { path, id, commit, is_link: mode == LINK });
                }
            }
        }
    }
    Ok(found)
}
