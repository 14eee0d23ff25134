//! The generator as it is, pacer, lanes, hyper and recorder, on a simulated clock, against a service whose every answer is known.
//!
//! What `tests.rs` shows of the accounting alone must hold of the whole; only the processor's own time is left out.

use std::{
    cell::Cell,
    path::Path,
    rc::Rc,
    sync::{Arc, mpsc},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    sync::mpsc::unbounded_channel,
};

use super::{
    Drive,
    course::Course,
    drive::Load,
    self_check::{Shortages, void},
    worker::{Lines, Worker},
};
use crate::{
    load::{
        clock::{self, simulated},
        http::target::Target,
        recorder::Recorded,
        scenario::{Model, Scenario, example},
        script::Script,
    },
    model::{load::Distribution, run::Side},
};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// How long the answer to a request takes, nanoseconds: given its number by arrival, and when it came since the window's start.
type Latency = dyn Fn(u64, u64) -> u64;

/// An open loop through so many connections.
fn scenario(rate: f64, seconds: u64, connections: u32) -> Scenario {
    let Model::Rate { stages, arrivals, .. } = example::rate(rate) else { unreachable!("it is one") };
    Scenario {
        model: Model::Rate { stages, arrivals, connections: Some(connections) },
        window: Duration::from_secs(seconds),
        request_timeout: Duration::from_secs(20),
        ..example::scenario("truth")
    }
}

/// Runs one worker over the whole window.
fn run(scenario: &Scenario, latency: impl Fn(u64, u64) -> u64 + 'static) -> Recorded {
    let recorded = run_and_count(scenario, latency).0;
    // Its processor time is real and the window's is not, so that is left out.
    assert_eq!(void(&recorded, Shortages::default(), 0.0, true), None);
    recorded
}

/// The same, and how many connections it opened.
fn run_and_count(scenario: &Scenario, latency: impl Fn(u64, u64) -> u64 + 'static) -> (Recorded, usize) {
    let script = Script::compile(&scenario.flows, Path::new("."), 1).unwrap();
    let asked = Drive {
        scenario,
        script: &script,
        url: "http://within/",
        socket: None,
        side: Side::Head,
        seed: 1,
        workers: Some(1),
    };
    let window = u64::try_from(scenario.window.as_nanos()).unwrap();
    let (out, seconds) = mpsc::channel();
    let (_spent, spent) = mpsc::channel();
    let connections = Rc::<Cell<usize>>::default();
    let opened = Rc::clone(&connections);
    let part = simulated::run(async {
        let (listener, mut arriving) = unbounded_channel();
        let origin = clock::now() + Duration::from_millis(30);
        let since = move || u64::try_from((clock::now() - origin).as_nanos()).unwrap();
        let (latency, count) = (Rc::new(latency) as Rc<Latency>, Rc::<Cell<u64>>::default());
        tokio::task::spawn_local(async move {
            while let Some(stream) = arriving.recv().await {
                opened.set(opened.get() + 1);
                tokio::task::spawn_local(serve(stream, Rc::clone(&latency), Rc::clone(&count), since));
            }
        });
        let course = Arc::new(Course::new(origin, (0, window), 10 * SECOND, 20 * SECOND));
        let target = Arc::new(Target::within(listener));
        let parts = Load::new(&asked, None).parts(0, &course, &target, &Arc::new(script.clone()));
        Worker::new(parts).unwrap().pace(&Lines { out, spent }).await
    });
    let recorded = part.recorded;
    let requests = &recorded.requests;
    assert_eq!(requests.scheduled, requests.completed + requests.errors + requests.unfinished);
    assert_eq!(recorded.clocks.response_time.count(), requests.completed + requests.unfinished);
    assert_eq!(seconds.iter().map(|(_, slice)| slice.scheduled).sum::<u64>(), requests.scheduled);
    (recorded, connections.get())
}

async fn serve(
    mut stream: DuplexStream,
    latency: Rc<Latency>,
    count: Rc<Cell<u64>>,
    since: impl Fn() -> u64,
) {
    let (mut asked, mut chunk) = (Vec::new(), [0; 1_024]);
    while let Ok(length @ 1..) = stream.read(&mut chunk).await {
        asked.extend_from_slice(&chunk[..length]);
        if !asked.ends_with(b"\r\n\r\n") {
            continue;
        }
        asked.clear();
        let latency = latency(count.replace(count.get() + 1), since());
        if latency > 0 {
            simulated::sleep(latency).await;
        }
        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.is_err() {
            return;
        }
    }
}

/// Most answers are quick, some take twenty times as long, two in a thousand sixty times; the percentiles that are looked at lie
/// within a kind and not between two.
fn mixed(number: u64) -> u64 {
    match (number * 389) % 1_000 {
        0..880 => 5 * MS,
        880..985 => 20 * MS,
        985..998 => 80 * MS,
        _ => 300 * MS,
    }
}

/// The smallest value that this share of all does not exceed.
fn exact(sorted: &[u64], q: f64) -> f64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    let place = (q * sorted.len() as f64).ceil() as usize;
    sorted[place.max(1) - 1] as f64 / 1e6
}

/// Within 2 % or 1 ms.
fn assert_near(sample: &Distribution, q: f64, want: f64) {
    let got = sample.quantile(q).unwrap();
    let off = (got.ns / 1e6 - want).abs();
    assert!(
        !got.lower_bound && off <= (want * 0.02).max(1.0),
        "p{}: {got:?}, but {want} ms is true",
        q * 100.0
    );
}

const PERCENTILES: [f64; 6] = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

#[test]
fn percentiles_of_known_latencies_are_right_at_every_rate_with_and_without_a_freeze() {
    for (rate, seconds) in [(100_u32, 20), (2_000, 2), (20_000, 1)] {
        for freeze in [0..0, SECOND / 2..SECOND / 2 + SECOND / 10] {
            let count = u64::from(rate) * seconds;
            // A request that comes while the service is frozen waits for the end of that first.
            let frozen = freeze.clone();
            let wait = move |at: u64| if frozen.contains(&at) { frozen.end - at } else { 0 };
            // As many connections as the freeze wants: waiting for one is another test.
            let asked = scenario(f64::from(rate), seconds, 10_000);
            let held = wait.clone();
            let recorded = run(&asked, move |number, at| held(at) + mixed(number));
            assert_eq!((recorded.requests.scheduled, recorded.requests.completed), (count, count));
            let due = |number: u64| (number + 1) * SECOND / u64::from(rate);
            let mut true_ones: Vec<u64> =
                (0..count).map(|number| wait(due(number)) + mixed(number)).collect();
            true_ones.sort_unstable();
            for q in PERCENTILES {
                assert_near(&recorded.clocks.response_time, q, exact(&true_ones, q));
            }
        }
    }
}

#[test]
fn a_stall_of_a_second_shows_whole_through_twenty_connections() {
    let stall = 3 * SECOND..4 * SECOND;
    let quick = MS / 20;
    let recorded =
        run(
            &scenario(200.0, 8, 20),
            move |_, at| {
                if stall.contains(&at) { stall.end - at + quick } else { quick }
            },
        );
    assert_eq!((recorded.requests.scheduled, recorded.requests.completed), (1_600, 1_600));
    for (q, want) in [(0.5, 0.05), (0.9, 200.0), (0.95, 600.0), (0.99, 920.0)] {
        assert_near(&recorded.clocks.response_time, q, want);
    }
    // What a clock that starts at the send would say, and where the rest went.
    assert!(recorded.clocks.service_time.quantile(0.95).unwrap().ns < 1e6);
    assert!(recorded.clocks.pool_wait.quantile(0.95).unwrap().ns > 500e6);
}

#[test]
fn a_generator_that_was_kept_from_its_processor_opens_no_connection_for_all_that_is_due_by_then() {
    // Half a second in which no task runs: 1,000 requests are due at once, and the service answers each at once.
    let (recorded, connections) = run_and_count(&scenario(2_000.0, 2, 10_000), |number, _| {
        if number == 1_000 {
            simulated::pass(SECOND / 2);
        }
        0
    });
    assert_eq!((recorded.requests.scheduled, recorded.requests.completed), (4_000, 4_000));
    assert!(connections <= 200, "{connections}");
    // That they were late is on the clock, and voids the window.
    assert_near(&recorded.clocks.response_time, 0.99, 480.0);
    assert!(void(&recorded, Shortages::default(), 0.0, true).is_some());
}

#[test]
fn under_overload_what_was_scheduled_is_counted_and_the_tail_is_a_lower_bound() {
    // Two connections at 30 ms carry 66 a second of 200: 1,200 of 1,600 by ten seconds after the window.
    let recorded = run(&scenario(200.0, 8, 2), |_, _| 30 * MS);
    assert_eq!(recorded.requests.scheduled, 1_600);
    assert!((1_180..=1_205).contains(&recorded.requests.completed), "{:?}", recorded.requests);
    let p90 = recorded.clocks.response_time.quantile(0.9).unwrap();
    assert!(p90.lower_bound && p90.ns > 10e9, "{p90:?}");
}
