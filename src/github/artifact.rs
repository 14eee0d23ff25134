//! The verdict files of an artifact.

use super::failure::Error;
use std::{fs, io::Read, path::Path};

/// The most files that are read.
const MAX_FILES: usize = 64;
/// The most bytes of a file.
const MAX_BYTES: u64 = 128 << 20;

/// A file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The JSON files of a folder, links left out.
///
/// # Errors
/// When the folder or a file cannot be read, or there are too many.
pub fn read(dir: &Path) -> Result<Vec<Found>, Error> {
    let failed = |why: String| Error::File { path: dir.to_owned(), why };
    let mut found = Vec::new();
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    for entry in entries.map_err(|error| failed(error.to_string()))? {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) || !name.ends_with(".json") {
            continue;
        }
        let mut bytes = Vec::new();
        fs::File::open(entry.path())
            .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
            .map_err(|error| failed(error.to_string()))?;
        found.push(Found { name, bytes });
        if found.len() > MAX_FILES {
            return Err(failed(format!("it holds more than {MAX_FILES} files")));
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}
