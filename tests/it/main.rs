//! The integration tests, one binary: whole parts of Tollgate against real repositories, real cargo builds and real processes.
//!
//! - [`baseline`]: stored runs in real repositories with real remotes.
//! - [`builds`]: base and head built alike, from real repositories.
//! - [`calibration`]: false alarms and power of the statistics on simulated and recorded slots, against what is promised.
//! - [`check`]: the main job from the command line, on real criterion benches.
//! - [`compare`]: `compare`, `judge` and `report` from the command line, and the exit codes that they reach.
//! - [`criterion_link`]: real benches of criterion 0.5 to 0.8 over the link and by files.
//! - [`dashboard`]: the live page of a load run, over loopback and in a real browser.
//! - [`doctor`]: the machine and the self-test, with tiny counts.
//! - [`hostile`]: one corpus of nasty names and broken files through every reader and renderer.
//! - [`interleave`]: order, pairing and replay of paired rounds; benches that misbehave; interrupts; resuming.
//! - [`load_check`]: load benchmarks in a check, on a real server crate.
//! - [`load_command`]: `tollgate load` on a URL and on the services of a project.
//! - [`load_generator`]: load on real servers of known behaviour, good and bad.
//! - [`load_scenarios`]: load scenarios as users write them, and the examples of `docs/load.md`.
//! - [`load_results`]: results of load tools as runs, and `import` from the command line.
//! - [`reports`]: a stored verdict in every format.
//! - [`revisions`]: revisions by name and by default, and what a work tree holds.
//! - [`schema`]: the committed JSON Schemas are current, and documents keep to them.
//! - [`service`]: the service under load: its start, readiness, costs and end.
//! - [`sources`]: real outputs of other tools as runs.
//! - [`tidy`]: rules of the house that a machine can keep.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may panic, and one that cannot run here says so"
)]

mod baseline;
mod builds;
mod calibration;
mod check;
mod compare;
mod criterion_link;
mod dashboard;
mod doctor;
mod hostile;
mod interleave;
mod load_check;
mod load_command;
mod load_generator;
mod load_results;
mod load_scenarios;
mod load_stress;
mod reports;
mod revisions;
mod schema;
mod service;
mod sources;
mod support;
mod tidy;
