//! What the kernel says of one process of a tree: descent, processor time, memory, threads, descriptors. Linux only.

use super::resources::page_bytes;
use std::io::Read;

/// The most of `/proc/PID/environ` that is looked at: the kernel gives a program no more than a few MiB.
const MOST_ENVIRONMENT_BYTES: u64 = 4 * 1024 * 1024;

/// One process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// Its parent.
    pub(super) parent: u32,
    /// Its process group.
    pub(super) group: u32,
    /// When it started, in ticks since boot: with the id, who it is.
    pub(super) start_ticks: u64,
    /// It has ended and waits for its parent to take note.
    pub(super) is_zombie: bool,
    /// Its threads.
    pub(super) threads: u64,
    /// Its processor time, ended threads included, nanoseconds in steps of a tick (10 ms).
    pub(super) own_ticks_ns: u64,
    /// Processor time of its children that ended and that it took note of, and of theirs; nanoseconds in steps of a tick.
    pub(super) reaped_ns: u64,
    /// Its resident memory, bytes.
    pub(super) rss_bytes: u64,
}

/// What it says of a process; `None` when there is no such process.
pub(super) fn reading(id: u32) -> Option<Reading> {
    parse(&read(&format!("/proc/{id}/stat"))?, tick_ns(), page_bytes())
}

/// Its processor time, nanoseconds, ended threads included.
///
/// This is the process's CPU clock, which the scheduler keeps in nanoseconds and brings up to date as it is read. The two
/// other sources each lack something: `/proc/PID/task/*/schedstat` forgets a thread when it ends and lags by up to a scheduler
/// tick while one runs, `/proc/PID/stat` counts in steps of 10 ms. Measured on a process that burned 300 ms in a thread that
/// had ended and 150 ms in its main thread: clock 451.8 ms, schedstat 151.3 ms, stat 440 ms.
pub(super) fn cpu_ns(id: u32) -> Option<u64> {
    cpu_clock_ns(id)
}

#[cfg(target_os = "linux")]
fn cpu_clock_ns(id: u32) -> Option<u64> {
    use nix::{time::clock_getcpuclockid, unistd::Pid};
    let time = clock_getcpuclockid(Pid::from_raw(i32::try_from(id).ok()?)).ok()?.now().ok()?;
    let (seconds, rest) = (u64::try_from(time.tv_sec()).ok()?, u64::try_from(time.tv_nsec()).ok()?);
    Some(seconds * 1_000_000_000 + rest)
}

#[cfg(not(target_os = "linux"))]
fn cpu_clock_ns(_id: u32) -> Option<u64> {
    None
}

/// The largest resident memory of a process since it became its program, bytes; exact.
pub(super) fn rss_peak_bytes(id: u32) -> Option<u64> {
    parse_peak(&read(&format!("/proc/{id}/status"))?)
}

/// How many descriptors a process has open.
pub(super) fn descriptors(id: u32) -> Option<u64> {
    let path = format!("/proc/{id}/fd");
    // Linux 6.2 and later tell the number as the folder's size; a server with 10,000 connections would take milliseconds to list.
    let told = std::fs::metadata(&path).ok()?.len();
    if told > 0 {
        return Some(told);
    }
    u64::try_from(std::fs::read_dir(path).ok()?.count()).ok()
}

/// Whether a process was started with `NAME=value` in its environment, or forked from one that was.
pub(super) fn carries(id: u32, variable: &str) -> bool {
    let Ok(file) = std::fs::File::open(format!("/proc/{id}/environ")) else { return false };
    let mut bytes = Vec::new();
    let _ = file.take(MOST_ENVIRONMENT_BYTES).read_to_end(&mut bytes);
    bytes.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
}

/// The ids of all processes; empty where there is no `/proc`.
pub(super) fn everybody() -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// A whole file as text; program names in it may be any bytes.
fn read(path: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&std::fs::read(path).ok()?).into_owned())
}

fn parse(text: &str, tick_ns: u64, page_bytes: u64) -> Option<Reading> {
    // The second field is the program's name in brackets, which may itself hold blanks and brackets.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    // Numbered as in proc(5), where the first field after the name is the third.
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let ticks = |field: usize| number(field).map(|ticks| ticks.saturating_mul(tick_ns));
    Some(Reading {
        parent: u32::try_from(number(4)?).ok()?,
        group: u32::try_from(number(5)?).ok()?,
        start_ticks: number(22)?,
        is_zombie: matches!(*fields.first()?, "Z" | "X"),
        threads: number(20)?,
        own_ticks_ns: ticks(14)?.saturating_add(ticks(15)?),
        reaped_ns: ticks(16)?.saturating_add(ticks(17)?),
        rss_bytes: number(24)?.saturating_mul(page_bytes),
    })
}

fn parse_peak(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(unix)]
fn tick_ns() -> u64 {
    1_000_000_000 / rustix::param::clock_ticks_per_second().max(1)
}

#[cfg(not(unix))]
fn tick_ns() -> u64 {
    10_000_000
}

#[cfg(test)]
mod tests {
    use super::{Reading, parse, parse_peak};

    #[test]
    fn the_fields_of_a_process_are_found_behind_any_name() {
        let text = "77 (a) b (c)) Z 70 42 7 0 -1 4194304 1 0 0 0 3 4 5 6 20 0 9 0 123456 999 11 18446744073709551615";
        let expected = Reading {
            parent: 70,
            group: 42,
            start_ticks: 123_456,
            is_zombie: true,
            threads: 9,
            own_ticks_ns: 70,
            reaped_ns: 110,
            rss_bytes: 11 * 4096,
        };
        assert_eq!(parse(text, 10, 4096), Some(expected));
        assert_eq!(parse("77 (a) S 70", 10, 4096), None);
        assert_eq!(parse("", 10, 4096), None);
    }

    #[test]
    fn a_peak_is_told_in_kibibytes() {
        assert_eq!(parse_peak("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), Some(2048 * 1024));
        assert_eq!(parse_peak("Name:\tkernel thread\n"), None);
    }
}
