//! Searches on services that are no more than a rule.

use std::{cell::Cell, sync::Mutex, time::Duration};

use super::{Found, Hands, Settings, search};
use crate::{
    load::{
        modes::{ground::Error, probe::tests::window},
        scenario::{Model, Scenario, example},
        watch::Observer,
    },
    model::load::{Aim, Interval, Trial},
    progress::{Event, Progress, Silent},
};

pub(in crate::load::modes) fn scenario() -> Scenario {
    example::scenario("s")
}

fn settings() -> Settings {
    Settings {
        aim: Aim::default(),
        start: None,
        most: None,
        probe: Duration::from_secs(1),
        steady: Duration::from_secs(10),
    }
}

pub(in crate::load::modes) fn levels(scenario: &Scenario) -> Vec<(f64, f64)> {
    let Model::Rate { stages, .. } = &scenario.model else { panic!("{scenario:?}") };
    stages.iter().map(|stage| (stage.level, stage.duration.as_secs_f64())).collect()
}

/// A service that answers in a millisecond up to `knee` a second and keeps what is beyond it waiting; after overload it needs
/// `back` seconds.
pub(in crate::load::modes) fn service(
    knee: f64,
    back: f64,
) -> impl Fn(&Scenario, &dyn Observer) -> Result<Trial, Error> {
    move |scenario, observer| {
        let levels = levels(scenario);
        let (rate, _) = levels[0];
        if let [(_, overload), _] = levels[..] {
            let mut at = 0.0;
            while !observer.wants_stop() && at < scenario.window.as_secs_f64() {
                let bad = at < overload + back;
                let latency_ns = Some([if bad { 1e9 } else { 1e6 }; 4]);
                let second = Interval {
                    start_seconds: at,
                    seconds: 1.0,
                    completed: 10,
                    latency_ns,
                    ..Interval::default()
                };
                observer.interval(&second);
                at += 1.0;
            }
            // A window that was stopped ends with a piece of a second, in which nothing may be answered.
            observer.interval(&Interval { start_seconds: at, seconds: 0.01, ..Interval::default() });
            return Ok(window(rate, at, 1_000_000, 0));
        }
        let seconds = scenario.window.as_secs_f64();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let left = ((rate - knee).max(0.0) * seconds) as u64;
        let ns = if rate > knee * 1.02 { 900_000_000 } else { 1_000_000 };
        Ok(window(rate, seconds, ns, left))
    }
}

fn found(
    settings: &Settings,
    window: &dyn Fn(&Scenario, &dyn Observer) -> Result<Trial, Error>,
    over: &dyn Fn() -> bool,
) -> Found {
    search(&scenario(), settings, Hands { window, over, progress: &Silent, taken: &|| Duration::ZERO })
}

/// Remembers what it is told.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn tell(&self, event: Event) {
        if let Event::Phase(words) | Event::Note(words) = event {
            self.0.lock().unwrap().push(words);
        }
    }
}

#[test]
fn a_reader_hears_what_each_probe_came_to_and_where_the_search_stands() {
    let heard = Heard::default();
    let service = service(60.0, 0.0);
    let hands = Hands { window: &service, over: &|| false, progress: &heard, taken: &|| Duration::ZERO };
    assert!(search(&scenario(), &settings(), hands).error.is_none());
    let heard = heard.0.into_inner().unwrap();
    assert_eq!(
        heard[..5],
        [
            "s: trying 50 requests/s",
            "50 requests/s met the target",
            "s: trying 100 requests/s, 50 met the target",
            "100 requests/s missed the target",
            "s: trying 100 requests/s, between 50 that met the target and 100 that missed it",
        ],
        "{heard:#?}"
    );
}

#[test]
fn the_interval_holds_the_knee_and_the_service_comes_back() {
    let found = found(&settings(), &service(730.0, 4.0), &|| false);
    let (lower, upper) = (found.stress.lower.unwrap(), found.stress.upper.unwrap());
    assert!(lower <= 745.0 && upper >= 730.0 && upper <= lower * 1.05, "{lower} {upper}");
    let recovery = found.stress.recovery.unwrap();
    assert_eq!((recovery.overload, recovery.calm), (upper * 1.5, lower / 2.0));
    assert_eq!((recovery.seconds, recovery.watched_seconds), (Some(4.0), 7.0));
    let steady = found.trial.unwrap();
    assert!((steady.seconds - 10.0).abs() < 1e-9 && found.error.is_none());
}

#[test]
fn a_service_that_does_not_come_back_is_watched_for_long() {
    let found = found(&settings(), &service(100.0, 1e9), &|| false);
    let recovery = found.stress.recovery.unwrap();
    assert_eq!((recovery.seconds, recovery.watched_seconds), (None, 30.0));
}

#[test]
fn beyond_what_the_generator_gives_nothing_is_said_of_the_service() {
    let gives_up = |scenario: &Scenario, observer: &dyn Observer| {
        let mut trial = service(1e9, 0.0)(scenario, observer)?;
        if levels(scenario)[0].0 > 1_000.0 {
            trial.void = Some("the generator was late".into());
        }
        Ok(trial)
    };
    let found = found(&settings(), &gives_up, &|| false);
    assert_eq!((found.stress.lower, found.stress.upper), (Some(800.0), None));
    assert_eq!(found.stress.limit.as_deref(), Some("the generator was late"));
    assert!(found.stress.recovery.is_none() && found.trial.unwrap().void.is_none());
}

#[test]
fn what_was_seen_before_a_stop_is_kept() {
    let windows = Cell::new(0);
    let counted = |scenario: &Scenario, observer: &dyn Observer| {
        windows.set(windows.get() + 1);
        service(1e9, 0.0)(scenario, observer)
    };
    let found = found(&settings(), &counted, &|| windows.get() >= 4);
    assert_eq!(found.stress.probes.len(), 3);
    assert_eq!((found.stress.lower, found.stress.upper), (Some(200.0), None));
    assert!(found.trial.is_some() && found.stress.recovery.is_none() && windows.get() == 4);
}

#[test]
fn a_service_that_dies_ends_the_search_with_what_was_seen() {
    let dies = |scenario: &Scenario, observer: &dyn Observer| {
        if levels(scenario)[0].0 > 300.0 {
            return Err(Error::Logs { path: "x".into(), reason: "gone".into() });
        }
        service(1e9, 0.0)(scenario, observer)
    };
    let found = found(&settings(), &dies, &|| false);
    assert!(found.error.is_some() && found.stress.lower == Some(200.0) && found.trial.is_some());
}

#[test]
fn the_highest_rate_that_may_be_tried_ends_the_search() {
    let bounded = Settings { most: Some(150.0), ..settings() };
    let found = found(&bounded, &service(1e9, 0.0), &|| false);
    assert_eq!((found.stress.lower, found.stress.upper, found.stress.limit), (Some(150.0), None, None));
}

#[test]
fn a_probe_that_was_void_once_is_no_limit_of_the_generator() {
    let windows = Cell::new(0);
    let stumbles = |scenario: &Scenario, observer: &dyn Observer| {
        windows.set(windows.get() + 1);
        let mut trial = service(1e9, 0.0)(scenario, observer)?;
        trial.void = (windows.get() == 2).then(|| "the generator was late".into());
        Ok(trial)
    };
    let bounded = Settings { most: Some(150.0), ..settings() };
    let found = found(&bounded, &stumbles, &|| false);
    assert_eq!((found.stress.lower, found.stress.upper, found.stress.limit), (Some(150.0), None, None));
}

#[test]
fn a_service_of_less_than_a_request_a_second_comes_back_too() {
    // Every fourth second ends a request; between them at most one waits.
    let slow = |scenario: &Scenario, observer: &dyn Observer| {
        let [(_, overload), (calm, watched)] = levels(scenario)[..] else {
            return service(0.5, 0.0)(scenario, observer);
        };
        assert!((calm * watched - 10.0).abs() < 1.0 && watched > 30.0, "{calm} {watched}");
        let mut at = 0.0;
        while !observer.wants_stop() && at < overload + watched {
            let ends = at >= overload && (at - overload) % 4.0 == 0.0;
            let (completed, waits) = (u64::from(ends), u64::from(!ends));
            let latency_ns = ends.then_some([1e6; 4]);
            observer.interval(&Interval {
                start_seconds: at,
                seconds: 1.0,
                completed,
                in_flight: if at < overload { 9 } else { waits },
                latency_ns,
                ..Interval::default()
            });
            at += 1.0;
        }
        Ok(window(calm, at, 1_000_000, 0))
    };
    let settings = Settings { start: Some(0.4), probe: Duration::from_secs(20), ..settings() };
    let recovery = found(&settings, &slow, &|| false).stress.recovery.unwrap();
    assert_eq!(recovery.seconds, Some(0.0));
}

#[test]
fn a_miss_while_the_machine_was_taken_away_is_tried_again_and_counts_in_the_end() {
    let (taken, windows) = (Cell::new(Duration::ZERO), Cell::new(0));
    // The machine takes half a second of every window with an odd number, and what is asked then is not answered in time.
    let torn = |scenario: &Scenario, observer: &dyn Observer| {
        windows.set(windows.get() + 1);
        let odd = windows.get() % 2 == 1;
        if odd {
            taken.set(taken.get() + Duration::from_millis(500));
        }
        service(if odd { 1.0 } else { 730.0 }, 0.0)(scenario, observer)
    };
    let told = || taken.get();
    let hands = Hands { window: &torn, over: &|| false, progress: &Silent, taken: &told };
    let found = search(&scenario(), &settings(), hands);
    let (lower, upper) = (found.stress.lower.unwrap(), found.stress.upper.unwrap());
    assert!(lower <= 745.0 && upper >= 730.0 && upper <= lower * 1.05, "{lower} {upper}");
    let torn: Vec<_> = found.stress.probes.iter().filter_map(|probe| probe.void.as_deref()).collect();
    assert!(!torn.is_empty() && torn[0].starts_with("the machine took 33 % of a processor away"), "{torn:?}");
    // One that is never left alone is judged after three more tries, or there would be no end.
    let always = || {
        taken.set(taken.get() + Duration::from_secs(1));
        taken.get()
    };
    let slow = service(1.0, 0.0);
    let hands = Hands { window: &slow, over: &|| false, progress: &Silent, taken: &always };
    let found = search(&scenario(), &Settings { most: Some(100.0), ..settings() }, hands);
    let first = found.stress.probes.iter().take_while(|probe| (probe.rate - 50.0).abs() < 1e-9);
    let void: Vec<bool> = first.map(|probe| probe.void.is_some()).collect();
    assert_eq!(void[..4], [true, true, true, false], "{void:?}");
    assert!(found.stress.limit.is_none() && found.stress.upper.is_some());
}
