//! The environment of a run, and the key that its baselines are stored under.
//!
//! Best effort: a factor that cannot be found out is empty. Nothing identifies a single machine, so that two of one class
//! share baselines.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{
    files::tree::text_digest,
    model::environment::{Environment, EnvironmentKey},
};

/// Changes whenever the list of factors, or how one is found, changes: older baselines are then of another environment.
const VERSION: &str = "tollgate.environment/1";

/// The environment in which code built by `rustc` (its version line) with this profile and these flags is measured here.
#[must_use]
pub fn environment(rustc: &str, profile: &str, flags: &str) -> Environment {
    let host = Host::read(Path::new("/"));
    let cores =
        std::thread::available_parallelism().map_or(0, |cores| u32::try_from(cores.get()).unwrap_or(0));
    let mut environment = Environment {
        cpu: host.cpu,
        cores,
        memory_gib: host.memory_gib,
        os: format!("{}-{}", env::consts::OS, env::consts::ARCH),
        kernel: host.kernel,
        virtualisation: host.virtualisation,
        rustc: one_line(rustc),
        profile: one_line(profile),
        flags: one_line(flags),
        key: key_of(""),
    };
    environment.key = key(&environment);
    environment
}

/// The key of an environment's factors, whatever key it holds: the first 16 digits of SHA-256 over the versioned list.
#[must_use]
pub fn key(environment: &Environment) -> EnvironmentKey {
    let factors = [
        ("cpu", environment.cpu.clone()),
        ("cores", environment.cores.to_string()),
        ("memory_gib", environment.memory_gib.to_string()),
        ("os", environment.os.clone()),
        ("kernel", environment.kernel.clone()),
        ("virtualisation", environment.virtualisation.clone()),
        ("rustc", environment.rustc.clone()),
        ("profile", environment.profile.clone()),
        ("flags", environment.flags.clone()),
    ];
    let mut text = format!("{VERSION}\n");
    for (name, value) in factors {
        text.push_str(&format!("{name}={}\n", one_line(&value)));
    }
    key_of(&text)
}

#[expect(clippy::expect_used, reason = "16 digits of a hexadecimal digest are a key by definition")]
fn key_of(text: &str) -> EnvironmentKey {
    EnvironmentKey::parse(&text_digest(text)[..16]).expect("a digest is hexadecimal")
}

/// A value without line breaks, control characters and runs of blanks: one factor must not look like two.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The factors that the operating system tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Host {
    cpu: String,
    memory_gib: u32,
    kernel: String,
    virtualisation: String,
}

impl Host {
    /// Reads Linux's files below `root`, and asks the system where there are none.
    fn read(root: &Path) -> Self {
        let files = Files { root: root.to_owned() };
        let cpuinfo = files.text("proc/cpuinfo");
        if cpuinfo.is_empty() {
            return elsewhere();
        }
        Self {
            cpu: cpu(&cpuinfo),
            memory_gib: memory_gib(&files),
            kernel: major_minor(&files.text("proc/sys/kernel/osrelease")),
            virtualisation: virtualisation(&files, &cpuinfo),
        }
    }
}

/// Small files of the system; one that is not there is empty.
struct Files {
    root: PathBuf,
}

impl Files {
    fn text(&self, path: &str) -> String {
        fs::read(self.root.join(path))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    fn exists(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }
}

/// The model name with family, model and stepping: clouds give many processors one name (`Intel(R) Xeon(R) Processor`).
fn cpu(cpuinfo: &str) -> String {
    let value = |wanted: &str| {
        let fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        let mut values = fields.filter(|(name, _)| name.trim() == wanted).map(|(_, value)| one_line(value));
        values.next().unwrap_or_default()
    };
    let numbers = |names: &[&str]| {
        let values: Vec<_> = names.iter().map(|name| value(name)).filter(|value| !value.is_empty()).collect();
        values.join("/")
    };
    let name = value("model name");
    let details = if name.is_empty() || !value("cpu family").is_empty() {
        numbers(&["cpu family", "model", "stepping"])
    } else {
        String::new()
    };
    // ARM names its cores by number only.
    let arm = numbers(&["CPU implementer", "CPU part", "CPU variant", "CPU revision"]);
    [name, details, arm].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The machine's memory or the control group's limit, whichever is less, rounded to whole GiB.
fn memory_gib(files: &Files) -> u32 {
    let meminfo = files.text("proc/meminfo");
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib: u64 = total.and_then(|t| t.split_whitespace().next()).and_then(|t| t.parse().ok()).unwrap_or(0);
    let limits =
        group_files(files).into_iter().filter_map(|path| files.text(&path).trim().parse::<u64>().ok());
    let bytes = limits.fold(kib.saturating_mul(1024), u64::min);
    gib(bytes)
}

fn gib(bytes: u64) -> u32 {
    const GIB: u64 = 1 << 30;
    u32::try_from(bytes.saturating_add(GIB / 2) / GIB).unwrap_or(u32::MAX)
}

/// The files with the memory limits of our control group and those above it, of both versions.
fn group_files(files: &Files) -> Vec<String> {
    let mut found = Vec::new();
    for line in files.text("proc/self/cgroup").lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (mount, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            list if list.split(',').any(|name| name == "memory") => {
                ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let group = Path::new(path.trim_start_matches('/'));
        found.extend(
            group.ancestors().map(|folder| Path::new(mount).join(folder).join(file).display().to_string()),
        );
    }
    // Inside a container its own group is the root of what is mounted.
    found.extend(["sys/fs/cgroup/memory.max".into(), "sys/fs/cgroup/memory/memory.limit_in_bytes".into()]);
    found
}

/// `6.1` of `6.1.0-18-amd64`.
fn major_minor(release: &str) -> String {
    let mut parts = release.trim().split(['.', '-']);
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) if !major.is_empty() => one_line(&format!("{major}.{minor}")),
        _ => String::new(),
    }
}

/// The hypervisor and the container around us: `kvm`, `docker`, `kvm docker`, or `none`.
fn virtualisation(files: &Files, cpuinfo: &str) -> String {
    let found: Vec<_> = [hypervisor(files, cpuinfo), container(files)].into_iter().flatten().collect();
    if found.is_empty() { "none".into() } else { found.join(" ") }
}

fn hypervisor(files: &Files, cpuinfo: &str) -> Option<String> {
    let xen = one_line(&files.text("sys/hypervisor/type"));
    if !xen.is_empty() {
        return Some(xen);
    }
    let dmi = ["sys_vendor", "product_name", "board_vendor", "bios_vendor", "product_version"]
        .map(|name| files.text(&format!("sys/class/dmi/id/{name}")))
        .join(" ");
    // As systemd-detect-virt knows them; a bare-metal instance of a cloud has its vendor's name, but no hypervisor.
    let vendors = [
        ("KVM", "kvm"),
        ("OpenStack", "kvm"),
        ("Amazon EC2", "amazon"),
        ("Google Compute Engine", "google"),
        ("QEMU", "qemu"),
        ("VMware", "vmware"),
        ("VMW", "vmware"),
        ("innotek GmbH", "virtualbox"),
        ("VirtualBox", "virtualbox"),
        ("Xen", "xen"),
        ("Bochs", "bochs"),
        ("Parallels", "parallels"),
        ("BHYVE", "bhyve"),
        ("Hyper-V", "hyper-v"),
        ("Virtual Machine", "hyper-v"),
        ("Apple Virtualization", "apple"),
    ];
    let is_x86 = cpuinfo.lines().any(|line| line.starts_with("flags"));
    let has_flag = cpuinfo
        .lines()
        .any(|line| line.starts_with("flags") && line.split_whitespace().any(|flag| flag == "hypervisor"));
    if is_x86 && !has_flag {
        return None;
    }
    let named = vendors.iter().find(|(vendor, _)| dmi.contains(vendor)).map(|(_, word)| (*word).to_owned());
    named.or_else(|| has_flag.then(|| "hypervisor".to_owned()))
}

fn container(files: &Files) -> Option<String> {
    let groups = files.text("proc/self/cgroup");
    let word = if files.exists("run/.containerenv") {
        "podman"
    } else if groups.contains("kubepods") || files.exists("var/run/secrets/kubernetes.io") {
        "kubernetes"
    } else if files.exists(".dockerenv") || groups.contains("docker") {
        "docker"
    } else if groups.contains("/lxc") || files.exists("dev/lxd") {
        "lxc"
    } else if files.text("proc/sys/kernel/osrelease").to_lowercase().contains("microsoft") {
        "wsl"
    } else {
        return None;
    };
    Some(word.to_owned())
}

/// What macOS tells.
#[cfg(target_os = "macos")]
fn elsewhere() -> Host {
    use crate::process::{self, Interrupt, Spec};
    let ask = |name: &str| {
        let spec = Spec::new("sysctl", "/").args(["-n", name]).timeout(std::time::Duration::from_secs(10));
        let answer = process::run(&spec, &Interrupt::new()).ok().filter(|answer| answer.status.success());
        answer.map(|answer| one_line(&String::from_utf8_lossy(&answer.stdout))).unwrap_or_default()
    };
    Host {
        cpu: ask("machdep.cpu.brand_string"),
        memory_gib: gib(ask("hw.memsize").parse().unwrap_or(0)),
        kernel: major_minor(&ask("kern.osrelease")),
        virtualisation: if ask("kern.hv_vmm_present") == "1" { "hypervisor".into() } else { "none".into() },
    }
}

/// What other systems tell without being asked: Windows names the processor in a variable.
#[cfg(not(target_os = "macos"))]
fn elsewhere() -> Host {
    Host { cpu: one_line(&env::var("PROCESSOR_IDENTIFIER").unwrap_or_default()), ..Host::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(files: &[(&str, &str)]) -> Host {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Host::read(root.path())
    }

    const CLOUD: &str = "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 167\nmodel name\t: Intel(R)  Xeon(R) Processor\nstepping\t: 1\nflags\t\t: fpu hypervisor sse2\n\nprocessor\t: 1\nmodel name\t: other\n";

    #[test]
    fn a_cloud_machine_in_a_container_with_a_memory_limit() {
        let host = host(&[
            ("proc/cpuinfo", CLOUD),
            ("proc/meminfo", "MemTotal:       32653728 kB\nMemFree: 1 kB\n"),
            ("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n"),
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/memory.max", "8589934592\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("sys/class/dmi/id/sys_vendor", "Amazon EC2\n"),
            (".dockerenv", ""),
        ]);
        assert_eq!(host.cpu, "Intel(R) Xeon(R) Processor 6/167/1");
        assert_eq!((host.memory_gib, host.kernel.as_str()), (8, "6.1"));
        assert_eq!(host.virtualisation, "amazon docker");
    }

    #[test]
    fn a_machine_of_ones_own_and_the_older_control_groups() {
        let host = host(&[
            (
                "proc/cpuinfo",
                "cpu family\t: 25\nmodel\t: 33\nmodel name\t: AMD Ryzen 9\nstepping\t: 0\nflags\t: fpu\n",
            ),
            ("proc/meminfo", "MemTotal:       65770000 kB\n"),
            ("proc/sys/kernel/osrelease", "5.15.0\n"),
            ("proc/self/cgroup", "4:memory:/x\n3:cpu:/y\n"),
            ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712\n"),
        ]);
        assert_eq!(host.cpu, "AMD Ryzen 9 25/33/0");
        assert_eq!(
            (host.memory_gib, host.kernel.as_str(), host.virtualisation.as_str()),
            (63, "5.15", "none")
        );
    }

    #[test]
    fn an_arm_core_is_known_by_its_numbers() {
        let host = host(&[(
            "proc/cpuinfo",
            "processor\t: 0\nCPU implementer\t: 0x41\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n",
        )]);
        assert_eq!(host.cpu, "0x41/0xd0c/0x3/1");
        assert_eq!((host.memory_gib, host.kernel.as_str()), (0, ""));
    }

    #[test]
    fn every_factor_is_in_the_key_and_none_can_pass_for_another() {
        let base = environment("rustc 1.95.0", "bench", "-C opt-level=3");
        assert_eq!(base.key, key(&base));
        assert_eq!(base, environment("rustc 1.95.0\n", "bench", "-C opt-level=3"));
        let changes: [fn(&mut Environment); 9] = [
            |e| e.cpu.push('x'),
            |e| e.cores += 1,
            |e| e.memory_gib += 1,
            |e| e.os.push('x'),
            |e| e.kernel.push('x'),
            |e| e.virtualisation.push('x'),
            |e| e.rustc.push('x'),
            |e| e.profile.push('x'),
            |e| e.flags.push('x'),
        ];
        let mut keys = std::collections::BTreeSet::from([base.key.clone()]);
        for change in changes {
            let mut other = base.clone();
            change(&mut other);
            assert!(keys.insert(key(&other)));
        }
        let split = environment("a\nprofile=b", "c", "");
        assert_ne!(split.key, environment("a", "b", "").key);
        assert!(!split.rustc.contains('\n'));
    }

    #[test]
    fn this_machine_has_an_environment() {
        let environment = environment("rustc 1", "bench", "");
        assert!(environment.cores > 0);
        #[cfg(target_os = "linux")]
        assert!(!environment.cpu.is_empty() && !environment.kernel.is_empty() && environment.memory_gib > 0);
    }
}
