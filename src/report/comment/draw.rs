//! A comment's sections: the answer, the rows that matter, what was accepted, what the answer rests on, what to do now; then,
//! folded, everything else.

use super::{Acceptance, Context, Earlier};
use crate::model::{
    outcome::Outcome,
    verdict::{CheckVerdict, Verdict},
};
use crate::report::{
    fit::{self, Detail, Fitted, Frame, Layout, Unit},
    load_markdown, parts, sentences,
    view::{Row, View},
};
use crate::text::{escape, plural};

/// Facts that stand open: what the answer rests on.
const OPEN_FACTS: [&str; 6] = ["compared", "left out", "ruled out", "tests", "revisions", "machine"];
/// Longest ids of regressions that a command names.
const NAMED: usize = 3;

/// The comment's Markdown in at most `limit` characters.
///
/// GitHub takes 65,536 of a comment, and 65,535 of a text of a check run. A limit under 2,000 may leave nothing but the answer.
#[must_use]
pub fn render(verdict: &CheckVerdict, context: &Context, limit: usize) -> Fitted {
    let view = View::of(verdict);
    let report = context.html_url.as_deref().and_then(|url| parts::link("the HTML report", url));
    let layout = Layout {
        all: false,
        header: "| verdict | benchmark | value | change |\n|---|---|--:|--:|\n",
        row: &row,
        elsewhere: report.as_deref().unwrap_or("the JSON"),
    };
    fit::fit(&view, (limit, Unit::Characters), |detail| frame(verdict, &view, context, detail), &layout)
}

/// A row that does not stand open. What is unchanged is told by its interval alone.
fn row(row: &Row, detail: &Detail) -> String {
    let sentence = match row.is_notable() {
        true => parts::sentence(row, detail),
        false => String::new(),
    };
    let apart = if sentence.is_empty() { "" } else { "<br>" };
    let (value, change) = match (row.is_notable(), row.change.as_str()) {
        (false, _) => (parts::value(&row.head), row.interval.clone()),
        (true, "") => (parts::values(row), String::new()),
        (true, change) => (parts::values(row), format!("{change} ({})", row.interval)),
    };
    let label = parts::label(row, detail.name);
    format!("| {} | {label}{apart}{sentence} | {value} | {change} |\n", row.verdict.as_str())
}

fn frame(verdict: &CheckVerdict, view: &View, context: &Context, detail: &Detail) -> Frame {
    let mut before = parts::heading(view, verdict.outcome.exit_code(), detail);
    before += &parts::counts(view, detail);
    before += &parts::open_rows(view, detail);
    before += &accepted(&context.acceptances, detail);
    before += &parts::warnings(view, detail);
    if let Some(load) = view.load.as_ref().filter(|_| detail.load) {
        before += &load_markdown::open(load);
    }
    if detail.basis {
        before += &parts::facts(view, |fact| OPEN_FACTS.contains(&fact.label));
        before += "\n";
        if verdict.outcome != Outcome::Pass {
            before += &next(verdict);
            before += &again(verdict);
        }
    }
    let mut after = String::new();
    if detail.folds {
        after += &view.load.as_ref().map(load_markdown::folded_numbers).unwrap_or_default();
        let method = parts::facts(view, |fact| !OPEN_FACTS.contains(&fact.label)) + &parts::legend(view);
        after += &parts::folded("How it was measured and judged", &method);
    }
    after += &earlier(&context.earlier, detail);
    after += &links(context);
    Frame { before, after }
}

/// Who accepted what, why, until when.
fn accepted(acceptances: &[Acceptance], detail: &Detail) -> String {
    if acceptances.is_empty() {
        return String::new();
    }
    // Another bullet, since the facts that follow are another list.
    let mut text = "Accepted on this pull request:\n".to_owned();
    for acceptance in acceptances.iter().take(detail.accepted) {
        let inline = |text: &str, most: usize| escape::markdown_inline(&escape::shortened(text.trim(), most));
        let source = acceptance.url.as_deref().and_then(|url| parts::link("said here", url));
        text += &format!(
            "* {} by {} until {}: {}{}\n",
            parts::code(&acceptance.benchmark, detail.name),
            parts::code(&acceptance.by, 40),
            inline(&acceptance.until, 60),
            inline(&acceptance.reason, 300),
            source.map(|link| format!(" ({link})")).unwrap_or_default()
        );
    }
    let more = acceptances.len().saturating_sub(detail.accepted);
    if more > 0 {
        text += &format!("* and {}\n", plural::count(more, "more acceptance"));
    }
    text + "\n"
}

/// What to do with the answer.
fn next(verdict: &CheckVerdict) -> String {
    let text = match verdict.outcome {
        Outcome::Pass => "nothing",
        Outcome::Regressed => {
            "mend it, or accept it: add a `[[waiver]]` to `tollgate.toml` in this pull request, or comment \
             `/tollgate accept GLOB REASON` (needs write access)"
        }
        Outcome::Inconclusive => {
            "measure for longer (`--budget`) or on a calmer machine: `tollgate doctor` says what disturbs this one"
        }
        Outcome::Incomplete => {
            "nothing was shown to be slower, but what was asked could not be compared; until it is, this is no pass"
        }
        Outcome::Error(_) => "read the log of the job; what could not be measured is no pass",
    };
    format!("**What now**: {}.\n\n", escape::markdown_inline(text))
}

/// The command that measures it again, to be copied.
fn again(verdict: &CheckVerdict) -> String {
    let Some(mut command) = sentences::reproduce(verdict) else { return String::new() };
    let regressed = verdict.judgements.iter().filter(|row| row.verdict == Verdict::Regressed);
    let mut ids: Vec<&str> = regressed.map(|row| row.benchmark.id.as_str()).collect();
    ids.dedup();
    // Only what needs no quoting in a regular expression or a shell.
    let plain = |id: &&str| {
        id.len() <= 80 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte))
    };
    if (1..=NAMED).contains(&ids.len()) && ids.iter().all(plain) {
        command += &match ids.as_slice() {
            [one] => format!(" --filter '^{one}$'"),
            several => format!(" --filter '^({})$'", several.join("|")),
        };
    }
    format!("Measure it again:\n\n```console\n{command}\n```\n\n")
}

/// Earlier verdicts of the pull request.
fn earlier(earlier: &[Earlier], detail: &Detail) -> String {
    let shown: String = earlier
        .iter()
        .take(detail.earlier)
        .map(|earlier| {
            let commit: String = earlier.commit.chars().take(9).collect();
            let summary = escape::shortened(earlier.summary.trim(), 160);
            // A summary begins with its outcome's word.
            let word = if summary.starts_with(&earlier.outcome) {
                String::new()
            } else {
                format!("{}: ", escape::markdown_inline(&escape::shortened(&earlier.outcome, 20)))
            };
            format!("- {} {word}{}\n", parts::code(&commit, 9), escape::markdown_inline(&summary))
        })
        .collect();
    parts::folded("Earlier verdicts of this pull request", &shown)
}

/// Where there is more.
fn links(context: &Context) -> String {
    let links = [("HTML report", &context.html_url), ("job", &context.job_url)];
    let links: Vec<String> =
        links.into_iter().filter_map(|(text, url)| parts::link(text, url.as_deref()?)).collect();
    if links.is_empty() { String::new() } else { links.join(" · ") + "\n" }
}
