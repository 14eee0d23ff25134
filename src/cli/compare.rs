//! `tollgate compare`, `judge` and `report`: verdicts from files.

use super::{
    Door,
    args::{
        compare::{CompareArgs, JudgeArgs, ReportArgs},
        output::{Format, OutputArgs},
    },
    places,
};
use crate::{
    commands::{compare, failure::Failure, judge, merge},
    config::resolve,
    files::atomic,
    model::{
        outcome::{ErrorClass, Outcome},
        policy::Strictness,
        verdict::CheckVerdict,
    },
    report,
};
use std::{
    io::Read,
    path::{Path, PathBuf},
};

/// So many bytes tell a report of ours from other files.
const BEGINNING: u64 = 4096;

/// `tollgate compare`.
pub(super) fn compare(door: &Door, args: &CompareArgs) -> Result<Outcome, Failure> {
    let mut policy = resolve::policy(&door.file()?);
    policy.margin = args.margin.map_or(policy.margin, |percent| percent.0);
    if args.strict {
        policy.strictness = Strictness::Strict;
    }
    let inputs = match (&args.slots, &args.first, &args.second) {
        (Some(file), ..) => compare::Inputs::Slots(file.clone()),
        (None, Some(base), Some(head)) => {
            compare::Inputs::Results { base: vec![base.clone()], head: vec![head.clone()] }
        }
        _ => compare::Inputs::Results { base: args.base.clone(), head: args.head.clone() },
    };
    let named: Vec<&Path> = match &inputs {
        compare::Inputs::Slots(file) => vec![file],
        compare::Inputs::Results { base, head } => base.iter().chain(head).map(PathBuf::as_path).collect(),
    };
    check_outputs(&args.output, &named)?;
    let verdict = compare::run(&compare::Request { inputs, from: args.from.clone(), policy, now: door.now })?;
    deliver(door, &verdict, &args.output)
}

/// `tollgate judge`.
pub(super) fn judge(door: &Door, args: &JudgeArgs) -> Result<Outcome, Failure> {
    let request = judge::Request {
        file: args.file.clone(),
        margin: args.margin.map(|percent| percent.0),
        strictness: args.strict.then_some(Strictness::Strict),
    };
    check_outputs(&args.output, &[&args.file])?;
    let verdict = judge::run(&request)?;
    deliver(door, &verdict, &args.output)
}

/// `tollgate report`: succeeds whatever the verdict says, unless it is one that only now comes to be, of shards.
pub(super) fn report(door: &Door, args: &ReportArgs) -> Result<Outcome, Failure> {
    let named: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    check_outputs(&args.output, &named)?;
    if args.merge {
        let (files, expected) = (args.files.clone(), args.expect.map(usize::from));
        let verdict = merge::run(&merge::Request { files, expected, now: door.now })?;
        return deliver(door, &verdict, &args.output);
    }
    let [file] = args.files.as_slice() else {
        return Err(Failure::message(
            ErrorClass::Configuration,
            "could not report several files at once",
            "merge the verdicts of shards with `--merge`, or name one file",
        ));
    };
    let verdict = judge::read_any(file, door.now)?;
    Ok(show(door, &verdict, &args.output))
}

/// Prints the verdict and writes the files asked for. A verdict stands even where a file could not be written.
pub(super) fn deliver(door: &Door, verdict: &CheckVerdict, output: &OutputArgs) -> Result<Outcome, Failure> {
    Ok(verdict.outcome.join(show(door, verdict, output)))
}

/// The same, whatever the verdict says: passes when everything could be shown.
fn show(door: &Door, verdict: &CheckVerdict, output: &OutputArgs) -> Outcome {
    let mut outcome = Outcome::Pass;
    for (format, path) in output.files() {
        if let Err(failure) = write(&path, &render(door, verdict, format, output, false)) {
            door.console.failure(&failure);
            outcome = outcome.join(failure.outcome());
        }
    }
    let format = output.format.unwrap_or(Format::Table);
    match door.print(&render(door, verdict, format, output, true)) {
        Ok(()) => outcome,
        Err(failure) => {
            door.console.failure(&failure);
            outcome.join(failure.outcome())
        }
    }
}

fn render(
    door: &Door,
    verdict: &CheckVerdict,
    format: Format,
    output: &OutputArgs,
    to_stdout: bool,
) -> Vec<u8> {
    match format {
        Format::Table => {
            let style = report::table::Style {
                colour: to_stdout && door.console.colour,
                width: if to_stdout { door.console.width } else { 100 },
                verbose: output.all_rows || door.console.is_verbose(),
            };
            report::table::render(verdict, style).into_bytes()
        }
        Format::Markdown => report::markdown::render(verdict).into_bytes(),
        Format::Json => report::json::render(verdict),
        Format::Html => report::html::render(verdict).into_bytes(),
        Format::Junit => report::junit::render(verdict, &places::find(door, verdict)).into_bytes(),
        Format::Annotations => {
            report::annotations::render(verdict, &places::find(door, verdict)).into_bytes()
        }
        Format::CodeQuality => {
            report::code_quality::render(verdict, &places::find(door, verdict)).into_bytes()
        }
    }
}

/// Writes a result that the user asked for; the verdict stands whatever comes of it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    atomic::write(path, bytes).map_err(|error| {
        Failure::reporting(error).while_doing(format!("could not write `{}`", path.display()))
    })
}

/// Refuses an output that is named twice or that is an input of the same command.
pub(super) fn check_outputs(output: &OutputArgs, inputs: &[&Path]) -> Result<(), Failure> {
    let files = output.files();
    let refuse = |path: &Path, why: &str| {
        let message = format!("could not use `--output {}`: {why}", path.display());
        Err(Failure::message(ErrorClass::Configuration, message, "name another file"))
    };
    for (index, (_, path)) in files.iter().enumerate() {
        if files[..index].iter().any(|(_, other)| other == path) {
            return refuse(path, "it is named twice");
        }
        let same = |input: &&Path| {
            path.canonicalize().is_ok_and(|path| input.canonicalize().is_ok_and(|input| input == path))
        };
        if inputs.iter().any(same) {
            return refuse(path, "it is an input of this command");
        }
    }
    Ok(())
}

/// Removes reports of an earlier check from where this one will write: a check that fails must leave no old verdict behind, and an
/// old report in the work tree must not make it another tree. Only what is a report of ours is removed.
pub(super) fn remove_old_reports(output: &OutputArgs) {
    for (_, path) in output.files() {
        let is_file = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
        if is_file && beginning(&path).is_ok_and(|bytes| report::known::is_ours(&bytes)) {
            // What cannot be removed cannot be written either, and is told then.
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// The first bytes of a file, which may be of any size: it is whatever the user named.
fn beginning(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(BEGINNING).read_to_end(&mut bytes)?;
    Ok(bytes)
}
