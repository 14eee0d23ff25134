//! Which layer answers, single flight, and the pool.

use std::thread;

use crate::support::{
    http::{ask, metric, post, update},
    inside::Inside,
    wait_until,
};

const QUERIES: &str = "bot_sqlite_queries_total";
const HITS: &str = "bot_cache_hits_total";
const MISSES: &str = "bot_cache_misses_total";
const SHARED: &str = "bot_shared_total";

#[test]
fn the_second_time_memory_answers() {
    let bot = Inside::start(&[("CACHE", "memory")]);
    for text in ["/price latte", "/price  LATTE", "/price latte"] {
        assert_eq!(ask(bot.address, text), "latte: 3.70 EUR a glass.");
    }
    let read = |series| metric(bot.address, series);
    assert_eq!((read(QUERIES), read(HITS), read(MISSES)), (1, 2, 1));
    assert_eq!(read("bot_cache_layer_hits_total{layer=\"memory\"}"), 2);
    assert_eq!(read("bot_cache_layer_misses_total{layer=\"memory\"}"), 1);
}

#[test]
fn without_a_cache_every_message_asks_the_database() {
    let bot = Inside::start(&[("CACHE", "off")]);
    for _ in 0..5 {
        ask(bot.address, "/price latte");
    }
    let read = |series| metric(bot.address, series);
    assert_eq!((read(QUERIES), read(HITS), read(MISSES)), (5, 0, 5));
}

#[test]
fn what_everybody_asks_is_answered_without_the_database() {
    let bot = Inside::start(&[("CACHE", "precomputed")]);
    let before = metric(bot.address, QUERIES);
    assert!(before > 0, "working it out took queries");
    for text in ["/start", "/help", "When are you open?", "do you DELIVER"] {
        ask(bot.address, text);
    }
    assert_eq!((metric(bot.address, QUERIES), metric(bot.address, HITS)), (before, 4));
    ask(bot.address, "/price latte");
    assert_eq!((metric(bot.address, QUERIES), metric(bot.address, MISSES)), (before + 1, 1));
    assert_eq!(metric(bot.address, "bot_cache_layer_hits_total{layer=\"precomputed\"}"), 4);
}

#[test]
fn every_layer_gives_the_same_answer_as_the_database() {
    let bots = ["off", "memory", "precomputed", "on"].map(|layers| Inside::start(&[("CACHE", layers)]));
    for text in [
        "/start",
        "/help",
        "/price brownie",
        "Are you open on Sunday?",
        "Are dogs welcome?",
        "nonsense qwertz",
    ] {
        let answers = bots.each_ref().map(|bot| [ask(bot.address, text), ask(bot.address, text)]);
        assert!(answers.iter().flatten().all(|answer| *answer == answers[0][0]), "{text}: {answers:?}");
    }
}

/// Holds the only connection until all are in flight, so that the outcome does not depend on who is how fast.
fn crowd(settings: &[(&str, &str)], count: usize) -> (u64, u64, u64, u64) {
    let bot = Inside::start(settings);
    let lent = bot.runtime.block_on(bot.app().answers.knowledge.connection()).unwrap();
    let before = metric(bot.address, QUERIES);
    let address = bot.address;
    let clients: Vec<_> = (0..count).map(|_| thread::spawn(move || ask(address, "/price mocha"))).collect();
    wait_until("all are in flight", || metric(address, "bot_in_flight") == count as u64);
    assert_eq!(metric(address, "bot_pool_in_use"), 1);
    drop(lent);
    for client in clients {
        assert_eq!(client.join().unwrap(), "mocha: 4.20 EUR a glass.");
    }
    let read = |series| metric(address, series);
    (read(QUERIES) - before, read(SHARED), read(HITS), read(MISSES))
}

#[test]
fn identical_messages_at_the_same_time_are_answered_by_one_query() {
    let patient = ("POOL_TIMEOUT_MS", "60000");
    let (queries, shared, hits, misses) = crowd(&[("POOL", "1"), patient], 40);
    assert_eq!((queries, misses), (1, 1));
    assert_eq!(shared + hits, 39);
    let (queries, shared, _, misses) = crowd(&[("POOL", "1"), patient, ("CACHE", "off")], 40);
    assert!(
        queries < 40 && shared > 0 && queries == misses && shared + misses == 40,
        "{queries} {shared} {misses}"
    );
}

#[test]
fn without_single_flight_each_of_them_asks() {
    let settings = [("POOL", "1"), ("POOL_TIMEOUT_MS", "60000"), ("SINGLE_FLIGHT", "off"), ("CACHE", "off")];
    assert_eq!(crowd(&settings, 20), (20, 0, 0, 20));
}

#[test]
fn when_no_connection_becomes_free_the_update_is_not_taken() {
    let bot = Inside::start(&[("POOL", "1"), ("POOL_TIMEOUT_MS", "20")]);
    let lent = bot.runtime.block_on(bot.app().answers.knowledge.connection()).unwrap();
    let answer = post(bot.address, &update("/price mocha"));
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("retry-after: 1"), "{answer:?}");
    assert!(answer.json()["error"].as_str().unwrap().contains("no connection"));
    assert!(ask(bot.address, "/start").contains("Welcome"), "what is cached is still answered");
    drop(lent);
    assert_eq!(ask(bot.address, "/price mocha"), "mocha: 4.20 EUR a glass.");
}
