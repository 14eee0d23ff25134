//! The part that talks to GitHub, in the order in which one step needs the other: the pull request, what was accepted there, the
//! comment, the check run.

use super::{Done, Matter, NO_VERDICT, Request, When, accept, compose, place::Place, texts};
use crate::{
    commands::failure::Failure,
    github::{
        Error, Refusal,
        acceptance::{self, Accepted},
        check_run::{self, Conclusion, Wanted},
        client::{Client, Options},
        comment::{self, Comment, Ours, Written},
        pulls::{self, Measured, Pull},
        repository::Repository,
    },
    model::{outcome::ErrorClass, run::Warning},
    progress::Progress,
    report::comment::Acceptance,
};

/// What is known of the target after asking.
struct Target<'a> {
    client: &'a Client<'a>,
    repository: &'a Repository,
    place: &'a Place,
    pull: Option<Pull>,
    /// The commit that the verdict is of; empty where none is known.
    head: String,
}

/// Brings the verdict to where it belongs. What GitHub refuses is kept in `done`; only what the user must change first is an error.
pub(super) fn bring(
    request: &Request,
    place: &Place,
    matter: &mut Matter,
    done: &mut Done,
    (progress, stop): (&dyn Progress, &dyn Fn() -> bool),
) -> Result<(), Failure> {
    let wanted = request.when != When::Never || request.wants_check();
    if !wanted {
        lift(request, place, matter, done, (progress, stop));
        return Ok(());
    }
    let Some(repository) = &place.repository else { return Ok(()) };
    let client = client(request, progress, stop)?;
    let pull = match pull(&client, repository, place) {
        Ok(pull) => pull,
        Err(error) => {
            keep(done, place, error, true);
            return Ok(());
        }
    };
    let head = place.head.clone().or_else(|| pull.as_ref().map(|pull| pull.head.clone())).unwrap_or_default();
    let target = Target { client: &client, repository, place, pull, head };
    if let Err(error) = target.check_commit(matter)? {
        keep(done, place, error, true);
        return Ok(());
    }
    let comments = target.accept(request, matter, done);
    target.comment(request, matter, comments, done)?;
    target.check_run(request, matter, done)
}

/// Counts what was accepted where nothing is to be written: the conclusion of a job that can only read is what blocks the merge.
/// Without an answer nothing is accepted, and the reader is told.
fn lift(
    request: &Request,
    place: &Place,
    matter: &mut Matter,
    done: &mut Done,
    (progress, stop): (&dyn Progress, &dyn Fn() -> bool),
) {
    let in_a_pull_request = request.job.is_action && (place.number.is_some() || place.run.is_some());
    let can_ask = in_a_pull_request && request.token.is_some() && accept::is_needed(&matter.verdict);
    let Some(repository) = place.repository.as_ref().filter(|_| can_ask) else { return };
    let mut ask = || -> Result<(), String> {
        let client = client(request, progress, stop).map_err(|failure| failure.to_string())?;
        let pull = pull(&client, repository, place).map_err(|error| error.to_string())?;
        let head =
            place.head.clone().or_else(|| pull.as_ref().map(|pull| pull.head.clone())).unwrap_or_default();
        let target = Target { client: &client, repository, place, pull, head };
        let known = target.check_commit(matter).map_err(|failure| failure.to_string())?;
        known.map_err(|error| error.to_string())?;
        target.accept(request, matter, done).map(drop).map_err(|error| error.to_string())
    };
    if let Err(why) = ask() {
        done.warnings.push(format!(
            "what was accepted on the pull request does not count: {why}; the job needs `pull-requests: read`"
        ));
    }
}

/// Says on the commit that there is no verdict: a check that nobody reports on would only stay pending.
pub(super) fn bring_nothing(
    request: &Request,
    place: &Place,
    done: &mut Done,
    (progress, stop): (&dyn Progress, &dyn Fn() -> bool),
) -> Result<(), Failure> {
    let wanted = request.wants_check() && !request.dry_run;
    let (true, Some(repository), Some(head)) = (wanted, &place.repository, &place.head) else {
        return Ok(());
    };
    let client = client(request, progress, stop)?;
    let run = place.measured_by.or(request.job.run);
    let wanted = Wanted {
        name: request.check_name(),
        gate: request.gate.clone(),
        run,
        head: head.clone(),
        conclusion: if request.advisory { Conclusion::Neutral } else { Conclusion::Failure },
        title: NO_VERDICT.to_owned(),
        summary:
            "See the log of the job that measures: it ended before there was a verdict, or did not upload it."
                .to_owned(),
        details_url: run.map(|run| request.job.run_url(repository, run)),
        annotations: Vec::new(),
    };
    match check_run::write(&client, repository, &wanted) {
        Ok(written) => done.lines.push(check_line(&wanted, written)),
        Err(error) => keep(done, place, error, request.check == Some(true)),
    }
    Ok(())
}

/// A client with the job's token.
fn client<'a>(
    request: &Request,
    progress: &'a dyn Progress,
    stop: &'a dyn Fn() -> bool,
) -> Result<Client<'a>, Failure> {
    let token = request.token.clone().ok_or_else(|| {
        Failure::message(
            ErrorClass::Configuration,
            "could not write to GitHub: there is no token",
            "set GITHUB_TOKEN: `GITHUB_TOKEN: ${{ github.token }}` under `env:` of the step",
        )
    })?;
    let options = Options::new(&request.job.api_url, request.now);
    Client::new(token, options, progress, stop).map_err(Failure::configuration)
}

/// The pull request, where there is one.
fn pull(client: &Client, repository: &Repository, place: &Place) -> Result<Option<Pull>, Error> {
    match (place.number, &place.run) {
        (Some(number), _) => pulls::get(client, repository, number).map(Some),
        // The list has less of a pull request than itself
        (None, Some(run)) => match pulls::of_run(client, repository, run)? {
            Some(found) => pulls::get(client, repository, found.number).map(Some),
            None => Ok(None),
        },
        (None, None) => Ok(None),
    }
}

/// Keeps what GitHub refused: as a warning where nobody did anything wrong, else as a failure.
fn keep(done: &mut Done, place: &Place, error: Error, was_asked: bool) {
    let because = match error.refusal() {
        Some(Refusal::Permission) if place.is_fork => {
            "a pull request from a fork has a token that can only read. Its verdict is in the job summary; to comment, let a \
             `workflow_run` job do it with `--from-artifact`"
        }
        Some(Refusal::Permission) if !was_asked => "give the job `checks: write`, or say `--no-check`",
        Some(Refusal::Locked) => {
            "the conversation is locked; the verdict is in the check run and the job summary"
        }
        _ => return done.failures.push(Failure::reporting(error)),
    };
    done.warnings.push(format!("{error}: {because}"));
}

impl Target<'_> {
    /// Refuses a verdict of another commit, and says in it what was measured.
    fn check_commit(&self, matter: &mut Matter) -> Result<Result<(), Error>, Failure> {
        let verdict = &mut matter.verdict;
        let short = |sha: &str| sha.get(..9).unwrap_or(sha).to_owned();
        if let Some(pull) = self.pull.as_ref().filter(|pull| pull.head != self.head) {
            let (old, new) = (short(&self.head), short(&pull.head));
            let text = format!("this is of commit `{old}`; the pull request has moved on to `{new}`");
            verdict.warnings.push(Warning::new("moved_on", text));
        }
        let Some(rev) = verdict.head.rev.clone() else {
            let text = "the measured files differ from every commit, so it is not known that they are those of this pull request";
            verdict.warnings.push(Warning::new("unknown_commit", text));
            return Ok(Ok(()));
        };
        let now =
            self.pull.iter().filter(|pull| pull.head == self.head).filter_map(|pull| pull.merge.as_ref());
        let measured = match rev == self.head || self.head.is_empty() {
            true => Measured::Head,
            false if self.place.merge.iter().chain(now).any(|merge| *merge == rev) => Measured::Merge,
            false => match pulls::measured(self.client, self.repository, &rev, &self.head) {
                Ok(measured) => measured,
                Err(error) => return Ok(Err(error)),
            },
        };
        match measured {
            Measured::Head => {}
            Measured::Merge => {
                verdict.head.label = format!("{} merged with its base", short(&self.head));
            }
            Measured::Other => {
                return Err(Failure::message(
                    ErrorClass::Configuration,
                    format!(
                        "could not use the verdict: it is of commit {}, which is neither {} nor a merge of it",
                        short(&rev),
                        short(&self.head)
                    ),
                    "measure the commit that the job is about; a `pull_request` job checks out its merge with the base",
                ));
            }
        }
        Ok(Ok(()))
    }

    /// Judges what was accepted on the pull request into the verdict. Gives the comments, which were read for it or will be needed.
    fn accept(&self, request: &Request, matter: &mut Matter, done: &mut Done) -> Result<Vec<Comment>, Error> {
        let Some(pull) = &self.pull else { return Ok(Vec::new()) };
        let needed = accept::is_needed(&matter.verdict) && pull.is_open;
        if !needed && request.when == When::Never {
            return Ok(Vec::new());
        }
        let comments = comment::list(self.client, self.repository, pull.number)?;
        if needed {
            match acceptance::gather(self.client, self.repository, pull.number, &comments, &pull.labels) {
                Ok(found) => take(matter, found),
                // Without an answer nothing is accepted, and everything else is said all the same
                Err(error) => {
                    let text = format!("what was accepted on the pull request does not count: {error}");
                    matter.verdict.warnings.push(Warning::new("acceptance_unknown", text.clone()));
                    done.warnings.push(text);
                }
            }
        }
        Ok(comments)
    }

    fn comment(
        &self,
        request: &Request,
        matter: &Matter,
        comments: Result<Vec<Comment>, Error>,
        done: &mut Done,
    ) -> Result<(), Failure> {
        let Some(pull) = self.pull.as_ref().filter(|_| request.when != When::Never) else {
            return self.no_pull(request, done);
        };
        let written = comments.and_then(|comments| {
            let before = comment::ours(self.client, &comments, &request.gate)?;
            self.write(request, matter, pull, &before)
        });
        match written {
            Ok(line) => done.lines.push(line),
            Err(error) => keep(done, self.place, error, true),
        }
        Ok(())
    }

    fn no_pull(&self, request: &Request, done: &mut Done) -> Result<(), Failure> {
        let by_hand = !request.job.is_action && request.job.event.is_none();
        match request.when {
            When::Never => {}
            _ if by_hand => {
                return Err(Failure::message(
                    ErrorClass::Configuration,
                    "could not tell which pull request to comment on",
                    "give `--pull-request N`, or `--comment never`",
                ));
            }
            _ => done.lines.push("comment: none, there is no open pull request".to_owned()),
        }
        Ok(())
    }

    fn write(
        &self,
        request: &Request,
        matter: &Matter,
        pull: &Pull,
        before: &[Ours],
    ) -> Result<String, Error> {
        let standing = before.first().map(|ours| &ours.marker);
        let is_moved_on = pull.head != self.head;
        if is_moved_on && standing.is_some_and(|marker| marker.head() == pull.head) {
            return Ok("comment: left alone, it is of a newer commit".to_owned());
        }
        if request.when == When::OnChange
            && before.is_empty()
            && !compose::is_worth_a_comment(&matter.verdict)
        {
            return Ok("comment: none, nothing changed".to_owned());
        }
        let texts = texts(request, matter, &self.head, standing);
        let text = (texts.body.as_str(), &texts.marker);
        Ok(match comment::write(self.client, self.repository, pull.number, before, text)? {
            Written::Created(url) => format!("comment: created, {url}"),
            Written::Updated(url) => format!("comment: updated, {url}"),
            Written::Unchanged(url) => format!("comment: unchanged, {url}"),
            Written::Newer(url) => format!("comment: left alone, a newer run wrote it, {url}"),
        })
    }

    fn check_run(&self, request: &Request, matter: &Matter, done: &mut Done) -> Result<(), Failure> {
        if !request.wants_check() {
            return Ok(());
        }
        if self.head.is_empty() {
            return Err(Failure::message(
                ErrorClass::Configuration,
                "could not tell which commit the check run is of",
                "give `--pull-request N`, or `--no-check`",
            ));
        }
        let wanted = Wanted {
            name: request.check_name(),
            gate: request.gate.clone(),
            run: matter.run,
            head: self.head.clone(),
            conclusion: compose::conclusion(request, &matter.verdict),
            title: compose::answer(&matter.verdict),
            summary: compose::check_summary(request, matter),
            details_url: request.html_url.clone().or_else(|| matter.job_url.clone()),
            annotations: compose::annotations(&matter.verdict),
        };
        match check_run::write(self.client, self.repository, &wanted) {
            Ok(written) => done.lines.push(check_line(&wanted, written)),
            Err(error) => keep(done, self.place, error, request.check == Some(true)),
        }
        Ok(())
    }
}

fn check_line(wanted: &Wanted, written: check_run::Written) -> String {
    let (word, url) = match written {
        check_run::Written::Written(url) => (wanted.conclusion.as_str(), url),
        check_run::Written::Newer(url) => ("left alone, a newer run wrote it", url),
    };
    let url = url.map_or(String::new(), |url| format!(", {url}"));
    format!("check run: `{}` {word}{url}", wanted.name)
}

/// Judges what was accepted into the verdict.
fn take(matter: &mut Matter, found: acceptance::Found) {
    let acceptance::Found { accepted, notes } = found;
    matter.verdict.warnings.extend(notes.into_iter().map(|note| Warning::new("not_accepted", note)));
    if accepted.is_empty() {
        return;
    }
    if !accept::accept(&mut matter.verdict, &accepted) {
        let text =
            "what was accepted on the pull request does not count: the verdict came without its evidence";
        matter.verdict.warnings.push(Warning::new("acceptance_unknown", text));
        return;
    }
    let shown = |accepted: Accepted| Acceptance {
        benchmark: accepted.benchmark,
        by: accepted.by,
        reason: accepted.reason,
        until: "until the pull request is merged or closed".to_owned(),
        url: accepted.url,
    };
    matter.acceptances = accepted.into_iter().map(shown).collect();
}
