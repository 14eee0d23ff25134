//! The pre-push hook in a user's repository: where hooks are, ours put in front of another one, and taken away again.
//!
//! A hook that is there already is renamed to `pre-push.pre-tollgate` and runs first, with the same input. Nothing that somebody
//! else wrote is ever overwritten: what cannot be kept is an error with the line to add by hand.
//!
//! - [`place`]: the folder that git takes hooks from, and whose it is.
//! - [`script`]: the text of ours, and how it is known again.
//! - [`mod@install`]: putting it there and taking it away.
//! - [`manager`]: tools that write hooks themselves, and the lines that they take.

mod failure;
pub mod install;
pub mod manager;
pub mod place;
pub mod script;

pub use failure::Error;
pub use install::{Change, install, uninstall};
pub use manager::Manager;
pub use place::Place;
