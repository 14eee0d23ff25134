//! The client of GitHub's REST: the one place that talks to the network.

mod address;
mod answer;
mod talk;

#[cfg(test)]
mod tests;

pub use talk::{Client, Options};
