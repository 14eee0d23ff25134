//! One revision under load, for its own sake: no base, no rounds, one service that stays while it is asked.
//!
//! | file | what it owns |
//! |---|---|
//! | [`ground`] | the service of a scenario: built, started, asked, stopped |
//! | `probe` | a window at one rate: was the aim met? |
//! | [`quick`] | a scenario at a few growing levels |
//! | [`stress`] | the rate that it bears, and how it comes back from more |

pub mod ground;
mod probe;
pub mod quick;
pub mod stress;
