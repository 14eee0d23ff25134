//! The job's summary: a file that GitHub shows on the page of the run.

use super::failure::Error;
use crate::files::atomic;
use std::{fs::File, io::Read, path::Path};

/// The most bytes of a step's summary; over it GitHub shows none at all.
pub const MAX_BYTES: usize = 1 << 20;
/// Fewer bytes are no room for a verdict.
const SMALLEST: usize = 4 << 10;

/// Appends a text to the summary. `text` makes it in at most so many characters; it is asked again with fewer where these take
/// more bytes than there is room. What other programs wrote before stays.
///
/// # Errors
/// When the file cannot be read or written, or has no room left.
pub fn append(path: &Path, text: impl Fn(usize) -> String) -> Result<(), Error> {
    let failed = |why: String| Error::File { path: path.to_owned(), why };
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => {
            let read = file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes);
            read.map_err(|error| failed(error.to_string()))?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error.to_string())),
    }
    if !bytes.is_empty() {
        bytes.extend(b"\n\n");
    }
    let room = MAX_BYTES.saturating_sub(bytes.len());
    if room < SMALLEST {
        return Err(failed("it is full: GitHub takes 1 MiB a step".to_owned()));
    }
    let mut limit = room;
    let text = loop {
        let text = text(limit);
        if text.len() <= room {
            break text;
        }
        limit /= 2;
    };
    bytes.extend(text.as_bytes());
    atomic::write(path, &bytes).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, append};
    use std::fs;

    #[test]
    fn a_summary_is_appended_and_never_longer_than_github_takes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        append(&path, |_| "one\n".to_owned()).unwrap();
        append(&path, |limit| "ü".repeat(limit)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("one\n\n\nüü"));
        assert!(text.len() <= MAX_BYTES && text.len() > MAX_BYTES / 3, "{}", text.len());
    }

    #[test]
    fn a_summary_that_is_full_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        fs::write(&path, vec![b'x'; MAX_BYTES - 100]).unwrap();
        let error = append(&path, |_| "no".to_owned()).unwrap_err().to_string();
        assert!(error.contains("full"), "{error}");
        assert_eq!(fs::read(&path).unwrap().len(), MAX_BYTES - 100);
    }
}
