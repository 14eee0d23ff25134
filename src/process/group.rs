//! Ending a whole process group, on each platform.

/// How hard a group is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// It may clean up: SIGTERM.
    Terminate,
    /// At once: SIGKILL.
    Kill,
}

/// Signals every process of the group that `leader` leads; one that is gone is no error.
///
/// On platforms without process groups only [`super::child::Child`] can end its own process, and this does nothing.
#[cfg(unix)]
pub fn signal(leader: u32, force: Force) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) else { return };
    let signal = match force {
        Force::Terminate => Signal::TERM,
        Force::Kill => Signal::KILL,
    };
    // ESRCH: everybody has left already. EPERM on macOS: only zombies are left. Neither needs anything done.
    let _ = kill_process_group(pid, signal);
}

/// See above.
#[cfg(not(unix))]
pub fn signal(_leader: u32, _force: Force) {}

/// Signals one process that started at `start_ticks` (ticks since boot), and nobody who was given its id since. Linux only.
#[cfg(target_os = "linux")]
pub(super) fn signal_one(id: u32, start_ticks: u64, force: Force) {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return };
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    // The handle holds on to one process; it is the right one if the id has the right start now that we hold it.
    if super::resources::stat(id).is_some_and(|stat| stat.start_ticks == start_ticks) {
        let signal = match force {
            Force::Terminate => Signal::TERM,
            Force::Kill => Signal::KILL,
        };
        let _ = pidfd_send_signal(handle, signal);
    }
}

/// See above.
#[cfg(not(target_os = "linux"))]
pub(super) fn signal_one(_id: u32, _start_ticks: u64, _force: Force) {}

/// Blocks until the process has exited, without reaping it, so that its id cannot be taken by another one.
#[cfg(unix)]
pub(super) fn await_exit(id: u32) {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return };
    let exited = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), exited) {}
}
