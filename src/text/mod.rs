//! Strings for people: hostile names made safe, numbers rounded, words counted.

pub mod escape;
pub mod plural;
pub mod quantity;
