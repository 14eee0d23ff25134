//! What to start: program, arguments, directory, environment, limits.

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

/// A child to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Where it starts.
    pub directory: PathBuf,
    /// Changes to our own environment; `None` removes a variable.
    pub environment: Vec<(OsString, Option<OsString>)>,
    /// How long it may take; its group is ended after that.
    pub timeout: Option<Duration>,
    /// A file that gets its command line and standard error as they come; replaced when it exists.
    pub log: Option<PathBuf>,
    /// Which streams the log gets.
    pub logged: Logged,
    /// How many bytes the log takes; what comes after them is dropped, and the log says so.
    pub log_limit: Option<u64>,
}

/// Which streams a log gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Logged {
    /// Standard error.
    #[default]
    Stderr,
    /// Standard output and standard error, in the order in which they come.
    Both,
}

impl Spec {
    /// A program without arguments, started in `directory` with our environment and no limit.
    #[must_use]
    pub fn new(program: impl Into<OsString>, directory: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            directory: directory.into(),
            environment: Vec::new(),
            timeout: None,
            log: None,
            logged: Logged::default(),
            log_limit: None,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn set(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), Some(value.into())));
        self
    }

    /// Removes a variable.
    #[must_use]
    pub fn remove(mut self, name: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), None));
        self
    }

    /// Limits its time.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Keeps a log.
    #[must_use]
    pub fn log(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// Keeps standard output in the log too.
    #[must_use]
    pub fn log_both(mut self) -> Self {
        self.logged = Logged::Both;
        self
    }

    /// Bounds the log.
    #[must_use]
    pub fn log_limit(mut self, bytes: u64) -> Self {
        self.log_limit = Some(bytes);
        self
    }

    /// The program's name as messages show it: the last part of its path.
    #[must_use]
    pub fn name(&self) -> String {
        let path = std::path::Path::new(&self.program);
        path.file_name().unwrap_or(&self.program).to_string_lossy().into_owned()
    }

    /// The command line for logs and messages, arguments with blanks in quotes.
    #[must_use]
    pub fn line(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.args);
        words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.directory);
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("{word:?}") }
}

#[cfg(test)]
mod tests {
    use super::Spec;

    #[test]
    fn a_command_line_quotes_what_a_reader_would_misread() {
        let spec = Spec::new("/usr/bin/cargo", "/").args(["bench", "--bench", "two words", ""]);
        assert_eq!(spec.line(), r#"/usr/bin/cargo bench --bench "two words" """#);
        assert_eq!(spec.name(), "cargo");
    }
}
