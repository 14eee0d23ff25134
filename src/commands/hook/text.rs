//! What a push's check tells: a line a commit, the rows that stop the push, and how to go on.

use crate::{
    commands::hook::run::{Done, Fate, Pushed, counts, in_one_line, short},
    model::{
        outcome::Outcome,
        verdict::{CheckVerdict, Judgement, Verdict},
    },
    report::table::{self, Style},
    text::{escape, plural, quantity},
};
use std::time::Duration;

/// Rows of a table before the rest is counted.
const MOST_ROWS: usize = 10;
/// Names in a sentence before "and 3 more".
const MOST_NAMES: usize = 5;

/// The text on standard output; empty when there is nothing to tell.
#[must_use]
pub fn render(done: &Done, style: Style) -> String {
    let mut text = String::new();
    for (commit, fate, took) in &done.commits {
        text.push_str(&one((commit, *took), fate, done, style));
    }
    for note in &done.notes {
        text.push_str(&format!("tollgate: {}\n", escape::terminal(note)));
    }
    if done.is_regressed() {
        text.push_str(
            "tollgate stopped the push. To push all the same: `git push --no-verify`, or TOLLGATE_SKIP=1 in the environment.\n",
        );
    }
    text
}

fn one((commit, took): (&Pushed, Duration), fate: &Fate, done: &Done, style: Style) -> String {
    let against = format!(
        "tollgate: `{}` ({}) against {} ({})",
        escape::terminal(&commit.name),
        short(commit.head.rev.as_deref()),
        escape::terminal(&commit.base.label),
        short(commit.base.rev.as_deref()),
    );
    let goes_on = "; the push goes on";
    match fate {
        Fate::SameFiles => format!("{against}: the same files\n"),
        Fate::OnlyDocuments(paths) => {
            let names: Vec<String> = paths.iter().map(|path| escape::terminal(path)).collect();
            format!(
                "{against}: only documents changed ({}), nothing was built\n",
                plural::list(&names, MOST_NAMES)
            )
        }
        Fate::Remembered(words) => format!("{against}: passed before: {}\n", escape::terminal(words)),
        Fate::Failed(failure) => {
            format!("{against}: warning: not judged: {}{goes_on}\n", in_one_line(failure))
        }
        Fate::OutOfTime => format!(
            "{against}: warning: not judged: the time limit of {} came first{goes_on}. What was built is kept: `{}` goes on without a limit\n",
            quantity::seconds(done.limit.as_secs_f64()),
            command(commit)
        ),
        Fate::OutOfBudget => format!(
            "{against}: warning: not judged: other commits took the budget of {}{goes_on}\n",
            quantity::seconds(done.budget.as_secs_f64())
        ),
        Fate::Judged(checked) => {
            format!("{against} in {}:\n", quantity::seconds(took.as_secs_f64()))
                + &judged(commit, &checked.verdict, done, style)
        }
    }
}

fn judged(commit: &Pushed, verdict: &CheckVerdict, done: &Done, style: Style) -> String {
    match verdict.outcome {
        Outcome::Pass => format!("  pass: {}\n", counts(verdict)) + &uncovered(verdict, done),
        Outcome::Regressed => {
            table::brief(verdict, style, MOST_ROWS)
                + &uncovered(verdict, done)
                + &format!("  look closer, going on from these rounds: `{}`\n", command(commit))
        }
        _ => {
            let reason = verdict.outcomes.first().map_or("", |(_, reason)| reason.as_str());
            let word = verdict.outcome.as_str();
            format!("  warning: {word}: {}; the push goes on\n", escape::terminal(reason))
                + &uncovered(verdict, done)
        }
    }
}

/// What the push was not checked for.
fn uncovered(verdict: &CheckVerdict, done: &Done) -> String {
    let named = |wanted: &dyn Fn(&Judgement) -> bool| {
        let mut names: Vec<String> = verdict
            .judgements
            .iter()
            .filter(|row| wanted(row))
            .map(|row| escape::terminal(&row.display_id))
            .collect();
        names.dedup();
        names
    };
    let budget = quantity::seconds(done.budget.as_secs_f64());
    let groups = [
        (
            named(&|row| row.verdict == Verdict::Inconclusive && row.rounds == 0),
            format!("not covered within {budget}"),
        ),
        (named(&|row| row.verdict == Verdict::Inconclusive && row.rounds > 0), "not decided".to_owned()),
        (named(&|row| row.verdict == Verdict::Failed), "failed".to_owned()),
    ];
    groups
        .iter()
        .filter(|(names, _)| !names.is_empty())
        .map(|(names, words)| format!("  {words}: {}\n", plural::list(names, MOST_NAMES)))
        .collect()
}

/// What a user types to check the same again.
fn command(commit: &Pushed) -> String {
    let (base, head) = (short(commit.base.rev.as_deref()), short(commit.head.rev.as_deref()));
    format!("tollgate check --base {base} --head {head}")
}
