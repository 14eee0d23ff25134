//! A verdict in, bytes out. One view model ([`view`]) decides order, rounding and sentences; every format draws from it.

mod bar;
pub mod comment;
mod fit;
pub mod json;
pub mod load;
mod load_markdown;
pub mod markdown;
mod parts;
mod sentences;
pub mod table;
pub mod view;
