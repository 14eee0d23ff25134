//! Files that a scenario names: below its folder, plain files, and not larger than what is read.

use std::{
    fs::File,
    io::Read,
    path::{Component, Path},
};

use sha2::{Digest, Sha256};

use crate::load::scenario::{Body, Flow};

/// The largest body or data file, bytes.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Reads a file whole, or without a folder only looks at its name; the error is a sentence that names it as it was written.
pub(super) fn read(folder: Option<&Path>, file: &Path) -> Result<Option<Vec<u8>>, String> {
    check_within(file)?;
    let Some(path) = folder.map(|folder| folder.join(file)) else { return Ok(None) };
    let failed = |error: std::io::Error| format!("could not read `{}`: {error}", file.display());
    if let Some(folder) = folder {
        check_real(&folder.canonicalize().map_err(failed)?, &path.canonicalize().map_err(failed)?, file)?;
    }
    // Asked before opening: opening a pipe would wait for a writer.
    let facts = path.metadata().map_err(failed)?;
    if !facts.is_file() {
        return Err(format!("`{}` is not a file", file.display()));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed, so that a file that grows meanwhile is seen to be too large as well.
    let opened = File::open(&path).map_err(failed)?;
    opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("`{}` is larger than {} MiB", file.display(), MAX_FILE_BYTES >> 20));
    }
    Ok(Some(bytes))
}

/// SHA-256 of every file that flows name, in their order: what is asked is not only in the configuration. Of one that cannot be
/// read there is none; compiling the flows says why.
#[must_use]
pub fn digests(flows: &[Flow], folder: &Path) -> Vec<Option<[u8; 32]>> {
    let bodies = flows.iter().flat_map(|flow| &flow.steps).filter_map(|step| match &step.body {
        Body::File(file) => Some(file),
        Body::None | Body::Text(_) => None,
    });
    let data = flows.iter().filter_map(|flow| flow.data.as_ref().map(|data| &data.file));
    let digest = |file: &std::path::PathBuf| {
        let bytes = read(Some(folder), file).ok().flatten()?;
        Some(Sha256::digest(bytes).into())
    };
    bodies.chain(data).map(digest).collect()
}

/// A link must not lead out of the folder either: what is sent would be a file that nobody named.
fn check_real(folder: &Path, path: &Path, file: &Path) -> Result<(), String> {
    if path.starts_with(folder) {
        return Ok(());
    }
    Err(format!(
        "`{}` is a link that leads out of the folder of the configuration: put the file itself below it",
        file.display()
    ))
}

/// A file must be below the folder.
fn check_within(file: &Path) -> Result<(), String> {
    let mut depth = 0_usize;
    for part in file.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(format!(
                    "`{}` is outside the folder of the configuration: give a path below it",
                    file.display()
                ));
            }
        }
    }
    if depth == 0 {
        return Err("the file has no name".into());
    }
    Ok(())
}
