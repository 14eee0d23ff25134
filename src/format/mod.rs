//! JSON on disk, frozen per version, with converters from and to the model.
//!
//! - [`baseline_v1`]: reviewed baselines under `baselines/`.
//! - [`history_v1`]: run records of `refs/tollgate/history`.
//! - [`stored_v1`]: what the two share, their error among it.

pub mod baseline_v1;
pub mod history_v1;
mod pretty;
pub mod stored_v1;
