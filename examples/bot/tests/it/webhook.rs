//! Updates in, replies out, and what happens to those that are no updates.

use std::io::Write;

use serde_json::json;

use crate::support::{
    http::{ask, connect, get, metric, post, receive, send, update, webhook},
    inside::Inside,
    wait_until,
};

#[test]
fn a_message_is_answered_in_the_body_of_the_answer() {
    let bot = Inside::start(&[]);
    let answer = post(bot.address, &update("/price flat white"));
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-type: application/json"));
    assert_eq!(
        answer.json(),
        json!({"method": "sendMessage", "chat_id": 42, "text": "flat white: 3.60 EUR a cup."})
    );
    assert!(ask(bot.address, "/start").contains("Welcome"));
    assert!(ask(bot.address, "/help@corner_cafe_bot").contains("flat white"));
    assert!(ask(bot.address, "Is the terrace open, and may I smoke there?").contains("terrace"));
    assert!(ask(bot.address, "/dance").contains("do not know that command"));
    assert_eq!(metric(bot.address, "bot_requests_total{status=\"200\"}"), 5);
}

#[test]
fn an_edited_message_is_answered_and_other_updates_are_taken_in_silence() {
    let bot = Inside::start(&[]);
    let edited = json!({"update_id": 2, "edited_message": {"chat": {"id": -5}, "text": "/price latte"}});
    assert_eq!(post(bot.address, &edited.to_string()).json()["chat_id"], -5);
    for update in [
        json!({"update_id": 3}),
        json!({"update_id": 4, "message": {"chat": {"id": 1}, "photo": [{"file_id": "x"}]}}),
        json!({"update_id": 5, "poll": {"id": "9"}, "never_seen_before": [1, {"a": null}]}),
        json!({"update_id": 6, "message": null}),
    ] {
        let answer = post(bot.address, &update.to_string());
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{update}");
    }
    // Deep below a key that is not read: skipped without a deep stack.
    let deep = format!("{{\"update_id\": 7, \"new\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(post(bot.address, &deep).status, 200);
}

#[test]
fn what_is_no_update_is_refused_and_the_next_one_is_answered() {
    let bot = Inside::start(&[]);
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let bodies = [
        "",
        "hello",
        "null",
        "[]",
        "{}",
        "{\"update_id\": \"1\"}",
        "{\"update_id\": 1e400}",
        "{\"update_id\": 1, \"message\": {\"text\": \"no chat\"}}",
        "{\"update_id\": 1, \"message\": {\"chat\": {\"id\": 1}, \"text\": 5}}",
        "{\"update_id\": 1, \"message\": {\"chat\": {\"id\": 99999999999999999999}}}",
        "{\"update_id\": 1, \"message\": {\"chat\": {\"id\": 1}, \"text\": \"\\ud800\"}}",
        "{\"update_id\": 1",
        &deep,
    ];
    for body in bodies {
        let answer = post(bot.address, body);
        let shown: String = body.chars().take(80).collect();
        assert_eq!(answer.status, 400, "{shown}");
        assert!(answer.json()["error"].as_str().unwrap().starts_with("the body is no update"), "{shown}");
    }
    let mut bytes = webhook("", "{\"update_id\": 1, \"message\": {\"chat\": {\"id\": 1}, \"text\": \"__\"}}");
    let end = bytes.len();
    bytes[end - 5..end - 3].copy_from_slice(&[0xFF, 0xFE]);
    assert_eq!(receive(send(bot.address, &bytes)).status, 400, "not UTF-8");
    assert_eq!(metric(bot.address, "bot_requests_total{status=\"400\"}"), bodies.len() as u64 + 1);
    assert!(ask(bot.address, "/start").contains("Welcome"));
}

#[test]
fn a_huge_body_is_refused_without_being_read() {
    let bot = Inside::start(&[]);
    let announced =
        "POST /webhook HTTP/1.1\r\nHost: bot\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n";
    assert_eq!(receive(send(bot.address, announced.as_bytes())).status, 413);

    // In chunks its length is not known before. Just one byte too long, so that all of it is read before the refusal.
    let limit = bot::webhook::LONGEST_BODY;
    for (length, status) in [(limit, 400), (limit + 1, 413)] {
        let head =
            "POST /webhook HTTP/1.1\r\nHost: bot\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut stream = send(bot.address, format!("{head}{length:x}\r\n").as_bytes());
        stream.write_all(" ".repeat(length).as_bytes()).unwrap();
        stream.write_all(b"\r\n0\r\n\r\n").unwrap();
        assert_eq!(receive(stream).status, status, "{length}");
    }
    assert_eq!(metric(bot.address, "bot_requests_total{status=\"413\"}"), 2);
}

#[test]
fn a_text_of_any_length_and_script_is_answered() {
    let bot = Inside::start(&[]);
    assert!(ask(bot.address, &"open ".repeat(2_000)).contains("too long"));
    for text in [
        "🦀🦀🦀",
        "\0\u{1}\u{7f}",
        "ﷺ".repeat(4_000).as_str(),
        "\"; DROP TABLE articles; --",
        "/price \" OR 1=1",
    ] {
        assert!(!ask(bot.address, text).is_empty(), "{text}");
    }
    let name = "\"}, \"chat_id\": 1, {\"";
    assert_eq!(post(bot.address, &update(&format!("/price {name}"))).json()["chat_id"], 42);
}

#[test]
fn with_a_secret_only_telegram_may_post() {
    let bot = Inside::start(&[("TELEGRAM_SECRET", "s3cret-Token_1")]);
    let body = update("/start");
    let with = |header: &str| receive(send(bot.address, &webhook(header, &body))).status;
    assert_eq!(with("X-Telegram-Bot-Api-Secret-Token: s3cret-Token_1\r\n"), 200);
    for header in [
        "",
        "X-Telegram-Bot-Api-Secret-Token: \r\n",
        "X-Telegram-Bot-Api-Secret-Token: s3cret-Token_\r\n",
        "X-Telegram-Bot-Api-Secret-Token: s3cret-Token_12\r\n",
        "Authorization: s3cret-Token_1\r\n",
    ] {
        assert_eq!(with(header), 401, "{header}");
    }
    assert_eq!(get(bot.address, "/health").status, 200, "the probe needs no secret");
}

#[test]
fn a_client_that_hangs_up_leaves_nothing_behind() {
    let bot = Inside::start(&[]);
    drop(send(bot.address, b"POST /webhook HTTP/1.1\r\nHost: bot\r\nContent-Length: 500\r\n\r\n{\"update"));
    drop(send(bot.address, b"\x16\x03\x01 this is TLS\r\n\r\n"));
    drop(connect(bot.address));
    assert!(ask(bot.address, "/start").contains("Welcome"));
    wait_until("nothing is in flight", || metric(bot.address, "bot_in_flight") == 0);
}

#[test]
fn health_metrics_and_paths_that_do_not_exist() {
    let bot = Inside::start(&[]);
    let health = get(bot.address, "/health");
    assert_eq!(health.json(), json!({"status": "ready", "redis": "off"}));
    let page = get(bot.address, "/metrics");
    assert!(page.head.contains("content-type: text/plain; version=0.0.4"));
    for series in ["bot_cache_hits_total 0", "bot_cache_misses_total 0", "bot_pool_size 4", "bot_in_flight 0"]
    {
        assert!(page.body.lines().any(|line| line == series), "{series} is missing in\n{}", page.body);
    }
    assert_eq!(get(bot.address, "/").status, 404);
    assert_eq!(get(bot.address, "/webhook").status, 405);
}
