//! Load benchmarks: scenarios, the generator, the service under test.
//!
//! | file | what it owns |
//! |---|---|
//! | `alarm` | waking to some microseconds |
//! | `clock` | what time it is, in tests a simulated one |
//! | [`generator`] | load by a schedule, and what became of it |
//! | `http` | connections and exchanges |
//! | `recorder` | what one worker records |
//! | [`script`] | what is asked: templates, data, captures, sessions |
//! | [`locust`] | the same load by Locust, on several machines |
//! | [`scenario`] | what a scenario says, complete and checked |
//! | [`service`] | the service under test: built, started, waited for, stopped |
//! | `ready` | how it is known to be ready |
//! | [`costs`] | what it uses while it is under load |
//! | [`prometheus`], [`formula`], `scraper` | its metrics page, and what is computed from it |
//! | [`gate`] | base and head under load in dealt blocks |
//! | [`modes`] | one revision under load, plainly or for long |
//! | `get`, `probe_tls`, [`trust`] | the small requests that are not load, and whom they trust |
//! | [`watch`] | who looks on |

pub(crate) mod alarm;
pub(crate) mod clock;
pub mod costs;
pub mod formula;
pub mod gate;
pub mod generator;
mod get;
pub(crate) mod http;
pub mod locust;
pub mod modes;
mod probe_tls;
pub mod prometheus;
mod ready;
pub(crate) mod recorder;
pub mod scenario;
mod scraper;
pub mod script;
pub mod service;
pub mod trust;
pub mod watch;
