//! Children: the one home of starting, watching and ending other programs.
//!
//! A child lives in its own process group with no standard input; its output is drained on threads into bounded memory; it
//! has a deadline; and whatever happens (error, Ctrl-C, drop) its whole group is ended. Groups that are alive are also on
//! record in a file, so that the next start can end what a `kill -9` left behind.

pub mod affinity;
pub mod child;
pub mod group;
pub mod interrupt;
pub mod limits;
mod log;
pub mod output;
mod reading;
pub mod registry;
pub mod replace;
pub mod resources;
pub mod run;
pub mod spec;
pub mod tree;

pub use child::{Child, ExitStatus};
pub use interrupt::Interrupt;
pub use run::{Error, Finished, run};
pub use spec::Spec;
