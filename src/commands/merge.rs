//! One verdict of several: the shards of a matrix.

use crate::{
    commands::failure::Failure,
    model::{outcome::Outcome, verdict::CheckVerdict},
};

/// The one verdict of a check that ran in one piece.
///
/// # Errors
/// When there is none, or not as many as expected.
pub fn merge(
    mut verdicts: Vec<CheckVerdict>,
    expected: Option<usize>,
    _now: u64,
) -> Result<CheckVerdict, Failure> {
    let found = verdicts.len();
    match verdicts.pop() {
        Some(verdict) if found == 1 && expected.is_none_or(|expected| expected == 1) => Ok(verdict),
        _ => Err(Failure::sentence(
            Outcome::Incomplete,
            format!("could not make one verdict of {found}"),
            "give the verdict of a check that ran in one piece",
        )),
    }
}
