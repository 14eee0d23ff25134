//! The recorded slots under `tests/fixtures/corpus`, of which PROVENANCE.md tells the origin.

use std::{collections::BTreeMap, fs, path::Path};

use super::trial::Slot;

fn lines(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/corpus").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().skip(1).map(str::to_owned).collect()
}

/// Series of ln(ns per operation) of Go benchmarks of which nothing ever changed, in time order.
pub(crate) fn go() -> Vec<Vec<f64>> {
    let values = |line: &String| {
        let (_, values) = line.rsplit_once(';').unwrap();
        values.split(' ').map(|value| value.parse::<f64>().unwrap().ln()).collect()
    };
    lines("go_aa.csv").iter().map(values).collect()
}

/// Slots of equal code over the criterion link, in time order, by benchmark.
pub(crate) fn lockstep() -> BTreeMap<String, Vec<Slot>> {
    let mut benchmarks: BTreeMap<String, Vec<Slot>> = BTreeMap::new();
    for line in lines("lockstep_aa.csv") {
        let cells: Vec<&str> = line.split(',').collect();
        benchmarks.entry(cells[0].to_owned()).or_default().push(slot(&cells[1..]));
    }
    benchmarks
}

/// Processes of criterion runs by benchmark and round: (variant, slot) in the order in which they ran.
pub(crate) fn criterion_runs() -> BTreeMap<String, Vec<Vec<(String, Slot)>>> {
    let mut benchmarks: BTreeMap<String, Vec<Vec<(String, Slot)>>> = BTreeMap::new();
    for line in lines("criterion_runs.csv") {
        let cells: Vec<&str> = line.split(',').collect();
        let rounds = benchmarks.entry(cells[0].to_owned()).or_default();
        let round: usize = cells[1].parse().unwrap();
        rounds.resize_with(rounds.len().max(round + 1), Vec::new);
        rounds[round].push((cells[2].to_owned(), slot(&cells[3..])));
    }
    benchmarks
}

fn slot(cells: &[&str]) -> Slot {
    let ln = |cell: &str| cell.parse::<f64>().unwrap().ln();
    Slot { fast: ln(cells[0]), median: ln(cells[1]) }
}
