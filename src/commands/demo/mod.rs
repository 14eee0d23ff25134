//! `tollgate demo`: a small repository with a real regression, written and gated before the user's eyes.

mod bot;
pub mod job;
mod repository;
mod shop;
