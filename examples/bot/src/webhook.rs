//! One webhook request: who may post, how much is read, what is said for what is wrong, and the reply.

use std::{error::Error, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request as HttpRequest, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::LengthLimitError;
use serde_json::json;

use crate::{
    metrics::Metrics,
    question::Request,
    server::App,
    telegram::{Reply, Update},
};

/// The longest body that is read, bytes. Telegram's largest updates are a few kilobytes.
pub const LONGEST_BODY: usize = 256 * 1024;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const SECRET: &str = "x-telegram-bot-api-secret-token";

/// `POST /webhook`.
pub async fn receive(State(app): State<Arc<App>>, request: HttpRequest) -> Response {
    let _in_flight = InFlight::enter(&app.answers.metrics);
    let response = match answer(&app, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    app.answers.metrics.answered(response.status().as_u16());
    response
}

async fn answer(app: &App, request: HttpRequest) -> Result<Response, Refusal> {
    // Strangers are sent away before their body is read.
    if let Some(secret) = &app.secret {
        admit(secret, request.headers())?;
    }
    let body = read(request).await?;
    let update: Update<'_> = serde_json::from_slice(&body)
        .map_err(|cause| Refusal::new(StatusCode::BAD_REQUEST, format!("the body is no update: {cause}")))?;
    app.burden.bear().await;
    // Photos, polls and the like: taken, or Telegram would send them again and again.
    let Some((chat, text)) = update.text() else { return Ok(StatusCode::OK.into_response()) };
    match Request::read(text) {
        Request::Say(text) => reply(chat, text),
        Request::Ask(question) => match app.answers.answer(&question).await {
            Ok(text) => reply(chat, &text),
            // Telegram sends an update again that was not taken.
            Err(error) => Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())),
        },
    }
}

fn admit(secret: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get(SECRET).map_or(&b""[..], |value| value.as_bytes());
    if equal(secret.as_bytes(), given) {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::UNAUTHORIZED, format!("the header {SECRET} is missing or wrong")))
}

/// Takes the same time wherever the first difference is, so that the secret cannot be guessed byte by byte.
fn equal(left: &[u8], right: &[u8]) -> bool {
    let different = left.iter().zip(right).fold(0, |seen, (left, right)| seen | (left ^ right));
    left.len() == right.len() && std::hint::black_box(different) == 0
}

async fn read(request: HttpRequest) -> Result<Bytes, Refusal> {
    let too_long = || {
        let message = format!("the body is longer than {LONGEST_BODY} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > LONGEST_BODY as u64) {
        return Err(too_long());
    }
    let (parts, body) = request.into_parts();
    drop(parts);
    match tokio::time::timeout(BODY_TIMEOUT, whole(body)).await {
        Ok(Whole::Body(bytes)) => Ok(bytes),
        Ok(Whole::TooLong) => Err(too_long()),
        Ok(Whole::BrokenOff) => Err(Refusal::new(StatusCode::BAD_REQUEST, "the body broke off".to_owned())),
        Err(_) => {
            Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive".to_owned()))
        }
    }
}

enum Whole {
    Body(Bytes),
    TooLong,
    BrokenOff,
}

async fn whole(body: Body) -> Whole {
    match to_bytes(body, LONGEST_BODY).await {
        Ok(bytes) => Whole::Body(bytes),
        Err(error) if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => Whole::TooLong,
        Err(_) => Whole::BrokenOff,
    }
}

fn reply(chat: i64, text: &str) -> Result<Response, Refusal> {
    match serde_json::to_vec(&Reply::send_message(chat, text)) {
        Ok(body) => Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response()),
        Err(cause) => {
            Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, format!("could not write the reply: {cause}")))
        }
    }
}

/// Why a request was not answered, as JSON.
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, message: String) -> Self {
        Self { status, message }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.message }).to_string();
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}

/// Counts a request as in flight until it is dropped, whether it was answered or its client hung up.
struct InFlight<'a>(&'a Metrics);

impl<'a> InFlight<'a> {
    fn enter(metrics: &'a Metrics) -> Self {
        metrics.in_flight.add(1);
        Self(metrics)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.take(1);
    }
}

#[cfg(test)]
mod tests {
    use super::equal;

    #[test]
    fn a_secret_is_equal_only_to_itself() {
        assert!(equal(b"abc", b"abc"));
        for other in [&b""[..], b"ab", b"abcd", b"abd", b"Abc"] {
            assert!(!equal(b"abc", other));
        }
    }
}
