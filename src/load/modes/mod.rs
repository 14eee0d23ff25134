//! One revision under load, for its own sake: no base, no rounds, one service that stays while it is asked.
//!
//! | file | what it owns |
//! |---|---|
//! | [`ground`] | the service of a scenario: built, started, asked, stopped |
//! | [`knee`] | the rate that a service bears, near to one that is known: for slots of a check |
//! | `probe` | a window at one rate: was the aim met? |
//! | [`prober`] | such windows on a service that stays |
//! | [`quick`] | a scenario at a few growing levels |
//! | [`stress`] | the rate that it bears, and how it comes back from more |

pub mod ground;
pub mod knee;
mod probe;
pub mod prober;
pub mod quick;
pub mod stress;
