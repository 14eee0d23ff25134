//! A service from its start until it is stopped.

use super::{
    error::{Error, says_port_taken},
    family::{Family, Stopped, lock},
    launch::{MOST_LOG_BYTES, check_interrupt, fill, spec},
};
use crate::{
    load::{
        costs::Watch,
        get::Place,
        ready::{self, Question},
        scenario::{Formula, Launch, Ready},
        trust::Trust,
        watch::ServiceWatch,
    },
    process::{Child, Interrupt, Spec, output::Ear},
};
use regex::Regex;
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::{Duration, Instant},
};

/// How often another port is tried when somebody was faster.
const ATTEMPTS: usize = 4;
/// How long it is tried to connect to an address that should be free.
const KNOCK: Duration = Duration::from_millis(500);
/// The variable that carries the padding; the same as in other slots.
const PADDING_VARIABLE: &str = "TOLLGATE_PADDING";
/// The variable that all processes of one service share. Its values are equally long.
const MARK_VARIABLE: &str = "TOLLGATE_SERVICE";

/// How a service is started.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// What to start.
    pub launch: &'a Launch,
    /// The revision's tree.
    pub tree: &'a Path,
    /// Where its output goes; replaced when it exists.
    pub log: &'a Path,
    /// Bytes of environment padding.
    pub padding: u32,
    /// The Unix socket that it listens on instead of a port, relative to the tree; may hold `{port}`.
    pub socket: Option<&'a Path>,
    /// Variables that win over those of the launch.
    pub environment: &'a [(String, String)],
    /// Whom the questions whether it is ready trust, and those for its metrics page.
    pub trust: &'a Trust,
}

/// A service that runs. Everything it started is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    url: String,
    port: Option<u16>,
    socket: Option<PathBuf>,
    /// `None` for one that was not started by us.
    family: Option<Arc<Mutex<Family>>>,
    stop_timeout: Duration,
    ready_after: Duration,
    trust: Trust,
}

impl Running {
    /// Starts a service and waits until it is ready. Another port is tried when somebody took the one that was picked.
    ///
    /// # Errors
    /// When it cannot be started, ends or takes too long before it is ready, or the user wants us to stop; nothing of it is
    /// left then.
    pub fn start(start: &Start<'_>, interrupt: &Interrupt) -> Result<Self, Error> {
        let mut attempt = 1;
        loop {
            match Self::start_once(start, interrupt) {
                Err(Error::Died { tail, .. }) if attempt < ATTEMPTS && says_port_taken(&tail) => attempt += 1,
                other => return other,
            }
        }
    }

    /// One that already runs at this URL: it is neither watched nor stopped.
    #[must_use]
    pub fn attach(url: &str, trust: Trust) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            port: None,
            socket: None,
            family: None,
            stop_timeout: Duration::ZERO,
            ready_after: Duration::ZERO,
            trust,
        }
    }

    /// Whom the small requests to it trust.
    pub(in crate::load) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Where requests go, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port that was picked for it; `None` for one that was not started by us.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The Unix socket that it listens on.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// Its process; `None` for one that was not started by us.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.family.as_ref().map(|family| lock(family).child.id())
    }

    /// How long it took from its start until it was ready.
    #[must_use]
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Watches what it costs, and computes `formulas` over its metrics page.
    ///
    /// # Errors
    /// When a formula is none, or there are some and the page cannot be read.
    pub fn watch(&self, formulas: &[Formula], metrics_url: &str) -> Result<Box<dyn ServiceWatch>, Error> {
        let target = fill(metrics_url, self.port);
        Ok(Box::new(Watch::new(self, formulas, &target)?))
    }

    /// Asks it to end, and ends it and all it started when it does not within its time.
    #[must_use = "how it ended says whether it can be trusted"]
    pub fn stop(mut self) -> Stopped {
        self.end(self.stop_timeout)
    }

    pub(in crate::load) fn family(&self) -> Option<&Arc<Mutex<Family>>> {
        self.family.as_ref()
    }

    fn start_once(start: &Start<'_>, interrupt: &Interrupt) -> Result<Self, Error> {
        check_interrupt(interrupt)?;
        let launch = start.launch;
        let port = free_port().map_err(Error::NoPort)?;
        let url = fill(&launch.url, Some(port)).trim_end_matches('/').to_owned();
        let socket = start.socket.map(|path| start.tree.join(fill(&path.to_string_lossy(), Some(port))));
        let mark = format!("{MARK_VARIABLE}={:016x}", RandomState::new().build_hasher().finish());
        let spec = service_spec(start, port, &mark)?;
        let seen = Arc::new(AtomicBool::new(false));
        let (question, ears) = question((&launch.ready, start.trust), &url, port, socket.as_deref(), &seen)?;
        check_free(&url, socket.as_deref(), &spec.line())?;
        let began = Instant::now();
        let child = Child::spawn_heard(&spec, interrupt, ears)
            .map_err(|source| Error::Start { line: spec.line(), source })?;
        let family = Family::new(child, mark, spec.line(), start.log.to_owned(), interrupt.clone());
        let mut running = Self {
            url,
            port: Some(port),
            socket,
            family: Some(Arc::new(Mutex::new(family))),
            stop_timeout: launch.stop_timeout,
            ready_after: Duration::ZERO,
            trust: start.trust.clone(),
        };
        running.await_ready(&question, began, launch.ready_timeout)?;
        running.ready_after = began.elapsed();
        Ok(running)
    }

    fn await_ready(&self, question: &Question, began: Instant, limit: Duration) -> Result<(), Error> {
        let Some(family) = &self.family else { return Ok(()) };
        let mut family = lock(family);
        let deadline = began + limit;
        for pause in ready::pauses() {
            let left = deadline.saturating_duration_since(Instant::now());
            let interrupt = family.interrupt.clone();
            let mut goes_on =
                || interrupt.requested().is_none() && family.child.wait_for(Duration::ZERO).is_none();
            let found = question.ask(left.max(ready::LEAST), &mut goes_on);
            // Somebody else may have answered in the place of one that is gone.
            if let Some(status) = family.child.wait_for(Duration::ZERO) {
                return Err(family.died(status));
            }
            check_interrupt(&family.interrupt)?;
            let Err(found) = found else { break };
            if Instant::now() >= deadline {
                return Err(family.never_ready(limit, format!("{}, and at last {found}", question.text())));
            }
            // Comes back at once when it ends.
            let _ = family.child.wait_for(pause.min(deadline.saturating_duration_since(Instant::now())));
        }
        family.usage();
        Ok(())
    }

    fn end(&mut self, grace: Duration) -> Stopped {
        let Some(family) = self.family.take() else { return Stopped::default() };
        let stopped = lock(&family).end(grace);
        if let Some(socket) = &self.socket {
            remove_socket(socket);
        }
        stopped
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

fn service_spec(start: &Start<'_>, port: u16, mark: &str) -> Result<Spec, Error> {
    let mut spec = spec(&start.launch.command, start.launch, start.tree, Some(port))?;
    for (name, value) in start.environment {
        spec = spec.set(name, fill(value, Some(port)));
    }
    let padding = "x".repeat(usize::try_from(start.padding).unwrap_or(0));
    let mark = mark.split_once('=').map_or("", |(_, value)| value);
    let spec = spec.set("PORT", port.to_string()).set(PADDING_VARIABLE, padding).set(MARK_VARIABLE, mark);
    Ok(spec.log(start.log).log_both().log_limit(MOST_LOG_BYTES))
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn question(
    (ready, trust): (&Ready, &Trust),
    url: &str,
    port: u16,
    socket: Option<&Path>,
    seen: &Arc<AtomicBool>,
) -> Result<(Question, [Ear; 2]), Error> {
    let place = |target: &str| {
        Place::new(url, target, socket).map(|place| place.trusting(trust)).map_err(|reason| {
            let url = if target.contains("://") { target } else { url };
            Error::Url { url: url.to_owned(), reason }
        })
    };
    let deaf = || -> Ear { Box::new(|_| {}) };
    match ready {
        Ready::Url(target) => Ok((Question::Url(place(&fill(target, Some(port)))?), [deaf(), deaf()])),
        Ready::Port => Ok((Question::Port(place("")?), [deaf(), deaf()])),
        Ready::Log(pattern) => {
            place("")?;
            let filled = fill(pattern, Some(port));
            let regex =
                Regex::new(&filled).map_err(|source| Error::Pattern { pattern: pattern.clone(), source })?;
            let ears = [regex.clone(), regex].map(|regex| ready::ear(regex, Arc::clone(seen)));
            Ok((Question::Log(filled, Arc::clone(seen)), ears))
        }
    }
}

/// Makes sure that nobody answers in the place of the service: the load would go to a stranger.
fn check_free(url: &str, socket: Option<&Path>, line: &str) -> Result<(), Error> {
    let taken = |address: String| Error::Taken { line: line.to_owned(), address };
    let place = Place::new(url, "", socket).map_err(|reason| Error::Url { url: url.to_owned(), reason })?;
    if (socket.is_some() || place.is_loopback()) && place.knock(KNOCK).is_ok() {
        return Err(taken(place.to_string()));
    }
    if let Some(socket) = socket {
        remove_socket(socket);
    }
    Ok(())
}

/// Removes a socket that a dead service left; nothing else.
fn remove_socket(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
            let _ = std::fs::remove_file(path);
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}
