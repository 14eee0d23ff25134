//! HTTP/1.1 by hand: one connection a request, so that a test can also send what no client would.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use serde_json::Value;

use super::PATIENCE;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The text of the message that is sent.
    pub(crate) fn text(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["text"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes as they are.
pub(crate) fn send(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(address);
    stream.write_all(bytes).unwrap();
    stream
}

/// Reads the answer to its end. The connection must be one that the server closes.
pub(crate) fn receive(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // A server that refuses a body may reset the connection after its answer.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {text:?}"));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("no status: {head}"));
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    receive(send(
        address,
        format!("GET {path} HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n\r\n").as_bytes(),
    ))
}

/// The bytes of a webhook request.
pub(crate) fn webhook(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST /webhook HTTP/1.1\r\nHost: bot\r\nConnection: close\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Posts a body.
pub(crate) fn post(address: SocketAddr, body: &str) -> Answer {
    receive(send(address, &webhook("", body)))
}

/// An update with a text message.
pub(crate) fn update(text: &str) -> String {
    let chat = serde_json::json!({"id": 42, "type": "private", "first_name": "Ada"});
    let message = serde_json::json!({"message_id": 7, "date": 1_700_000_000, "chat": chat, "text": text});
    serde_json::json!({"update_id": 1, "message": message}).to_string()
}

/// Asks the bot and returns what it says.
pub(crate) fn ask(address: SocketAddr, text: &str) -> String {
    post(address, &update(text)).text()
}

/// A value of the metrics page; 0 when it is not there.
pub(crate) fn metric(address: SocketAddr, series: &str) -> u64 {
    let page = get(address, "/metrics").body;
    let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0, |value| value.parse().unwrap())
}
