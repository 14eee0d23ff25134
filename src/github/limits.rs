//! How long to wait before a request is repeated, as GitHub's answers ask for it. Pure: times are arguments.

use std::time::Duration;

/// What GitHub says in the headers and the message of an answer about waiting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The status of the answer.
    pub(super) status: u16,
    /// `retry-after`, seconds.
    pub(super) retry_after: Option<u64>,
    /// `x-ratelimit-remaining`.
    pub(super) remaining: Option<u64>,
    /// `x-ratelimit-reset`, seconds since 1970.
    pub(super) reset: Option<u64>,
    /// The message speaks of a rate limit.
    pub(super) says_limit: bool,
}

/// GitHub's documents: a secondary limit without a time asks for at least a minute.
const SECONDARY: Duration = Duration::from_secs(60);

/// How long a rate limit asks to wait; `None` when the answer is about no limit. `now` is in seconds since 1970.
///
/// Source: GitHub docs, "Rate limits for the REST API": `retry-after`, else `x-ratelimit-reset` if nothing is left, else a minute.
pub(super) fn limited(asked: &Asked, now: u64) -> Option<Duration> {
    let spent = asked.remaining == Some(0);
    let is_limit = match asked.status {
        429 => true,
        403 => spent || asked.retry_after.is_some() || asked.says_limit,
        _ => false,
    };
    if !is_limit {
        return None;
    }
    let until_reset = || {
        let reset = asked.reset.filter(|_| spent)?;
        // The server's clock and ours differ; a second more costs little.
        Some(Duration::from_secs(reset.saturating_sub(now).saturating_add(1)))
    };
    Some(asked.retry_after.map(Duration::from_secs).or_else(until_reset).unwrap_or(SECONDARY))
}

/// How long to wait before the `attempt`th repetition (from 0) of what failed for no stated reason.
pub(super) fn backoff(first: Duration, attempt: u32, asked: Option<&Asked>) -> Duration {
    let asked = asked.and_then(|asked| asked.retry_after).map(Duration::from_secs);
    asked.unwrap_or_else(|| first.saturating_mul(2_u32.saturating_pow(attempt)))
}

#[cfg(test)]
mod tests {
    use super::{Asked, backoff, limited};
    use std::time::Duration;

    #[test]
    fn a_limit_is_waited_out_as_its_headers_say() {
        let seconds = |asked: Asked| limited(&asked, 1_000).map(|wait| wait.as_secs());
        let base = Asked { status: 403, ..Asked::default() };
        assert_eq!(seconds(base.clone()), None, "a missing permission is no limit");
        assert_eq!(seconds(Asked { retry_after: Some(7), ..base.clone() }), Some(7));
        assert_eq!(seconds(Asked { remaining: Some(0), reset: Some(1_020), ..base.clone() }), Some(21));
        assert_eq!(seconds(Asked { remaining: Some(0), reset: Some(10), ..base.clone() }), Some(1));
        assert_eq!(seconds(Asked { says_limit: true, reset: Some(9_999), ..base.clone() }), Some(60));
        assert_eq!(seconds(Asked { status: 429, ..base.clone() }), Some(60));
        assert_eq!(seconds(Asked { remaining: Some(4_000), reset: Some(2_000), ..base }), None);
        assert_eq!(seconds(Asked { status: 502, retry_after: Some(1), ..Asked::default() }), None);
    }

    #[test]
    fn back_off_doubles_unless_the_server_says_when() {
        let first = Duration::from_secs(1);
        assert_eq!([0, 1, 2].map(|n| backoff(first, n, None).as_secs()), [1, 2, 4]);
        let asked = Asked { status: 503, retry_after: Some(0), ..Asked::default() };
        assert_eq!(backoff(first, 2, Some(&asked)), Duration::ZERO);
    }
}
