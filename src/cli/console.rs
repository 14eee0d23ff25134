//! Standard streams: results on stdout, everything else on stderr, with colours only where they are wanted.

use super::args::{Color, Global};
use crate::{
    commands::failure::Failure,
    live::{bar::Bar, lines::Lines},
    progress::Progress,
    text::escape,
};
use std::{
    error::Error,
    io::{self, IsTerminal, Write},
};

/// The width of a table that goes to a file or pipe.
const PIPED_WIDTH: usize = 100;

/// How to talk to the user.
#[derive(Debug, Clone)]
pub struct Console {
    /// Whether stdout gets colours.
    pub colour: bool,
    /// Columns of stdout.
    pub width: usize,
    verbose: u8,
    quiet: bool,
    colour_errors: bool,
}

impl Console {
    /// Looks at the flags and the streams. `no_colour` and `columns` are the environment's `NO_COLOR` and `COLUMNS`.
    #[must_use]
    pub fn new(global: &Global, no_colour: bool, columns: Option<usize>) -> Self {
        let wanted = |terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !no_colour,
        };
        let terminal_width = || io::stdout().is_terminal().then(terminal_columns).flatten();
        Self {
            colour: wanted(io::stdout().is_terminal()),
            width: columns.filter(|columns| *columns >= 20).or_else(terminal_width).unwrap_or(PIPED_WIDTH),
            verbose: global.verbose,
            quiet: global.quiet,
            colour_errors: wanted(io::stderr().is_terminal()),
        }
    }

    /// The listener that suits standard error.
    #[must_use]
    pub fn progress(&self) -> Box<dyn Progress> {
        if !self.quiet && io::stderr().is_terminal() {
            Box::new(Bar::new())
        } else {
            Box::new(Lines::new(io::stderr(), self.quiet))
        }
    }

    /// Writes a result to stdout. A reader that went away is no error; a full disk is.
    ///
    /// # Errors
    /// When the stream cannot be written.
    pub fn result(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// A remark on stderr, kept back by `--quiet`.
    pub fn remark(&self, text: &str) {
        if !self.quiet {
            self.stderr(text);
        }
    }

    /// A warning on stderr, also with `--quiet`.
    pub fn warning(&self, text: &str) {
        let word = if self.colour_errors { "\u{1b}[33;1mwarning:\u{1b}[0m" } else { "warning:" };
        self.stderr(&format!("{word} {}", indented(text)));
    }

    /// Whether `-v` was given.
    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.verbose > 0
    }

    /// Shows why a command failed: what, the causes, the next step.
    pub fn failure(&self, failure: &Failure) {
        let paint = |text: &str, code: u8| match self.colour_errors {
            true => format!("\u{1b}[{code};1m{text}\u{1b}[0m"),
            false => text.to_owned(),
        };
        let mut text = format!("{} {}", paint("error:", 31), indented(&failure.to_string()));
        let mut cause = failure.source();
        while let Some(error) = cause {
            text.push_str(&format!("\n  {} {}", paint("cause:", 33), indented(&error.to_string())));
            cause = error.source();
        }
        if let Some(hint) = failure.hint() {
            text.push_str(&format!("\n  {} {}", paint("help:", 36), indented(hint)));
        }
        self.stderr(&text);
    }

    fn stderr(&self, text: &str) {
        // Nothing can be said when stderr itself is gone.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// Several lines under one word, each made safe for the terminal.
fn indented(text: &str) -> String {
    text.lines().map(escape::terminal).collect::<Vec<_>>().join("\n    ")
}

#[cfg(unix)]
fn terminal_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn terminal_columns() -> Option<usize> {
    None
}
