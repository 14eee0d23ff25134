//! What this process may use and a thread of it used.

/// The most descriptors that are ever asked for: some programs that we start walk over all that they might have.
#[cfg(unix)]
const ENOUGH: u64 = 65_536;

/// Raises this process's limit of open descriptors as far as it may (but not beyond 65,536), and returns what it is now.
#[cfg(unix)]
#[must_use]
pub fn raise_descriptor_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(ENOUGH).min(ENOUGH);
    let now = limit.current?;
    if now >= wanted {
        return Some(now);
    }
    let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
    Some(if setrlimit(Resource::Nofile, raised).is_ok() { wanted } else { now })
}

/// See above.
#[cfg(not(unix))]
#[must_use]
pub fn raise_descriptor_limit() -> Option<u64> {
    None
}

/// The process that started us, or whoever took us over when it ended; `None` where the system does not say.
#[cfg(unix)]
#[must_use]
pub fn parent() -> Option<u32> {
    Some(std::os::unix::process::parent_id())
}

/// See above.
#[cfg(not(unix))]
#[must_use]
pub fn parent() -> Option<u32> {
    None
}

/// How long the calling thread ran so far, nanoseconds; `None` where the system does not say.
#[must_use]
pub fn thread_cpu_ns() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{raise_descriptor_limit, thread_cpu_ns};

    #[test]
    fn the_limit_is_raised_once_and_then_stays() {
        let first = raise_descriptor_limit().unwrap();
        assert!(first >= 256);
        assert_eq!(raise_descriptor_limit(), Some(first));
    }

    #[test]
    fn a_thread_that_works_has_used_time() {
        let before = thread_cpu_ns().unwrap();
        let mut sum = 0_u64;
        while thread_cpu_ns().unwrap() < before + 1_000_000 {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(sum > 0);
    }
}
