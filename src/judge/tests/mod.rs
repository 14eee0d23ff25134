//! Verdicts, outcomes and censuses of runs made by hand, and of simulated checks.

mod census;
mod load;
mod outcomes;
mod properties;
mod simulation;
mod stored;
mod support;
mod verdicts;
