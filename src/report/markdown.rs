//! The verdict in GitHub's Markdown: for a comment, a job summary, a file.
//!
//! The first line is the answer, since it is what a mail notification shows. Then a count line, at most
//! [`MAX_OPEN_ROWS`] rows that matter, and everything else folded. Whatever a pull request can name goes through
//! [`escape`].

use super::{
    load_markdown,
    view::{Line, Piece, Row, View},
};
use crate::model::verdict::{CheckVerdict, Verdict};
use crate::text::{escape, plural, quantity};

/// Rows that matter and stand open.
pub const MAX_OPEN_ROWS: usize = 10;
/// Rows in the folded table; the JSON has all.
pub const MAX_FOLDED_ROWS: usize = 200;
/// A longer name or warning loses its middle.
const LONGEST_NAME: usize = 120;
/// Facts that say what the answer rests on; the others are folded.
const OPEN_FACTS: [&str; 3] = ["compared", "left out", "ruled out"];
/// Warnings that are shown.
const MAX_WARNINGS: usize = 20;

/// The Markdown of a verdict; ends in a newline.
#[must_use]
pub fn render(verdict: &CheckVerdict) -> String {
    let view = View::of(verdict);
    let mut text = format!("### {} {}\n\n", mark(verdict.outcome.exit_code()), line(&view.summary));
    for also in &view.also {
        text += &format!("{}\n\n", line(also));
    }
    let counts: Vec<String> =
        view.counts.iter().map(|(verdict, n)| format!("{n} {}", verdict.as_str())).collect();
    if !counts.is_empty() {
        text += &format!("{}\n\n", counts.join(" · "));
    }
    for fact in view.facts.iter().filter(|fact| OPEN_FACTS.contains(&fact.label)) {
        text += &format!("- {}: {}\n", fact.label, line(&fact.line));
    }
    text += "\n";
    text += &open_rows(&view);
    text += &view.load.as_ref().map(load_markdown::render).unwrap_or_default();
    text += &warnings(&view);
    text += &folded_rows(&view);
    text += &facts(&view);
    text
}

/// A sign for the eye; the word stands beside it.
fn mark(exit_code: u8) -> &'static str {
    match exit_code {
        0 => "✅",
        3 | 4 => "⚠️",
        _ => "❌",
    }
}

fn row_mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Regressed | Verdict::Failed | Verdict::Missing => "❌",
        Verdict::Waived | Verdict::Inconclusive => "⚠️",
        Verdict::Improved => "🚀",
        Verdict::New => "🆕",
        Verdict::Unchanged | Verdict::Identical => "✅",
    }
}

fn line(line: &Line) -> String {
    let pieces = line.iter().map(|piece| match piece {
        Piece::Text(text) => escape::markdown_inline(text),
        Piece::Name(name) => code(name),
    });
    pieces.collect()
}

fn code(name: &str) -> String {
    escape::markdown_code(&escape::shortened(&escape::visible(name), LONGEST_NAME))
}

fn label(row: &Row) -> String {
    match &row.metric {
        Some(metric) => {
            format!("{} {}", code(&row.name), escape::markdown_inline(&escape::shortened(metric, 40)))
        }
        None => code(&row.name),
    }
}

fn sentence(row: &Row) -> String {
    let lines = row.sentence_lines();
    lines.iter().map(|line| escape::markdown_inline(line)).collect::<Vec<_>>().join("<br>")
}

fn open_rows(view: &View) -> String {
    let notable: Vec<&Row> = view.notable().collect();
    if notable.is_empty() {
        return String::new();
    }
    let mut text =
        "| verdict | benchmark | base | head | change | interval |\n|---|---|--:|--:|--:|--:|\n".to_owned();
    for row in notable.iter().take(MAX_OPEN_ROWS) {
        text += &format!(
            "| {} {} | {} | {} | {} | {} | {} |\n",
            row_mark(row.verdict),
            row.verdict.as_str(),
            label(row),
            escape::markdown_inline(&row.base),
            escape::markdown_inline(&row.head),
            bold(&row.change),
            row.interval,
        );
    }
    text += "\n";
    for row in notable.iter().take(MAX_OPEN_ROWS).filter(|row| !row.sentence.is_empty()) {
        text += &format!("- {}: {}\n", label(row), sentence(row));
    }
    if notable.len() > MAX_OPEN_ROWS {
        let more = plural::count(notable.len() - MAX_OPEN_ROWS, "more row");
        text += &format!("- and {more} below\n");
    }
    text + "\n"
}

/// A change is our own text, which has no markup in it.
fn bold(change: &str) -> String {
    if change.is_empty() { String::new() } else { format!("**{change}**") }
}

fn warnings(view: &View) -> String {
    if view.warnings.is_empty() {
        return String::new();
    }
    let shown = view.warnings.iter().take(MAX_WARNINGS);
    let mut lines: Vec<String> = shown
        .map(|warning| format!("> ⚠️ {}", escape::markdown_inline(&escape::shortened(warning, 600))))
        .collect();
    if view.warnings.len() > MAX_WARNINGS {
        lines.push(format!("> and {}", plural::count(view.warnings.len() - MAX_WARNINGS, "more warning")));
    }
    lines.join("\n>\n") + "\n\n"
}

fn folded_rows(view: &View) -> String {
    if view.rows.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "<details><summary>All {}</summary>\n\n\
         | verdict | benchmark | base | head | change | interval | margin | rounds | scatter | q | |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
        plural::count(view.rows.len(), "row")
    );
    for row in view.rows.iter().take(MAX_FOLDED_ROWS) {
        text += &format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            row.verdict.as_str(),
            label(row),
            escape::markdown_inline(&row.base),
            escape::markdown_inline(&row.head),
            row.change,
            row.interval,
            row.margin,
            row.rounds,
            row.scatter,
            row.q_value,
            sentence(row),
        );
    }
    if view.rows.len() > MAX_FOLDED_ROWS {
        let more = quantity::count((view.rows.len() - MAX_FOLDED_ROWS) as u64);
        text += &format!("\nand {more} more in the JSON\n");
    }
    text + "\n</details>\n\n"
}

fn facts(view: &View) -> String {
    let mut text = "<details><summary>Method, machine, how to repeat it</summary>\n\n".to_owned();
    for fact in view.facts.iter().filter(|fact| !OPEN_FACTS.contains(&fact.label)) {
        text += &format!("- {}: {}\n", fact.label, line(&fact.line));
    }
    text + "\n</details>\n"
}

#[cfg(test)]
mod tests {
    use super::{MAX_OPEN_ROWS, render};
    use crate::format::example;
    use crate::model::{
        outcome::Outcome,
        run::Warning,
        verdict::{CheckVerdict, Verdict},
    };

    #[test]
    fn a_regressed_check_reads_well_in_a_comment() {
        insta::assert_snapshot!(render(&example::verdict()), @"
        ### ❌ regressed: 1 of 6 benchmarks got slower (`num/sieve` +5.0 %)

        also error: 1 benchmark could not be measured

        also incomplete: 1 benchmark is missing

        1 regressed · 1 failed · 1 missing · 1 waived · 1 inconclusive · 1 improved · 1 new · 1 unchanged · 1 identical

        - compared: 6 of 9 benchmarks, 1 identical, 1 inconclusive, 1 new, 1 missing, 1 failed, 1 left out, 5 disturbed blocks thrown away
        - left out: `x/skipped` (`--filter num`)
        - ruled out: a slowdown beyond the margin of 2 % for 2 of 5 tested, one of 10 % for 5 of 5

        | verdict | benchmark | base | head | change | interval |
        |---|---|--:|--:|--:|--:|
        | ❌ regressed | `num/sieve` | 17.3 µs | 18.1 µs | **+5.0 %** | +4.3 to +5.7 % |
        | ❌ failed | `io/read` |  |  |  |  |
        | ❌ missing | `num/gone` |  |  |  |  |
        | ⚠️ waived | `tree/walk` | 1.21 ms | 1.30 ms | **+8.0 %** | +7.2 to +8.7 % |
        | ⚠️ inconclusive | `sort/quick` | 5.22 µs | 5.42 µs | **+3.9 %** | -1.1 to +8.9 % |
        | 🚀 improved | `hash/fnv` | 2.32 µs | 2.11 µs | **-9.0 %** | -9.8 to -8.3 % |
        | 🆕 new | `sort/new` |  |  |  |  |

        - `num/sieve`: slower, by 4.3 % at least
        - `io/read`: head exited with code 101: thread 'main' panicked at <code>benches&#47;io&#46;rs&#58;12&#58;5&#58;</code> no such file
        - `num/gone`: only base has it; rename it in `tollgate.toml` or take it out on purpose
        - `tree/walk`: slower by 8.0 %, waived up to 10 % by ada until 2027-01-31: the new tree keeps parents
        - `sort/quick`: a slowdown of up to 8.9 % could not be ruled out; give it more time with `--budget`
        - `hash/fnv`: faster, by 8.3 % at least; store it with `tollgate baseline accept`
        - `sort/new`: only head has it; nothing to compare with

        > ⚠️ `Cargo.lock` differs between base and head

        <details><summary>All 9 rows</summary>

        | verdict | benchmark | base | head | change | interval | margin | rounds | scatter | q | |
        |---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|
        | regressed | `num/sieve` | 17.3 µs | 18.1 µs | +5.0 % | +4.3 to +5.7 % | 2 % | 6 | 0.9 % | 5.0e-5 | slower, by 4.3 % at least |
        | failed | `io/read` |  |  |  |  | 2 % |  |  |  | head exited with code 101: thread 'main' panicked at <code>benches&#47;io&#46;rs&#58;12&#58;5&#58;</code> no such file |
        | missing | `num/gone` |  |  |  |  | 2 % |  |  |  | only base has it; rename it in `tollgate.toml` or take it out on purpose |
        | waived | `tree/walk` | 1.21 ms | 1.30 ms | +8.0 % | +7.2 to +8.7 % | 2 % | 6 | 0.9 % | 2.0e-5 | slower by 8.0 %, waived up to 10 % by ada until 2027-01-31: the new tree keeps parents |
        | inconclusive | `sort/quick` | 5.22 µs | 5.42 µs | +3.9 % | -1.1 to +8.9 % | 2 % | 6 | 0.98 % | 0.19 | a slowdown of up to 8.9 % could not be ruled out; give it more time with `--budget` |
        | improved | `hash/fnv` | 2.32 µs | 2.11 µs | -9.0 % | -9.8 to -8.3 % | 2 % | 6 | 1.9 % | 1 | faster, by 8.3 % at least; store it with `tollgate baseline accept` |
        | new | `sort/new` |  |  |  |  | 2 % |  |  |  | only head has it; nothing to compare with |
        | unchanged | `num/fact` | 815 ns | 818 ns | +0.32 % | -0.41 to +0.87 % | 2 % | 6 | 1.3 % | 0.73 | a slowdown of more than 0.9 % is ruled out |
        | identical | <code>layout&#47;a&#124;b&#32;&#60;i&#62;</code> |  |  |  |  | 2 % |  |  |  | same machine code on both sides: it cannot have changed |

        </details>

        <details><summary>Method, machine, how to repeat it</summary>

        - noise: processes scatter by 0.98 % (median), 1.9 % at most; the smallest change found four times in five: 0.9 %
        - tests: 5 tests of time by Benjamini-Hochberg at 1 %; each end of an interval holds with 99.5 % confidence, what is ruled out with 90 %
        - revisions: base `4f2a91c03 (main)`, head `work tree`; measured in turn, 71 s in all
        - machine: AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0 (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
        - again: `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again; `tollgate judge` on its JSON judges it again

        </details>
        ");
    }

    #[test]
    fn a_clean_check_has_nothing_open_but_the_answer() {
        let clean = example::verdict_of(&["num/fact", "layout/a|b <i>"], Outcome::Pass, "");
        insta::assert_snapshot!(render(&clean), @"
        ### ✅ pass: no regression in 2 benchmarks (1 unchanged, 1 identical)

        1 unchanged · 1 identical

        - compared: 2 of 2 benchmarks, 1 identical
        - ruled out: a slowdown beyond the margin of 2 % for 1 of 1 tested, one of 10 % for 1 of 1

        <details><summary>All 2 rows</summary>

        | verdict | benchmark | base | head | change | interval | margin | rounds | scatter | q | |
        |---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|
        | unchanged | `num/fact` | 815 ns | 818 ns | +0.32 % | -0.41 to +0.87 % | 2 % | 6 | 1.3 % | 0.73 | a slowdown of more than 0.9 % is ruled out |
        | identical | <code>layout&#47;a&#124;b&#32;&#60;i&#62;</code> |  |  |  |  | 2 % |  |  |  | same machine code on both sides: it cannot have changed |

        </details>

        <details><summary>Method, machine, how to repeat it</summary>

        - noise: processes scatter by 1.3 %; the smallest change found four times in five: 0.9 %
        - tests: 2 tests of time by Benjamini-Hochberg at 1 %; each end of an interval holds with 99.5 % confidence, what is ruled out with 90 %
        - revisions: base `4f2a91c03 (main)`, head `work tree`; measured in turn, 71 s in all
        - machine: AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0 (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
        - again: `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again; `tollgate judge` on its JSON judges it again

        </details>
        ");
    }

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
        assert_eq!(open.matches("❌ regressed |").count(), MAX_OPEN_ROWS);
        assert!(open.contains("- and 297 more rows below"), "{open}");
        assert!(text.contains("and 109 more in the JSON"), "{}", &text[text.len() - 900..]);
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
                assert!(cells == 7 || cells == 12, "{line}");
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
