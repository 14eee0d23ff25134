//! `tollgate check`, `run`, `demo`, `init` and `doctor`: what was typed becomes a request, what came of it is shown.

use super::{
    Door,
    args::{
        DemoArgs, DoctorArgs, InitArgs, ServiceArg, check::CheckArgs, command::CommandArgs,
        output::OutputArgs, run::RunArgs,
    },
    compare::{check_outputs, deliver, remove_old_reports},
    resolve::{FILE_NAME, selection},
};
use crate::{
    commands::{
        check,
        demo::job::{self as demo, Kind},
        doctor,
        failure::Failure,
        init, run,
    },
    config::{
        file::File,
        read,
        resolve::{CommandFlags, Flags, resolve},
    },
    files::atomic,
    model::outcome::{ErrorClass, Outcome},
};
use std::path::Path;

/// `tollgate check`.
pub(super) fn check(door: &Door, args: CheckArgs) -> Result<Outcome, Failure> {
    let (list, output, seed) = (args.list, args.output.clone(), args.seed);
    check_outputs(&output, &[])?;
    if !list {
        remove_old_reports(&output);
    }
    let request = check::Request {
        directory: door.here()?,
        executable: door.executable()?,
        settings: door.settings(check_flags(door, args)?)?,
        seed,
        fresh_seed: door.draw_seed(),
        now: door.now,
    };
    if list {
        let text = door.with_progress(|progress| check::list(&request, progress, &door.interrupt))?;
        door.print(text.as_bytes())?;
        return Ok(Outcome::Pass);
    }
    let done = door.with_progress(|progress| check::run(&request, progress, &door.interrupt))?;
    finish(door, &done, &output)
}

fn check_flags(door: &Door, args: CheckArgs) -> Result<Flags, Failure> {
    let command = args.command.map(|line| command_flags(door, line, &args.program)).transpose()?;
    Ok(Flags {
        command,
        base: args.base,
        head: args.head,
        mode: args.mode.map(Into::into),
        budget_seconds: args.budget.map(|span| span.0),
        margin: args.margin.map(|percent| percent.0),
        filter: args.filter,
        strict: args.strict,
        measure_identical: args.measure_identical,
        pin: args.pin,
        as_built: args.build.as_built,
        selection: selection(args.build),
        ..Flags::default()
    })
}

/// A command that was typed, with what belongs to it.
fn command_flags(door: &Door, line: String, args: &CommandArgs) -> Result<CommandFlags, Failure> {
    let refused = |why: String| Failure::message(ErrorClass::Configuration, why, "give another `--name`");
    let name = args.name_of(&line).map_err(refused)?;
    if line.trim().is_empty() {
        return Err(Failure::message(
            ErrorClass::Configuration,
            "`--command` is empty",
            "write what the shell runs",
        ));
    }
    let (format, build) = (args.format.clone(), args.build.clone());
    Ok(CommandFlags { line, format, name, build, folder: door.here()? })
}

/// Shows a check's verdict, and says where its files are.
fn finish(door: &Door, done: &check::Done, output: &OutputArgs) -> Result<Outcome, Failure> {
    let outcome = deliver(door, &done.verdict, output)?;
    match &done.not_kept {
        Some(failure) => {
            door.console.failure(failure);
            Ok(outcome.join(failure.outcome()))
        }
        None => {
            door.console
                .remark(&format!("kept in {}: verdict.json, verdict.md, run.json", done.folder.display()));
            Ok(outcome)
        }
    }
}

/// `tollgate run`.
pub(super) fn run(door: &Door, args: RunArgs) -> Result<Outcome, Failure> {
    let output = args.output.clone();
    let both = args.program.format.is_some()
        || args.program.build.is_some()
        || args.base.is_some()
        || args.head.is_some();
    let (command, alone) = match args.command {
        Some(line) if both => (Some(command_flags(door, line, &args.program)?), None),
        Some(line) => (None, Some(run::CommandLine { name: args.program.name, line })),
        None => (None, None),
    };
    let flags = Flags {
        command,
        base: args.base,
        head: args.head,
        budget_seconds: args.budget.map(|span| span.0),
        filter: args.filter,
        pin: args.pin,
        as_built: args.build.as_built,
        selection: selection(args.build),
        ..Flags::default()
    };
    let request = run::Request {
        directory: door.here()?,
        executable: door.executable()?,
        settings: door.settings(flags)?,
        processes: args.processes,
        command: alone,
        seed: args.seed.unwrap_or_else(|| door.draw_seed()),
        now: door.now,
    };
    let done = door.with_progress(|progress| run::run(&request, progress, &door.interrupt))?;
    let outcome = done.outcome();
    let bytes = done.to_json();
    match output {
        Some(path) if path.as_os_str() == "-" => door.print(&bytes)?,
        path => {
            let path = path.unwrap_or_else(|| done.folder.join("run.json"));
            write(&path, &bytes)?;
            door.console.remark(&format!("{}; the run is in {}", done.summary(), path.display()));
        }
    }
    Ok(outcome)
}

/// `tollgate demo`: succeeds when the check could be done, whatever it came to.
pub(super) fn demo(door: &Door, args: &DemoArgs) -> Result<Outcome, Failure> {
    let (kind, name, seconds) = match args.load {
        true => (Kind::Load, "tollgate-load-demo", 240.0),
        false => (Kind::Benches, "tollgate-demo", 90.0),
    };
    let folder = door.here()?.join(args.dir.as_deref().unwrap_or(Path::new(name)));
    let budget = args.budget.map_or(seconds, |span| span.0);
    let flags = Flags { base: Some("HEAD~1".into()), budget_seconds: Some(budget), ..Flags::default() };
    let done = door.with_progress(|progress| {
        demo::write(kind, &folder, progress, &door.interrupt)?;
        // Only the demo's own file counts, not one of the project that it is written in.
        let file = match kind {
            Kind::Benches => File::default(),
            Kind::Load => read::read_with(&folder.join(FILE_NAME), false).map_err(Failure::configuration)?,
        };
        let request = check::Request {
            directory: folder,
            executable: door.executable()?,
            settings: resolve(flags, &file),
            // A demo is seen anew each time: it does not go on from the one before.
            seed: Some(door.draw_seed()),
            fresh_seed: door.draw_seed(),
            now: door.now,
        };
        check::run(&request, progress, &door.interrupt)
    })?;
    deliver(door, &done.verdict, &OutputArgs { all_rows: true, ..OutputArgs::default() })?;
    if let Some(failure) = &done.not_kept {
        door.console.failure(failure);
    }
    door.print(demo::farewell(kind, &done).as_bytes())?;
    Ok(match done.verdict.outcome {
        Outcome::Error(class) => Outcome::Error(class),
        _ => Outcome::Pass,
    })
}

/// `tollgate init`.
pub(super) fn init(door: &Door, args: &InitArgs) -> Result<Outcome, Failure> {
    let service = args.ci.map(|service| match service {
        ServiceArg::Github => init::Service::Github,
        ServiceArg::Gitlab => init::Service::Gitlab,
        ServiceArg::None => init::Service::None,
    });
    let request = init::Request { service, baseline: args.baseline };
    let report = init::run(&door.here()?, request, &door.interrupt)?;
    door.print(report.as_bytes())?;
    Ok(Outcome::Pass)
}

/// `tollgate doctor`.
pub(super) fn doctor(door: &Door, args: &DoctorArgs) -> Result<Outcome, Failure> {
    let request = doctor::Request {
        quick: args.quick,
        seed: args.seed.unwrap_or_else(|| door.draw_seed()),
        executable: door.executable()?,
        state: doctor::state_folder(),
    };
    let report = door.with_progress(|progress| doctor::run(&request, progress, &door.interrupt))?;
    if args.json {
        door.print(&report.to_json())?;
    } else {
        door.print(report.to_text(door.console.width).as_bytes())?;
    }
    Ok(report.outcome())
}

/// Writes a result that the user asked for.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    atomic::write(path, bytes).map_err(|error| {
        Failure::reporting(error).while_doing(format!("could not write `{}`", path.display()))
    })
}
