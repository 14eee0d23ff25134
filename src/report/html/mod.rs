//! The verdict as one HTML file: no request leaves it, and it reads without its script too.

mod chart;
mod details;
mod load;
mod page;
mod rows;
mod scale;
mod seconds;

#[cfg(test)]
mod tests;

pub use page::render;
