//! What is said: the comment with its hidden lines, the check run, the job summary. Pure.

use super::{GATE, Matter, Request};
use crate::{
    github::{
        check_run::{Annotation, Conclusion, MAX_ANNOTATIONS, MAX_SUMMARY},
        comment::MAX_CHARACTERS,
        marker::{Marker, Shown},
    },
    model::{
        outcome::Outcome,
        verdict::{CheckVerdict, Verdict},
    },
    report::{
        comment::{self, Context, Earlier},
        view::{Piece, View},
    },
    text::escape,
};

/// The file that annotations stand at: where margins, rules and waivers are.
const ANNOTATED: &str = "tollgate.toml";
/// The most characters of an annotation's message.
const MESSAGE: usize = 1_000;

/// A comment ready to be written.
#[derive(Debug)]
pub(super) struct Texts {
    /// The whole comment.
    pub(super) body: String,
    /// Its marker.
    pub(super) marker: Marker,
}

impl Texts {
    /// The comment on `head`, over the one that `before` marks.
    pub(super) fn new(request: &Request, matter: &Matter, head: &str, before: Option<&Marker>) -> Self {
        let word = matter.verdict.outcome.as_str();
        let shown = Shown::new(head, word, &answer(&matter.verdict));
        let marker = Marker { gate: request.gate.clone(), run: matter.run, shown: vec![shown] }.over(before);
        let earlier = marker.shown[1..].iter().map(|shown| Earlier {
            commit: shown.commit.clone(),
            outcome: shown.outcome.clone(),
            summary: shown.summary.clone(),
        });
        let mut hidden = format!("\n{}", marker.lines());
        if request.gate != GATE {
            hidden.insert_str(0, &format!("\n<sub>Gate {}</sub>\n", escape::markdown_code(&request.gate)));
        }
        let room = MAX_CHARACTERS.saturating_sub(hidden.chars().count() + 2);
        let fitted = comment::render(&matter.verdict, &context(request, matter, earlier.collect()), room);
        Self { body: format!("{}\n{hidden}", fitted.text.trim_end()), marker }
    }
}

/// The job summary in at most `limit` characters.
pub(super) fn summary(request: &Request, matter: &Matter, limit: usize) -> String {
    comment::render(&matter.verdict, &context(request, matter, Vec::new()), limit).text
}

/// The check run's summary.
pub(super) fn check_summary(request: &Request, matter: &Matter) -> String {
    summary(request, matter, MAX_SUMMARY)
}

/// The answer in one line, without markup.
pub(super) fn answer(verdict: &CheckVerdict) -> String {
    let pieces = View::of(verdict).summary;
    let words = pieces.iter().map(|piece| match piece {
        Piece::Text(text) | Piece::Name(text) => text.as_str(),
    });
    escape::visible(&words.collect::<String>())
}

/// What the check run concludes. What could not be judged is a failure: `neutral` and `skipped` would satisfy a required check.
pub(super) fn conclusion(request: &Request, verdict: &CheckVerdict) -> Conclusion {
    match (verdict.outcome, request.advisory) {
        (Outcome::Pass, _) => Conclusion::Success,
        (_, true) => Conclusion::Neutral,
        _ => Conclusion::Failure,
    }
}

/// Whether a verdict says more than that nothing changed.
pub(super) fn is_worth_a_comment(verdict: &CheckVerdict) -> bool {
    let changed = [Verdict::Regressed, Verdict::Improved, Verdict::Waived];
    verdict.outcome != Outcome::Pass || verdict.judgements.iter().any(|row| changed.contains(&row.verdict))
}

/// What stands beside the code: what regressed, failed or vanished.
pub(super) fn annotations(verdict: &CheckVerdict) -> Vec<Annotation> {
    let told = [Verdict::Regressed, Verdict::Failed, Verdict::Missing];
    let rows = verdict.judgements.iter().filter(|row| told.contains(&row.verdict));
    let annotation = |row: &crate::model::verdict::Judgement| {
        let metric =
            if row.metric.name == "time" { String::new() } else { format!(" ({})", row.metric.name) };
        let message: String = row.reason.chars().take(MESSAGE).collect();
        Annotation {
            path: ANNOTATED.to_owned(),
            line: 1,
            title: escape::visible(&format!("{}: {}{metric}", row.verdict.as_str(), row.display_id)),
            message: match escape::visible(&message) {
                empty if empty.is_empty() => row.verdict.as_str().to_owned(),
                message => message,
            },
            is_failure: true,
        }
    };
    rows.map(annotation).take(MAX_ANNOTATIONS).collect()
}

fn context(request: &Request, matter: &Matter, earlier: Vec<Earlier>) -> Context {
    Context {
        html_url: request.html_url.clone(),
        job_url: matter.job_url.clone(),
        earlier,
        acceptances: matter.acceptances.clone(),
    }
}
