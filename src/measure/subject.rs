//! Who is measured: the benchmarks of both sides brought together, and what became of those that are not compared.

use super::census::Entry;
use crate::model::{
    benchmark::{Benchmark, BenchmarkId},
    policy::Rename,
    run::{Fate, Side},
};
use std::collections::{BTreeMap, BTreeSet};

/// Where a benchmark is found on one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its index in that side's census, which is its place in the order of running.
    pub index: usize,
    /// The id that criterion knows.
    pub raw: String,
    /// Which of the benchmarks of that id it is, from 1.
    pub occurrence: usize,
}

/// A benchmark that both sides have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Its name in the report: head's.
    pub benchmark: Benchmark,
    /// Where base has it.
    pub base: Place,
    /// Where head has it.
    pub head: Place,
}

impl Match {
    /// Where a side has it.
    #[must_use]
    pub fn place(&self, side: Side) -> &Place {
        match side {
            Side::Base => &self.base,
            Side::Head => &self.head,
        }
    }
}

/// What the two censuses of a target come to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matched {
    /// Benchmarks to compare, in head's order.
    pub both: Vec<Match>,
    /// Benchmarks that are not compared, and why.
    pub others: Vec<(Benchmark, Fate)>,
}

/// Brings the benchmarks of a target together by id, and by `renames` where the one name is only in base and the other only in
/// head. `ignored` says why a benchmark is left out.
#[must_use]
pub fn bring_together(
    target: &str,
    base: &[Entry],
    head: &[Entry],
    renames: &[Rename],
    ignored: &dyn Fn(&Benchmark) -> Option<String>,
) -> Matched {
    let index = |entries: &[Entry]| -> BTreeMap<String, usize> {
        entries.iter().enumerate().map(|(index, entry)| (entry.id.as_str().to_owned(), index)).collect()
    };
    let (in_base, in_head) = (index(base), index(head));
    let renamed: BTreeMap<&str, &str> = renames
        .iter()
        .filter(|rename| !in_head.contains_key(&rename.from) && !in_base.contains_key(&rename.to))
        .map(|rename| (rename.to.as_str(), rename.from.as_str()))
        .collect();
    let mut matched = Matched::default();
    let mut taken = BTreeSet::new();
    for (at, entry) in head.iter().enumerate() {
        let benchmark = Benchmark::new(target, entry.id.clone());
        let name = entry.id.as_str();
        let found = in_base.get(renamed.get(name).copied().unwrap_or(name)).copied();
        taken.extend(found);
        match (ignored(&benchmark), found) {
            (Some(reason), _) => matched.others.push((benchmark, Fate::Ignored(reason))),
            (None, None) => matched.others.push((benchmark, Fate::New)),
            (None, Some(other)) => {
                let (base, head) = (place(base, other), place(head, at));
                matched.both.push(Match { benchmark, base, head });
            }
        }
    }
    for entry in base.iter().enumerate().filter(|(index, _)| !taken.contains(index)).map(|(_, entry)| entry) {
        let benchmark = Benchmark::new(target, entry.id.clone());
        let fate = ignored(&benchmark).map_or(Fate::Missing, Fate::Ignored);
        matched.others.push((benchmark, fate));
    }
    matched
}

fn place(entries: &[Entry], index: usize) -> Place {
    let Entry { raw, occurrence, .. } = &entries[index];
    Place { index, raw: raw.clone(), occurrence: *occurrence }
}

/// Cuts matches into runs in which both sides come to them in the same order, so that live processes can take turns. Each run
/// ascends on both sides; every match is in one run.
#[must_use]
pub fn common_orders(matches: &[&Match]) -> Vec<Vec<usize>> {
    let mut left: Vec<usize> = (0..matches.len()).collect();
    left.sort_by_key(|at| matches[*at].base.index);
    let mut runs = Vec::new();
    while !left.is_empty() {
        let mut last = None;
        let (run, rest): (Vec<usize>, Vec<usize>) = left.into_iter().partition(|at| {
            let place = Some(matches[*at].head.index);
            let ascends = place > last;
            if ascends {
                last = place;
            }
            ascends
        });
        runs.push(run);
        left = rest;
    }
    runs
}

/// The id under which a target stands that could not be asked for its benchmarks.
///
/// # Panics
/// Never: the id is neither empty nor long.
#[must_use]
pub fn whole_target(target: &str) -> Benchmark {
    let id = BenchmarkId::new("*").expect("one character is an id");
    Benchmark::new(target, id)
}

#[cfg(test)]
mod tests {
    use super::{Match, bring_together, common_orders};
    use crate::{
        measure::census::{Entry, entries},
        model::{policy::Rename, run::Fate},
    };

    fn listed(names: &[&str]) -> Vec<Entry> {
        entries(names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn matches(base: &[&str], head: &[&str]) -> Vec<Match> {
        bring_together("t", &listed(base), &listed(head), &[], &|_| None).both
    }

    fn orders(base: &[&str], head: &[&str]) -> Vec<Vec<String>> {
        let matches = matches(base, head);
        let runs = common_orders(&matches.iter().collect::<Vec<_>>());
        let name = |at: usize| matches[at].benchmark.id.to_string();
        runs.into_iter().map(|run| run.into_iter().map(name).collect()).collect()
    }

    #[test]
    fn what_only_one_side_has_is_new_or_missing_and_what_is_ignored_is_neither() {
        let found =
            bring_together("t", &listed(&["a", "b", "x"]), &listed(&["b", "c", "x"]), &[], &|benchmark| {
                (benchmark.id.as_str() == "x").then(|| "by rule".to_owned())
            });
        let names: Vec<&str> = found.both.iter().map(|found| found.benchmark.id.as_str()).collect();
        assert_eq!(names, ["b"]);
        let others: Vec<(&str, &Fate)> = found.others.iter().map(|(b, fate)| (b.id.as_str(), fate)).collect();
        assert_eq!(
            others,
            [("c", &Fate::New), ("x", &Fate::Ignored("by rule".into())), ("a", &Fate::Missing)]
        );
    }

    #[test]
    fn a_renamed_benchmark_is_compared_under_its_new_name_unless_both_names_live_on() {
        let rename = Rename { from: "old".into(), to: "new".into() };
        let rename = std::slice::from_ref(&rename);
        let found = bring_together("t", &listed(&["old"]), &listed(&["new"]), rename, &|_| None);
        assert_eq!((found.both[0].base.raw.as_str(), found.both[0].head.raw.as_str()), ("old", "new"));
        assert!(found.others.is_empty());
        let found = bring_together("t", &listed(&["old"]), &listed(&["new", "old"]), rename, &|_| None);
        assert_eq!(found.both[0].base.raw, "old");
        assert_eq!(found.both[0].head.raw, "old");
        assert_eq!(found.others.len(), 1);
    }

    #[test]
    fn benchmarks_of_one_name_are_matched_by_occurrence() {
        let matches = matches(&["x", "x"], &["a", "x", "x"]);
        let places: Vec<_> = matches.iter().map(|m| (m.base.occurrence, m.head.occurrence)).collect();
        assert_eq!(places, [(1, 1), (2, 2)]);
    }

    #[test]
    fn the_same_order_is_one_run_and_another_order_several() {
        assert_eq!(orders(&["a", "b", "c"], &["a", "b", "c"]), [["a", "b", "c"]]);
        assert_eq!(orders(&["a", "b", "c"], &["x", "a", "c"]), [["a", "c"]]);
        assert_eq!(orders(&["a", "b", "c"], &["c", "a", "b"]), [vec!["a", "b"], vec!["c"]]);
        assert_eq!(orders(&["a", "b"], &["b", "a"]), [["a"], ["b"]]);
    }
}
