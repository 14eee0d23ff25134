//! `data.js` of github-action-benchmark: the values that its page draws, commit by commit.
//!
//! The file is JavaScript: the assignment in front and the semicolon behind are taken off, the rest is JSON and is never run. An
//! entry is one value a benchmark, and nobody knows the machine, so it is a history and no basis for a verdict: [`history`] gives
//! all of it, with the commits. As an input of `compare` the file is its newest entry of each suite. `range` is text and not read.
//!
//! Whether larger is better follows from the unit where it is one of operations or of time, since the action takes throughputs of
//! some tools the wrong way round; else from its tool.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    input::{Error, Input, InputFile, MAX_BENCHMARKS, Source, beginning, holds, json},
    pairing::{SourceMeasurement, SourceRun},
    readings::{At, Readings, malformed, nanoseconds, operations},
};
use crate::model::{
    metric::{Direction, Metric, Nature},
    run::Warning,
};

/// What the file assigns to.
const VARIABLE: &str = "window.BENCHMARK_DATA";

/// github-action-benchmark's pages.
#[derive(Debug, Clone, Copy)]
pub struct DataJs;

/// One entry of a suite: what was measured of a commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// The suite.
    pub suite: String,
    /// The commit as the file writes it.
    pub commit: String,
    /// When it was measured, seconds since 1970-01-01T00:00:00Z.
    pub recorded_at: u64,
    /// One value a benchmark; the target is the suite.
    pub measurements: Vec<SourceMeasurement>,
}

#[derive(Deserialize)]
struct Document {
    entries: BTreeMap<String, Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    commit: Commit,
    /// Milliseconds.
    date: f64,
    tool: String,
    benches: Vec<Bench>,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
}

#[derive(Deserialize)]
struct Bench {
    name: String,
    value: f64,
    unit: String,
}

impl Source for DataJs {
    fn name(&self) -> &'static str {
        "github-action-benchmark"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        holds(beginning(file).get(..4096).unwrap_or(beginning(file)), VARIABLE)
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let mut newest: BTreeMap<String, Past> = BTreeMap::new();
        for past in history(file)? {
            let is_newer = newest.get(&past.suite).is_none_or(|known| known.recorded_at <= past.recorded_at);
            if is_newer {
                newest.insert(past.suite.clone(), past);
            }
        }
        let commit = newest.values().max_by_key(|past| past.recorded_at).map(|past| past.commit.clone());
        let measurements = newest.into_values().flat_map(|past| past.measurements).collect();
        let mut run = SourceRun::foreign(self.name(), &input.name, measurements);
        run.revision.rev = commit.filter(|commit| is_commit(commit));
        run.warnings = vec![Warning::new(
            "data_js",
            "github-action-benchmark keeps one value a benchmark of a machine that nobody knows; the newest of each suite is read",
        )];
        Ok(run)
    }
}

/// Everything in the file, suite by suite in the file's order.
///
/// # Errors
/// When it is no such file, or an entry has a benchmark twice, a value that is none, or a unit that is not known.
pub fn history(file: &InputFile) -> Result<Vec<Past>, Error> {
    let document: Document = json(&without_script(file)?)?;
    let mut all = Vec::new();
    let mut count = 0;
    for (suite, entries) in document.entries {
        for entry in entries {
            count += entry.benches.len();
            if count > MAX_BENCHMARKS * 10 {
                return Err(Error::malformed(&file.path, None, "too many values"));
            }
            all.push(past(file, &suite, entry)?);
        }
    }
    Ok(all)
}

/// Whether a text is the whole name of a commit.
#[must_use]
pub fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The file with blanks in the place of its JavaScript, so that lines keep their numbers.
fn without_script(file: &InputFile) -> Result<InputFile, Error> {
    let refused = || Error::malformed(&file.path, Some(1), format!("it does not begin with `{VARIABLE} =`"));
    let text = std::str::from_utf8(&file.bytes)
        .map_err(|_| Error::malformed(&file.path, None, "it is not UTF-8"))?;
    let start = text.trim_start_matches('\u{feff}');
    let after = start.trim_start().strip_prefix(VARIABLE).ok_or_else(refused)?;
    let value = after.trim_start().strip_prefix('=').ok_or_else(refused)?;
    let before = &text[..text.len() - value.len()];
    let blanks: String = before.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
    let value = value.trim_end();
    let bytes = blanks + value.strip_suffix(';').unwrap_or(value);
    Ok(InputFile { path: file.path.clone(), bytes: bytes.into_bytes() })
}

fn past(file: &InputFile, suite: &str, entry: Entry) -> Result<Past, Error> {
    let line = At::Text(&entry.commit.id);
    let malformed = |problem: String| malformed(file, line, problem);
    if !(entry.date.is_finite() && (0.0..1e15).contains(&entry.date)) {
        return Err(malformed(format!("`{}` is no date", entry.date)));
    }
    let mut readings = Readings::of(file);
    for bench in entry.benches {
        let (metric, factor) = metric(&bench.unit, &entry.tool).ok_or_else(|| {
            malformed(format!("`{}` of tool `{}` is no unit that is known", bench.unit, entry.tool))
        })?;
        let benchmark = readings.benchmark(line, suite, &bench.name)?;
        readings.add(line, benchmark, metric, &[vec![bench.value * factor]])?;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a date")]
    let recorded_at = (entry.date / 1000.0) as u64;
    Ok(Past { suite: suite.to_owned(), commit: entry.commit.id, recorded_at, measurements: readings.done() })
}

/// The metric of a unit of a tool, and what turns one of it into ours.
fn metric(unit: &str, tool: &str) -> Option<(Metric, f64)> {
    let unit = unit.trim();
    let time = unit.strip_suffix("/iter").or_else(|| unit.strip_suffix("/op")).unwrap_or(unit);
    if let Some(factor) = nanoseconds(time) {
        return Some((Metric::time(), factor));
    }
    if let Some(("ops" | "iter" | "iters" | "op", each)) = unit.split_once('/') {
        let each = if each == "sec" { "s" } else { each };
        return nanoseconds(each).map(|factor| (operations(), 1e9 / factor));
    }
    let direction = match tool {
        "customBiggerIsBetter" => Direction::Higher,
        "customSmallerIsBetter" => Direction::Lower,
        "go" if unit == "B/op" => return Some((Metric::count("allocated", "bytes"), 1.0)),
        "go" if unit == "allocs/op" => return Some((Metric::count("allocations", "allocations"), 1.0)),
        "go" if unit == "MB/s" => Direction::Higher,
        _ => return None,
    };
    Some((Metric { name: "value".into(), unit: unit.to_owned(), direction, nature: Nature::Noisy }, 1.0))
}

#[cfg(test)]
mod tests {
    use super::{DataJs, history};
    use crate::sources::input::{Error, Input, InputFile, Source};

    fn file(tool: &str, benches: &str, end: &str) -> InputFile {
        let entry = |id: &str, date: u64| {
            format!(
                "{{\"commit\": {{\"id\": \"{id}\"}}, \"date\": {date}, \"tool\": \"{tool}\",\n\"benches\": [{benches}]}}"
            )
        };
        let entries = [entry(&"a".repeat(40), 1_574_927_127_603), entry(&"b".repeat(40), 1_574_927_999_000)];
        let text =
            format!("window.BENCHMARK_DATA = {{\"entries\": {{\"S\": [\n{}]}}}}{end}", entries.join(",\n"));
        InputFile { path: "data.js".into(), bytes: text.into() }
    }

    fn error(benches: &str) -> String {
        history(&file("cargo", benches, "")).unwrap_err().to_string()
    }

    #[test]
    fn the_history_has_every_commit_and_an_input_is_the_newest() {
        let bench = r#"{"name": "x", "value": 2, "unit": "us/iter", "range": "± 20"}"#;
        let file = file("cargo", bench, ";\n");
        let past = history(&file).unwrap();
        assert_eq!((past.len(), past[0].recorded_at), (2, 1_574_927_127));
        assert_eq!(past[0].measurements[0].processes[0][0].total.to_bits(), 2000_f64.to_bits());
        let run = DataJs.parse(&Input { name: "data.js".into(), files: vec![file], baseline: None }).unwrap();
        assert_eq!(run.revision.rev.unwrap(), "b".repeat(40));
    }

    #[test]
    fn the_direction_is_the_units_before_the_tools() {
        let direction = |tool: &str, unit: &str| {
            let bench = format!("{{\"name\": \"x\", \"value\": 2, \"unit\": \"{unit}\"}}");
            history(&file(tool, &bench, "")).map(|past| past[0].measurements[0].metric.direction.as_str())
        };
        assert_eq!(direction("pytest", "iter/sec").unwrap(), "higher");
        assert_eq!(direction("jmh", "ops/s").unwrap(), "higher");
        assert_eq!(direction("jmh", "us/op").unwrap(), "lower");
        assert_eq!(direction("customBiggerIsBetter", "cakes").unwrap(), "higher");
        assert_eq!(direction("customSmallerIsBetter", "cakes").unwrap(), "lower");
        assert!(matches!(direction("cargo", "cakes"), Err(Error::Malformed { line: Some(2), .. })));
    }

    #[test]
    fn what_is_no_such_file_is_refused_and_never_run() {
        let read = |text: &str| {
            history(&InputFile { path: "data.js".into(), bytes: text.into() }).unwrap_err().to_string()
        };
        assert_eq!(read("alert(1)"), "`data.js`, line 1: it does not begin with `window.BENCHMARK_DATA =`");
        assert!(read("window.BENCHMARK_DATA = alert(1)").contains("line 1"));
        assert!(read("\nwindow.BENCHMARK_DATA = {\n\"entries\": 1}").contains("line 3"));
        assert!(error(r#"{"name": "x", "value": -2, "unit": "ns"}"#).contains("no value"));
        let one = r#"{"name": "x", "value": 2, "unit": "ns"}"#;
        assert!(error(&format!("{one},{one}")).contains("is there twice"));
    }
}
