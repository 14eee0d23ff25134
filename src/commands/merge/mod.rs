//! `tollgate report --merge`: the verdicts of shards as one, judged as one family of tests.
//!
//! The evidence of the shards is joined into one run, and that run is judged: the false discovery rate holds over all of them,
//! as if one machine had measured everything. A verdict is believed no further than its evidence goes: each is judged again
//! first, and one that says something else than its evidence is refused.

mod join;
#[cfg(test)]
mod tests;

use crate::{
    commands::{failure::Failure, judge::read_verdict},
    judge,
    model::{
        outcome::{ErrorClass, Outcome},
        run::{Measurement, Mode, Run, Warning},
        verdict::{CheckVerdict, Judgement, Verdict},
    },
    text::{escape, plural},
};
use std::path::PathBuf;

/// The most blocks of one benchmark: a check measures 13 and what was thrown away besides.
const MAX_BLOCKS: usize = 1_000;
/// The most slots of one of its blocks: a paired block has six.
const MAX_BLOCK_SLOTS: usize = 64;
/// The most slots of a finished data set, whose blocks are of any size: exact tests take time by more than their number.
const MAX_ONE_LOOK_SLOTS: usize = 50_000;

/// Which verdicts to merge.
#[derive(Debug, Clone)]
pub struct Request {
    /// Verdict files, one a shard.
    pub files: Vec<PathBuf>,
    /// How many shards there should be.
    pub expected: Option<usize>,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// What one shard measured.
#[derive(Debug)]
struct Shard {
    /// What messages call it: its file.
    name: String,
    run: Run,
}

/// Merges the verdicts of files.
///
/// # Errors
/// When one cannot be read or checked, or they do not belong together.
pub fn run(request: &Request) -> Result<CheckVerdict, Failure> {
    let read = request.files.iter().map(|path| Ok((path.display().to_string(), read_verdict(path)?)));
    merge_named(read.collect::<Result<_, Failure>>()?, request.expected, request.now)
}

/// Merges verdicts, which messages call by their place: `verdict 2`. One alone is only judged again.
///
/// Of `expected` shards, those that are missing make the verdict `incomplete`. `now` are seconds since 1970-01-01T00:00:00Z.
///
/// # Errors
/// When one has no evidence or contradicts it, or they do not belong together: another mode, base, head or policy, a benchmark
/// that two of them measured in one environment, more of them than expected, or none.
pub fn merge(
    verdicts: Vec<CheckVerdict>,
    expected: Option<usize>,
    now: u64,
) -> Result<CheckVerdict, Failure> {
    let numbered = verdicts.into_iter().enumerate();
    merge_named(
        numbered.map(|(at, verdict)| (format!("verdict {}", at + 1), verdict)).collect(),
        expected,
        now,
    )
}

fn merge_named(
    verdicts: Vec<(String, CheckVerdict)>,
    expected: Option<usize>,
    now: u64,
) -> Result<CheckVerdict, Failure> {
    let missing = missing(verdicts.len(), expected)?;
    let shards = verdicts.into_iter().map(|(name, verdict)| shard(name, verdict));
    let mut run = join::join(shards.collect::<Result<Vec<_>, _>>()?)?;
    // A clock that was ahead must not date the whole into the future.
    run.started_at = run.started_at.min(now);
    run.warnings.extend(missing);
    Ok(judge::judge(&run))
}

/// The warning that shards are missing, which makes the verdict incomplete.
fn missing(found: usize, expected: Option<usize>) -> Result<Option<Warning>, Failure> {
    let expected = expected.unwrap_or(found);
    if found == 0 {
        let message = match expected {
            0 => "could not merge: no verdict was given".to_owned(),
            n => format!("could not merge: none of {} is there", plural::count(n, "shard")),
        };
        return Err(Failure::sentence(
            Outcome::Incomplete,
            message,
            "look at the jobs that should have measured",
        ));
    }
    if found > expected {
        return Err(Failure::message(
            ErrorClass::Configuration,
            format!("could not merge: there are {}, {expected} expected", plural::count(found, "verdict")),
            "give each shard's verdict once, and their number to `--expect`",
        ));
    }
    let lost = expected - found;
    Ok((lost > 0).then(|| {
        let are = plural::choose(lost, "is", "are");
        Warning::new(
            Warning::MISSING_SHARD,
            format!("{lost} of {} {are} missing", plural::count(expected, "shard")),
        )
    }))
}

/// The evidence of a verdict, when judging it gives what the verdict says.
fn shard(name: String, mut verdict: CheckVerdict) -> Result<Shard, Failure> {
    let Some(run) = verdict.evidence.take() else {
        let why = "it came without its evidence, so it cannot be judged again";
        return Err(refused(&name, why, "merge what `tollgate check` wrote"));
    };
    if let Some(excess) = excess(&run) {
        let why = format!("judging it again would take too long: {excess}");
        return Err(refused(
            &name,
            &why,
            "merge what `tollgate check` wrote; `tollgate judge` has no such bound",
        ));
    }
    let judged = judge::judge(&run);
    // Another version may judge otherwise and be right; what it measured is judged by the rules of this one.
    let same_rules = verdict.tool_version == judged.tool_version;
    match difference(&verdict, &judged).filter(|_| same_rules) {
        None => Ok(Shard { name, run }),
        Some(difference) => Err(refused(
            &name,
            &format!("it contradicts its own evidence: {difference}"),
            "it was edited or damaged; take the file that `tollgate check` wrote",
        )),
    }
}

/// What of a run is more than an honest check measures. Whoever wrote it must not keep the machine that comments busy for hours.
fn excess(run: &Run) -> Option<String> {
    let slots =
        |measurement: &Measurement| measurement.blocks.iter().map(|block| block.slots.len()).sum::<usize>();
    if run.mode == Mode::OneLook {
        let all: usize = run.measurements.iter().map(slots).sum();
        return (all > MAX_ONE_LOOK_SLOTS).then(|| format!("it has more than {MAX_ONE_LOOK_SLOTS} slots"));
    }
    let most_blocks = run.measurements.iter().map(|measurement| measurement.blocks.len()).max();
    let blocks = run.measurements.iter().flat_map(|measurement| &measurement.blocks);
    let most_slots = blocks.map(|block| block.slots.len()).max();
    if most_blocks.is_some_and(|blocks| blocks > MAX_BLOCKS) {
        return Some(format!("a benchmark has more than {MAX_BLOCKS} blocks"));
    }
    most_slots
        .is_some_and(|slots| slots > MAX_BLOCK_SLOTS)
        .then(|| format!("a block has more than {MAX_BLOCK_SLOTS} slots"))
}

fn refused(name: &str, why: &str, hint: &str) -> Failure {
    Failure::message(ErrorClass::Configuration, format!("could not take `{name}`: {why}"), hint)
}

/// The first thing that a verdict says otherwise than its evidence. Numbers are not compared: another processor may compute their
/// last digits otherwise, and they are shown as judged here.
fn difference(said: &CheckVerdict, judged: &CheckVerdict) -> Option<String> {
    if said.outcome != judged.outcome {
        let (said, judged) = (said.outcome.as_str(), judged.outcome.as_str());
        return Some(format!("it says `{said}`, which its measurements judge as `{judged}`"));
    }
    if said.judgements.len() != judged.judgements.len() {
        let (said, judged) = (said.judgements.len(), judged.judgements.len());
        return Some(format!("it has {}, its measurements give {judged}", plural::count(said, "row")));
    }
    let key = |row: &Judgement| (row.display_id.clone(), row.metric.name.clone(), row.verdict);
    let mut rows = said.judgements.iter().zip(&judged.judgements);
    let (said, judged) = rows.find(|(said, judged)| key(said) != key(judged))?;
    let name = |row: &Judgement| escape::visible(&escape::shortened(&row.display_id, 60));
    let word = |verdict: Verdict| verdict.as_str();
    Some(match said.display_id == judged.display_id {
        true => format!(
            "it says `{}` of `{}`, whose measurements are judged as `{}`",
            word(said.verdict),
            name(said),
            word(judged.verdict)
        ),
        false => format!("it has a row `{}` where its measurements give `{}`", name(said), name(judged)),
    })
}
