//! `tollgate compare`, `judge` and `report`: verdicts from files.

use super::{
    Door,
    args::{
        compare::{CompareArgs, JudgeArgs, ReportArgs},
        output::{Format, OutputArgs},
    },
};
use crate::{
    commands::{compare, failure::Failure, judge},
    config::resolve,
    files::atomic,
    model::{
        outcome::{ErrorClass, Outcome},
        policy::Strictness,
        verdict::CheckVerdict,
    },
    report,
};
use std::path::Path;

/// `tollgate compare`.
pub(super) fn compare(door: &Door, args: &CompareArgs) -> Result<Outcome, Failure> {
    let mut policy = resolve::policy(&door.file()?);
    policy.margin = args.margin.map_or(policy.margin, |percent| percent.0);
    if args.strict {
        policy.strictness = Strictness::Strict;
    }
    let inputs = match (&args.slots, args.pair.as_slice()) {
        (Some(file), _) => compare::Inputs::Slots(file.clone()),
        (None, [base, head]) => {
            compare::Inputs::Results { base: vec![base.clone()], head: vec![head.clone()] }
        }
        (None, _) => compare::Inputs::Results { base: args.base.clone(), head: args.head.clone() },
    };
    let verdict = compare::run(&compare::Request { inputs, policy, now: door.now })?;
    deliver(door, &verdict, &args.output)
}

/// `tollgate judge`.
pub(super) fn judge(door: &Door, args: &JudgeArgs) -> Result<Outcome, Failure> {
    let request = judge::Request {
        file: args.file.clone(),
        margin: args.margin.map(|percent| percent.0),
        strictness: args.strict.then_some(Strictness::Strict),
    };
    let verdict = judge::run(&request)?;
    deliver(door, &verdict, &args.output)
}

/// `tollgate report`: succeeds whatever the verdict says.
pub(super) fn report(door: &Door, args: &ReportArgs) -> Result<Outcome, Failure> {
    let verdict = judge::read_verdict(&args.file)?;
    deliver(door, &verdict, &args.output)?;
    Ok(Outcome::Pass)
}

/// Prints the verdict and writes the files asked for. A verdict stands even where a file could not be written.
pub(super) fn deliver(door: &Door, verdict: &CheckVerdict, output: &OutputArgs) -> Result<Outcome, Failure> {
    let mut outcome = verdict.outcome;
    for (format, path) in output.files() {
        if let Err(failure) = write(&path, &render(door, verdict, format, output, false)) {
            door.console.failure(&failure);
            outcome = outcome.join(failure.outcome());
        }
    }
    let format = output.format.unwrap_or(Format::Table);
    match door.print(&render(door, verdict, format, output, true)) {
        Ok(()) => Ok(outcome),
        Err(failure) => {
            door.console.failure(&failure);
            Ok(outcome.join(failure.outcome()))
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
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    atomic::write(path, bytes).map_err(|error| {
        Failure::message(
            ErrorClass::Reporting,
            format!("could not write `{}`: {error}", path.display()),
            "check the folder's permissions and the free space; the verdict stands",
        )
    })
}
