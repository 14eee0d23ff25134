//! The JSON of `pytest --benchmark-json=FILE`, and of `--benchmark-save`.
//!
//! Times are seconds. A benchmark is known by its `fullname`: two files may have a test of one `name`. Its samples (`stats.data`)
//! are in the file of `--benchmark-json`, and in those of `--benchmark-save` only with `--benchmark-save-data`; without them the median of the process is its one value. All samples of a file
//! come from one process, whatever `rounds` says. The file tells the commit, and whether the work tree was changed.

use serde::Deserialize;

use super::{
    input::{Error, Input, Source, beginning, holds, json},
    pairing::SourceRun,
    readings::{At, Readings},
};
use crate::model::{metric::Metric, run::Warning};

/// pytest-benchmark's files.
#[derive(Debug, Clone, Copy)]
pub struct PytestBenchmark;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    commit_info: Commit,
    benchmarks: Vec<Row>,
}

#[derive(Deserialize, Default)]
struct Commit {
    id: Option<String>,
    dirty: Option<bool>,
}

#[derive(Deserialize)]
struct Row {
    fullname: String,
    stats: Stats,
}

#[derive(Deserialize)]
struct Stats {
    median: Option<f64>,
    data: Option<Vec<f64>>,
}

impl Source for PytestBenchmark {
    fn name(&self) -> &'static str {
        "pytest-benchmark"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file);
        holds(start, "\"machine_info\"") && holds(start, "\"commit_info\"")
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let document: Document = json(file)?;
        let mut readings = Readings::of(file);
        let mut without_data = 0_usize;
        for row in document.benchmarks {
            let line = At::Text(&row.fullname);
            let benchmark = readings.benchmark(line, "pytest", &row.fullname)?;
            let samples = row.stats.data.filter(|data| !data.is_empty());
            without_data += usize::from(samples.is_none());
            let seconds = samples.unwrap_or_else(|| row.stats.median.into_iter().collect());
            let values = seconds.into_iter().map(|value| value * 1e9).collect();
            readings.add(line, benchmark, Metric::time(), &[values])?;
        }
        let mut run = SourceRun::foreign(self.name(), &input.name, readings.done());
        let commit = document.commit_info;
        run.revision.rev = commit.id.filter(|id| commit.dirty == Some(false) && is_commit(id));
        if without_data > 0 {
            run.warnings.push(Warning::new(
                "no_samples",
                "pytest-benchmark saved no samples, so each benchmark has the median of its process; `--benchmark-json` \
                 or `--benchmark-save-data` saves them",
            ));
        }
        Ok(run)
    }
}

fn is_commit(id: &str) -> bool {
    id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::PytestBenchmark;
    use crate::sources::{
        input::{Error, Input, InputFile, Source},
        pairing::SourceRun,
    };

    fn read(benchmarks: &str) -> Result<SourceRun, Error> {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let text = format!(
            "{{\"machine_info\": {{}}, \"commit_info\": {{\"id\": \"{id}\", \"dirty\": false}},\n\"benchmarks\": [{benchmarks}]}}"
        );
        let files = vec![InputFile { path: "b.json".into(), bytes: text.into() }];
        PytestBenchmark.parse(&Input { name: "b.json".into(), files, baseline: None })
    }

    #[test]
    fn the_full_name_counts_and_seconds_become_nanoseconds() {
        let run = read(
            r#"{"name": "t", "fullname": "a.py::t", "stats": {"median": 2e-6, "data": [1e-6, 3e-6]}},
               {"name": "t", "fullname": "b.py::t", "stats": {"median": 2e-6}}"#,
        )
        .unwrap();
        let shown: Vec<_> = run
            .measurements
            .iter()
            .map(|m| (m.benchmark.id.as_str(), m.processes[0].len(), m.processes[0][0].total.round()))
            .collect();
        assert_eq!(shown, [("a.py::t", 2, 1000.0), ("b.py::t", 1, 2000.0)]);
        assert_eq!(run.revision.rev.unwrap().len(), 40);
        assert_eq!(run.warnings[0].code, "no_samples");
    }

    #[test]
    fn twice_the_same_and_values_that_are_none_are_refused_by_line() {
        let row = r#"{"fullname": "a", "stats": {"median": 1}}"#;
        assert_eq!(
            read(&format!("{row},{row}")).unwrap_err().to_string(),
            "`b.json`, line 2: `a` is there twice"
        );
        let error = read(r#"{"fullname": "a", "stats": {"median": -1}}"#).unwrap_err().to_string();
        assert!(error.contains("no value"), "{error}");
        assert!(read(r#"{"fullname": "a", "stats": {"median": NaN}}"#).is_err());
        assert!(read(r#"{"fullname": "a", "stats": {"median": 1e999}}"#).is_err());
    }
}
