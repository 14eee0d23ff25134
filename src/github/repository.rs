//! The name of a repository, safe to stand in the path of a request.

use std::{fmt, str::FromStr};

/// `OWNER/NAME`, of the characters that GitHub allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    owner: String,
    name: String,
}

/// A text that names no repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not read `{0}` as a repository: it is `OWNER/NAME`, of letters, digits, `-`, `_` and `.`")]
pub struct NoRepository(String);

impl Repository {
    /// Who owns it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The path of a thing of this repository, for a request: `/repos/OWNER/NAME/REST`.
    #[must_use]
    pub fn path(&self, rest: &str) -> String {
        format!("/repos/{}/{}/{rest}", self.owner, self.name)
    }
}

impl FromStr for Repository {
    type Err = NoRepository;

    fn from_str(text: &str) -> Result<Self, NoRepository> {
        let good = |part: &str| {
            let letters = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            (1..=100).contains(&part.len()) && letters && part != "." && part != ".."
        };
        match text.split_once('/') {
            Some((owner, name)) if good(owner) && good(name) => {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(NoRepository(text.chars().take(200).collect())),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.owner, self.name)
    }
}

/// Whether a text is a commit's id: 40 or 64 hexadecimal digits.
#[must_use]
pub fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a text can be a login: letters, digits, `-` and `_`, perhaps `[bot]` at the end.
#[must_use]
pub fn is_login(text: &str) -> bool {
    let name = text.strip_suffix("[bot]").unwrap_or(text);
    (1..=100).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::{Repository, is_commit, is_login};

    #[test]
    fn only_what_github_allows_reaches_a_path() {
        let repository: Repository = "octo-org/a.b_c".parse().unwrap();
        assert_eq!(repository.path("pulls/1"), "/repos/octo-org/a.b_c/pulls/1");
        assert_eq!((repository.owner(), repository.to_string().as_str()), ("octo-org", "octo-org/a.b_c"));
        for bad in ["", "a", "a/", "/b", "a/..", "./b", "a/b/c", "a/b?c", "a/b#c", "a b/c", "a/%2e"] {
            assert!(bad.parse::<Repository>().is_err(), "{bad}");
        }
        assert!(is_login("octocat") && is_login("github-actions[bot]"));
        assert!(!is_login("") && !is_login("a/b") && !is_login("a[bot]x") && !is_login("../x"));
        assert!(is_commit(&"a1".repeat(20)) && !is_commit("main") && !is_commit(&"g".repeat(40)));
    }
}
