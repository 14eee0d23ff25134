//! The live page of a load run in a browser: `tollgate load --monitor`.

mod alerts;
mod board;
mod dashboard;
mod document;
mod guard;
mod listener;
mod series;
mod server;

pub use dashboard::{Dashboard, Error};
pub use listener::WithPage;
