//! `tollgate hook run pre-push`: each pushed commit against what the remote has, within one budget and one time limit.

use crate::{
    commands::{
        check,
        failure::Failure,
        hook::{
            deadline::{Deadline, TIME_LIMIT},
            memory::Memory,
            pushed::pushed,
        },
    },
    config::resolve::{ModeChoice, Settings},
    git::{
        documents,
        push::{self, Pusher},
    },
    measure::trees::cache_folder,
    model::{
        outcome::{ErrorClass, Outcome},
        verdict::{CheckVerdict, Verdict},
    },
    process::Interrupt,
    progress::{Event, Progress},
    text::{escape, plural},
};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

pub use crate::commands::hook::pushed::{PreCommit, Pushed};

/// With less measuring time than this a check decides nothing.
const LEAST_BUDGET: Duration = Duration::from_secs(1);

/// What to judge, and how long it may take.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where git started the hook: the top of a work tree.
    pub directory: PathBuf,
    /// The path of this program, for the compiler wrapper.
    pub executable: PathBuf,
    /// Everything that flags and file say; base, head, mode and budget are the hook's own.
    pub settings: Settings,
    /// What git wrote to the hook's standard input.
    pub input: Vec<u8>,
    /// What pre-commit says in its place.
    pub pre_commit: PreCommit,
    /// The hook's first argument.
    pub remote: Option<String>,
    /// The hook's second argument.
    pub url: Option<String>,
    /// The measuring time of all commits together.
    pub budget: Duration,
    /// The time of everything, builds included.
    pub limit: Duration,
    /// The seed of a check that has nothing to go on from.
    pub fresh_seed: u64,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// What came of a commit.
#[derive(Debug)]
pub enum Fate {
    /// Its files are those of the base.
    SameFiles,
    /// Only these documents differ, which nothing mentions.
    OnlyDocuments(Vec<String>),
    /// The same two trees passed before; the words of then.
    Remembered(String),
    /// It was checked.
    Judged(Box<check::Done>),
    /// The check could not be done.
    Failed(Failure),
    /// The time limit came before a verdict.
    OutOfTime,
    /// The commits before it took the budget.
    OutOfBudget,
}

/// What came of a push.
#[derive(Debug, Default)]
pub struct Done {
    /// The commits in the order in which they were judged, each with the time that it took.
    pub commits: Vec<(Pushed, Fate, Duration)>,
    /// What was left out, a sentence each.
    pub notes: Vec<String>,
    /// The measuring time that was to be shared.
    pub budget: Duration,
    /// The time limit.
    pub limit: Duration,
}

impl Done {
    /// Whether the push must stop.
    #[must_use]
    pub fn is_regressed(&self) -> bool {
        self.commits.iter().any(|(_, fate, _)| fate.is_regressed())
    }
}

impl Fate {
    /// Whether the commit made something worse.
    #[must_use]
    pub fn is_regressed(&self) -> bool {
        matches!(self, Self::Judged(done) if done.verdict.outcome == Outcome::Regressed)
    }
}

/// Judges a push.
///
/// # Errors
/// Only when the user stopped it. Whatever keeps a commit from being judged is part of the result.
pub fn run(request: &Request, progress: &dyn Progress, interrupt: &Interrupt) -> Result<Done, Failure> {
    let deadline = Deadline::start(request.limit, interrupt);
    let mut done = Done { budget: request.budget, limit: request.limit, ..Done::default() };
    if let Err(failure) = judge_all(request, &mut done, progress, interrupt) {
        done.notes.push(format!("warning: not judged: {}; the push goes on", in_one_line(&failure)));
    }
    drop(deadline);
    match interrupt.requested() {
        Some(signal) if signal != TIME_LIMIT => Err(Failure::message(
            ErrorClass::Measurement,
            format!("the check of this push was interrupted by {signal}"),
            "`git push --no-verify` or TOLLGATE_SKIP=1 skips it",
        )),
        _ => Ok(done),
    }
}

fn judge_all(
    request: &Request,
    done: &mut Done,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let mut read = push::parse(&request.input);
    if read.malformed > 0 {
        done.notes.push(format!("{} of the input could not be read", plural::count(read.malformed, "line")));
    }
    if read.lines.is_empty() {
        read.lines.extend(request.pre_commit.line());
    }
    if read.lines.is_empty() {
        return Ok(());
    }
    let remote = request.remote.as_deref().or(request.pre_commit.remote.as_deref());
    let url = request.url.as_deref().or(request.pre_commit.url.as_deref());
    let pusher = Pusher::new(&request.directory, remote, url, interrupt).map_err(Failure::configuration)?;
    let (commits, notes) = pushed(&pusher, read.lines).map_err(Failure::configuration)?;
    done.notes.extend(notes);
    if !commits.is_empty() && !pusher.is_sha1().map_err(Failure::configuration)? {
        let message = "this repository has SHA-256 object ids, which Tollgate cannot read";
        return Err(Failure::message(ErrorClass::Configuration, message, ""));
    }
    let mut left = request.budget;
    let count = commits.len();
    for (at, commit) in commits.into_iter().enumerate() {
        let share = left / u32::try_from(count - at).unwrap_or(1);
        progress.tell(Event::Note(format!(
            "`{}` against {} {}",
            escape::terminal(&commit.name),
            escape::terminal(&commit.base.label),
            short(commit.base.rev.as_deref())
        )));
        let began = Instant::now();
        let (fate, spent) = judge(request, &pusher, &commit, share, progress, interrupt);
        left = left.saturating_sub(spent);
        done.commits.push((commit, fate, began.elapsed()));
    }
    Ok(())
}

/// Judges one commit, and says how much measuring time that took.
fn judge(
    request: &Request,
    pusher: &Pusher<'_>,
    commit: &Pushed,
    budget: Duration,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> (Fate, Duration) {
    if commit.base.tree == commit.head.tree {
        return (Fate::SameFiles, Duration::ZERO);
    }
    let ids = [&commit.base, &commit.head].map(|revision| revision.rev.as_deref().unwrap_or_default());
    match documents::only_documents(pusher, ids[0], ids[1]) {
        Ok(documents) if documents.is_empty() => {}
        Ok(documents) => return (Fate::OnlyDocuments(documents), Duration::ZERO),
        // Then it is built like any other change.
        Err(_) => {}
    }
    let memory = Memory::of(&cache_folder(), &commit.base, &commit.head, &request.settings, request.now);
    if let Some(words) = memory.recall() {
        return (Fate::Remembered(words), Duration::ZERO);
    }
    if interrupt.requested().is_some() {
        return (Fate::OutOfTime, Duration::ZERO);
    }
    if budget < LEAST_BUDGET.min(request.budget) {
        return (Fate::OutOfBudget, Duration::ZERO);
    }
    let check = check::Request {
        directory: request.directory.clone(),
        executable: request.executable.clone(),
        settings: Settings {
            base: commit.base.rev.clone(),
            head: commit.head.rev.clone(),
            mode: ModeChoice::Paired,
            budget_seconds: budget.as_secs_f64(),
            ..request.settings.clone()
        },
        seed: None,
        fresh_seed: request.fresh_seed,
        now: request.now,
    };
    match check::run_paired(&check, progress, interrupt) {
        Ok(checked) => {
            if is_proof(&checked.verdict) {
                memory.keep(&counts(&checked.verdict));
            }
            let spent = checked.spent;
            (Fate::Judged(Box::new(checked)), spent)
        }
        Err(_) if interrupt.requested() == Some(TIME_LIMIT) => (Fate::OutOfTime, Duration::ZERO),
        Err(failure) => (Fate::Failed(failure), Duration::ZERO),
    }
}

/// Whether a verdict is a pass that more measuring would not change: nothing was left undecided.
fn is_proof(verdict: &CheckVerdict) -> bool {
    verdict.outcome == Outcome::Pass
        && verdict
            .judgements
            .iter()
            .all(|row| !matches!(row.verdict, Verdict::Inconclusive | Verdict::Failed))
}

/// `12 benchmarks compared, 10 of them identical`.
pub(super) fn counts(verdict: &CheckVerdict) -> String {
    let census = &verdict.census;
    let compared = format!("{} compared", plural::count(census.compared, "benchmark"));
    match census.identical {
        0 => compared,
        all if all == census.compared => format!("{compared}, the machine code is the same"),
        some => format!("{compared}, {some} of them identical"),
    }
}

/// A failure with its causes and its next step as one line.
pub(super) fn in_one_line(failure: &Failure) -> String {
    /// A build failure brings the words of a compiler.
    const MOST_CHARACTERS: usize = 600;
    let mut words = vec![failure.to_string()];
    let mut cause = std::error::Error::source(failure);
    while let Some(error) = cause {
        let said = error.to_string();
        // Some messages carry their cause already.
        if !words.iter().any(|earlier| earlier.contains(&said)) {
            words.push(said);
        }
        cause = error.source();
    }
    let mut line = escape::terminal(&words.join(": ").split_whitespace().collect::<Vec<_>>().join(" "));
    if line.chars().count() > MOST_CHARACTERS {
        line = line.chars().take(MOST_CHARACTERS).chain(['…']).collect();
    }
    match failure.hint() {
        Some(hint) => format!("{line} ({})", escape::terminal(hint)),
        None => line,
    }
}

/// The beginning of a commit's id.
pub(super) fn short(rev: Option<&str>) -> &str {
    rev.and_then(|rev| rev.get(..9)).unwrap_or_default()
}
