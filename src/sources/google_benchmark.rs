//! The JSON of Google Benchmark (`--benchmark_out=FILE --benchmark_out_format=json`).
//!
//! Wall time (`real_time`) is read, in the unit of its row. Rows of one `run_name` are repetitions in one process: its samples.
//! Aggregates (mean, median, deviation, and a coefficient of variation that has no unit of time) are no benchmarks; only of a
//! benchmark that has no other rows (`--benchmark_report_aggregates_only`) the median is taken. Counters of a project's own are
//! left out: nothing tells their direction.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::{
    input::{Error, Input, InputFile, MAX_BENCHMARKS, Source, beginning, holds, json},
    pairing::{SourceMeasurement, SourceRun},
    readings::{At, Readings, malformed, nanoseconds},
};
use crate::model::{metric::Metric, run::Warning};

/// Google Benchmark's files.
#[derive(Debug, Clone, Copy)]
pub struct GoogleBenchmark;

#[derive(Deserialize)]
struct Document {
    context: Context,
    benchmarks: Vec<Row>,
}

#[derive(Deserialize)]
struct Context {
    library_build_type: Option<String>,
    cpu_scaling_enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    run_name: Option<String>,
    run_type: Option<String>,
    aggregate_name: Option<String>,
    repetition_index: Option<u64>,
    real_time: Option<f64>,
    time_unit: Option<String>,
    #[serde(default)]
    error_occurred: bool,
    error_message: Option<String>,
    #[serde(default)]
    skipped: bool,
}

/// What the rows of one benchmark came to.
#[derive(Default)]
struct Gathered {
    values: Vec<f64>,
    repetitions: BTreeSet<u64>,
    median: Option<f64>,
    failure: Option<String>,
}

impl Source for GoogleBenchmark {
    fn name(&self) -> &'static str {
        "google-benchmark"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file);
        holds(start, "\"context\"") && holds(start, "\"benchmarks\"") && holds(start, "\"mhz_per_cpu\"")
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let document: Document = json(file)?;
        let (measurements, by_median) = gather(file, document.benchmarks)?;
        let mut run = SourceRun::foreign(self.name(), &input.name, measurements);
        run.warnings = warnings(&document.context, by_median);
        Ok(run)
    }
}

/// The measurements, and how many of them stand for the median of repetitions that are not in the file.
fn gather(file: &InputFile, rows: Vec<Row>) -> Result<(Vec<SourceMeasurement>, usize), Error> {
    let mut order: Vec<String> = Vec::new();
    let mut all: HashMap<String, Gathered> = HashMap::new();
    for row in rows.into_iter().filter(|row| !row.skipped || row.error_occurred) {
        let name = row.run_name.clone().unwrap_or_else(|| row.name.clone());
        let aggregate = row.run_type.as_deref() == Some("aggregate");
        if aggregate && row.aggregate_name.as_deref() != Some("median") {
            continue;
        }
        let line = At::Text(&row.name);
        if order.len() > MAX_BENCHMARKS {
            return Err(malformed(file, line, format!("more than {MAX_BENCHMARKS} benchmarks")));
        }
        let gathered = all.entry(name.clone()).or_insert_with(|| {
            order.push(name.clone());
            Gathered::default()
        });
        if !aggregate && !gathered.repetitions.insert(row.repetition_index.unwrap_or(0)) {
            return Err(malformed(file, line, format!("`{name}` is there twice")));
        }
        if row.error_occurred {
            let said = row.error_message.as_deref().unwrap_or("nothing");
            gathered.failure.get_or_insert(format!("it stopped with an error, saying {said}"));
            continue;
        }
        let value = value(&row).map_err(|problem| malformed(file, line, problem))?;
        if aggregate {
            gathered.median = Some(value);
        } else {
            gathered.values.push(value);
        }
    }
    let mut readings = Readings::of(file);
    let mut by_median = 0;
    for name in order {
        let Some(gathered) = all.remove(&name) else { continue };
        let line = At::Text(&name);
        let benchmark = readings.benchmark(line, "google-benchmark", &name)?;
        if let Some(failure) = gathered.failure {
            readings.fail(line, benchmark, Metric::time(), failure)?;
            continue;
        }
        let only_median = gathered.median.filter(|_| gathered.values.is_empty());
        by_median += usize::from(only_median.is_some());
        let values = only_median.map_or(gathered.values, |median| vec![median]);
        readings.add(line, benchmark, Metric::time(), &[values])?;
    }
    Ok((readings.done(), by_median))
}

/// Nanoseconds of a row.
fn value(row: &Row) -> Result<f64, String> {
    let unit = row.time_unit.as_deref().ok_or_else(|| format!("`{}` has no `time_unit`", row.name))?;
    let factor = nanoseconds(unit).ok_or_else(|| format!("`{unit}` is no unit of time that is known"))?;
    let value = row.real_time.ok_or_else(|| format!("`{}` has no `real_time`", row.name))?;
    Ok(value * factor)
}

fn warnings(context: &Context, by_median: usize) -> Vec<Warning> {
    let mut warnings = vec![Warning::new(
        "google_benchmark_file",
        "Google Benchmark tells neither commit nor single samples, and its repetitions share one process",
    )];
    if context.library_build_type.as_deref() == Some("debug") {
        warnings.push(Warning::new(
            "debug_library",
            "Google Benchmark was built with assertions (`library_build_type` is debug; so are Debian's and Ubuntu's packages): \
             its own overhead is in the times; build it with `-DCMAKE_BUILD_TYPE=Release`",
        ));
    }
    if context.cpu_scaling_enabled == Some(true) {
        warnings.push(Warning::new(
            "frequency_scaling",
            "the frequency of the processor was not fixed while this was measured",
        ));
    }
    if by_median > 0 {
        warnings.push(Warning::new(
            "aggregates_only",
            "the repetitions are not in the file: their median is taken as one value",
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::GoogleBenchmark;
    use crate::sources::{
        input::{Error, Input, InputFile, Source},
        pairing::SourceRun,
    };

    fn read(rows: &str) -> Result<SourceRun, Error> {
        let text = format!("{{\"context\": {{\"mhz_per_cpu\": 1}},\n\"benchmarks\": [\n{rows}]}}");
        let files = vec![InputFile { path: "g.json".into(), bytes: text.into() }];
        GoogleBenchmark.parse(&Input { name: "g.json".into(), files, baseline: None })
    }

    fn error(rows: &str) -> String {
        read(rows).unwrap_err().to_string()
    }

    const A: &str = r#"{"name": "A", "run_name": "A", "run_type": "iteration", "repetition_index": 0, "real_time": 2, "time_unit": "us"}"#;

    #[test]
    fn aggregates_are_no_benchmarks_and_a_variation_without_unit_is_no_error() {
        let cv = r#"{"name": "A_cv", "run_name": "A", "run_type": "aggregate", "aggregate_name": "cv", "real_time": 0.1}"#;
        let median = r#"{"name": "A_median", "run_name": "A", "run_type": "aggregate", "aggregate_name": "median", "real_time": 9, "time_unit": "us"}"#;
        let run = read(&format!("{A},{median},{cv}")).unwrap();
        assert_eq!(run.measurements.len(), 1);
        assert_eq!(run.measurements[0].processes[0][0].total.to_bits(), 2000_f64.to_bits());
        let run = read(&format!("{median},{cv}")).unwrap();
        assert_eq!(run.measurements[0].processes[0][0].total.to_bits(), 9000_f64.to_bits());
        assert_eq!(run.warnings.last().unwrap().code, "aggregates_only");
    }

    #[test]
    fn what_is_odd_is_refused_by_line() {
        assert_eq!(error(&format!("{A},\n{A}")), "`g.json`, line 3: `A` is there twice");
        assert_eq!(
            error(&A.replace("us", "fortnight")),
            "`g.json`, line 3: `fortnight` is no unit of time that is known"
        );
        assert!(error(&A.replace(": 2,", ": -2,")).contains("no value"));
        assert!(error(&A.replace("\"real_time\": 2, ", "")).contains("no `real_time`"));
    }

    #[test]
    fn a_benchmark_that_stopped_with_an_error_has_no_value() {
        let run = read(r#"{"name": "A", "error_occurred": true, "error_message": "no input"}"#).unwrap();
        assert_eq!(run.measurements[0].failure.as_deref(), Some("it stopped with an error, saying no input"));
    }
}
