//! The program: its start, its orderly end, its exit codes.

use std::{
    net::{TcpListener, TcpStream},
    thread,
};

use crate::support::{
    http::{ask, metric, receive, send, update, webhook},
    process::{command, complaints, start},
    wait_until,
};

#[test]
fn a_bad_setting_ends_it_with_a_sentence_and_code_2() {
    let output = command(&[("PORT", "0"), ("CACHE", "none")]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        message,
        "bot: CACHE is \"none\", but it must be on, off, or some of memory,redis,precomputed with commas between them\n"
    );
}

#[test]
fn a_taken_port_or_a_broken_database_ends_it_with_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = command(&[("PORT", &port)]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("could not listen on 127.0.0.1:"));

    let output = command(&[("PORT", "0"), ("DATABASE", "/no/such/folder/bot.sqlite")]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("could not open the database"));
}

#[cfg(unix)]
#[test]
fn asked_to_stop_it_answers_what_is_in_flight_and_takes_nothing_new() {
    for signal in ["TERM", "INT"] {
        let (mut bot, address) = start(&[("DELAY_MS", "3000")]);
        let client = thread::spawn(move || ask(address, "/start"));
        wait_until("the message is in flight", || metric(address, "bot_in_flight") == 1);
        bot.signal(signal);
        wait_until("the port is closed", || TcpStream::connect(address).is_err());
        assert!(client.join().unwrap().contains("Welcome"), "{signal}");
        assert_eq!(bot.ended().code(), Some(0), "{signal}");
        assert_eq!(complaints(&mut bot), "");
    }
}

#[cfg(unix)]
#[test]
fn a_request_that_outlasts_the_drain_is_cut_off_and_said() {
    let (mut bot, address) = start(&[("DELAY_MS", "600000"), ("DRAIN_S", "0.1")]);
    let client = send(address, &webhook("", &update("/start")));
    wait_until("the message is in flight", || metric(address, "bot_in_flight") == 1);
    bot.signal("TERM");
    assert_eq!(bot.ended().code(), Some(1));
    assert!(complaints(&mut bot).contains("requests unanswered"));
    assert!(thread::spawn(move || receive(client)).join().is_err(), "there is no answer");
}

#[cfg(unix)]
#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let (mut bot, address) = start(&[("DRAIN_S", "3600")]);
    let idle = TcpStream::connect(address).unwrap();
    ask(address, "/start");
    bot.signal("TERM");
    assert_eq!(bot.ended().code(), Some(0));
    drop(idle);
}
