//! The keys of `[[load]]` and `[targets]`. Doc comments here are user text: they become the JSON Schema's descriptions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::values::{Capture, Command, Data, Expect, Formula, Ready};
use crate::config::values::{Percent, Size, Span, Wait};

/// A load benchmark: a service, what it is asked, and how much of it. Its name in reports is `load:` and its `name`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Load {
    /// Its name.
    pub name: Option<String>,
    /// The command that starts the service, in each revision's tree: a text of words, or a list. `{port}` is the port that was
    /// picked; the variable `PORT` holds it too. Without it, `url` is a service that already runs.
    pub command: Option<Command>,
    /// What builds it, once a revision: a text of words, or a list.
    pub build: Option<Command>,
    /// The working directory of both, relative to the repository's root (default: the root).
    pub directory: Option<String>,
    /// Variables for both. `{port}` is the port that was picked.
    pub env: BTreeMap<String, String>,
    /// Where requests go (default `http://127.0.0.1:{port}`).
    pub url: Option<String>,
    /// How the service says that it is ready: `{ url = "/health" }` (also just `"/health"`) answers with a status below 400,
    /// `{ port = true }` accepts connections (the default), `{ log = "listening" }` writes a line that matches.
    pub ready: Option<Ready>,
    /// How long it may take to be ready (default 30s).
    pub ready_timeout: Option<Span>,
    /// How long it may take to stop when asked to (default 5s).
    pub stop_timeout: Option<Span>,
    /// The program whose equality in base and head means that nothing can have changed, relative to the repository's root
    /// (default: the program of `command`, where it was built in the tree).
    pub executable: Option<String>,

    /// Open loop: requests (or flows) a second, sent when they are due whatever the service does.
    pub rate: Option<f64>,
    /// Closed loop: users, each of whom waits for its answer before it asks again.
    pub users: Option<u32>,
    /// Load over time, instead of `rate` or `users`. The last stage goes on until the window ends.
    pub stage: Vec<Stage>,
    /// How requests of a `rate` are spread: at `constant` distance (the default) or as a `poisson` process.
    pub arrivals: Option<Arrivals>,
    /// At most this many connections for a `rate`; a request that finds none free waits, and the wait counts (default: no limit).
    pub connections: Option<u32>,
    /// The pause of a user between two flows (default 0s).
    pub think: Option<Wait>,
    /// Load before the window that is not recorded (default 1s).
    pub warmup: Option<Wait>,
    /// How long is recorded (default: as long as all stages, else 5s).
    pub window: Option<Span>,
    /// The longest that one request may take (default 30s).
    pub timeout: Option<Span>,
    /// How long answers are waited for after the window (default: `timeout`, at most 10s).
    pub drain: Option<Wait>,

    /// Who sends the requests: `tollgate` itself (the default) or `locust`, on this machine and others.
    pub driver: Option<Driver>,
    /// With Locust: workers on this machine (default 2; with `hosts` 0).
    pub workers: Option<u32>,
    /// With Locust: further workers, one an entry, started over ssh without a password: `user@host`. Needs `master` and `allow_remote`.
    pub hosts: Vec<String>,
    /// With Locust: the address, and if you like the port, under which `hosts` reach this machine: `10.0.0.5` or `10.0.0.5:5557`.
    pub master: Option<String>,
    /// With Locust: the program, on this machine and on all `hosts` (default `locust`).
    pub locust: Option<String>,

    /// Reuse connections (default true).
    pub keep_alive: Option<bool>,
    /// HTTP/2 instead of HTTP/1.1 (default false).
    pub http2: Option<bool>,
    /// Connect to this Unix socket instead of the host of `url`, relative to the repository's root. `{port}` is the port that was
    /// picked.
    pub unix_socket: Option<String>,
    /// Trust the certificates of this PEM file too, relative to this file.
    pub tls_ca: Option<String>,
    /// Trust any certificate (default false).
    pub tls_insecure: Option<bool>,
    /// Allow a `url` that is not this machine (default false).
    pub allow_remote: Option<bool>,

    /// The page with the service's own metrics in Prometheus' text format: a path on the service or a URL (default `/metrics`).
    pub metrics_url: Option<String>,
    /// Metrics of your own as formulas over that page: `cache_hit_rate = "hits / (hits + misses)"`.
    pub metrics: BTreeMap<String, Formula>,
    /// The metrics that `tollgate check` judges (default: `error_rate`, `latency.p50`, `latency.p90`, `cpu`, `rss.max` and your own). `knee`, the
    /// rate that the service bears, is searched for in each slot where it is named here.
    pub gate: Vec<String>,
    /// How many sampled requests base and head must answer alike (default 20; 0 for none).
    pub alike: Option<u32>,
    /// What may grow in an hour of a window of 10 minutes and more, before it is a leak.
    pub soak: Option<Soak>,

    /// Single requests, taken by their weights.
    pub request: Vec<Request>,
    /// Sequences of requests of one user, taken by their weights.
    pub flow: Vec<Flow>,
}

/// What may grow in an hour of steady load: of memory and of latency the larger of its share and its floor.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Soak {
    /// The resident memory, as a share of what it was after the warm-up (default 1%).
    pub memory: Option<Percent>,
    /// And never less than this (default 1MiB).
    pub memory_floor: Option<Size>,
    /// The p95 response time, as a share of what it was after the warm-up (default 5%).
    pub latency: Option<Percent>,
    /// And never less than this (default 50us).
    pub latency_floor: Option<Wait>,
}

/// A stretch of load.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stage {
    /// Requests (or flows) a second.
    pub rate: Option<f64>,
    /// Users.
    pub users: Option<u32>,
    /// Its length.
    pub duration: Option<Span>,
    /// Rise or fall evenly from the stage before (from 0 at the start) instead of jumping (default false).
    pub ramp: Option<bool>,
}

/// Who sends the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// Tollgate itself.
    Tollgate,
    /// Locust.
    Locust,
}

/// How requests are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// At constant distance.
    Constant,
    /// A Poisson process.
    Poisson,
}

/// One request. Its texts may hold `{{ name }}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// Its name in reports; requests of the same name are counted together (default: method and path).
    pub name: Option<String>,
    /// How often it is taken beside the others (default 1).
    pub weight: Option<f64>,
    /// Rows for its `{{ name }}`s: a `.csv` file with a header or a `.jsonl` file, relative to this file.
    pub data: Option<Data>,
    /// The method (default `GET`, with a body `POST`).
    pub method: Option<String>,
    /// Path and query.
    pub path: Option<String>,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// The body as a text.
    pub body: Option<String>,
    /// The body as a file, sent as it is; relative to this file.
    pub body_file: Option<String>,
    /// What the answer must look like: `200`, `"2xx"`, `"200-204"`, a list of these, or `{ status = …, body = "regular expression" }`
    /// (default: a status from 200 to 399).
    pub expect: Option<Expect>,
}

/// A sequence of requests of one user.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Flow {
    /// Its name (default: `flow` and its place).
    pub name: Option<String>,
    /// How often it is taken beside the others (default 1).
    pub weight: Option<f64>,
    /// Rows for its `{{ name }}`s, one a session: a `.csv` file with a header or a `.jsonl` file, relative to this file.
    pub data: Option<Data>,
    /// Its requests in order.
    pub step: Vec<Step>,
}

/// One request of a flow. Its texts may hold `{{ name }}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// Its name in reports; requests of the same name are counted together (default: method and path).
    pub name: Option<String>,
    /// The method (default `GET`, with a body `POST`).
    pub method: Option<String>,
    /// Path and query.
    pub path: Option<String>,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// The body as a text.
    pub body: Option<String>,
    /// The body as a file, sent as it is; relative to this file.
    pub body_file: Option<String>,
    /// What the answer must look like: `200`, `"2xx"`, `"200-204"`, a list of these, or `{ status = …, body = "regular expression" }`
    /// (default: a status from 200 to 399).
    pub expect: Option<Expect>,
    /// Values taken from the answer for later steps: a JSONPath, or `{ json = … }`, `{ regex = … }`, `{ header = … }`.
    pub capture: BTreeMap<String, Capture>,
}

/// What a service is asked to reach, apart from any comparison.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Targets {
    /// The tier that must be met: missing it fails the check. Without it, targets are reported only.
    pub require: Option<String>,
    /// Report the standard tiers too (default true).
    pub standard: Option<bool>,
    /// Tiers. One with the name of a standard tier (`minimum viable`, `production`, `battle-tested`) changes the limits that it
    /// gives; any other name is a tier of its own.
    pub tier: Vec<Tier>,
}

/// A level of service: all its limits together.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tier {
    /// Its name.
    pub name: Option<String>,
    /// The median response time stays below this.
    pub p50: Option<Span>,
    /// The 90th percentile of the response time stays below this.
    pub p90: Option<Span>,
    /// The 95th percentile of the response time stays below this.
    pub p95: Option<Span>,
    /// The 99th percentile of the response time stays below this.
    pub p99: Option<Span>,
    /// The share of requests not answered as expected stays below this.
    pub errors: Option<Percent>,
    /// At least this many requests in flight at once.
    pub users: Option<u32>,
    /// The service answers at least this share of the time.
    pub availability: Option<Percent>,
    /// At least this many requests a second.
    pub throughput: Option<f64>,
    /// A cache answers at least this share of look-ups (your metric `cache_hit_rate`).
    pub cache_hit_rate: Option<Percent>,
    /// Peak memory stays below this share of what the service may use.
    pub memory: Option<Percent>,
    /// Processors kept busy stay below this share of those that the service may use.
    pub cpu: Option<Percent>,
}
