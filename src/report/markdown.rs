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
        assert_eq!(open.matches("❌ regressed |").count(), 10);
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
                assert!(cells == 6 || cells == 12, "{line}");
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
