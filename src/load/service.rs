//! The service under test: built once, then started fresh for each slot, waited for, and stopped with everything it started.
//!
//! A service that we start is a [`Child`] in a group of its own. It carries a mark in its environment that all of its
//! descendants inherit, so that a daemon which leaves the group is still counted with it and ended with it.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::{Duration, Instant},
};

use crate::{
    hint::Hint,
    process::{
        self, Child, ExitStatus, Interrupt, Spec,
        group::Force,
        registry::Entry,
        tree::{Tree, Usage},
    },
};
use regex::Regex;

use super::{
    costs::Watch,
    get::Place,
    ready::{self, Question},
    scenario::{Formula, Launch, Ready},
    watch::ServiceWatch,
};

/// What a service or a build may write to its log; the rest is dropped.
const MOST_LOG_BYTES: u64 = 64 * 1024 * 1024;
/// How often another port is tried when somebody was faster.
const ATTEMPTS: usize = 4;
/// How long it is tried to connect to an address that should be free.
const KNOCK: Duration = Duration::from_millis(500);
/// How long processes that were killed may take to vanish.
const VANISHING: Duration = Duration::from_secs(2);
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
}

/// Why a service could not be built, started or watched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to start.
    #[error("the service has no command")]
    NoCommand,
    /// Its working directory is missing.
    #[error("could not start the service `{line}`: its directory `{}` does not exist", directory.display())]
    Directory {
        /// The command line.
        line: String,
        /// The directory.
        directory: PathBuf,
    },
    /// Its program is missing.
    #[error("could not start the service `{line}`: there is no program `{program}`{}", places(.searched))]
    Program {
        /// The command line.
        line: String,
        /// The program as written.
        program: String,
        /// Where it was looked for; empty for the folders of `PATH`.
        searched: Vec<PathBuf>,
    },
    /// The system refused.
    #[error("could not start the service `{line}`")]
    Start {
        /// The command line.
        line: String,
        /// Why.
        source: process::Error,
    },
    /// The build step failed.
    #[error("could not build the service: `{line}` {status}; its log is `{}`{}", log.display(), below(.tail))]
    Build {
        /// The command line.
        line: String,
        /// How it ended.
        status: ExitStatus,
        /// Its log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
    /// The build step took too long.
    #[error(
        "could not build the service: `{line}` did not end within {} s; its log is `{}`{}",
        limit.as_secs_f64(), log.display(), below(.tail)
    )]
    BuildTimedOut {
        /// The command line.
        line: String,
        /// What it was allowed.
        limit: Duration,
        /// Its log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
    /// It ended before it was ready.
    #[error("the service `{line}` {status} before it was ready; its log is `{}`{}", log.display(), below(.tail))]
    Died {
        /// The command line.
        line: String,
        /// How it ended.
        status: ExitStatus,
        /// Its log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
    /// It never got ready.
    #[error(
        "the service `{line}` was not ready within {} s: waited for {question}, and at last {found}; its log is `{}`{}",
        limit.as_secs_f64(), log.display(), below(.tail)
    )]
    NeverReady {
        /// The command line.
        line: String,
        /// What it was allowed.
        limit: Duration,
        /// What was waited for.
        question: String,
        /// What was found instead.
        found: String,
        /// Its log.
        log: PathBuf,
        /// The end of it.
        tail: String,
    },
    /// Somebody else answers where it should.
    #[error("could not start the service `{line}`: {address} is taken, something answers there already")]
    Taken {
        /// The command line.
        line: String,
        /// The address.
        address: String,
    },
    /// No port could be picked.
    #[error("could not find a free port on 127.0.0.1")]
    NoPort(#[source] io::Error),
    /// A URL of the scenario is not one.
    #[error("could not use the URL `{url}`: {reason}")]
    Url {
        /// As written.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The pattern of the ready line is not one.
    #[error("could not use the pattern `{pattern}` of the line that says ready")]
    Pattern {
        /// As written.
        pattern: String,
        /// What is wrong with it.
        source: regex::Error,
    },
    /// A formula is not one.
    #[error("could not use the formula of `{name}`")]
    Formula {
        /// The metric's name.
        name: String,
        /// What is wrong with it.
        source: super::formula::Error,
    },
    /// Its metrics page cannot be read.
    #[error("could not read the metrics page {url}: {reason}")]
    Metrics {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The user wants us to stop.
    #[error("the service was interrupted by {signal}")]
    Interrupted {
        /// What came.
        signal: &'static str,
    },
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NoCommand => "give the scenario's service a `command`, or a `url` that already runs".into(),
            Self::Directory { .. } => "correct the service's `directory`; it is relative to the tree".into(),
            Self::Program { searched, program, .. } if searched.is_empty() => {
                format!("install `{program}`, or add its folder to `PATH`")
            }
            Self::Program { .. } => "give the service a `build` step that makes it, or correct `command`".into(),
            Self::Start { source, .. } => return source.hint(),
            Self::Build { log, .. } => {
                format!("see `{}`, and run the step by hand in the same tree", log.display())
            }
            Self::BuildTimedOut { .. } => "allow it more time, or find out what it waits for".into(),
            Self::Died { tail, .. } | Self::NeverReady { tail, .. } if says_port_taken(tail) => {
                "something else uses its port: let it listen on `{port}` or on the variable `PORT`".into()
            }
            Self::Died { status: ExitStatus::Code(0), .. } => {
                "let it stay in the foreground: a service that goes to the background cannot be watched".into()
            }
            Self::Died { log, .. } => format!("see `{}`", log.display()),
            Self::NeverReady { .. } => {
                "check that it listens on `{port}` or the variable `PORT`, correct `ready`, or raise `ready_timeout`".into()
            }
            Self::Taken { .. } => {
                "stop what listens there, or write `{port}` in the `url` so that a free port is picked".into()
            }
            Self::Metrics { .. } => "correct `metrics_url`, or remove the scenario's own metrics".into(),
            Self::NoPort(_) | Self::Url { .. } | Self::Pattern { .. } | Self::Formula { .. } => return None,
            Self::Interrupted { .. } => return None,
        };
        Some(text)
    }
}

fn places(searched: &[PathBuf]) -> String {
    if searched.is_empty() {
        return " in the folders of `PATH`".into();
    }
    let places: Vec<String> = searched.iter().map(|path| format!("`{}`", path.display())).collect();
    format!("; looked for {}", places.join(" and "))
}

fn below(tail: &str) -> String {
    if tail.trim().is_empty() { ", which is empty".into() } else { format!(":\n{}", tail.trim_end()) }
}

/// Whether a log says that the port was taken, in the words of the usual runtimes.
fn says_port_taken(tail: &str) -> bool {
    let tail = tail.to_ascii_lowercase();
    ["address already in use", "address in use", "eaddrinuse", "addrinuse", "os error 98)", "os error 48)"]
        .iter()
        .any(|words| tail.contains(words))
}

/// Runs the build step of a service in a revision's tree; a launch without one is built already.
///
/// # Errors
/// When it cannot be started, fails, takes longer than `timeout`, or is interrupted.
pub fn build(
    launch: &Launch,
    tree: &Path,
    log: &Path,
    timeout: Duration,
    interrupt: &Interrupt,
) -> Result<(), Error> {
    if launch.build.is_empty() {
        return Ok(());
    }
    let spec = spec(&launch.build, launch, tree, None)?.log(log).log_both().log_limit(MOST_LOG_BYTES);
    let line = spec.line();
    check_interrupt(interrupt)?;
    let mut child = Child::spawn(&spec.timeout(timeout), interrupt)
        .map_err(|source| Error::Start { line: line.clone(), source })?;
    let ended = child.wait();
    let tail = child.log_tail();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::Build { line, status, log: log.to_owned(), tail }),
        Err(process::Error::TimedOut { limit, .. }) => {
            Err(Error::BuildTimedOut { line, limit, log: log.to_owned(), tail })
        }
        Err(process::Error::Interrupted { signal, .. }) => Err(Error::Interrupted { signal }),
        Err(source) => Err(Error::Start { line, source }),
    }
}

/// A program of a launch, in its directory, with its variables.
fn spec(words: &[String], launch: &Launch, tree: &Path, port: Option<u16>) -> Result<Spec, Error> {
    let words: Vec<String> = words.iter().map(|word| fill(word, port)).collect();
    let (program, args) = words.split_first().ok_or(Error::NoCommand)?;
    let line = Spec::new(program, tree).args(args).line();
    let directory = tree.join(&launch.directory);
    if !directory.is_dir() {
        return Err(Error::Directory { line, directory });
    }
    let mut spec = Spec::new(located(program, &directory, tree, &line)?, directory).args(args);
    for (name, value) in &launch.environment {
        spec = spec.set(name, fill(value, port));
    }
    Ok(spec)
}

/// Where a program is: a name is looked up in `PATH`, a relative path first in its directory, then in the tree.
fn located(program: &str, directory: &Path, tree: &Path, line: &str) -> Result<PathBuf, Error> {
    let path = Path::new(program);
    let mut searched: Vec<PathBuf> = match path.components().count() {
        _ if path.is_absolute() => vec![path.to_owned()],
        0 | 1 if !program.contains(std::path::is_separator) => match on_path(program) {
            true => return Ok(path.to_owned()),
            false => Vec::new(),
        },
        _ => vec![directory.join(path), tree.join(path)],
    };
    searched.dedup();
    if let Some(found) = searched.iter().find(|path| path.is_file()) {
        return Ok(found.clone());
    }
    Err(Error::Program { line: line.to_owned(), program: program.to_owned(), searched })
}

fn on_path(program: &str) -> bool {
    // Where names have endings that may be left out, only the system knows.
    let folders = std::env::var_os("PATH").unwrap_or_default();
    cfg!(windows) || std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

fn fill(text: &str, port: Option<u16>) -> String {
    match port {
        Some(port) => text.replace("{port}", &port.to_string()),
        None => text.to_owned(),
    }
}

fn check_interrupt(interrupt: &Interrupt) -> Result<(), Error> {
    interrupt.requested().map_or(Ok(()), |signal| Err(Error::Interrupted { signal }))
}

/// A service that runs. Everything it started is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    url: String,
    port: Option<u16>,
    socket: Option<PathBuf>,
    /// `None` for one that was not started by us.
    core: Option<Arc<Mutex<Core>>>,
    stop_timeout: Duration,
    ready_after: Duration,
}

/// How a service ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stopped {
    /// Its exit status; `None` for one that was not started by us.
    pub status: Option<ExitStatus>,
    /// It had ended by itself before it was asked to.
    pub by_itself: bool,
    /// It did not end in the time that it had, and was killed.
    pub killed: bool,
    /// The end of its log.
    pub tail: String,
    /// Its log.
    pub log: Option<PathBuf>,
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
    pub fn attach(url: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            port: None,
            socket: None,
            core: None,
            stop_timeout: Duration::ZERO,
            ready_after: Duration::ZERO,
        }
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
        self.core.as_ref().map(|core| lock(core).child.id())
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

    pub(super) fn core(&self) -> Option<&Arc<Mutex<Core>>> {
        self.core.as_ref()
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
        let (question, ears) = question(&launch.ready, &url, port, socket.as_deref(), &seen)?;
        check_free(&url, socket.as_deref(), &spec.line())?;
        let began = Instant::now();
        let child = Child::spawn_heard(&spec, interrupt, ears)
            .map_err(|source| Error::Start { line: spec.line(), source })?;
        let core = Core::new(child, mark, spec.line(), start.log.to_owned(), interrupt.clone());
        let mut running = Self {
            url,
            port: Some(port),
            socket,
            core: Some(Arc::new(Mutex::new(core))),
            stop_timeout: launch.stop_timeout,
            ready_after: Duration::ZERO,
        };
        running.await_ready(&question, began, launch.ready_timeout)?;
        running.ready_after = began.elapsed();
        Ok(running)
    }

    fn await_ready(&self, question: &Question, began: Instant, limit: Duration) -> Result<(), Error> {
        let Some(core) = &self.core else { return Ok(()) };
        let mut core = lock(core);
        let deadline = began + limit;
        for pause in ready::pauses() {
            let left = deadline.saturating_duration_since(Instant::now());
            let interrupt = core.interrupt.clone();
            let mut goes_on =
                || interrupt.requested().is_none() && core.child.wait_for(Duration::ZERO).is_none();
            let found = question.ask(left.max(ready::LEAST), &mut goes_on);
            // Somebody else may have answered in the place of one that is gone.
            if let Some(status) = core.child.wait_for(Duration::ZERO) {
                return Err(core.died(status));
            }
            check_interrupt(&core.interrupt)?;
            let Err(found) = found else { break };
            if Instant::now() >= deadline {
                return Err(core.never_ready(limit, question.text(), found));
            }
            // Comes back at once when it ends.
            let _ = core.child.wait_for(pause.min(deadline.saturating_duration_since(Instant::now())));
        }
        core.usage();
        Ok(())
    }

    fn end(&mut self, grace: Duration) -> Stopped {
        let Some(core) = self.core.take() else { return Stopped::default() };
        let stopped = lock(&core).end(grace);
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
    ready: &Ready,
    url: &str,
    port: u16,
    socket: Option<&Path>,
    seen: &Arc<AtomicBool>,
) -> Result<(Question, [process::output::Ear; 2]), Error> {
    let place = |target: &str| {
        Place::new(url, target, socket).map_err(|reason| {
            let url = if target.contains("://") { target } else { url };
            Error::Url { url: url.to_owned(), reason }
        })
    };
    let deaf = || -> process::output::Ear { Box::new(|_| {}) };
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

pub(super) fn lock(core: &Mutex<Core>) -> MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A service's processes; shared by its owner and its watch.
#[derive(Debug)]
pub(super) struct Core {
    child: Child,
    tree: Tree,
    /// Groups of daemons, on record like the service's own so that an urgent end or a later start ends them too.
    groups: BTreeMap<u32, Entry>,
    line: String,
    log: PathBuf,
    interrupt: Interrupt,
    stopped: Option<Stopped>,
}

impl Core {
    fn new(child: Child, mark: String, line: String, log: PathBuf, interrupt: Interrupt) -> Self {
        let tree = Tree::new(child.id(), Some(mark));
        Self { child, tree, groups: BTreeMap::new(), line, log, interrupt, stopped: None }
    }

    /// The root process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it uses now, where the platform tells.
    pub(super) fn usage(&mut self) -> Option<Usage> {
        let usage = self.tree.read();
        self.note_groups();
        usage
    }

    /// Whether it runs.
    pub(super) fn alive(&mut self) -> Result<(), String> {
        match self.child.wait_for(Duration::ZERO) {
            None => Ok(()),
            Some(_) if self.stopped.is_some() => Err("the service was stopped".into()),
            Some(status) => {
                let (log, tail) = (self.log.display(), below(&self.child.log_tail()));
                Err(format!("the service `{}` {status} under load; its log is `{log}`{tail}", self.line))
            }
        }
    }

    fn note_groups(&mut self) {
        for (group, start) in self.tree.other_groups() {
            let registry = self.interrupt.registry();
            self.groups.entry(group).or_insert_with(|| registry.enter_group(group, start));
        }
    }

    fn died(&mut self, status: ExitStatus) -> Error {
        let tail = self.child.log_tail();
        Error::Died { line: self.line.clone(), status, log: self.log.clone(), tail }
    }

    fn never_ready(&mut self, limit: Duration, question: String, found: String) -> Error {
        let tail = self.child.log_tail();
        Error::NeverReady { line: self.line.clone(), limit, question, found, log: self.log.clone(), tail }
    }

    fn end(&mut self, grace: Duration) -> Stopped {
        if let Some(stopped) = &self.stopped {
            return stopped.clone();
        }
        let by_itself = self.child.wait_for(Duration::ZERO).is_some();
        self.usage();
        let killed = !by_itself && !self.ask_to_end(grace);
        let status = self.child.kill();
        self.sweep();
        self.groups.clear();
        let tail = self.child.log_tail();
        let stopped = Stopped { status, by_itself, killed, tail, log: Some(self.log.clone()) };
        self.stopped = Some(stopped.clone());
        stopped
    }

    /// Asks everybody to end and waits for it; false when some did not within `grace`.
    #[cfg(target_os = "linux")]
    fn ask_to_end(&mut self, grace: Duration) -> bool {
        let deadline = Instant::now() + grace;
        if grace.is_zero() || self.interrupt.is_urgent() {
            return false;
        }
        self.child.ask_to_end();
        self.tree.signal_others(Force::Terminate);
        for pause in ready::pauses() {
            // The root is not reaped yet: its group cannot be anybody else's.
            if self.tree.living().is_empty() {
                return true;
            }
            if Instant::now() >= deadline || self.interrupt.is_urgent() {
                return false;
            }
            std::thread::sleep(pause);
        }
        false
    }

    /// Asks it to end and waits for it; false when it did not within `grace`.
    #[cfg(not(target_os = "linux"))]
    fn ask_to_end(&mut self, grace: Duration) -> bool {
        let began = Instant::now();
        self.child.end(grace);
        began.elapsed() < grace
    }

    /// Kills what left the group, until nobody is left.
    fn sweep(&mut self) {
        let deadline = Instant::now() + VANISHING;
        for pause in ready::pauses() {
            if self.tree.living().is_empty() || Instant::now() >= deadline {
                return;
            }
            self.tree.signal_others(Force::Kill);
            std::thread::sleep(pause);
        }
    }
}
