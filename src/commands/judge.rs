//! `tollgate judge`: stored samples judged again, offline, to the same bytes.

use crate::{
    commands::{failure::Failure, results::read_result, session::day},
    format::{
        Error,
        reading::Fault,
        run_v1, verdict_v1,
        version::{self, Kind},
    },
    hint::Hint,
    judge,
    model::{outcome::ErrorClass, policy::Strictness, run::Run, verdict::CheckVerdict},
    sources::pairing,
};
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// A run file of hundreds of benchmarks takes a few megabytes; more than this is no file of ours.
const MAX_BYTES: u64 = 1 << 30;

/// What to judge, and what to judge differently.
#[derive(Debug, Clone)]
pub struct Request {
    /// A run file or a verdict file.
    pub file: PathBuf,
    /// A margin in place of the recorded one.
    pub margin: Option<f64>,
    /// A strictness in place of the recorded one.
    pub strictness: Option<Strictness>,
}

/// Judges again.
///
/// # Errors
/// When the file cannot be read or is of another or a newer format.
pub fn run(request: &Request) -> Result<CheckVerdict, Failure> {
    let mut run = read_evidence(&request.file)?;
    run.policy.margin = request.margin.unwrap_or(run.policy.margin);
    run.policy.strictness = request.strictness.unwrap_or(run.policy.strictness);
    Ok(judge::judge(&run))
}

/// The run in a run file, or the run that a verdict file was judged from.
fn read_evidence(path: &Path) -> Result<Run, Failure> {
    let bytes = read_bytes(path)?;
    if version::kind(&bytes).map_err(|error| in_file(path, &error))? != Kind::Verdict {
        return parse_run(path, &bytes);
    }
    parse_verdict(path, &bytes)?.evidence.ok_or_else(|| {
        Failure::message(
            ErrorClass::Configuration,
            format!("could not judge `{}` again: the verdict came without its evidence", path.display()),
            "judge the run file that was measured (`target/tollgate/run.json`)",
        )
    })
}

/// Reads a verdict file.
///
/// # Errors
/// When it cannot be read or is no verdict.
pub fn read_verdict(path: &Path) -> Result<CheckVerdict, Failure> {
    parse_verdict(path, &read_bytes(path)?)
}

/// What can be reported of a file: a verdict as it stands, a run as its own policy judges it, and what another tool wrote as
/// a run of one revision.
///
/// # Errors
/// When it cannot be read, or is of a newer format or of no tool that is known.
pub fn read_any(path: &Path, now: u64) -> Result<CheckVerdict, Failure> {
    if path.is_file() {
        let bytes = read_bytes(path)?;
        match version::kind(&bytes) {
            Ok(Kind::Run) => return Ok(judge::judge(&parse_run(path, &bytes)?)),
            Ok(_) => return parse_verdict(path, &bytes),
            Err(error) if matches!(error.fault(), Fault::Newer { .. }) => return Err(in_file(path, &error)),
            Err(_) => {}
        }
    }
    let mut run = pairing::single(vec![read_result(path, None)?]);
    run.day = day(now);
    run.started_at = now;
    Ok(judge::judge(&run))
}

/// Reads a run file.
///
/// # Errors
/// When it cannot be read or is no run.
pub fn read_run(path: &Path) -> Result<Run, Failure> {
    parse_run(path, &read_bytes(path)?)
}

/// Reads a file of bounded size.
///
/// # Errors
/// When it cannot be read or is too large.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |why: String| {
        Failure::message(
            ErrorClass::Configuration,
            format!("could not read `{}`: {why}", path.display()),
            "check the path",
        )
    };
    // A pipe or device does not tell its size beforehand
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(failed(format!("it is longer than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}

fn parse_verdict(path: &Path, bytes: &[u8]) -> Result<CheckVerdict, Failure> {
    verdict_v1::from_json(bytes).map_err(|error| in_file(path, &error))
}

fn parse_run(path: &Path, bytes: &[u8]) -> Result<Run, Failure> {
    run_v1::from_json(bytes).map_err(|error| in_file(path, &error))
}

pub(super) fn in_file(path: &Path, error: &Error) -> Failure {
    let hint = error.hint().unwrap_or_else(|| "give a run file or a verdict file that tollgate wrote".into());
    Failure::message(
        ErrorClass::Configuration,
        error.clone().in_file(path.display().to_string()).to_string(),
        hint,
    )
}
