//! What was found of a machine. `None` always means "could not be read here", never a guess.

/// Whether something that can be switched is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is on.
    On,
    /// It is off.
    Off,
}

/// The processor time that a control group (a container, a unit) may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quota {
    /// No limit.
    None,
    /// At most this many cores' worth of time.
    Cores(f64),
}

/// What the system runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Virtualisation {
    /// No sign of a hypervisor.
    Bare,
    /// A virtual machine; the hypervisor's name where it tells (`KVM`, `Amazon EC2`), else `unnamed hypervisor`.
    Virtual(String),
}

/// Whether this is a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Container {
    /// No sign of one.
    None,
    /// The signs of this kind of container: `docker`, `podman`, `kubernetes`, …
    Named(String),
}

/// The load averages: processes that run, wait for a core or wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Over one minute.
    pub one: f64,
    /// Over five minutes.
    pub five: f64,
    /// Over fifteen minutes.
    pub fifteen: f64,
}

/// Memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub total: u64,
    /// What can be had without swapping.
    pub available: u64,
    /// Swap space.
    pub swap_total: u64,
    /// Swap space in use.
    pub swap_used: u64,
}

/// Pressure stall information: the share of the last ten seconds in which some task waited, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pressure {
    /// For a core.
    pub cpu: Option<f64>,
    /// For memory.
    pub memory: Option<f64>,
    /// For input or output.
    pub io: Option<f64>,
}

/// Address space layout randomisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aslr {
    /// Stack, mappings and heap are placed at random.
    Full,
    /// The heap is not.
    Partial,
    /// Nothing is.
    Off,
    /// The system would, but this process was started without (`setarch -R`, some debuggers).
    OffForUs,
}

/// How the clock that times the benchmarks behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timer {
    /// The smallest step seen between two readings that differ, nanoseconds.
    pub step_ns: f64,
    /// What one reading costs, nanoseconds.
    pub read_ns: f64,
}

/// What the machine runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Mains, or no battery at all.
    Mains,
    /// A battery that discharges.
    Battery,
}

/// What was found of a machine before anything was measured on it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Findings {
    /// Operating system and architecture: `linux-x86_64`.
    pub os: String,
    /// The processor's model name, as it tells it: hostile until escaped.
    pub cpu: Option<String>,
    /// Cores that are switched on.
    pub cores_online: Option<u32>,
    /// Cores that this process may run on.
    pub cores_allowed: Option<u32>,
    /// The processor time that this process's control groups may use.
    pub quota: Option<Quota>,
    /// Load averages.
    pub load: Option<Load>,
    /// Virtual machine or not.
    pub virtualisation: Option<Virtualisation>,
    /// Container or not.
    pub container: Option<Container>,
    /// Frequency governors with the number of cores that each governs, by name.
    pub governors: Option<Vec<(String, u32)>>,
    /// Turbo (boost) frequencies.
    pub boost: Option<Switch>,
    /// Simultaneous multithreading: whether two logical cores share one.
    pub smt: Option<Switch>,
    /// Memory and swap.
    pub memory: Option<Memory>,
    /// Who waits for what.
    pub pressure: Pressure,
    /// Address space layout randomisation.
    pub aslr: Option<Aslr>,
    /// The kernel's clock source.
    pub clock_source: Option<String>,
    /// How our clock behaves.
    pub timer: Option<Timer>,
    /// Mains or battery.
    pub power: Option<Power>,
}

impl Findings {
    /// The names of what could not be read here, for the report.
    #[must_use]
    pub fn unknown(&self) -> Vec<&'static str> {
        let names = [
            ("processor model", self.cpu.is_none()),
            ("cores", self.cores_allowed.is_none()),
            ("processor quota", self.quota.is_none()),
            ("load average", self.load.is_none()),
            ("virtualisation", self.virtualisation.is_none()),
            ("container", self.container.is_none()),
            ("frequency governor", self.governors.is_none()),
            ("turbo", self.boost.is_none()),
            ("simultaneous multithreading", self.smt.is_none()),
            ("memory and swap", self.memory.is_none()),
            ("pressure stall information", self.pressure == Pressure::default()),
            ("address space randomisation", self.aslr.is_none()),
            ("clock source", self.clock_source.is_none()),
            ("power supply", self.power.is_none()),
        ];
        names.iter().filter(|(_, unknown)| *unknown).map(|(name, _)| *name).collect()
    }
}
