//! The course of a trial: warm-up, users, sessions, its end.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tollgate::{
    load::generator::{Drive, drive},
    load::scenario::{Capture, CaptureFrom, Model, Stage, Step},
    load::script::Script,
    load::watch::{Deaf, Observer, ServiceWatch, Tick, Unwatched},
    model::load::{Costs, Interval},
    model::run::Side,
    process::Interrupt,
};

use super::{assert_whole, ms, rate, run, scenario, step, users};
use crate::support::server::{Reply, Server, ok};

#[test]
fn the_numbers_of_a_warm_up_fit_where_those_of_the_window_do() {
    // As a service that keeps its ids in 32 bits.
    let server = Server::start(|_, head| {
        let number = head.split(' ').nth(1).and_then(|path| path.strip_prefix('/'));
        let fits = number.is_some_and(|number| number.parse::<i32>().is_ok());
        Reply::Keep(if fits { ok("fine") } else { b"HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n".to_vec() })
    });
    let mut numbered = scenario(rate(50.0, None), Duration::from_secs(1));
    numbered.warmup = ms(500);
    numbered.flows[0].steps[0].path = "/{{ number }}".into();
    let heard = Heard::default();
    let script = Script::compile(&numbered.flows, Path::new("."), 1).unwrap();
    let (url, side) = (server.url(), Side::Head);
    let asking =
        Drive { scenario: &numbered, script: &script, url: &url, socket: None, side, seed: 1, workers: None };
    let trial = drive(&asking, &mut Unwatched, &heard, &Interrupt::new()).unwrap();
    assert_eq!((trial.requests.completed, trial.requests.errors), (50, 0));
    let heard = heard.intervals.lock().unwrap();
    let warm: Vec<_> = heard.iter().filter(|interval| interval.start_seconds < 0.0).collect();
    assert!(warm[0].completed > 20 && warm.iter().all(|interval| interval.errors == 0), "{warm:#?}");
}

#[test]
fn users_who_do_not_think_are_never_late_however_busy_the_generator_is() {
    let server = Server::start(|_, _| Reply::Keep(ok("quick")));
    let trial = run(&scenario(users(8.0, Duration::ZERO), ms(500)), &server.url());
    assert!(trial.requests.completed > 8 && trial.generator_cpu > 0.0, "{:?}", trial.requests);
    assert_eq!(trial.void, None);
}

#[test]
fn users_wait_for_the_answer_and_think_before_they_ask_again() {
    let flying = Arc::<AtomicU64>::default();
    let most = Arc::<AtomicU64>::default();
    let (counted, seen) = (Arc::clone(&flying), Arc::clone(&most));
    let server = Server::start(move |_, _| {
        seen.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::sleep(ms(20));
        counted.fetch_sub(1, Ordering::SeqCst);
        Reply::Keep(ok("thought"))
    });
    let trial = run(&scenario(users(5.0, ms(30)), Duration::from_secs(2)), &server.url());
    // A round takes at least 50 ms, so five users cannot make more than 40 each.
    assert!((60..=205).contains(&trial.requests.scheduled), "{:?}", trial.requests);
    assert_eq!(trial.requests.completed, trial.requests.scheduled);
    assert!(most.load(Ordering::SeqCst) <= 5 && trial.in_flight_peak <= 5);
    let shortest = trial.clocks.response_time.known().min();
    assert!(shortest >= 19_900_000, "{shortest}");
}

#[test]
fn a_ramp_of_users_brings_them_one_after_the_other() {
    let server = Server::start(|_, _| {
        thread::sleep(ms(10));
        Reply::Keep(ok("more"))
    });
    let stages = vec![Stage { level: 10.0, duration: Duration::from_secs(2), ramp: true }];
    let trial = run(&scenario(Model::Users { stages, think: ms(10) }, Duration::from_secs(2)), &server.url());
    let half = trial.intervals[0].scheduled as f64 / trial.requests.scheduled as f64;
    assert!(half < 0.45, "{half}");
    // Each of the ten thinks half of its time: how many are at it at once is chance, but ten are never exceeded.
    assert!((5..=10).contains(&trial.in_flight_peak), "{}", trial.in_flight_peak);
}

#[test]
fn a_later_step_is_due_when_the_answer_before_it_was_there_and_uses_what_it_captured() {
    let server = Server::start(|_, head| {
        if head.starts_with("get /item/7 ") {
            thread::sleep(ms(2));
            return Reply::Keep(ok("seven"));
        }
        thread::sleep(ms(30));
        Reply::Keep(ok("{\"id\":7}"))
    });
    let mut session = scenario(rate(20.0, None), Duration::from_secs(1));
    let first = Step {
        capture: vec![Capture { name: "id".into(), from: CaptureFrom::JsonPath("$.id".into()) }],
        ..step("POST", "/item")
    };
    session.flows[0].steps = vec![first, Step { name: "read".into(), ..step("GET", "/item/{{ id }}") }];
    let trial = run(&session, &server.url());
    let names: Vec<&str> = trial.endpoints.iter().map(|endpoint| &*endpoint.name).collect();
    assert_eq!(names, ["/item", "read"]);
    assert_eq!(trial.requests.errors, 0, "{:?}", trial.requests);
    assert_eq!(trial.endpoints[0].requests.completed, 20);
    // The last session's second step is due after the window, so it is not asked.
    assert!((18..=20).contains(&trial.endpoints[1].requests.completed), "{:?}", trial.endpoints[1].requests);
    let second = trial.endpoints[1].response_time.quantile(0.2).unwrap().ns;
    assert!(second < 2.5e7, "the wait for the first answer is not in the second's time: {second}");
}

#[test]
fn what_was_due_in_the_warm_up_is_not_recorded() {
    let asked = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&asked);
    let server = Server::start(move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        Reply::Keep(ok("warm"))
    });
    let mut warm = scenario(rate(50.0, None), Duration::from_secs(1));
    warm.warmup = ms(1_500);
    let heard = Heard::default();
    let script = Script::compile(&warm.flows, Path::new("."), 1).unwrap();
    let (url, side) = (server.url(), Side::Base);
    let asking =
        Drive { scenario: &warm, script: &script, url: &url, socket: None, side, seed: 1, workers: Some(2) };
    let trial = drive(&asking, &mut Unwatched, &heard, &Interrupt::new()).unwrap();
    assert_whole(&trial);
    assert_eq!((trial.requests.completed, asked.load(Ordering::SeqCst)), (50, 125));
    let heard = heard.intervals.lock().unwrap();
    let starts: Vec<f64> = heard.iter().map(|interval| interval.start_seconds).collect();
    assert_eq!(starts, [-1.5, -1.0, 0.0]);
    let scheduled: Vec<u64> = heard.iter().map(|interval| interval.scheduled).collect();
    // What falls on the border of two seconds may be handed on after it.
    assert!(scheduled[0].abs_diff(25) <= 2 && scheduled[2] >= 48, "{scheduled:?}");
    assert_eq!(trial.intervals.len(), 1);
}

#[derive(Default)]
struct Heard {
    intervals: Mutex<Vec<Interval>>,
    stop: AtomicBool,
}

impl Observer for Heard {
    fn interval(&self, interval: &Interval) {
        self.intervals.lock().unwrap().push(interval.clone());
    }
    fn wants_stop(&self) -> bool {
        self.stop.load(Ordering::SeqCst) && !self.intervals.lock().unwrap().is_empty()
    }
}

#[test]
fn a_wish_to_stop_ends_the_window_early_and_an_interrupt_everything_at_once() {
    let server = Server::start(|_, _| {
        thread::sleep(ms(200));
        Reply::Keep(ok("stop"))
    });
    let long = scenario(rate(50.0, None), Duration::from_secs(600));
    let script = Script::compile(&long.flows, Path::new("."), 1).unwrap();
    let url = server.url();
    let asking = Drive {
        scenario: &long,
        script: &script,
        url: &url,
        socket: None,
        side: Side::Head,
        seed: 1,
        workers: None,
    };
    let heard = Heard { stop: AtomicBool::new(true), ..Heard::default() };
    let trial = drive(&asking, &mut Unwatched, &heard, &Interrupt::new()).unwrap();
    assert_whole(&trial);
    assert!(trial.seconds < 60.0 && trial.requests.unfinished == 0, "{:?}", trial.requests);
    assert!((trial.requests.scheduled as f64 - 50.0 * trial.seconds).abs() <= 2.0);
    let interrupt = Interrupt::new();
    let later = interrupt.clone();
    thread::spawn(move || {
        thread::sleep(ms(700));
        later.request("SIGINT");
    });
    let trial = drive(&asking, &mut Unwatched, &Deaf, &interrupt).unwrap();
    assert_whole(&trial);
    assert!(trial.requests.completed > 0 && trial.requests.unfinished > 0, "{:?}", trial.requests);
    assert!(trial.seconds < 60.0);
}

struct Mortal(u32);

impl ServiceWatch for Mortal {
    fn begin(&mut self) {}
    fn tick(&mut self) -> Tick {
        Tick::default()
    }
    fn finish(&mut self) -> Costs {
        Costs::default()
    }
    fn alive(&mut self) -> Result<(), String> {
        self.0 = self.0.saturating_sub(1);
        if self.0 > 0 { Ok(()) } else { Err("it was killed by signal 9".into()) }
    }
}

#[test]
fn a_service_that_dies_ends_the_trial_with_its_sentence() {
    let server = Server::start(|_, _| Reply::Keep(ok("still here")));
    let long = scenario(rate(50.0, None), Duration::from_secs(600));
    let script = Script::compile(&long.flows, Path::new("."), 1).unwrap();
    let url = server.url();
    let asking = Drive {
        scenario: &long,
        script: &script,
        url: &url,
        socket: None,
        side: Side::Head,
        seed: 1,
        workers: None,
    };
    let error = drive(&asking, &mut Mortal(2), &Deaf, &Interrupt::new()).unwrap_err();
    assert_eq!(error.to_string(), "the service ended under load: it was killed by signal 9");
}
