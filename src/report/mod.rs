//! A verdict in, bytes out. One view model ([`view`]) decides order, rounding and sentences; every format draws from it.

pub mod comment;
pub mod json;
pub mod load;
mod load_markdown;
pub mod markdown;
mod sentences;
pub mod stress;
pub mod table;
pub mod view;
