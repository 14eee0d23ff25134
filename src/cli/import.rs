//! `tollgate import`: a run file from what other tools wrote.

use super::{Door, args::import::ImportArgs, check::write};
use crate::{
    commands::{baseline::past, failure::Failure, import},
    config::resolve,
    model::outcome::{ErrorClass, Outcome},
    text::escape,
};
use std::path::Path;

/// `tollgate import`.
pub(super) fn import(door: &Door, args: &ImportArgs) -> Result<Outcome, Failure> {
    if args.history {
        return record(door, args);
    }
    let to_stdout = args.output.as_ref().is_none_or(|path| path.as_os_str() == "-");
    if let Some(path) = args.output.as_deref().filter(|_| !to_stdout) {
        refuse_input(args, path)?;
    }
    let request = import::Request {
        files: args.files.clone(),
        from: args.from.clone(),
        name: args.name.clone(),
        policy: resolve::policy(&door.file()?),
        now: door.now,
    };
    let done = import::run(&request)?;
    for warning in done.warnings() {
        door.console.remark(&escape::visible(&warning.message));
    }
    match args.output.as_deref().filter(|_| !to_stdout) {
        Some(path) => {
            write(path, &done.to_json())?;
            door.console.remark(&format!("{}; the run is in {}", done.summary(), path.display()));
        }
        None => {
            door.print(&done.to_json())?;
            door.console.remark(&done.summary());
        }
    }
    Ok(done.outcome())
}

/// A history of another tool joins ours.
fn record(door: &Door, args: &ImportArgs) -> Result<Outcome, Failure> {
    let (here, entries) = (door.here()?, past::read(&args.files)?);
    let report = door.with_world(|world| past::record(&here, &entries, world))?;
    door.console.remark(&report.summary());
    Ok(report.outcome())
}

fn refuse_input(args: &ImportArgs, path: &Path) -> Result<(), Failure> {
    let same = |input: &Path| {
        path.canonicalize().is_ok_and(|path| input.canonicalize().is_ok_and(|input| input == path))
    };
    if !args.files.iter().any(|file| same(file)) {
        return Ok(());
    }
    let message = format!("could not use `--output {}`: it is an input of this command", path.display());
    Err(Failure::message(ErrorClass::Configuration, message, "name another file"))
}
