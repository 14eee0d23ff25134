//! What to look at, given what was seen of a service under load.

/// What to look at, tied to what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// A stable word for the rule.
    pub code: String,
    /// The scenario's name.
    pub scenario: String,
    /// What was seen, with figures, and what to look at.
    pub text: String,
}
