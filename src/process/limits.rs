//! How much memory and processor a process may use: its cgroup's limits (version 2 or 1), else the machine's. Linux only.

use std::path::{Path, PathBuf};

/// What a process may use.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Memory, bytes; `None` where it is not known.
    pub memory_bytes: Option<u64>,
    /// Processors, parts of one counted; `None` where it is not known.
    pub processors: Option<f64>,
}

/// What the process `id` may use: the least of its cgroup's limits, those of the groups above it, and the machine.
#[must_use]
pub fn limits(id: u32) -> Limits {
    limits_under(Path::new("/"), id)
}

/// As [`limits`], with another folder in the place of `/`.
fn limits_under(root: &Path, id: u32) -> Limits {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let mounts = read("proc/self/mountinfo").map(|text| parse_mounts(&text)).unwrap_or_default();
    let groups = read(&format!("proc/{id}/cgroup")).unwrap_or_default();
    let folders = |controller: &str| group_folders(root, &mounts, &groups, controller);
    let total = read("proc/meminfo").and_then(|text| total_bytes(&text));
    let allowed = read(&format!("proc/{id}/status")).and_then(|text| allowed_processors(&text));
    let memory = folders("memory").into_iter().filter_map(|folder| memory_limit(&folder));
    let quota = folders("cpu").into_iter().filter_map(|folder| processor_limit(&folder));
    Limits {
        // A limit above what the machine has is none: version 1 says "none" by a huge number.
        memory_bytes: memory.chain(total).min().filter(|_| total.is_some()),
        processors: quota.chain(allowed).min_by(f64::total_cmp).filter(|_| allowed.is_some()),
    }
}

/// Where a hierarchy of groups is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    /// The group that the mount point shows.
    root: String,
    point: String,
    /// Its controllers; `None` for version 2.
    controllers: Option<Vec<String>>,
}

fn parse_mounts(text: &str) -> Vec<Mount> {
    let parse = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let left: Vec<&str> = left.split(' ').collect();
        let right: Vec<&str> = right.split(' ').collect();
        let controllers = match *right.first()? {
            "cgroup2" => None,
            "cgroup" => Some(right.get(2)?.split(',').map(str::to_owned).collect()),
            _ => return None,
        };
        Some(Mount { root: (*left.get(3)?).to_owned(), point: (*left.get(4)?).to_owned(), controllers })
    };
    text.lines().filter_map(parse).collect()
}

/// The folders of the group that a process is in, under each hierarchy that can limit `controller`, and of the groups above it.
fn group_folders(root: &Path, mounts: &[Mount], groups: &str, controller: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for mount in mounts {
        let is_ours = |names: &str| match &mount.controllers {
            None => names.is_empty(),
            Some(ours) => {
                ours.iter().any(|name| name == controller) && names.split(',').any(|n| n == controller)
            }
        };
        let path = groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (names, path) = (parts.next()?, parts.next()?);
            is_ours(names).then_some(path)
        });
        let Some(path) = path else { continue };
        let point = root.join(mount.point.trim_start_matches('/'));
        // In a container the mount may show only a part of the hierarchy, and the path may point outside of it.
        let inside = path.strip_prefix(mount.root.trim_end_matches('/')).unwrap_or(path);
        let inside = inside.trim_start_matches('/');
        let mut folder =
            if inside.split('/').any(|part| part == "..") { point.clone() } else { point.join(inside) };
        while folder != point && folder.starts_with(&point) {
            folders.push(folder.clone());
            folder.pop();
        }
        folders.push(point);
    }
    folders
}

fn memory_limit(folder: &Path) -> Option<u64> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    read("memory.max").or_else(|| read("memory.limit_in_bytes"))?.trim().parse().ok()
}

fn processor_limit(folder: &Path) -> Option<f64> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let text = read("cpu.max").or_else(|| {
        Some(format!("{} {}", read("cpu.cfs_quota_us")?.trim(), read("cpu.cfs_period_us")?.trim()))
    })?;
    let mut words = text.split_ascii_whitespace();
    // `max` or -1 is no limit.
    let quota: u64 = words.next()?.parse().ok()?;
    let period: u64 = words.next()?.parse().ok()?;
    (period > 0).then(|| quota as f64 / period as f64)
}

fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The processors that a process may run on, from `0-3,8`.
fn allowed_processors(status: &str) -> Option<f64> {
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let mut count = 0_u32;
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        count = count.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
    }
    (count > 0).then(|| f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::{Limits, limits_under};
    use std::path::Path;

    const V2: &str = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let common = [
            ("proc/meminfo", "MemTotal:        1000 kB\nMemFree: 1 kB\n"),
            ("proc/7/status", "Name:\tx\nCpus_allowed_list:\t0-2,8\n"),
        ];
        for (path, text) in common.iter().chain(files) {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn the_tightest_group_above_a_process_counts() {
        let machine = machine(&[
            ("proc/self/mountinfo", V2),
            ("proc/7/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("sys/fs/cgroup/a/memory.max", "512000\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/a/cpu.max", "max 100000\n"),
        ]);
        let expected = Limits { memory_bytes: Some(512_000), processors: Some(1.5) };
        assert_eq!(limits_under(machine.path(), 7), expected);
    }

    #[test]
    fn without_limits_the_machine_counts_and_the_processors_that_are_allowed() {
        let machine = machine(&[("proc/self/mountinfo", V2), ("proc/7/cgroup", "0::/\n")]);
        let expected = Limits { memory_bytes: Some(1_024_000), processors: Some(4.0) };
        assert_eq!(limits_under(machine.path(), 7), expected);
    }

    #[test]
    fn version_1_in_a_container_shows_its_own_group_at_the_mount_point() {
        let machine = machine(&[
            (
                "proc/self/mountinfo",
                "40 3 0:3 /docker/x /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
            ),
            ("proc/7/cgroup", "5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n0::/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "2048\n"),
        ]);
        assert_eq!(limits_under(machine.path(), 7).memory_bytes, Some(2048));
    }

    #[test]
    fn a_huge_limit_of_version_1_is_none_and_a_quota_of_minus_one_too() {
        let machine = machine(&[
            (
                "proc/self/mountinfo",
                "40 3 0:3 / /cg/memory ro - cgroup none rw,memory\n41 3 0:4 / /cg/cpu ro - cgroup none rw,cpu,cpuacct\n",
            ),
            ("proc/7/cgroup", "5:memory:/a\n4:cpu,cpuacct:/a\n"),
            ("cg/memory/a/memory.limit_in_bytes", "9223372036854771712\n"),
            ("cg/cpu/a/cpu.cfs_quota_us", "-1\n"),
            ("cg/cpu/a/cpu.cfs_period_us", "100000\n"),
            ("cg/cpu/cpu.cfs_quota_us", "50000\n"),
            ("cg/cpu/cpu.cfs_period_us", "100000\n"),
        ]);
        let expected = Limits { memory_bytes: Some(1_024_000), processors: Some(0.5) };
        assert_eq!(limits_under(machine.path(), 7), expected);
    }

    #[test]
    fn where_nothing_is_known_nothing_is_said() {
        assert_eq!(limits_under(Path::new("/no/such/folder"), 7), Limits::default());
    }
}
