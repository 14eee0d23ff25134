//! Numbers in, numbers out: tests, intervals, corrections for many tests, and the seeded randomness behind them.
//!
//! Conventions. Times and other positive metrics enter as natural logarithms, so a difference of 0.0198 is +2 %, and
//! "greater" means that head is larger (slower). Functions that take a list of numbers answer `None`, or an error, where the list is too
//! short; inputs must be finite. A p-value lies in (0, 1] and is never understated: where it cannot be computed exactly it is
//! replaced by something that is not smaller in the long run, and the function says so.

pub mod bootstrap;
pub mod deterministic;
pub mod effect;
pub mod equivalence;
pub mod location;
pub mod multiplicity;
pub mod power;
pub mod prediction;
pub mod proportion;
pub mod random;
pub mod randomisation;
pub mod rank_sum;
pub mod ranks;
pub mod scalability;
pub mod sequential;
pub mod signed_rank;
pub mod spread;
pub mod trend;
pub mod welch;
