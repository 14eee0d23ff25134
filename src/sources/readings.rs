//! The benchmarks of one input as they are read: each metric of each once, within the bounds of [`super::input`].

use std::collections::HashSet;

use super::{
    input::{Error, InputFile, MAX_BENCHMARKS, MAX_READINGS},
    pairing::SourceMeasurement,
};
use crate::model::{
    benchmark::{Benchmark, BenchmarkId},
    metric::Metric,
    run::Sample,
};

/// Where a message points. The line of a text is looked for only when there is one to be written.
#[derive(Debug, Clone, Copy)]
pub(super) enum At<'a> {
    /// A line, from 1.
    Line(u64),
    /// The line on which this text first stands as a JSON string.
    Text(&'a str),
}

/// An error of a file.
pub(super) fn malformed(file: &InputFile, at: At<'_>, problem: impl Into<String>) -> Error {
    let line = match at {
        At::Line(line) => Some(line),
        At::Text(text) => line_of(file, text),
    };
    Error::malformed(&file.path, line, problem)
}

/// What was read of a file so far.
pub(super) struct Readings<'a> {
    file: &'a InputFile,
    seen: HashSet<(Benchmark, String)>,
    measurements: Vec<SourceMeasurement>,
}

impl<'a> Readings<'a> {
    pub(super) fn of(file: &'a InputFile) -> Self {
        Self { file, seen: HashSet::new(), measurements: Vec::new() }
    }

    /// An error of the file.
    pub(super) fn malformed(&self, at: At<'_>, problem: impl Into<String>) -> Error {
        malformed(self.file, at, problem)
    }

    /// The benchmark of a target by its name.
    pub(super) fn benchmark(&self, at: At<'_>, target: &str, name: &str) -> Result<Benchmark, Error> {
        let id = BenchmarkId::new(name).map_err(|invalid| self.malformed(at, invalid.to_string()))?;
        Ok(Benchmark::new(target, id))
    }

    /// Adds the values of a metric, one list a process in time order. No values, or one of 0 in a metric of which nothing can
    /// be 0, are a failure of the benchmark; one that is negative or no number breaks the file.
    pub(super) fn add(
        &mut self,
        at: At<'_>,
        benchmark: Benchmark,
        metric: Metric,
        processes: &[Vec<f64>],
    ) -> Result<(), Error> {
        let values = || processes.iter().flatten();
        if let Some(value) = values().find(|value| !value.is_finite() || **value < 0.0) {
            let problem = format!("`{}` has {value} for `{}`, which is no value", benchmark.id, metric.name);
            return Err(self.malformed(at, problem));
        }
        if values().count() > MAX_READINGS {
            let problem = format!("`{}` has more than {MAX_READINGS} readings", benchmark.id);
            return Err(self.malformed(at, problem));
        }
        let noisy = metric.nature == crate::model::metric::Nature::Noisy;
        let failure = if values().next().is_none() {
            Some("it has no value".to_owned())
        } else if noisy && values().any(|value| *value <= 0.0) {
            Some(format!("its {} is 0: the compiler may have removed the work", metric.name))
        } else {
            None
        };
        let sample = |total: &f64| Sample { iterations: 1.0, total: *total };
        let filled = processes.iter().filter(|process| failure.is_none() && !process.is_empty());
        let processes = filled.map(|process| process.iter().map(sample).collect()).collect();
        self.push(at, SourceMeasurement { benchmark, metric, processes, failure })
    }

    /// Adds a benchmark that has no value, with the reason.
    pub(super) fn fail(
        &mut self,
        at: At<'_>,
        benchmark: Benchmark,
        metric: Metric,
        why: impl Into<String>,
    ) -> Result<(), Error> {
        let failure = Some(why.into());
        self.push(at, SourceMeasurement { benchmark, metric, processes: Vec::new(), failure })
    }

    fn push(&mut self, at: At<'_>, measurement: SourceMeasurement) -> Result<(), Error> {
        let key = (measurement.benchmark.clone(), measurement.metric.name.clone());
        if !self.seen.insert(key) {
            return Err(self.malformed(at, format!("`{}` is there twice", measurement.benchmark.id)));
        }
        if self.seen.len() > MAX_BENCHMARKS {
            return Err(self.malformed(at, format!("more than {MAX_BENCHMARKS} benchmarks")));
        }
        self.measurements.push(measurement);
        Ok(())
    }

    pub(super) fn done(self) -> Vec<SourceMeasurement> {
        self.measurements
    }
}

/// The line, from 1, on which a text first stands in a file as a JSON string: where a message about it should point.
fn line_of(file: &InputFile, text: &str) -> Option<u64> {
    let quoted = serde_json::to_string(text).ok()?;
    let at = file.bytes.windows(quoted.len()).position(|window| window == quoted.as_bytes())?;
    Some(1 + file.bytes.iter().take(at).filter(|byte| **byte == b'\n').count() as u64)
}

/// Nanoseconds of a unit of time as benchmark tools write it.
pub(super) fn nanoseconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ps" => 1e-3,
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" | "min" => 60e9,
        "h" | "hr" => 3600e9,
        "d" | "day" => 86_400e9,
        _ => return None,
    })
}

/// Operations a second, as tools that count instead of timing report.
pub(super) fn operations() -> Metric {
    Metric {
        name: "throughput".into(),
        unit: "ops/s".into(),
        direction: crate::model::metric::Direction::Higher,
        nature: crate::model::metric::Nature::Noisy,
    }
}

#[cfg(test)]
mod tests {
    use super::{At, Readings, line_of, nanoseconds};
    use crate::{model::metric::Metric, sources::input::InputFile};

    fn file(text: &str) -> InputFile {
        InputFile { path: "a.json".into(), bytes: text.into() }
    }

    #[test]
    fn what_is_no_value_breaks_the_file_and_zero_time_the_benchmark() {
        let file = file("{}");
        let mut readings = Readings::of(&file);
        let benchmark = |name: &str| Readings::of(&file).benchmark(At::Line(1), "t", name).unwrap();
        for wrong in [f64::NAN, f64::INFINITY, -1.0] {
            let added = readings.add(At::Line(3), benchmark("a"), Metric::time(), &[vec![1.0, wrong]]);
            let error = added.unwrap_err().to_string();
            assert!(
                error.starts_with("`a.json`, line 3: `a` has ") && error.ends_with("no value"),
                "{error}"
            );
        }
        readings.add(At::Line(1), benchmark("z"), Metric::time(), &[vec![0.0]]).unwrap();
        readings.add(At::Line(1), benchmark("z"), Metric::count("n", "n"), &[vec![0.0]]).unwrap();
        let again = readings.add(At::Line(9), benchmark("z"), Metric::time(), &[vec![1.0]]);
        assert_eq!(again.unwrap_err().to_string(), "`a.json`, line 9: `z` is there twice");
        let read = readings.done();
        assert!(read[0].failure.as_ref().unwrap().contains("is 0") && read[0].processes.is_empty());
        assert!(read[1].failure.is_none() && read[1].processes.len() == 1);
    }

    #[test]
    fn a_text_is_found_where_it_stands_as_a_string() {
        assert_eq!(line_of(&file("{\n\"a b\": 1,\n\"q\\\"q\": 2}"), "q\"q"), Some(3));
        assert_eq!(line_of(&file("{}"), "x"), None);
    }

    #[test]
    fn units_that_are_not_known_have_no_factor() {
        assert_eq!(nanoseconds("µs"), Some(1e3));
        assert_eq!(nanoseconds("furlong"), None);
    }
}
