//! The dashboard as a run sees it: opened, told of every second, asked whether to stop, finished.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    sync::Arc,
    thread::{self, JoinHandle},
};

use super::{
    board::Board,
    guard::Guard,
    server::{Shared, serve},
};
use crate::{
    hint::Hint,
    model::{
        load::{Allowance, Interval},
        targets::Limit,
    },
};

/// Ports tried after the one asked for.
const MORE_PORTS: u16 = 50;

/// Why the dashboard could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No port to listen on.
    #[error("could not open the dashboard on port {port} of 127.0.0.1")]
    Listen {
        /// The first port that was tried.
        port: u16,
        /// Why the last one failed.
        source: io::Error,
    },
    /// The system refused a thread, a runtime or randomness.
    #[error("could not start the server of the dashboard")]
    Start(#[source] io::Error),
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Listen { .. } => Some("choose another port, such as `--monitor=8300`".to_owned()),
            Self::Start(_) => Some("run without `--monitor`".to_owned()),
        }
    }
}

/// A live page about a run. Its server ends with it.
#[derive(Debug)]
pub struct Dashboard {
    shared: Arc<Shared>,
    port: u16,
    thread: Option<JoinHandle<()>>,
}

impl Dashboard {
    /// The port where users look for it.
    pub const PORT: u16 = 3001;

    /// Opens the page on 127.0.0.1, on `port` or the next free one (0: any), with this title; alerts watch `limits`.
    ///
    /// # Errors
    /// When no port can be listened on, or the system refuses a thread.
    pub fn open(port: u16, title: &str, limits: &[Limit]) -> Result<Self, Error> {
        let listener = listen(port).map_err(|source| Error::Listen { port, source })?;
        let port = listener.local_addr().map_err(Error::Start)?.port();
        listener.set_nonblocking(true).map_err(Error::Start)?;
        let guard = Guard::new(port).ok_or_else(|| Error::Start(io::Error::other("no randomness")))?;
        let shared = Arc::new(Shared::new(Board::new(title, limits), guard));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
        let served = Arc::clone(&shared);
        let work = move || {
            runtime.block_on(async {
                // The listener is ours and open, so this fails only without a runtime.
                if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                    serve(listener, served).await;
                }
            });
        };
        let thread = thread::Builder::new().name("dashboard".to_owned()).spawn(work).map_err(Error::Start)?;
        Ok(Self { shared, port, thread: Some(thread) })
    }

    /// Where it is: `http://localhost:3001`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The port it got.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The seconds that follow are of this scenario or step.
    pub fn mark(&self, label: &str) {
        self.shared.change(|board| board.mark(label));
    }

    /// What the service may use: alerts on its memory and its processors are shares of that.
    pub fn may_use(&self, limits: Allowance) {
        self.shared.change(|board| board.may_use(limits));
    }

    /// A second of load is over.
    pub fn interval(&self, interval: &Interval) {
        self.shared.change(|board| board.add(interval));
    }

    /// Whether somebody pressed stop on the page.
    #[must_use]
    pub fn wants_stop(&self) -> bool {
        self.shared.wants_stop()
    }

    /// The run is over: open pages show these words and keep what they have, and can save `report`, the run's result as a page of
    /// its own. Waits a second at most until they heard it.
    pub fn finish(mut self, words: &str, report: Option<String>) {
        if let Some(report) = report {
            self.shared.keep_report(report);
        }
        self.shared.change(|board| board.over(words));
        self.close();
    }

    fn close(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take() {
            // It fails only when the server panicked; the run's result does not depend on it.
            let _ = thread.join();
        }
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.close();
    }
}

/// Listens on the port, or on the next one that is free.
fn listen(port: u16) -> io::Result<TcpListener> {
    let mut last = None;
    for port in port..=port.saturating_add(MORE_PORTS) {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = Some(error),
            answer => return answer,
        }
    }
    Err(last.unwrap_or_else(|| io::Error::from(io::ErrorKind::AddrInUse)))
}
