//! Load benchmarks: scenarios, the generator, the service under test.
//!
//! | file | what it owns |
//! |---|---|
//! | [`alarm`] | waking to some microseconds |
//! | [`generator`] | load by a schedule, and what became of it |
//! | [`http`] | connections and exchanges |
//! | [`recorder`] | what one worker records |
//! | [`script`] | what is asked: templates, data, captures, sessions |
//! | [`scenario`] | what a scenario says, complete and checked |
//! | [`watch`] | who looks on |

pub(crate) mod alarm;
pub mod generator;
pub(crate) mod http;
pub(crate) mod recorder;
pub mod scenario;
pub mod script;
pub mod watch;
