//! Load benchmarks: scenarios, the generator, the service under test.
//!
//! | file | what it owns |
//! |---|---|
//! | [`script`] | what is asked: templates, data, captures, sessions |
//! | [`scenario`] | what a scenario says, complete and checked |
//! | [`watch`] | who looks on |

pub mod scenario;
pub mod script;
pub mod watch;
