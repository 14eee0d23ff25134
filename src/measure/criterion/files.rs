//! The files that criterion writes, for benches that do not connect: `<home>/**/new/benchmark.json` with the id, and
//! `sample.json` beside it with the readings.

use crate::model::{benchmark::MAX_ID_BYTES, run::Sample};
use serde::Deserialize;
use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// Folders below criterion's home: group, function, value, `new`.
const MOST_DEPTH: usize = 5;
/// The largest file that is read; a hundred samples have 4 KB.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// What the files say of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Its full id.
    pub id: String,
    /// Its readings in time order; not empty, all positive.
    pub samples: Vec<Sample>,
}

/// Reads what criterion wrote below `home`, sorted by id; what is unreadable or no measurement is left out.
#[must_use]
pub fn read(home: &Path) -> Vec<Written> {
    let mut folders = Vec::new();
    find(home, MOST_DEPTH, &mut folders);
    let mut written: Vec<Written> = folders.iter().filter_map(|folder| read_one(folder)).collect();
    written.sort_by(|left, right| left.id.cmp(&right.id));
    written
}

fn find(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        // Links are not followed: what criterion writes has none.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = entry.path();
        if entry.file_name() == "new" && path.join("sample.json").is_file() {
            found.push(path);
        } else if depth > 0 {
            find(&path, depth - 1, found);
        }
    }
}

#[derive(Deserialize)]
struct RawBenchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
}

#[derive(Deserialize)]
struct RawSample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

fn read_one(folder: &Path) -> Option<Written> {
    let benchmark: RawBenchmark = json(&folder.join("benchmark.json"))?;
    let sample: RawSample = json(&folder.join("sample.json"))?;
    let parts = [Some(benchmark.group_id), benchmark.function_id, benchmark.value_str];
    let id = parts.into_iter().flatten().collect::<Vec<_>>().join("/");
    let usable = |&(iterations, total): &(f64, f64)| {
        iterations.is_finite() && iterations >= 1.0 && total.is_finite() && total > 0.0
    };
    let pairs: Vec<(f64, f64)> = sample.iters.iter().copied().zip(sample.times.iter().copied()).collect();
    let sound = sample.iters.len() == sample.times.len() && !pairs.is_empty() && pairs.iter().all(usable);
    if !sound || id.is_empty() || id.len() > MAX_ID_BYTES {
        return None;
    }
    let samples = pairs.into_iter().map(|(iterations, total)| Sample { iterations, total }).collect();
    Some(Written { id, samples })
}

fn json<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    let mut text = Vec::new();
    fs::File::open(path).ok()?.take(MOST_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::{Written, read};
    use crate::model::run::Sample;
    use std::{fs, path::Path};

    fn write(home: &Path, folder: &str, benchmark: &str, sample: &str) {
        let folder = home.join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("benchmark.json"), benchmark).unwrap();
        fs::write(folder.join("sample.json"), sample).unwrap();
    }

    #[test]
    fn the_id_comes_from_the_file_not_from_the_folder_which_criterion_shortens() {
        let home = tempfile::tempdir().unwrap();
        let id =
            r#"{"group_id":"a/b","function_id":"f","value_str":null,"throughput":null,"full_id":"a/b/f"}"#;
        let sample = r#"{"sampling_mode":"Linear","iters":[1.0,2.0],"times":[10.0,19.0]}"#;
        write(home.path(), "a_b/f/new", id, sample);
        write(home.path(), "a_b/f/base", id, sample);
        let samples = vec![Sample { iterations: 1.0, total: 10.0 }, Sample { iterations: 2.0, total: 19.0 }];
        assert_eq!(read(home.path()), [Written { id: "a/b/f".into(), samples }]);
    }

    #[test]
    fn files_that_are_broken_or_hold_no_measurement_are_left_out() {
        let home = tempfile::tempdir().unwrap();
        let id = r#"{"group_id":"g"}"#;
        for (n, sample) in [
            "",
            "{",
            r#"{"iters":[],"times":[]}"#,
            r#"{"iters":[1.0],"times":[]}"#,
            r#"{"iters":[1.0],"times":[0.0]}"#,
            r#"{"iters":[0.0],"times":[1.0]}"#,
            r#"{"iters":[1.0],"times":[1e999]}"#,
        ]
        .iter()
        .enumerate()
        {
            write(home.path(), &format!("{n}/new"), id, sample);
        }
        assert_eq!(read(home.path()), []);
        assert_eq!(read(&home.path().join("missing")), []);
    }
}
