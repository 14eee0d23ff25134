//! Load on real servers of known behaviour, good and bad.

mod connections;
mod course;
mod faults;
mod modern;
mod secure;
mod truth;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tollgate::{
    load::{
        generator::{Drive, Error, drive},
        scenario::{Arrivals, Body, Driver, Expect, Flow, Model, Scenario, Service, Stage, Step, Transport},
        script::Script,
        watch::{Deaf, Unwatched},
    },
    model::{
        load::{ErrorKind, Trial},
        run::Side,
    },
    process::Interrupt,
};

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn step(method: &str, path: &str) -> Step {
    Step {
        name: path.into(),
        method: method.into(),
        path: path.into(),
        headers: Vec::new(),
        body: Body::None,
        expect: Expect { status: Vec::new(), body: None },
        capture: Vec::new(),
    }
}

fn rate(level: f64, connections: Option<u32>) -> Model {
    let stages = vec![Stage { level, duration: Duration::from_secs(3600), ramp: false }];
    Model::Rate { stages, arrivals: Arrivals::Constant, connections }
}

fn users(level: f64, think: Duration) -> Model {
    Model::Users { stages: vec![Stage { level, duration: Duration::from_secs(3600), ramp: false }], think }
}

fn scenario(model: Model, window: Duration) -> Scenario {
    Scenario {
        name: "test".into(),
        service: Service::Running(String::new()),
        flows: vec![Flow { name: "one".into(), weight: 1.0, steps: vec![step("GET", "/")], data: None }],
        model,
        warmup: Duration::ZERO,
        window,
        driver: Driver::Tollgate,
        transport: Transport {
            http2: false,
            keep_alive: true,
            unix_socket: None,
            tls_ca: None,
            tls_insecure: false,
            allow_remote: false,
        },
        request_timeout: Duration::from_secs(20),
        drain: Duration::from_secs(10),
        metrics: Vec::new(),
        metrics_url: String::new(),
        gate: Vec::new(),
        alike: 0,
        folder: PathBuf::from("."),
    }
}

fn try_run(scenario: &Scenario, url: &str, socket: Option<&Path>) -> Result<Trial, Error> {
    let script = Script::compile(&scenario.flows, Path::new("."), 1).unwrap();
    let asked = Drive { scenario, script: &script, url, socket, side: Side::Head, seed: 1, workers: None };
    drive(&asked, &mut Unwatched, &Deaf, &Interrupt::new())
}

fn run(scenario: &Scenario, url: &str) -> Trial {
    let trial = try_run(scenario, url, None).unwrap();
    assert_whole(&trial);
    trial
}

fn assert_whole(trial: &Trial) {
    let requests = &trial.requests;
    assert_eq!(
        requests.scheduled,
        requests.completed + requests.errors + requests.unfinished,
        "{requests:?}"
    );
    assert_eq!(requests.errors, requests.error_kinds.values().sum::<u64>(), "{requests:?}");
    assert_eq!(
        requests.scheduled,
        trial.endpoints.iter().map(|endpoint| endpoint.requests.scheduled).sum::<u64>()
    );
    let timeouts = requests.error_kinds.get(&ErrorKind::Timeout).copied().unwrap_or(0);
    assert_eq!(trial.clocks.response_time.count(), requests.completed + requests.unfinished + timeouts);
}

/// Every request failed in this one way.
fn assert_all(trial: &Trial, kind: ErrorKind) {
    let errors = &trial.requests.error_kinds;
    assert!(trial.requests.scheduled > 0, "nothing was asked");
    assert_eq!(errors.get(&kind).copied().unwrap_or(0), trial.requests.scheduled, "{errors:?}");
}

fn response_ms(trial: &Trial, q: f64) -> f64 {
    trial.clocks.response_time.quantile(q).unwrap().ns / 1e6
}
