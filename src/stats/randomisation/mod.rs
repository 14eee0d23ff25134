//! The randomisation test of Hodges and Lehmann's aligned ranks in randomised blocks, its estimate and its interval.
//!
//! Slots of base and head are dealt into blocks at random. If the label changes nothing, every deal of a block's labels was equally likely whatever
//! the drift, dependence or shape of the noise, so the share of deals with a statistic at least as large is an exact p-value
//! (Hodges and Lehmann 1962; Lehmann 1975). The statistic T is the sum over head of the midranks of y minus its block's median.

mod blocks;
mod deals;
mod exact;
mod interval;
mod sampled;
mod spread;
#[cfg(test)]
mod tests;

pub use blocks::{DealtBlocks, Error};
pub use deals::{greater, less, smallest_attainable};
pub use interval::{Bounds, estimate, interval};
pub use spread::scatter;
