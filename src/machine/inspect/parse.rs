//! Texts of `/proc` and `/sys` into values: pure, and deaf to whatever they do not understand.

use super::findings::{Load, Memory, Quota, Switch};

/// How many cores a kernel list names: `0-3,8` is 5. `None` when it is none.
#[must_use]
pub fn core_list(text: &str) -> Option<u32> {
    let mut count = 0_u32;
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        count = count.checked_add(last.checked_sub(first)?.checked_add(1)?)?;
    }
    (count > 0).then_some(count)
}

/// `/proc/loadavg`.
#[must_use]
pub fn load_average(text: &str) -> Option<Load> {
    let mut numbers = text.split_ascii_whitespace().map(positive);
    Some(Load { one: numbers.next()??, five: numbers.next()??, fifteen: numbers.next()?? })
}

/// Version 2 of control groups, `cpu.max`: `max 100000` or `150000 100000`.
#[must_use]
pub fn cpu_max(text: &str) -> Option<Quota> {
    let mut words = text.split_ascii_whitespace();
    let (quota, period) = (words.next()?, words.next()?);
    if quota == "max" { Some(Quota::None) } else { ratio(quota, period) }
}

/// Version 1 of control groups: `cpu.cfs_quota_us` (-1 is no limit) and `cpu.cfs_period_us`.
#[must_use]
pub fn cfs_quota(quota: &str, period: &str) -> Option<Quota> {
    if quota.trim() == "-1" { Some(Quota::None) } else { ratio(quota, period) }
}

fn ratio(quota: &str, period: &str) -> Option<Quota> {
    let (quota, period) = (positive(quota.trim())?, positive(period.trim())?);
    (period > 0.0).then(|| Quota::Cores(quota / period))
}

/// The path of this process in the hierarchy that governs processor time, from `/proc/self/cgroup`: `(version, path)`.
///
/// A line is `id:controllers:path`; version 2 has id 0 and no controllers. Where both exist the one that holds `cpu` counts.
#[must_use]
pub fn cpu_group(text: &str) -> Option<(u8, &str)> {
    let lines = || text.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    let first = lines().find(|(controllers, _)| controllers.split(',').any(|name| name == "cpu"));
    let second = || lines().find(|(controllers, _)| controllers.is_empty());
    first.map(|(_, path)| (1, path)).or_else(|| second().map(|(_, path)| (2, path)))
}

/// The share of the last ten seconds in which some task waited (`some avg10=` of `/proc/pressure/*`), 0 to 1.
#[must_use]
pub fn pressure(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    let percent = line.split_ascii_whitespace().find_map(|word| word.strip_prefix("avg10="))?;
    Some((positive(percent)? / 100.0).min(1.0))
}

/// `/proc/meminfo`. Kernels before 3.14 do not tell what is available; there it is free, buffers and cache.
#[must_use]
pub fn memory(text: &str) -> Option<Memory> {
    let bytes = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
    };
    let estimated =
        || Some(bytes("MemFree")?.saturating_add(bytes("Buffers")?).saturating_add(bytes("Cached")?));
    let swap_total = bytes("SwapTotal").unwrap_or(0);
    Some(Memory {
        total: bytes("MemTotal")?,
        available: bytes("MemAvailable").or_else(estimated)?,
        swap_total,
        swap_used: swap_total.saturating_sub(bytes("SwapFree").unwrap_or(swap_total)),
    })
}

/// The processor's name in `/proc/cpuinfo`, under the key that its architecture uses.
#[must_use]
pub fn cpu_model(text: &str) -> Option<&str> {
    ["model name", "Model", "cpu model", "Processor", "cpu"].iter().find_map(|key| cpuinfo(text, key))
}

/// Whether the processor says that a hypervisor runs it (x86 only: others have no such flag). `None` where it has no flags.
#[must_use]
pub fn hypervisor_flag(text: &str) -> Option<bool> {
    Some(cpuinfo(text, "flags")?.split_ascii_whitespace().any(|flag| flag == "hypervisor"))
}

fn cpuinfo<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty())
}

/// The hypervisor behind the maker and product names that the firmware gives (`/sys/class/dmi/id`); `None` for real hardware.
#[must_use]
pub fn hypervisor_by_firmware(vendor: &str, product: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 13] = [
        ("qemu", "QEMU"),
        ("kvm", "KVM"),
        ("amazon ec2", "Amazon EC2"),
        ("google", "Google Compute Engine"),
        ("vmware", "VMware"),
        ("virtualbox", "VirtualBox"),
        ("innotek", "VirtualBox"),
        ("virtual machine", "Hyper-V"),
        ("xen", "Xen"),
        ("parallels", "Parallels"),
        ("bhyve", "bhyve"),
        ("openstack", "OpenStack"),
        ("digitalocean", "DigitalOcean"),
    ];
    // Amazon's bare machines carry the maker's name as well
    let text = format!("{} {}", vendor.trim(), product.trim()).to_lowercase();
    if text.contains(".metal") {
        return None;
    }
    KNOWN.iter().find(|(sign, _)| text.contains(sign)).map(|(_, name)| *name)
}

/// The kind of container that the control groups of process 1 or its `container=` variable show.
#[must_use]
pub fn container_by_traces(groups: &str, variables: &[u8]) -> Option<String> {
    let told = variables.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(b"container="));
    if let Some(name) = told.filter(|name| !name.is_empty() && name.len() < 40) {
        return Some(String::from_utf8_lossy(name).into_owned());
    }
    let kinds = [
        ("kubepods", "kubernetes"),
        ("docker", "docker"),
        ("libpod", "podman"),
        ("lxc", "lxc"),
        ("garden", "garden"),
    ];
    kinds.iter().find(|(sign, _)| groups.contains(sign)).map(|(_, name)| (*name).to_owned())
}

/// `0` or `1`, as switches under `/sys` read.
#[must_use]
pub fn switch(text: &str) -> Option<Switch> {
    match text.trim() {
        "1" => Some(Switch::On),
        "0" => Some(Switch::Off),
        _ => None,
    }
}

/// The opposite, for switches that are named by what they forbid.
#[must_use]
pub fn inverted(switch: Switch) -> Switch {
    match switch {
        Switch::On => Switch::Off,
        Switch::Off => Switch::On,
    }
}

/// A number that is finite and not negative.
fn positive(word: &str) -> Option<f64> {
    word.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_list_counts_ranges_and_single_cores() {
        assert_eq!(core_list("0-1\n"), Some(2));
        assert_eq!(core_list("0-3,8,10-11\n"), Some(7));
        assert_eq!(core_list("0\n"), Some(1));
        for nonsense in ["", "\n", "a-b", "3-1", "0-4294967295", "-1"] {
            assert_eq!(core_list(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn load_averages_of_a_busy_machine_are_read() {
        let load = load_average("3.10 2.40 1.05 5/812 20009\n").unwrap();
        assert_eq!(load, Load { one: 3.1, five: 2.4, fifteen: 1.05 });
        assert_eq!(load_average("3.10 x"), None);
        assert_eq!(load_average("nan 1 1"), None);
    }

    #[test]
    fn quotas_of_both_versions_of_control_groups_are_read() {
        assert_eq!(cpu_max("max 100000\n"), Some(Quota::None));
        assert_eq!(cpu_max("150000 100000\n"), Some(Quota::Cores(1.5)));
        assert_eq!(cfs_quota("-1\n", "100000\n"), Some(Quota::None));
        assert_eq!(cfs_quota("50000\n", "100000\n"), Some(Quota::Cores(0.5)));
        assert_eq!(cpu_max("150000"), None);
        assert_eq!(cfs_quota("50000", "0"), None);
    }

    #[test]
    fn the_group_that_governs_processor_time_is_found_in_both_versions() {
        let second = "0::/user.slice/user-1000.slice/session-3.scope\n";
        assert_eq!(cpu_group(second), Some((2, "/user.slice/user-1000.slice/session-3.scope")));
        let first = "12:memory:/docker/4f2a\n4:cpu,cpuacct:/docker/4f2a\n1:name=systemd:/docker/4f2a\n";
        assert_eq!(cpu_group(first), Some((1, "/docker/4f2a")));
        let both = "9:name=systemd:/\n4:memory:/jobs/6be0\n3:cpuset:/\n2:cpuacct:/\n1:cpu:/\n0::/\n";
        assert_eq!(cpu_group(both), Some((1, "/")));
        assert_eq!(cpu_group("garbage\n"), None);
    }

    #[test]
    fn pressure_is_the_share_of_the_last_ten_seconds() {
        let text = "some avg10=2.53 avg60=2.06 avg300=4.19 total=41951207\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert!((pressure(text).unwrap() - 0.0253).abs() < 1e-12);
        assert_eq!(pressure("full avg10=0.00"), None);
    }

    #[test]
    fn memory_of_a_swapping_machine_is_read() {
        let text = "MemTotal:        8039924 kB\nMemFree:          131072 kB\nMemAvailable:    2097152 kB\nSwapCached: 7 kB\nSwapTotal:       2097148 kB\nSwapFree:         838860 kB\n";
        let memory = memory(text).unwrap();
        assert_eq!(memory.total, 8_039_924 * 1024);
        assert_eq!(memory.available, 2_097_152 * 1024);
        assert_eq!(memory.swap_used, (2_097_148 - 838_860) * 1024);
    }

    #[test]
    fn memory_of_an_old_kernel_is_estimated_and_broken_text_is_unknown() {
        let old = "MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 20 kB\n";
        assert_eq!(memory(old).unwrap().available, 35 * 1024);
        assert_eq!(memory("MemTotal: 100 kB\n"), None);
        assert_eq!(memory("MemTotal: 99999999999999999999 kB\nMemFree: 1 kB"), None);
    }

    #[test]
    fn processors_of_three_architectures_tell_their_names() {
        let intel = "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 167\nmodel name\t: Intel(R) Xeon(R) Processor\nflags\t\t: fpu vme hypervisor lahf_lm\n";
        assert_eq!(cpu_model(intel), Some("Intel(R) Xeon(R) Processor"));
        assert_eq!(hypervisor_flag(intel), Some(true));
        let ryzen = "processor\t: 0\nmodel name\t: AMD Ryzen 7 5800X 8-Core Processor\nflags\t\t: fpu vme de pse tsc\n";
        assert_eq!(hypervisor_flag(ryzen), Some(false));
        let pi = "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd\n\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n";
        assert_eq!(cpu_model(pi), Some("Raspberry Pi 4 Model B Rev 1.4"));
        assert_eq!(hypervisor_flag(pi), None);
        let power = "processor\t: 0\ncpu\t\t: POWER9, altivec supported\nclock\t\t: 2166.000000MHz\n";
        assert_eq!(cpu_model(power), Some("POWER9, altivec supported"));
        assert_eq!(cpu_model("model name\t: \n"), None);
    }

    #[test]
    fn clouds_are_told_from_their_firmware_and_bare_metal_is_not_one() {
        assert_eq!(hypervisor_by_firmware("Amazon EC2\n", "m5.large\n"), Some("Amazon EC2"));
        assert_eq!(hypervisor_by_firmware("Amazon EC2\n", "c5.metal\n"), None);
        assert_eq!(hypervisor_by_firmware("Microsoft Corporation\n", "Virtual Machine\n"), Some("Hyper-V"));
        assert_eq!(hypervisor_by_firmware("QEMU\n", "Standard PC (Q35 + ICH9, 2009)\n"), Some("QEMU"));
        assert_eq!(hypervisor_by_firmware("LENOVO\n", "20XW004AGE\n"), None);
    }

    #[test]
    fn containers_are_told_from_what_process_one_shows() {
        let groups = "0::/kubepods/burstable/pod1/4f2a\n";
        assert_eq!(container_by_traces(groups, b""), Some("kubernetes".into()));
        assert_eq!(container_by_traces("0::/\n", b"PATH=/bin\0container=podman\0"), Some("podman".into()));
        assert_eq!(container_by_traces("0::/init.scope\n", b"PATH=/bin\0container=\0"), None);
    }
}
