//! The repository that a baseline command works in, and the world around it.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::Error;
use crate::{
    git::refs::{commits::Commits, exchange::Remote},
    model::environment::{Environment, EnvironmentKey},
    process::Interrupt,
    progress::{Event, Progress},
    stats::random::Stream,
    store::{baselines::Baselines, history::History, lock::WriteLock},
};

/// How long another writer of this clone is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(120);
/// How long one fetch or push may take.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(300);
/// How often a push that others get ahead of is tried again. Somebody gets through each time, so this many writers may start
/// at once.
const RETRIES: u64 = 24;
/// The pause before the first retry; it grows by half up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a command needs of the world beside the repository.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Whether the user wants us to stop.
    pub interrupt: &'a Interrupt,
    /// Who hears what is going on.
    pub progress: &'a dyn Progress,
    /// The moment of the command, seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
    /// The key that an environment's factors give.
    pub key_of: &'a dyn Fn(&Environment) -> EnvironmentKey,
}

/// An opened repository.
pub struct Place {
    /// The reviewed files of its work tree.
    pub baselines: Baselines,
    /// Its recorded runs.
    pub history: History,
    /// Its commits.
    pub commits: Commits,
    common_dir: PathBuf,
}

impl Place {
    /// Opens the repository that `directory` belongs to.
    ///
    /// # Errors
    /// When there is none, or it has no work tree.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let commits = Commits::open(directory)?;
        let work_tree = commits.work_tree().ok_or(Error::Bare)?.to_owned();
        let common_dir = commits.common_dir().to_owned();
        Ok(Self {
            baselines: Baselines::of(&work_tree),
            history: History::open(directory)?,
            commits,
            common_dir,
        })
    }

    /// The full id of a revision.
    ///
    /// # Errors
    /// When the repository does not have it.
    pub fn resolve(&self, revision: &str) -> Result<String, Error> {
        self.commits
            .resolve(revision)
            .ok_or_else(|| Error::UnknownRevision(revision.escape_debug().to_string()))
    }

    /// Looks whether the reviewed files of an environment are of it: an edited key or factor would compare with another machine.
    ///
    /// # Errors
    /// When one's key is not that of its factors, or it cannot be read.
    pub fn check_keys(
        &self,
        environment: &EnvironmentKey,
        key_of: &dyn Fn(&Environment) -> EnvironmentKey,
    ) -> Result<(), Error> {
        for path in self.baselines.files(environment)? {
            let computed = key_of(&self.baselines.read(&path)?.environment);
            if computed != *environment {
                let file = self.baselines.shown(&path);
                return Err(Error::EditedKey {
                    file,
                    stated: environment.to_string(),
                    computed: computed.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Takes the lock that writers of this clone share, telling who holds it up.
    ///
    /// # Errors
    /// When another process keeps it for two minutes, or the user wants us to stop.
    pub fn lock(&self, purpose: &str, world: &World<'_>) -> Result<WriteLock, Error> {
        let until = Instant::now() + LOCK_WAIT;
        let mut told = false;
        let lock = WriteLock::acquire(&self.common_dir, purpose, |holder| {
            if !told {
                world.progress.tell(Event::Note(format!("waiting for {holder}")));
                told = true;
            }
            let stop = world.interrupt.requested().is_some() || Instant::now() >= until;
            if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(lock)
    }

    /// Calls `act` with the remote `name`, or the default one.
    ///
    /// # Errors
    /// When there is no remote, or `act` fails.
    pub fn with_remote<T>(
        &self,
        name: Option<&str>,
        world: &World<'_>,
        act: impl FnOnce(&Remote<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let name = match name {
            Some(name) => name.to_owned(),
            None => self.history.archive().default_remote().ok_or(Error::NoRemote)?,
        };
        // Writers that collide hold different runs, so their tips tell their pauses apart.
        let tip = self.history.tip()?.map_or_else(String::new, |tip| tip.to_string());
        let pauses = pauses(&tip);
        act(&Remote { name: &name, interrupt: world.interrupt, timeout: EXCHANGE_TIMEOUT, pauses: &pauses })
    }
}

/// Growing pauses, each drawn between half and all of its length, from a stream of the writer's own.
fn pauses(writer: &str) -> Vec<Duration> {
    let mut stream = Stream::new(0, "push-pauses", &[writer], 0);
    let mut longest = FIRST_PAUSE;
    (0..RETRIES)
        .map(|_| {
            let pause = longest.mul_f64(0.5 + stream.unit() / 2.0);
            longest = longest.mul_f64(1.5).min(LONGEST_PAUSE);
            pause
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_are_bounded_and_differ_between_writers() {
        let (one, two) = (pauses("a"), pauses("b"));
        assert_eq!(one, pauses("a"));
        assert_ne!(one, two);
        assert!(one.iter().all(|pause| (FIRST_PAUSE / 2..=LONGEST_PAUSE).contains(pause)));
        assert!(one[0] < FIRST_PAUSE && one[23] >= LONGEST_PAUSE / 2);
    }
}
