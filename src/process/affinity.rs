//! Keeping a process on one core. Linux only; elsewhere nothing is pinned and callers say so.

/// Whether a process was pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pinned {
    /// It runs on that core only.
    Yes,
    /// The platform or the kernel refused.
    No,
}

/// Binds the main thread of a process, and so every thread that it starts later, to one core.
#[cfg(target_os = "linux")]
#[must_use]
pub fn pin(id: u32, cpu: usize) -> Pinned {
    use rustix::{
        process::Pid,
        thread::{CpuSet, sched_setaffinity},
    };
    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return Pinned::No };
    if cpu >= CpuSet::MAX_CPU {
        return Pinned::No;
    }
    let mut set = CpuSet::new();
    set.set(cpu);
    if sched_setaffinity(Some(pid), &set).is_ok() { Pinned::Yes } else { Pinned::No }
}

/// See above.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn pin(_id: u32, _cpu: usize) -> Pinned {
    Pinned::No
}

/// The cores that this process may run on, ascending; empty where that is not known.
#[cfg(target_os = "linux")]
#[must_use]
pub fn allowed() -> Vec<usize> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let Ok(set) = sched_getaffinity(None) else { return Vec::new() };
    (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect()
}

/// See above.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn allowed() -> Vec<usize> {
    Vec::new()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Pinned, allowed, pin};

    #[test]
    fn a_child_is_pinned_to_the_core_that_was_asked_for() {
        let cpu = *allowed().last().unwrap();
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        assert_eq!(pin(child.id(), cpu), Pinned::Yes);
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        assert!(status.contains(&format!("Cpus_allowed_list:\t{cpu}\n")), "{status}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(pin(std::process::id(), 1 << 20), Pinned::No);
    }
}
