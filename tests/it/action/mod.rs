//! The GitHub action, run step by step as the runner runs it, and the shape of every workflow.
//!
//! - [`expression`]: the few forms of `${{ }}` that the action uses, evaluated.
//! - [`runner`]: a job: its workspace, event and inputs; the steps with fresh files and an environment of their own.
//! - [`scene`]: repositories with pull requests, and checkouts of them as `actions/checkout` makes them.
//! - [`base`]: which commit each event is compared with, and what is fetched for it.
//! - [`gate`]: outcomes, outputs, reports, secrets, and hostile inputs.
//! - [`install`]: releases, checksums, building from source.
//! - [`workflows`]: workflows, templates and scripts keep to the rules for them.

mod base;
mod expression;
mod gate;
mod install;
mod runner;
mod scene;
mod workflows;
