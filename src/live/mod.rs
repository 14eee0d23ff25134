//! Progress on screen: a bar on a terminal, plain lines elsewhere. Always on standard error.

pub mod bar;
pub mod lines;
