//! The processes of a service: whether they live, what they use, and how all of them are ended.

use super::error::{Error, below};
use crate::{
    load::ready,
    process::{
        Child, ExitStatus, Interrupt,
        group::Force,
        registry::Entry,
        tree::{Tree, Usage},
    },
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long processes that were killed may take to vanish.
const VANISHING: Duration = Duration::from_secs(2);

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

pub(in crate::load) fn lock(core: &Mutex<Family>) -> MutexGuard<'_, Family> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A service's processes; shared by its owner and its watch.
#[derive(Debug)]
pub(in crate::load) struct Family {
    pub(super) child: Child,
    tree: Tree,
    /// Groups of daemons, on record like the service's own so that an urgent end or a later start ends them too.
    groups: BTreeMap<u32, Entry>,
    line: String,
    log: PathBuf,
    pub(super) interrupt: Interrupt,
    stopped: Option<Stopped>,
}

impl Family {
    pub(super) fn new(child: Child, mark: String, line: String, log: PathBuf, interrupt: Interrupt) -> Self {
        let tree = Tree::new(child.id(), Some(mark));
        Self { child, tree, groups: BTreeMap::new(), line, log, interrupt, stopped: None }
    }

    /// The root process.
    pub(in crate::load) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it uses now, where the platform tells.
    pub(in crate::load) fn usage(&mut self) -> Option<Usage> {
        let usage = self.tree.read();
        self.note_groups();
        usage
    }

    /// Whether it runs.
    pub(in crate::load) fn alive(&mut self) -> Result<(), String> {
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

    pub(super) fn died(&mut self, status: ExitStatus) -> Error {
        let tail = self.child.log_tail();
        Error::Died { line: self.line.clone(), status, log: self.log.clone(), tail }
    }

    pub(super) fn never_ready(&mut self, limit: Duration, waited: String) -> Error {
        let tail = self.child.log_tail();
        Error::NeverReady { line: self.line.clone(), limit, waited, log: self.log.clone(), tail }
    }

    pub(super) fn end(&mut self, grace: Duration) -> Stopped {
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
