//! Commands of the user as slots: one process is one slot of every benchmark that its output names.
//!
//! | file | what it owns |
//! |---|---|
//! | [`mod@line`] | a command, what it reads, and its placeholders |
//! | [`request`] | what is asked |
//! | [`runner`] | one process of a side, and its build |
//! | `course` | one command on its way: its benchmarks and their blocks |
//! | [`paired`] | base and head in blocks: plan, measure, look, plan again |
//! | [`alone`] | head alone, a slot a block |

pub mod alone;
mod course;
pub mod line;
pub mod paired;
pub mod request;
pub mod runner;

pub use line::{Program, Reads};
pub use request::{Request, Site};
