//! `tollgate compare`: two results judged without measuring.

use crate::{
    commands::{
        failure::Failure,
        judge::{in_file, read_bytes},
        session::day,
    },
    format::{
        reading::Fault,
        run_v1,
        version::{self, Kind},
    },
    judge,
    model::{
        outcome::{ErrorClass, Outcome},
        policy::Policy,
        run::Run,
        verdict::CheckVerdict,
    },
    sources::{
        input::{self, Input, InputFile},
        pairing::{self, SourceRun, unknown_environment},
        slots_csv,
    },
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// How deep below a directory results are looked for: criterion nests group, function, value and baseline.
const MAX_DEPTH: usize = 16;
/// More files than this are no results of one run.
const MAX_FILES: usize = 200_000;

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
            let (base, head) = (read_all(base)?, read_all(head)?);
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

fn read_all(paths: &[PathBuf]) -> Result<Vec<SourceRun>, Failure> {
    paths.iter().map(|path| read_result(path)).collect()
}

fn read_result(path: &Path) -> Result<SourceRun, Failure> {
    if path.is_file() {
        let bytes = read_bytes(path)?;
        match version::kind(&bytes) {
            Ok(Kind::Run) => {
                return run_v1::from_json(&bytes).map(SourceRun::from).map_err(|error| in_file(path, &error));
            }
            // A newer format of ours must be refused as such, not as an unknown tool's file.
            Err(error) if matches!(error.fault(), Fault::Newer { .. }) => return Err(in_file(path, &error)),
            _ => {}
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let input = Input {
            name: path.display().to_string(),
            files: vec![InputFile { path: name, bytes }],
            baseline: None,
        };
        return input::parse(&input).map_err(Failure::configuration);
    }
    read_directory(path)
}

/// A directory of criterion's or gungraun's, perhaps with a baseline's name behind a colon.
fn read_directory(path: &Path) -> Result<SourceRun, Failure> {
    let argument = path.display().to_string();
    let (folder, baseline) = match path.is_dir() {
        true => (argument.as_str(), None),
        false => input::split_baseline(&argument),
    };
    let folder = Path::new(folder);
    let mut files = Vec::new();
    gather(folder, folder, 0, &mut files)?;
    let input = Input { name: argument.clone(), files, baseline: baseline.map(str::to_owned) };
    input::parse(&input).map_err(Failure::configuration)
}

/// The files below a directory that hold results, in a fixed order. Links are not followed.
fn gather(root: &Path, folder: &Path, depth: usize, files: &mut Vec<InputFile>) -> Result<(), Failure> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(folder, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type().map_err(|error| unreadable(folder, &error))?);
        if kind.is_dir() && depth < MAX_DEPTH {
            gather(root, &path, depth + 1, files)?;
        } else if kind.is_file() {
            let below = path.strip_prefix(root).unwrap_or(&path);
            let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            let name = parts.join("/");
            if input::wants(&name) {
                files.push(InputFile { path: name, bytes: read_bytes(&path)? });
            }
            if files.len() > MAX_FILES {
                return Err(Failure::message(
                    ErrorClass::Configuration,
                    format!(
                        "could not read `{}`: it holds more than {MAX_FILES} result files",
                        root.display()
                    ),
                    "name the directory of one run",
                ));
            }
        }
    }
    Ok(())
}

/// Runs of ours know where they were measured: what another machine measured is not compared, warning or not.
fn refuse_other_environment(base: &[SourceRun], head: &[SourceRun]) -> Result<(), Failure> {
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

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::message(
        ErrorClass::Configuration,
        format!("could not read `{}`: {error}", path.display()),
        "check the path",
    )
}
