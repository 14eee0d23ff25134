//! The verdict as `tollgate.verdict/1`.

use crate::format::verdict_v1;
use crate::model::verdict::CheckVerdict;

/// The JSON of a verdict, with a newline at its end.
#[must_use]
pub fn render(verdict: &CheckVerdict) -> Vec<u8> {
    verdict_v1::to_json(verdict)
}
