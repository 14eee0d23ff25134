//! Files that a scenario names: below its folder, plain files, and not larger than what is read.

use std::{
    fs::File,
    io::Read,
    path::{Component, Path},
};

/// The largest body or data file, bytes.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Reads a file whole, or without a folder only looks at its name; the error is a sentence that names it as it was written.
pub(super) fn read(folder: Option<&Path>, file: &Path) -> Result<Option<Vec<u8>>, String> {
    check_within(file)?;
    let Some(path) = folder.map(|folder| folder.join(file)) else { return Ok(None) };
    let failed = |error: std::io::Error| format!("could not read `{}`: {error}", file.display());
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
