//! What several test modules need.

pub(crate) mod measuring;
pub(crate) mod samples;
