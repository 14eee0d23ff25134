//! A URL and flags as a scenario: what is said without a file.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    commands::failure::Failure,
    load::scenario::{
        Arrivals, Body, Driver, Expect, Flow, Model, Scenario, Service, Stage, Step, Transport,
    },
    model::outcome::ErrorClass,
};

/// The longest drain.
const MAX_DRAIN: Duration = Duration::from_secs(10);

/// What was said of a URL.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain {
    /// The URL with path and query.
    pub url: String,
    /// How much.
    pub amount: Amount,
    /// The recorded window.
    pub duration: Duration,
    /// Load before it.
    pub warmup: Duration,
    /// The method; `None`: `GET`, with a body `POST`.
    pub method: Option<String>,
    /// Headers as typed: `name: value`.
    pub headers: Vec<String>,
    /// The body as typed: a text, or `@` and a file.
    pub body: Option<String>,
    /// The longest that one request may take.
    pub timeout: Duration,
    /// HTTP/2.
    pub http2: bool,
    /// Reuse connections.
    pub keep_alive: bool,
    /// Trust any certificate.
    pub insecure: bool,
    /// Allow a host that is not this machine.
    pub allow_remote: bool,
}

/// How much load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// Requests a second.
    Rate {
        /// How many.
        rate: f64,
        /// How they are spread.
        arrivals: Arrivals,
        /// At most so many connections.
        connections: Option<u32>,
    },
    /// Users who wait for their answers.
    Users(u32),
}

/// The scenario of a URL and flags; files are named relative to `directory`. Its name is `url`.
///
/// # Errors
/// When the URL, a header or the body's file is none.
pub fn scenario(plain: &Plain, directory: &Path) -> Result<Scenario, Failure> {
    let (service, path) = split(&plain.url)?;
    let (body, folder) = body(plain.body.as_deref(), directory);
    let with_body = if body == Body::None { "GET" } else { "POST" };
    let method = plain.method.clone().unwrap_or_else(|| with_body.to_owned());
    let step = Step {
        name: format!("{method} {path}"),
        method,
        path,
        headers: plain.headers.iter().map(|text| header(text)).collect::<Result<_, _>>()?,
        body,
        expect: Expect { status: Vec::new(), body: None },
        capture: Vec::new(),
    };
    let stage = |level: f64| vec![Stage { level, duration: plain.duration, ramp: false }];
    let model = match plain.amount {
        Amount::Rate { rate, arrivals, connections } => {
            Model::Rate { stages: stage(rate), arrivals, connections }
        }
        Amount::Users(users) => Model::Users { stages: stage(f64::from(users)), think: Duration::ZERO },
    };
    Ok(Scenario {
        name: "url".into(),
        service: Service::Running(service),
        flows: vec![Flow { name: "url".into(), weight: 1.0, steps: vec![step], data: None }],
        model,
        warmup: plain.warmup,
        window: plain.duration,
        driver: Driver::Tollgate,
        transport: Transport {
            http2: plain.http2,
            keep_alive: plain.keep_alive,
            unix_socket: None,
            tls_ca: None,
            tls_insecure: plain.insecure,
            allow_remote: plain.allow_remote,
        },
        request_timeout: plain.timeout,
        drain: plain.timeout.min(MAX_DRAIN),
        metrics: Vec::new(),
        metrics_url: "/metrics".into(),
        gate: Vec::new(),
        alike: 0,
        folder,
    })
}

/// Scheme and host, and the path with its query. What follows a `#` is never sent.
fn split(url: &str) -> Result<(String, String), Failure> {
    let bad = |why: &str| {
        let message = format!("could not load `{url}`: {why}");
        Failure::message(ErrorClass::Configuration, message, "give a URL such as `http://127.0.0.1:8080/`")
    };
    let (scheme, rest) =
        url.split_once("://").ok_or_else(|| bad("it does not start with `http://` or `https://`"))?;
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https") {
        return Err(bad("it does not start with `http://` or `https://`"));
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    if host.is_empty() {
        return Err(bad("it names no host"));
    }
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok((format!("{scheme}://{host}"), path))
}

fn header(text: &str) -> Result<(String, String), Failure> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().into(), value.trim().into())),
        _ => Err(Failure::message(
            ErrorClass::Configuration,
            format!("could not read `--header {text}`: it is no `name: value`"),
            "write `--header 'Accept: text/html'`",
        )),
    }
}

/// The body, and the folder in which its file is.
fn body(text: Option<&str>, directory: &Path) -> (Body, PathBuf) {
    let Some(text) = text else { return (Body::None, directory.to_owned()) };
    let Some(file) = text.strip_prefix('@') else {
        return (Body::Text(text.to_owned()), directory.to_owned());
    };
    let path = directory.join(file);
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => (Body::File(name.into()), folder.to_owned()),
        _ => (Body::File(file.into()), directory.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outcome::Outcome;

    fn plain(url: &str) -> Plain {
        Plain {
            url: url.into(),
            amount: Amount::Users(3),
            duration: Duration::from_secs(8),
            warmup: Duration::ZERO,
            method: None,
            headers: vec!["X-A:  b: c ".into()],
            body: None,
            timeout: Duration::from_secs(30),
            http2: false,
            keep_alive: true,
            insecure: false,
            allow_remote: false,
        }
    }

    #[test]
    fn a_url_is_a_service_and_a_path() {
        let parts = |url: &str| split(url).unwrap();
        assert_eq!(parts("http://127.0.0.1:8080"), ("http://127.0.0.1:8080".into(), "/".into()));
        assert_eq!(parts("HTTPS://h/a/b?c=d/e#f"), ("https://h".into(), "/a/b?c=d/e".into()));
        assert_eq!(parts("http://h?x=1"), ("http://h".into(), "/?x=1".into()));
        for bad in ["127.0.0.1:80", "ftp://h/", "http://", "http:///a"] {
            let failure = split(bad).unwrap_err();
            assert_eq!(failure.outcome(), Outcome::Error(ErrorClass::Configuration), "{bad}");
        }
    }

    #[test]
    fn a_body_makes_a_post_and_a_file_is_looked_for_where_it_is() {
        let get = scenario(&plain("http://h/x"), Path::new("/d")).unwrap();
        assert_eq!((get.flows[0].steps[0].method.as_str(), get.drain.as_secs()), ("GET", 10));
        assert_eq!(get.flows[0].steps[0].headers, [("X-A".to_owned(), "b: c".to_owned())]);
        let post = Plain { body: Some("@sub/b.json".into()), ..plain("http://h/x") };
        let post = scenario(&post, Path::new("/d")).unwrap();
        assert_eq!(post.flows[0].steps[0].method, "POST");
        assert_eq!(post.flows[0].steps[0].body, Body::File("b.json".into()));
        assert_eq!(post.folder, Path::new("/d/sub"));
        assert!(header("no colon").is_err() && header(": x").is_err());
    }
}
