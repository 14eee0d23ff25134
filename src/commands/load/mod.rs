//! `tollgate load`: services under load, for their own sake: a verdict without a base.
//!
//! | file | what it owns |
//! |---|---|
//! | [`plain`] | a URL and flags as a scenario |
//! | `work` | scenarios in turn, and what came of them as a run |

pub mod plain;
mod work;

pub use crate::judge::over_time::LONG_SECONDS;
pub use work::{Done, Request, run};
