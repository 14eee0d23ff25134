//! Files under `tests/fixtures`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tollgate::sources::input::{Input, InputFile, wants};

/// The path of a fixture.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The bytes of a fixture.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("fixture {name}: {error}"))
}

/// A file as the input of a source.
pub(crate) fn file(name: &str, bytes: impl Into<Vec<u8>>) -> Input {
    let file = InputFile { path: name.to_owned(), bytes: bytes.into() };
    Input { name: name.to_owned(), files: vec![file], baseline: None }
}

/// A fixture as the input of a source: a file, or the wanted files of a folder.
pub(crate) fn input(name: &str) -> Input {
    let root = path(name);
    if root.is_file() {
        return file(name, bytes(name));
    }
    folder(&root)
}

/// A folder as the input of a source.
pub(crate) fn folder(root: &Path) -> Input {
    let mut files = Vec::new();
    collect(root, root, &mut files);
    Input { name: root.display().to_string(), files, baseline: None }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<InputFile>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let relative = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            collect(root, &path, files);
        } else if wants(&relative) {
            files.push(InputFile { path: relative, bytes: fs::read(&path).unwrap() });
        }
    }
}

/// Every fixture of another tool that is read as one file, and every folder that is read as one.
pub(crate) const FOREIGN: [&str; 26] = [
    "bencher/metric-format/dhat.json",
    "bencher/metric-format/latency.json",
    "bencher/metric-format/mixed.json",
    "criterion/0.5.1",
    "criterion/0.8.2",
    "divan/0.1.21/colour.txt",
    "divan/0.1.21/table.txt",
    "github-action-benchmark/data/data.js",
    "go/1.19.8/count.txt",
    "go/1.19.8/packages.txt",
    "go/1.19.8/processors.txt",
    "google-benchmark/1.7.1/aggregates.json",
    "google-benchmark/1.7.1/plain.json",
    "google-benchmark/1.7.1/repetitions.json",
    "gungraun/0.20.0/fixture",
    "gungraun/0.20.0/mixed.txt",
    "gungraun/0.20.0/stdout.txt",
    "hyperfine/1.15.0/failing.json",
    "hyperfine/1.15.0/parameters.json",
    "hyperfine/1.15.0/two_commands_1.json",
    "iai-callgrind/0.16.1/fixture",
    "jmh/1.36/six.json",
    "jmh/1.36/throughput.json",
    "libtest/1.97.0-nightly/bench.txt",
    "pytest-benchmark/5.3.1/plain.json",
    "pytest-benchmark/5.3.1/with_data.json",
];

/// Every fixture of a load tool, below `load/`.
pub(crate) const LOAD: [&str; 22] = [
    "artillery/report.json",
    "autocannon/closed.json",
    "autocannon/invented.json",
    "autocannon/rate.json",
    "hdrhistogram/intervals.hlog",
    "hdrhistogram/percentiles.txt",
    "k6/machine_readable.json",
    "k6/points.jsonl",
    "k6/summary_export.json",
    "locust/out.json",
    "locust/out_stats.csv",
    "locust/out_stats_history.csv",
    "locust/slices.jsonl",
    "oha/rate.json",
    "oha/corrected.csv",
    "oha/overload.json",
    "vegeta/report.json",
    "vegeta/results.csv",
    "vegeta/results.jsonl",
    "wrk/latency.txt",
    "wrk/plain.txt",
    "wrk/wrk2.txt",
];
