//! What is asked of a slot's process and what it prints.
//!
//! Asked by arguments, which have the same length for base and head:
//! `__doctor-slot sort 105 020 050 010`: kernel, units of work, warm-up and measuring time in milliseconds, samples.
//! Answered on standard output: `tollgate-slot/1 WAITED` (nanoseconds for which it was ready and had to wait for a core, 0 where that
//! is not known), a line `ITERATIONS NANOSECONDS` a sample, `end`.
//! The reader takes exactly that and nothing else: a torn, padded or made-up answer is an error, never a value.

use std::{ffi::OsString, time::Duration};

use super::work::Kernel;
use crate::model::run::Sample;

/// The first argument of a slot's process. No command has this name, and no help shows it.
pub const MARK: &str = "__doctor-slot";

const OPENING: &str = "tollgate-slot/1";
const CLOSING: &str = "end";

/// Bounds of what may be asked: beyond them it was not us who asked.
const MOST: u32 = 999;

/// The time and samples of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Milliseconds of warming up, at most 999.
    pub warm_up_ms: u32,
    /// Milliseconds of measuring, at most 999.
    pub measure_ms: u32,
    /// Samples, 1 to 999.
    pub samples: u32,
}

impl Default for Shape {
    /// The shape of the slots of a check: 0.02 s, 0.05 s, 10 samples.
    fn default() -> Self {
        Self { warm_up_ms: 20, measure_ms: 50, samples: 10 }
    }
}

impl Shape {
    /// What a slot of this shape takes at least.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_millis(u64::from(self.warm_up_ms) + u64::from(self.measure_ms))
    }
}

/// What a slot's process has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Which kernel.
    pub kernel: Kernel,
    /// Units of inner work an iteration, 1 to 999.
    pub units: u32,
    /// For how long.
    pub shape: Shape,
}

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Garbled {
    /// The first or last line is not ours.
    #[error("its answer does not begin and end as it should")]
    Frame,
    /// There are too few or too many samples.
    #[error("it printed {found} samples instead of {expected}")]
    Count {
        /// Asked for.
        expected: u32,
        /// Printed.
        found: usize,
    },
    /// A line is no sample.
    #[error("sample {0} is not two positive numbers")]
    Sample(usize),
}

/// What a slot's process measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its samples in time order; as many as were asked for.
    pub samples: Vec<Sample>,
    /// How long it was ready to run and had to wait for a core.
    pub waited: Duration,
}

impl Order {
    /// The arguments of the process.
    #[must_use]
    pub fn arguments(&self) -> [String; 6] {
        let Shape { warm_up_ms, measure_ms, samples } = self.shape;
        let padded = |number: u32| format!("{:03}", number.min(MOST));
        let name = self.kernel.name().to_owned();
        [MARK.into(), name, padded(self.units), padded(warm_up_ms), padded(measure_ms), padded(samples)]
    }

    /// Reads the arguments after the program's name.
    ///
    /// `None` when they are not for us; `Some(None)` when they are, but are not what [`Order::arguments`] gives.
    #[must_use]
    pub fn parse(arguments: &[OsString]) -> Option<Option<Self>> {
        let (mark, rest) = arguments.split_first()?;
        (mark == MARK).then(|| Self::parse_rest(rest))
    }

    fn parse_rest(arguments: &[OsString]) -> Option<Self> {
        let [kernel, numbers @ ..] = arguments else { return None };
        let numbers: Option<Vec<u32>> = numbers.iter().map(|word| number(word.to_str()?)).collect();
        let [units, warm_up_ms, measure_ms, samples] = numbers?[..] else { return None };
        let shape = Shape { warm_up_ms, measure_ms, samples };
        let sensible = units > 0 && samples > 0;
        sensible.then_some(Self { kernel: Kernel::named(kernel.to_str()?)?, units, shape })
    }
}

fn number(word: &str) -> Option<u32> {
    let plain = word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    if plain { word.parse().ok() } else { None }
}

/// The answer of a process: iterations and nanoseconds of each sample.
#[must_use]
pub fn answer(samples: &[(u64, u64)], waited: Duration) -> String {
    let lines: String = samples.iter().map(|(iterations, ns)| format!("{iterations} {ns}\n")).collect();
    format!("{OPENING} {}\n{lines}{CLOSING}\n", waited.as_nanos())
}

/// Reads an answer that should hold `expected` samples.
///
/// # Errors
/// When it is not exactly such an answer.
pub fn read(answer: &[u8], expected: u32) -> Result<Reading, Garbled> {
    let (waited, body) = std::str::from_utf8(answer).ok().and_then(frame).ok_or(Garbled::Frame)?;
    let lines: Vec<&str> = body.lines().collect();
    if lines.len() != expected as usize {
        return Err(Garbled::Count { expected, found: lines.len() });
    }
    let samples = lines.iter().enumerate();
    let samples = samples.map(|(place, line)| sample(line).ok_or(Garbled::Sample(place + 1)));
    Ok(Reading { samples: samples.collect::<Result<_, _>>()?, waited: Duration::from_nanos(waited) })
}

/// What the first line tells, and the lines between it and the last.
fn frame(text: &str) -> Option<(u64, &str)> {
    let (first, rest) = text.split_once('\n')?;
    let waited = first.strip_prefix(OPENING)?.strip_prefix(' ')?.parse().ok()?;
    let body = rest.strip_suffix('\n')?.strip_suffix(CLOSING)?;
    (body.is_empty() || body.ends_with('\n')).then_some((waited, body))
}

fn sample(line: &str) -> Option<Sample> {
    let (iterations, nanoseconds) = line.split_once(' ')?;
    let positive = |word: &str| word.parse::<u64>().ok().filter(|number| *number > 0);
    Some(Sample { iterations: positive(iterations)? as f64, total: positive(nanoseconds)? as f64 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(Into::into).collect()
    }

    #[test]
    fn an_order_survives_the_command_line_and_has_one_length_for_both_sides() {
        let order = Order { kernel: Kernel::Sort, units: 105, shape: Shape::default() };
        assert_eq!(order.arguments().join(" "), "__doctor-slot sort 105 020 050 010");
        let arguments: Vec<OsString> = order.arguments().iter().map(Into::into).collect();
        assert_eq!(Order::parse(&arguments), Some(Some(order)));
    }

    #[test]
    fn ordinary_arguments_are_not_for_us_and_broken_ones_are_refused() {
        assert_eq!(Order::parse(&words(&["check", "--budget", "5m"])), None);
        assert_eq!(Order::parse(&[]), None);
        for broken in [
            &[MARK][..],
            &[MARK, "sort"],
            &[MARK, "sieve", "100", "020", "050", "010"],
            &[MARK, "sort", "000", "020", "050", "010"],
            &[MARK, "sort", "100", "020", "050", "000"],
            &[MARK, "sort", "+10", "020", "050", "010"],
            &[MARK, "sort", "100", "020", "050", "9999"],
            &[MARK, "sort", "100", "020", "050", "010", "010"],
        ] {
            assert_eq!(Order::parse(&words(broken)), Some(None), "{broken:?}");
        }
    }

    #[test]
    fn an_answer_is_read_back() {
        let text = answer(&[(10, 52_000), (20, 104_001)], Duration::from_micros(3));
        let reading = read(text.as_bytes(), 2).unwrap();
        assert_eq!(reading.waited, Duration::from_micros(3));
        assert_eq!(reading.samples[1], Sample { iterations: 20.0, total: 104_001.0 });
    }

    #[test]
    fn a_garbled_answer_is_an_error() {
        let cases: [(&[u8], Garbled); 10] = [
            (b"", Garbled::Frame),
            (b"tollgate-slot/1 0\n10 5\n", Garbled::Frame),
            (b"tollgate-slot/1\n10 5\nend\n", Garbled::Frame),
            (b"hello\ntollgate-slot/1 0\n10 5\nend\n", Garbled::Frame),
            (b"tollgate-slot/1 0\n10 5\nend\nend", Garbled::Frame),
            (b"tollgate-slot/1 0\n10 \xff\nend\n", Garbled::Frame),
            (b"tollgate-slot/1 0\nend\n", Garbled::Count { expected: 1, found: 0 }),
            (b"tollgate-slot/1 0\n10 5\n10 5\nend\n", Garbled::Count { expected: 1, found: 2 }),
            (b"tollgate-slot/1 0\n10 0\nend\n", Garbled::Sample(1)),
            (b"tollgate-slot/1 0\n10 1e999\nend\n", Garbled::Sample(1)),
        ];
        for (text, error) in cases {
            assert_eq!(read(text, 1), Err(error), "{}", String::from_utf8_lossy(text));
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), expected in 0..20_u32) {
            if let Ok(reading) = read(&bytes, expected) {
                prop_assert_eq!(reading.samples.len(), expected as usize);
            }
        }

        #[test]
        fn a_torn_answer_is_never_read(samples in proptest::collection::vec((1..u64::MAX, 1..u64::MAX), 1..12), cut in 0..1000_usize) {
            let text = answer(&samples, Duration::ZERO);
            let count = u32::try_from(samples.len()).unwrap();
            prop_assert!(read(text.as_bytes(), count).is_ok());
            prop_assert!(read(&text.as_bytes()[..cut.min(text.len() - 1)], count).is_err());
        }
    }
}
