//! Results that were measured elsewhere, from disk: run files of ours and what other tools wrote.

use crate::{
    commands::{
        failure::Failure,
        judge::{in_file, read_bytes},
    },
    format::{
        reading::Fault,
        run_v1,
        version::{self, Kind},
    },
    model::outcome::ErrorClass,
    sources::{
        input::{self, Input, InputFile},
        pairing::SourceRun,
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

/// Reads one result a path, as the output of the tool `from` where that is given.
///
/// # Errors
/// When one cannot be read or understood.
pub(super) fn read_all(paths: &[PathBuf], from: Option<&str>) -> Result<Vec<SourceRun>, Failure> {
    paths.iter().map(|path| read_result(path, from)).collect()
}

/// Reads a run file of ours, a file of another tool, or a directory.
///
/// # Errors
/// When it cannot be read or understood.
pub(super) fn read_result(path: &Path, from: Option<&str>) -> Result<SourceRun, Failure> {
    if path.is_file() {
        let bytes = read_bytes(path)?;
        match version::kind(&bytes) {
            Ok(Kind::Run) if from.is_none() => {
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
        return input::parse_from(&input, from).map_err(Failure::configuration);
    }
    read_directory(path, from)
}

/// A directory of criterion's or gungraun's, perhaps with a baseline's name behind a colon.
fn read_directory(path: &Path, from: Option<&str>) -> Result<SourceRun, Failure> {
    let argument = path.display().to_string();
    let (folder, baseline) = match path.is_dir() {
        true => (argument.as_str(), None),
        false => input::split_baseline(&argument),
    };
    let folder = Path::new(folder);
    let mut files = Vec::new();
    gather(folder, folder, 0, &mut files)?;
    let input = Input { name: argument.clone(), files, baseline: baseline.map(str::to_owned) };
    input::parse_from(&input, from).map_err(Failure::configuration)
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

/// A file that the system does not give.
pub(super) fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::message(
        ErrorClass::Configuration,
        format!("could not read `{}`: {error}", path.display()),
        "check the path",
    )
}
