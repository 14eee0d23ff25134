//! The JSON of JMH (`-rf json -rff FILE`).
//!
//! The direction follows from the mode: `thrpt` counts operations a second, `avgt`, `sample` and `ss` give time. A unit that does
//! not fit the mode is refused: such files exist, and a ratio of seconds read as operations is upside down. Forks are the
//! processes; the iterations of a fork are its samples. `params` belong to the name, as do the modes `sample` and `ss`, since one
//! run may measure a method in several. Scores and errors are computed from the samples anew; secondary metrics are left out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    input::{Error, Input, Source, beginning, holds, json},
    pairing::SourceRun,
    readings::{At, Readings, nanoseconds, operations},
};
use crate::model::{metric::Metric, run::Warning};

/// JMH's files.
#[derive(Debug, Clone, Copy)]
pub struct Jmh;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    benchmark: String,
    mode: String,
    forks: Option<u64>,
    #[serde(default)]
    params: BTreeMap<String, serde_json::Value>,
    primary_metric: Primary,
}

/// Values, and how often each came.
type Histogram = Vec<(f64, f64)>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Primary {
    score_unit: String,
    raw_data: Option<Vec<Vec<f64>>>,
    /// Of each fork, of each iteration: values and how often they came.
    raw_data_histogram: Option<Vec<Vec<Histogram>>>,
}

impl Source for Jmh {
    fn name(&self) -> &'static str {
        "jmh"
    }

    fn detect(&self, input: &Input) -> bool {
        let [file] = input.files.as_slice() else { return false };
        let start = beginning(file);
        holds(start, "\"primaryMetric\"") && holds(start, "\"scoreUnit\"")
    }

    fn parse(&self, input: &Input) -> Result<SourceRun, Error> {
        let file = input.only_file()?;
        let rows: Vec<Row> = json(file)?;
        let mut readings = Readings::of(file);
        let mut in_own_process = true;
        for row in rows {
            let line = At::Text(&row.benchmark);
            in_own_process &= row.forks != Some(0);
            let (metric, factor) = metric(&row.mode, &row.primary_metric.score_unit)
                .map_err(|problem| readings.malformed(line, problem))?;
            let benchmark = readings.benchmark(line, "jmh", &name(&row))?;
            let processes: Vec<Vec<f64>> = forks(row.primary_metric)
                .into_iter()
                .map(|fork| fork.into_iter().map(|value| value * factor).collect())
                .collect();
            readings.add(line, benchmark, metric, &processes)?;
        }
        let mut run = SourceRun::foreign(self.name(), &input.name, readings.done());
        run.warnings = vec![Warning::new("jmh_file", "JMH's file does not tell commit or machine")];
        if !in_own_process {
            run.warnings.push(Warning::new(
                "no_forks",
                "JMH ran benchmarks in its own process (`forks` is 0): they share one JIT and one heap",
            ));
        }
        Ok(run)
    }
}

/// The metric of a mode, and what turns one of the unit into ours.
fn metric(mode: &str, unit: &str) -> Result<(Metric, f64), String> {
    let parts = unit.split_once('/').unwrap_or((unit, ""));
    match (mode, parts) {
        ("thrpt", ("ops", time)) => {
            let each = nanoseconds(time).ok_or_else(|| format!("`{unit}` is no unit that is known"))?;
            Ok((operations(), 1e9 / each))
        }
        ("avgt" | "sample" | "ss", (time, "op")) => {
            let each = nanoseconds(time).ok_or_else(|| format!("`{unit}` is no unit that is known"))?;
            Ok((Metric::time(), each))
        }
        ("thrpt" | "avgt" | "sample" | "ss", _) => {
            Err(format!("mode `{mode}` cannot have the unit `{unit}`"))
        }
        _ => Err(format!("mode `{mode}` is not known")),
    }
}

/// `Sort.quick/size=10,kind=a`, with `mode=ss` where a mode is not the usual one of its metric.
fn name(row: &Row) -> String {
    let shown = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let params = row.params.iter().map(|(name, value)| format!("{name}={}", shown(value)));
    let mode = matches!(row.mode.as_str(), "sample" | "ss").then(|| format!("mode={}", row.mode));
    let parts: Vec<String> = params.chain(mode).collect();
    if parts.is_empty() { row.benchmark.clone() } else { format!("{}/{}", row.benchmark, parts.join(",")) }
}

/// The samples of each fork.
fn forks(primary: Primary) -> Vec<Vec<f64>> {
    if let Some(forks) = primary.raw_data.filter(|forks| forks.iter().any(|fork| !fork.is_empty())) {
        return forks;
    }
    let mean = |bins: Histogram| {
        let count: f64 = bins.iter().map(|(_, count)| count).sum();
        bins.iter().map(|(value, count)| value * count).sum::<f64>() / count
    };
    let forks = primary.raw_data_histogram.unwrap_or_default().into_iter();
    forks.map(|fork| fork.into_iter().map(mean).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::Jmh;
    use crate::sources::{
        input::{Error, Input, InputFile, Source},
        pairing::SourceRun,
    };

    fn read(rows: &str) -> Result<SourceRun, Error> {
        let files = vec![InputFile { path: "j.json".into(), bytes: format!("[{rows}]").into() }];
        Jmh.parse(&Input { name: "j.json".into(), files, baseline: None })
    }

    fn row(mode: &str, unit: &str, raw: &str) -> String {
        format!(
            r#"{{"benchmark": "a.B.c", "mode": "{mode}", "forks": 2, "params": {{"size": "10", "kind": "x"}},
            "primaryMetric": {{"score": 1, "scoreError": "NaN", "scoreUnit": "{unit}", {raw}}}}}"#
        )
    }

    #[test]
    fn forks_are_processes_and_the_direction_is_the_modes() {
        let raw = r#""rawData": [[1, 2, 3], [4, 5, 6]]"#;
        let rows = [row("thrpt", "ops/ms", raw), row("avgt", "us/op", raw)].join(",");
        let run = read(&rows).unwrap();
        let shown: Vec<_> = run
            .measurements
            .iter()
            .map(|m| {
                let value = m.processes[1][0].total.round();
                (m.benchmark.id.as_str(), m.metric.unit.as_str(), m.processes.len(), value)
            })
            .collect();
        assert_eq!(
            shown,
            [("a.B.c/kind=x,size=10", "ops/s", 2, 4e3), ("a.B.c/kind=x,size=10", "ns", 2, 4e3)]
        );
    }

    #[test]
    fn a_histogram_of_an_iteration_is_its_mean() {
        let run = read(&row("sample", "ns/op", r#""rawDataHistogram": [[[[10, 1], [20, 3]], [[30, 2]]]]"#))
            .unwrap();
        let values: Vec<f64> = run.measurements[0].processes[0].iter().map(|sample| sample.total).collect();
        assert_eq!(values, [17.5, 30.0]);
        assert!(run.measurements[0].benchmark.id.as_str().ends_with("mode=sample"));
    }

    #[test]
    fn a_unit_that_does_not_fit_the_mode_is_refused_by_line() {
        let raw = r#""rawData": [[1]]"#;
        let error = |rows: &str| read(rows).unwrap_err().to_string();
        assert_eq!(
            error(&row("thrpt", "s/op", raw)),
            "`j.json`, line 1: mode `thrpt` cannot have the unit `s/op`"
        );
        assert!(error(&row("avgt", "ops/s", raw)).contains("cannot have"));
        assert!(error(&row("avgt", "moon/op", raw)).contains("no unit that is known"));
        assert!(error(&row("warp", "s/op", raw)).contains("mode `warp` is not known"));
        let twice = [row("avgt", "s/op", raw), row("avgt", "s/op", raw)].join(",");
        assert!(error(&twice).contains("is there twice"));
        assert!(error(&row("avgt", "s/op", r#""rawData": [[-1]]"#)).contains("no value"));
        assert!(error(&row("avgt", "s/op", r#""rawData": [["NaN"]]"#)).contains("invalid type"));
    }
}
