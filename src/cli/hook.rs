//! `tollgate hook`: git's own input and variables become a request, what came of the push is shown.

use super::{
    Door,
    args::hook::{HookAction, InstallArgs, RunHookArgs},
};
use crate::{
    commands::{
        failure::Failure,
        hook::{install, run, text},
    },
    config::resolve::{Flags, hook_times, resolve},
    git::push::MOST_BYTES,
    model::outcome::Outcome,
    report::table::Style,
};
use std::{
    env,
    io::{self, IsTerminal, Read},
    sync::mpsc,
    time::Duration,
};

/// A manager that never closes the input (lefthook without `use_stdin`) must not hang the push.
const INPUT_LIMIT: Duration = Duration::from_secs(5);
/// Settings that `git -c` hands to its children; with git's own list of variables they are those of `git rev-parse --local-env-vars`.
#[cfg(unix)]
const SETTINGS_VARIABLES: [&str; 3] = ["GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"];

/// `tollgate hook`.
pub(super) fn hook(door: &Door, action: HookAction) -> Result<Outcome, Failure> {
    let told = match action {
        HookAction::Run(args) => return run_hook(door, args),
        HookAction::Install(args) => install_hook(door, &args)?,
        HookAction::Uninstall(args) => install::uninstall(&door.here()?, args.dry_run, &door.interrupt)?,
    };
    door.print(told.as_bytes())?;
    Ok(Outcome::Pass)
}

fn install_hook(door: &Door, args: &InstallArgs) -> Result<String, Failure> {
    let request = install::Request {
        directory: door.here()?,
        executable: door.executable()?,
        manager: args.manager.manager(),
        flags: args.budget.map(|span| format!("--budget {}s", span.0)).unwrap_or_default(),
        dry_run: args.dry_run,
    };
    install::install(&request, &door.interrupt)
}

/// Passes whatever came of it, unless something regressed or the user stopped it.
fn run_hook(door: &Door, args: RunHookArgs) -> Result<Outcome, Failure> {
    if env::var("TOLLGATE_SKIP").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str())) {
        door.console.remark("tollgate: skipped by TOLLGATE_SKIP");
        return Ok(Outcome::Pass);
    }
    without_repository_variables(door);
    let input = match input() {
        Ok(input) => input,
        Err(words) => {
            door.console.remark(&format!("tollgate: warning: not judged: {words}; the push goes on"));
            return Ok(Outcome::Pass);
        }
    };
    let request = match request(door, args, input) {
        Ok(request) => request,
        Err(failure) => {
            door.console.failure(&failure);
            door.console.remark("tollgate: warning: not judged, the push goes on");
            return Ok(Outcome::Pass);
        }
    };
    let done = door.with_progress(|progress| run::run(&request, progress, &door.interrupt))?;
    let style = Style { colour: door.console.colour, width: door.console.width, verbose: false };
    if let Err(failure) = door.print(text::render(&done, style).as_bytes()) {
        // What was found stands, and a full disk must not stop a push.
        door.console.failure(&failure);
    }
    Ok(if done.is_regressed() { Outcome::Regressed } else { Outcome::Pass })
}

fn request(door: &Door, args: RunHookArgs, input: Vec<u8>) -> Result<run::Request, Failure> {
    let file = door.file()?;
    let (budget, limit) = hook_times(args.budget.map(crate::config::values::Span::duration), &file.hook);
    let said = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    Ok(run::Request {
        directory: door.here()?,
        executable: door.executable()?,
        settings: resolve(Flags::default(), &file),
        input,
        pre_commit: run::PreCommit {
            remote: said("PRE_COMMIT_REMOTE_NAME"),
            url: said("PRE_COMMIT_REMOTE_URL"),
            local_ref: said("PRE_COMMIT_LOCAL_BRANCH"),
            remote_ref: said("PRE_COMMIT_REMOTE_BRANCH"),
            from: said("PRE_COMMIT_FROM_REF"),
            to: said("PRE_COMMIT_TO_REF"),
        },
        // A name that is no text is the name of no remote that could be looked up.
        remote: args.remote.map(|name| name.to_string_lossy().into_owned()),
        url: args.url.map(|url| url.to_string_lossy().into_owned()),
        budget,
        limit,
        fresh_seed: door.draw_seed(),
        now: door.now,
    })
}

/// What git wrote to our standard input; nothing when that is a terminal.
fn input() -> Result<Vec<u8>, String> {
    if io::stdin().is_terminal() {
        return Err("a pre-push hook gets its lines from git; try `git push --dry-run`".into());
    }
    let (sender, receiver) = mpsc::channel();
    // It ends with the process when the input is never closed.
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
        let read = io::stdin().lock().take(most).read_to_end(&mut bytes);
        // Nobody may wait for it any more.
        let _ = sender.send(read.map(|_| bytes));
    });
    match receiver.recv_timeout(INPUT_LIMIT) {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(format!("standard input could not be read: {error}")),
        Err(_) => Err("standard input was not closed (lefthook needs `use_stdin: true`)".into()),
    }
}

/// Git ties the children of a hook to its repository by variables, which the builds and benchmarks of other worktrees must not see:
/// this process starts again without them. Where that cannot be done, our own git calls and builds still go without.
#[cfg(unix)]
fn without_repository_variables(door: &Door) {
    let tied: Vec<&str> = crate::git::command::REPOSITORY_VARIABLES
        .into_iter()
        .chain(SETTINGS_VARIABLES)
        .filter(|name| env::var_os(name).is_some())
        .collect();
    // After `-C DIR` we are in that directory already, and must not change to it again.
    if tied.is_empty() || door.global.directory.is_some() {
        return;
    }
    let args: Vec<_> = env::args_os().skip(1).collect();
    if let Ok(program) = env::current_exe() {
        // It returns only when it failed.
        drop(crate::process::replace::replace_us(program.as_os_str(), &args, &tied));
    }
}

/// Elsewhere a program cannot take our place; our own git calls and builds go without these variables all the same.
#[cfg(not(unix))]
fn without_repository_variables(_door: &Door) {}
