//! The verdict for a terminal. Colours only when asked for; fits any width from 40 columns on.

mod draw;
mod load;
mod wrap;

#[cfg(test)]
mod tests;

pub use draw::{Style, brief, render};
