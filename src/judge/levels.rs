//! Levels of load: a scenario that was asked at several, one after the other (`tollgate load --quick`), and whether it is sane.
//!
//! A level is *sane* when few requests fail, the p95 response time is below the limit, and answers are not many times slower than at the
//! lowest level. The numbers, tiers and score of such a scenario are those of the last level that counts.

use crate::{
    judge::load::PREFIX,
    model::{
        load::{Offered, Summary, Trial},
        run::{Side, Warning},
        targets::{Part, Targets},
    },
    text::{plural, quantity},
};

/// The share of requests that may fail at a sane level, unless the tier says less.
const MOST_ERRORS: f64 = 0.01;
/// The limit on p95 where no tier has one, nanoseconds.
const SLOWEST_P95_NS: f64 = 5e8;
/// So many times the p95 of the lowest level is a queue, not scatter …
const MANY_TIMES: f64 = 5.0;
/// … when it is also above this, nanoseconds: below it nobody waits.
const FELT_NS: f64 = 5e7;

/// What a sane level keeps below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The p95 response time, nanoseconds.
    pub p95_ns: f64,
    /// The share of failed requests.
    pub errors: f64,
}

impl Bounds {
    /// Those of the tier that the project demands, else of the first one; at most 1 % of errors.
    #[must_use]
    pub fn of(targets: &Targets) -> Self {
        let demanded = targets.tiers.iter().find(|tier| Some(&tier.name) == targets.require.as_ref());
        let limits = demanded.or(targets.tiers.first()).map_or(&[][..], |tier| tier.limits.as_slice());
        let limit = |part: Part| limits.iter().find(|limit| limit.part == part).map(|limit| limit.limit);
        Self {
            p95_ns: limit(Part::LatencyP95).unwrap_or(SLOWEST_P95_NS),
            errors: limit(Part::ErrorRate).unwrap_or(MOST_ERRORS).min(MOST_ERRORS),
        }
    }
}

/// Why a level is not sane; `None` where it is. `lowest` is the first level of the scenario.
#[must_use]
pub fn trouble(level: &Summary, lowest: &Summary, bounds: Bounds) -> Option<String> {
    let errors = level.requests.error_rate()?;
    // One failed request of a few is no rate.
    if errors >= bounds.errors && failed(level) > 1 {
        return Some(format!("{} of the requests failed{}", quantity::share(errors), kinds(level)));
    }
    let p95 = |summary: &Summary| Some(summary.latency?.named("p95")?.ns);
    let (here, there) = (p95(level)?, p95(lowest)?);
    let shown = quantity::value(here, "ns");
    if here >= bounds.p95_ns {
        return Some(format!("p95 was {shown} (limit {})", quantity::value(bounds.p95_ns, "ns")));
    }
    (here >= MANY_TIMES * there && here >= FELT_NS).then(|| {
        let times = quantity::value((here / there).round(), "");
        format!("p95 was {shown}, {times} times that at {}", amount(lowest))
    })
}

/// The warning of a look that ended at its first level, if that is not sane: a run with one window has no levels to tell it from.
#[must_use]
pub fn first_trouble(level: &Summary, bounds: Bounds) -> Option<Warning> {
    let answered = level.requests.completed > 0 && level.is_valid();
    let (_, why) = far(std::slice::from_ref(level), bounds);
    let name = format!("{PREFIX}{}", level.scenario);
    why.filter(|_| answered).map(|why| Warning::new("not_sane", sentence(&name, None, &why)))
}

/// `50 requests/s`, `20 users`.
#[must_use]
pub fn amount(level: &Summary) -> String {
    match level.offered {
        Offered::Rate(rate) => quantity::value(rate, "requests/s"),
        Offered::Users(users) => plural::count(users as usize, "user"),
    }
}

/// Requests that were not answered as expected.
fn failed(level: &Summary) -> u64 {
    level.requests.errors.saturating_add(level.requests.unfinished)
}

/// ` (status 503: 12, timeout: 4)`, the most frequent first.
pub(super) fn kinds(level: &Summary) -> String {
    let requests = &level.requests;
    let statuses: Vec<(String, u64)> = requests
        .statuses
        .iter()
        .filter(|(status, _)| **status >= 400)
        .map(|(status, count)| (format!("status {status}"), *count))
        .collect();
    let told = |kind: &str| kind != "status" || statuses.is_empty();
    let mut kinds: Vec<(String, u64)> = requests
        .error_kinds
        .iter()
        .filter(|(kind, _)| told(kind.as_str()))
        .map(|(kind, count)| (kind.as_str().to_owned(), *count))
        .chain([("unfinished".to_owned(), requests.unfinished)])
        .filter(|(_, count)| *count > 0)
        .collect();
    kinds.extend(statuses);
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let kinds: Vec<String> =
        kinds.iter().map(|(kind, count)| format!("{kind}: {}", quantity::count(*count))).collect();
    if kinds.is_empty() { String::new() } else { format!(" ({})", plural::list(&kinds, 3)) }
}

/// The windows of a run, with levels apart.
#[derive(Debug, Default)]
pub(super) struct Levels {
    /// The windows that numbers, tiers and score rest on: of a scenario with levels the last one that counts.
    pub(super) counted: Vec<Trial>,
    /// Every level of those scenarios, in time order.
    pub(super) all: Vec<Summary>,
}

impl Levels {
    /// Tells the levels of a service that was put under load for its own sake from its other windows.
    pub(super) fn split(trials: &[Trial]) -> Self {
        let mut split = Self::default();
        let mut names: Vec<String> = Vec::new();
        for trial in trials {
            if !names.contains(&trial.scenario) {
                names.push(trial.scenario.clone());
            }
        }
        for name in names {
            let mine: Vec<&Trial> =
                trials.iter().filter(|trial| trial.scenario == name && trial.side == Side::Head).collect();
            let Some(first) = mine.first() else { continue };
            if mine.iter().all(|trial| trial.offered == first.offered) {
                split.counted.extend(mine.into_iter().cloned());
                continue;
            }
            let counts = |trial: &&&Trial| trial.void.is_none() && trial.requests.scheduled > 0;
            let last = mine.iter().rfind(counts).or(mine.last());
            split.counted.extend(last.map(|trial| (*trial).clone()));
            split.all.extend(mine.iter().filter_map(|trial| Summary::of_one(&[trial])));
        }
        split
    }

    /// Whether a scenario had levels, and requests of one were answered.
    pub(super) fn answered(&self, scenario: &str) -> bool {
        self.all
            .iter()
            .any(|level| level.scenario == scenario && level.is_valid() && level.requests.completed > 0)
    }

    /// How far each scenario is sane, in few words, and a warning where that is not all the way, with the reason.
    pub(super) fn sanity(&self, bounds: Bounds) -> (Vec<String>, Vec<Warning>) {
        let (mut words, mut warnings) = (Vec::new(), Vec::new());
        let mut rest = self.all.as_slice();
        while let Some(first) = rest.first() {
            let end = rest.iter().position(|level| level.scenario != first.scenario).unwrap_or(rest.len());
            let (levels, later) = rest.split_at(end);
            rest = later;
            let (upto, why) = far(levels, bounds);
            let name = format!("{PREFIX}{}", first.scenario);
            let only = if why.is_some() { " only" } else { "" };
            words.push(match upto {
                Some(level) => format!("{name} is sane up to {}{only}", amount(level)),
                None => format!("{name} is not sane at any level"),
            });
            warnings.extend(why.map(|why| Warning::new("not_sane", sentence(&name, upto, &why))));
        }
        (words, warnings)
    }
}

/// The last level up to which a scenario is sane, and why it is not at the next one.
fn far(levels: &[Summary], bounds: Bounds) -> (Option<&Summary>, Option<String>) {
    let mut upto: Option<&Summary> = None;
    for level in levels.iter().filter(|level| level.requests.scheduled > 0) {
        if let Some(void) = level.slots.void.first() {
            return (upto, Some(format!("{} does not count: {void}", amount(level))));
        }
        if let Some(why) = trouble(level, &levels[0], bounds) {
            return (upto, Some(format!("not sane at {}: {why}", amount(level))));
        }
        upto = Some(level);
    }
    (upto, None)
}

/// `load:x: sane up to 50 requests/s, not sane at 100 requests/s: …`.
fn sentence(name: &str, upto: Option<&Summary>, why: &str) -> String {
    let good = upto.map_or(String::new(), |level| format!("sane up to {}, ", amount(level)));
    format!("{name}: {good}{why}")
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Levels, first_trouble, trouble};
    use crate::model::{
        load::{Clocks, Costs, Distribution, ErrorKind, Offered, Requests, Summary, Trial},
        run::Side,
        targets::Targets,
    };

    /// Ten seconds at a rate: answers of so many milliseconds, of which a share is a 503.
    fn level(rate: u32, ms: u64, failing: u64) -> Trial {
        let scheduled = u64::from(rate) * 10;
        let mut times = Distribution::default();
        for _ in failing..scheduled {
            times.record(ms * 1_000_000);
        }
        let mut requests =
            Requests { scheduled, completed: scheduled - failing, errors: failing, ..Requests::default() };
        if failing > 0 {
            requests.error_kinds.insert(ErrorKind::Status, failing);
            requests.statuses.insert(503, failing);
        }
        Trial {
            scenario: "url".into(),
            side: Side::Head,
            offered: Offered::Rate(f64::from(rate)),
            seconds: 10.0,
            warmup_seconds: 1.0,
            requests,
            clocks: Clocks { response_time: times, ..Clocks::default() },
            endpoints: Vec::new(),
            in_flight_peak: 1,
            answered: None,
            received_bytes: 0,
            generator_cpu: 0.1,
            costs: Costs::default(),
            knee: None,
            varied: false,
            intervals: Vec::new(),
            void: None,
        }
    }

    fn bounds() -> Bounds {
        Bounds::of(&Targets::default())
    }

    #[test]
    fn the_last_level_that_counts_is_the_one_that_is_judged() {
        let late = Trial { void: Some("the generator was late".into()), ..level(400, 9, 0) };
        let levels = Levels::split(&[level(10, 5, 0), level(100, 6, 0), late]);
        assert_eq!((levels.counted.len(), levels.all.len()), (1, 3));
        assert_eq!(levels.counted[0].offered, Offered::Rate(100.0));
        let (sane, warnings) = levels.sanity(bounds());
        assert_eq!(sane, ["load:url is sane up to 100 requests/s only"]);
        assert_eq!(
            warnings[0].message,
            "load:url: sane up to 100 requests/s, 400 requests/s does not count: the generator was late"
        );
    }

    #[test]
    fn windows_at_the_same_load_are_no_levels() {
        let levels = Levels::split(&[level(10, 5, 0), level(10, 6, 0)]);
        assert_eq!((levels.counted.len(), levels.all.len()), (2, 0));
        assert_eq!(levels.sanity(bounds()), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_service_is_sane_up_to_the_level_at_which_it_fails_or_becomes_slow() {
        let sentence = |trials: Vec<Trial>| {
            let (words, warnings) = Levels::split(&trials).sanity(bounds());
            assert_eq!(words.len(), 1);
            assert_eq!(words[0].ends_with(" only") || words[0].contains("not sane"), !warnings.is_empty());
            warnings.into_iter().map(|warning| warning.message).chain(words).next().unwrap()
        };
        assert_eq!(sentence(vec![level(10, 5, 0), level(50, 6, 0)]), "load:url is sane up to 50 requests/s");
        assert_eq!(
            sentence(vec![level(10, 5, 0), level(50, 6, 0), level(100, 6, 120)]),
            "load:url: sane up to 50 requests/s, not sane at 100 requests/s: 12 % of the requests failed (status 503: 120)"
        );
        assert_eq!(
            sentence(vec![level(10, 5, 0), level(50, 80, 0)]),
            "load:url: sane up to 10 requests/s, not sane at 50 requests/s: p95 was 80.0 ms, 16 times that at 10 requests/s"
        );
        let slow = sentence(vec![level(10, 700, 0), level(50, 800, 0)]);
        assert!(slow.starts_with("load:url: not sane at 10 requests/s: p95 was 70"), "{slow}");
    }

    #[test]
    fn a_look_that_ends_at_its_first_level_says_why() {
        let warning = |trial: &Trial| first_trouble(&Summary::of_one(&[trial]).unwrap(), bounds());
        assert_eq!(warning(&level(10, 5, 0)), None);
        assert!(warning(&level(10, 700, 0)).is_some_and(|w| w.message.contains("not sane at 10 requests/s")));
        // The outcome says that nothing was answered.
        assert_eq!(warning(&level(10, 5, 100)), None);
    }

    #[test]
    fn one_failure_and_a_few_milliseconds_are_no_trouble() {
        let summary = |trial: &Trial| Summary::of_one(&[trial]).unwrap();
        let lowest = summary(&level(2, 1, 0));
        assert_eq!(trouble(&summary(&level(5, 20, 1)), &lowest, bounds()), None);
        assert!(trouble(&summary(&level(5, 20, 2)), &lowest, bounds()).is_some());
    }
}
