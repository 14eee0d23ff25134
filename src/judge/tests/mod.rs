//! Verdicts, outcomes and censuses of runs made by hand, and of simulated checks.

mod census;
mod outcomes;
mod simulation;
mod stored;
mod support;
mod verdicts;
