//! The shape of load trials in version 1: what is written and read, word for word.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::format::{histogram::Durations, parts_v1::Side};

/// The trials of one block of a load scenario, in time order.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(in crate::format) struct Block {
    /// The scenario; its benchmark is `load:` and this.
    pub(super) scenario: String,
    /// Why the block does not count; null when it does.
    pub(super) void: Option<String>,
    /// Its trials.
    pub(super) trials: Vec<Trial>,
}

/// One window of load on a fresh server.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Trial {
    /// Whose server.
    pub(super) side: Side,
    /// Whether it counts.
    pub(super) valid: bool,
    /// Why it does not; null when it does.
    pub(super) void: Option<String>,
    /// Flows a second (open loop); null for users.
    pub(super) rate: Option<f64>,
    /// Users (closed loop); null for a rate.
    pub(super) users: Option<u32>,
    /// The window's length, seconds.
    pub(super) seconds: f64,
    /// The warm-up before it, seconds.
    pub(super) warmup_seconds: f64,
    /// What became of the requests.
    pub(super) requests: Requests,
    /// Requests that were answered as expected while the window lasted, those due in the warm-up too; all that were where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answered: Option<u64>,
    /// The most requests in flight at once.
    pub(super) in_flight_peak: u64,
    /// Bytes of answers.
    pub(super) received_bytes: u64,
    /// Share of one processor that the generator's busiest worker used.
    pub(super) generator_cpu: f64,
    /// What the service used.
    pub(super) costs: Costs,
    /// How long requests took.
    pub(super) clocks: Clocks,
    /// The same by kind of request.
    pub(super) endpoints: Vec<Endpoint>,
    /// The window second by second.
    pub(super) intervals: Vec<Interval>,
    /// Whether the load was meant to change while the window lasted, as stages have it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) varied: bool,
    /// What the service was found to bear after the window, where the scenario asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) knee: Option<Knee>,
}

/// Requests by what became of them: scheduled is the sum of completed, errors and unfinished.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Requests {
    /// Those that were due.
    pub(super) scheduled: u64,
    /// Those that were answered as expected.
    pub(super) completed: u64,
    /// Those that failed.
    pub(super) errors: u64,
    /// Those without an answer at the deadline.
    pub(super) unfinished: u64,
    /// The errors by kind.
    pub(super) error_kinds: BTreeMap<String, u64>,
    /// Answers by HTTP status.
    pub(super) statuses: BTreeMap<u16, u64>,
    /// Requests that were sent a second time.
    pub(super) retried: u64,
}

/// The clocks of a trial.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Clocks {
    /// From due to the end of the answer.
    pub(super) response_time: Durations,
    /// From sent to the end of the answer.
    pub(super) service_time: Durations,
    /// Connecting.
    pub(super) connect: Durations,
    /// Waiting for a free connection.
    pub(super) pool_wait: Durations,
    /// From sent to the first byte of the answer.
    pub(super) first_byte: Durations,
    /// How late the pacer was.
    pub(super) send_lag: Durations,
}

/// What the service used over the window.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Costs {
    /// Processor time, nanoseconds.
    pub(super) cpu_ns: Option<u64>,
    /// The largest resident memory, bytes.
    pub(super) rss_peak_bytes: Option<u64>,
    /// The most threads.
    pub(super) threads_peak: Option<u64>,
    /// The most open descriptors.
    pub(super) descriptors_peak: Option<u64>,
    /// The memory that it may use, bytes.
    pub(super) memory_limit_bytes: Option<u64>,
    /// The processors that it may use.
    pub(super) cpu_limit: Option<f64>,
    /// The scenario's own metrics.
    pub(super) metrics: BTreeMap<String, f64>,
}

/// One kind of request.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Endpoint {
    /// Its name in the scenario.
    pub(super) name: String,
    /// Its requests.
    pub(super) requests: Requests,
    /// Its response time.
    pub(super) response_time: Durations,
}

/// One second or so of a trial.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Interval {
    /// Its start, seconds after the window's.
    pub(super) start_seconds: f64,
    /// Its length, seconds.
    pub(super) seconds: f64,
    /// Requests that were due in it.
    pub(super) scheduled: u64,
    /// Requests that ended well in it.
    pub(super) completed: u64,
    /// Requests that failed in it.
    pub(super) errors: u64,
    /// p50, p90, p95 and p99 of what ended in it, nanoseconds.
    pub(super) latency_ns: Option<[f64; 4]>,
    /// Requests in flight at its end.
    pub(super) in_flight: u64,
    /// Requests due but not sent at its end.
    pub(super) backlog: u64,
    /// Processors that the service kept busy.
    pub(super) cpu: Option<f64>,
    /// Its resident memory at the end, bytes.
    pub(super) rss_bytes: Option<u64>,
    /// The scenario's own metrics over it.
    pub(super) metrics: BTreeMap<String, f64>,
}

/// The highest rate at which a service met its aim, requests a second.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Knee {
    /// The highest rate that was met; null where none was.
    pub(super) met: Option<f64>,
    /// The lowest rate that was missed; null where none was.
    pub(super) missed: Option<f64>,
}

/// One stored trial of a load scenario.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(in crate::format) struct StoredTrialV1 {
    /// Requests that were due.
    pub(super) scheduled: u64,
    /// Those that failed or were not answered.
    pub(super) failed: u64,
    /// Response times.
    pub(super) response_time: Durations,
}

fn is_false(value: &bool) -> bool {
    !value
}
