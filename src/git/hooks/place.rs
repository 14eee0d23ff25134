//! The folder that git takes hooks from: asked of git, never guessed, because `core.hooksPath`, linked worktrees and bare
//! repositories each move it.

use std::path::{Path, PathBuf};

use crate::{
    git::{self, command::REPOSITORY_VARIABLES, hooks::Error, snapshot::path_of},
    process::{self, Finished, Interrupt, Spec},
};

/// The first version of git that runs hooks of its configuration.
const FIRST_WITH_CONFIGURED: (u32, u32) = (2, 54);

/// Where a repository's hooks are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder of hooks, absolute; it need not exist.
    pub folder: PathBuf,
    /// The top of the work tree, where there is one.
    pub root: Option<PathBuf>,
    /// The folder that all linked worktrees share.
    pub common: PathBuf,
    /// Whose setting `core.hooksPath` is, where it is set: `local`, `worktree`, `global`, `system`, `command`.
    pub configured: Option<String>,
    /// Names of `hook.NAME` in the configuration whose event is pre-push.
    pub configured_hooks: Vec<ConfiguredHook>,
    /// Whether this git runs those.
    pub runs_configured: bool,
}

/// A hook that stands in git's configuration instead of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredHook {
    /// Its name.
    pub name: String,
    /// Its command.
    pub command: String,
}

impl Place {
    /// Asks git about the repository around `directory`.
    ///
    /// # Errors
    /// When there is none, or git cannot be run.
    pub fn find(directory: &Path, interrupt: &Interrupt) -> Result<Self, Error> {
        let directory =
            directory.canonicalize().map_err(crate::files::Error::at("open the folder", directory))?;
        let Some(hooks) = ask(&directory, &["rev-parse", "--git-path", "hooks"], interrupt)? else {
            return Err(git::Error::NotARepository(directory).into());
        };
        let common = ask(&directory, &["rev-parse", "--git-common-dir"], interrupt)?.unwrap_or_default();
        let root = ask(&directory, &["rev-parse", "--show-toplevel"], interrupt)?;
        let scope = ask(&directory, &["config", "--show-scope", "--get", "core.hooksPath"], interrupt)?;
        let scope =
            scope.map(|line| String::from_utf8_lossy(&line).split('\t').next().unwrap_or("").to_owned());
        Ok(Self {
            folder: directory.join(path_of(&hooks)),
            root: root.filter(|path| !path.is_empty()).map(|path| path_of(&path)),
            common: directory.join(path_of(&common)),
            configured: scope,
            configured_hooks: configured_hooks(&directory, interrupt)?,
            runs_configured: ask(&directory, &["version"], interrupt)?.is_some_and(|version| {
                is_at_least(&String::from_utf8_lossy(&version), FIRST_WITH_CONFIGURED)
            }),
        })
    }

    /// The pre-push hook.
    #[must_use]
    pub fn hook(&self) -> PathBuf {
        self.folder.join("pre-push")
    }

    /// Whether the folder serves other repositories too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.configured.as_deref(), Some("global" | "system"))
    }

    /// Whether the folder lies in the work tree, where git may track what is in it.
    #[must_use]
    pub fn is_in_work_tree(&self) -> bool {
        let common = self.common.canonicalize().unwrap_or_else(|_| self.common.clone());
        let folder = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        self.root.as_ref().is_some_and(|root| folder.starts_with(root)) && !folder.starts_with(common)
    }
}

/// Hooks of the configuration whose event is pre-push.
fn configured_hooks(directory: &Path, interrupt: &Interrupt) -> Result<Vec<ConfiguredHook>, Error> {
    let args = ["config", "--null", "--get-regexp", r"^hook\..*\.(event|command)$"];
    let Some(listed) = ask(directory, &args, interrupt)? else { return Ok(Vec::new()) };
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let entries: Vec<(&str, &str)> = listed.split('\0').filter_map(|entry| entry.split_once('\n')).collect();
    let name = |key: &str, suffix: &str| Some(key.strip_prefix("hook.")?.strip_suffix(suffix)?.to_owned());
    let ours = entries.iter().filter(|(_, value)| *value == "pre-push");
    Ok(ours
        .filter_map(|(key, _)| {
            let name = name(key, ".event")?;
            let wanted = format!("hook.{name}.command");
            let command = entries.iter().rev().find(|(key, _)| *key == wanted);
            Some(ConfiguredHook { command: command.map_or("", |(_, value)| value).to_owned(), name })
        })
        .collect())
}

/// Whether `git version` tells of this version or a later one.
fn is_at_least(told: &str, wanted: (u32, u32)) -> bool {
    let version = told.split_whitespace().nth(2).unwrap_or_default();
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(Some(major)), Some(Some(minor))) if (major, minor) >= wanted)
}

/// What git prints, without the line break at its end; `None` when it refuses. Unlike `git::command::git` it leaves
/// `core.hooksPath` as it is set.
fn ask(directory: &Path, args: &[&str], interrupt: &Interrupt) -> Result<Option<Vec<u8>>, Error> {
    let mut spec = Spec::new("git", directory).set("LC_ALL", "C").set("LANGUAGE", "");
    for variable in REPOSITORY_VARIABLES {
        spec = spec.remove(variable);
    }
    let Finished { status, mut stdout, .. } =
        process::run(&spec.args(args.iter().copied()), interrupt).map_err(git::Error::from)?;
    if stdout.last() == Some(&b'\n') {
        stdout.pop();
    }
    Ok(status.success().then_some(stdout))
}

#[cfg(test)]
mod tests {
    use super::is_at_least;

    #[test]
    fn versions_of_all_builds_of_git_are_compared() {
        let new = |told: &str| is_at_least(told, (2, 54));
        assert!(new("git version 2.54.0") && new("git version 3.0") && new("git version 2.54.1.windows.2"));
        assert!(
            !new("git version 2.47.3")
                && !new("git version 2.9.5 (Apple Git-1)")
                && !new("")
                && !new("git 2.60")
        );
    }
}
