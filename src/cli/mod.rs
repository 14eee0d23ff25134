//! The door: arguments in, one job done, its outcome as the exit code.

pub mod args;
mod check;
mod comment;
mod compare;
pub mod console;
pub mod exit;
mod hook;
mod import;
mod load;
mod manual;
mod places;
mod resolve;
mod stored;

use crate::{
    commands::failure::Failure,
    model::outcome::{ErrorClass, Outcome},
    process::Interrupt,
    progress::Event,
};
use args::{Cli, Command};
use clap::Parser;
use console::Console;
use std::{process::ExitCode, time::SystemTime};

/// What the door knows of the world, asked once.
struct Door {
    console: Console,
    global: args::Global,
    interrupt: Interrupt,
    /// Seconds since 1970-01-01T00:00:00Z.
    now: u64,
}

/// Parses the process's arguments, does the job, and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Clap prints help and version on stdout with code 0, faults on stderr with code 2.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let console = Console::new(&cli.global, no_colour, columns);
    let outcome = open(console.clone(), cli.global).and_then(|door| dispatch(&door, cli.command));
    match outcome {
        Ok(outcome) => exit::code(outcome),
        Err(failure) => {
            console.failure(&failure);
            exit::code(failure.outcome())
        }
    }
}

fn open(console: Console, global: args::Global) -> Result<Door, Failure> {
    if let Some(directory) = &global.directory {
        std::env::set_current_dir(directory).map_err(|error| {
            let message = format!("could not change to directory `{}`: {error}", directory.display());
            Failure::message(ErrorClass::Configuration, message, "check the path given with `-C`")
        })?;
    }
    let interrupt = Interrupt::install().map_err(|error| {
        Failure::message(ErrorClass::Measurement, format!("could not install signal handlers: {error}"), "")
    })?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Ok(Door { console, global, interrupt, now })
}

fn dispatch(door: &Door, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Demo(args) => check::demo(door, &args),
        Command::Init(args) => check::init(door, &args),
        Command::Check(args) => check::check(door, *args),
        Command::Run(args) => check::run(door, *args),
        Command::Baseline(args) => stored::baseline(door, args.action),
        Command::Compare(args) => compare::compare(door, &args),
        Command::Import(args) => import::import(door, &args),
        Command::Load(args) => load::load(door, &args),
        Command::Judge(args) => compare::judge(door, &args),
        Command::Report(args) => compare::report(door, &args),
        Command::Comment(args) => comment::comment(door, &args),
        Command::Hook(args) => hook::hook(door, args.action),
        Command::Doctor(args) => check::doctor(door, &args),
        Command::Completions(args) => manual::completions(door, args.shell),
        Command::Man(args) => manual::man(door, args.dir.as_deref()),
    }
}

impl Door {
    /// Runs a job with a progress listener that is told when it is over.
    fn with_progress<T>(
        &self,
        job: impl FnOnce(&dyn crate::progress::Progress) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let progress = self.console.progress();
        let result = job(progress.as_ref());
        progress.tell(Event::Done);
        result
    }

    /// Prints a result; a stream that cannot be written is a reporting failure.
    fn print(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.console.result(bytes).map_err(|error| {
            Failure::message(
                ErrorClass::Reporting,
                format!("could not write to standard output: {error}"),
                "check the disk behind it",
            )
        })
    }
}
