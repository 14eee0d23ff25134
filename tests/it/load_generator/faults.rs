//! Servers that fail, each in a way of its own.

use std::{thread, time::Duration};

use tollgate::model::load::ErrorKind;

use super::{assert_all, ms, rate, run, scenario, users};
use crate::support::server::{Reply, Server};

#[test]
fn resets_are_errors_and_no_latencies() {
    let server = Server::start(|_, _| Reply::Reset);
    let trial = run(&scenario(rate(100.0, None), ms(500)), &server.url());
    assert_all(&trial, ErrorKind::Reset);
    assert_eq!(trial.clocks.response_time.count(), 0);
}

#[test]
fn an_answer_cut_short_is_a_reset() {
    let server =
        Server::start(|_, _| Reply::Close(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf".to_vec()));
    assert_all(&run(&scenario(rate(50.0, None), ms(500)), &server.url()), ErrorKind::Reset);
}

#[test]
fn garbage_is_a_protocol_error() {
    let server = Server::start(|_, _| Reply::Close(b"\x16\x03\x01 what is this\r\n\r\n".to_vec()));
    assert_all(&run(&scenario(rate(50.0, None), ms(500)), &server.url()), ErrorKind::Protocol);
}

#[test]
fn an_endless_body_is_cut_off() {
    let server = Server::start(|_, _| {
        let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        bytes.resize(1 << 16, b'x');
        Reply::Endless(bytes)
    });
    assert_all(&run(&scenario(rate(4.0, None), ms(500)), &server.url()), ErrorKind::TooLarge);
}

#[test]
fn a_body_that_drips_runs_into_the_time_limit_and_is_censored() {
    let server = Server::start(|_, _| {
        thread::sleep(ms(5));
        Reply::Keep(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf".to_vec())
    });
    let mut slow = scenario(rate(20.0, None), ms(500));
    slow.request_timeout = ms(200);
    let trial = run(&slow, &server.url());
    assert_all(&trial, ErrorKind::Timeout);
    let longest = trial.clocks.response_time.quantile(0.5).unwrap();
    assert!(longest.lower_bound && longest.ns >= 2e8, "{longest:?}");
}

#[test]
fn a_refused_connection_is_an_error_each_time_in_both_models() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let trial = run(&scenario(rate(200.0, None), ms(500)), &url);
    assert_eq!(trial.requests.scheduled, 100);
    assert_all(&trial, ErrorKind::Connect);
    let trial = run(&scenario(users(3.0, Duration::ZERO), ms(500)), &url);
    assert_all(&trial, ErrorKind::Connect);
    assert!(trial.requests.scheduled <= 160, "refused users ask without end: {}", trial.requests.scheduled);
}

#[test]
fn a_status_that_was_not_expected_is_an_error_with_its_status_counted() {
    let server =
        Server::start(|_, _| Reply::Keep(b"HTTP/1.1 503 no\r\ncontent-length: 2\r\n\r\nno".to_vec()));
    let trial = run(&scenario(rate(50.0, None), ms(500)), &server.url());
    assert_all(&trial, ErrorKind::Status);
    assert_eq!(trial.requests.statuses.get(&503), Some(&25));
}
