//! What a scenario asks, made ready: flows with their templates, patterns and data compiled once, sessions that render them.
//!
//! | file | what it owns |
//! |---|---|
//! | `failure` | what is wrong with a flow, and where |
//! | `files` | files that a scenario names, read within its folder and bounded |
//! | `data` | rows of data from CSV and JSON lines |
//! | `template` | texts with `{{ name }}`, and how values are put into a path |
//! | `names` | what a name stands for in a session |
//! | `request` | one request, constant parts made ready |
//! | `answer` | what an answer must look like, and what is taken from it |
//! | `compile` | flows to a script, every problem at once |
//! | `session` | one user's way through a flow |

mod answer;
mod compile;
mod data;
mod failure;
mod files;
mod names;
mod request;
mod session;
mod template;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use compile::Script;
pub use data::{MAX_CELLS, MAX_COLUMNS, MAX_ROW_BYTES, MAX_ROWS};
pub use failure::{Error, Part, Problem};
pub use files::{MAX_FILE_BYTES, digests};
pub use names::BUILT_IN;
pub use session::{Prepared, Session};
