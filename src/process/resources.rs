//! What the kernel says of a process: memory, waiting for a core, start time. Linux only; elsewhere nothing is known.

/// How long a process ran and how long it was ready to run but had to wait for a core, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Schedule {
    /// Time on a core.
    pub running_ns: u64,
    /// Time in a run queue.
    pub waiting_ns: u64,
}

/// Who a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// When it started, in ticks since boot.
    pub start_ticks: u64,
    /// Its process group.
    pub group: u32,
}

/// Resident memory of a process in bytes.
#[must_use]
pub fn resident_bytes(id: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/statm")).ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_bytes())
}

/// The schedule of a process's main thread, on which criterion runs its routines.
#[must_use]
pub fn schedule(id: u32) -> Option<Schedule> {
    parse_schedule(&std::fs::read_to_string(format!("/proc/{id}/schedstat")).ok()?)
}

/// The identity of this boot of the machine.
#[must_use]
pub(super) fn boot_id() -> Option<String> {
    Some(std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}

/// Start time and group of a process; `None` when there is no such process.
#[must_use]
pub(super) fn stat(id: u32) -> Option<Stat> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

fn parse_schedule(text: &str) -> Option<Schedule> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    Some(Schedule { running_ns: numbers.next()?.ok()?, waiting_ns: numbers.next()?.ok()? })
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The second field is the program's name in brackets, which may itself hold blanks and brackets.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    Some(Stat { start_ticks: fields.get(19)?.parse().ok()?, group: fields.get(2)?.parse().ok()? })
}

#[cfg(unix)]
pub(super) fn page_bytes() -> u64 {
    u64::try_from(rustix::param::page_size()).unwrap_or(4096)
}

#[cfg(not(unix))]
pub(super) fn page_bytes() -> u64 {
    4096
}

#[cfg(test)]
mod tests {
    use super::{Schedule, Stat, parse_schedule, parse_stat};

    #[test]
    fn a_program_name_with_brackets_does_not_shift_the_fields() {
        let text = "77 (a) b (c)) S 1 42 7 0 -1 4194304 1 0 0 0 3 4 0 0 20 0 1 0 123456 9 9 9";
        assert_eq!(parse_stat(text), Some(Stat { start_ticks: 123_456, group: 42 }));
        assert_eq!(parse_stat("77 (a"), None);
    }

    #[test]
    fn a_schedule_is_running_then_waiting() {
        let expected = Schedule { running_ns: 12, waiting_ns: 34 };
        assert_eq!(parse_schedule("12 34 5\n"), Some(expected));
        assert_eq!(parse_schedule("12"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_memory_is_more_than_a_page() {
        assert!(super::resident_bytes(std::process::id()).unwrap() > 4096);
        assert!(super::schedule(std::process::id()).is_some());
    }
}
