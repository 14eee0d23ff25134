//! Progress on screen: a bar on a terminal, plain lines elsewhere, always on standard error; a page in a browser on request.

pub mod bar;
pub mod lines;
pub mod page;
