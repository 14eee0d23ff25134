//! One fresh bench process: started, held still, driven from benchmark to benchmark, ended.

use super::{
    builds::BenchExecutable,
    criterion::{
        link::{Door, Heard, Link},
        protocol::{Complete, MOST_BENCHMARKS, Malformed, Message, Request, Version},
    },
};
use crate::process::{
    self, Child, ExitStatus, Interrupt, Spec,
    affinity::pin,
    resources::{Schedule, resident_bytes, schedule},
};
use std::{
    collections::HashMap,
    ffi::OsString,
    path::Path,
    time::{Duration, Instant},
};

/// How long a process may take to end after its last benchmark, at the least.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// How a process is started. Everything but the executable is the same, or equally long, on both sides.
#[derive(Debug, Clone, Copy)]
pub struct Launch<'a> {
    /// What to start.
    pub executable: &'a BenchExecutable,
    /// Its arguments.
    pub args: &'a [OsString],
    /// Bytes of environment padding.
    pub padding: u32,
    /// The core to bind it to.
    pub pin: Option<usize>,
    /// Where criterion may write, should it write.
    pub home: &'a Path,
}

/// Why a process did not do what it was started for.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It did not start.
    #[error("could not be started")]
    Start(#[source] process::Error),
    /// Its connection could not be made or broke.
    #[error("lost its connection")]
    Connection(#[source] std::io::Error),
    /// It ended without ever connecting.
    #[error("{0} without connecting")]
    Unlinked(ExitStatus),
    /// It ended, with or without success, before its work was done.
    #[error("{0} before it was measured")]
    Ended(ExitStatus),
    /// It was measured, and then its process failed.
    #[error("{0} after its last benchmark")]
    EndedBadly(ExitStatus),
    /// It took too long.
    #[error("did not finish within {} s", .0.as_secs_f64().ceil())]
    TimedOut(Duration),
    /// What it sent is not acceptable.
    #[error("broke criterion's protocol: {0}")]
    Malformed(Malformed),
    /// It ended well without running the benchmark that it was started for.
    #[error("did not run it although it lists it")]
    Skipped,
    /// It does not listen to criterion's arguments.
    #[error("ran a benchmark that its filter leaves out; does its `main` call `configure_from_args`?")]
    Unconfigured,
    /// The user wants us to stop.
    #[error("was interrupted by {0}")]
    Interrupted(&'static str),
}

/// A trouble with what the process said last.
#[derive(Debug, thiserror::Error)]
#[error("{trouble}")]
pub struct Failure {
    /// What happened.
    #[source]
    pub trouble: Trouble,
    /// The end of its standard error, or of its standard output where that is empty: bounded, without control characters.
    pub last_words: String,
    /// The benchmark (criterion's id) that ran before and is to blame, when it is not the one that was to run.
    pub culprit: Option<String>,
}

impl Failure {
    fn new(trouble: Trouble, last_words: String) -> Self {
        Self { trouble, last_words, culprit: None }
    }

    /// What happened with its causes, then its last words on lines of their own.
    #[must_use]
    pub fn message(&self) -> String {
        let mut message = self.trouble.to_string();
        let mut cause = std::error::Error::source(&self.trouble);
        while let Some(error) = cause {
            message.push_str(&format!(": {error}"));
            cause = error.source();
        }
        if !self.last_words.is_empty() {
            message.push_str(&format!("\n{}", self.last_words));
        }
        message
    }

    /// The signal, when the user wants us to stop.
    #[must_use]
    pub fn interrupted(&self) -> Option<&'static str> {
        match &self.trouble {
            Trouble::Interrupted(signal) => Some(signal),
            Trouble::Start(process::Error::Interrupted { signal, .. }) => Some(signal),
            _ => None,
        }
    }
}

/// A process that was started and has not yet connected.
#[derive(Debug)]
pub struct Starting {
    child: Child,
    door: Door,
    interrupt: Interrupt,
}

impl Starting {
    /// Starts a process.
    ///
    /// # Errors
    /// When the system refuses, or the user wants us to stop.
    pub fn spawn(launch: &Launch<'_>, interrupt: &Interrupt) -> Result<Self, Failure> {
        let failed = |trouble| Failure::new(trouble, String::new());
        if let Some(signal) = interrupt.requested() {
            return Err(failed(Trouble::Interrupted(signal)));
        }
        let door = Door::open().map_err(|error| failed(Trouble::Connection(error)))?;
        let executable = launch.executable;
        let mut spec = Spec::new(&executable.path, &executable.directory).args(launch.args);
        spec.environment
            .extend(executable.environment.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
        let padding = "x".repeat(usize::try_from(launch.padding).unwrap_or(0));
        let spec = spec
            .set("CARGO_CRITERION_PORT", door.port().to_string())
            .set("CRITERION_HOME", launch.home)
            .set("TOLLGATE_PADDING", padding);
        let child = Child::spawn(&spec, interrupt).map_err(|error| failed(Trouble::Start(error)))?;
        if let Some(cpu) = launch.pin {
            // Whether a core can be had is tried and told once, before anything is measured.
            let _ = pin(child.id(), cpu);
        }
        Ok(Self { child, door, interrupt: interrupt.clone() })
    }

    /// Waits until it connects; it stands still then.
    ///
    /// # Errors
    /// When it ends first, takes longer than `limit`, or the user wants us to stop.
    pub fn connect(mut self, limit: Duration) -> Result<Bench, Failure> {
        let deadline = Instant::now() + limit;
        let trouble = loop {
            match self.door.wait() {
                Ok(Heard::Got(link)) => return Ok(Bench::new(self.child, link, self.interrupt)),
                Ok(Heard::Silence) => {}
                Ok(Heard::Closed) => break Trouble::Connection(std::io::ErrorKind::NotConnected.into()),
                Err(error) => break Trouble::Connection(error),
            }
            if let Some(status) = self.child.wait_for(Duration::ZERO) {
                break Trouble::Unlinked(status);
            }
            if let Some(signal) = self.interrupt.requested() {
                break Trouble::Interrupted(signal);
            }
            if Instant::now() >= deadline {
                break Trouble::TimedOut(limit);
            }
        };
        self.child.kill();
        Err(Failure::new(trouble, self.child.last_words()))
    }
}

/// Something that a bench process came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The filter left this benchmark out.
    Skipped(String),
    /// This benchmark runs.
    Began(String),
    /// A benchmark was measured; the process stands still.
    Complete(Complete),
    /// The process is gone.
    Ended(ExitStatus),
}

/// Where a process is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// It waits for our hello.
    Ungreeted,
    /// It runs between benchmarks.
    Between,
    /// It runs this benchmark.
    Running(String),
    /// It waits for `Continue`.
    Waiting,
}

/// A connected bench process. It is killed when this is dropped.
#[derive(Debug)]
pub struct Bench {
    child: Child,
    link: Link,
    interrupt: Interrupt,
    state: State,
    version: Version,
    /// How often each benchmark was measured.
    completed: HashMap<String, usize>,
    /// The benchmark that was measured last.
    last: Option<String>,
    /// How many benchmarks it named, run or not.
    named: usize,
}

impl Bench {
    fn new(child: Child, link: Link, interrupt: Interrupt) -> Self {
        Self {
            child,
            link,
            interrupt,
            state: State::Ungreeted,
            version: [0; 3],
            completed: HashMap::new(),
            last: None,
            named: 0,
        }
    }

    /// Its criterion's version; zeros before the first event.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Its schedule so far, where the platform tells.
    #[must_use]
    pub fn schedule(&self) -> Option<Schedule> {
        schedule(self.child.id())
    }

    /// Its resident memory, where the platform tells.
    #[must_use]
    pub fn resident_bytes(&self) -> Option<u64> {
        resident_bytes(self.child.id())
    }

    /// Lets it go on if it stands still, and waits for what it comes to.
    ///
    /// # Errors
    /// When it sends what it must not, takes longer than `limit`, or the user wants us to stop. It is gone then.
    pub fn next(&mut self, limit: Duration) -> Result<Event, Failure> {
        self.next_before(Instant::now() + limit, limit)
    }

    /// Lets it run up to the end of the benchmark `id`, when it comes to it for the `occurrence`-th time since it started.
    ///
    /// # Errors
    /// As [`Bench::next`], and when it ends before.
    pub fn run_to(&mut self, id: &str, occurrence: usize, limit: Duration) -> Result<Complete, Failure> {
        let deadline = Instant::now() + limit;
        loop {
            match self.next_before(deadline, limit)? {
                Event::Complete(complete) if complete.id == id && self.completed(id) == occurrence => {
                    return Ok(complete);
                }
                Event::Ended(status) if status.success() && self.state == State::Between => {
                    return Err(self.fail(Trouble::Skipped));
                }
                Event::Ended(status) => return Err(self.fail(Trouble::Ended(status))),
                Event::Skipped(_) | Event::Began(_) | Event::Complete(_) => {}
            }
        }
    }

    /// How often it has run a benchmark of this id.
    fn completed(&self, id: &str) -> usize {
        self.completed.get(id).copied().unwrap_or(0)
    }

    /// [`Bench::next`] up to a deadline that several events share; `limit` is what the message about it names.
    pub(super) fn next_before(&mut self, deadline: Instant, limit: Duration) -> Result<Event, Failure> {
        self.advance(deadline).map_err(|trouble| {
            let trouble =
                if matches!(trouble, Trouble::TimedOut(_)) { Trouble::TimedOut(limit) } else { trouble };
            self.fail(trouble)
        })
    }

    /// Lets it run to its end.
    ///
    /// # Errors
    /// As [`Bench::next`], and when it ends badly.
    pub fn finish(mut self, limit: Duration) -> Result<(), Failure> {
        loop {
            match self.next(limit.max(LAST_WORDS))? {
                Event::Ended(status) if status.success() => return Ok(()),
                Event::Ended(status) => return Err(self.fail(Trouble::EndedBadly(status))),
                _ => {}
            }
        }
    }

    /// Asks it, while it stands still after a benchmark, for the unit of its measurements, and for one of its own units in that.
    ///
    /// # Errors
    /// As [`Bench::next`].
    pub fn unit(&mut self, limit: Duration) -> Result<(String, f64), Failure> {
        let deadline = Instant::now() + limit;
        let ask = |bench: &mut Self| {
            bench.send(&Request::ScaleForMachines { values: vec![1.0] })?;
            match bench.message(deadline)? {
                Some(Message::Scaled { values, unit }) if values.len() == 1 && values[0] > 0.0 => {
                    Ok((unit, values[0]))
                }
                Some(_) => Err(Trouble::Malformed(Malformed::OutOfTurn)),
                None => Err(bench.end(deadline).map_or_else(|trouble| trouble, Trouble::Ended)),
            }
        };
        ask(self).map_err(|trouble| self.fail(trouble))
    }

    /// Ends it at once and keeps its last words.
    pub fn fail(&mut self, trouble: Trouble) -> Failure {
        self.child.kill();
        let mut failure = Failure::new(trouble, self.child.last_words());
        // Nonsense between two benchmarks comes from the one that ended: a process that forked says everything twice.
        if matches!(failure.trouble, Trouble::Malformed(_)) && !matches!(self.state, State::Running(_)) {
            failure.culprit = self.last.clone();
        }
        failure
    }

    /// Lets it go on without waiting for what it comes to.
    ///
    /// Nothing is lost when that fails: [`Bench::finish`] will find out why.
    pub fn let_go(&mut self) {
        if self.state == State::Waiting && self.send(&Request::Continue).is_ok() {
            self.state = State::Between;
        }
    }

    fn advance(&mut self, deadline: Instant) -> Result<Event, Trouble> {
        self.release(deadline)?;
        loop {
            let Some(message) = self.message(deadline)? else { return self.end(deadline).map(Event::Ended) };
            if matches!(message, Message::Skipped(_) | Message::Began(_)) {
                self.named += 1;
                if self.named > MOST_BENCHMARKS {
                    return Err(Trouble::Malformed(Malformed::TooMany));
                }
            }
            match (message, &self.state) {
                // A benchmark that panics drops its group, which reports its end and waits; then the process ends.
                (Message::GroupFinished, _) => self.send(&Request::Continue)?,
                (Message::Skipped(id), State::Between) => return Ok(Event::Skipped(id)),
                (Message::Began(id), State::Between) => {
                    self.state = State::Running(id.clone());
                    return Ok(Event::Began(id));
                }
                (Message::Complete(complete), State::Running(id)) if complete.id == *id => {
                    self.state = State::Waiting;
                    *self.completed.entry(complete.id.clone()).or_default() += 1;
                    self.last = Some(complete.id.clone());
                    return Ok(Event::Complete(complete));
                }
                (Message::Other, _) => {}
                _ => return Err(Trouble::Malformed(Malformed::OutOfTurn)),
            }
        }
    }

    /// Lets it go on when it stands still.
    fn release(&mut self, deadline: Instant) -> Result<(), Trouble> {
        match self.state {
            State::Ungreeted => {
                self.link.greet().map_err(Trouble::Connection)?;
                self.version = match self.wait(deadline, Link::hello)? {
                    Some(version) => version,
                    None => return Err(Trouble::Ended(self.end(deadline)?)),
                };
            }
            State::Waiting => self.send(&Request::Continue)?,
            State::Between | State::Running(_) => return Ok(()),
        }
        self.state = State::Between;
        Ok(())
    }

    fn send(&mut self, request: &Request) -> Result<(), Trouble> {
        match self.link.send(request) {
            // It may be gone for a reason that its end will tell.
            Err(error) if self.child.wait_for(Duration::ZERO).is_none() => Err(Trouble::Connection(error)),
            _ => Ok(()),
        }
    }

    fn message(&mut self, deadline: Instant) -> Result<Option<Message>, Trouble> {
        self.wait(deadline, Link::receive)
    }

    /// Waits for something of the link; `None` when the process has closed it or is gone.
    fn wait<T>(
        &mut self,
        deadline: Instant,
        mut listen: impl FnMut(&mut Link) -> Result<Heard<T>, Malformed>,
    ) -> Result<Option<T>, Trouble> {
        let mut gone = false;
        loop {
            // Looked at before we listen: who never stops talking must not keep us
            if let Some(signal) = self.interrupt.requested() {
                return Err(Trouble::Interrupted(signal));
            }
            if Instant::now() >= deadline {
                return Err(Trouble::TimedOut(Duration::ZERO));
            }
            match listen(&mut self.link).map_err(Trouble::Malformed)? {
                Heard::Got(value) => return Ok(Some(value)),
                Heard::Closed => return Ok(None),
                // One more silence after its end: somebody else holds the connection open.
                Heard::Silence if gone => return Ok(None),
                Heard::Silence => gone = self.child.wait_for(Duration::ZERO).is_some(),
            }
        }
    }

    /// Waits for the exit of a process that has closed its connection.
    fn end(&mut self, deadline: Instant) -> Result<ExitStatus, Trouble> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.child.wait_for(left).ok_or(Trouble::TimedOut(Duration::ZERO))
    }
}
