//! The file that keeps what a child says, within a bound, and the end of it in memory.

use super::{
    output::{Keep, Kept},
    run::Error,
    spec::Spec,
};
use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What is kept of the end in memory, for messages.
const TAIL_BYTES: usize = 64 * 1024;

/// A child's log; clones write to the same file.
#[derive(Debug, Clone)]
pub(super) struct Log {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// `None` once it could not be written (disk full) or is as long as it may be.
    file: Option<File>,
    left: u64,
    limit: u64,
    tail: Kept,
}

impl Log {
    /// Begins the log of a child with its command line, in place of an older one; `None` when it is to have none.
    pub(super) fn of(spec: &Spec) -> Result<Option<Self>, Error> {
        let Some(path) = &spec.log else { return Ok(None) };
        let file = create(path, &spec.line()).map_err(|source| Error::Log { path: path.clone(), source })?;
        let limit = spec.log_limit.unwrap_or(u64::MAX);
        let state = State { file: Some(file), left: limit, limit, tail: Kept::default() };
        Ok(Some(Self { state: Arc::new(Mutex::new(state)) }))
    }

    /// Adds what a stream brought.
    pub(super) fn write(&self, bytes: &[u8]) {
        let mut state = self.lock();
        state.tail.keep(bytes, Keep::Tail(TAIL_BYTES));
        state.write(bytes);
    }

    /// The end of what was written.
    pub(super) fn tail(&self) -> Vec<u8> {
        self.lock().tail.bytes()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, bytes: &[u8]) {
        let Some(file) = &mut self.file else { return };
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        self.left -= room as u64;
        let mut written = file.write_all(&bytes[..room]);
        if room < bytes.len() {
            let mebibytes = self.limit as f64 / (1024.0 * 1024.0);
            written = written.and_then(|()| {
                writeln!(file, "\n[the log ends here at {mebibytes} MiB; the rest was dropped]")
            });
        }
        // A log that cannot be written must not stop the draining: the child would block for ever.
        if written.is_err() || room < bytes.len() {
            self.file = None;
        }
    }
}

fn create(path: &Path, line: &str) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = File::create(path)?;
    writeln!(file, "$ {line}")?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::Log;
    use crate::process::Spec;

    #[test]
    fn a_log_stops_at_its_bound_and_says_so_but_the_end_stays_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/x.log");
        let log = Log::of(&Spec::new("x", "/").log(&path).log_limit(8)).unwrap().unwrap();
        for part in ["12345", "6789", "the end"] {
            log.write(part.as_bytes());
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("$ x\n12345678\n[the log ends here at "), "{text}");
        assert!(!text.contains("the end") && text.ends_with("dropped]\n"), "{text}");
        assert_eq!(log.tail(), b"123456789the end");
    }
}
