//! What wrk and wrk2 print, best with `--latency`.
//!
//! Without `--latency` wrk tells no quantile. wrk2 counts from each connection's planned send times, after ten seconds of
//! calibration that are in no number; a run that is not longer has `-nan` for latency and is refused.

use std::collections::BTreeMap;

use super::{
    input::{Error, Input, InputFile, Source, beginning, holds, shown},
    lines::text_lines,
    load_result::{LoadResult, Loaded, MILLISECOND, SECOND},
    pairing::SourceRun,
};

/// The text of wrk and wrk2.
#[derive(Debug, Clone, Copy)]
pub struct Wrk;

const UNKNOWN: &str = "wrk asks on only after each answer and guesses at what a stall hid; p95 is not told; the warm-up is in it";
const UNKNOWN2: &str = "wrk2 counts from planned send times in ms, its first 10 s left out as calibration";

impl Source for Wrk {
    fn name(&self) -> &'static str {
        "wrk"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file);
        holds(start, "Running ") && holds(start, " test @ ") && holds(start, "Thread Stats")
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let text = Text::read(file)?;
        let requests = text.requests;
        let loaded = Loaded {
            tool: if text.is_wrk2 { "wrk2" } else { "wrk" },
            version: None,
            format: "the text",
            file,
            unknown: if text.is_wrk2 { UNKNOWN2 } else { UNKNOWN },
            warnings: Vec::new(),
            results: vec![LoadResult {
                latency: text.latency(file)?,
                // Requests with a socket error are not among the answered.
                requests: requests.map(|requests| requests + text.socket_errors),
                errors: requests.map(|_| text.bad + text.socket_errors),
                rate: text.rate,
                ..LoadResult::default()
            }],
        };
        loaded.run(input)
    }
}

/// The numbers of the text.
#[derive(Default)]
struct Text {
    is_wrk2: bool,
    /// Nanoseconds by quantile in parts of 100,000. The first one counts: with `--u_latency` wrk2 prints the uncorrected
    /// distribution behind the true one.
    quantiles: BTreeMap<u32, f64>,
    requests: Option<f64>,
    rate: Option<f64>,
    bad: f64,
    socket_errors: f64,
    has_no_number: bool,
}

impl Text {
    fn read(file: &InputFile) -> Result<Self, Error> {
        let mut text = Self::default();
        for line in text_lines(file) {
            let (number, line) = line?;
            text.take(line).map_err(|problem| Error::malformed(&file.path, Some(number), problem))?;
        }
        Ok(text)
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        self.is_wrk2 |= line.starts_with("Thread calibration") || line.contains("HdrHistogram");
        match words.as_slice() {
            [share, value] if share.ends_with('%') => self.quantile(share, value)?,
            [value, share, _, _] if is_spectrum(line) => self.spectrum(value, share)?,
            [count, "requests", "in", ..] => self.requests = Some(number(count)?),
            ["Requests/sec:", rate] => self.rate = Some(number(rate)?),
            ["Non-2xx", "or", "3xx", "responses:", count] => self.bad = number(count)?,
            ["Socket", "errors:", kinds @ ..] => {
                for pair in kinds.chunks(2) {
                    self.socket_errors += number(pair.get(1).unwrap_or(&"").trim_end_matches(','))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn quantile(&mut self, share: &str, value: &str) -> Result<(), String> {
        let share = number(share.trim_end_matches('%'))?;
        match time(value) {
            _ if value.contains("nan") => self.has_no_number = true,
            Some(ns) => {
                self.quantiles.entry(place(share / 100.0)).or_insert(ns);
            }
            None => return Err(format!("`{}` is no time", shown(value))),
        }
        Ok(())
    }

    /// wrk2's table: milliseconds, the share of requests up to them, their count, and the inverse of the rest.
    fn spectrum(&mut self, value: &str, share: &str) -> Result<(), String> {
        let (value, share) = (number(value)?, number(share)?);
        self.quantiles.entry(place(share)).or_insert(value * MILLISECOND);
        Ok(())
    }

    fn latency(&self, file: &InputFile) -> Result<[Option<f64>; 4], Error> {
        let problem = match (self.has_no_number, self.quantiles.is_empty()) {
            (true, _) => "wrk2 has no latency: it calibrates for 10 s, so measure for longer",
            (_, true) => "no latency distribution in it: run wrk with `--latency`",
            _ => return Ok([0.5, 0.9, 0.95, 0.99].map(|q| self.quantiles.get(&place(q)).copied())),
        };
        Err(Error::malformed(&file.path, None, problem))
    }
}

/// The key of a quantile.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
fn place(q: f64) -> u32 {
    (q * 1e5).round() as u32
}

/// Whether a line is a row of wrk2's percentile table.
fn is_spectrum(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let decimal = |word: &&str| word.contains('.') && word.parse::<f64>().is_ok();
    matches!(words.as_slice(), [value, share, count, _] if decimal(value) && decimal(share) && count.parse::<u64>().is_ok())
}

fn number(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0);
    value.ok_or_else(|| format!("`{}` is no number", shown(text)))
}

/// `250.00us`, `5.80ms`, `1.02s`, `2.00m`, `1.00h` as nanoseconds.
fn time(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (value, unit) = text.split_at_checked(digits)?;
    let unit = match unit {
        "us" => 1e3,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => 60.0 * SECOND,
        "h" => 3600.0 * SECOND,
        _ => return None,
    };
    number(value).ok().map(|value| value * unit)
}
