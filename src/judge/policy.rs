//! Which rules of the policy apply to one metric of one benchmark.

use crate::{
    judge::globs::BenchmarkGlob,
    model::{
        benchmark::Benchmark,
        metric::{Direction, Metric, Nature, percentile},
        policy::{Policy, Rule},
        run::Warning,
    },
    stats::deterministic::{
        ALLOCATIONS_MARGIN, BYTES_FLOOR, BYTES_MARGIN, INSTRUCTIONS_FLOOR, INSTRUCTIONS_MARGIN,
    },
};

/// No relative change beyond this is told apart, so that a bound stays a number whatever the policy says.
const LARGEST_CHANGE: f64 = 1e9;

/// What a value of 0 counts as where ratios are looked at and there is no floor: the tests look at ranks, so any number below all others will do.
const NEXT_TO_NOTHING: f64 = 1e-100;

/// A ratio beyond this, ln units, is one to nothing: a little less than from nothing to the floor.
const LARGEST_RATIO_LN: f64 = 20.0;

/// The margin of a service's peak memory.
const RSS_MARGIN: f64 = 0.01;

/// The margin of a service's latency, processor time and knee.
const LOAD_MARGIN: f64 = 0.05;

/// A metric of which more is better cannot lose more than all of it.
const LARGEST_LOSS: f64 = 1.0 - 1e-9;

/// What the policy says of one metric of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// The smallest change that matters, relative.
    pub margin: f64,
    /// The worsening that must be ruled out, relative; never below the margin.
    pub must_rule_out: f64,
    /// An absolute bound on head's value, in the metric's unit.
    pub budget: Option<f64>,
    /// An absolute change under which no change matters, in the metric's unit.
    pub floor: Option<f64>,
    /// Why it is left out, if it is.
    pub left_out: Option<String>,
    /// Which way the metric is better.
    pub direction: Direction,
}

impl Limits {
    /// The margin beside a base value: a change matters only beyond the margin and beyond the floor.
    #[must_use]
    pub fn effective_margin(&self, base: Option<f64>) -> f64 {
        let of_base = |(floor, base): (f64, f64)| floor / base.abs();
        let floor = self.floor.zip(base).map_or(0.0, of_base);
        let margin = self.margin.max(if floor.is_nan() { 0.0 } else { floor });
        margin.clamp(0.0, LARGEST_CHANGE)
    }

    /// What a value of 0 counts as, so that it has a logarithm: below all other values, and as far from the floor as the largest margin says, so that
    /// a change from nothing matters beyond the floor only.
    #[must_use]
    pub fn nothing(&self) -> f64 {
        match self.floor {
            Some(floor) if floor > 0.0 => floor / LARGEST_CHANGE,
            _ => NEXT_TO_NOTHING,
        }
    }

    /// Whether a change in ln units is a ratio of two numbers, not one between nothing and something.
    #[must_use]
    pub fn is_ratio(ln: f64) -> bool {
        ln.abs() < LARGEST_RATIO_LN
    }

    /// Where a relative worsening lies in ln units: ln(1 + x) where less is better, -ln(1 - x) where more is.
    #[must_use]
    pub fn bound(&self, worsening: f64) -> f64 {
        match self.direction {
            Direction::Lower => worsening.clamp(0.0, LARGEST_CHANGE).ln_1p(),
            Direction::Higher => -(-worsening.clamp(0.0, LARGEST_LOSS)).ln_1p(),
        }
    }

    /// The relative worsening at a place in ln units: the way back from [`Limits::bound`].
    #[must_use]
    pub fn worsening(&self, bound: f64) -> f64 {
        match self.direction {
            Direction::Lower => bound.exp_m1(),
            Direction::Higher => -(-bound).exp_m1(),
        }
    }
}

/// The rules of a policy, ready to be asked.
#[derive(Debug)]
pub struct Rules<'a> {
    policy: &'a Policy,
    rules: Vec<(BenchmarkGlob, &'a Rule)>,
}

impl<'a> Rules<'a> {
    /// Reads the rules of a policy.
    #[must_use]
    pub fn new(policy: &'a Policy) -> Self {
        let rules = policy.rules.iter().map(|rule| (BenchmarkGlob::new(&rule.benchmark), rule)).collect();
        Self { policy, rules }
    }

    /// What applies to a metric of a benchmark: of the rules that match and set a field, the last one counts.
    #[must_use]
    pub fn limits(&self, benchmark: &Benchmark, metric: &Metric) -> Limits {
        let matching: Vec<&Rule> =
            self.rules.iter().filter(|(glob, _)| glob.matches(benchmark)).map(|(_, rule)| *rule).collect();
        let (margin, floor) = self.defaults(metric);
        let margin = last(&matching, |rule| rule.margin).unwrap_or(margin);
        Limits {
            margin,
            must_rule_out: self.policy.must_rule_out.max(margin),
            budget: last(&matching, |rule| rule.budget),
            floor: last(&matching, |rule| rule.floor).or(floor),
            left_out: left_out(&matching, metric),
            direction: metric.direction,
        }
    }

    /// A warning for every rule whose glob matches none of the benchmarks: it was meant for something.
    pub(super) fn unmatched(&self, benchmarks: &[&Benchmark]) -> Vec<Warning> {
        let idle = self.rules.iter().filter(|(glob, _)| !benchmarks.iter().any(|b| glob.matches(b)));
        idle.map(|(_, rule)| {
            Warning::new("unmatched_rule", format!("the rule for `{}` matches no benchmark", rule.benchmark))
        })
        .collect()
    }

    /// Margin and floor where no rule sets them.
    fn defaults(&self, metric: &Metric) -> (f64, Option<f64>) {
        match metric.nature {
            Nature::Noisy => (load_margin(metric).unwrap_or(self.policy.margin), None),
            Nature::Counted => (self.policy.margin, None),
            Nature::Deterministic => {
                let bytes = metric.unit == "bytes";
                let margin = match metric.name.as_str() {
                    name if name.starts_with("alloc") => ALLOCATIONS_MARGIN,
                    _ if bytes => BYTES_MARGIN,
                    _ => INSTRUCTIONS_MARGIN,
                };
                let instructions = (metric.name == "instructions").then_some(INSTRUCTIONS_FLOOR);
                (margin, if bytes { Some(BYTES_FLOOR) } else { instructions })
            }
        }
    }
}

/// The margins of load metrics: what their slots scatter by on a quiet machine (`load.md` 4.3: 0.4 % for memory, 6 to 7 % a
/// pair for latency and processor time).
fn load_margin(metric: &Metric) -> Option<f64> {
    match metric.name.as_str() {
        "rss.max" => Some(RSS_MARGIN),
        "cpu" | "knee" => Some(LOAD_MARGIN),
        name => percentile(name).map(|_| LOAD_MARGIN),
    }
}

fn last<T>(matching: &[&Rule], field: impl Fn(&Rule) -> Option<T>) -> Option<T> {
    matching.iter().rev().find_map(|rule| field(rule))
}

fn left_out(matching: &[&Rule], metric: &Metric) -> Option<String> {
    let ignored = last(matching, |rule| rule.ignore.map(|ignore| (ignore, rule.benchmark.clone())));
    if let Some((true, glob)) = ignored {
        return Some(format!("the rule for `{glob}` ignores it"));
    }
    let metrics = last(matching, |rule| rule.metrics.clone().map(|names| (names, rule.benchmark.clone())));
    let (names, glob) = metrics?;
    (!names.contains(&metric.name)).then(|| format!("the rule for `{glob}` leaves out `{}`", metric.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::benchmark::BenchmarkId;

    fn limits(rules: Vec<Rule>, id: &str, metric: &Metric) -> Limits {
        let policy = Policy { rules, ..Policy::default() };
        Rules::new(&policy).limits(&Benchmark::new("kernels", BenchmarkId::new(id).unwrap()), metric)
    }

    fn rule(glob: &str) -> Rule {
        Rule { benchmark: glob.into(), ..Rule::default() }
    }

    #[test]
    fn of_the_rules_that_set_a_field_the_last_match_counts() {
        let rules = vec![
            Rule { margin: Some(0.05), budget: Some(100.0), ..rule("*") },
            Rule { margin: Some(0.01), ..rule("num/*") },
            Rule { margin: Some(0.5), ..rule("text/*") },
            Rule { floor: Some(2.0), ..rule("kernels:num/sieve") },
        ];
        let limits = limits(rules, "num/sieve", &Metric::time());
        assert!((limits.margin - 0.01).abs() < 1e-12);
        assert_eq!((limits.budget, limits.floor), (Some(100.0), Some(2.0)));
        assert_eq!(limits.left_out, None);
    }

    #[test]
    fn a_later_rule_takes_an_ignored_benchmark_back_in() {
        let ignore = |glob, ignore| Rule { ignore: Some(ignore), ..rule(glob) };
        let rules = vec![ignore("*", true), ignore("num/*", false)];
        assert_eq!(limits(rules.clone(), "num/sieve", &Metric::time()).left_out, None);
        let reason = limits(rules, "text/sort", &Metric::time()).left_out.unwrap();
        assert_eq!(reason, "the rule for `*` ignores it");
    }

    #[test]
    fn metrics_that_a_rule_does_not_name_are_left_out() {
        let rules = vec![Rule { metrics: Some(vec!["instructions".into()]), ..rule("num/*") }];
        let reason = limits(rules.clone(), "num/sieve", &Metric::time()).left_out.unwrap();
        assert_eq!(reason, "the rule for `num/*` leaves out `time`");
        assert_eq!(limits(rules, "num/sieve", &Metric::count("instructions", "instructions")).left_out, None);
    }

    #[test]
    fn deterministic_metrics_have_margins_and_floors_of_their_own() {
        let defaults = |name: &str, unit: &str| {
            let limits = limits(Vec::new(), "a", &Metric::count(name, unit));
            (limits.margin, limits.floor)
        };
        assert_eq!(defaults("instructions", "instructions"), (0.01, Some(1000.0)));
        assert_eq!(defaults("binary_size", "bytes"), (0.005, Some(16.0)));
        assert_eq!(defaults("allocations", "allocations"), (0.0, None));
        assert_eq!(defaults("allocated", "bytes"), (0.0, Some(16.0)));
        let rules = vec![Rule { margin: Some(0.2), floor: Some(5.0), ..rule("*") }];
        let set = limits(rules, "a", &Metric::count("instructions", "instructions"));
        assert_eq!((set.margin, set.floor), (0.2, Some(5.0)));
    }

    #[test]
    fn load_metrics_have_margins_of_their_own_that_rules_replace() {
        let margin = |name: &str, rules: Vec<Rule>| {
            limits(rules, "load:checkout", &Metric::of_load(name).unwrap()).margin
        };
        assert!((margin("rss.max", vec![]) - 0.01).abs() < 1e-12);
        assert!((margin("latency.p90", vec![]) - 0.05).abs() < 1e-12);
        assert!((margin("cpu", vec![]) - 0.05).abs() < 1e-12);
        assert!((margin("knee", vec![]) - 0.05).abs() < 1e-12);
        assert!((margin("throughput", vec![]) - 0.02).abs() < 1e-12);
        assert!((margin("cpu", vec![Rule { margin: Some(0.2), ..rule("load:*") }]) - 0.2).abs() < 1e-12);
    }

    #[test]
    fn a_floor_widens_the_margin_of_small_values_only() {
        let limits = limits(vec![Rule { floor: Some(2.0), ..rule("*") }], "a", &Metric::time());
        assert!((limits.effective_margin(Some(10.0)) - 0.2).abs() < 1e-12);
        assert!((limits.effective_margin(Some(1000.0)) - 0.02).abs() < 1e-12);
        assert!((limits.effective_margin(None) - 0.02).abs() < 1e-12);
        assert!(limits.effective_margin(Some(0.0)).is_finite());
    }

    #[test]
    fn a_bound_and_its_way_back_agree_in_both_directions() {
        for direction in [Direction::Lower, Direction::Higher] {
            let limits = Limits { direction, ..limits(Vec::new(), "a", &Metric::time()) };
            assert!((limits.worsening(limits.bound(0.1)) - 0.1).abs() < 1e-12);
            assert!(limits.bound(f64::INFINITY).is_finite());
        }
    }

    #[test]
    fn what_must_be_ruled_out_is_never_below_the_margin() {
        let limits = limits(vec![Rule { margin: Some(0.3), ..rule("*") }], "a", &Metric::time());
        assert!((limits.must_rule_out - 0.3).abs() < 1e-12);
    }

    #[test]
    fn a_rule_that_matches_nothing_is_told() {
        let policy = Policy { rules: vec![rule("num/*"), rule("nmu/*")], ..Policy::default() };
        let benchmark = Benchmark::new("kernels", BenchmarkId::new("num/sieve").unwrap());
        let warnings = Rules::new(&policy).unmatched(&[&benchmark]);
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].message, "the rule for `nmu/*` matches no benchmark");
    }
}
