//! JSON on disk, frozen per major version, with converters from and to the model. The model knows nothing of it.
//!
//! | document | written by | module |
//! |---|---|---|
//! | `tollgate.run/1` | `run`, `check` (raw samples) | [`run_v1`] |
//! | `tollgate.verdict/1` | `check`, `compare`, `judge` | [`verdict_v1`] |
//! | `tollgate.baseline/1` | `baseline save`, `accept` | [`baseline_v1`] |
//! | `tollgate.history/1` | `baseline save` (to `refs/tollgate/history`) | [`history_v1`] |
//! | `tollgate.doctor/1` | `doctor --json` (never read back) | [`doctor_v1`] |
//!
//! Rules: keys are only added within a major version, readers ignore keys they do not know, a newer major is refused
//! ([`version`]). Numbers that do not exist are `null`. Every reader takes hostile bytes: [`reading`] states the bounds.

pub mod baseline_v1;
pub mod doctor_v1;
#[cfg(test)]
pub(crate) mod example;
mod histogram;
pub mod history_v1;
mod layout;
mod load_v1;
mod moment;
mod parts_v1;
mod policy_v1;
pub mod reading;
pub mod run_v1;
pub mod schema;
mod stress_v1;
pub mod verdict_v1;
pub mod version;

pub use reading::Error;
