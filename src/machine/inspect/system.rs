//! Reads the files behind the findings. Linux has them; elsewhere next to nothing is known, and that is what is said.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    activity::{
        Counters, ProcessTicks, counted_cores, cpu_ticks, process_ticks, quota_stopped_us, swapped_pages,
    },
    findings::{Aslr, Container, Findings, Power, Pressure, Quota, Switch, Virtualisation},
    parse,
    timer::timer,
};
use crate::process::affinity;

/// No file that is read here is longer; the rest of a longer one is not read.
const MOST_BYTES: u64 = 1 << 20;

/// More cores or processes than these are not looked at one by one.
const MOST_CORES: usize = 4096;
const MOST_PROCESSES: usize = 65_536;

/// A process that was started without address space randomisation has this bit in its personality.
const NO_RANDOMISATION: u32 = 0x0004_0000;

/// Where `/proc` and `/sys` are: the root of the machine, or of a copy of another one in tests.
#[derive(Debug, Clone)]
pub struct System {
    root: PathBuf,
}

impl Default for System {
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

impl System {
    /// The system whose `/proc` and `/sys` are in `root`.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Looks at everything that needs no time to pass, but for the timer, which takes a few milliseconds.
    #[must_use]
    pub fn findings(&self) -> Findings {
        let cpuinfo = self.text("proc/cpuinfo");
        Findings {
            os: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            cpu: cpuinfo.as_deref().and_then(parse::cpu_model).map(str::to_owned),
            cores_online: self.text("sys/devices/system/cpu/online").as_deref().and_then(parse::core_list),
            cores_allowed: cores_allowed(),
            quota: self.quota(),
            load: self.text("proc/loadavg").as_deref().and_then(parse::load_average),
            virtualisation: self.virtualisation(cpuinfo.as_deref()),
            container: self.container(),
            governors: self.governors(),
            boost: self.boost(),
            smt: self.text("sys/devices/system/cpu/smt/active").as_deref().and_then(parse::switch),
            memory: self.text("proc/meminfo").as_deref().and_then(parse::memory),
            pressure: self.pressure(),
            aslr: self.aslr(),
            clock_source: self.word("sys/devices/system/clocksource/clocksource0/current_clocksource"),
            timer: timer(),
            power: self.power(),
        }
    }

    /// Reads the counters, `at` being the time since a moment of the caller's choice.
    #[must_use]
    pub fn counters(&self, at: Duration) -> Counters {
        let stat = self.text("proc/stat");
        Counters {
            at,
            cpu: stat.as_deref().and_then(cpu_ticks),
            cores: stat.as_deref().and_then(counted_cores),
            swapped_pages: self.text("proc/vmstat").as_deref().and_then(swapped_pages),
            throttle_events: self.throttle_events(),
            quota_stopped_us: self
                .cpu_groups()
                .iter()
                .find_map(|folder| quota_stopped_us(&self.text(folder.join("cpu.stat"))?)),
            processes: self.processes(),
        }
    }

    /// The tightest quota of our control group and those around it.
    fn quota(&self) -> Option<Quota> {
        let quotas: Vec<Quota> =
            self.cpu_groups().iter().filter_map(|folder| self.quota_of(folder)).collect();
        let tightest = |quota: Quota, other: &Quota| match (quota, *other) {
            (Quota::Cores(a), Quota::Cores(b)) => Quota::Cores(a.min(b)),
            (Quota::None, other) => other,
            (quota, Quota::None) => quota,
        };
        // The root group of version 2 has no such file: it is unlimited by definition
        let rootless = quotas.is_empty() && self.exists("sys/fs/cgroup/cgroup.controllers");
        let known = !quotas.is_empty() || rootless;
        known.then(|| quotas.iter().fold(Quota::None, tightest))
    }

    fn quota_of(&self, folder: &Path) -> Option<Quota> {
        if let Some(text) = self.text(folder.join("cpu.max")) {
            return parse::cpu_max(&text);
        }
        let (quota, period) =
            (self.text(folder.join("cpu.cfs_quota_us"))?, self.text(folder.join("cpu.cfs_period_us"))?);
        parse::cfs_quota(&quota, &period)
    }

    /// The folders of our control group and those around it, innermost first. Inside a container its path may be one of the
    /// host's that is not mounted here; the mount itself is then the group.
    fn cpu_groups(&self) -> Vec<PathBuf> {
        let text = self.text("proc/self/cgroup").unwrap_or_default();
        let Some((version, path)) = parse::cpu_group(&text) else { return Vec::new() };
        let mounts: &[&str] = match version {
            1 => &["sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"],
            _ => &["sys/fs/cgroup", "sys/fs/cgroup/unified"],
        };
        let Some(mount) = mounts.iter().map(Path::new).find(|mount| self.exists(mount)) else {
            return Vec::new();
        };
        let inner = Path::new(path.trim_start_matches('/'));
        // A path that climbs is outside of our name space, and not ours to read
        let inner = if path.contains("..") { Path::new("") } else { inner };
        inner.ancestors().map(|ancestor| mount.join(ancestor)).filter(|folder| self.exists(folder)).collect()
    }

    fn virtualisation(&self, cpuinfo: Option<&str>) -> Option<Virtualisation> {
        let firmware = self.word("sys/class/dmi/id/sys_vendor");
        let product = self.word("sys/class/dmi/id/product_name");
        let named = parse::hypervisor_by_firmware(
            firmware.as_deref().unwrap_or_default(),
            product.as_deref().unwrap_or_default(),
        );
        let flagged = cpuinfo.and_then(parse::hypervisor_flag);
        let kind = self
            .word("sys/hypervisor/type")
            .or_else(|| named.map(str::to_owned))
            .or_else(|| self.clock_of_guests());
        match (kind, flagged) {
            (Some(kind), _) => Some(Virtualisation::Virtual(kind)),
            (None, Some(true)) => Some(Virtualisation::Virtual("unnamed hypervisor".into())),
            (None, Some(false)) => Some(Virtualisation::Bare),
            (None, None) => firmware.map(|_| Virtualisation::Bare),
        }
    }

    /// Guests are offered a clock by the hypervisor, which gives its kind away.
    fn clock_of_guests(&self) -> Option<String> {
        let clocks = self.text("sys/devices/system/clocksource/clocksource0/available_clocksource")?;
        let kinds = [("kvm-clock", "KVM"), ("hyperv_clocksource", "Hyper-V"), ("xen", "Xen")];
        let known = kinds
            .iter()
            .find(|(sign, _)| clocks.split_ascii_whitespace().any(|clock| clock.starts_with(sign)));
        known.map(|(_, name)| (*name).to_owned())
    }

    fn container(&self) -> Option<Container> {
        let groups = self.text("proc/1/cgroup");
        let variables = self.bytes("proc/1/environ").unwrap_or_default();
        if let Some(name) = parse::container_by_traces(groups.as_deref().unwrap_or_default(), &variables) {
            return Some(Container::Named(name));
        }
        for (mark, name) in [(".dockerenv", "docker"), ("run/.containerenv", "podman")] {
            if self.exists(mark) {
                return Some(Container::Named(name.into()));
            }
        }
        groups.map(|_| Container::None)
    }

    fn governors(&self) -> Option<Vec<(String, u32)>> {
        let mut governors: BTreeMap<String, u32> = BTreeMap::new();
        for core in self.cores() {
            if let Some(name) = self.word(core.join("cpufreq/scaling_governor")) {
                *governors.entry(name).or_default() += 1;
            }
        }
        (!governors.is_empty()).then(|| governors.into_iter().collect())
    }

    fn boost(&self) -> Option<Switch> {
        let plain = self.text("sys/devices/system/cpu/cpufreq/boost").as_deref().and_then(parse::switch);
        let forbidden =
            || self.text("sys/devices/system/cpu/intel_pstate/no_turbo").as_deref().and_then(parse::switch);
        plain.or_else(|| forbidden().map(parse::inverted))
    }

    fn pressure(&self) -> Pressure {
        let read = |of: &str| parse::pressure(&self.text(Path::new("proc/pressure").join(of))?);
        Pressure { cpu: read("cpu"), memory: read("memory"), io: read("io") }
    }

    fn aslr(&self) -> Option<Aslr> {
        let personality =
            self.word("proc/self/personality").and_then(|word| u32::from_str_radix(&word, 16).ok());
        if personality.is_some_and(|bits| bits & NO_RANDOMISATION != 0) {
            return Some(Aslr::OffForUs);
        }
        match self.word("proc/sys/kernel/randomize_va_space")?.as_str() {
            "2" => Some(Aslr::Full),
            "1" => Some(Aslr::Partial),
            "0" => Some(Aslr::Off),
            _ => None,
        }
    }

    fn power(&self) -> Option<Power> {
        let supplies = std::fs::read_dir(self.root.join("sys/class/power_supply")).ok()?;
        for supply in supplies.flatten().take(64) {
            let status = self.word(supply.path().join("status"));
            // The battery of a mouse is a supply too, but not the system's
            let of_device = self.word(supply.path().join("scope")).as_deref() == Some("Device");
            if status.as_deref() == Some("Discharging") && !of_device {
                return Some(Power::Battery);
            }
        }
        Some(Power::Mains)
    }

    fn throttle_events(&self) -> Option<u64> {
        let read = |core: PathBuf| -> Option<u64> {
            let count = |file: &str| self.word(core.join("thermal_throttle").join(file))?.parse::<u64>().ok();
            count("core_throttle_count")?.checked_add(count("package_throttle_count").unwrap_or(0))
        };
        let counts: Vec<u64> = self.cores().into_iter().filter_map(read).collect();
        (!counts.is_empty()).then(|| counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count)))
    }

    fn cores(&self) -> Vec<PathBuf> {
        let is_core = |name: &str| {
            name.strip_prefix("cpu")
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
        };
        self.children("sys/devices/system/cpu", MOST_CORES, is_core)
    }

    /// `None` where there is no `/proc`, or one that shows nobody.
    fn processes(&self) -> Option<Vec<ProcessTicks>> {
        let is_process = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        let folders = self.children("proc", MOST_PROCESSES, is_process);
        let read = |folder: PathBuf| process_ticks(&self.text(folder.join("stat"))?);
        let processes: Vec<ProcessTicks> = folders.into_iter().filter_map(read).collect();
        (!processes.is_empty()).then_some(processes)
    }

    fn children(&self, folder: &str, most: usize, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.root.join(folder)) else { return Vec::new() };
        let named = entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(&wanted));
        named.take(most).map(|entry| entry.path()).collect()
    }

    fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.root.join(path).exists()
    }

    /// The first line of a file, if there is anything in it.
    fn word(&self, path: impl AsRef<Path>) -> Option<String> {
        let text = self.text(path)?;
        let word = text.lines().next()?.trim();
        (!word.is_empty()).then(|| word.to_owned())
    }

    fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        Some(String::from_utf8_lossy(&self.bytes(path)?).into_owned())
    }

    fn bytes(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.root.join(path)).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

fn cores_allowed() -> Option<u32> {
    let pinned = affinity::allowed().len();
    let known = if pinned > 0 { pinned } else { std::thread::available_parallelism().ok()?.get() };
    u32::try_from(known).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy of the files of some machine.
    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, System) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let system = System::at(folder.path());
        (folder, system)
    }

    #[test]
    fn a_laptop_on_battery_with_a_sleepy_governor_is_seen_as_such() {
        let (_folder, system) = machine(&[
            (
                "proc/cpuinfo",
                "model name\t: 11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz\nflags\t\t: fpu vme\n",
            ),
            ("proc/self/cgroup", "0::/user.slice/app.scope\n"),
            ("proc/1/cgroup", "0::/init.scope\n"),
            ("proc/self/personality", "00000000\n"),
            ("proc/sys/kernel/randomize_va_space", "2\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
            ("sys/fs/cgroup/user.slice/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/user.slice/app.scope/cpu.max", "max 100000\n"),
            ("sys/class/dmi/id/sys_vendor", "LENOVO\n"),
            ("sys/class/dmi/id/product_name", "20XW004AGE\n"),
            ("sys/class/power_supply/hid-mouse/status", "Discharging\n"),
            ("sys/class/power_supply/hid-mouse/scope", "Device\n"),
            ("sys/class/power_supply/BAT0/status", "Discharging\n"),
            ("sys/devices/system/cpu/online", "0-7\n"),
            ("sys/devices/system/cpu/smt/active", "1\n"),
            ("sys/devices/system/cpu/intel_pstate/no_turbo", "0\n"),
            ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"),
            ("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n"),
            ("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n"),
            ("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "4\n"),
            ("sys/devices/system/cpu/cpuidle/current_driver", "intel_idle\n"),
        ]);
        let findings = system.findings();
        assert_eq!(findings.cores_online, Some(8));
        assert_eq!(findings.quota, Some(Quota::None));
        assert_eq!(findings.virtualisation, Some(Virtualisation::Bare));
        assert_eq!(findings.container, Some(Container::None));
        assert_eq!(findings.governors, Some(vec![("powersave".into(), 2)]));
        assert_eq!((findings.boost, findings.smt), (Some(Switch::On), Some(Switch::On)));
        assert_eq!((findings.power, findings.aslr), (Some(Power::Battery), Some(Aslr::Full)));
        assert_eq!(system.counters(Duration::ZERO).throttle_events, Some(7));
    }

    #[test]
    fn a_container_on_a_cloud_is_seen_with_its_tightest_quota() {
        let (_folder, system) = machine(&[
            ("proc/cpuinfo", "model name\t: Intel(R) Xeon(R) Platinum 8259CL\nflags\t\t: fpu hypervisor\n"),
            ("proc/self/cgroup", "0::/kubepods/pod1/4f2a\n"),
            ("proc/1/cgroup", "0::/kubepods/pod1/4f2a\n"),
            ("proc/self/personality", "00040000\n"),
            ("sys/fs/cgroup/kubepods/pod1/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/kubepods/pod1/4f2a/cpu.max", "200000 100000\n"),
            ("sys/fs/cgroup/kubepods/pod1/4f2a/cpu.stat", "nr_periods 4\nthrottled_usec 150000\n"),
            ("sys/class/dmi/id/sys_vendor", "Amazon EC2\n"),
            ("sys/class/dmi/id/product_name", "m5.large\n"),
        ]);
        let findings = system.findings();
        assert_eq!(findings.quota, Some(Quota::Cores(1.5)));
        assert_eq!(findings.virtualisation, Some(Virtualisation::Virtual("Amazon EC2".into())));
        assert_eq!(findings.container, Some(Container::Named("kubernetes".into())));
        assert_eq!(findings.aslr, Some(Aslr::OffForUs));
        assert_eq!(system.counters(Duration::ZERO).quota_stopped_us, Some(150_000));
    }

    #[test]
    fn a_small_virtual_machine_with_the_first_version_of_control_groups_is_seen() {
        let (_folder, system) = machine(&[
            ("proc/cpuinfo", "model name\t: Intel(R) Xeon(R) Processor\nflags\t\t: fpu hypervisor\n"),
            ("proc/self/cgroup", "4:memory:/jobs/6be0\n1:cpu:/\n0::/\n"),
            ("proc/1/cgroup", "1:cpu:/\n0::/\n"),
            (".dockerenv", ""),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
            ("sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc kvm-clock \n"),
            ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
            ("sys/devices/system/cpu/smt/active", "0\n"),
        ]);
        let findings = system.findings();
        assert_eq!(findings.quota, Some(Quota::None));
        assert_eq!(findings.virtualisation, Some(Virtualisation::Virtual("KVM".into())));
        assert_eq!(findings.container, Some(Container::Named("docker".into())));
        assert_eq!(findings.clock_source.as_deref(), Some("tsc"));
        assert_eq!((findings.governors.as_ref(), findings.boost), (None, None));
        assert!(findings.unknown().contains(&"frequency governor"));
    }

    #[test]
    fn a_machine_without_proc_and_sys_is_unknown_and_not_guessed() {
        let (_folder, system) = machine(&[]);
        let findings = system.findings();
        let known = Findings {
            os: findings.os.clone(),
            cores_allowed: findings.cores_allowed,
            timer: findings.timer,
            ..Findings::default()
        };
        assert_eq!(findings, known);
        assert_eq!(system.counters(Duration::ZERO), Counters::default());
    }

    #[test]
    fn a_group_path_that_climbs_is_not_followed() {
        let (_folder, system) = machine(&[
            ("proc/self/cgroup", "0::/../../secret\n"),
            ("sys/fs/cgroup/cpu.max", "50000 100000\n"),
            ("secret/cpu.max", "1 100000\n"),
        ]);
        assert_eq!(system.findings().quota, Some(Quota::Cores(0.5)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_can_be_read() {
        let system = System::default();
        assert!(system.findings().memory.unwrap().total > 0);
        let counters = system.counters(Duration::ZERO);
        let us = std::process::id();
        assert!(counters.processes.unwrap().iter().any(|process| process.id == us));
    }
}
