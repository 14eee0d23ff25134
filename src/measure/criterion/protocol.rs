//! The frames of criterion's runner protocol (version 1): bytes in, checked messages out.
//!
//! Facts read in criterion's `src/connection.rs` (0.3.3 to 0.8): the runner speaks first with 15 bytes `cargo-criterion` and three
//! bytes of version; the bench answers with 9 bytes `Criterion`, three of version, then protocol version and format as big-endian
//! u16. Then both send frames: big-endian u32 length and a CBOR body, serde enums externally tagged. The bench waits for
//! `Continue` after `MeasurementComplete` and after `FinishedBenchmarkGroup`, and for nothing else.
//!
//! A bench runs code that we do not know, so every frame is bounded and checked: a bad one fails its process, never us.

use crate::model::{benchmark::MAX_ID_BYTES, run::Sample};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What we open with: the name that criterion demands, and a version that it only logs.
pub const RUNNER_HELLO: &[u8; 18] = b"cargo-criterion\x01\x01\x00";
/// The length of the bench's answer.
pub const BENCH_HELLO_BYTES: usize = 16;
/// A message of a thousand samples has 18 KB.
const MOST_FRAME_BYTES: usize = 8 * 1024 * 1024;
/// The deepest message has five levels.
const MOST_DEPTH: usize = 16;
/// criterion's own default is 100.
const MOST_SAMPLES: usize = 100_000;

/// The most benchmarks that a process may name: one that goes on for ever would keep us for ever.
pub const MOST_BENCHMARKS: usize = 100_000;

/// Why what a bench sent is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Its hello is not criterion's.
    #[error("it did not answer as criterion does")]
    Hello,
    /// It speaks a later protocol.
    #[error("it speaks protocol version {0} in format {1}; this tollgate knows version 1 in format 1")]
    Version(u16, u16),
    /// A frame is too long.
    #[error("it announced a message of {0} bytes; at most {MOST_FRAME_BYTES} are accepted")]
    TooLong(usize),
    /// A frame is no message that we know.
    #[error("it sent a message that is none of criterion's")]
    NotAMessage,
    /// A benchmark's name is longer than is kept.
    #[error("it named a benchmark with {0} bytes; at most {MAX_ID_BYTES} are accepted")]
    LongId(usize),
    /// It names benchmark after benchmark.
    #[error("it named more than {MOST_BENCHMARKS} benchmarks")]
    TooMany,
    /// Its samples are empty, too many, negative, not numbers, or iterations and times differ in number.
    #[error("its samples are not measurements")]
    Samples,
    /// criterion itself refuses such samples: there is no logarithm of them, and no ratio.
    #[error(
        "a sample took no time at all; a routine that is timed by `iter_custom` may return the wrong duration"
    )]
    ZeroTime,
    /// A message came that cannot come at this point; a process that forked sends everything twice.
    #[error("it sent a message out of turn")]
    OutOfTurn,
}

/// The version of criterion that a bench was built with.
pub type Version = [u8; 3];

/// A message of the bench.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A group ends; the bench waits.
    GroupFinished,
    /// The filter left this benchmark out.
    Skipped(String),
    /// This benchmark runs now.
    Began(String),
    /// A benchmark was measured; the bench waits.
    Complete(Complete),
    /// The answer to [`Request::ScaleForMachines`].
    Scaled {
        /// The values, in `unit`.
        values: Vec<f64>,
        /// What they are measured in.
        unit: String,
    },
    /// One that needs nothing done.
    Other,
}

/// The measurement of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Complete {
    /// Its full id.
    pub id: String,
    /// Its readings in time order, in the unit of its measurement; not empty, all positive.
    pub samples: Vec<Sample>,
    /// The warm-up time in force, which a group may have set itself.
    pub warm_up: Option<Duration>,
    /// The measurement time in force, which a group may have set itself.
    pub measurement: Option<Duration>,
    /// The number of samples in force, which a group may have set itself.
    pub sample_size: Option<u64>,
}

/// A message to the bench.
#[derive(Debug, Serialize)]
pub enum Request {
    /// Go on.
    Continue,
    /// Say in which unit these values are.
    ScaleForMachines {
        /// Values as they are measured.
        values: Vec<f64>,
    },
}

impl Request {
    /// The frame to send.
    #[must_use]
    pub fn frame(&self) -> Vec<u8> {
        let mut frame = vec![0; 4];
        // Writing plain data into memory has no way to fail; an empty frame would be refused by the bench.
        let _ = ciborium::into_writer(self, &mut frame);
        let length = u32::try_from(frame.len() - 4).unwrap_or(0);
        frame[..4].copy_from_slice(&length.to_be_bytes());
        frame
    }
}

/// Checks the bench's hello.
///
/// # Errors
/// When it is not criterion's, or of a protocol that we do not know.
pub fn parse_hello(bytes: &[u8; BENCH_HELLO_BYTES]) -> Result<Version, Malformed> {
    let [name @ .., major, minor, patch, v1, v0, f1, f0] = bytes;
    if name != b"Criterion" {
        return Err(Malformed::Hello);
    }
    match (u16::from_be_bytes([*v1, *v0]), u16::from_be_bytes([*f1, *f0])) {
        (1, 1) => Ok([*major, *minor, *patch]),
        (version, format) => Err(Malformed::Version(version, format)),
    }
}

/// Takes the first whole frame off `buffer`; `None` when there is none yet.
///
/// # Errors
/// When it is too long or no message.
pub fn take(buffer: &mut Vec<u8>) -> Result<Option<Message>, Malformed> {
    let Some(head) = buffer.first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
    if length > MOST_FRAME_BYTES {
        return Err(Malformed::TooLong(length));
    }
    let Some(body) = buffer.get(4..4 + length) else { return Ok(None) };
    let message = parse(body);
    buffer.drain(..4 + length);
    message.map(Some)
}

fn parse(body: &[u8]) -> Result<Message, Malformed> {
    let raw: Raw = ciborium::de::from_reader_with_recursion_limit(body, MOST_DEPTH)
        .map_err(|_| Malformed::NotAMessage)?;
    Ok(match raw {
        Raw::FinishedBenchmarkGroup {} => Message::GroupFinished,
        Raw::SkippingBenchmark { id } => Message::Skipped(id.full()?),
        Raw::BeginningBenchmark { id } => Message::Began(id.full()?),
        Raw::MeasurementComplete { id, iters, times, benchmark_config } => {
            let config = benchmark_config.unwrap_or_default();
            Message::Complete(Complete {
                id: id.full()?,
                samples: samples(&iters, &times)?,
                warm_up: config.warm_up_time.map(RawDuration::duration),
                measurement: config.measurement_time.map(RawDuration::duration),
                sample_size: config.sample_size,
            })
        }
        Raw::ScaledValues { scaled_values, unit } => Message::Scaled { values: scaled_values, unit },
        Raw::BeginningBenchmarkGroup {}
        | Raw::Warmup {}
        | Raw::MeasurementStart {}
        | Raw::FormattedValue {} => Message::Other,
    })
}

fn samples(iterations: &[f64], totals: &[f64]) -> Result<Vec<Sample>, Malformed> {
    let usable = |values: &[f64]| values.iter().all(|value| value.is_finite() && *value >= 0.0);
    let count = iterations.len();
    if count == 0 || count > MOST_SAMPLES || count != totals.len() || !usable(iterations) || !usable(totals) {
        return Err(Malformed::Samples);
    }
    if iterations.iter().any(|count| *count < 1.0) {
        return Err(Malformed::Samples);
    }
    if totals.iter().any(|total| *total <= 0.0) {
        return Err(Malformed::ZeroTime);
    }
    let pairs = iterations.iter().zip(totals);
    Ok(pairs.map(|(&iterations, &total)| Sample { iterations, total }).collect())
}

/// The messages as they are on the wire; fields that nobody needs are left out, and skipped.
#[derive(Deserialize)]
enum Raw {
    BeginningBenchmarkGroup {},
    FinishedBenchmarkGroup {},
    BeginningBenchmark {
        id: RawId,
    },
    SkippingBenchmark {
        id: RawId,
    },
    Warmup {},
    MeasurementStart {},
    MeasurementComplete {
        id: RawId,
        iters: Vec<f64>,
        times: Vec<f64>,
        #[serde(default)]
        benchmark_config: Option<RawConfig>,
    },
    FormattedValue {},
    ScaledValues {
        scaled_values: Vec<f64>,
        unit: String,
    },
}

#[derive(Deserialize)]
struct RawId {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

impl RawId {
    /// The id as criterion prints it and as its filters see it.
    fn full(&self) -> Result<String, Malformed> {
        let parts = [Some(&self.group_id), self.function_id.as_ref(), self.value_str.as_ref()];
        let id = parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("/");
        if id.len() > MAX_ID_BYTES || id.is_empty() { Err(Malformed::LongId(id.len())) } else { Ok(id) }
    }
}

#[derive(Default, Deserialize)]
struct RawConfig {
    measurement_time: Option<RawDuration>,
    warm_up_time: Option<RawDuration>,
    sample_size: Option<u64>,
}

#[derive(Deserialize)]
struct RawDuration {
    secs: u64,
    nanos: u32,
}

impl RawDuration {
    fn duration(self) -> Duration {
        Duration::from_secs(self.secs).saturating_add(Duration::from_nanos(u64::from(self.nanos)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Complete, Malformed, Message, RUNNER_HELLO, Request, parse_hello, take};
    use crate::model::{benchmark::MAX_ID_BYTES, run::Sample};
    use ciborium::{Value, cbor};
    use std::time::Duration;

    fn framed(value: &Value) -> Vec<u8> {
        let mut body = Vec::new();
        ciborium::into_writer(value, &mut body).unwrap();
        let mut frame = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        frame.extend(body);
        frame
    }

    fn read(value: &Value) -> Result<Message, Malformed> {
        take(&mut framed(value)).map(|message| message.expect("the frame is whole"))
    }

    fn id(group: &str) -> Value {
        cbor!({"group_id" => group, "function_id" => "f", "value_str" => null, "throughput" => [{"Bytes" => 3}]}).unwrap()
    }

    fn complete(iters: &[f64], times: &[f64]) -> Value {
        let config = cbor!({
            "confidence_level" => 0.95, "sample_size" => 10,
            "measurement_time" => {"secs" => 5, "nanos" => 0}, "warm_up_time" => {"secs" => 0, "nanos" => 20000000}
        });
        cbor!({"MeasurementComplete" => {
            "id" => id("g"), "iters" => iters, "times" => times, "sampling_method" => "Linear",
            "plot_config" => {"summary_scale" => "Linear"}, "benchmark_config" => config.unwrap()
        }})
        .unwrap()
    }

    #[test]
    fn the_hello_has_criterions_length_and_the_answer_its_version() {
        assert_eq!(RUNNER_HELLO.len(), "cargo-criterion".len() + 3);
        assert_eq!(parse_hello(b"Criterion\x00\x08\x02\x00\x01\x00\x01"), Ok([0, 8, 2]));
        assert_eq!(parse_hello(b"HTTP/1.1 200 OK\n"), Err(Malformed::Hello));
        assert_eq!(parse_hello(b"Criterion\x01\x00\x00\x00\x02\x00\x01"), Err(Malformed::Version(2, 1)));
    }

    #[test]
    fn a_frame_is_taken_only_when_it_is_whole_and_the_next_one_stays() {
        let whole = framed(&cbor!({"BeginningBenchmark" => {"id" => id("g")}}).unwrap());
        let mut buffer = Vec::new();
        for byte in &whole {
            assert_eq!(take(&mut buffer), Ok(None));
            buffer.push(*byte);
        }
        buffer.extend(b"rest");
        assert_eq!(take(&mut buffer), Ok(Some(Message::Began("g/f".into()))));
        assert_eq!(buffer, b"rest");
    }

    #[test]
    fn a_measurement_comes_with_its_samples_and_the_times_in_force() {
        let samples = vec![Sample { iterations: 1.0, total: 20.0 }, Sample { iterations: 2.0, total: 39.0 }];
        let (warm_up, measurement) = (Some(Duration::from_millis(20)), Some(Duration::from_secs(5)));
        let expected = Complete { id: "g/f".into(), samples, warm_up, measurement, sample_size: Some(10) };
        assert_eq!(read(&complete(&[1.0, 2.0], &[20.0, 39.0])), Ok(Message::Complete(expected)));
    }

    #[test]
    fn messages_without_meaning_for_us_are_accepted_whatever_they_hold() {
        let value = cbor!({"MeasurementStart" => {"id" => id("g"), "sample_count" => 3, "estimate_ns" => 1.5, "iter_count" => 9}});
        assert_eq!(read(&value.unwrap()), Ok(Message::Other));
        assert_eq!(
            read(&cbor!({"BeginningBenchmarkGroup" => {"group" => "g"}}).unwrap()),
            Ok(Message::Other)
        );
        let value = cbor!({"FinishedBenchmarkGroup" => {"group" => "g"}});
        assert_eq!(read(&value.unwrap()), Ok(Message::GroupFinished));
    }

    #[test]
    fn samples_that_are_no_measurements_are_refused() {
        for (iters, times) in [
            (&[][..], &[][..]),
            (&[1.0], &[1.0, 2.0]),
            (&[0.0], &[1.0]),
            (&[1.0], &[-1.0]),
            (&[f64::NAN], &[1.0]),
            (&[1.0], &[f64::INFINITY]),
        ] {
            assert_eq!(read(&complete(iters, times)), Err(Malformed::Samples), "{iters:?} {times:?}");
        }
        assert_eq!(read(&complete(&[1.0], &[0.0])), Err(Malformed::ZeroTime));
    }

    #[test]
    fn hostile_frames_are_refused_without_taking_memory() {
        assert_eq!(take(&mut vec![0xff; 8]), Err(Malformed::TooLong(0xffff_ffff)));
        assert_eq!(take(&mut vec![0, 0, 0, 5, b'h', b'e', b'l', b'l', b'o']), Err(Malformed::NotAMessage));
        assert_eq!(take(&mut vec![0, 0, 0, 0]), Err(Malformed::NotAMessage));
        // An array that claims 2^60 elements, and one nested a thousand deep.
        assert_eq!(read_body(&[0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0]), Err(Malformed::NotAMessage));
        assert_eq!(read_body(&[0x81; 1000]), Err(Malformed::NotAMessage));
        assert_eq!(read(&cbor!({"Unknown" => {}}).unwrap()), Err(Malformed::NotAMessage));
        let long = "x".repeat(MAX_ID_BYTES);
        let value = cbor!({"SkippingBenchmark" => {"id" => id(&long)}}).unwrap();
        assert_eq!(read(&value), Err(Malformed::LongId(MAX_ID_BYTES + 2)));
    }

    fn read_body(body: &[u8]) -> Result<Option<Message>, Malformed> {
        let mut frame = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        frame.extend(body);
        take(&mut frame)
    }

    #[test]
    fn requests_are_what_criterion_reads() {
        assert_eq!(Request::Continue.frame(), b"\0\0\0\x09\x68Continue");
        let frame = Request::ScaleForMachines { values: vec![1.0] }.frame();
        let value: Value = ciborium::from_reader(&frame[4..]).unwrap();
        assert_eq!(value, cbor!({"ScaleForMachines" => {"values" => [1.0]}}).unwrap());
    }
}
