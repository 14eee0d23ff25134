//! A running child: its group, its output, its deadline, and how it ended.

#[cfg(unix)]
use super::group::await_exit;
use super::{
    group::{Force, signal},
    interrupt::Interrupt,
    log::Log,
    output::{Copies, Drain, Ear, Keep, readable},
    registry::Entry,
    run::Error,
    spec::{Logged, Spec},
};
use std::{
    fmt,
    time::{Duration, Instant},
};

#[cfg(unix)]
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

/// How long a child may clean up after it was asked to end.
pub const GRACE: Duration = Duration::from_secs(2);
/// How often a wait looks up to see whether the user wants us to stop.
const HEARTBEAT: Duration = Duration::from_millis(100);
/// What is kept of a stream that nobody reads whole.
const TAIL_BYTES: usize = 64 * 1024;
/// Lines of standard error that a message shows.
const TAIL_LINES: usize = 20;

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It exited with this status.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
}

impl ExitStatus {
    /// Whether it exited with status 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "exited with status {code}"),
            Self::Signal(number) => match signal_name(*number) {
                Some(name) => write!(formatter, "was killed by signal {number} ({name})"),
                None => write!(formatter, "was killed by signal {number}"),
            },
        }
    }
}

/// The names of the signals that end programs in practice; their numbers are the same on all Unix platforms but SIGBUS.
fn signal_name(number: i32) -> Option<&'static str> {
    let names = [(1, "SIGHUP"), (2, "SIGINT"), (4, "SIGILL"), (6, "SIGABRT"), (8, "SIGFPE"), (9, "SIGKILL")];
    let more = [(11, "SIGSEGV"), (13, "SIGPIPE"), (14, "SIGALRM"), (15, "SIGTERM")];
    names.iter().chain(&more).find(|(n, _)| *n == number).map(|(_, name)| *name)
}

/// A child that runs. Its whole group is killed when this is dropped.
#[derive(Debug)]
pub struct Child {
    inner: std::process::Child,
    program: String,
    stdout: Drain,
    stderr: Drain,
    log: Option<Log>,
    deadline: Option<(Instant, Duration)>,
    #[cfg(unix)]
    exited: Option<Receiver<()>>,
    status: Option<ExitStatus>,
    entry: Option<Entry>,
    interrupt: Interrupt,
}

impl Child {
    /// Starts a child of which only the end of its output is kept.
    ///
    /// # Errors
    /// When it cannot be started or its log cannot be created.
    pub fn spawn(spec: &Spec, interrupt: &Interrupt) -> Result<Self, Error> {
        Self::start(spec, interrupt, Keep::Tail(TAIL_BYTES), [None, None])
    }

    /// Starts a child as [`Child::spawn`] does; `ears` hear its standard output and its standard error as they come.
    ///
    /// # Errors
    /// When it cannot be started or its log cannot be created.
    pub fn spawn_heard(spec: &Spec, interrupt: &Interrupt, ears: [Ear; 2]) -> Result<Self, Error> {
        Self::start(spec, interrupt, Keep::Tail(TAIL_BYTES), ears.map(Some))
    }

    pub(super) fn spawn_keeping(spec: &Spec, interrupt: &Interrupt, stdout: Keep) -> Result<Self, Error> {
        Self::start(spec, interrupt, stdout, [None, None])
    }

    fn start(
        spec: &Spec,
        interrupt: &Interrupt,
        stdout: Keep,
        ears: [Option<Ear>; 2],
    ) -> Result<Self, Error> {
        let failed = |source| Error::Start { program: spec.name(), source };
        let log = Log::of(spec)?;
        let [out_ear, err_ear] = ears;
        let out_copies = Copies { log: log.clone().filter(|_| spec.logged == Logged::Both), ear: out_ear };
        let err_copies = Copies { log: log.clone(), ear: err_ear };
        let mut inner = spec.command().spawn().map_err(failed)?;
        let entry = interrupt.registry().enter(inner.id());
        let out = inner.stdout.take().map(|stream| Drain::start(stream, stdout, out_copies));
        let err = inner.stderr.take().map(|stream| Drain::start(stream, Keep::Tail(TAIL_BYTES), err_copies));
        let (stdout, stderr) = match (out, err) {
            (Some(Ok(out)), Some(Ok(err))) => (out, err),
            (out, err) => {
                signal(inner.id(), Force::Kill);
                let _ = inner.kill();
                let _ = inner.wait();
                let error = [out, err].into_iter().flatten().find_map(Result::err);
                return Err(failed(error.unwrap_or_else(|| std::io::Error::other("it has no output"))));
            }
        };
        let deadline = spec.timeout.map(|limit| (Instant::now() + limit, limit));
        let (program, interrupt) = (spec.name(), interrupt.clone());
        Ok(Self {
            inner,
            program,
            stdout,
            stderr,
            log,
            deadline,
            #[cfg(unix)]
            exited: None,
            status: None,
            entry: Some(entry),
            interrupt,
        })
    }

    /// Its process id, which is also the id of its group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// Waits until it ends by itself. The rest of its group is killed then.
    ///
    /// # Errors
    /// [`Error::TimedOut`] past its deadline and [`Error::Interrupted`] when the user wants us to stop; it has been ended then.
    pub fn wait(&mut self) -> Result<ExitStatus, Error> {
        loop {
            let left = self.deadline.map(|(at, _)| at.saturating_duration_since(Instant::now()));
            if let Some(status) = self.wait_for(left.unwrap_or(HEARTBEAT).min(HEARTBEAT)) {
                return Ok(status);
            }
            if let Some(signal) = self.interrupt.requested() {
                self.end(GRACE);
                return Err(Error::Interrupted { program: self.program.clone(), signal });
            }
            if let Some((_, limit)) = self.deadline.filter(|(at, _)| *at <= Instant::now()) {
                self.end(GRACE);
                let stderr_tail = self.stderr_tail();
                return Err(Error::TimedOut { program: self.program.clone(), limit, stderr_tail });
            }
        }
    }

    /// Waits at most `limit` for it to end by itself, whatever its deadline.
    pub fn wait_for(&mut self, limit: Duration) -> Option<ExitStatus> {
        if self.status.is_none() && self.has_exited_within(limit) {
            self.reap();
        }
        self.status
    }

    /// Asks its group to end, and kills it when it is still there after `grace`.
    pub fn end(&mut self, grace: Duration) -> Option<ExitStatus> {
        if self.status.is_none() && !grace.is_zero() && !self.interrupt.is_urgent() {
            signal(self.id(), Force::Terminate);
            if cfg!(unix) && self.has_exited_within(grace) {
                return self.reap();
            }
        }
        self.kill()
    }

    /// Kills its group at once.
    pub fn kill(&mut self) -> Option<ExitStatus> {
        if self.status.is_some() {
            return self.status;
        }
        signal(self.id(), Force::Kill);
        let _ = self.inner.kill();
        self.reap()
    }

    /// The end of its standard error so far, as messages show it: bounded, without control characters.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        let bytes = if self.status.is_some() { self.stderr.finish().0 } else { self.stderr.bytes() };
        readable(&bytes, TAIL_LINES)
    }

    /// The end of its log so far (without one: of its standard error), as messages show it.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let Some(log) = &self.log else { return self.stderr_tail() };
        if self.status.is_some() {
            let _ = self.stdout.finish();
            let _ = self.stderr.finish();
        }
        readable(&log.tail(), TAIL_LINES)
    }

    /// Asks its group to end, and does not wait for it.
    pub fn ask_to_end(&self) {
        if self.status.is_none() {
            signal(self.id(), Force::Terminate);
        }
    }

    /// The end of what it said: of its standard error, or of its standard output where that is empty, since some programs tell
    /// their errors there. As [`Child::stderr_tail`].
    #[must_use]
    pub fn last_words(&self) -> String {
        let words = self.stderr_tail();
        if words.is_empty() { readable(&self.stdout().0, TAIL_LINES) } else { words }
    }

    /// What is kept of its standard output, and whether more came than that.
    #[must_use]
    pub fn stdout(&self) -> (Vec<u8>, bool) {
        if self.status.is_some() { self.stdout.finish() } else { (self.stdout.bytes(), false) }
    }

    #[cfg(unix)]
    fn has_exited_within(&mut self, limit: Duration) -> bool {
        let id = self.id();
        let exited = self.exited.get_or_insert_with(|| {
            let (sender, receiver) = channel();
            // Should no thread start, the sender is dropped and the answer is "exited": reaping then waits in its stead.
            let _ = std::thread::Builder::new().name("wait".into()).spawn(move || {
                await_exit(id);
                let _ = sender.send(());
            });
            receiver
        });
        !matches!(exited.recv_timeout(limit), Err(RecvTimeoutError::Timeout))
    }

    #[cfg(not(unix))]
    fn has_exited_within(&mut self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        loop {
            if !matches!(self.inner.try_wait(), Ok(None)) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(Duration::from_millis(5)));
        }
    }

    /// Ends the rest of the group while the leader's id is still its own, then takes the leader's status.
    fn reap(&mut self) -> Option<ExitStatus> {
        signal(self.id(), Force::Kill);
        let status = self.inner.wait().ok().map(exit_status);
        self.status = status.or(Some(ExitStatus::Code(-1)));
        self.entry = None;
        self.status
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(unix)]
fn exit_status(status: std::process::ExitStatus) -> ExitStatus {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => ExitStatus::Code(code),
        (None, signal) => ExitStatus::Signal(signal.unwrap_or(0)),
    }
}

#[cfg(not(unix))]
fn exit_status(status: std::process::ExitStatus) -> ExitStatus {
    ExitStatus::Code(status.code().unwrap_or(-1))
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Child, ExitStatus, GRACE};
    use crate::process::{Error, Interrupt, Spec, run};
    use std::time::{Duration, Instant};

    /// No test waits this long; a child that does is a bug found.
    const FOREVER: &str = "600";

    fn shell(script: &str) -> Spec {
        Spec::new("sh", "/").args(["-c", script])
    }

    /// Whether the process still runs: one that was killed but not yet reaped by its parent has no command line.
    fn runs(id: &str) -> bool {
        std::fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| !line.is_empty())
    }

    fn must_end(id: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        while runs(id) {
            assert!(Instant::now() < until, "process {id} lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn output_and_status_come_back() {
        let spec = shell("echo out; echo err >&2; exit 3");
        let finished = run(&spec, &Interrupt::new()).unwrap();
        assert_eq!(finished.status, ExitStatus::Code(3));
        assert_eq!(finished.stdout, b"out\n");
        assert_eq!(finished.stderr_tail, "err");
    }

    #[test]
    fn a_signal_is_named() {
        let finished = run(&shell("kill -SEGV $$"), &Interrupt::new()).unwrap();
        assert_eq!(finished.status.to_string(), "was killed by signal 11 (SIGSEGV)");
    }

    #[test]
    fn a_child_that_hangs_is_ended_with_its_grandchildren_at_its_deadline() {
        let spec = shell(&format!("sleep {FOREVER} & echo $! >&2; sleep {FOREVER}"))
            .timeout(Duration::from_millis(300));
        match run(&spec, &Interrupt::new()) {
            Err(Error::TimedOut { stderr_tail, .. }) => {
                assert!(stderr_tail.parse::<u32>().is_ok(), "{stderr_tail}");
                must_end(&stderr_tail);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_child_that_ignores_the_request_to_end_is_killed_after_the_grace() {
        let mut child =
            Child::spawn(&shell("trap '' TERM; echo ready; while :; do sleep 600; done"), &Interrupt::new())
                .unwrap();
        while child.stdout().0.is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(child.end(Duration::from_millis(50)), Some(ExitStatus::Signal(9)));
    }

    #[test]
    fn a_child_that_hears_the_request_to_end_may_clean_up() {
        let mut child = Child::spawn(
            &shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done"),
            &Interrupt::new(),
        )
        .unwrap();
        while child.stdout().0.is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(child.end(GRACE * 30), Some(ExitStatus::Code(5)));
    }

    #[test]
    fn a_grandchild_in_another_session_that_holds_the_pipes_does_not_hang_us() {
        let started = Instant::now();
        let spec = shell(&format!("setsid sleep {FOREVER} & echo $!; exit 0"));
        let finished = run(&spec, &Interrupt::new()).unwrap();
        assert!(finished.status.success());
        assert!(started.elapsed() < Duration::from_secs(60));
        let id = String::from_utf8(finished.stdout).unwrap();
        let _ = run(&Spec::new("kill", "/").args(["-9", id.trim()]), &Interrupt::new());
    }

    #[test]
    fn an_interrupt_ends_the_child_that_runs_and_starts_no_other() {
        let interrupt = Interrupt::new();
        let mut child = Child::spawn(&shell(&format!("sleep {FOREVER}")), &interrupt).unwrap();
        interrupt.request("SIGTERM");
        assert!(matches!(child.wait(), Err(Error::Interrupted { signal: "SIGTERM", .. })));
        assert!(matches!(run(&shell("true"), &interrupt), Err(Error::Interrupted { .. })));
        assert!(run(&shell("true"), &Interrupt::new()).is_ok());
    }

    #[test]
    fn a_second_interrupt_kills_every_group_at_once() {
        let interrupt = Interrupt::new();
        let mut child = Child::spawn(&shell(&format!("trap '' TERM; sleep {FOREVER}")), &interrupt).unwrap();
        interrupt.request("SIGINT");
        interrupt.request("SIGINT");
        assert_eq!(child.wait_for(Duration::from_secs(60)), Some(ExitStatus::Signal(9)));
    }

    #[test]
    fn a_dropped_child_is_gone() {
        let child = Child::spawn(&shell(&format!("sleep {FOREVER}")), &Interrupt::new()).unwrap();
        let id = child.id().to_string();
        drop(child);
        must_end(&id);
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = run(&Spec::new("/no/such/program", "/"), &Interrupt::new()).unwrap_err();
        assert_eq!(error.to_string(), "could not start `program`");
    }

    #[test]
    fn the_environment_is_changed_as_asked() {
        let spec = shell("echo ${ADDED-unset} ${HOME-unset}").set("ADDED", "yes").remove("HOME");
        assert_eq!(run(&spec, &Interrupt::new()).unwrap().stdout, b"yes unset\n");
    }

    #[test]
    fn a_log_of_both_streams_has_both_and_ears_hear_each() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("both.log");
        let (sender, receiver) = std::sync::mpsc::channel();
        let ear = |name: &'static str| -> super::Ear {
            let sender = sender.clone();
            Box::new(move |bytes: &[u8]| sender.send((name, bytes.to_vec())).unwrap())
        };
        let spec = shell("echo out; echo err >&2").log(&log).log_both();
        let mut child = Child::spawn_heard(&spec, &Interrupt::new(), [ear("out"), ear("err")]).unwrap();
        drop(sender);
        child.wait().unwrap();
        let tail = child.log_tail();
        let mut heard: Vec<_> = receiver.iter().collect();
        heard.sort();
        assert_eq!(heard, [("err", b"err\n".to_vec()), ("out", b"out\n".to_vec())]);
        let mut lines: Vec<_> = tail.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["err", "out"]);
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.contains("out\n") && text.contains("err\n"), "{text}");
    }

    #[test]
    fn a_log_holds_the_command_line_and_standard_error() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("deep/build.log");
        run(&shell("echo whole story >&2").log(&log), &Interrupt::new()).unwrap();
        let text = std::fs::read_to_string(&log).unwrap();
        assert_eq!(text, "$ sh -c \"echo whole story >&2\"\nwhole story\n");
    }
}
