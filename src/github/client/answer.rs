//! What can be read from an answer without asking again.

use crate::github::{failure::Refusal, limits::Asked};
use hyper::HeaderMap;
use serde::Deserialize;

/// An answer as it came.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

/// What GitHub says when it refuses.
#[derive(Deserialize, Default)]
struct Said {
    #[serde(default)]
    message: String,
}

impl Answer {
    /// What GitHub said.
    pub(super) fn message(&self) -> String {
        let said: Said = serde_json::from_slice(&self.bytes).unwrap_or_default();
        match said.message.trim() {
            "" => "without saying why".to_owned(),
            message => message.to_owned(),
        }
    }
}

/// An error with its causes, without the backtraces that some of them print.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let word = error.to_string().lines().next().unwrap_or_default().trim().to_owned();
        // Many wrappers repeat what they wrap
        if let Some(last) = words.last_mut()
            && let Some(cut) = last.strip_suffix(&word)
        {
            *last = cut.trim_end_matches([':', ' ']).to_owned();
        }
        words.push(word);
        next = error.source();
    }
    words.retain(|word| !word.is_empty() && word != "Service Error" && word != "Hyper Error");
    words.dedup();
    words.join(": ")
}

/// What an answer says about waiting.
pub(super) fn asked(answer: &Answer, message: &str) -> Asked {
    let number = |name: &str| answer.headers.get(name)?.to_str().ok()?.trim().parse().ok();
    Asked {
        status: answer.status,
        retry_after: number("retry-after"),
        remaining: number("x-ratelimit-remaining"),
        reset: number("x-ratelimit-reset"),
        says_limit: message.to_ascii_lowercase().contains("rate limit"),
    }
}

/// Why GitHub refused.
pub(super) fn refusal(status: u16, message: &str) -> Refusal {
    let message = message.to_ascii_lowercase();
    match status {
        403 | 422 if message.contains("locked") => Refusal::Locked,
        401 => Refusal::Token,
        403 => Refusal::Permission,
        404 => Refusal::NotFound,
        410 => Refusal::Gone,
        422 => Refusal::Invalid,
        500.. => Refusal::Server,
        _ => Refusal::Other,
    }
}

/// Whether the answer says that there is another page.
pub(super) fn has_next(headers: &HeaderMap) -> bool {
    headers.get_all("link").iter().any(|link| link.to_str().is_ok_and(|link| link.contains("rel=\"next\"")))
}
