//! Which connections are used, and for whom.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tollgate::{
    load::generator::Error,
    load::scenario::{Body, Step},
    model::load::ErrorKind,
};

use super::{assert_whole, ms, rate, run, scenario, step, try_run, users};
use crate::support::server::{Reply, Server, ok};

#[test]
fn idle_connections_that_the_server_closes_cost_no_error() {
    let server = Server::start(|asked, _| {
        if asked.request == 2 {
            // Closed without an answer, as if the connection had been idle for too long when the request came.
            return Reply::Close(Vec::new());
        }
        Reply::Keep(ok("again"))
    });
    let trial = run(&scenario(rate(25.0, Some(1)), Duration::from_secs(1)), &server.url());
    assert_eq!(trial.requests.completed, 25, "{:?}", trial.requests);
    assert!((10..=12).contains(&trial.requests.retried), "{:?}", trial.requests);
    let server = Server::start(|_, _| Reply::Close(ok("bye")));
    let trial = run(&scenario(rate(25.0, Some(1)), Duration::from_secs(1)), &server.url());
    assert_eq!(trial.requests.completed, 25, "{:?}", trial.requests);
}

#[test]
fn a_server_that_ends_the_connection_with_each_answer_is_asked_on_over_others() {
    let named = || b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok".to_vec();
    let old = || b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec();
    let unbounded = || b"HTTP/1.1 200 OK\r\n\r\nok".to_vec();
    for server in [
        Server::start(move |_, _| Reply::Close(named())),
        Server::start(move |_, _| Reply::Keep(named())),
        Server::start(move |_, _| Reply::Close(old())),
        Server::start(move |_, _| Reply::Close(unbounded())),
    ] {
        // The next request comes as soon as the answer is there: of users who do not think, in a session of two steps, from a backlog.
        let mut steps = scenario(rate(20.0, None), ms(500));
        steps.flows[0].steps = vec![step("GET", "/1"), step("GET", "/2")];
        for asked in
            [scenario(users(2.0, Duration::ZERO), ms(500)), steps, scenario(rate(200.0, Some(1)), ms(500))]
        {
            let requests = run(&asked, &server.url()).requests;
            // The second step of the last session may come after the window.
            assert!(requests.completed >= 15, "{requests:?}");
            assert_eq!(requests.completed, requests.scheduled, "{requests:?}");
        }
    }
}

#[test]
fn a_post_is_not_sent_twice() {
    let posts = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&posts);
    let server = Server::start(move |asked, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        if asked.request == 1 { Reply::Close(Vec::new()) } else { Reply::Keep(ok("paid")) }
    });
    let mut orders = scenario(rate(20.0, Some(1)), Duration::from_secs(1));
    orders.flows[0].steps = vec![Step { body: Body::Text("{}".into()), ..step("POST", "/pay") }];
    let trial = run(&orders, &server.url());
    assert_eq!(trial.requests.retried, 0);
    assert_eq!(trial.requests.error_kinds.get(&ErrorKind::Reset), Some(&10), "{:?}", trial.requests);
    assert_eq!(posts.load(Ordering::SeqCst), 20);
}

#[test]
fn without_keep_alive_every_request_has_its_own_connection() {
    let server = Server::start(|_, head| {
        assert!(head.contains("connection: close"), "{head}");
        Reply::Keep(ok("once"))
    });
    let mut once = scenario(rate(50.0, None), ms(500));
    once.transport.keep_alive = false;
    let trial = run(&once, &server.url());
    assert_eq!(trial.requests.completed, 25, "{:?}", trial.requests);
    assert_eq!(server.connections.load(Ordering::Relaxed), 25);
    assert_eq!(trial.clocks.connect.count(), 25);
}

#[test]
fn the_host_header_and_the_base_path_are_those_of_the_url() {
    let server = Server::start(|_, head| {
        let well = head.starts_with("get /base/?q=1 http/1.1\r\n") && head.contains("\r\nhost: localhost:");
        Reply::Keep(if well { ok("well") } else { b"HTTP/1.1 400 no\r\ncontent-length: 0\r\n\r\n".to_vec() })
    });
    let mut asked = scenario(rate(20.0, None), ms(500));
    asked.flows[0].steps = vec![step("GET", "/?q=1")];
    let trial = run(&asked, &format!("http://localhost:{}/base/", server.address.port()));
    assert_eq!(trial.requests.completed, 10, "{:?}", trial.requests);
}

#[test]
fn only_hosts_of_this_machine_are_asked_unless_others_are_allowed() {
    let asked = scenario(rate(50.0, None), ms(500));
    let error = try_run(&asked, "http://192.0.2.7:8080", None).unwrap_err();
    assert!(matches!(error, Error::Remote { .. }), "{error}");
    let error = try_run(&asked, "http://no-such-host.invalid", None).unwrap_err();
    assert!(matches!(error, Error::Resolve { .. }), "{error}");
    for url in ["ftp://localhost", "localhost:80", "http://", "http://me:secret@localhost/"] {
        let error = try_run(&asked, url, None).unwrap_err();
        assert!(matches!(error, Error::Url { .. }), "{url}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_asked_under_the_name_of_the_url() {
    use std::io::{Read as _, Write as _};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    assert!(String::from_utf8_lossy(&buffer[..count]).contains("host: bot.example\r\n"));
                    stream.write_all(&ok("unix")).unwrap();
                }
            });
        }
    });
    let trial = try_run(&scenario(rate(50.0, None), ms(500)), "http://bot.example", Some(&path)).unwrap();
    assert_whole(&trial);
    assert_eq!(trial.requests.completed, 25, "{:?}", trial.requests);
}
