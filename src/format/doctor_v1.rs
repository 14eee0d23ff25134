//! `tollgate.doctor/1`: what `tollgate doctor --json` prints. Written, never read back. What could not be read is `null`.

use schemars::JsonSchema;
use serde::Serialize;

use super::layout;

/// The value of the key `schema`.
pub const SCHEMA: &str = "tollgate.doctor/1";

/// Containers nested deeper than this stay on one line.
const DEPTH: usize = 3;

/// The whole report.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Document {
    /// Always `tollgate.doctor/1`.
    pub schema: &'static str,
    /// The version of tollgate.
    pub tool_version: String,
    /// `pass`, `inconclusive` or `error` (interrupted).
    pub outcome: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// The answer in one sentence.
    pub answer: String,
    /// The seed of every deal.
    pub seed: u64,
    /// The signal that ended it before its time.
    pub interrupted: Option<String>,
    /// What the machine is.
    pub machine: Machine,
    /// What it did at rest.
    pub at_rest: Activity,
    /// What it did during the self-test.
    pub during: Activity,
    /// What was measured.
    pub self_test: SelfTest,
    /// What to change, the most harmful first.
    pub advice: Vec<Advice>,
}

/// What the machine is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Machine {
    /// Operating system and architecture.
    pub os: String,
    /// Processor model.
    pub cpu: Option<String>,
    /// Cores that are switched on.
    pub cores_online: Option<u32>,
    /// Cores that we may run on.
    pub cores_allowed: Option<u32>,
    /// Cores' worth of time that our control groups may use; `null` when not limited or not known, see `unknown`.
    pub quota_cores: Option<f64>,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// `none`, or the hypervisor's name.
    pub virtualisation: Option<String>,
    /// `none`, or the kind of container.
    pub container: Option<String>,
    /// Frequency governors with the cores that each governs.
    pub governors: Option<Vec<(String, u32)>>,
    /// Whether turbo is on.
    pub turbo: Option<bool>,
    /// Whether two logical cores share one.
    pub multithreading: Option<bool>,
    /// Bytes of memory.
    pub memory_bytes: Option<u64>,
    /// Bytes of it that can be had.
    pub memory_available_bytes: Option<u64>,
    /// Bytes of swap in use.
    pub swap_used_bytes: Option<u64>,
    /// Share of the last ten seconds in which some task waited for a core, for memory, for the disk.
    pub pressure: Pressure,
    /// `full`, `partial`, `off` or `off for this process`.
    pub address_randomisation: Option<&'static str>,
    /// The kernel's clock source.
    pub clock_source: Option<String>,
    /// What reading the clock costs, nanoseconds.
    pub clock_read_ns: Option<f64>,
    /// The smallest step seen, nanoseconds.
    pub clock_step_ns: Option<f64>,
    /// Whether it runs on battery.
    pub on_battery: Option<bool>,
    /// The names of what could not be read.
    pub unknown: Vec<&'static str>,
}

/// Shares of time waited, 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Pressure {
    /// For a core.
    pub cpu: Option<f64>,
    /// For memory.
    pub memory: Option<f64>,
    /// For the disk.
    pub io: Option<f64>,
}

/// What the machine did over a stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Activity {
    /// Its length.
    pub seconds: f64,
    /// Share of the time wanted that the hypervisor gave to others.
    pub steal: Option<f64>,
    /// Cores' worth of time that others took.
    pub others_cores: Option<f64>,
    /// The largest of them.
    pub busy: Vec<Busy>,
    /// Pages swapped.
    pub swapped_pages: Option<u64>,
    /// Times that heat slowed a core down.
    pub throttle_events: Option<u64>,
    /// Share of the time for which the quota stopped us.
    pub quota_stopped: Option<f64>,
}

/// A process other than us.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Busy {
    /// Its id.
    pub pid: u32,
    /// Its name, as it gives it.
    pub name: String,
    /// Cores' worth of time.
    pub cores: f64,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SelfTest {
    /// How long it took.
    pub seconds: f64,
    /// What a round cost.
    pub round_seconds: Option<f64>,
    /// Blocks measured, void ones included.
    pub blocks: usize,
    /// Blocks thrown away.
    pub voided_blocks: usize,
    /// Whether the time ended before the first wave was settled.
    pub cut_short: bool,
    /// The file of the recorded slots.
    pub slots: Option<String>,
    /// The A/A comparisons.
    pub null: Option<Null>,
    /// The injected slowdowns.
    pub injected: Vec<Injected>,
    /// Robust standard deviation of ln(slot value) within blocks, by kernel.
    pub scatter: Vec<Scatter>,
    /// The smallest slowdown that can be shown.
    pub visible: Vec<Visible>,
}

/// The A/A comparisons.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Null {
    /// Verdicts.
    pub verdicts: u64,
    /// Those that are `regressed`.
    pub false_alarms: u64,
    /// The exact upper bound of their true rate, 95 % one-sided.
    pub false_alarm_rate_upper: f64,
    /// The rate that is promised at most.
    pub promised: f64,
    /// Verdicts `unchanged`.
    pub unchanged: u64,
    /// Verdicts `improved`.
    pub improved: u64,
    /// Verdicts `inconclusive`.
    pub inconclusive: u64,
    /// Blocks in which all head slots were slower than all base slots: by chance 1 in 20.
    pub one_sided_blocks: Counted,
    /// Verdicts of the same slots dealt anew on paper.
    pub redealt_verdicts: u64,
    /// Those that are `regressed`.
    pub redealt_false_alarms: u64,
    /// The share of pairs of processes on which a fixed rule of 5 % alarms.
    pub fixed_rule_rate: f64,
}

/// A count with its exact 95 % interval.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Counted {
    /// How often.
    pub hits: u64,
    /// Of how many.
    pub cases: u64,
    /// Lower end of the rate.
    pub lower: f64,
    /// Upper end of the rate.
    pub upper: f64,
}

/// One size of injected slowdown.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Injected {
    /// More work really done, relative.
    pub injected: f64,
    /// The margin at which it was judged.
    pub margin: f64,
    /// Comparisons.
    pub series: u64,
    /// Those that are `regressed`.
    pub found: u64,
    /// The change as measured.
    pub measured: Option<f64>,
    /// Kernels in which it was missed.
    pub missed: Vec<&'static str>,
    /// The share of pairs of processes on which a fixed rule of 5 % alarms.
    pub fixed_rule_rate: Option<f64>,
}

/// The scatter of one kernel.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Scatter {
    /// Which.
    pub kernel: &'static str,
    /// Its scatter.
    pub scatter: f64,
}

/// What a check can show here, margin aside.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Visible {
    /// Seconds of measuring.
    pub budget_seconds: u32,
    /// Benchmarks that share them.
    pub benchmarks: u32,
    /// Rounds that each gets.
    pub rounds: u32,
    /// The smallest slowdown shown with 80 % power in a kernel of median scatter.
    pub typical: Option<f64>,
    /// The same in the noisiest kernel.
    pub worst: Option<f64>,
}

/// One thing to change.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Advice {
    /// A stable word.
    pub code: &'static str,
    /// What was seen and what to do, for people.
    pub message: String,
}

/// The bytes of a report.
#[must_use]
pub fn write(document: &Document) -> Vec<u8> {
    layout::to_json(document, DEPTH)
}
