//! Putting the hook there and taking it away, each first as a plan that changes nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    files::{self, atomic},
    git::hooks::{
        Error, Place,
        script::{self, Script, Whose},
    },
};

/// More than any hook that somebody wrote; a larger file is not ours.
const MOST_BYTES: u64 = 1 << 20;

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The hook is written where none was.
    Write(PathBuf),
    /// Our own hook is written anew: its program or its flags are others now.
    Renew(PathBuf),
    /// It is there already, as it would be written.
    Keep(PathBuf),
    /// A hook of somebody else gets another name and runs first.
    Rename {
        /// The hook.
        hook: PathBuf,
        /// Its new name.
        before: PathBuf,
    },
    /// The hook goes.
    Remove(PathBuf),
    /// What was there before gets its name back.
    Restore {
        /// Its name while ours was there.
        before: PathBuf,
        /// Its own name.
        hook: PathBuf,
    },
    /// There is no hook of ours.
    Nothing(PathBuf),
}

/// What is at the hook's name.
enum Found {
    Nothing,
    Ours(Vec<u8>),
    Foreign,
}

/// Puts the hook into `place`; with `dry_run` it only says what would change. Returns the changes in their order.
///
/// # Errors
/// When a hook of somebody else cannot be kept, ours was edited, or the disk refuses: nothing has changed then.
pub fn install(place: &Place, program: &Path, flags: &str, dry_run: bool) -> Result<Vec<Change>, Error> {
    if place.is_shared() {
        return Err(Error::Shared(place.folder.clone()));
    }
    let (hook, before) = names(&place.folder);
    let found = look(&hook)?;
    let made_folder = match &found {
        Found::Ours(text) => script::made_folder(text),
        _ => !place.folder.exists(),
    };
    let text = Script { program, flags, made_folder }.text()?;
    let changes = match found {
        Found::Ours(there) if there == text.as_bytes() && may_run(&hook) => vec![Change::Keep(hook.clone())],
        Found::Ours(_) => vec![Change::Renew(hook.clone())],
        Found::Nothing => vec![Change::Write(hook.clone())],
        Found::Foreign if is_there(&before) => return Err(Error::BothTaken { hook, before }),
        Found::Foreign => {
            let rename = Change::Rename { hook: hook.clone(), before: before.clone() };
            vec![rename, Change::Write(hook.clone())]
        }
    };
    if !dry_run {
        carry_out(&changes, &hook, &before, &text)?;
    }
    Ok(changes)
}

fn carry_out(changes: &[Change], hook: &Path, before: &Path, text: &str) -> Result<(), Error> {
    let renamed = matches!(changes, [Change::Rename { .. }, ..]);
    if renamed {
        fs::rename(hook, before).map_err(files::Error::at("rename", hook))?;
    }
    if matches!(changes, [Change::Keep(_)]) {
        return Ok(());
    }
    let written = atomic::write_program(hook, text.as_bytes());
    if written.is_err() && renamed {
        // The hook of somebody else must not stay switched off; that ours could not be written is told.
        let _ = fs::rename(before, hook);
    }
    Ok(written?)
}

/// Takes the hook away and puts back what it took the place of; with `dry_run` it only says what would change.
///
/// # Errors
/// When ours was edited, somebody else's is in its place, or the disk refuses.
pub fn uninstall(place: &Place, dry_run: bool) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    // `core.hooksPath` may have been set since: then ours is still where it was put.
    let usual = place.common.join("hooks");
    let elsewhere = (usual.canonicalize().ok() != place.folder.canonicalize().ok()).then_some(usual);
    for folder in std::iter::once(place.folder.clone()).chain(elsewhere) {
        changes.extend(uninstall_from(&folder, dry_run)?);
    }
    if changes.is_empty() {
        changes.push(Change::Nothing(place.hook()));
    }
    Ok(changes)
}

fn uninstall_from(folder: &Path, dry_run: bool) -> Result<Option<Change>, Error> {
    let (hook, before) = names(folder);
    let found = look(&hook)?;
    let is_before = is_there(&before);
    let made_folder = matches!(&found, Found::Ours(text) if script::made_folder(text));
    let change = match found {
        Found::Foreign if is_before => return Err(Error::Replaced { hook, before }),
        Found::Foreign => return Ok(None),
        Found::Nothing | Found::Ours(_) if is_before => Change::Restore { before, hook },
        Found::Nothing => return Ok(None),
        Found::Ours(_) => Change::Remove(hook),
    };
    if dry_run {
        return Ok(Some(change));
    }
    match &change {
        Change::Restore { before, hook } => {
            fs::rename(before, hook).map_err(files::Error::at("rename", before))?;
        }
        Change::Remove(hook) => fs::remove_file(hook).map_err(files::Error::at("remove", hook))?,
        _ => {}
    }
    if made_folder {
        // It stays when somebody has put another hook into it meanwhile.
        let _ = fs::remove_dir(folder);
    }
    Ok(Some(change))
}

/// The hook, and the name that another one has while ours is there.
fn names(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("pre-push"), folder.join("pre-push.pre-tollgate"))
}

/// Whether anything has this name; a link to nothing is something.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether git would run it: it leaves out hooks that may not be executed.
#[cfg(unix)]
fn may_run(hook: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(hook).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 == 0o111)
}

#[cfg(not(unix))]
fn may_run(_hook: &Path) -> bool {
    true
}

fn look(hook: &Path) -> Result<Found, Error> {
    let metadata = match fs::symlink_metadata(hook) {
        Ok(metadata) => metadata,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(other) => return Err(files::Error::at("read", hook)(other).into()),
    };
    if metadata.is_dir() {
        return Err(Error::NoFile(hook.to_owned()));
    }
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Ok(Found::Foreign);
    }
    let text = fs::read(hook).map_err(files::Error::at("read", hook))?;
    match script::whose(&text) {
        Whose::Ours => Ok(Found::Ours(text)),
        Whose::Edited => Err(Error::Edited(hook.to_owned())),
        Whose::Foreign => Ok(Found::Foreign),
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::{Change, install, uninstall};
    use crate::git::hooks::{Error, Place};
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
        path::Path,
    };

    fn place(folder: &Path) -> Place {
        Place {
            folder: folder.join("hooks"),
            root: None,
            common: folder.to_owned(),
            configured: None,
            configured_hooks: Vec::new(),
            runs_configured: false,
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn where_nothing_was_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        let program = Path::new("/opt/tollgate");
        assert!(matches!(install(&place, program, "", true).unwrap()[..], [Change::Write(_)]));
        assert!(!place.folder.exists(), "a dry run writes nothing");
        install(&place, program, "", false).unwrap();
        assert_eq!(fs::metadata(place.hook()).unwrap().permissions().mode() & 0o777, 0o755);
        assert!(matches!(install(&place, program, "", false).unwrap()[..], [Change::Keep(_)]));
        assert!(matches!(install(&place, program, "--budget 9s", false).unwrap()[..], [Change::Renew(_)]));
        assert!(matches!(uninstall(&place, true).unwrap()[..], [Change::Remove(_)]));
        assert!(matches!(uninstall(&place, false).unwrap()[..], [Change::Remove(_)]));
        assert!(!place.folder.exists(), "the folder was made for the hook");
        assert!(matches!(uninstall(&place, false).unwrap()[..], [Change::Nothing(_)]));
    }

    #[test]
    fn a_hook_of_others_comes_back_as_it_was_and_a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        fs::create_dir(&place.folder).unwrap();
        fs::write(place.hook(), "#!/bin/sh\nexit 0\n").unwrap();
        fs::set_permissions(place.hook(), fs::Permissions::from_mode(0o710)).unwrap();
        for _ in 0..2 {
            install(&place, Path::new("/opt/tollgate"), "", false).unwrap();
        }
        assert_eq!(names(&place.folder), ["pre-push", "pre-push.pre-tollgate"]);
        assert!(matches!(uninstall(&place, false).unwrap()[..], [Change::Restore { .. }]));
        assert_eq!(names(&place.folder), ["pre-push"]);
        assert_eq!(fs::read_to_string(place.hook()).unwrap(), "#!/bin/sh\nexit 0\n");
        assert_eq!(fs::metadata(place.hook()).unwrap().permissions().mode() & 0o777, 0o710);

        fs::remove_file(place.hook()).unwrap();
        symlink("../nowhere", place.hook()).unwrap();
        install(&place, Path::new("/opt/tollgate"), "", false).unwrap();
        uninstall(&place, false).unwrap();
        assert_eq!(fs::read_link(place.hook()).unwrap(), Path::new("../nowhere"));
    }

    #[test]
    fn what_was_edited_or_put_in_its_place_is_neither_overwritten_nor_lost() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        fs::create_dir(&place.folder).unwrap();
        fs::write(place.hook(), "first").unwrap();
        install(&place, Path::new("/opt/tollgate"), "", false).unwrap();
        let edited = fs::read_to_string(place.hook()).unwrap() + "echo mine\n";
        fs::write(place.hook(), &edited).unwrap();
        assert!(matches!(install(&place, Path::new("/opt/tollgate"), "", false), Err(Error::Edited(_))));
        assert!(matches!(uninstall(&place, false), Err(Error::Edited(_))));
        assert_eq!(fs::read_to_string(place.hook()).unwrap(), edited);

        fs::write(place.hook(), "second").unwrap();
        let again = install(&place, Path::new("/opt/tollgate"), "", false);
        assert!(matches!(again, Err(Error::BothTaken { .. })));
        assert!(matches!(uninstall(&place, false), Err(Error::Replaced { .. })));
        assert_eq!(fs::read_to_string(place.hook()).unwrap(), "second");
        assert_eq!(fs::read_to_string(place.folder.join("pre-push.pre-tollgate")).unwrap(), "first");
    }

    #[test]
    fn an_install_that_was_killed_half_way_is_finished_or_undone() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        fs::create_dir(&place.folder).unwrap();
        let before = place.folder.join("pre-push.pre-tollgate");
        fs::write(&before, "first").unwrap();
        assert!(matches!(uninstall(&place, false).unwrap()[..], [Change::Restore { .. }]));
        assert_eq!(fs::read_to_string(place.hook()).unwrap(), "first");
        fs::rename(place.hook(), &before).unwrap();
        install(&place, Path::new("/opt/tollgate"), "", false).unwrap();
        assert_eq!(names(&place.folder), ["pre-push", "pre-push.pre-tollgate"]);
    }

    #[test]
    fn the_hooks_of_all_repositories_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { configured: Some("global".into()), ..place(folder.path()) };
        assert!(matches!(install(&place, Path::new("/t"), "", false), Err(Error::Shared(_))));
    }

    #[test]
    fn a_folder_with_the_hooks_name_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let place = place(folder.path());
        fs::create_dir_all(place.hook()).unwrap();
        assert!(matches!(install(&place, Path::new("/t"), "", false), Err(Error::NoFile(_))));
    }
}
