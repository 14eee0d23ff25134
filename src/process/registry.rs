//! Which process groups are alive: in memory for the second Ctrl-C, and on disk for the run after a `kill -9`.
//!
//! The file exists while groups are alive. It is append-only, a line an event, so that a torn last line loses one event and
//! nothing else: `owner PID START BOOT`, then `+ PGID START` and `- PGID`. START is the kernel's start time in ticks since boot
//! (field 22 of `/proc/PID/stat`): a process id that was given to somebody else since has another one.

use super::{
    group::{Force, signal},
    resources::{Stat, boot_id, stat},
};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The groups of this process that are alive. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Start time by group leader.
    live: BTreeMap<u32, u64>,
    record: Option<Record>,
}

/// Where the groups alive are written down.
#[derive(Debug)]
struct Record {
    path: PathBuf,
    /// Its first line, about us.
    owner: String,
    /// Open while a group is alive; `None` then when it could not be written (disk full).
    file: Option<File>,
}

/// A group's place in the registry; leaves it when dropped.
#[derive(Debug)]
pub struct Entry {
    registry: Registry,
    leader: u32,
}

impl Registry {
    /// Keeps a record of the groups alive in `folder` (created when missing), which [`sweep`] reads at a later start. The first
    /// folder that is named stays the one.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn record_in(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut state = self.lock();
        if state.record.is_none() {
            let id = std::process::id();
            let start = stat(id).map_or(0, |stat| stat.start_ticks);
            let owner = format!("owner {id} {start} {}\n", boot_id().unwrap_or_default());
            state.record = Some(Record { path: folder.join(format!("groups-{id}")), owner, file: None });
            state.rewrite();
        }
        Ok(())
    }

    /// Enters the group that `leader` leads.
    #[must_use]
    pub fn enter(&self, leader: u32) -> Entry {
        let start = stat(leader).map_or(0, |stat| stat.start_ticks);
        self.lock().enter(leader, start);
        Entry { registry: self.clone(), leader }
    }

    /// Enters a group whose leader may be gone: a daemon's. `start` is the earliest start of its members, ticks since boot.
    #[must_use]
    pub fn enter_group(&self, group: u32, start: u64) -> Entry {
        let start = stat(group).map_or(start, |stat| stat.start_ticks);
        self.lock().enter(group, start);
        Entry { registry: self.clone(), leader: group }
    }

    /// Kills every group that is alive.
    pub fn kill_all(&self) {
        for leader in self.lock().live.keys() {
            signal(*leader, Force::Kill);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record that cannot be written is worth no failed measurement: the groups still end with us.
impl State {
    fn enter(&mut self, leader: u32, start: u64) {
        self.live.insert(leader, start);
        match self.record.as_mut().and_then(|record| record.file.as_mut()) {
            Some(file) => drop(file.write_all(format!("+ {leader} {start}\n").as_bytes())),
            None => self.rewrite(),
        }
    }

    fn leave(&mut self, leader: u32) {
        self.live.remove(&leader);
        let Some(record) = &mut self.record else { return };
        if self.live.is_empty() {
            record.file = None;
            let _ = std::fs::remove_file(&record.path);
        } else if let Some(file) = &mut record.file {
            let _ = file.write_all(format!("- {leader}\n").as_bytes());
        }
    }

    /// Begins the file with all that is alive now.
    fn rewrite(&mut self) {
        let Some(record) = self.record.as_mut().filter(|_| !self.live.is_empty()) else { return };
        let mut text = record.owner.clone();
        for (leader, start) in &self.live {
            text.push_str(&format!("+ {leader} {start}\n"));
        }
        let opened = OpenOptions::new().create(true).write(true).truncate(true).open(&record.path);
        record.file = opened.and_then(|mut file| file.write_all(text.as_bytes()).map(|()| file)).ok();
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.lock().leave(self.leader);
    }
}

/// Kills the groups that dead owners left alive, by their records in `folder`, and removes those records.
///
/// Returns the leaders of the groups that were killed. Records of owners that are alive are left alone, and so is every process that
/// does not have the recorded start time. Does nothing where there is no `/proc`.
#[must_use]
pub fn sweep(folder: &Path) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut killed = Vec::new();
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with("groups-") {
            killed.extend(sweep_record(&entry.path()));
        }
    }
    killed
}

/// Whether a process with this id runs; true where that is not known.
#[must_use]
pub fn is_running(id: u32) -> bool {
    stat(id).is_some() || stat(std::process::id()).is_none()
}

fn sweep_record(path: &Path) -> Vec<u32> {
    let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
    let Some(left) = left_behind(&text, boot_id().as_deref(), stat) else { return Vec::new() };
    let alive: Vec<u32> =
        left.into_iter().filter(|(id, start)| is_ours(*id, *start)).map(|(id, _)| id).collect();
    for leader in &alive {
        signal(*leader, Force::Kill);
    }
    let _ = std::fs::remove_file(path);
    alive
}

/// The groups of a record that its owner never saw end; `None` while that owner is alive.
fn left_behind(
    text: &str,
    boot: Option<&str>,
    stat: impl Fn(u32) -> Option<Stat>,
) -> Option<Vec<(u32, u64)>> {
    let mut lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let owner = lines.next();
    if let Some(["owner", id, start, recorded]) = owner.as_deref() {
        if boot != Some(*recorded) {
            return Some(Vec::new());
        }
        let alive = id.parse().ok().and_then(stat);
        if alive.is_some_and(|alive| Some(alive.start_ticks) == start.parse().ok()) {
            return None;
        }
    } else {
        return Some(Vec::new());
    }
    let mut live = BTreeMap::new();
    for words in lines {
        match words.as_slice() {
            ["+", id, start] => {
                if let (Ok(id), Ok(start)) = (id.parse::<u32>(), start.parse::<u64>()) {
                    live.insert(id, start);
                }
            }
            ["-", id] => drop(id.parse::<u32>().ok().and_then(|id| live.remove(&id))),
            _ => {}
        }
    }
    Some(live.into_iter().collect())
}

/// Whether the group is still the recorded one: its leader has the start time, or it is gone and members that started
/// later are left (the kernel gives no new process the id of a group that has members).
fn is_ours(leader: u32, start: u64) -> bool {
    match stat(leader) {
        Some(stat) => start > 0 && stat.start_ticks == start && stat.group == leader,
        None => start > 0 && members(leader).iter().any(|member| member.start_ticks >= start),
    }
}

fn members(group: u32) -> Vec<Stat> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(stat).filter(|stat| stat.group == group).collect()
}

#[cfg(test)]
mod tests {
    use super::{Registry, Stat, left_behind, sweep};

    fn nobody(_: u32) -> Option<Stat> {
        None
    }

    #[test]
    fn groups_that_were_seen_to_end_are_not_left_behind() {
        let text = "owner 10 5 boot\n+ 11 6\n+ 12 7\n- 11\n+ 13";
        assert_eq!(left_behind(text, Some("boot"), nobody), Some(vec![(12, 7)]));
    }

    #[test]
    fn the_record_of_a_living_owner_is_left_alone_and_one_of_another_boot_is_void() {
        let text = "owner 10 5 boot\n+ 11 6\n";
        let alive = |_| Some(Stat { start_ticks: 5, group: 10 });
        let reused = |_| Some(Stat { start_ticks: 9, group: 10 });
        assert_eq!(left_behind(text, Some("boot"), alive), None);
        assert_eq!(left_behind(text, Some("boot"), reused), Some(vec![(11, 6)]));
        assert_eq!(left_behind(text, Some("later"), nobody), Some(vec![]));
        assert_eq!(left_behind("garbage\n+ 1 1", Some("boot"), nobody), Some(vec![]));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_sweep_kills_what_a_dead_owner_left_and_nobody_else() {
        use std::os::unix::process::{CommandExt, ExitStatusExt};
        let sleeper = || std::process::Command::new("sleep").arg("600").process_group(0).spawn().unwrap();
        let (mut left, mut foreign) = (sleeper(), sleeper());
        let folder = tempfile::tempdir().unwrap();
        let boot = super::boot_id().unwrap();
        let start = super::stat(left.id()).unwrap().start_ticks;
        // The foreign process has a recorded id, but another start time: the id was given to it later.
        let text = format!("owner 4194304999 1 {boot}\n+ {} {start}\n+ {} 1\n", left.id(), foreign.id());
        std::fs::write(folder.path().join("groups-1"), text).unwrap();

        assert_eq!(sweep(folder.path()), [left.id()]);
        assert_eq!(left.wait().unwrap().signal(), Some(9));
        assert!(foreign.try_wait().unwrap().is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        foreign.kill().unwrap();
        foreign.wait().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_living_owner_keeps_its_record_while_a_group_is_alive() {
        let folder = tempfile::tempdir().unwrap();
        let count = || std::fs::read_dir(folder.path()).unwrap().count();
        let registry = Registry::default();
        let first = registry.enter(std::process::id());
        registry.record_in(folder.path()).unwrap();
        let second = registry.enter(1);
        drop(first);
        assert_eq!(sweep(folder.path()), [0_u32; 0]);
        assert_eq!(count(), 1);
        let text =
            std::fs::read_to_string(folder.path().join(format!("groups-{}", std::process::id()))).unwrap();
        let left = left_behind(&text, super::boot_id().as_deref(), nobody).unwrap();
        assert_eq!(left.iter().map(|(leader, _)| *leader).collect::<Vec<_>>(), [1]);
        drop(second);
        assert_eq!(count(), 0);
        drop(registry.enter(1));
        assert_eq!(count(), 0);
    }
}
