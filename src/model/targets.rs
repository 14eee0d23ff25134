//! What a service is asked to reach, apart from any comparison: tiers of targets, and a score. Plain data.

use super::load::Summary;

/// What a target is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Median response time, nanoseconds.
    LatencyP50,
    /// 90th percentile of the response time, nanoseconds.
    LatencyP90,
    /// 95th percentile of the response time, nanoseconds.
    LatencyP95,
    /// 99th percentile of the response time, nanoseconds.
    LatencyP99,
    /// Share of due requests that were not answered as expected.
    ErrorRate,
    /// The most requests in flight at once.
    ConcurrentUsers,
    /// Share of the time in which the service answered.
    Availability,
    /// Requests a second that were answered as expected.
    Throughput,
    /// Share of look-ups that a cache answered: the scenario's own metric of this name.
    CacheHitRate,
    /// Peak resident memory as a share of what the service may use.
    Memory,
    /// Processors kept busy as a share of what the service may use.
    Cpu,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 11] = [
        Self::LatencyP50,
        Self::LatencyP90,
        Self::LatencyP95,
        Self::LatencyP99,
        Self::ErrorRate,
        Self::ConcurrentUsers,
        Self::Availability,
        Self::Throughput,
        Self::CacheHitRate,
        Self::Memory,
        Self::Cpu,
    ];

    /// Its name in files: `latency.p95`, `error_rate`, `concurrent_users`, …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LatencyP50 => "latency.p50",
            Self::LatencyP90 => "latency.p90",
            Self::LatencyP95 => "latency.p95",
            Self::LatencyP99 => "latency.p99",
            Self::ErrorRate => "error_rate",
            Self::ConcurrentUsers => "concurrent_users",
            Self::Availability => "availability",
            Self::Throughput => "throughput",
            Self::CacheHitRate => "cache_hit_rate",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }

    /// The part with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.as_str() == name)
    }

    /// Its quantile's name where it is a latency: `p95`.
    #[must_use]
    pub fn quantile(self) -> Option<&'static str> {
        self.as_str().strip_prefix("latency.")
    }

    /// Its unit: `ns`, `ratio` (a share), `requests/s`, or none for a count.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::LatencyP50 | Self::LatencyP90 | Self::LatencyP95 | Self::LatencyP99 => "ns",
            Self::ErrorRate | Self::Availability | Self::CacheHitRate | Self::Memory | Self::Cpu => "ratio",
            Self::Throughput => "requests/s",
            Self::ConcurrentUsers => "",
        }
    }

    /// What a summary says of it; `None` where it was not measured, no request was due, or the number makes no sense.
    #[must_use]
    pub fn value(self, load: &Summary) -> Option<f64> {
        let value = match self {
            Self::LatencyP50 | Self::LatencyP90 | Self::LatencyP95 | Self::LatencyP99 => {
                load.latency?.named(self.quantile()?)?.ns
            }
            Self::ErrorRate => load.requests.error_rate()?,
            Self::ConcurrentUsers => (load.requests.scheduled > 0).then_some(load.in_flight_peak)? as f64,
            Self::Availability => load.availability.share()?,
            Self::Throughput => load.throughput.filter(|_| load.requests.scheduled > 0)?,
            Self::CacheHitRate => *load.costs.metrics.get(self.as_str())?,
            Self::Memory => load.costs.memory_share?,
            Self::Cpu => load.costs.cpu_share?,
        };
        (value.is_finite() && value >= 0.0).then_some(value)
    }

    /// Whether it says more the more requests there were: a latency or a share of them.
    #[must_use]
    pub fn needs_requests(self) -> bool {
        self.quantile().is_some() || self == Self::ErrorRate
    }

    /// Whether more of it is better: then a target is met from its limit on, else only below it.
    #[must_use]
    pub fn higher_is_better(self) -> bool {
        matches!(self, Self::ConcurrentUsers | Self::Availability | Self::Throughput | Self::CacheHitRate)
    }
}

/// One demand: the part must stay below the limit, or reach it where more is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// What it is about.
    pub part: Part,
    /// In the part's unit.
    pub limit: f64,
}

/// A level of service: all its limits together.
#[derive(Debug, Clone, PartialEq)]
pub struct Tier {
    /// `production`.
    pub name: String,
    /// What it demands, at most one limit a part.
    pub limits: Vec<Limit>,
}

/// What a project asks of its service.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// The tiers, the easiest first.
    pub tiers: Vec<Tier>,
    /// The tier that must be met: missing it makes the outcome `regressed`. Without it targets never change the outcome.
    pub require: Option<String>,
}

impl Default for Targets {
    fn default() -> Self {
        Self { tiers: standard().to_vec(), require: None }
    }
}

/// The names of the standard tiers, the easiest first.
pub const STANDARD: [&str; 3] = ["minimum viable", "production", "battle-tested"];

/// The standard tiers: *minimum viable*, *production* and *battle-tested*.
#[must_use]
pub fn standard() -> [Tier; 3] {
    let tier = |name: &str, p95_ms: f64, errors: f64, users: f64, availability: f64| Tier {
        name: name.to_owned(),
        limits: vec![
            Limit { part: Part::LatencyP95, limit: p95_ms * 1e6 },
            Limit { part: Part::ErrorRate, limit: errors },
            Limit { part: Part::ConcurrentUsers, limit: users },
            Limit { part: Part::Availability, limit: availability },
        ],
    };
    let [viable, production, battle] = STANDARD;
    [
        tier(viable, 500.0, 0.05, 500.0, 0.99),
        tier(production, 200.0, 0.02, 1_000.0, 0.995),
        tier(battle, 100.0, 0.005, 2_000.0, 0.999),
    ]
}

/// What became of one limit of a tier.
#[derive(Debug, Clone, PartialEq)]
pub struct PartResult {
    /// What it is about.
    pub part: Part,
    /// The scenario that `measured` is of: the worst one. Empty when nothing was measured.
    pub scenario: String,
    /// What was measured, in the part's unit.
    pub measured: Option<f64>,
    /// The limit, in the part's unit.
    pub limit: f64,
    /// Whether it was met; `None` when this run does not show it.
    pub met: Option<bool>,
    /// Why it is not shown, or what else to know; empty when there is nothing to say.
    pub note: String,
}

/// What became of a tier.
#[derive(Debug, Clone, PartialEq)]
pub struct TierResult {
    /// The tier.
    pub tier: String,
    /// Whether it was met: all parts were, or one was not. `None` when no part was missed but not all were shown.
    pub met: Option<bool>,
    /// Whether the project demands it.
    pub required: bool,
    /// Its limits in the tier's order.
    pub parts: Vec<PartResult>,
}

/// How a part of the score stands in the grading table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// Worse than fair.
    Poor,
    /// At least fair.
    Fair,
    /// At least good.
    Good,
    /// Excellent.
    Excellent,
}

impl Mark {
    /// Every mark, the worst first.
    pub const ALL: [Self; 4] = [Self::Poor, Self::Fair, Self::Good, Self::Excellent];

    /// `excellent`, `good`, `fair` or `poor`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Poor => "poor",
            Self::Fair => "fair",
            Self::Good => "good",
            Self::Excellent => "excellent",
        }
    }
}

/// One line of the grading table as it applies to a run.
#[derive(Debug, Clone, PartialEq)]
pub struct ScorePart {
    /// What it is about.
    pub part: Part,
    /// Its share of the table; all shares sum to 1.
    pub weight: f64,
    /// What was measured, in the part's unit; `None` when this run does not show it.
    pub value: Option<f64>,
    /// 0 to 10; `None` exactly where `value` is.
    pub points: Option<f64>,
    /// Where the value stands; `None` exactly where `value` is.
    pub mark: Option<Mark>,
    /// The honest line: measured how long and at what load, or why not at all.
    pub basis: String,
}

/// A service's score, from what one run measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// 0 to 10, over the parts that were measured.
    pub points: f64,
    /// The share of the grading table that was measured, by weight.
    pub coverage: f64,
    /// The lines of the table.
    pub parts: Vec<ScorePart>,
    /// What a reader must know of it: what capped it, what it does not cover.
    pub notes: Vec<String>,
}

impl Score {
    /// What a score is out of.
    pub const OF: f64 = 10.0;

    /// The letter: `A+`, `A`, `B+`, `B`, `C+`, or `not production ready`.
    #[must_use]
    pub fn grade(&self) -> &'static str {
        let grades = [(9.0, "A+"), (8.5, "A"), (8.0, "B+"), (7.5, "B"), (7.0, "C+")];
        reached(self.points, &grades).unwrap_or("not production ready")
    }

    /// The standing: `battle-hardened`, `battle-ready`, `combat-capable`, or `not battle-ready`.
    #[must_use]
    pub fn standing(&self) -> &'static str {
        let standings = [(9.0, "battle-hardened"), (7.0, "battle-ready"), (5.0, "combat-capable")];
        reached(self.points, &standings).unwrap_or("not battle-ready")
    }
}

/// The word of the first mark that the points reach.
fn reached(points: f64, marks: &[(f64, &'static str)]) -> Option<&'static str> {
    marks.iter().find(|(mark, _)| points >= *mark).map(|(_, word)| *word)
}

#[cfg(test)]
mod tests {
    use super::{Part, Score, standard};

    #[test]
    fn every_part_is_found_by_its_name() {
        for part in Part::ALL {
            assert_eq!(Part::parse(part.as_str()), Some(part));
        }
        assert_eq!((Part::parse("latency"), Part::parse("")), (None, None));
        assert_eq!((Part::LatencyP95.quantile(), Part::Cpu.quantile()), (Some("p95"), None));
    }

    #[test]
    fn each_standard_tier_asks_more_than_the_one_before() {
        for pair in standard().windows(2) {
            for (easy, hard) in pair[0].limits.iter().zip(&pair[1].limits) {
                assert_eq!(easy.part, hard.part);
                let harder = if easy.part.higher_is_better() {
                    hard.limit > easy.limit
                } else {
                    hard.limit < easy.limit
                };
                assert!(harder, "{easy:?} {hard:?}");
            }
        }
    }

    #[test]
    fn letters_and_words_begin_at_their_marks() {
        let words = |points| {
            let score = Score { points, coverage: 1.0, parts: Vec::new(), notes: Vec::new() };
            (score.grade(), score.standing())
        };
        assert_eq!(words(9.0), ("A+", "battle-hardened"));
        assert_eq!(words(8.99), ("A", "battle-ready"));
        assert_eq!(words(8.0), ("B+", "battle-ready"));
        assert_eq!(words(7.5), ("B", "battle-ready"));
        assert_eq!(words(7.0), ("C+", "battle-ready"));
        assert_eq!(words(6.99), ("not production ready", "combat-capable"));
        assert_eq!(words(4.99), ("not production ready", "not battle-ready"));
        assert_eq!(words(f64::NAN), ("not production ready", "not battle-ready"));
    }
}
