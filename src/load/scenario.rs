//! A load scenario, complete: what `[[load]]` of `tollgate.toml` says with every default filled in, or what flags say.
//!
//! Plain data. Texts that may hold `{{ name }}` are kept as written; `load::script` compiles them.

use std::{path::PathBuf, time::Duration};

/// One load benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Its name; its benchmark is `load:NAME`.
    pub name: String,
    /// Who is under load.
    pub service: Service,
    /// What is asked: flows with their weights.
    pub flows: Vec<Flow>,
    /// How much and when.
    pub model: Model,
    /// Load before the window that is not recorded.
    pub warmup: Duration,
    /// The recorded window.
    pub window: Duration,
    /// Who sends the requests.
    pub driver: Driver,
    /// How a request travels.
    pub transport: Transport,
    /// The longest that one request may take, from sent to whole answer.
    pub request_timeout: Duration,
    /// How long after the window answers are waited for; what is left then is unfinished.
    pub drain: Duration,
    /// The scenario's own metrics: formulas over the service's Prometheus page.
    pub metrics: Vec<Formula>,
    /// The path of that page on the service (`/metrics`), or a whole URL.
    pub metrics_url: String,
    /// Which of its metrics are judged by `check`; the defaults are p50, p90, CPU per request, peak RSS, and the error share.
    pub gate: Vec<String>,
    /// How many sampled questions base and head must answer alike; 0 asks none.
    pub alike: u32,
    /// Where its files (bodies, data) are looked for.
    pub folder: PathBuf,
}

/// Who is under load.
#[derive(Debug, Clone, PartialEq)]
pub enum Service {
    /// A command that we start, one fresh process a slot.
    Command(Launch),
    /// Something that already runs, at this URL. It cannot be compared with a base.
    Running(String),
}

/// How the service is built, started and stopped. `{port}` in any text is the port that was picked for this start.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// The build step, run once a revision in its tree; empty for none.
    pub build: Vec<String>,
    /// The command, program first; started in the revision's tree.
    pub command: Vec<String>,
    /// The working directory, relative to the tree's root.
    pub directory: PathBuf,
    /// Variables beside our own; `PORT` is always set to the port that was picked.
    pub environment: Vec<(String, String)>,
    /// Where requests go: `http://127.0.0.1:{port}`.
    pub url: String,
    /// How we know that it answers.
    pub ready: Ready,
    /// How long it may take until it does.
    pub ready_timeout: Duration,
    /// How long it may take to stop when asked to.
    pub stop_timeout: Duration,
    /// The executable whose equality means that nothing changed, relative to the tree; empty: the built program of `command`.
    pub executable: Option<PathBuf>,
}

/// How a service says that it is ready.
#[derive(Debug, Clone, PartialEq)]
pub enum Ready {
    /// A GET of this path or URL answers with a status below 400.
    Url(String),
    /// The port of `url` accepts connections.
    Port,
    /// A line of its output matches this regular expression.
    Log(String),
}

/// A sequence of requests of one user; a single request is a flow of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Its name.
    pub name: String,
    /// How often it is taken beside the others; positive.
    pub weight: f64,
    /// Its requests in order.
    pub steps: Vec<Step>,
    /// Rows of data for its `{{ name }}`s, if any.
    pub data: Option<Data>,
}

/// Rows of data: one row a session, in seeded random order or in the file's.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// A `.csv` file with a header or a `.jsonl` file of objects, relative to the scenario's folder.
    pub file: PathBuf,
    /// Take rows in the file's order, starting over at its end, instead of at random.
    pub in_order: bool,
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name in reports; the method and path as written where none is given.
    pub name: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query; may hold `{{ name }}`.
    pub path: String,
    /// Headers; values may hold `{{ name }}`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// What the answer must look like.
    pub expect: Expect,
    /// Values taken from the answer for later steps.
    pub capture: Vec<Capture>,
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Nothing.
    None,
    /// This text, which may hold `{{ name }}`.
    Text(String),
    /// The bytes of this file, relative to the scenario's folder, as they are.
    File(PathBuf),
}

/// What counts as an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// Status ranges, both ends included; empty: 200 to 399.
    pub status: Vec<(u16, u16)>,
    /// A regular expression that the body must match.
    pub body: Option<String>,
}

/// A value taken from an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// The name that later steps use.
    pub name: String,
    /// Where it is.
    pub from: CaptureFrom,
}

/// Where a captured value is.
#[derive(Debug, Clone, PartialEq)]
pub enum CaptureFrom {
    /// A JSONPath (RFC 9535) into the body; the first match counts.
    JsonPath(String),
    /// A regular expression over the body; its first group counts, or the whole match.
    Regex(String),
    /// A header by name.
    Header(String),
}

/// Who sends the requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Driver {
    /// Our own generator, in this process.
    #[default]
    Tollgate,
    /// Locust: a master on this machine, workers on it and on others.
    Locust(Locust),
}

/// A Locust of several processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locust {
    /// The program, on this machine and on all hosts.
    pub program: String,
    /// Workers on this machine.
    pub workers: u32,
    /// Where further workers are started over ssh, one an entry: `user@host`.
    pub hosts: Vec<String>,
    /// Under which address the hosts reach the master on this machine; there is one where there are hosts.
    pub master: Option<String>,
    /// The port of the master; one is picked where none is given.
    pub port: Option<u16>,
}

/// How much load, and when.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// Open loop: flows start when they are due, whatever the service does.
    Rate {
        /// Flows a second over time.
        stages: Vec<Stage>,
        /// How they are spread.
        arrivals: Arrivals,
        /// At most this many connections; a request that finds none free waits, on the clock.
        connections: Option<u32>,
    },
    /// Closed loop: each user starts its next flow when the last one ended and it has thought about it.
    Users {
        /// Users over time.
        stages: Vec<Stage>,
        /// The pause between two flows of a user.
        think: Duration,
    },
}

impl Model {
    /// Whether the load changes within a window of this length.
    #[must_use]
    pub fn varies(&self, window: Duration) -> bool {
        let (Self::Rate { stages, .. } | Self::Users { stages, .. }) = self;
        let mut end = Duration::ZERO;
        let within = stages.iter().take_while(|stage| {
            let begins = end < window;
            end = end.saturating_add(stage.duration);
            begins
        });
        let mut level = None;
        within.into_iter().any(|stage| {
            let before = level.replace(stage.level);
            // Evenly from one level to the same one is no change.
            let from = before.unwrap_or(if stage.ramp { 0.0 } else { stage.level });
            (from - stage.level).abs() > f64::EPSILON * stage.level
        })
    }
}

/// A stretch of load. The last stage goes on until the window ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// Flows a second, or users, at its end (and all through it, unless it ramps).
    pub level: f64,
    /// Its length.
    pub duration: Duration,
    /// Whether it rises or falls evenly from the level before it (from 0 at the start).
    pub ramp: bool,
}

/// How due times are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrivals {
    /// At constant distance.
    #[default]
    Constant,
    /// A Poisson process: exponential gaps.
    Poisson,
}

/// How requests travel.
#[derive(Debug, Clone, PartialEq)]
pub struct Transport {
    /// HTTP/2 instead of HTTP/1.1 (by prior knowledge without TLS, by ALPN with it).
    pub http2: bool,
    /// Reuse connections.
    pub keep_alive: bool,
    /// Connect to this Unix socket instead of the URL's host; relative to the revision's tree. `{port}` is replaced.
    pub unix_socket: Option<PathBuf>,
    /// Trust this certificate (PEM file) beside the bundled roots.
    pub tls_ca: Option<PathBuf>,
    /// Trust any certificate.
    pub tls_insecure: bool,
    /// Allow a host that is not this machine.
    pub allow_remote: bool,
}

/// A metric of the scenario's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// Its name: `cache_hit_rate`.
    pub name: String,
    /// `hits / (hits + misses)` over the increase of counters (or the last value of gauges) in the window.
    pub formula: String,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// Its unit, for display; empty for a share.
    pub unit: String,
}

/// A scenario for unit tests, which change what they are about.
#[cfg(test)]
pub(crate) mod example {
    use std::{path::PathBuf, time::Duration};

    use super::{Arrivals, Body, Driver, Expect, Flow, Model, Scenario, Service, Stage, Step, Transport};

    /// An open loop at one rate.
    pub(crate) fn rate(level: f64) -> Model {
        let stages = vec![Stage { level, duration: Duration::from_secs(3_600), ramp: false }];
        Model::Rate { stages, arrivals: Arrivals::Constant, connections: None }
    }

    /// 50 requests a second for a page of a service that runs, over 5 s.
    pub(crate) fn scenario(name: &str) -> Scenario {
        let step = Step {
            name: "GET /".into(),
            method: "GET".into(),
            path: "/".into(),
            headers: Vec::new(),
            body: Body::None,
            expect: Expect { status: Vec::new(), body: None },
            capture: Vec::new(),
        };
        Scenario {
            name: name.into(),
            service: Service::Running("http://127.0.0.1:1".into()),
            flows: vec![Flow { name: "all".into(), weight: 1.0, steps: vec![step], data: None }],
            model: rate(50.0),
            warmup: Duration::ZERO,
            window: Duration::from_secs(5),
            driver: Driver::Tollgate,
            transport: Transport {
                http2: false,
                keep_alive: true,
                unix_socket: None,
                tls_ca: None,
                tls_insecure: false,
                allow_remote: false,
            },
            request_timeout: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            metrics: Vec::new(),
            metrics_url: "/metrics".into(),
            gate: Vec::new(),
            alike: 0,
            folder: PathBuf::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Model, Stage};

    #[test]
    fn a_load_varies_when_a_stage_within_the_window_changes_it() {
        let varies = |stages: &[(f64, u64, bool)], window: u64| {
            let stage = |&(level, seconds, ramp): &(f64, u64, bool)| Stage {
                level,
                duration: Duration::from_secs(seconds),
                ramp,
            };
            let stages = stages.iter().map(stage).collect();
            Model::Users { stages, think: Duration::ZERO }.varies(Duration::from_secs(window))
        };
        assert!(!varies(&[(10.0, 60, false)], 60) && !varies(&[(10.0, 60, false)], 600));
        assert!(!varies(&[(10.0, 60, false), (10.0, 60, true), (10.0, 60, false)], 180));
        assert!(varies(&[(10.0, 60, true)], 60));
        // The second stage begins after the window's end, or within it.
        assert!(!varies(&[(10.0, 60, false), (20.0, 60, false)], 60));
        assert!(varies(&[(10.0, 60, false), (20.0, 60, false)], 61));
    }
}
