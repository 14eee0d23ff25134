//! A process and everything that descends from it: what they use together. Linux only; elsewhere nothing is known.
//!
//! A process belongs to the tree of its root when its parent does, when it is in the root's process group, when it carries
//! the tree's mark in its environment (a daemon whose parent has ended and that leads a session of its own), or when it once
//! did. Who belongs is found by listing `/proc`; a process is looked at closely once, and later only if it belongs.
//!
//! **Processor time.** Each living process is read by its CPU clock, in nanoseconds, ended threads included. For the processes
//! that ended there are two sources, and each can miss some: what was seen of them before they ended (misses the time since,
//! and whoever lived between two readings), and what the kernel credits to the parent that took note of them (in steps of 10 ms,
//! and nothing where the parent ignores its children). Both are kept per parent, and the larger one counts.

use super::{
    group::{Force, signal_one},
    reading::{Reading, carries, cpu_ns, descriptors, everybody, reading, rss_peak_bytes},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// What a tree uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Processor time of all its processes, living and ended, since the root started, nanoseconds; never falls.
    pub cpu_ns: u64,
    /// Resident memory now, bytes; a page that two processes share counts in both.
    pub rss_bytes: u64,
    /// The sum of what each living process had resident at its own most, bytes. For one process it is exact.
    pub rss_peak_bytes: u64,
    /// Threads.
    pub threads: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Living processes.
    pub processes: u64,
}

/// A root and its descendants, as far as they have been seen.
#[derive(Debug)]
pub struct Tree {
    root: u32,
    /// `NAME=value`.
    mark: Option<String>,
    members: BTreeMap<u32, Member>,
    /// Processes that were looked at and do not belong.
    strangers: BTreeSet<u32>,
    /// Processor time of ended processes whose parent does not belong, nanoseconds.
    gone_ns: u64,
    /// The most processor time that was told so far.
    told_ns: u64,
}

#[derive(Debug, Clone, Copy)]
struct Member {
    latest: Reading,
    own_ns: u64,
    /// What was seen of its ended children before they ended, nanoseconds.
    seen_of_ended_ns: u64,
}

impl Member {
    fn new(id: u32, latest: Reading) -> Self {
        Self { latest, own_ns: cpu_ns(id).unwrap_or(latest.own_ticks_ns), seen_of_ended_ns: 0 }
    }

    fn update(&mut self, id: u32, latest: Reading) {
        self.latest = latest;
        self.own_ns = self.own_ns.max(cpu_ns(id).unwrap_or(latest.own_ticks_ns));
    }

    fn total_ns(&self) -> u64 {
        self.own_ns + self.seen_of_ended_ns.max(self.latest.reaped_ns)
    }
}

impl Tree {
    /// The tree of a process that leads its own group. `mark` is a variable (`NAME=value`) that it was started with and nobody
    /// else has.
    #[must_use]
    pub fn new(root: u32, mark: Option<String>) -> Self {
        Self { root, mark, members: BTreeMap::new(), strangers: BTreeSet::new(), gone_ns: 0, told_ns: 0 }
    }

    /// Reads what it uses now; `None` where the platform does not tell.
    pub fn read(&mut self) -> Option<Usage> {
        self.look();
        if self.members.is_empty() && self.told_ns == 0 {
            return None;
        }
        let cpu_ns = self.members.values().map(Member::total_ns).sum::<u64>() + self.gone_ns;
        self.told_ns = self.told_ns.max(cpu_ns);
        let mut usage = Usage { cpu_ns: self.told_ns, ..Usage::default() };
        for (id, member) in self.members.iter().filter(|(_, member)| !member.latest.is_zombie) {
            usage.processes += 1;
            usage.threads += member.latest.threads;
            usage.rss_bytes += member.latest.rss_bytes;
            usage.rss_peak_bytes += rss_peak_bytes(*id).unwrap_or(member.latest.rss_bytes);
            usage.descriptors += descriptors(*id).unwrap_or(0);
        }
        Some(usage)
    }

    /// Looks who lives: processes that have not ended, the root among them.
    pub fn living(&mut self) -> Vec<u32> {
        self.look();
        self.members.iter().filter(|(_, member)| !member.latest.is_zombie).map(|(id, _)| *id).collect()
    }

    /// The process groups of its members beside the root's, each with the earliest start of a member in it (ticks since boot), as
    /// they were when last looked at.
    #[must_use]
    pub fn other_groups(&self) -> BTreeMap<u32, u64> {
        let mut groups = BTreeMap::new();
        for Member { latest, .. } in self.members.values().filter(|member| member.latest.group != self.root) {
            let start = groups.entry(latest.group).or_insert(latest.start_ticks);
            *start = latest.start_ticks.min(*start);
        }
        groups
    }

    /// Signals every member outside the root's own group.
    pub fn signal_others(&mut self, force: Force) {
        self.look();
        let others = self.members.iter().filter(|(_, member)| member.latest.group != self.root);
        for (id, member) in others.filter(|(_, member)| !member.latest.is_zombie) {
            signal_one(*id, member.latest.start_ticks, force);
        }
    }

    fn look(&mut self) {
        let present: BTreeSet<u32> = everybody().into_iter().collect();
        self.strangers.retain(|id| present.contains(id));
        let mut unknown = Vec::new();
        let mut ended: BTreeSet<u32> = self.members.keys().copied().collect();
        for id in present.into_iter().filter(|id| !self.strangers.contains(id)) {
            let Some(now) = reading(id) else { continue };
            match self.members.get_mut(&id) {
                Some(member) if member.latest.start_ticks == now.start_ticks => {
                    member.update(id, now);
                    ended.remove(&id);
                }
                // An id that was given to somebody else since is taken up at the next look.
                Some(_) => {}
                None => unknown.push((id, now)),
            }
        }
        self.bury(&ended);
        self.admit(unknown);
    }

    /// Passes what was seen of ended members on to their parents, children first.
    fn bury(&mut self, ended: &BTreeSet<u32>) {
        let mut order: Vec<u32> = ended.iter().copied().collect();
        order.sort_by_key(|id| Reverse((self.members[id].latest.start_ticks, *id)));
        for id in order {
            let Some(member) = self.members.remove(&id) else { continue };
            match self.members.get_mut(&member.latest.parent) {
                Some(parent) => {
                    parent.seen_of_ended_ns += member.total_ns();
                    // It may have been read before it took note of this child.
                    if let Some(now) = reading(member.latest.parent)
                        && now.start_ticks == parent.latest.start_ticks
                    {
                        parent.latest = now;
                    }
                }
                None => self.gone_ns += member.total_ns(),
            }
        }
    }

    /// Sorts processes that were not known into members and strangers.
    fn admit(&mut self, mut unknown: Vec<(u32, Reading)>) {
        loop {
            // A parent may come after its child: ids start over.
            let (ours, rest): (Vec<_>, Vec<_>) =
                unknown.into_iter().partition(|(id, now)| self.belongs(*id, now));
            unknown = rest;
            if ours.is_empty() {
                break;
            }
            self.members.extend(ours.into_iter().map(|(id, now)| (id, Member::new(id, now))));
        }
        for (id, now) in unknown {
            if self.mark.as_ref().is_some_and(|mark| carries(id, mark)) {
                self.members.insert(id, Member::new(id, now));
            } else {
                self.strangers.insert(id);
            }
        }
    }

    fn belongs(&self, id: u32, now: &Reading) -> bool {
        id == self.root || now.group == self.root || self.members.contains_key(&now.parent)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Tree, Usage};
    use crate::process::{Child, Interrupt, Spec};
    use std::time::{Duration, Instant};

    fn shell(script: &str) -> Spec {
        Spec::new("sh", "/").args(["-c", script])
    }

    /// Reads the tree until it is as wanted; no test waits this long unless something is wrong.
    fn until(tree: &mut Tree, wanted: impl Fn(&Usage) -> bool) -> Usage {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let usage = tree.read().unwrap();
            if wanted(&usage) {
                return usage;
            }
            assert!(Instant::now() < deadline, "{usage:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn children_of_children_count_and_a_stranger_does_not() {
        let child = Child::spawn(&shell("sh -c 'sleep 600; :' & sleep 600"), &Interrupt::new()).unwrap();
        let _stranger = Child::spawn(&shell("sleep 600"), &Interrupt::new()).unwrap();
        let mut tree = Tree::new(child.id(), None);
        let usage = until(&mut tree, |usage| usage.processes == 4);
        assert_eq!(usage.threads, 4);
        assert!(usage.descriptors >= 4 * 3, "{usage:?}");
        assert!(usage.rss_peak_bytes > 4 * 100_000 && usage.rss_bytes > 0, "{usage:?}");
        assert!(tree.other_groups().is_empty());
    }

    #[test]
    fn a_daemon_in_a_session_of_its_own_counts_by_its_mark_and_can_be_signalled() {
        let mark = format!("TOLLGATE_TEST_MARK={}", std::process::id());
        let (name, value) = mark.split_once('=').unwrap();
        // The parents of the daemon are gone before anybody looks: only the mark is left.
        let spec = shell("(setsid sleep 600 & exit 0); echo left; sleep 600").set(name, value);
        let child = Child::spawn(&spec, &Interrupt::new()).unwrap();
        while child.stdout().0.is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut tree = Tree::new(child.id(), Some(mark.clone()));
        until(&mut tree, |usage| usage.processes == 3);
        let deadline = Instant::now() + Duration::from_secs(60);
        while tree.other_groups().len() != 1 {
            assert!(Instant::now() < deadline);
            tree.read().unwrap();
        }
        drop(child);
        until(&mut tree, |usage| usage.processes == 1);
        tree.signal_others(super::Force::Kill);
        until(&mut tree, |usage| usage.processes == 0);
    }

    #[test]
    fn processor_time_of_ended_children_is_not_lost_and_counts_once() {
        // Each burns about 0.2 s; the second is seen alive before it ends, the first may or may not be.
        let burn = "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done";
        let script = format!("sh -c '{burn}'; sh -c '{burn}'; echo done; sleep 600");
        let child = Child::spawn(&shell(&script), &Interrupt::new()).unwrap();
        let mut tree = Tree::new(child.id(), None);
        let mut last = 0;
        while child.stdout().0.is_empty() {
            let now = tree.read().map_or(0, |usage| usage.cpu_ns);
            assert!(now >= last);
            last = now;
            std::thread::sleep(Duration::from_millis(20));
        }
        let watched = tree.read().unwrap().cpu_ns as f64;
        // Somebody who comes now sees only what the kernel credited to the shell.
        let credited = Tree::new(child.id(), None).read().unwrap().cpu_ns as f64;
        assert!(credited > 1e7, "{credited}");
        assert!((watched - credited).abs() < 0.05e9 + 0.1 * credited, "{watched} {credited}");
    }

    #[test]
    fn nothing_is_known_of_a_process_that_never_was() {
        assert_eq!(Tree::new(4_194_304_999, None).read(), None);
    }
}
