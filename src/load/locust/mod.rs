//! The load of a scenario by Locust: the same requests at the same due times, sent by a master and workers on this machine and
//! on others, told of second by second, and read into the same trial.
//!
//! | file | what it owns |
//! |---|---|
//! | `crew` | the processes: master, workers here, workers over ssh |
//! | `drive` | a whole trial |
//! | `failure` | why no trial could be had |
//! | `plan` | what Locust is to ask: the schedule, made here |
//! | `told` | what the master writes, added up |

mod crew;
mod drive;
mod failure;
mod plan;
mod told;

pub(in crate::load) use drive::drive;
pub use failure::Error;
