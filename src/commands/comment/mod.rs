//! `tollgate comment`: a stored verdict brought to GitHub: the one comment of the pull request, the check run, the job summary.
//!
//! Nothing is measured or built here and no code of a pull request runs, so this is the one command that may hold a token that
//! can write.

mod accept;
mod compose;
mod online;
mod place;

use crate::{
    commands::{failure::Failure, judge, merge},
    format::verdict_v1,
    github::{
        artifact,
        context::Job,
        marker::{Marker, RunId},
        repository::Repository,
        summary,
        token::Token,
    },
    model::{
        outcome::{ErrorClass, Outcome},
        verdict::CheckVerdict,
    },
    progress::Progress,
};
use compose::Texts;
use place::Place;
use std::path::PathBuf;

/// The name of the gate where there is only one.
pub const GATE: &str = "tollgate";
/// What is said where the job that measures left nothing.
const NO_VERDICT: &str = "incomplete: the job that measures left no verdict";

/// When to comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Whatever the verdict.
    Always,
    /// When there is something to say, or a comment stands already.
    OnChange,
    /// Not at all.
    Never,
}

/// What to bring, and where to.
#[derive(Debug)]
pub struct Request {
    /// Verdict files; several are shards of one check.
    pub verdicts: Vec<PathBuf>,
    /// The folder of an artifact of another, untrusted run, instead of files.
    pub from_artifact: Option<PathBuf>,
    /// How many verdicts there must be.
    pub expect_shards: Option<usize>,
    /// The repository; by default the job's.
    pub repository: Option<Repository>,
    /// The pull request; by default the event's.
    pub pull_request: Option<u64>,
    /// Which gate of the repository this is.
    pub gate: String,
    /// When to comment.
    pub when: When,
    /// Whether to write a check run; by default in a job of GitHub's.
    pub check: Option<bool>,
    /// The check run's name.
    pub check_name: Option<String>,
    /// Whether to write the job summary; by default where the job has one.
    pub summary: Option<bool>,
    /// The HTML report's address.
    pub html_url: Option<String>,
    /// Nothing here blocks a merge: what did not pass is a `neutral` check run.
    pub advisory: bool,
    /// Only say what would be written.
    pub dry_run: bool,
    /// The job that runs.
    pub job: Job,
    /// The token.
    pub token: Option<Token>,
    /// Seconds since 1970.
    pub now: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    /// The verdict's outcome after what was accepted, and `reporting` where something could not be written.
    pub outcome: Outcome,
    /// What was written where, one line each; in a dry run what would be.
    pub lines: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// What could not be written.
    pub failures: Vec<Failure>,
}

/// The verdict on its way: what is known and said of it.
#[derive(Debug)]
struct Matter {
    verdict: CheckVerdict,
    /// Accepted regressions, as they are shown.
    acceptances: Vec<crate::report::comment::Acceptance>,
    /// The run that measured.
    run: Option<RunId>,
    /// The page of that run.
    job_url: Option<String>,
}

/// Brings a verdict to GitHub. `stop` says whether the user has had enough.
///
/// # Errors
/// When there is no verdict, it is of another commit, or it is not known where to bring it.
pub fn run(request: &Request, progress: &dyn Progress, stop: &dyn Fn() -> bool) -> Result<Done, Failure> {
    let place = Place::of(request)?;
    let verdict = verdict(request)?;
    let mut done =
        Done { outcome: Outcome::Pass, lines: Vec::new(), warnings: Vec::new(), failures: Vec::new() };
    let Some(verdict) = verdict else {
        online::bring_nothing(request, &place, &mut done, (progress, stop))?;
        done.outcome = Outcome::Incomplete;
        done.warnings.push(NO_VERDICT.to_owned());
        return Ok(done);
    };
    let run = place.measured_by.or(request.job.run);
    let job_url =
        place.repository.as_ref().zip(run).map(|(repository, run)| request.job.run_url(repository, run));
    let mut matter = Matter { verdict, acceptances: Vec::new(), run, job_url };
    if request.dry_run {
        dry_run(request, &place, &matter, &mut done);
    } else {
        online::bring(request, &place, &mut matter, &mut done, (progress, stop))?;
        write_summary(request, &matter, &mut done)?;
    }
    done.outcome = matter.verdict.outcome;
    if !done.failures.is_empty() {
        done.outcome = done.outcome.join(Outcome::Error(ErrorClass::Reporting));
    }
    Ok(done)
}

/// The verdict of the files, or of the artifact; `None` for an artifact without one.
///
/// What comes from an artifact is always judged again from its evidence, so that its rows say what its numbers say.
fn verdict(request: &Request) -> Result<Option<CheckVerdict>, Failure> {
    let Some(folder) = &request.from_artifact else {
        let read = request.verdicts.iter().map(|path| judge::read_verdict(path));
        let mut verdicts = read.collect::<Result<Vec<_>, _>>()?;
        return match (verdicts.len(), request.expect_shards) {
            (1, None) => Ok(verdicts.pop()),
            _ => merge::merge(verdicts, request.expect_shards, request.now).map(Some),
        };
    };
    let found = match artifact::read(folder) {
        Err(artifact::Error::Empty { .. }) => return Ok(None),
        found => found.map_err(Failure::configuration)?,
    };
    let verdicts = found.iter().map(|found| {
        verdict_v1::from_json(&found.bytes).map_err(|error| judge::in_file(&folder.join(&found.name), &error))
    });
    let verdicts = verdicts.collect::<Result<Vec<_>, _>>()?;
    merge::merge(verdicts, request.expect_shards, request.now).map(Some)
}

/// The comment's texts for a verdict; `before` is what the comment that stands says of itself.
fn texts(request: &Request, matter: &Matter, head: &str, before: Option<&Marker>) -> Texts {
    Texts::new(request, matter, head, before)
}

fn write_summary(request: &Request, matter: &Matter, done: &mut Done) -> Result<(), Failure> {
    let path = match (request.summary, &request.job.summary) {
        (Some(false), _) | (None, None) => return Ok(()),
        (_, Some(path)) => path,
        (Some(true), None) => {
            return Err(Failure::message(
                ErrorClass::Configuration,
                "could not write the job summary: GITHUB_STEP_SUMMARY is not set",
                "leave `--summary` out where GitHub does not run the job",
            ));
        }
    };
    match summary::append(path, |limit| compose::summary(request, matter, limit)) {
        Ok(()) => done.lines.push("summary: written".to_owned()),
        Err(error) => done.failures.push(Failure::reporting(error)),
    }
    Ok(())
}

/// Says what would be written, from what is known without asking.
fn dry_run(request: &Request, place: &Place, matter: &Matter, done: &mut Done) {
    let head = place.head.clone().or_else(|| matter.verdict.head.rev.clone());
    let texts = texts(request, matter, head.as_deref().unwrap_or_default(), None);
    let said = compose::is_worth_a_comment(&matter.verdict);
    let target = match (&place.repository, place.number) {
        (Some(repository), Some(number)) => format!("{repository}#{number}"),
        (_, None) if place.by_commit => "the pull request of the commit".to_owned(),
        _ => "no pull request".to_owned(),
    };
    done.lines.push(match request.when {
        When::Never => "comment: none (`--comment never`)".to_owned(),
        When::OnChange if !said => {
            format!("comment: {target}, only if one stands already (`--comment on-change`), this:")
        }
        _ => format!("comment: {target}, this:"),
    });
    if request.when != When::Never {
        done.lines.push(format!("\n{}", texts.body.trim_end()));
    }
    if request.wants_check() {
        let name = request.check_name();
        let head = head.unwrap_or_else(|| "the head commit".to_owned());
        let conclusion = compose::conclusion(request, &matter.verdict).as_str();
        done.lines.push(format!("check run: `{name}` of {head}: {conclusion}"));
    }
}

impl Request {
    fn wants_check(&self) -> bool {
        self.check.unwrap_or(self.job.is_action)
    }

    /// The check run's name: apart from a job that may be called `tollgate`.
    fn check_name(&self) -> String {
        let default = || match self.gate.as_str() {
            GATE => "tollgate verdict".to_owned(),
            gate => format!("tollgate verdict ({gate})"),
        };
        self.check_name.clone().unwrap_or_else(default)
    }
}
