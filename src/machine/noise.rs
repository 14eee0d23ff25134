//! What the machine takes away from a measurement: time stolen by a hypervisor, throttling by a cgroup, suspends. And the memory
//! that is left. Linux only; elsewhere nothing is known, and nothing is ever found to be taken away.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// The clock since boot runs on while the machine sleeps, and ours does not; smaller differences are those of their resolutions.
const SUSPEND: Duration = Duration::from_secs(1);

/// Watches the machine over a stretch of time.
#[derive(Debug, Clone)]
pub struct Meter {
    started: Instant,
    uptime: Option<Duration>,
    stolen: Duration,
    throttled: Duration,
}

/// What was taken away over a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disturbance {
    /// How long the stretch was.
    pub wall: Duration,
    /// Time for which a processor of ours wanted to run and the hypervisor ran somebody else, over all processors.
    pub stolen: Duration,
    /// Time for which our cgroup had used up its share.
    pub throttled: Duration,
    /// Time for which the measured processes were ready to run and waited for a processor.
    pub waited: Duration,
    /// Time for which the machine slept.
    pub suspended: Duration,
}

impl Meter {
    /// Starts to watch.
    #[must_use]
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            uptime: uptime(),
            stolen: stolen().unwrap_or_default(),
            throttled: throttled().unwrap_or_default(),
        }
    }

    /// What was taken away since; `waited` is what the measured processes say of themselves.
    #[must_use]
    pub fn read(&self, waited: Duration) -> Disturbance {
        let wall = self.started.elapsed();
        let ahead =
            uptime().zip(self.uptime).map_or(Duration::ZERO, |(now, then)| now.saturating_sub(then + wall));
        Disturbance {
            wall,
            stolen: stolen().unwrap_or_default().saturating_sub(self.stolen),
            throttled: throttled().unwrap_or_default().saturating_sub(self.throttled),
            waited,
            suspended: if ahead > SUSPEND { ahead } else { Duration::ZERO },
        }
    }
}

impl Disturbance {
    /// The share of the stretch that was taken away; more than 1 when several processors were.
    #[must_use]
    pub fn share(&self) -> f64 {
        let taken = self.stolen + self.throttled + self.waited + self.suspended;
        let wall = (self.wall + self.suspended).as_secs_f64();
        if wall > 0.0 { taken.as_secs_f64() / wall } else { 0.0 }
    }
}

/// Time that a hypervisor or our cgroup's limit took away since some moment in the past, over all processors: of two answers the difference counts.
#[must_use]
pub fn taken_so_far() -> Duration {
    stolen().unwrap_or_default().saturating_add(throttled().unwrap_or_default())
}

/// Memory that programs can still take, in bytes: of our cgroup where that is less than the machine's.
#[must_use]
pub fn available_bytes() -> Option<u64> {
    let machine = meminfo(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")?;
    let of_group = || {
        let limit: u64 = group_file("memory.max")?.trim().parse().ok()?;
        let used: u64 = group_file("memory.current")?.trim().parse().ok()?;
        Some(limit.saturating_sub(used))
    };
    Some(of_group().map_or(machine, |group| group.min(machine)))
}

/// Time since boot, sleep included.
fn uptime() -> Option<Duration> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    Duration::try_from_secs_f64(text.split_ascii_whitespace().next()?.parse().ok()?).ok()
}

/// Time stolen since boot, over all processors, in steps of a clock tick (10 ms).
fn stolen() -> Option<Duration> {
    let ticks = steal_ticks(&fs::read_to_string("/proc/stat").ok()?)?;
    Some(Duration::from_secs(ticks) / ticks_per_second())
}

/// Time for which our cgroup was throttled since it was made.
fn throttled() -> Option<Duration> {
    throttled_micros(&group_file("cpu.stat")?).map(Duration::from_micros)
}

#[cfg(unix)]
fn ticks_per_second() -> u32 {
    u32::try_from(rustix::param::clock_ticks_per_second()).ok().filter(|ticks| *ticks > 0).unwrap_or(100)
}

#[cfg(not(unix))]
fn ticks_per_second() -> u32 {
    100
}

/// A file of our own cgroup (version 2), or of the root of a container's.
fn group_file(name: &str) -> Option<String> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let root = PathBuf::from("/sys/fs/cgroup");
    fs::read_to_string(root.join(path).join(name)).or_else(|_| fs::read_to_string(root.join(name))).ok()
}

/// The eighth number of the line `cpu` of `/proc/stat`.
fn steal_ticks(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    line.split_ascii_whitespace().nth(7)?.parse().ok()
}

fn throttled_micros(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("throttled_usec "))?.trim().parse().ok()
}

fn meminfo(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::{Disturbance, meminfo, steal_ticks, throttled_micros};
    use std::time::Duration;

    #[test]
    fn the_kernels_tables_are_read() {
        let stat =
            "cpu  39431 377 10234 320396 1545 0 98 66 0 0\ncpu0 20231 191 4174 161145 275 0 15 30 0 0\n";
        assert_eq!(steal_ticks(stat), Some(66));
        assert_eq!(steal_ticks("cpu  1 2 3 4\n"), None);
        assert_eq!(throttled_micros("usage_usec 1\nthrottled_usec 250\n"), Some(250));
        let memory = "MemTotal:        4028440 kB\nMemAvailable:    3524912 kB\n";
        assert_eq!(meminfo(memory, "MemAvailable:"), Some(3_524_912 * 1024));
    }

    #[test]
    fn everything_that_was_taken_counts_against_the_stretch() {
        let second = Duration::from_secs(1);
        let taken = |millis| Duration::from_millis(millis);
        let quiet = Disturbance { wall: second, ..Disturbance::default() };
        assert!(quiet.share().abs() < 1e-12);
        let noisy = Disturbance { stolen: taken(100), throttled: taken(50), waited: taken(150), ..quiet };
        assert!((noisy.share() - 0.3).abs() < 1e-12);
        let asleep = Disturbance { suspended: 9 * second, ..quiet };
        assert!((asleep.share() - 0.9).abs() < 1e-12);
        assert!(Disturbance::default().share().abs() < 1e-12);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_memory_left_and_did_not_sleep_just_now() {
        assert!(super::available_bytes().unwrap() > 1024 * 1024);
        let waited = Duration::from_millis(3);
        let read = super::Meter::start().read(waited);
        assert_eq!((read.waited, read.suspended), (waited, Duration::ZERO));
    }
}
