//! `tollgate doctor`: is this machine good enough, what is the smallest change it can show, and what is to be changed about it.
//!
//! - [`job`]: the request, and what is done for it. [`report`]: what came of it, and the outcome.
//! - `text` with `facts`, `measured` and `words` on a `page`: the report for people. `json`: the same for scripts. `slots`: the recorded slots as a file that
//!   `compare --slots` reads.
//!
//! The outcome is `pass` when a slowdown of `policy.must_rule_out` (10 %) can be seen within the default budget in at least half of the
//! kernels and was found where it was injected, else `inconclusive`: the machine is then no gate, which is not the code's fault.

mod facts;
pub mod job;
mod json;
mod measured;
mod page;
pub mod report;
mod slots;
mod text;
mod words;

#[cfg(test)]
mod tests;

pub use job::{Plan, Request, run, run_plan, state_folder};
pub use report::Report;
