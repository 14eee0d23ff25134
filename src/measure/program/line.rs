//! A command as the user wrote it, and what its placeholders become.
//!
//! | placeholder | becomes |
//! |---|---|
//! | `{out}` | a file for the output, the same path on both sides; it is read in place of the standard output |
//! | `{dir}` | the root of the side's files |
//! | `{rev}` | the side's commit, 40 digits; of a changed work tree its git tree |
//! | `{side}` | `base` or `head` |
//!
//! Other braces stay. What is filled in is quoted for the shell unless every character of it is harmless, and names of revisions
//! are never filled in, only hashes.

use crate::model::run::Side;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// A command that is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What its benchmarks begin with: `NAME:`.
    pub name: String,
    /// What the shell gets, placeholders included.
    pub line: String,
    /// What the shell gets once a side, before anything is measured.
    pub build: Option<String>,
    /// What is read of a process.
    pub reads: Reads,
    /// When a process counts as hung.
    pub timeout: Duration,
    /// The folder in the user's work tree that it is written for; the root where that is `None`.
    pub folder: Option<PathBuf>,
}

/// What is read of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// Its wall time.
    WallTime,
    /// What it wrote, in the format of this name.
    Output(String),
}

/// What placeholders of one side become.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// `{out}`.
    pub out: &'a Path,
    /// `{dir}`.
    pub dir: &'a Path,
    /// `{rev}`.
    pub rev: &'a str,
    /// `{side}`.
    pub side: Side,
}

/// Whether a line names the file for the output.
#[must_use]
pub fn writes_file(line: &str) -> bool {
    line.contains("{out}")
}

/// The line with its placeholders filled in.
#[must_use]
pub fn filled(line: &str, with: &Filling<'_>) -> String {
    let (mut text, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let known = [
            ("{out}", with.out.to_string_lossy()),
            ("{dir}", with.dir.to_string_lossy()),
            ("{rev}", with.rev.into()),
            ("{side}", with.side.as_str().into()),
        ];
        match known.iter().find(|(placeholder, _)| from.starts_with(placeholder)) {
            Some((placeholder, value)) => {
                text.push_str(&quoted(value));
                rest = &from[placeholder.len()..];
            }
            None => {
                text.push('{');
                rest = &from[1..];
            }
        }
    }
    text + rest
}

/// A value as one word of the shell.
fn quoted(value: &str) -> String {
    let harmless =
        |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c) || (cfg!(windows) && c == '\\');
    if !value.is_empty() && value.chars().all(harmless) {
        value.to_owned()
    } else if cfg!(windows) {
        format!("\"{}\"", value.replace('"', ""))
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Filling, filled};
    use crate::model::run::Side;
    use std::path::Path;

    fn fill(line: &str, dir: &str) -> String {
        let with = Filling { out: Path::new("/t/out"), dir: Path::new(dir), rev: "4f2a", side: Side::Head };
        filled(line, &with)
    }

    #[test]
    fn placeholders_are_filled_in_and_other_braces_stay() {
        assert_eq!(fill("a {out} --x={side} {rev} {dir}", "/d"), "a /t/out --x=head 4f2a /d");
        assert_eq!(fill("awk '{print $1}' {a,b} {{out}} {", "/d"), "awk '{print $1}' {a,b} {/t/out} {");
        assert_eq!(fill("{dir}", "{out}"), if cfg!(windows) { "\"{out}\"" } else { "'{out}'" });
    }

    #[cfg(unix)]
    #[test]
    fn an_odd_path_is_one_word_of_the_shell() {
        assert_eq!(fill("ls {dir}", "/a b/$(id);'x'"), r"ls '/a b/$(id);'\''x'\'''");
    }
}
