//! A verdict in, bytes out. One view model ([`view`]) decides order, rounding and sentences; every format draws from it.

pub mod annotations;
mod bar;
pub mod code_quality;
pub mod comment;
mod fit;
pub mod html;
pub mod json;
pub mod junit;
pub mod known;
pub mod load;
mod load_markdown;
pub mod markdown;
mod parts;
pub mod places;
mod sentences;
pub mod stress;
pub mod table;
pub mod view;
