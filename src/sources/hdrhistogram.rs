//! HdrHistogram: interval logs of version 2 (`.hlog`, any tool that keeps to the standard) and printed percentile tables
//! (`Value Percentile TotalCount 1/(1-Percentile)`, what hdr-plot reads).
//!
//! Neither tells its unit. A log's values are taken for nanoseconds, as its own writers do unless told otherwise; where the
//! column of maxima shows another one it is told. A table is printed in milliseconds.
//!
//! A histogram in a log is deflated and names its own size, so it is unpacked here within a bound before it is decoded.

use std::{collections::BTreeMap, io::Read};

use base64::Engine;
use flate2::read::ZlibDecoder;
use hdrhistogram::{Histogram, serialization::Deserializer};

use super::{
    input::{Error, Input, InputFile, MAX_LINES_BYTES, Source, beginning, holds, shown},
    lines::text_lines,
    load_result::{Counts, LoadResult, Loaded, MILLISECOND, QUANTILES, Slices},
    pairing::SourceRun,
};
use crate::model::run::Warning;

/// Interval logs and percentile tables.
#[derive(Debug, Clone, Copy)]
pub struct HdrHistogram;

const UNKNOWN: &str = "an interval log tells neither its unit (taken for nanoseconds), errors, nor whether a stall is corrected or the warm-up in it";
const UNKNOWN_TABLE: &str = "a percentile table tells neither its unit (taken for milliseconds), rate, errors, nor whether a stall is corrected";

/// The first word of an encoded histogram of version 2, deflated or not.
const DEFLATED: u32 = 0x1c84_9314;
const PLAIN: u32 = 0x1c84_9313;

/// Cookie, length, offset, digits, lowest, highest, ratio.
const HEADER_BYTES: usize = 40;

/// The most that one histogram takes unpacked: at five digits over the whole range it has some 6 million counts.
const MOST_UNPACKED: u64 = 16 << 20;

/// More tags than this are in no log.
const MOST_TAGS: usize = 1000;

impl Source for HdrHistogram {
    fn name(&self) -> &'static str {
        "hdrhistogram"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file);
        is_log(start) || is_table(start)
    }

    fn limit(&self) -> usize {
        MAX_LINES_BYTES
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let loaded = if is_log(beginning(file)) { log(file)? } else { table(file)? };
        loaded.run(input)
    }
}

fn is_log(start: &[u8]) -> bool {
    holds(start, "Histogram log format version")
        || holds(start, "\"StartTimestamp\",\"Interval_Length\"")
        || (start.starts_with(b"#") && holds(start, ",HISTFAAA"))
}

fn is_table(start: &[u8]) -> bool {
    let lines = start.split(|byte| *byte == b'\n').take(20);
    let is_head = |line: &[u8]| {
        let text = String::from_utf8_lossy(line);
        text.split_whitespace().eq(["Value", "Percentile", "TotalCount", "1/(1-Percentile)"])
    };
    lines.into_iter().any(is_head)
}

/// What one tag of a log adds up to.
#[derive(Default)]
struct Series {
    values: Counts,
    slices: Slices,
    span: Option<(f64, f64)>,
    /// The largest value of the histograms over the largest of the column beside them.
    unit: Option<f64>,
}

fn log(file: &InputFile) -> Result<Loaded<'_>, Error> {
    let mut series: BTreeMap<String, Series> = BTreeMap::new();
    for line in text_lines(file) {
        let (number, line) = line?;
        if line.starts_with('#') || line.starts_with('"') {
            continue;
        }
        let malformed = |problem: String| Error::malformed(&file.path, Some(number), problem);
        let interval = Interval::read(line).map_err(malformed)?;
        if !series.contains_key(interval.tag) && series.len() == MOST_TAGS {
            return Err(malformed(format!("more than {MOST_TAGS} tags")));
        }
        series.entry(interval.tag.to_owned()).or_default().add(&interval);
    }
    let mut loaded = Loaded {
        tool: "hdrhistogram",
        version: None,
        format: "an interval log",
        file,
        unknown: UNKNOWN,
        warnings: Vec::new(),
        results: Vec::new(),
    };
    for (tag, series) in series {
        let (from, to) = series.span.unwrap_or_default();
        let mut result = LoadResult::of(&series.values.distribution(None)).over(to - from);
        result.name = (!tag.is_empty()).then_some(tag);
        loaded.warnings.extend(other_unit(file, series.unit));
        loaded.warnings.extend(series.slices.warning(file));
        loaded.results.push(result);
    }
    Ok(loaded)
}

/// Logs print maxima in milliseconds: a factor of a thousand to the histogram's own values means microseconds.
fn other_unit(file: &InputFile, ratio: Option<f64>) -> Option<Warning> {
    let is = |wanted: f64| ratio.is_some_and(|ratio| (ratio / wanted - 1.0).abs() < 0.1);
    let message = format!(
        "`{}`: its column of maxima is a thousandth of its values: if those are microseconds, the latencies are a thousand \
         times as large as told",
        file.path
    );
    is(1e3).then(|| Warning::new("unit", message))
}

/// One line of a log: `[Tag=NAME,]start,length,maximum,histogram`.
struct Interval<'a> {
    tag: &'a str,
    start: f64,
    length: f64,
    maximum: f64,
    values: Histogram<u64>,
}

impl<'a> Interval<'a> {
    fn read(line: &'a str) -> Result<Self, String> {
        let (tag, rest) = match line.strip_prefix("Tag=") {
            Some(tagged) => tagged.split_once(',').ok_or("a tag without an interval")?,
            None => ("", line),
        };
        let fields: Vec<&str> = rest.split(',').collect();
        let [start, length, maximum, encoded] = fields.as_slice() else {
            return Err(format!("{} fields where an interval has 4", fields.len()));
        };
        let number = |text: &str| {
            let value = text.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0);
            value.ok_or_else(|| format!("`{}` is no number", shown(text)))
        };
        Ok(Self {
            tag,
            start: number(start)?,
            length: number(length)?,
            maximum: number(maximum)?,
            values: decode(encoded)?,
        })
    }
}

impl Series {
    fn add(&mut self, interval: &Interval<'_>) {
        let end = interval.start + interval.length;
        self.span = Some(
            self.span.map_or((interval.start, end), |(from, to)| (from.min(interval.start), to.max(end))),
        );
        if interval.maximum > 0.0 && !interval.values.is_empty() {
            self.unit = Some(interval.values.max() as f64 / interval.maximum);
        }
        for value in interval.values.iter_recorded() {
            let (ns, count) = (value.value_iterated_to() as f64, value.count_at_value());
            self.values.add(ns, count);
            self.slices.add(interval.start, ns, count);
        }
    }
}

/// An encoded histogram, whose own word on its size is not taken.
fn decode(text: &str) -> Result<Histogram<u64>, String> {
    let broken = |what: &str| format!("a histogram that {what}");
    let engine = base64::engine::general_purpose::STANDARD;
    let bytes = engine.decode(text.trim()).map_err(|_| broken("is no base64, or cut off"))?;
    let mut plain = match word(&bytes, 0) {
        Some(DEFLATED) => unpack(bytes.get(8..).unwrap_or_default())?,
        Some(PLAIN) => bytes,
        _ => return Err(broken("is not of version 2")),
    };
    let length = word(&plain, 4).and_then(|length| usize::try_from(length).ok());
    let left = plain.len().checked_sub(HEADER_BYTES);
    // The decoder makes room for as much as the header asks.
    if length.is_none() || length > left || word(&plain, 12) > Some(5) {
        return Err(broken("is cut off or claims another size than it has"));
    }
    mend_javascript(&mut plain);
    Deserializer::new()
        .deserialize(&mut plain.as_slice())
        .map_err(|error| broken(&format!("cannot be read: {error}")))
}

/// The port to JavaScript writes the ratio of a histogram of whole numbers as the integer 1 and an offset of 1, which it does
/// not read itself; the standard asks for the number 1.0 and an offset of 0.
fn mend_javascript(plain: &mut [u8]) {
    let Some(header) = plain.get_mut(..HEADER_BYTES) else { return };
    let (rest, ratio) = header.split_at_mut(HEADER_BYTES - 8);
    if *ratio == 1_u64.to_be_bytes() {
        ratio.copy_from_slice(&1_f64.to_be_bytes());
        rest[8..12].fill(0);
    }
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    let read = ZlibDecoder::new(bytes).take(MOST_UNPACKED + 1).read_to_end(&mut plain);
    read.map_err(|_| "a histogram that cannot be unpacked, or is cut off".to_owned())?;
    if plain.len() as u64 > MOST_UNPACKED {
        return Err(format!("a histogram of more than {} MiB", MOST_UNPACKED >> 20));
    }
    Ok(plain)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}

/// The printed table: value, share of requests up to it, their count.
fn table(file: &InputFile) -> Result<Loaded<'_>, Error> {
    let mut latency = [None; 4];
    let mut total = None;
    let mut rows = 0_u64;
    for line in text_lines(file) {
        let (_, line) = line?;
        let numbers: Vec<f64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [value, share, count, ..] = numbers.as_slice() else { continue };
        rows += 1;
        total = Some(*count);
        for (place, (q, _)) in QUANTILES.iter().enumerate() {
            // Rows are as fine as the histogram: the first one that reaches the quantile holds it.
            if *share >= q - 1e-9 && latency[place].is_none() {
                latency[place] = Some(value * MILLISECOND);
            }
        }
    }
    if rows == 0 {
        return Err(Error::malformed(&file.path, None, "the table has no rows"));
    }
    Ok(Loaded {
        tool: "hdrhistogram",
        version: None,
        format: "a percentile table",
        file,
        unknown: UNKNOWN_TABLE,
        warnings: Vec::new(),
        results: vec![LoadResult { latency, requests: total, ..LoadResult::default() }],
    })
}
