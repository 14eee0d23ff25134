//! Load benchmarks: scenarios, the generator, the service under test.
//!
//! | file | what it owns |
//! |---|---|
//! | [`script`] | what is asked: templates, data, captures, sessions |
//! | [`scenario`] | what a scenario says, complete and checked |
//! | [`service`] | the service under test: built, started, waited for, stopped |
//! | `ready` | how it is known to be ready |
//! | [`costs`] | what it uses while it is under load |
//! | [`prometheus`], [`formula`], `scraper` | its metrics page, and what is computed from it |
//! | `get`, `probe_tls` | the small requests that are not load |
//! | [`watch`] | who looks on |

pub mod costs;
pub mod formula;
mod get;
mod probe_tls;
pub mod prometheus;
mod ready;
pub mod scenario;
mod scraper;
pub mod script;
pub mod service;
pub mod watch;
