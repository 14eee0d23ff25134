//! The product's nouns: what is measured, where, in which revision, and what was concluded. No I/O, no file format.

pub mod baseline;
pub mod benchmark;
pub mod census;
pub mod environment;
pub mod load;
pub mod metric;
pub mod outcome;
pub mod policy;
pub mod revision;
pub mod run;
pub mod soak;
pub mod targets;
pub mod verdict;
