//! Who may talk to the page: a browser on this machine that opened it itself.
//!
//! A page of another site can send requests to a port of this machine. Its name gives it away (`Host`, DNS rebinding; `Origin`),
//! and it cannot know the token that only our own page carries.

use axum::http::{HeaderMap, header};
use tokio_rustls::rustls::crypto::ring;

/// The header that carries the token.
pub(super) const TOKEN_HEADER: &str = "x-tollgate-token";

/// What a request must show.
#[derive(Debug)]
pub(super) struct Guard {
    port: u16,
    token: String,
}

impl Guard {
    /// With a fresh token; `None` when the system gives no randomness.
    pub(super) fn new(port: u16) -> Option<Self> {
        let mut bytes = [0_u8; 16];
        ring::default_provider().secure_random.fill(&mut bytes).ok()?;
        Some(Self { port, token: bytes.iter().map(|byte| format!("{byte:02x}")).collect() })
    }

    /// The token that the page carries.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Whether it asks for us by a name of this machine, and does not come from a foreign page.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let one = |name| {
            let mut all = headers.get_all(name).iter();
            let first = all.next().map(|value| value.to_str().unwrap_or(""));
            (first, all.next().is_none())
        };
        let ours = |host: &str| {
            host.rsplit_once(':').is_some_and(|(name, port)| {
                (name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1")
                    && port == self.port.to_string()
            })
        };
        let (host, single_host) = one(header::HOST);
        let (origin, single_origin) = one(header::ORIGIN);
        let same = origin.is_none_or(|origin| origin.strip_prefix("http://").is_some_and(ours));
        single_host && single_origin && host.is_some_and(ours) && same
    }

    /// Whether it carries the token. Takes the same time wherever the first wrong character is.
    pub(super) fn knows_token(&self, headers: &HeaderMap) -> bool {
        let Some(given) = headers.get(TOKEN_HEADER) else { return false };
        let (given, token) = (given.as_bytes(), self.token.as_bytes());
        given.len() == token.len() && given.iter().zip(token).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::Guard;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_names_of_this_machine_with_our_port_are_admitted() {
        let guard = Guard::new(3001).unwrap();
        let admits = |lines: &[(&'static str, &str)]| guard.admits(&headers(lines));
        for host in ["localhost:3001", "127.0.0.1:3001", "LocalHost:3001"] {
            assert!(admits(&[("host", host)]), "{host}");
            assert!(admits(&[("host", host), ("origin", "http://localhost:3001")]));
        }
        let foreign = [
            "",
            "localhost",
            "localhost:3002",
            "evil.example:3001",
            "127.0.0.1.evil.example:3001",
            "[::1]:3001",
        ];
        for host in foreign {
            assert!(!admits(&[("host", host)]), "{host}");
        }
        assert!(!admits(&[]));
        assert!(!admits(&[("host", "localhost:3001"), ("host", "evil.example:3001")]));
        for origin in ["null", "http://evil.example", "https://localhost:3001", "http://localhost:3002", ""] {
            assert!(!admits(&[("host", "localhost:3001"), ("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_token_is_long_fresh_and_must_be_whole() {
        let (one, two) = (Guard::new(1).unwrap(), Guard::new(1).unwrap());
        assert!(one.token().len() == 32 && one.token() != two.token());
        let knows = |token: &str| one.knows_token(&headers(&[("x-tollgate-token", token)]));
        assert!(knows(one.token()));
        assert!(
            !knows(two.token())
                && !knows(&one.token()[1..])
                && !knows("")
                && !one.knows_token(&HeaderMap::new())
        );
    }
}
