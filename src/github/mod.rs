//! GitHub: what it says of the job that runs, and its REST for comments, check runs, people's permissions and pull requests.
//!
//! [`client`] is the one place that talks to the network; it repeats what can be repeated and never creates twice. The token
//! never leaves [`token`] but for the header of a request.

pub mod acceptance;
pub mod artifact;
pub mod check_run;
pub mod client;
pub mod comment;
pub mod context;
pub mod event;
mod failure;
mod limits;
pub mod marker;
pub mod pulls;
pub mod repository;
pub mod summary;
pub mod token;

pub use failure::{Error, Refusal};
