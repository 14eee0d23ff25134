//! Reading documents that anybody may have written: the bounds, and what can be wrong.
//!
//! The bounds are far above what tollgate writes and far below what would hurt the machine that reads.

use std::fmt;

use serde::de::DeserializeOwned;

use super::version::{self, Kind};
use crate::hint::Hint;

/// The largest run file that is read: 10,000 benchmarks of 39 rounds with ten samples each take about 200 MB.
pub const MAX_RUN_BYTES: usize = 512 << 20;
/// The largest verdict or baseline file that is read.
pub const MAX_VERDICT_BYTES: usize = 128 << 20;
/// The longest string in any document, in bytes as written.
pub const MAX_TEXT_BYTES: usize = 256 << 10;
/// The longest number, in bytes as written: reading its digits exactly takes time by the square of their count.
pub const MAX_NUMBER_BYTES: usize = 400;
/// How deep lists and objects may nest; ours nest 9 deep.
pub const MAX_DEPTH: usize = 32;
/// The most benchmarks (rows, measurements, series) in a document.
pub const MAX_BENCHMARKS: usize = 100_000;
/// The most slots of one benchmark.
pub const MAX_SLOTS: usize = 1_000_000;

/// Why a document cannot be read. Its text names the file where [`Error::in_file`] has told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    file: Option<String>,
    fault: Fault,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It has more bytes than the bound given.
    TooLarge {
        /// The bound, bytes.
        limit: usize,
    },
    /// Its lists and objects nest deeper than [`MAX_DEPTH`].
    TooDeep {
        /// Where, from 1.
        line: usize,
    },
    /// A string is longer than [`MAX_TEXT_BYTES`].
    LongText {
        /// Where, from 1.
        line: usize,
    },
    /// A number is longer than [`MAX_NUMBER_BYTES`].
    LongNumber {
        /// Where, from 1.
        line: usize,
    },
    /// It is no JSON, or a key is missing or of another type.
    Syntax {
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
        /// What was found or missed.
        message: String,
    },
    /// It is no JSON object.
    NoObject {
        /// Its beginning; empty when it has none.
        start: String,
    },
    /// It has no key `schema`.
    NoSchema,
    /// The value of `schema` is nothing that tollgate writes.
    Unknown {
        /// The value.
        found: String,
    },
    /// It is another document of ours.
    Other {
        /// Its `schema`.
        found: String,
        /// The one expected.
        expected: String,
    },
    /// It was written by a newer tollgate.
    Newer {
        /// Its `schema`.
        found: String,
        /// The newest major version that is read.
        reads: u32,
    },
    /// The value of a key makes no sense.
    Invalid {
        /// The path of the key: `measurements[3].blocks[0]`.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A stored series does not match its digest: it was edited by hand or damaged.
    Digest {
        /// The benchmark and metric.
        series: String,
    },
}

impl Error {
    /// Names the file in the message.
    #[must_use]
    pub fn in_file(mut self, name: impl Into<String>) -> Self {
        self.file = Some(name.into());
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self { file: None, fault }
    }
}

impl From<&serde_json::Error> for Fault {
    fn from(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        // serde_json repeats the position at the end of its text.
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        Self::Syntax { line: error.line(), column: error.column(), message: message.to_owned() }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "`{}` ", shown(file))?,
            None => f.write_str("the document ")?,
        }
        match &self.fault {
            Fault::TooLarge { limit } => write!(f, "is larger than {} MiB", limit >> 20),
            Fault::TooDeep { line } => write!(f, "nests deeper than {MAX_DEPTH} levels in line {line}"),
            Fault::LongText { line } => {
                write!(f, "has a string of more than {} KiB in line {line}", MAX_TEXT_BYTES >> 10)
            }
            Fault::LongNumber { line } => {
                write!(f, "has a number of more than {MAX_NUMBER_BYTES} digits in line {line}")
            }
            Fault::Syntax { line, column, message } => {
                write!(f, "cannot be read in line {line}, column {column}: {}", shown(message))
            }
            Fault::NoObject { start } if start.is_empty() => f.write_str("is empty"),
            Fault::NoObject { start } => {
                write!(f, "is no run, verdict or baseline file: it starts with `{}`", shown(start))
            }
            Fault::NoSchema => f.write_str("has no key `schema`, so it is no file of tollgate"),
            Fault::Unknown { found } => {
                write!(f, "has the unknown format `{}`", shown(found))
            }
            Fault::Other { found, expected } => {
                write!(f, "has format `{}` where `{expected}` is expected", shown(found))
            }
            Fault::Newer { found, reads } => {
                write!(f, "has format `{}`; this tollgate reads up to `/{reads}`", shown(found))
            }
            Fault::Invalid { key, problem } => write!(f, "has a bad value at `{key}`: {}", shown(problem)),
            Fault::Digest { series } => {
                write!(f, "does not match its digest at {}: edited by hand or damaged", shown(series))
            }
        }
    }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let text = match &self.fault {
            Fault::Newer { .. } => "update tollgate",
            Fault::Digest { .. } => {
                "restore the file from git, or measure again with `tollgate baseline save`"
            }
            Fault::NoObject { .. } | Fault::NoSchema | Fault::Unknown { .. } | Fault::Other { .. } => {
                "give a file that tollgate wrote: `tollgate check --output json=FILE` or `tollgate run`"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// Control and invisible characters made visible, and long texts cut: messages go to terminals.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 200;
    let escaped: String = text.chars().take(MOST).flat_map(escape).collect();
    if text.chars().nth(MOST).is_some() { escaped + "…" } else { escaped }
}

fn escape(character: char) -> Vec<char> {
    match character {
        '"' | '\'' | '\\' => vec![character],
        other => other.escape_debug().collect(),
    }
}

impl Fault {
    /// Puts the path of the enclosing value in front of the key.
    pub(super) fn under(self, parent: &str) -> Self {
        match self {
            Self::Invalid { key, problem } => Self::Invalid { key: format!("{parent}.{key}"), problem },
            other => other,
        }
    }
}

/// A shorthand for the fault of a key.
pub(super) fn invalid(key: impl Into<String>, problem: impl Into<String>) -> Fault {
    Fault::Invalid { key: key.into(), problem: problem.into() }
}

/// Reads a document of one kind within the bounds.
///
/// `schema` takes the value of its key `schema` from the document.
pub(super) fn read<T: DeserializeOwned>(
    bytes: &[u8],
    kind: Kind,
    schema: impl Fn(&T) -> &str,
) -> Result<T, Fault> {
    let bytes = bounded(bytes, if kind == Kind::Run { MAX_RUN_BYTES } else { MAX_VERDICT_BYTES })?;
    match serde_json::from_slice(bytes) {
        Ok(document) => {
            version::check(schema(&document), kind)?;
            Ok(document)
        }
        // A document of another kind or version misses keys; say what it is rather than what it misses.
        Err(error) => Err(match version::declared(bytes) {
            Ok(declared) => version::check(&declared, kind).err().unwrap_or_else(|| Fault::from(&error)),
            Err(Error { fault: fault @ (Fault::NoSchema | Fault::NoObject { .. }), .. }) => fault,
            Err(_) => Fault::from(&error),
        }),
    }
}

/// The bytes without their byte order mark, if they keep to the bounds.
pub(super) fn bounded(bytes: &[u8], limit: usize) -> Result<&[u8], Fault> {
    if bytes.len() > limit {
        return Err(Fault::TooLarge { limit });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bound(bytes)?;
    Ok(bytes)
}

/// Checks nesting and the length of strings and numbers before anything is allocated for them.
fn bound(bytes: &[u8]) -> Result<(), Fault> {
    let (mut line, mut depth, mut at) = (1, 0usize, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' => line += 1,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = end_of_string(bytes, at + 1);
                if end - at > MAX_TEXT_BYTES {
                    return Err(Fault::LongText { line });
                }
                at = end;
            }
            b'0'..=b'9' => {
                let digits = bytes[at..].iter().take(MAX_NUMBER_BYTES + 1);
                let length = digits.take_while(|byte| matches!(byte, b'0'..=b'9' | b'.')).count();
                if length > MAX_NUMBER_BYTES {
                    return Err(Fault::LongNumber { line });
                }
                at += length - 1;
            }
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Fault::TooDeep { line });
        }
        at += 1;
    }
    Ok(())
}

/// The place of the quote that ends the string whose text starts at `at`, or where it is too long or the bytes end.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    let limit = bytes.len().min(at + MAX_TEXT_BYTES + 1);
    while at < limit {
        match bytes[at] {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{Fault, MAX_DEPTH, MAX_NUMBER_BYTES, MAX_TEXT_BYTES, bound, shown};

    #[test]
    fn brackets_inside_strings_do_not_nest() {
        assert_eq!(bound(format!("[\"{}\"]", "[\\\"".repeat(100)).as_bytes()), Ok(()));
        let deep = "[".repeat(MAX_DEPTH + 1);
        assert_eq!(bound(format!("\n{deep}").as_bytes()), Err(Fault::TooDeep { line: 2 }));
        assert_eq!(bound("[".repeat(MAX_DEPTH).as_bytes()), Ok(()));
    }

    #[test]
    fn a_long_string_is_refused_even_if_it_never_ends() {
        let text = "x".repeat(MAX_TEXT_BYTES + 1);
        assert_eq!(bound(format!("[\n\n\"{text}").as_bytes()), Err(Fault::LongText { line: 3 }));
        assert_eq!(bound(b"\"\\"), Ok(()));
    }

    #[test]
    fn a_number_without_end_is_refused_but_digits_in_strings_are_text() {
        let digits = "1".repeat(MAX_NUMBER_BYTES + 1);
        assert_eq!(bound(format!("[\n-{digits}]").as_bytes()), Err(Fault::LongNumber { line: 2 }));
        assert_eq!(bound(format!("[\"{digits}\", 0.{}]", &digits[3..]).as_bytes()), Ok(()));
    }

    #[test]
    fn what_a_message_quotes_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[2J\u{202e}b\n'q'"), "a\\u{1b}[2J\\u{202e}b\\n'q'");
        assert_eq!(shown(&"x".repeat(300)).chars().count(), 201);
    }
}
