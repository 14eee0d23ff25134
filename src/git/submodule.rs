//! Submodules of a checked-out commit, from objects that are here where possible.
//!
//! `git submodule update --init` would write into the user's `.git/config`, so each submodule becomes a small repository of its
//! own that borrows the objects of the user's one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use git2::Oid;

use crate::{
    files,
    git::{Error, Repository, command, lfs, revision::Commit, snapshot::tree_entries},
    process::{self, Interrupt},
};

/// The most levels of submodules in submodules that are followed.
const MAX_DEPTH: usize = 16;

/// A place where submodules are checked out.
struct Level<'a> {
    /// The user's checkout of the repository that has them.
    theirs: PathBuf,
    /// Our checkout.
    ours: PathBuf,
    /// The user's repository, whose `modules` keep submodules that are not checked out.
    repository: &'a git2::Repository,
    depth: usize,
}

/// Checks out the submodules of `commit` in its tree at `folder`, and returns those that could not be had, with the reason.
/// A submodule that the user has never fetched is left empty like theirs.
///
/// # Errors
/// When a repository cannot be read or the disk refuses.
pub fn check_out_all(
    repository: &Repository,
    commit: &Commit,
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<Vec<(PathBuf, String)>, Error> {
    let failed = repository.failed("read the submodules");
    let handle = repository.handle();
    let id = Oid::from_str(&commit.rev).map_err(&failed)?;
    let level =
        Level { theirs: repository.root().to_owned(), ours: folder.to_owned(), repository: handle, depth: 0 };
    let mut absent = Vec::new();
    check_out_level(&level, id, &mut absent, interrupt)?;
    Ok(absent)
}

fn check_out_level(
    level: &Level<'_>,
    commit: Oid,
    absent: &mut Vec<(PathBuf, String)>,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    let failed = |source| Error::Read { doing: "read the submodules", path: level.theirs.clone(), source };
    let tree = level.repository.find_commit(commit).and_then(|commit| commit.tree()).map_err(failed)?;
    for entry in tree_entries(level.repository, &tree).map_err(failed)? {
        if let Some(wanted) = entry.commit {
            check_out(level, &entry.path, wanted, absent, interrupt)?;
        }
    }
    Ok(())
}

fn check_out(
    level: &Level<'_>,
    path: &Path,
    wanted: Oid,
    absent: &mut Vec<(PathBuf, String)>,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    let Some(source) = local_repository(level, path, wanted) else { return Ok(()) };
    let ours = level.ours.join(path);
    if let Err(failed) = check_out_one(&source, &ours, wanted, interrupt) {
        return match failed {
            Error::Process(process::Error::Interrupted { .. }) => Err(failed),
            other => {
                absent.push((path.to_owned(), other.to_string()));
                Ok(())
            }
        };
    }
    let paths = files::tree::list(&ours, &|_| false)?;
    let theirs = level.theirs.join(path);
    // Pointers that stay pointers in a submodule are the build's to notice.
    lfs::fill(&ours, &paths, source.commondir(), &theirs, interrupt)?;
    if level.depth < MAX_DEPTH && source.find_commit(wanted).is_ok() {
        let deeper = Level { theirs, ours, repository: &source, depth: level.depth + 1 };
        check_out_level(&deeper, wanted, absent, interrupt)?;
    }
    Ok(())
}

/// The user's repository of a submodule: the one that has the commit if there are two.
fn local_repository(level: &Level<'_>, path: &Path, wanted: Oid) -> Option<git2::Repository> {
    let checked_out = level.theirs.join(path);
    let linked = checked_out.join(".git").exists().then_some(checked_out);
    let modules = level.repository.commondir().join("modules");
    let names = names(&level.ours, path).into_iter().map(|name| modules.join(name));
    let candidates = linked.into_iter().chain(names).chain([modules.join(path)]);
    let mut found: Vec<_> = candidates.filter_map(|folder| git2::Repository::open(folder).ok()).collect();
    let best = found.iter().position(|repository| repository.find_commit(wanted).is_ok()).unwrap_or(0);
    (best < found.len()).then(|| found.swap_remove(best))
}

/// The names that `.gitmodules` gives the submodule at `path`.
fn names(ours: &Path, path: &Path) -> Vec<String> {
    let Ok(config) = git2::Config::open(&ours.join(".gitmodules")) else { return Vec::new() };
    let mut names = Vec::new();
    if let Ok(entries) = config.entries(Some(r"^submodule\..*\.path$")) {
        // An entry that cannot be read is one that names nothing.
        drop(entries.for_each(|entry| {
            let value = if entry.has_value() { entry.value() } else { Ok("") };
            if let (Ok(key), Ok(value)) = (entry.name(), value) {
                let name = key.strip_prefix("submodule.").and_then(|rest| rest.strip_suffix(".path"));
                let harmless = |name: &&str| !name.split(['/', '\\']).any(|part| part == "..");
                if Path::new(value) == path {
                    names.extend(name.filter(harmless).map(str::to_owned));
                }
            }
        }));
    }
    names
}

/// Makes a repository at `ours` that borrows the objects of `source`, and checks `wanted` out.
fn check_out_one(
    source: &git2::Repository,
    ours: &Path,
    wanted: Oid,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    fs::create_dir_all(ours).map_err(files::Error::at("create the folder", ours))?;
    command::run(&command::git(ours).args(["init", "--quiet", "--template=", "."]), interrupt)?;
    let objects = source.commondir().join("objects");
    let line = [objects.as_os_str().as_encoded_bytes(), b"\n"].concat();
    files::atomic::write(&ours.join(".git/objects/info/alternates"), &line)?;
    let shallow = source.commondir().join("shallow");
    if shallow.exists() {
        files::tree::copy_entry(&shallow, &ours.join(".git/shallow"))?;
    }
    if source.find_commit(wanted).is_err() {
        fetch(source, ours, wanted, interrupt)?;
    }
    let rev = wanted.to_string();
    let detach = command::git(ours).args(["update-ref", "--no-deref", "HEAD", rev.as_str()]);
    command::run(&detach, interrupt)?;
    let reset = command::git(ours).args(lfs::POINTERS_ONLY).args(["reset", "--quiet", "--hard"]);
    command::run(&reset, interrupt).map(drop)
}

/// Gets one commit from where the user's submodule came from.
fn fetch(source: &git2::Repository, ours: &Path, wanted: Oid, interrupt: &Interrupt) -> Result<(), Error> {
    let failed =
        |error| Error::Read { doing: "find the remote", path: source.path().to_owned(), source: error };
    let remote = source.find_remote("origin").map_err(failed)?;
    let url = remote.url().map_err(failed)?.to_owned();
    let rev = wanted.to_string();
    let fetch = command::git(ours).args(["fetch", "--quiet", "--depth=1", "--", url.as_str(), rev.as_str()]);
    command::run(&fetch, interrupt).map(drop)
}
