//! Load: what one trial recorded ([`Trial`]), what all trials of a scenario and side come to ([`Summary`]), and
//! searches for the rate that a service bears ([`Stress`]).

mod advice;
mod availability;
mod stress;
mod summary;
mod trial;

pub use advice::Advice;
pub use availability::{Availability, STRETCH_REQUESTS};
pub use stress::{Aim, Probe, Recovery, Replicas, Scaling, Stress, StressResult, Within};
#[cfg(test)]
pub(crate) use summary::tests_support as summary_support;
pub use summary::{CostSummary, EndpointSummary, QUANTILES, Quantiles, Slots, Summary};
pub use trial::{
    Allowance, Clocks, Costs, DIGITS, Distribution, Endpoint, ErrorKind, FULL_CPU, Interval, Knee,
    LONGEST_NS, Offered, Quantile, Requests, Trial,
};
