//! What is measured of a benchmark: its name, unit and the direction that is better.

/// Which way a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smaller values are better (time, latency, bytes).
    Lower,
    /// Larger values are better (throughput, hit rate).
    Higher,
}

impl Direction {
    /// The contract's word: `lower` or `higher`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }
}

/// How a metric scatters, which decides how it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nature {
    /// Differs from slot to slot: judged by the randomisation test.
    Noisy,
    /// Repeats exactly or nearly so (instructions, bytes, allocations): judged by exact rules, without a test.
    Deterministic,
    /// Events among cases, counted in every slot (failed requests): judged by the exact binomial test of the counts.
    Counted,
}

/// A measured quantity with its unit and direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Metric {
    /// The contract's name: `time`, `instructions`, `latency.p99`, …
    pub name: String,
    /// The unit of its values: `ns`, `instructions`, `bytes`, …
    pub unit: String,
    /// Which way is better.
    pub direction: Direction,
    /// Noisy or deterministic.
    pub nature: Nature,
}

impl Metric {
    /// Wall-clock time of one iteration, in nanoseconds.
    #[must_use]
    pub fn time() -> Self {
        Self { name: "time".into(), unit: "ns".into(), direction: Direction::Lower, nature: Nature::Noisy }
    }

    /// A metric of load trials by its name: `latency.p50` and other percentiles and `cpu` (nanoseconds), `rss.max` (bytes),
    /// `error_rate` (a share), `throughput` and `knee`, the rate that a service bears (requests a second). `None` for any other name.
    #[must_use]
    pub fn of_load(name: &str) -> Option<Self> {
        let (unit, direction, nature) = match name {
            "cpu" => ("ns", Direction::Lower, Nature::Noisy),
            "rss.max" => ("bytes", Direction::Lower, Nature::Noisy),
            "error_rate" => ("ratio", Direction::Lower, Nature::Counted),
            "throughput" | "knee" => ("req/s", Direction::Higher, Nature::Noisy),
            latency if percentile(latency).is_some() => ("ns", Direction::Lower, Nature::Noisy),
            _ => return None,
        };
        Some(Self { name: name.into(), unit: unit.into(), direction, nature })
    }

    /// Whether a value of 0 can have been measured: an empty queue, a cache that was never hit. No duration is 0.
    #[must_use]
    pub fn may_be_zero(&self) -> bool {
        self.nature != Nature::Noisy || self.unit != "ns"
    }

    /// A deterministic count of which fewer are better.
    #[must_use]
    pub fn count(name: impl Into<String>, unit: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            unit: unit.into(),
            direction: Direction::Lower,
            nature: Nature::Deterministic,
        }
    }
}

/// The share that a latency's name speaks of: 0.99 for `latency.p99`, 0.999 for `latency.p99.9`.
#[must_use]
pub fn percentile(name: &str) -> Option<f64> {
    let digits = name.strip_prefix("latency.p")?;
    let plain = digits.starts_with(|c: char| c.is_ascii_digit()) && digits.len() <= 8;
    let value: f64 =
        digits.parse().ok().filter(|_| plain && digits.chars().all(|c| c.is_ascii_digit() || c == '.'))?;
    (value > 0.0 && value < 100.0).then_some(value / 100.0)
}

#[cfg(test)]
mod tests {
    use super::{Metric, percentile};

    #[test]
    fn percentiles_are_read_from_names() {
        let close = |name: &str, share: f64| (percentile(name).unwrap() - share).abs() < 1e-12;
        assert!(close("latency.p50", 0.5) && close("latency.p99", 0.99) && close("latency.p99.9", 0.999));
        for name in
            ["latency.p0", "latency.p100", "latency.pp", "latency.p-1", "latency.p1e1", "p50", "latency.p"]
        {
            assert_eq!(percentile(name), None, "{name}");
        }
    }

    #[test]
    fn load_metrics_are_known_by_name_alone() {
        for name in ["cpu", "rss.max", "error_rate", "throughput", "knee", "latency.p90"] {
            assert_eq!(Metric::of_load(name).unwrap().name, name);
        }
        assert_eq!(Metric::of_load("cache_hit_rate"), None);
    }
}
