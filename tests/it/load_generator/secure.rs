//! HTTP/2 and TLS.

use std::{path::PathBuf, time::Duration};

use tollgate::{load::generator::Error, model::load::ErrorKind};

use super::{assert_all, modern, ms, rate, response_ms, run, scenario, step, try_run, users};
use crate::support::server::{Reply, Server, ok};

#[test]
fn http_2_is_spoken_with_and_without_tls_on_shared_connections() {
    for tls in [false, true] {
        let address = modern::start(true, tls);
        let mut asked = scenario(rate(100.0, None), Duration::from_secs(1));
        asked.transport.http2 = true;
        asked.transport.tls_insecure = tls;
        let scheme = if tls { "https" } else { "http" };
        let trial = run(&asked, &format!("{scheme}://localhost:{}", address.port()));
        assert_eq!(trial.requests.completed, 100, "tls {tls}: {:?}", trial.requests);
        assert_eq!(trial.clocks.connect.count(), 1, "one connection is enough");
        let mut closed = scenario(users(4.0, ms(5)), ms(500));
        closed.transport = asked.transport.clone();
        let trial = run(&closed, &format!("{scheme}://localhost:{}", address.port()));
        assert!(trial.requests.errors == 0 && trial.requests.completed > 20, "{:?}", trial.requests);
    }
}

#[test]
fn more_requests_than_a_connection_takes_open_another_or_wait_on_the_clock() {
    let address = modern::start(true, false);
    let mut asked = scenario(rate(200.0, None), Duration::from_secs(1));
    asked.transport.http2 = true;
    asked.flows[0].steps = vec![step("GET", "/slow")];
    let url = format!("http://localhost:{}", address.port());
    // 20 at a time on the way, and the server takes 8 a connection.
    let trial = run(&asked, &url);
    assert_eq!(trial.requests.completed, 200, "{:?}", trial.requests);
    assert!(trial.clocks.connect.count() >= 3, "{}", trial.clocks.connect.count());
    asked.model = rate(200.0, Some(1));
    asked.drain = Duration::from_secs(30);
    let trial = run(&asked, &url);
    assert_eq!(trial.requests.completed, 200, "{:?}", trial.requests);
    // 80 a second at best.
    assert!(response_ms(&trial, 0.9) > 1_000.0 && trial.clocks.pool_wait.quantile(0.9).unwrap().ns > 9e8);
}

#[test]
fn a_self_signed_certificate_is_refused_unless_it_is_named_or_anybody_is_trusted() {
    let url = format!("https://localhost:{}", modern::start(false, true).port());
    let mut asked = scenario(rate(20.0, None), ms(500));
    assert_all(&run(&asked, &url), ErrorKind::Tls);
    asked.transport.tls_ca = Some(modern::certificate());
    assert_eq!(run(&asked, &url).requests.completed, 10);
    asked.transport.tls_ca = None;
    asked.transport.tls_insecure = true;
    assert_eq!(run(&asked, &url).requests.completed, 10);
    asked.transport.tls_ca = Some(PathBuf::from("/no/such/file.pem"));
    asked.transport.tls_insecure = false;
    let error = try_run(&asked, &url, None).unwrap_err();
    assert!(matches!(error, Error::Certificate { .. }), "{error}");
}

#[test]
fn plain_http_where_tls_is_spoken_is_an_error_and_the_other_way_round() {
    let plain = Server::start(|_, _| Reply::Keep(ok("plain")));
    let url = format!("https://localhost:{}", plain.address.port());
    let mut asked = scenario(rate(20.0, None), ms(500));
    asked.request_timeout = Duration::from_secs(2);
    let trial = run(&asked, &url);
    assert_eq!(trial.requests.errors, 10, "{:?}", trial.requests);
    let secure = modern::start(false, true);
    let trial = run(&asked, &format!("http://localhost:{}", secure.port()));
    assert_eq!(trial.requests.errors, 10, "{:?}", trial.requests);
}
