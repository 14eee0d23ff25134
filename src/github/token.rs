//! The token: read from the environment, sent in a header, and never shown.

use std::fmt;

/// Shorter texts are no tokens, and taking them out of messages would garble these.
const SHORTEST: usize = 8;

/// A token of GitHub. Neither `Debug` nor any message holds it.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A token, if the text can be one: without white space or control characters around or in it, and not empty.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        plain.then(|| Self(text.to_owned()))
    }

    /// The token of a job: `GITHUB_TOKEN`, else `GH_TOKEN`.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        ["GITHUB_TOKEN", "GH_TOKEN"].iter().find_map(|name| Self::new(&variable(name)?))
    }

    /// The text itself, for the header of a request only.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// A text without the token in it: servers and proxies may repeat what they were sent.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        if self.0.len() < SHORTEST { text.to_owned() } else { text.replace(&self.0, "***") }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn a_token_comes_from_either_variable_and_is_never_shown() {
        let of = |name: &str, value: &str| {
            let (name, value) = (name.to_owned(), value.to_owned());
            Token::from_environment(move |asked| (asked == name).then(|| value.clone()))
        };
        assert_eq!(of("GITHUB_TOKEN", "ghs_secret123\n").unwrap().expose(), "ghs_secret123");
        assert_eq!(of("GH_TOKEN", "ghp_other4567").unwrap().expose(), "ghp_other4567");
        assert!(of("GITHUB_TOKEN", "  ").is_none());
        assert!(of("GITHUB_TOKEN", "a b").is_none());
        assert!(of("TOKEN", "ghp_other4567").is_none());
        let token = Token::new("ghs_secret123").unwrap();
        assert_eq!(format!("{token:?}"), "Token(***)");
        assert_eq!(token.redact("Bearer ghs_secret123 is bad"), "Bearer *** is bad");
    }
}
