//! Load benchmarks: scenarios, the generator, the service under test.
//!
//! | file | what it owns |
//! |---|---|
//! | [`scenario`] | what a scenario says, complete and checked |
//! | [`watch`] | who looks on |

pub mod scenario;
pub mod watch;
