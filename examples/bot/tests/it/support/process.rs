//! The bot as its users start it: a process with an environment.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
};

use super::wait_until;

/// A child that does not outlive the test.
pub(crate) struct Kept(pub(crate) Child);

impl Kept {
    /// Waits until it ends.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the process ends", || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Sends it a signal: `TERM`, `INT`, `STOP`, `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program with nothing in its environment but these settings.
pub(crate) fn command(settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bot"));
    command.env_clear().envs(settings.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts the program and waits until it says where it listens.
pub(crate) fn start(settings: &[(&str, &str)]) -> (Kept, SocketAddr) {
    let mut child = Kept(command(&[&[("PORT", "0")], settings].concat()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok());
    (child, address.unwrap_or_else(|| panic!("no address: {line:?}")))
}

/// Everything that it wrote to stderr; only after its end.
pub(crate) fn complaints(child: &mut Kept) -> String {
    let mut text = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    text
}
