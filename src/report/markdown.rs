//! The verdict in GitHub's Markdown, for a job summary or a file.
//!
//! The first line is the answer, since it is what a mail notification shows. Then a count line, at most ten rows that matter,
//! and everything else folded. It shares its pieces with the comment ([`super::comment`]).

use super::{
    fit::{self, Detail, Fitted, Frame, Layout, Unit},
    load_markdown, parts,
    view::{Row, View},
};
use crate::model::verdict::CheckVerdict;

/// GitHub takes 1 MiB of a step's summary, and shows nothing at all of a longer one.
pub const MAX_BYTES: usize = 1 << 20;
/// Facts that say what the answer rests on; the others are folded.
const OPEN_FACTS: [&str; 3] = ["compared", "left out", "ruled out"];

/// The Markdown of a verdict in at most [`MAX_BYTES`]; ends in a newline.
#[must_use]
pub fn render(verdict: &CheckVerdict) -> String {
    render_within(verdict, MAX_BYTES).text
}

/// The Markdown of a verdict in at most `limit` bytes.
#[must_use]
pub fn render_within(verdict: &CheckVerdict, limit: usize) -> Fitted {
    let view = View::of(verdict);
    let layout = Layout {
        all: true,
        header: "| verdict | benchmark | base | head | change | interval | margin | rounds | scatter | q | |\n\
                 |---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
        row: &row,
        elsewhere: "the JSON",
    };
    fit::fit(&view, (limit, Unit::Bytes), |detail| frame(verdict, &view, detail), &layout)
}

fn row(row: &Row, detail: &Detail) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
        row.verdict.as_str(),
        parts::label(row, detail.name),
        parts::value(&row.base),
        parts::value(&row.head),
        row.change,
        row.interval,
        row.margin,
        row.rounds,
        row.scatter,
        row.q_value,
        parts::sentence(row, detail),
    )
}

fn frame(verdict: &CheckVerdict, view: &View, detail: &Detail) -> Frame {
    let mut before = parts::heading(view, verdict.outcome.exit_code(), detail);
    before += &parts::counts(view, detail);
    if detail.basis {
        before += &parts::facts(view, |fact| OPEN_FACTS.contains(&fact.label));
        before += "\n";
    }
    before += &parts::open_rows(view, detail);
    if let Some(load) = view.load.as_ref().filter(|_| detail.load) {
        before += &load_markdown::open(load);
        before += &load_markdown::folded_numbers(load);
    }
    before += &parts::warnings(view, detail);
    let mut after = String::new();
    if detail.folds {
        let facts = parts::facts(view, |fact| !OPEN_FACTS.contains(&fact.label)) + &parts::legend(view);
        after = parts::folded("Method, machine, how to repeat it", &facts);
    }
    Frame { before, after }
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::format::example;
    use crate::model::{
        run::Warning,
        verdict::{CheckVerdict, Verdict},
    };

    #[test]
    fn at_most_ten_rows_stand_open() {
        let mut verdict = example::verdict();
        for at in 0..300 {
            verdict.judgements.push(example::count_row(
                &format!("n/{at:03}"),
                1e6,
                1.1e6,
                Verdict::Regressed,
            ));
        }
        let text = render(&verdict);
        let open = text.split("<details>").next().unwrap();
        assert_eq!(open.matches("❌ **regressed** `").count(), 10);
        assert!(open.contains("and 297 more rows below"), "{open}");
        assert!(text.contains("<summary>All 309 rows</summary>"), "{}", &text[text.len() - 900..]);
    }

    /// A verdict in which every text that others choose is `text`.
    fn hostile(text: &str) -> CheckVerdict {
        let mut verdict = example::verdict();
        for row in &mut verdict.judgements {
            row.display_id = text.into();
            row.reason = text.into();
            row.metric.name = text.into();
            row.metric.unit = text.into();
        }
        verdict.head.label = text.into();
        verdict.environment.cpu = text.into();
        verdict.families[0].name = text.into();
        verdict.families[0].method = text.into();
        for (_, reason) in &mut verdict.outcomes {
            *reason = text.into();
        }
        verdict.warnings = vec![Warning::new("x", text)];
        verdict
    }

    #[test]
    fn names_can_neither_break_the_table_nor_call_anybody() {
        for text in [
            "a|b\n| x |",
            "@ada <img src=x onerror=y>",
            "</details></code><h1>",
            "![x](https://evil)",
            "`|`@ada",
        ] {
            let markdown = render(&hostile(text));
            for line in markdown.lines().filter(|line| line.starts_with('|')) {
                let cells = line.matches('|').count();
                assert!(cells == 5 || cells == 12, "{line}");
            }
            // Code shows a name as it is; nothing may happen outside of it.
            let outside: String = markdown.split('`').step_by(2).collect();
            assert!(!outside.contains("<img") && !outside.contains("<h1"), "{markdown}");
            assert_eq!(outside.matches("</details>").count(), 2);
            assert!(!outside.contains("](https"));
            assert!(!outside.contains('@'), "{markdown}");
        }
    }
}
