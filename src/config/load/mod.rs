//! `[[load]]` and `[targets]`: their keys, and how they become [`Scenario`](crate::load::scenario::Scenario)s, every mistake found.
//!
//! | file | what it owns |
//! |---|---|
//! | `keys` | the keys as they are written; their doc comments become the schema's descriptions |
//! | `values` | values with a short and a long form: `expect = 200`, `ready = "/health"`, `data = "users.csv"` |
//! | `words` | a command in one text, split into words |
//! | `troubles` | mistakes by the path of their key |
//! | `scenario` | a scenario as a whole |
//! | `service` | who is under load, and how requests travel |
//! | `flows` | what is asked |
//! | `model` | how much load, and when |
//! | `driver` | who sends the requests |
//! | `metrics` | the scenario's own metrics, and what is judged |
//! | `soak` | what may grow in a long window |
//! | `targets` | tiers of targets |

pub mod keys;
pub mod values;

mod driver;
mod flows;
mod metrics;
mod model;
mod scenario;
mod service;
mod soak;
mod targets;
mod troubles;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use scenario::resolved;
pub use scenario::{Leave, check, scenarios};
pub(crate) use soak::soak;
pub(crate) use targets::targets;
pub use troubles::{Key, Trouble};
