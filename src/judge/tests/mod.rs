//! Verdicts, outcomes and censuses of runs made by hand, and of simulated checks.

mod census;
mod load;
mod outcomes;
mod properties;
mod service;
mod simulation;
mod soak;
mod stored;
mod support;
mod verdicts;
