//! The report on hand-made findings.
