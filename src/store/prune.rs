//! What is kept of stored runs: a pure rule, and both places cut down to it.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use super::{
    Error,
    baselines::{Baselines, Change},
    history::History,
    lock::WriteLock,
};
use crate::{
    git::refs::{
        self,
        archive::{Entry, Message, Swap},
        exchange::Remote,
    },
    model::{
        baseline::{BaselineFile, MAX_RUNS},
        environment::EnvironmentKey,
    },
};

/// How often a local rewrite is tried while others append.
const ATTEMPTS: usize = 100;

/// What is kept. Every condition must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// The newest so many runs: of every series in the reviewed files, of every environment in the history.
    pub newest: usize,
    /// Runs that are not older than this, if set.
    pub max_age_seconds: Option<u64>,
    /// Runs of any environment but these.
    pub drop_environments: Vec<EnvironmentKey>,
}

/// Whether something is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Effect {
    /// What goes is gone.
    #[default]
    Apply,
    /// What would go is only told.
    Preview,
}

/// Why a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Its environment is among those to be dropped.
    Environment,
    /// There are enough newer ones.
    TooMany,
    /// It is too old.
    TooOld,
    /// The repository does not have its commit.
    UnknownCommit,
    /// It cannot be trusted.
    Broken,
}

/// What the rule looks at in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// What it shares its place with: a series, or an environment's history.
    pub environment: EnvironmentKey,
    /// When it was recorded, seconds since 1970.
    pub recorded_at: u64,
}

/// For each run, why it goes, or `None` where it stays.
///
/// Of runs of one second, those further back in the list are the newer ones. A run from the future (a clock went backwards)
/// is not old: it stays as long as it is among the newest.
#[must_use]
pub fn retain(runs: &[Stamp], retention: &Retention, now: u64) -> Vec<Option<Reason>> {
    let mut newest_first: Vec<usize> = (0..runs.len()).collect();
    newest_first.sort_by_key(|&at| std::cmp::Reverse((runs[at].recorded_at, at)));
    let mut kept: HashMap<&EnvironmentKey, usize> = HashMap::new();
    let mut reasons = vec![None; runs.len()];
    for at in newest_first {
        let run = &runs[at];
        let foreign = retention.drop_environments.contains(&run.environment);
        let age = now.saturating_sub(run.recorded_at);
        let count = kept.entry(&run.environment).or_default();
        reasons[at] = if foreign {
            Some(Reason::Environment)
        } else if retention.max_age_seconds.is_some_and(|most| age > most) {
            Some(Reason::TooOld)
        } else if *count >= retention.newest {
            Some(Reason::TooMany)
        } else {
            *count += 1;
            None
        };
    }
    reasons
}

/// What was dropped, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Runs that stay.
    pub kept: usize,
    /// Runs that went, each with its reason.
    pub dropped: Vec<Reason>,
    /// Files that were written or removed, from the top of the work tree.
    pub files: Vec<PathBuf>,
}

/// Cuts the reviewed files down. A series that is left without runs goes, unless it remembers accepted changes; so do empty
/// files. `knows` says whether the repository has a commit; pass `|_| true` to keep runs of commits that are gone.
///
/// # Errors
/// When a file of a kept environment cannot be trusted, or the disk refuses.
pub fn prune_baselines(
    baselines: &Baselines,
    lock: &WriteLock,
    retention: &Retention,
    knows: &dyn Fn(&str) -> bool,
    now: u64,
    effect: Effect,
) -> Result<Pruned, Error> {
    let retention = Retention { newest: retention.newest.min(MAX_RUNS), ..retention.clone() };
    let mut pruned = Pruned::default();
    for environment in baselines.environments()? {
        let foreign = retention.drop_environments.contains(&environment);
        for path in baselines.files(&environment)? {
            let after = if foreign {
                // What goes anyway need not be readable.
                let runs = baselines.read(&path).map_or(0, |file| runs(&file));
                pruned.dropped.extend(std::iter::repeat_n(Reason::Environment, runs));
                None
            } else {
                let mut file = baselines.read(&path)?;
                pruned.dropped.extend(cut(&mut file, &retention, knows, now));
                pruned.kept += runs(&file);
                Some(file).filter(|file| !file.series.is_empty())
            };
            if replace(baselines, lock, &path, after.as_ref(), effect)? == Change::Updated {
                pruned.files.push(baselines.shown(&path).into());
            }
        }
    }
    Ok(pruned)
}

/// Gives a file its new content, or removes it where there is none.
fn replace(
    baselines: &Baselines,
    lock: &WriteLock,
    path: &Path,
    after: Option<&BaselineFile>,
    effect: Effect,
) -> Result<Change, Error> {
    match (after, effect) {
        (Some(file), Effect::Apply) => Ok(baselines.write(lock, file)?.1),
        (Some(file), Effect::Preview) => baselines.change(file),
        (None, Effect::Apply) => baselines.remove(lock, path).map(|()| Change::Updated),
        (None, Effect::Preview) => Ok(Change::Updated),
    }
}

fn runs(file: &BaselineFile) -> usize {
    file.series.iter().map(|levelled| levelled.series.runs.len()).sum()
}

/// Drops what the rule drops from every series of a file.
fn cut(
    file: &mut BaselineFile,
    retention: &Retention,
    knows: &dyn Fn(&str) -> bool,
    now: u64,
) -> Vec<Reason> {
    let mut dropped = Vec::new();
    let environment = &file.environment.key;
    for levelled in &mut file.series {
        let runs = &mut levelled.series.runs;
        runs.retain(|run| {
            let known = knows(&run.rev);
            if !known {
                dropped.push(Reason::UnknownCommit);
            }
            known
        });
        let stamps: Vec<Stamp> = runs
            .iter()
            .map(|run| Stamp { environment: environment.clone(), recorded_at: run.recorded_at })
            .collect();
        let mut reasons = retain(&stamps, retention, now).into_iter();
        runs.retain(|_| match reasons.next().flatten() {
            Some(reason) => {
                dropped.push(reason);
                false
            }
            None => true,
        });
    }
    file.series.retain(|levelled| !levelled.series.runs.is_empty() || !levelled.levels.is_empty());
    dropped
}

/// Cuts the local history down to one commit that holds what is kept. Records that cannot be trusted go; those of a newer
/// format stay as long as they are recent enough.
///
/// Without a push this lasts until the next fetch, which brings back what the remote still has.
///
/// # Errors
/// When the history cannot be read or written.
pub fn prune_history(
    history: &History,
    _lock: &WriteLock,
    retention: &Retention,
    now: u64,
    effect: Effect,
) -> Result<Pruned, Error> {
    let archive = history.archive();
    for _ in 0..ATTEMPTS {
        let Some(tip) = archive.tip().map_err(Error::from)? else { return Ok(Pruned::default()) };
        let entries = archive.list(tip)?;
        let (keep, pruned) = choose(history, &entries, retention, now)?;
        let settled = pruned.dropped.is_empty() || effect == Effect::Preview;
        if settled || archive.rewrite(tip, &keep, &message(now))?.0 == Swap::Done {
            return Ok(pruned);
        }
    }
    Err(refs::Error::Contended { name: archive.name().to_owned(), attempts: ATTEMPTS }.into())
}

/// Cuts the history down here and at the remote, after uniting the two. What others record meanwhile is kept.
///
/// # Errors
/// When the history cannot be read or written, or the remote refuses or cannot be reached.
pub fn prune_remote(
    history: &History,
    remote: &Remote<'_>,
    retention: &Retention,
    now: u64,
    effect: Effect,
) -> Result<Pruned, Error> {
    if effect == Effect::Preview {
        return preview_remote(history, remote, retention, now);
    }
    let mut pruned = Pruned::default();
    let mut failure = None;
    let replaced = history.archive().replace(remote, &message(now), &mut |entries| match choose(
        history, entries, retention, now,
    ) {
        Ok((keep, chosen)) => {
            pruned = chosen;
            Ok(keep)
        }
        Err(Error::Git(error)) => Err(error),
        Err(error) => {
            failure = Some(error);
            Ok(entries.to_vec())
        }
    });
    match failure {
        Some(error) => Err(error),
        None => {
            replaced?;
            Ok(pruned)
        }
    }
}

/// What pruning at the remote would drop. Fetches, which adds records here and takes nothing away.
fn preview_remote(
    history: &History,
    remote: &Remote<'_>,
    retention: &Retention,
    now: u64,
) -> Result<Pruned, Error> {
    history.fetch(remote, now)?;
    Ok(choose(history, &history.entries()?, retention, now)?.1)
}

/// What stays of a history's files.
fn choose(
    history: &History,
    entries: &[Entry],
    retention: &Retention,
    now: u64,
) -> Result<(Vec<Entry>, Pruned), Error> {
    let mut pruned = Pruned::default();
    let mut stamped = Vec::new();
    for entry in entries {
        match history.stamp(entry)? {
            Some(stamp) => stamped.push((entry, stamp)),
            None => pruned.dropped.push(Reason::Broken),
        }
    }
    let stamps: Vec<Stamp> = stamped.iter().map(|(_, stamp)| stamp.clone()).collect();
    let mut keep = Vec::new();
    for ((entry, _), reason) in stamped.into_iter().zip(retain(&stamps, retention, now)) {
        match reason {
            Some(reason) => pruned.dropped.push(reason),
            None => keep.push(entry.clone()),
        }
    }
    pruned.kept = keep.len();
    Ok((keep, pruned))
}

fn message(now: u64) -> Message {
    Message { subject: "Prune old runs".into(), time: now }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps(moments: &[u64]) -> Vec<Stamp> {
        let environment = EnvironmentKey::parse(&"a".repeat(16)).unwrap();
        moments.iter().map(|&at| Stamp { environment: environment.clone(), recorded_at: at }).collect()
    }

    fn retention(newest: usize, max_age_seconds: Option<u64>) -> Retention {
        Retention { newest, max_age_seconds, drop_environments: vec![] }
    }

    #[test]
    fn newest_stay_whatever_their_order() {
        let reasons = retain(&stamps(&[30, 10, 20]), &retention(2, None), 100);
        assert_eq!(reasons, [None, Some(Reason::TooMany), None]);
        assert_eq!(retain(&stamps(&[5, 5]), &retention(1, None), 100), [Some(Reason::TooMany), None]);
        assert_eq!(retain(&stamps(&[5]), &retention(0, None), 100), [Some(Reason::TooMany)]);
    }

    #[test]
    fn age_counts_from_now_and_its_bound_is_still_young() {
        let reasons = retain(&stamps(&[40, 50, 51]), &retention(9, Some(50)), 100);
        assert_eq!(reasons, [Some(Reason::TooOld), None, None]);
    }

    #[test]
    fn clock_that_went_backwards_drops_nothing_for_age() {
        assert_eq!(retain(&stamps(&[1000, 2000]), &retention(9, Some(1)), 100), [None, None]);
        assert_eq!(retain(&stamps(&[u64::MAX]), &retention(9, Some(0)), 0), [None]);
    }

    #[test]
    fn every_environment_has_its_own_count() {
        let mut runs = stamps(&[1, 2, 3]);
        runs[1].environment = EnvironmentKey::parse(&"b".repeat(16)).unwrap();
        assert_eq!(retain(&runs, &retention(1, None), 10), [Some(Reason::TooMany), None, None]);
        let without =
            Retention { drop_environments: vec![runs[1].environment.clone()], ..retention(9, None) };
        assert_eq!(retain(&runs, &without, 10), [None, Some(Reason::Environment), None]);
    }

    proptest::proptest! {
        #[test]
        fn never_keeps_an_older_run_than_one_it_drops_for_number(
            moments in proptest::collection::vec(0_u64..50, 0..40), newest in 0_usize..10
        ) {
            let reasons = retain(&stamps(&moments), &retention(newest, None), 60);
            let kept: Vec<u64> =
                moments.iter().zip(&reasons).filter(|(_, r)| r.is_none()).map(|(&at, _)| at).collect();
            let dropped =
                moments.iter().zip(&reasons).filter(|(_, r)| r.is_some()).map(|(&at, _)| at).max();
            proptest::prop_assert_eq!(kept.len(), newest.min(moments.len()));
            if let (Some(&oldest), Some(dropped)) = (kept.iter().min(), dropped) {
                proptest::prop_assert!(oldest >= dropped);
            }
        }
    }
}
