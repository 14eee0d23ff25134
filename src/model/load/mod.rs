//! Load: what one trial recorded ([`Trial`]), and what all trials of a scenario and side come to ([`Summary`]).

mod availability;
mod summary;
mod trial;

pub use availability::{Availability, STRETCH_REQUESTS};
pub use summary::{CostSummary, EndpointSummary, QUANTILES, Quantiles, Slots, Summary};
pub use trial::{
    Clocks, Costs, DIGITS, Distribution, Endpoint, ErrorKind, Interval, LONGEST_NS, Offered, Quantile,
    Requests, Trial,
};
