//! Running the program as a user would, in an environment without the caller's.

use std::{
    path::Path,
    process::{Command, Output},
};

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ran {
    /// Asserts the exit code, showing what was printed when it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}:\n{}", self.stdout))
    }
}

/// The program in `directory`, without the caller's git, cargo, colour and Tollgate variables.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.current_dir(directory).env("COLUMNS", "100").env("GIT_CONFIG_NOSYSTEM", "1");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let cargo = name.starts_with("CARGO") && name != "CARGO_HOME";
        if cargo
            || ["TOLLGATE_", "GIT_", "RUST"].iter().any(|prefix| name.starts_with(prefix))
                && name != "RUSTUP_HOME"
        {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the program to its end.
pub(crate) fn tollgate(directory: &Path, args: &[&str]) -> Ran {
    ran(&command(directory).args(args).output().unwrap())
}

/// What an ended process came to.
pub(crate) fn ran(output: &Output) -> Ran {
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
