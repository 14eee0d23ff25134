//! `tollgate baseline`: save, list, show, accept, prune, verify.
//!
//! Each is a function from a plain request to a plain report; [`text`] words the reports. [`place`] opens the repository
//! they all work in, [`record`] turns a measured run into what is stored.

pub mod accept;
mod failure;
pub mod fetch;
pub mod list;
pub mod past;
pub mod place;
pub mod prune;
pub mod record;
pub mod save;
pub mod show;
pub mod text;
pub mod verify;

pub use failure::Error;
pub use place::World;
