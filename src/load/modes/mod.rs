//! One revision under load, for its own sake: no base, no rounds, one service that stays while it is asked.
//!
//! | file | what it owns |
//! |---|---|
//! | [`ground`] | the service of a scenario: built, started, asked, stopped |
//! | [`quick`] | a scenario at a few growing levels |

pub mod ground;
pub mod quick;
