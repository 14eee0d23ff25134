//! What `go test -bench` prints: `BenchmarkFib10-8  5000000  325 ns/op  16 B/op  1 allocs/op`.
//!
//! The `-8` is `GOMAXPROCS` and is missing where that is 1, but a name may end in `-8` by itself. So it is taken off only where
//! all benchmarks of a file end in the same one; with `-cpu 1,2` they do not, and then it tells them apart. `-count=N` repeats
//! lines: these are samples of one process. The target is the package (`pkg:`), as two packages may have a benchmark of one name.
//!
//! Read are `ns/op`, `B/op` and `allocs/op`. `MB/s` is the time in other words. Of a project's own metrics (`ReportMetric`)
//! nobody says which direction is better, so they are left out and named.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ansi::plain,
    input::{Error, Input, InputFile, Source, beginning},
    pairing::SourceRun,
    readings::{At, Readings},
};
use crate::model::{metric::Metric, run::Warning};

/// The text of Go's benchmarks.
#[derive(Debug, Clone, Copy)]
pub struct Go;

/// A result: its place, and what it says.
struct Line<'a> {
    number: u64,
    package: String,
    name: &'a str,
    reading: Reading<'a>,
}

enum Reading<'a> {
    /// Values with their units.
    Values(Vec<(f64, &'a str)>),
    Failed,
}

/// The lines of one benchmark: its values by metric, and the first line.
struct Gathered {
    line: u64,
    failed: bool,
    values: BTreeMap<&'static str, Vec<f64>>,
}

impl Source for Go {
    fn name(&self) -> &'static str {
        "go"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let text = String::from_utf8_lossy(beginning(file));
        text.lines()
            .any(|line| line.starts_with("Benchmark") && matches!(result(line.trim()), Ok(Some(_)) | Err(_)))
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let text = String::from_utf8_lossy(&file.bytes);
        let text: Vec<String> = text.lines().map(plain).collect();
        let lines = lines(file, &text)?;
        let (measurements, left_out) = gather(file, &lines)?;
        let mut run = SourceRun::foreign(self.name(), &input.name, measurements);
        run.warnings = vec![Warning::new(
            "go_text",
            "Go prints one mean a benchmark and tells neither commit nor single samples",
        )];
        if !left_out.is_empty() {
            let names: Vec<&str> = left_out.into_iter().take(10).collect();
            run.warnings.push(Warning::new(
                "left_out_metrics",
                format!("metrics of which nobody says what is better are left out: {}", names.join(", ")),
            ));
        }
        Ok(run)
    }
}

fn lines<'a>(file: &InputFile, text: &'a [String]) -> Result<Vec<Line<'a>>, Error> {
    let mut package = "go".to_owned();
    let mut lines = Vec::new();
    for (line, number) in text.iter().zip(1_u64..) {
        let line = line.trim();
        if let Some(named) = line.strip_prefix("pkg:") {
            named.trim().clone_into(&mut package);
            continue;
        }
        let found = result(line).map_err(|problem| Error::malformed(&file.path, Some(number), problem))?;
        if let Some((name, reading)) = found {
            lines.push(Line { number, package: package.clone(), name, reading });
        }
    }
    Ok(lines)
}

/// The benchmark of a line and what it says; `None` for lines about something else, such as the name alone under `-v`.
fn result(line: &str) -> Result<Option<(&str, Reading<'_>)>, String> {
    if let Some(failed) = line.strip_prefix("--- FAIL: ") {
        let name = failed.split_whitespace().next().unwrap_or_default();
        return Ok(name.starts_with("Benchmark").then_some((name, Reading::Failed)));
    }
    let mut words = line.split_whitespace();
    let Some(name) = words.next().filter(|word| word.starts_with("Benchmark")) else { return Ok(None) };
    let Some(Ok(_iterations)) = words.next().map(str::parse::<u64>) else { return Ok(None) };
    let words: Vec<&str> = words.collect();
    if words.is_empty() || !words.len().is_multiple_of(2) {
        return Err(format!("`{name}` has a value without a unit, or none"));
    }
    let values = words.chunks(2).map(|pair| {
        let value = pair[0].parse().map_err(|_| format!("`{}` is no number", pair[0]))?;
        Ok((value, pair[1]))
    });
    Ok(Some((name, Reading::Values(values.collect::<Result<_, String>>()?))))
}

/// What all names end in, where that is one number of processors.
fn processors<'a>(lines: &[Line<'a>]) -> Option<&'a str> {
    let suffix = |name: &'a str| {
        let (_, digits) = name.rsplit_once('-')?;
        let number: u32 = digits.parse().ok()?;
        (number > 1 && !digits.starts_with(['0', '+'])).then_some(&name[name.len() - digits.len() - 1..])
    };
    let first = suffix(lines.first()?.name)?;
    lines.iter().all(|line| suffix(line.name) == Some(first)).then_some(first)
}

/// The measurements of all lines, and the units that are left out.
fn gather<'a>(
    file: &'a InputFile,
    lines: &'a [Line<'a>],
) -> Result<(Vec<super::pairing::SourceMeasurement>, BTreeSet<&'a str>), Error> {
    let processors = processors(lines).unwrap_or_default();
    let mut order = Vec::new();
    let mut all: BTreeMap<(&str, &str), Gathered> = BTreeMap::new();
    let mut left_out = BTreeSet::new();
    for line in lines {
        let key = (line.package.as_str(), line.name.strip_suffix(processors).unwrap_or(line.name));
        let gathered = all.entry(key).or_insert_with(|| {
            order.push(key);
            Gathered { line: line.number, failed: false, values: BTreeMap::new() }
        });
        let Reading::Values(values) = &line.reading else {
            gathered.failed = true;
            continue;
        };
        for (value, unit) in values {
            match *unit {
                "ns/op" => gathered.values.entry("ns/op").or_default().push(*value),
                "B/op" => gathered.values.entry("B/op").or_default().push(*value),
                "allocs/op" => gathered.values.entry("allocs/op").or_default().push(*value),
                "MB/s" => {}
                other => {
                    left_out.insert(other);
                }
            }
        }
    }
    let mut readings = Readings::of(file);
    for key in order {
        let Some(gathered) = all.remove(&key) else { continue };
        let line = At::Line(gathered.line);
        let benchmark = readings.benchmark(line, key.0, key.1)?;
        if gathered.failed {
            readings.fail(line, benchmark, Metric::time(), "go says that it failed")?;
            continue;
        }
        for (unit, values) in gathered.values {
            readings.add(line, benchmark.clone(), metric(unit), &[values])?;
        }
    }
    Ok((readings.done(), left_out))
}

fn metric(unit: &str) -> Metric {
    match unit {
        "B/op" => Metric::count("allocated", "bytes"),
        "allocs/op" => Metric::count("allocations", "allocations"),
        _ => Metric::time(),
    }
}

#[cfg(test)]
mod tests {
    use super::Go;
    use crate::sources::{
        input::{Error, Input, InputFile, Source},
        pairing::SourceRun,
    };

    fn read(text: &str) -> Result<SourceRun, Error> {
        let files = vec![InputFile { path: "bench.txt".into(), bytes: text.into() }];
        Go.parse(&Input { name: "bench.txt".into(), files, baseline: None })
    }

    fn names(text: &str) -> Vec<String> {
        let run = read(text).unwrap();
        run.measurements.iter().map(|m| format!("{} {}", m.benchmark.target, m.benchmark.id)).collect()
    }

    #[test]
    fn the_number_of_processors_is_taken_off_only_where_all_names_end_in_it() {
        assert_eq!(
            names("BenchmarkA-8 10 5 ns/op\nBenchmarkB/n-10-8 10 5 ns/op\n"),
            ["go BenchmarkA", "go BenchmarkB/n-10"]
        );
        assert_eq!(
            names("BenchmarkA 10 5 ns/op\nBenchmarkB/n-10 10 5 ns/op\n"),
            ["go BenchmarkA", "go BenchmarkB/n-10"]
        );
        assert_eq!(
            names("BenchmarkA 10 5 ns/op\nBenchmarkA-2 10 5 ns/op\n"),
            ["go BenchmarkA", "go BenchmarkA-2"]
        );
    }

    #[test]
    fn repeated_lines_are_samples_and_packages_are_targets() {
        let text = "pkg: a\nBenchmarkX-2 1 5 ns/op 3 B/op\nBenchmarkX-2 1 6 ns/op 3 B/op\npkg: b\nBenchmarkX-2 1 7 ns/op\n";
        let run = read(text).unwrap();
        let shown: Vec<_> = run
            .measurements
            .iter()
            .map(|m| {
                (m.benchmark.target.as_str(), m.metric.name.as_str(), m.processes.len(), m.processes[0].len())
            })
            .collect();
        assert_eq!(shown, [("a", "allocated", 1, 2), ("a", "time", 1, 2), ("b", "time", 1, 1)]);
    }

    #[test]
    fn own_metrics_are_named_and_failures_kept() {
        let run = read("BenchmarkX 1 5 ns/op 2 words/op 9 MB/s\n--- FAIL: BenchmarkY\nBenchmarkZ\nhello\n")
            .unwrap();
        assert_eq!(run.measurements.len(), 2);
        assert_eq!(run.measurements[1].failure.as_deref(), Some("go says that it failed"));
        assert!(run.warnings[1].message.ends_with("left out: words/op"), "{:?}", run.warnings);
    }

    #[test]
    fn odd_lines_are_named_by_number() {
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(error("\nBenchmarkX 1 fast ns/op"), "`bench.txt`, line 2: `fast` is no number");
        assert_eq!(
            error("BenchmarkX 1 5"),
            "`bench.txt`, line 1: `BenchmarkX` has a value without a unit, or none"
        );
        assert!(error("BenchmarkX 1 NaN ns/op").contains("no value"));
        assert!(error("BenchmarkX 1 -5 ns/op").contains("no value"));
        assert!(error("BenchmarkX 1 +Inf ns/op").contains("no value"));
    }
}
