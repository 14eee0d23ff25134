//! The verdict as one comment on a pull request, within the size that GitHub takes.

mod draw;

#[cfg(test)]
mod tests;

pub use super::fit::Fitted;
pub use draw::render;

/// What a comment says besides its verdict. Texts are raw; what can be named by others is escaped when it is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The HTML report's address.
    pub html_url: Option<String>,
    /// The address of the job that measured.
    pub job_url: Option<String>,
    /// Earlier verdicts of the same pull request, the newest first.
    pub earlier: Vec<Earlier>,
    /// Regressions that were accepted on the pull request.
    pub acceptances: Vec<Acceptance>,
}

/// An earlier verdict of the same pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// The head commit, hexadecimal.
    pub commit: String,
    /// The outcome's word.
    pub outcome: String,
    /// Its first line, without markup.
    pub summary: String,
}

/// A regression that somebody with write access accepted on the pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Glob over benchmark ids.
    pub benchmark: String,
    /// The login of who accepted it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when, in words.
    pub until: String,
    /// The address of the comment or label event that says so.
    pub url: Option<String>,
}
