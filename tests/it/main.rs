//! The integration tests, one binary: whole parts of Tollgate against real repositories, real cargo builds and real processes.
//!
//! - [`action`]: the GitHub action, run as the runner does, and the shape of workflows.
//! - [`baseline`]: stored runs in real repositories with real remotes.
//! - [`benchmark_tools`]: real outputs of benchmark tools of other languages as runs.
//! - [`builds`]: base and head built alike, from real repositories.
//! - [`calibration`]: false alarms and power of the statistics on simulated and recorded slots, against what is promised.
//! - [`check`]: the main job from the command line, on real criterion benches.
//! - [`comment`]: `tollgate comment` against a double of GitHub.
//! - [`command_check`]: commands of any language in `check` and `run`, in repositories without cargo.
//! - [`compare`]: `compare`, `judge` and `report` from the command line, and the exit codes that they reach.
//! - [`criterion_link`]: real benches of criterion 0.5 to 0.8 over the link and by files.
//! - [`dashboard`]: the live page of a load run, over loopback and in a real browser.
//! - [`docs`]: every command and link of the documentation.
//! - [`doctor`]: the machine and the self-test, with tiny counts.
//! - [`github`]: the double of GitHub, held against GitHub's own description.
//! - [`hook`]: the pre-push check in real repositories with real remotes, pushed by git.
//! - [`hostile`]: one corpus of nasty names and broken files through every reader and renderer.
//! - [`html_report`]: the report as a page, in a real browser.
//! - [`interleave`]: order, pairing and replay of paired rounds; benches that misbehave; interrupts; resuming.
//! - [`load_check`]: load benchmarks in a check, on a real server crate.
//! - [`load_command`]: `tollgate load` on a URL and on the services of a project.
//! - [`load_generator`]: load on real servers of known behaviour, good and bad.
//! - [`load_scenarios`]: load scenarios as users write them, and the examples of `docs/load.md`.
//! - [`load_locust`]: load by a real Locust, one master and two workers.
//! - [`load_locust_ssh`]: workers of a real Locust behind a real sshd.
//! - [`load_results`]: results of load tools as runs, and `import` from the command line.
//! - [`mixed_check`]: criterion benches and a service of one crate in one check.
//! - [`reports`]: a stored verdict in every format.
//! - [`revisions`]: revisions by name and by default, and what a work tree holds.
//! - [`schema`]: the committed JSON Schemas are current, and documents keep to them.
//! - [`service`]: the service under load: its start, readiness, costs and end.
//! - [`shards`]: verdicts of a matrix merged, and what a hostile one may say of itself.
//! - [`sources`]: real outputs of other tools as runs.
//! - [`tidy`]: rules of the house that a machine can keep.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test may panic, and one that cannot run here says so"
)]

mod action;
mod baseline;
mod benchmark_tools;
mod builds;
mod calibration;
mod check;
mod command_check;
mod comment;
mod compare;
mod criterion_link;
mod dashboard;
mod docs;
mod doctor;
mod github;
mod hook;
mod hostile;
mod html_report;
mod interleave;
mod load_check;
mod load_command;
mod load_generator;
mod load_locust;
mod load_locust_ssh;
mod load_results;
mod load_scenarios;
mod load_soak;
mod load_stress;
mod mixed_check;
mod reports;
mod revisions;
mod schema;
mod service;
mod shards;
mod sources;
mod support;
mod tidy;
