//! What `cargo bench` prints for libtest's `#[bench]` functions:
//! `test sieve_large ... bench:     196,657.97 ns/iter (+/- 4,481.89)`.
//!
//! One value a benchmark, the median over one process; the number in brackets is the span from fastest to slowest sample, not an
//! error of the value, so it is not read. Everything else in the text is passed over, lines of other tools too.

use std::collections::HashSet;

use super::{
    ansi::plain,
    input::{Error, Input, InputFile, MAX_BENCHMARKS, Source, beginning},
    pairing::{SourceMeasurement, SourceRun},
};
use crate::model::{
    benchmark::{Benchmark, BenchmarkId},
    metric::Metric,
    run::{Sample, Warning},
};

/// libtest's text.
#[derive(Debug, Clone, Copy)]
pub struct Libtest;

impl Source for Libtest {
    fn name(&self) -> &'static str {
        "libtest"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let text = String::from_utf8_lossy(beginning(file));
        text.lines().any(|line| plain(line).trim_start().starts_with("test ") && line.contains("ns/iter"))
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let mut measurements = Vec::new();
        for file in &input.files {
            read(file, &mut measurements)?;
        }
        let mut run = SourceRun::foreign(self.name(), &input.name, measurements);
        run.warnings = vec![Warning::new(
            "libtest_text",
            "libtest prints one median a benchmark and tells neither commit, machine nor single samples",
        )];
        Ok(run)
    }
}

fn read(file: &InputFile, measurements: &mut Vec<SourceMeasurement>) -> Result<(), Error> {
    let text = String::from_utf8_lossy(&file.bytes);
    let mut target = "bench".to_owned();
    let mut seen = HashSet::new();
    for (at, line) in text.lines().enumerate() {
        let line = plain(line);
        let line = line.trim();
        let number = Some(at as u64 + 1);
        if let Some(running) = line.strip_prefix("Running ") {
            target = bench_target(running).unwrap_or(target);
            continue;
        }
        let Some((name, reading)) =
            bench(line).map_err(|problem| Error::malformed(&file.path, number, problem))?
        else {
            continue;
        };
        let id = BenchmarkId::new(name)
            .map_err(|problem| Error::malformed(&file.path, number, problem.to_string()))?;
        let benchmark = Benchmark::new(target.clone(), id);
        if !seen.insert(benchmark.clone()) {
            return Err(Error::malformed(&file.path, number, format!("`{}` is there twice", benchmark.id)));
        }
        if seen.len() > MAX_BENCHMARKS {
            return Err(Error::malformed(
                &file.path,
                number,
                format!("more than {MAX_BENCHMARKS} benchmarks"),
            ));
        }
        measurements.push(measurement(benchmark, reading));
    }
    Ok(())
}

/// What a line says of a benchmark.
#[derive(Clone, Copy)]
enum Reading {
    Nanoseconds(f64),
    Failed,
}

fn measurement(benchmark: Benchmark, reading: Reading) -> SourceMeasurement {
    let (processes, failure) = match reading {
        Reading::Nanoseconds(total) if total > 0.0 => (vec![vec![Sample { iterations: 1.0, total }]], None),
        Reading::Nanoseconds(_) => {
            (Vec::new(), Some("it took 0 ns: the compiler may have removed the work".to_owned()))
        }
        Reading::Failed => (Vec::new(), Some("libtest says that it failed".to_owned())),
    };
    SourceMeasurement { benchmark, metric: Metric::time(), processes, failure }
}

/// The benchmark of a line and its reading; `None` for lines about something else.
fn bench(line: &str) -> Result<Option<(&str, Reading)>, String> {
    let Some((name, result)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) else {
        return Ok(None);
    };
    let name = name.trim();
    let result = result.trim();
    if result == "FAILED" {
        return Ok(Some((name, Reading::Failed)));
    }
    let Some(reading) = result.strip_prefix("bench:") else { return Ok(None) };
    let (value, rest) = reading.trim().split_once(' ').ok_or("a benchmark without a unit")?;
    if !rest.trim_start().starts_with("ns/iter") {
        return Err(format!("the unit is not `ns/iter` but `{}`", rest.trim()));
    }
    let nanoseconds: f64 = value.replace(',', "").parse().map_err(|_| format!("`{value}` is no number"))?;
    if !nanoseconds.is_finite() || nanoseconds < 0.0 {
        return Err(format!("`{value}` is no time"));
    }
    Ok(Some((name, Reading::Nanoseconds(nanoseconds))))
}

/// The target of cargo's line `Running benches/kernels.rs (target/release/deps/kernels-0123456789abcdef)`.
fn bench_target(running: &str) -> Option<String> {
    let executable = running.rsplit_once('(')?.1.strip_suffix(')')?;
    let name = executable.rsplit(['/', '\\']).next()?;
    let name = name.strip_suffix(".exe").unwrap_or(name);
    let (target, _hash) = name.rsplit_once('-')?;
    (!target.is_empty()).then(|| target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Libtest, bench_target};
    use crate::sources::input::{Input, InputFile, Source};

    fn values(text: &str) -> Vec<(String, Option<f64>)> {
        let files = vec![InputFile { path: "bench.txt".into(), bytes: text.into() }];
        let run = Libtest.parse(&Input { name: "bench.txt".into(), files, baseline: None });
        let run = run.unwrap();
        let value = |m: &crate::sources::pairing::SourceMeasurement| m.processes.first().map(|p| p[0].total);
        run.measurements.iter().map(|m| (m.benchmark.id.to_string(), value(m))).collect()
    }

    fn error(text: &str) -> String {
        let files = vec![InputFile { path: "bench.txt".into(), bytes: text.into() }];
        Libtest.parse(&Input { name: "bench.txt".into(), files, baseline: None }).unwrap_err().to_string()
    }

    #[test]
    fn thousands_decimals_colours_and_throughput_are_read() {
        let text = "test a::b ... bench:  13,967,756.30 ns/iter (+/- 266,769.64) = 40 MB/s\r\n\
                    test c    ... \u{1b}[36mbench\u{1b}(B\u{1b}[m: 5 ns/iter (+/- 0)\n\
                    test d ... bench:         22 ns/iter (+/- 1)\n";
        let read = values(text);
        let expected = [("a::b", 13_967_756.3), ("c", 5.0), ("d", 22.0)];
        assert_eq!(read, expected.map(|(id, value)| (id.to_owned(), Some(value))));
    }

    #[test]
    fn what_is_no_benchmark_is_passed_over_and_failures_are_kept() {
        let text = "test x ... ok\ntest y ... ignored\ntest z ... FAILED\ntest q ... bench: 0 ns/iter (+/- 0)\nhello\n";
        assert_eq!(values(text), [("z".into(), None), ("q".into(), None)]);
    }

    #[test]
    fn odd_lines_are_named_by_number() {
        insta::assert_snapshot!(error("\ntest a ... bench: 5 us/iter (+/- 1)"), @"`bench.txt`, line 2: the unit is not `ns/iter` but `us/iter (+/- 1)`");
        insta::assert_snapshot!(error("test a ... bench: 1.2.3 ns/iter (+/- 1)"), @"`bench.txt`, line 1: `1.2.3` is no number");
        insta::assert_snapshot!(error("test a ... bench: NaN ns/iter"), @"`bench.txt`, line 1: `NaN` is no time");
        insta::assert_snapshot!(error("test a ... bench:"), @"`bench.txt`, line 1: a benchmark without a unit");
        insta::assert_snapshot!(error("test a ... bench: 5 ns/iter\ntest a ... bench: 5 ns/iter"), @"`bench.txt`, line 2: `a` is there twice");
    }

    #[test]
    fn cargo_names_the_target() {
        let line = "benches/kernels.rs (target/release/deps/my_kernels-0123456789abcdef)";
        assert_eq!(bench_target(line).as_deref(), Some("my_kernels"));
        assert_eq!(
            bench_target(r"unittests src\lib.rs (target\release\deps\a-b-01.exe)").as_deref(),
            Some("a-b")
        );
        assert_eq!(bench_target("nothing"), None);
    }
}
