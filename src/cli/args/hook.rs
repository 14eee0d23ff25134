//! `tollgate hook`.

use crate::{config::values::Span, git::hooks::Manager};
use clap::{Subcommand, ValueEnum};
use std::ffi::OsString;

/// The check before a push.
#[derive(Debug, Clone, clap::Args)]
pub struct HookArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: HookAction,
}

/// What to do with the hook.
#[derive(Debug, Clone, Subcommand)]
pub enum HookAction {
    /// Put the hook into this repository; a hook that is there runs first.
    Install(InstallArgs),
    /// Take the hook away and put back what was there.
    Uninstall(UninstallArgs),
    /// Judge a push, as git does before each: exits with 1 for a regression, else the push goes on.
    Run(RunHookArgs),
}

/// `tollgate hook install`.
#[derive(Debug, Clone, clap::Args)]
pub struct InstallArgs {
    /// Who writes this repository's hooks; for all but git, the lines for its configuration are printed and nothing is written.
    #[arg(long, value_enum, value_name = "TOOL", default_value = "auto")]
    pub manager: ManagerArg,
    /// The time that measuring may take before a push (default 60s, or `hook.budget` in `tollgate.toml`).
    #[arg(long, value_name = "DURATION")]
    pub budget: Option<Span>,
    /// Say what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `tollgate hook uninstall`.
#[derive(Debug, Clone, clap::Args)]
pub struct UninstallArgs {
    /// Say what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `tollgate hook run`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "It reads the lines that git gives a pre-push hook from standard input (`git help hooks`), or pre-commit's \
    variables. TOLLGATE_SKIP=1 in the environment skips it, and so does `git push --no-verify`."
)]
pub struct RunHookArgs {
    /// The hook.
    #[arg(value_enum)]
    pub hook: HookName,
    /// The name of the remote, or its URL.
    pub remote: Option<OsString>,
    /// The URL of the remote.
    pub url: Option<OsString>,
    /// The time that measuring may take, all pushed commits together (default 60s, or `hook.budget` in `tollgate.toml`).
    #[arg(long, value_name = "DURATION")]
    pub budget: Option<Span>,
}

/// The hooks that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HookName {
    /// Before a push.
    PrePush,
}

/// Who writes the hooks of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ManagerArg {
    /// Found by the files in it.
    Auto,
    /// Nobody: hooks are files.
    Git,
    /// pre-commit, by `.pre-commit-config.yaml`.
    PreCommit,
    /// lefthook, by `lefthook.yml`.
    Lefthook,
    /// husky, by `.husky`.
    Husky,
}

impl ManagerArg {
    /// The manager that was named; `None` for `auto`.
    #[must_use]
    pub fn manager(self) -> Option<Manager> {
        match self {
            Self::Auto => None,
            Self::Git => Some(Manager::Git),
            Self::PreCommit => Some(Manager::PreCommit),
            Self::Lefthook => Some(Manager::Lefthook),
            Self::Husky => Some(Manager::Husky),
        }
    }
}
