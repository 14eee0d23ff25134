//! `tollgate compare`: two results judged without measuring.

use crate::{
    commands::{
        failure::Failure,
        results::{read_all, unreadable},
        session::day,
    },
    judge,
    model::{outcome::Outcome, policy::Policy, run::Run, verdict::CheckVerdict},
    sources::{
        pairing::{self, SourceRun, unknown_environment},
        slots_csv,
    },
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What to compare.
#[derive(Debug, Clone)]
pub enum Inputs {
    /// A table of slots.
    Slots(PathBuf),
    /// Results of both sides, each in time order.
    Results {
        /// At least one.
        base: Vec<PathBuf>,
        /// At least one.
        head: Vec<PathBuf>,
    },
}

/// What to compare, and by which rules.
#[derive(Debug, Clone)]
pub struct Request {
    /// The inputs.
    pub inputs: Inputs,
    /// The tool that wrote them; `None` to find out.
    pub from: Option<String>,
    /// The rules.
    pub policy: Policy,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// Judges the inputs.
///
/// # Errors
/// When an input cannot be read or understood, or the two were measured in different environments.
pub fn run(request: &Request) -> Result<CheckVerdict, Failure> {
    let mut run = match &request.inputs {
        Inputs::Slots(path) => read_slots(path)?,
        Inputs::Results { base, head } => {
            let from = request.from.as_deref();
            let (base, head) = (read_all(base, from)?, read_all(head, from)?);
            refuse_other_environment(&base, &head)?;
            pairing::pair(base, head)
        }
    };
    run.policy = request.policy.clone();
    run.day = day(request.now);
    run.started_at = request.now;
    Ok(judge::judge(&run))
}

fn read_slots(path: &Path) -> Result<Run, Failure> {
    let file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    slots_csv::parse(&name, file).map_err(Failure::configuration)
}

/// Runs of ours know where they were measured: what another machine measured is not compared, warning or not.
pub(super) fn refuse_other_environment(base: &[SourceRun], head: &[SourceRun]) -> Result<(), Failure> {
    let unknown = unknown_environment().key;
    let mut known = base.iter().chain(head).map(|run| &run.environment).filter(|known| known.key != unknown);
    let Some(first) = known.next() else { return Ok(()) };
    let Some(other) = known.find(|environment| environment.key != first.key) else { return Ok(()) };
    let describe = |environment: &crate::model::environment::Environment| {
        format!("{} ({}, {}, {})", environment.key, environment.cpu, environment.rustc, environment.flags)
    };
    Err(Failure::sentence(
        Outcome::Incomplete,
        format!(
            "could not compare: the inputs were measured in different environments, {} and {}",
            describe(first),
            describe(other)
        ),
        "measure both on one machine with one toolchain, best in turns: `tollgate check --base REV`",
    ))
}
