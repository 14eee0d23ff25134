//! Another name for the benchmark of an input: `tollgate import --name`.

use std::collections::BTreeSet;

use super::pairing::SourceRun;
use crate::model::benchmark::{Benchmark, BenchmarkId};

/// Why an input cannot be given a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it holds {benchmarks} benchmarks, and one name cannot be that of all")]
pub struct SeveralBenchmarks {
    /// How many it holds.
    pub benchmarks: usize,
}

/// What benchmarks of load tests begin with.
const LOAD: &str = "load:";

impl SourceRun {
    /// Calls the benchmark `name`. A load test stays one, and its parts stay its parts: `load:k6/a` becomes `load:NAME/a`.
    /// A name that would be too long or empty changes nothing.
    ///
    /// # Errors
    /// When there are several benchmarks that are not parts of one.
    pub fn rename(&mut self, name: &str) -> Result<(), SeveralBenchmarks> {
        let ids: BTreeSet<Benchmark> = self.measurements.iter().map(|m| m.benchmark.clone()).collect();
        let shortest = ids.iter().map(|benchmark| benchmark.id.as_str()).min_by_key(|id| id.len());
        let whole = shortest.unwrap_or_default().to_owned();
        let is_part =
            |id: &str| id == whole || id.strip_prefix(&whole).is_some_and(|rest| rest.starts_with('/'));
        if !ids.iter().all(|benchmark| is_part(benchmark.id.as_str())) {
            return Err(SeveralBenchmarks { benchmarks: ids.len() });
        }
        let name = name.strip_prefix(LOAD).unwrap_or(name);
        let prefix = if whole.starts_with(LOAD) { LOAD } else { "" };
        for measurement in &mut self.measurements {
            let part = measurement.benchmark.id.as_str().get(whole.len()..).unwrap_or_default();
            if let Ok(id) = BenchmarkId::new(format!("{prefix}{name}{part}")) {
                measurement.benchmark.id = id;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        model::{
            benchmark::{Benchmark, BenchmarkId},
            metric::Metric,
            run::Sample,
        },
        sources::pairing::{SourceMeasurement, SourceRun},
    };

    #[test]
    fn a_name_is_that_of_the_whole_and_its_parts() {
        let ids = |run: &SourceRun| -> Vec<String> {
            run.measurements.iter().map(|m| m.benchmark.id.to_string()).collect()
        };
        let measured = |id: &&str| SourceMeasurement {
            benchmark: Benchmark::new("t", BenchmarkId::new(*id).unwrap()),
            metric: Metric::time(),
            processes: vec![vec![Sample { iterations: 1.0, total: 1.0 }]],
            failure: None,
        };
        let of = |ids: &[&str]| SourceRun::foreign("tool", "x", ids.iter().map(measured).collect());
        let mut load = of(&["load:k6", "load:k6", "load:k6/GET /a"]);
        load.rename("checkout").unwrap();
        assert_eq!(ids(&load), ["load:checkout", "load:checkout", "load:checkout/GET /a"]);
        load.rename("load:other").unwrap();
        assert_eq!(ids(&load)[0], "load:other");
        let mut command = of(&["./old --flag"]);
        command.rename("parse").unwrap();
        assert_eq!(ids(&command), ["parse"]);
        assert_eq!(of(&["a", "ab"]).rename("b").unwrap_err().benchmarks, 2);
    }
}
