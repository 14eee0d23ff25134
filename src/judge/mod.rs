//! Runs and policy in, judgements out: pure, without a clock, and the same bytes for the same run.
//!
//! [`judge`] is the one entry. Each row is first given its evidence by the way it was measured: in blocks with planned looks
//! ([`paired`]), in blocks looked at once (`one_look`), against stored runs ([`stored`]), by counts (`counted`), or exactly
//! (`deterministic`). [`load`] has what holds of load benchmarks alone. The
//! tests of a family then share their error rate (`family`), budgets and waivers have their say, and the census and the
//! outcomes follow from the rows.
//!
//! Apart from all that, and never mixed with it, [`load_summary`] says what a service under load reached: its numbers, the
//! tiers of targets ([`targets`]), and a score ([`grade`]). Where it was asked at several levels, [`levels`] tells how far it is sane;
//! `advice` says what to look at, tied to what was seen.

mod advice;
mod budget;
mod census;
mod check;
mod counted;
mod deterministic;
mod evidence;
mod explain;
mod family;
mod globs;
pub mod grade;
pub mod levels;
pub mod load;
mod one_look;
mod outcomes;
pub mod over_time;
pub mod paired;
mod parallel;
pub mod policy;
mod row;
mod service;
pub mod soak;
mod statistics;
pub mod stored;
mod stress;
mod subject;
mod suite_shift;
pub mod targets;
mod waiver;

#[cfg(test)]
mod tests;

pub use check::judge;
pub use service::load_summary;
pub use stored::suspects;
