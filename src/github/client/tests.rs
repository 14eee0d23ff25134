use super::{Client, Options, address::checked};
use crate::{
    github::{Error, Refusal, token::Token},
    hint::Hint,
    progress::Silent,
};
use serde_json::{Value, json};
use std::{
    cell::Cell,
    io::{Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// A server that gives these answers, one a connection, and keeps the requests.
fn server(answers: Vec<String>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&requests);
    thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut bytes = [0; 64 << 10];
            let mut text = String::new();
            while !text.contains("\r\n\r\n") {
                let count = stream.read(&mut bytes).unwrap();
                text.push_str(&String::from_utf8_lossy(&bytes[..count]));
                if count == 0 {
                    break;
                }
            }
            kept.lock().unwrap().push(text);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (url, requests)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

fn client(url: &str) -> Client<'static> {
    let options = Options {
        patience: Duration::from_secs(2),
        backoff: Duration::from_millis(1),
        call: Duration::from_secs(5),
        ..Options::new(url, 1_000)
    };
    Client::new(Token::new("ghs_secret12345").unwrap(), options, &Silent, &|| false).unwrap()
}

#[test]
fn a_failure_of_the_server_is_tried_again_and_told_when_it_stays() {
    let ok = answer("200 OK", "", "{\"a\":1}");
    let bad = answer("502 Bad Gateway", "", "<html>oops</html>");
    let (url, _) = server(vec![bad.clone(), String::new(), ok]);
    assert_eq!(client(&url).get::<Value>("/x", "read x").unwrap(), json!({"a": 1}));
    let (url, requests) = server(vec![bad; 9]);
    let error = client(&url).get::<Value>("/x", "read x").unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::Server));
    assert_eq!(requests.lock().unwrap().len(), 4);
}

#[test]
fn a_rate_limit_is_waited_out_within_the_patience() {
    let limited = |wait: &str| answer("429 Too Many Requests", &format!("retry-after: {wait}\r\n"), "{}");
    let (url, _) = server(vec![limited("0"), answer("200 OK", "", "{}")]);
    client(&url).get::<Value>("/x", "read x").unwrap();
    let (url, requests) = server(vec![limited("3600")]);
    let error = client(&url).get::<Value>("/x", "read x").unwrap_err();
    assert!(matches!(error, Error::Limited { .. }), "{error}");
    assert!(error.to_string().contains("3600 s"), "{error}");
    assert_eq!(requests.lock().unwrap().len(), 1);
    let reset = "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 990\r\n";
    let (url, _) = server(vec![answer("403 Forbidden", reset, "{}"), answer("200 OK", "", "{}")]);
    client(&url).get::<Value>("/x", "read x").unwrap();
}

#[test]
fn a_failed_create_looks_first_and_never_creates_twice() {
    let (url, requests) = server(vec![answer("502 Bad Gateway", "", "")]);
    let looked = Cell::new(0);
    let existing = || {
        looked.set(looked.get() + 1);
        Ok(Some(json!({"id": 7})))
    };
    let made: Value = client(&url).create("/x", &json!({}), "make x", existing).unwrap();
    assert_eq!((made, looked.get(), requests.lock().unwrap().len()), (json!({"id": 7}), 1, 1));
    let cut = "HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{\"id\":".to_owned();
    let (url, requests) = server(vec![cut, answer("201 Created", "", "{\"id\":8}")]);
    let made: Value = client(&url).create("/x", &json!({}), "make x", || Ok(None)).unwrap();
    assert_eq!((made, requests.lock().unwrap().len()), (json!({"id": 8}), 2));
    let (url, requests) = server(vec![answer("422 Unprocessable", "", "{\"message\":\"no\"}")]);
    let refused = client(&url).create::<Value>("/x", &json!({}), "make x", || panic!("it was refused"));
    assert_eq!(refused.unwrap_err().refusal(), Some(Refusal::Invalid));
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[test]
fn no_message_holds_the_token_and_every_refusal_has_its_help() {
    for (status, refusal) in [
        ("401 Unauthorized", Refusal::Token),
        ("403 Forbidden", Refusal::Permission),
        ("404 Not Found", Refusal::NotFound),
        ("410 Gone", Refusal::Gone),
        ("422 Unprocessable", Refusal::Invalid),
    ] {
        let body = "{\"message\":\"Bearer ghs_secret12345 \\u202e no\"}";
        let (url, _) = server(vec![answer(status, "", body)]);
        let error = client(&url).get::<Value>("/x", "read x").unwrap_err();
        assert_eq!(error.refusal(), Some(refusal));
        let text = format!("{error} {error:?} {:?}", error.hint());
        assert!(!text.contains("ghs_secret12345") && !text.contains('\u{202e}'), "{text}");
        assert!(error.hint().is_some() && text.contains("could not read x"), "{text}");
    }
    assert!(!format!("{:?}", Token::new("ghs_secret12345")).contains("ghs_"));
}

#[test]
fn the_request_says_who_asks_and_what_version() {
    let (url, requests) = server(vec![answer("200 OK", "", "{}")]);
    client(&format!("{url}/api/v3")).get::<Value>("/x?a=b", "read x").unwrap();
    let request = requests.lock().unwrap()[0].to_ascii_lowercase();
    assert!(request.starts_with("get /api/v3/x?a=b "), "{request}");
    assert!(request.contains("authorization: bearer ghs_secret12345\r\n"));
    assert_eq!(request.matches("user-agent:").count(), 1, "{request}");
    assert!(request.contains("x-github-api-version: 2022-11-28"));
    assert!(request.contains("accept: application/vnd.github+json"));
}

#[test]
fn a_move_to_another_host_is_not_followed_with_the_token() {
    let (elsewhere, requests) = server(vec![answer("200 OK", "", "{}")]);
    let moved = answer("307 Temporary Redirect", &format!("location: {elsewhere}/x\r\n"), "{}");
    let (url, _) = server(vec![moved]);
    let made = client(&url).patch::<Value>("/x", &json!({}), "update x");
    assert_eq!(made.unwrap_err().refusal(), Some(Refusal::Other));
    let seen = requests.lock().unwrap().join("\n").to_ascii_lowercase();
    assert!(!seen.contains("authorization"), "{seen}");
}

#[test]
fn an_address_that_would_show_the_token_is_refused() {
    assert_eq!(checked("https://api.github.com").unwrap(), "api.github.com");
    assert_eq!(checked("http://127.0.0.1:8080/api/v3").unwrap(), "127.0.0.1:8080");
    for bad in ["http://ghe.example", "ftp://x", "x", "", "https://user:pass@host", "/api"] {
        assert!(checked(bad).is_err(), "{bad}");
    }
}

#[test]
fn nobody_there_is_told_with_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&url).get::<Value>("/x", "read x").unwrap_err();
    assert!(matches!(error, Error::Transport { .. }));
    assert!(error.to_string().contains("127.0.0.1") && error.to_string().contains("refused"), "{error}");
}
