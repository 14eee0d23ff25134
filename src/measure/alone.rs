//! Before the first slot of a single revision: who is there, and what it will cost.

use super::{
    builds::BenchExecutable,
    census::{Census, Entry},
    contender::{Prepared, file_cost, metric, samplings},
    cost::Cost,
    course::Way,
    prepare::Preparing,
    request::Request,
    stage::Stage,
    subject::whole_target,
};
use crate::{
    model::{
        benchmark::Benchmark,
        metric::Metric,
        run::{Fate, Side},
    },
    progress::Progress,
};

/// A benchmark that will be measured.
#[derive(Debug, Clone)]
pub(super) struct Alone {
    /// Its name in the report.
    pub(super) benchmark: Benchmark,
    /// As its executable names it.
    pub(super) entry: Entry,
    /// The index of its pair.
    pub(super) pair: usize,
    /// What it costs and how its samples are taken.
    pub(super) cost: Cost,
    /// What is measured of it.
    pub(super) metric: Metric,
    /// Over the link or by files.
    pub(super) way: Way,
}

/// Prepares the measuring of every head.
///
/// # Errors
/// When the user wants us to stop, with the name of the signal.
pub(super) fn prepare_alone(
    request: &Request<'_>,
    stage: &Stage<'_>,
    progress: &dyn Progress,
) -> Result<(Vec<Alone>, Prepared), &'static str> {
    let mut prepared = Prepared::default();
    let mut contenders = Vec::new();
    for (index, pair) in request.pairs.iter().enumerate() {
        let Some(head) = &pair.head else { continue };
        let one = Preparing { request, stage, progress, pair, index, prepared: &mut prepared };
        contenders.extend(alone(one, head)?);
    }
    Ok((contenders, prepared))
}

fn alone(mut one: Preparing<'_, '_>, head: &BenchExecutable) -> Result<Vec<Alone>, &'static str> {
    let failed = |message: String| Fate::Failed { side: Some(Side::Head), message };
    let census = match one.count(head)? {
        Ok(census) => census,
        Err(message) => {
            one.prepared.settle(whole_target(&one.pair.target), failed(message));
            return Ok(Vec::new());
        }
    };
    if census.version.is_none() {
        return by_files(one, head);
    }
    let wanted = wanted(&mut one, &census.entries);
    let mut scouting = one.scout(head, &census, wanted.clone())?;
    let mut contenders = Vec::new();
    let Census { entries, .. } = census;
    for index in wanted {
        let entry = entries[index].clone();
        let benchmark = Benchmark::new(&one.pair.target, entry.id.clone());
        match (&scouting.late, scouting.costs.remove(&index)) {
            (None, Some(Ok(cost))) => {
                let metric = metric(&cost.unit);
                contenders.push(Alone { benchmark, entry, pair: one.index, cost, metric, way: Way::Apart });
            }
            (Some(message), _) => one.prepared.settle(benchmark, failed(message.clone())),
            (None, Some(Err(message))) => one.prepared.settle(benchmark, failed(message)),
            (None, None) => one.prepared.settle(benchmark, failed("was never reached".into())),
        }
    }
    tell_of_samplings(&mut one, &contenders);
    Ok(contenders)
}

/// The indices of the entries that are not left out; the others are settled.
fn wanted(one: &mut Preparing<'_, '_>, entries: &[Entry]) -> Vec<usize> {
    let mut wanted = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let benchmark = Benchmark::new(&one.pair.target, entry.id.clone());
        match one.request.left_out(&benchmark) {
            Some(reason) => one.prepared.settle(benchmark, Fate::Ignored(reason)),
            None => wanted.push(index),
        }
    }
    wanted
}

fn by_files(mut one: Preparing<'_, '_>, head: &BenchExecutable) -> Result<Vec<Alone>, &'static str> {
    let (entries, sampling) = match one.entries_by_files(head)? {
        Ok(listed) => listed,
        Err(message) => {
            let fate = Fate::Failed { side: Some(Side::Head), message };
            one.prepared.settle(whole_target(&one.pair.target), fate);
            return Ok(Vec::new());
        }
    };
    one.tell_of_files(entries.is_empty());
    let wanted = wanted(&mut one, &entries);
    let contender = |index: usize| Alone {
        benchmark: Benchmark::new(&one.pair.target, entries[index].id.clone()),
        entry: entries[index].clone(),
        pair: one.index,
        cost: file_cost(&one.request.slot, sampling),
        metric: Metric::time(),
        way: Way::Files,
    };
    let contenders: Vec<Alone> = wanted.into_iter().map(contender).collect();
    tell_of_samplings(&mut one, &contenders);
    Ok(contenders)
}

/// Says which benchmarks are not measured for the times that were asked for.
fn tell_of_samplings(one: &mut Preparing<'_, '_>, contenders: &[Alone]) {
    let costs: Vec<(&Benchmark, &Cost)> = contenders.iter().map(|one| (&one.benchmark, &one.cost)).collect();
    for (code, message) in samplings(&one.pair.target, &costs) {
        one.prepared.warn(one.progress, code, message);
    }
}
