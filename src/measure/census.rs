//! Which benchmarks an executable holds: all of them by their exact ids, without running any.
//!
//! A bench that is given a filter which matches nothing still names every benchmark that it skips. (criterion's `--list` cuts
//! names at 100 bytes and prints line feeds as they are.)

use super::{
    builds::BenchExecutable,
    criterion::filter,
    slot::{Event, Failure, Trouble},
    stage::{Stage, listing_arguments},
};
use crate::model::benchmark::BenchmarkId;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// How long skipping everything may take: set-up code outside of routines runs all the same.
const LIMIT: Duration = Duration::from_secs(120);

/// A benchmark as its executable names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id, made unique within the target: the second `x` is `x #2`.
    pub id: BenchmarkId,
    /// The id that criterion knows, and filters by.
    pub raw: String,
    /// Which of the benchmarks with that raw id it is, from 1.
    pub occurrence: usize,
}

/// What an executable holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Census {
    /// Its benchmarks in the order in which they run.
    pub entries: Vec<Entry>,
    /// The version of its criterion; `None` when it does not connect.
    pub version: Option<[u8; 3]>,
    /// What starting a process, skipping everything and ending takes, seconds.
    pub start_seconds: f64,
}

/// Takes the census of an executable. One that does not connect but ends well has no entries and no version.
///
/// # Errors
/// When its process fails twice.
pub fn take(stage: &Stage<'_>, executable: &BenchExecutable) -> Result<Census, Failure> {
    match attempt(stage, executable) {
        Err(failure) if failure.interrupted().is_none() => attempt(stage, executable),
        done => done,
    }
}

fn attempt(stage: &Stage<'_>, executable: &BenchExecutable) -> Result<Census, Failure> {
    let started = Instant::now();
    let args = listing_arguments(filter::NOTHING);
    let mut bench = match stage.open(executable, &args, 0) {
        Err(Failure { trouble: Trouble::Unlinked(status), .. }) if status.success() => {
            let start_seconds = started.elapsed().as_secs_f64();
            return Ok(Census { entries: Vec::new(), version: None, start_seconds });
        }
        opened => opened?,
    };
    let mut names = Vec::new();
    let deadline = Instant::now() + LIMIT;
    loop {
        match bench.next_before(deadline, LIMIT)? {
            Event::Skipped(name) => names.push(name),
            // It would run everything, for as long as it likes, in every slot.
            Event::Began(_) => return Err(bench.fail(Trouble::Unconfigured)),
            Event::Ended(status) if status.success() => break,
            Event::Ended(status) => return Err(bench.fail(Trouble::EndedBadly(status))),
            Event::Complete(_) => {}
        }
    }
    let version = Some(bench.version());
    Ok(Census { entries: entries(names), version, start_seconds: started.elapsed().as_secs_f64() })
}

/// Gives every name an id of its own. Names are never empty nor too long: the protocol refuses such.
#[must_use]
pub fn entries(names: Vec<String>) -> Vec<Entry> {
    let mut taken: BTreeSet<String> = names.iter().cloned().collect();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut entries = Vec::with_capacity(names.len());
    for raw in names {
        let occurrence = seen.entry(raw.clone()).or_default();
        *occurrence += 1;
        let occurrence = *occurrence;
        let unique = if occurrence == 1 { raw.clone() } else { numbered(&raw, occurrence, &mut taken) };
        if let Ok(id) = BenchmarkId::new(unique) {
            entries.push(Entry { id, raw, occurrence });
        }
    }
    entries
}

/// `raw #n` with the first free number from `occurrence` on.
fn numbered(raw: &str, occurrence: usize, taken: &mut BTreeSet<String>) -> String {
    let mut number = occurrence;
    loop {
        let name = format!("{raw} #{number}");
        if taken.insert(name.clone()) {
            return name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn a_second_benchmark_of_a_name_gets_a_number_that_nobody_has() {
        let names = ["a", "twice", "twice", "twice #2", "twice"].map(String::from).to_vec();
        let entries = entries(names);
        let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids, ["a", "twice", "twice #3", "twice #2", "twice #4"]);
        assert_eq!(entries[4].raw, "twice");
        assert_eq!(entries.iter().map(|entry| entry.occurrence).collect::<Vec<_>>(), [1, 1, 2, 1, 3]);
    }
}
