//! How much a long run under steady load may grow before it is a leak, or a service that tires.

/// A growth an hour that is let pass: the larger of its two parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowed {
    /// As a share of the level after the warm-up.
    pub per_hour: f64,
    /// Whatever its share, in the series' unit: noise of the page size, say.
    pub floor_per_hour: f64,
}

impl Allowed {
    /// Memory: 1 % an hour, and never less than 1 MiB.
    pub const MEMORY: Self = Self { per_hour: 0.01, floor_per_hour: 1_048_576.0 };
    /// Latency: 5 % an hour, and never less than 50 µs.
    pub const LATENCY: Self = Self { per_hour: 0.05, floor_per_hour: 50_000.0 };
}

/// What is let pass in one scenario; those for which nothing is written have the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowances {
    /// The scenario's name.
    pub scenario: String,
    /// Growth of the resident memory, bytes.
    pub memory: Allowed,
    /// Growth of the p95 latency, nanoseconds.
    pub latency: Allowed,
}

impl Allowances {
    /// Memory and latency of a scenario: what is written for it, else the defaults.
    #[must_use]
    pub fn of(written: &[Self], scenario: &str) -> (Allowed, Allowed) {
        let own = written.iter().find(|allowances| allowances.scenario == scenario);
        own.map_or((Allowed::MEMORY, Allowed::LATENCY), |own| (own.memory, own.latency))
    }
}
