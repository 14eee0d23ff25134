//! Reads the recorded measurements: a directory with `go_aa.csv`, `criterion_runs.jsonl` and `lockstep_*.jsonl`.

use std::{collections::BTreeMap, error::Error, fs, path::Path};

use serde::Deserialize;
use tollgate::stats::location::{fastest_fifth, mean, median, quantile_sorted};

use crate::trial::Slot;

/// One process and benchmark of a recording.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Process {
    pub(crate) round: u32,
    /// Which of the two ran first (`lockstep_*`).
    #[serde(default)]
    pub(crate) first: String,
    /// Order in the round (`criterion_runs`).
    #[serde(default)]
    pub(crate) pos: u32,
    pub(crate) variant: String,
    pub(crate) bench: String,
    pub(crate) iters: Vec<f64>,
    pub(crate) times: Vec<f64>,
}

impl Process {
    /// Nanoseconds per iteration of every sample.
    pub(crate) fn samples(&self) -> Vec<f64> {
        self.times.iter().zip(&self.iters).map(|(time, iterations)| time / iterations).collect()
    }

    /// ln of a statistic by its name.
    pub(crate) fn statistic(&self, name: &str) -> f64 {
        let mut samples = self.samples();
        samples.sort_by(f64::total_cmp);
        let value = match name {
            "fastest fifth" => fastest_fifth(&samples),
            "minimum" => samples.first().copied(),
            "lower quartile" => quantile_sorted(&samples, 0.25),
            "median" => median(&samples),
            "mean" => mean(&samples),
            "slope" => Some(self.slope()),
            _ => None,
        };
        value.unwrap_or(f64::NAN).ln()
    }

    /// Criterion's slope: least squares through the origin of times over iterations.
    fn slope(&self) -> f64 {
        let products: f64 =
            self.times.iter().zip(&self.iters).map(|(time, iterations)| time * iterations).sum();
        products / self.iters.iter().map(|iterations| iterations * iterations).sum::<f64>()
    }

    pub(crate) fn slot(&self) -> Slot {
        Slot { fast: self.statistic("fastest fifth"), median: self.statistic("median") }
    }
}

/// A benchmark's name and ln(ns per operation) of its processes, in time order.
pub(crate) type Series = (String, Vec<f64>);

/// Series of ln(ns per operation), one a benchmark, in time order; the names beside.
pub(crate) fn go(directory: &Path) -> Result<Vec<Series>, Box<dyn Error>> {
    let text = fs::read_to_string(directory.join("go_aa.csv"))?;
    let series = |line: &str| {
        let (name, values) = line.rsplit_once(';').ok_or("a line without values")?;
        let values = values.split_whitespace().map(|value| Ok(value.parse::<f64>()?.ln()));
        Ok((name.to_owned(), values.collect::<Result<_, Box<dyn Error>>>()?))
    };
    text.lines().skip(1).map(series).collect()
}

/// The processes of a recording, benchmark by benchmark in time order. Rounds of two recordings one after the other are kept apart by the file's order.
pub(crate) fn processes(
    directory: &Path,
    name: &str,
) -> Result<BTreeMap<String, Vec<Process>>, Box<dyn Error>> {
    let text = fs::read_to_string(directory.join(name))?;
    let mut benchmarks: BTreeMap<String, Vec<Process>> = BTreeMap::new();
    for line in text.lines() {
        let process: Process = serde_json::from_str(line)?;
        benchmarks.entry(process.bench.clone()).or_default().push(process);
    }
    for processes in benchmarks.values_mut() {
        in_time_order(processes);
    }
    Ok(benchmarks)
}

/// Neighbours of the same round are put into the order in which they ran; rounds stay in the order of the file.
fn in_time_order(processes: &mut [Process]) {
    for round in processes.chunk_by_mut(|a, b| a.round == b.round) {
        round.sort_by_key(|process| (process.pos, process.variant != process.first));
    }
}
