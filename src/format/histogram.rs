//! Distributions as text: HdrHistogram's own V2 encoding with deflate, in base64, so that its tools read them too.

use base64::{Engine, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer, V2DeflateSerializer},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reading::{Fault, invalid};
use crate::model::load::{DIGITS, Distribution, LONGEST_NS};

/// What the histograms of a document may take in memory: a few bytes of text can unfold to a quarter of a megabyte.
const MAX_BYTES: usize = 2 << 30;

/// Durations in nanoseconds.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Durations {
    /// Those that were seen to their end: an HdrHistogram, V2 with deflate, in base64.
    known: String,
    /// Those of which only a lower bound is known; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_least: Option<String>,
}

impl From<&Distribution> for Durations {
    fn from(distribution: &Distribution) -> Self {
        Self { known: encoded(distribution.known()), at_least: distribution.at_least().map(encoded) }
    }
}

impl Durations {
    /// Its encoded parts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        [Some(&self.known), self.at_least.as_ref()].into_iter().flatten().map(String::as_str)
    }

    /// The distribution; `room` keeps account of the memory that those of a document take.
    pub(super) fn model(self, room: &mut Room) -> Result<Distribution, Fault> {
        let known = room.decoded(&self.known).map_err(|problem| invalid("known", problem))?;
        let at_least = self.at_least.map(|text| room.decoded(&text)).transpose();
        Ok(Distribution::from_parts(known, at_least.map_err(|problem| invalid("at_least", problem))?))
    }
}

/// The memory that is left for the histograms of one document.
#[derive(Debug)]
pub(super) struct Room {
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { bytes: MAX_BYTES }
    }
}

impl Room {
    fn decoded(&mut self, text: &str) -> Result<Histogram<u64>, String> {
        let bytes = STANDARD.decode(text).map_err(|error| format!("no base64: {error}"))?;
        let histogram: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| format!("no histogram: {error}"))?;
        if histogram.sigfig() != DIGITS || histogram.low() != 1 || histogram.max() > 2 * LONGEST_NS {
            return Err(format!("no histogram of nanoseconds up to an hour at {DIGITS} digits"));
        }
        let takes = histogram.distinct_values() * size_of::<u64>();
        self.bytes = self.bytes.checked_sub(takes).ok_or("the histograms take more than 2 GiB")?;
        let mut histogram = histogram;
        histogram.auto(true);
        Ok(histogram)
    }
}

fn encoded(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("a vector takes every write, and our histograms are far below the format's limits");
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Durations, Room};
    use crate::model::load::Distribution;
    use base64::{Engine, engine::general_purpose::STANDARD};
    use hdrhistogram::{
        Histogram,
        serialization::{Serializer, V2DeflateSerializer},
    };

    fn sample() -> Distribution {
        let mut sample = Distribution::default();
        (1..2_000).for_each(|n| sample.record(n * 7_919));
        sample.record_at_least(9_000_000_000);
        sample
    }

    #[test]
    fn a_distribution_comes_back_and_is_written_alike_again() {
        let written = Durations::from(&sample());
        let read = written.clone().model(&mut Room::default()).unwrap();
        assert_eq!(read, sample());
        assert_eq!(Durations::from(&read).known, written.known);
        let empty = Durations::from(&Distribution::default());
        assert_eq!(empty.at_least, None);
        assert_eq!(empty.model(&mut Room::default()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_histogram_of_ours_is_refused() {
        let fault =
            |known: String| Durations { known, at_least: None }.model(&mut Room::default()).unwrap_err();
        for text in ["", "!!!", "AAAA", "HISTFAAAAAB42g=="] {
            let _ = fault(text.into());
        }
        let mut fine = Histogram::<u64>::new_with_bounds(1, 1 << 50, 5).unwrap();
        fine.record(1 << 49).unwrap();
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&fine, &mut bytes).unwrap();
        let _ = fault(STANDARD.encode(bytes));
    }

    #[test]
    fn many_small_texts_cannot_take_all_memory() {
        let mut room = Room { bytes: 1 << 20 };
        let mut one = Distribution::default();
        one.record(3_000_000_000_000);
        let text = Durations::from(&one);
        let read = (0..100).filter(|_| text.clone().model(&mut room).is_ok()).count();
        assert!((1..10).contains(&read), "{read}");
    }
}
