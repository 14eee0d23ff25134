//! `tollgate comment`: a verdict brought to GitHub.

use super::{Door, args::comment::CommentArgs};
use crate::{
    commands::{
        comment::{self, Request},
        failure::Failure,
    },
    github::{context::Job, token::Token},
    model::outcome::Outcome,
    text::escape,
};

/// `tollgate comment`.
pub(super) fn comment(door: &Door, args: &CommentArgs) -> Result<Outcome, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    let job = Job::read(&variable, args.event.as_deref()).map_err(Failure::configuration)?;
    let request = Request {
        verdicts: args.verdicts.clone(),
        from_artifact: args.from_artifact.clone(),
        expect_shards: args.expect_shards,
        repository: args.repo.clone(),
        pull_request: args.pull_request,
        gate: args.name.clone(),
        when: args.comment.into(),
        check: args.wants_check(),
        check_name: args.check_name.clone(),
        summary: args.wants_summary(),
        html_url: args.html_url.clone(),
        advisory: args.advisory,
        dry_run: args.dry_run,
        job,
        token: Token::from_environment(variable),
        now: door.now,
    };
    let stop = || door.interrupt.requested().is_some();
    let done = door.with_progress(|progress| comment::run(&request, progress, &stop))?;
    for warning in &done.warnings {
        door.console.warning(&escape::visible(warning));
    }
    for failure in &done.failures {
        door.console.failure(failure);
    }
    let mut text = done.lines.join("\n");
    text.push('\n');
    match door.print(text.as_bytes()) {
        Ok(()) => Ok(done.outcome),
        Err(failure) => {
            door.console.failure(&failure);
            Ok(done.outcome.join(failure.outcome()))
        }
    }
}
