//! Measuring: two revisions built alike, their benchmarks in dealt slots, in paired rounds or one revision alone.
//!
//! | file | what it owns |
//! |---|---|
//! | [`trees`] | the files of both revisions, at paths of equal length outside the repository |
//! | [`side_build`], [`builds`], [`sameness`] | the executables of one tree; of both, paired; which pairs are the same |
//! | `pairing`, `differences` | targets of both sides; what differs beside their code |
//! | [`request`] | what is asked, what comes back |
//! | [`interleave`] | the paired measurement: plan, measure, look, plan again |
//! | [`single`] | one revision alone |
//! | [`listing`] | what would be measured, and its cost |
//! | [`command`] | any program as a slot |
//! | [`program`] | commands of both revisions, and what they write |
//! | `prepare`, `alone`, `contender` | who is there, who is compared, what it costs |
//! | [`census`], [`scout`], [`cost`] | what an executable holds; what a slot of it costs |
//! | [`subject`], `course` | benchmarks of both sides brought together; one benchmark on its way |
//! | [`lockstep`], [`solo`] | a block with six live processes; a block with a process a slot |
//! | [`slot`], [`stage`] | one bench process; what all of them share |
//! | [`criterion`] | the wire protocol, filters, files |
//! | `resume` | going on from an earlier run |

mod alone;
mod build_failure;
pub mod builds;
pub mod census;
pub mod command;
mod contender;
pub mod cost;
mod course;
pub mod criterion;
mod differences;
pub mod interleave;
pub mod listing;
pub mod lockstep;
mod pairing;
mod prepare;
pub mod program;
pub mod request;
mod resume;
pub mod sameness;
pub mod scout;
pub mod side_build;
pub mod single;
pub mod slot;
pub mod solo;
pub mod stage;
pub mod subject;
pub mod trees;

pub use interleave::{Keep, measure};
pub use listing::{Listing, list};
pub use request::{Error, IdenticalCode, Measured, Request};
pub use single::measure_alone;
pub use stage::SlotSettings;
