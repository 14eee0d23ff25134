//! `tollgate hook install` and `uninstall`.

use crate::{
    commands::failure::Failure,
    git::hooks::{self, Change, Manager, Place},
    process::Interrupt,
    text::escape,
};
use std::path::{Path, PathBuf};

/// What to install.
#[derive(Debug, Clone)]
pub struct Request {
    /// A directory inside the repository.
    pub directory: PathBuf,
    /// The path of this program, which the hook starts.
    pub executable: PathBuf,
    /// Who writes the hook; `None`: whoever writes the others.
    pub manager: Option<Manager>,
    /// What the hook says behind `hook run pre-push`.
    pub flags: String,
    /// Only say what would change.
    pub dry_run: bool,
}

/// Puts the hook into the repository, or says what to add to the configuration of the tool that writes its hooks. Returns what to
/// tell.
///
/// # Errors
/// When there is no repository, somebody else's hook cannot be kept, ours was edited, or the disk refuses.
pub fn install(request: &Request, interrupt: &Interrupt) -> Result<String, Failure> {
    let place = Place::find(&request.directory, interrupt).map_err(Failure::configuration)?;
    let manager = request.manager.unwrap_or_else(|| Manager::of(&place));
    if let Some(lines) = manager.lines(&request.flags) {
        return Ok(lines_of(manager, request.manager.is_some(), &lines));
    }
    if let Some(ours) = place.configured_hooks.iter().find(|hook| hook.command.contains("tollgate hook run"))
    {
        let name = escape::terminal(&ours.name);
        return Ok(format!(
            "git's configuration runs it already: `hook.{name}.command`; nothing was written\n"
        ));
    }
    let changes = hooks::install(&place, &request.executable, &request.flags, request.dry_run)
        .map_err(Failure::configuration)?;
    let mut text = told(&changes, request.dry_run);
    if place.is_in_work_tree() {
        text.push_str(
            "the folder lies in the work tree: the hook names the path of this machine's tollgate, and takes the one in PATH elsewhere\n",
        );
    }
    for hook in &place.configured_hooks {
        let (name, command) = (escape::terminal(&hook.name), escape::terminal(&hook.command));
        text.push_str(&format!(
            "from version 2.54 on git also runs `hook.{name}.command` before a push: {command}\n"
        ));
    }
    if !request.dry_run {
        text.push_str("from now on `git push` stops for a regression; `git push --no-verify` or TOLLGATE_SKIP=1 skips it\n");
    }
    Ok(text)
}

/// Takes the hook out of the repository and puts back what was there. Returns what to tell.
///
/// # Errors
/// As [`install`].
pub fn uninstall(directory: &Path, dry_run: bool, interrupt: &Interrupt) -> Result<String, Failure> {
    let place = Place::find(directory, interrupt).map_err(Failure::configuration)?;
    let changes = hooks::uninstall(&place, dry_run).map_err(Failure::configuration)?;
    Ok(told(&changes, dry_run))
}

fn lines_of(manager: Manager, asked: bool, lines: &str) -> String {
    let name = manager.name();
    let why = if asked {
        format!("{name} writes its hooks itself; add this to its configuration:")
    } else {
        format!(
            "this repository's hooks are written by {name}, so nothing was written; add this to its configuration"
        ) + " (`--manager git` writes a plain hook all the same):"
    };
    format!("{why}\n\n{lines}")
}

fn told(changes: &[Change], dry_run: bool) -> String {
    let mut text: String = changes.iter().map(|change| sentence(change) + "\n").collect();
    if dry_run {
        text.insert_str(0, "nothing was changed; this would be:\n");
    }
    text
}

fn sentence(change: &Change) -> String {
    let shown = |path: &Path| escape::terminal(&path.display().to_string());
    match change {
        Change::Write(hook) => format!("write {}", shown(hook)),
        Change::Renew(hook) => format!("renew {}", shown(hook)),
        Change::Keep(hook) => format!("keep {}: it is as it should be", shown(hook)),
        Change::Rename { hook, before } => {
            format!(
                "rename the hook {} to {}: it runs first, with the same input",
                shown(hook),
                shown(before)
            )
        }
        Change::Remove(hook) => format!("remove {}", shown(hook)),
        Change::Restore { before, hook } => format!("put {} back as {}", shown(before), shown(hook)),
        Change::Nothing(hook) => format!("nothing to remove: {} is none of Tollgate's", shown(hook)),
    }
}
