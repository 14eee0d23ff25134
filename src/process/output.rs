//! What a child prints: drained on a thread, so that it never blocks on a full pipe, and kept within bounds.

use super::log::Log;
use std::{
    collections::VecDeque,
    fmt,
    io::Read,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long the pipe of an ended child is waited for: a daemon that it left behind may hold it open for ever.
const END_OF_PIPE: Duration = Duration::from_millis(500);

/// How much of a stream is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The last so many bytes.
    Tail(usize),
    /// The first so many bytes; more is an error that the reader of the stream reports.
    Whole(usize),
}

/// Hears the bytes of a stream as they come, on the thread that drains it: it must be quick.
pub type Ear = Box<dyn FnMut(&[u8]) + Send>;

/// Where a stream goes beside what is kept of it.
#[derive(Default)]
pub(super) struct Copies {
    pub(super) log: Option<Log>,
    pub(super) ear: Option<Ear>,
}

impl fmt::Debug for Copies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Copies").field("log", &self.log).finish_non_exhaustive()
    }
}

/// A stream being drained.
#[derive(Debug)]
pub(super) struct Drain {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    kept: Kept,
    ended: bool,
}

/// What is kept of a stream.
#[derive(Debug, Default)]
pub(super) struct Kept {
    bytes: VecDeque<u8>,
    overflowed: bool,
}

impl Drain {
    /// Starts to drain `stream`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(
        stream: impl Read + Send + 'static,
        keep: Keep,
        copies: Copies,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::default(), ended: Condvar::new() });
        let drained = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("drain".into())
            .spawn(move || copy(stream, &drained, keep, copies))?;
        Ok(Self { shared })
    }

    /// What has come so far.
    #[must_use]
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.shared.lock().kept.bytes()
    }

    /// Waits shortly for the end of the stream, then returns what came and whether more came than is kept.
    #[must_use]
    pub(super) fn finish(&self) -> (Vec<u8>, bool) {
        let until = Instant::now() + END_OF_PIPE;
        let mut state = self.shared.lock();
        while !state.ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.shared.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        (state.kept.bytes(), state.kept.overflowed)
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn copy(mut stream: impl Read, shared: &Shared, keep: Keep, mut copies: Copies) {
    let mut buffer = [0_u8; 16 * 1024];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        if let Some(log) = &copies.log {
            log.write(&buffer[..count]);
        }
        shared.lock().kept.keep(&buffer[..count], keep);
        if let Some(ear) = &mut copies.ear {
            ear(&buffer[..count]);
        }
    }
    shared.lock().ended = true;
    shared.ended.notify_all();
}

impl Kept {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.bytes.iter().copied().collect()
    }

    pub(super) fn keep(&mut self, new: &[u8], keep: Keep) {
        match keep {
            Keep::Tail(limit) => {
                let new = &new[new.len().saturating_sub(limit)..];
                let excess = (self.bytes.len() + new.len()).saturating_sub(limit);
                self.overflowed |= excess > 0;
                self.bytes.drain(..excess);
                self.bytes.extend(new);
            }
            Keep::Whole(limit) => {
                let room = limit.saturating_sub(self.bytes.len());
                self.overflowed |= new.len() > room;
                self.bytes.extend(&new[..new.len().min(room)]);
            }
        }
    }
}

/// The end of a stream as messages show it: at most `lines` lines of at most 2,000 characters in all, without escape
/// sequences, control characters and the backtraces of Rust, whose frames would push the message out.
#[must_use]
pub fn readable(bytes: &[u8], lines: usize) -> String {
    const MOST: usize = 2000;
    let text = without_controls(&String::from_utf8_lossy(bytes));
    let mut in_backtrace = false;
    let mut kept: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    kept.retain(|line| {
        in_backtrace = *line == "stack backtrace:" || (in_backtrace && line.starts_with(' '));
        !in_backtrace && !line.starts_with("note: Some details are omitted, run with `RUST_BACKTRACE")
    });
    let tail = kept[kept.len().saturating_sub(lines)..].join("\n");
    match tail.char_indices().rev().nth(MOST) {
        Some((at, first)) => format!("…{}", &tail[at + first.len_utf8()..]),
        None => tail,
    }
}

fn without_controls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\n' => clean.push('\n'),
            '\t' => clean.push(' '),
            // A carriage return redraws a line: what stood before it was progress.
            '\r' => {}
            other if other.is_control() => {}
            other => clean.push(other),
        }
    }
    clean
}

/// Skips an ANSI sequence: `[` up to a letter or `~`, or one character.
fn skip_escape(characters: &mut std::str::Chars<'_>) {
    if characters.next() == Some('[') {
        characters.by_ref().find(|c| c.is_ascii_alphabetic() || *c == '~' || *c == '\n');
    }
}

#[cfg(test)]
mod tests {
    use super::{Copies, Drain, Keep, readable};
    use std::io::Cursor;

    fn drained(text: &[u8], keep: Keep) -> (Vec<u8>, bool) {
        Drain::start(Cursor::new(text.to_vec()), keep, Copies::default()).unwrap().finish()
    }

    #[test]
    fn a_tail_keeps_the_last_bytes_of_a_long_stream() {
        let text: Vec<u8> = (0..100_000_u32).map(|n| b'a' + u8::try_from(n % 26).unwrap()).collect();
        let (bytes, overflowed) = drained(&text, Keep::Tail(1000));
        assert!(overflowed);
        assert_eq!(bytes, &text[99_000..]);
    }

    #[test]
    fn a_whole_stream_says_when_more_came_than_is_kept() {
        assert_eq!(drained(b"hello", Keep::Whole(5)), (b"hello".to_vec(), false));
        assert_eq!(drained(b"hello!", Keep::Whole(5)), (b"hello".to_vec(), true));
    }

    #[test]
    fn a_backtrace_does_not_push_the_message_out() {
        let text = "thread 'main' panicked at a.rs:1:\nno luck\nstack backtrace:\n   0: f\n             at x.rs:1\n   1: g\nnote: Some \
                    details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\nend";
        assert_eq!(readable(text.as_bytes(), 3), "thread 'main' panicked at a.rs:1:\nno luck\nend");
    }

    #[test]
    fn a_readable_tail_has_no_escape_sequences_and_is_bounded() {
        let text = "\u{1b}[31merror\u{1b}[0m:\tbad\u{7}\r\n\n  at x  \nlast\u{0}";
        assert_eq!(readable(text.as_bytes(), 9), "error: bad\n  at x\nlast");
        assert_eq!(readable(text.as_bytes(), 1), "last");
        assert_eq!(readable("é".repeat(9000).as_bytes(), 1).chars().count(), 2001);
        assert_eq!(readable(&[0xff, b'x'], 1), "\u{fffd}x");
    }
}
