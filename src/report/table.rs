//! The verdict for a terminal. Colours only when asked for; fits any width from 40 columns on.

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets::NOTHING};

use super::view::{Line, Piece, Row, View};
use crate::model::{
    outcome::Outcome,
    verdict::{CheckVerdict, Verdict},
};
use crate::text::{
    escape::{columns, shortened, terminal},
    quantity,
};

/// Up to so many rows are all shown; of a longer table, rows without news are only counted.
const ALL_ROWS: usize = 20;
/// A narrower terminal is treated as this wide.
const NARROWEST: usize = 40;
/// Names get at least this much room before other columns do.
const NAME_ROOM: usize = 24;
/// Between two columns.
const GAP: usize = 2;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to write colours (ANSI). The caller knows the terminal, `--color` and `NO_COLOR`.
    pub colour: bool,
    /// Columns of the terminal; 100 when piped.
    pub width: usize,
    /// Whether a long table shows unchanged and identical rows too, and every row its sentence.
    pub verbose: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 100, verbose: false }
    }
}

/// The table of a verdict: the answer, the rows, the facts; ends in a newline.
#[must_use]
pub fn render(verdict: &CheckVerdict, style: Style) -> String {
    let style = Style { width: style.width.max(NARROWEST), ..style };
    let view = View::of(verdict);
    let mut text = paint(&wrap(&plain(&view.summary), 0, style.width), answer_colour(verdict.outcome), style);
    for line in &view.also {
        text += &wrap(&plain(line), 0, style.width);
    }
    text += &rows(&view, style);
    text += "\n";
    for fact in &view.facts {
        text += &labelled(fact.label, &plain(&fact.line), style.width);
    }
    for warning in &view.warnings {
        text += &labelled("warning", &terminal(warning), style.width);
    }
    text
}

fn plain(line: &Line) -> String {
    let pieces = line.iter().map(|piece| match piece {
        Piece::Text(text) => terminal(text),
        Piece::Name(name) => shortened(&terminal(name), 60),
    });
    terminal(&pieces.collect::<String>())
}

/// The rows with their sentences, and a count of those left out.
fn rows(view: &View, style: Style) -> String {
    let all = style.verbose || view.rows.len() <= ALL_ROWS;
    let shown: Vec<&Row> = view.rows.iter().filter(|row| all || row.is_notable()).collect();
    let mut text = String::new();
    if !shown.is_empty() {
        text += "\n";
        let mut lines = grid(&shown, style).into_iter();
        text += &lines.next().map(|header| header + "\n").unwrap_or_default();
        for (row, line) in shown.iter().zip(lines) {
            text += &line;
            text += "\n";
            if (row.is_notable() || style.verbose) && !row.sentence.is_empty() {
                for line in row.sentence_lines() {
                    text += &wrap(&terminal(&line), 4, style.width);
                }
            }
        }
    }
    let folded: Vec<String> = view
        .counts
        .iter()
        .filter(|(verdict, _)| !all && matches!(verdict, Verdict::Unchanged | Verdict::Identical))
        .map(|(verdict, count)| format!("{} {}", quantity::count(*count as u64), verdict.as_str()))
        .collect();
    if !folded.is_empty() {
        let more = format!("and {} (`-v` shows them)", folded.join(", "));
        text += &wrap(&more, 0, style.width);
    }
    text
}

/// Which cells a row has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Verdict,
    Name,
    Base,
    Head,
    Change,
    Interval,
    Rounds,
    Scatter,
}

impl Column {
    fn title(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Name => "benchmark",
            Self::Base => "base",
            Self::Head => "head",
            Self::Change => "change",
            Self::Interval => "interval",
            Self::Rounds => "rounds",
            Self::Scatter => "scatter",
        }
    }

    fn text(self, row: &Row) -> String {
        match self {
            Self::Verdict => row.verdict.as_str().to_owned(),
            Self::Name => terminal(&row.label()),
            Self::Base => terminal(&row.base),
            Self::Head => terminal(&row.head),
            Self::Change => row.change.clone(),
            Self::Interval => row.interval.clone(),
            Self::Rounds => row.rounds.clone(),
            Self::Scatter => row.scatter.clone(),
        }
    }

    fn is_number(self) -> bool {
        !matches!(self, Self::Verdict | Self::Name)
    }
}

/// Header and rows, one line each.
fn grid(rows: &[&Row], style: Style) -> Vec<String> {
    let (columns, name_width) = layout(rows, style.width);
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    match style.colour {
        true => table.enforce_styling(),
        false => table.force_no_tty(),
    };
    let header = columns.iter().map(|column| Cell::new(column.title()).add_attribute(Attribute::Bold));
    table.set_header(header.collect::<Vec<_>>());
    for row in rows {
        let cells = columns.iter().map(|&column| cell(column, row, name_width));
        table.add_row(cells.collect::<Vec<_>>());
    }
    for (at, column) in columns.iter().enumerate() {
        if let Some(drawn) = table.column_mut(at) {
            let last = at + 1 == columns.len();
            drawn.set_padding((0, if last { 0 } else { 2 }));
            if column.is_number() {
                drawn.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn cell(column: Column, row: &Row, name_width: usize) -> Cell {
    let text = column.text(row);
    match column {
        Column::Name => Cell::new(shortened(&text, name_width)),
        Column::Verdict => match row_colour(row.verdict) {
            Some(colour) => Cell::new(text).fg(colour).add_attribute(Attribute::Bold),
            None => Cell::new(text),
        },
        _ => Cell::new(text),
    }
}

/// The richest set of columns that leaves names their room, and the room that names get.
fn layout(rows: &[&Row], width: usize) -> (Vec<Column>, usize) {
    use Column::{Base, Change, Head, Interval, Name, Rounds, Scatter, Verdict};
    let sets: [&[Column]; 4] = [
        &[Verdict, Name, Base, Head, Change, Interval, Rounds, Scatter],
        &[Verdict, Name, Base, Head, Change, Interval],
        &[Verdict, Name, Change, Interval],
        &[Verdict, Name, Change],
    ];
    let widest = |column: Column| {
        let texts = rows.iter().map(|row| columns(&column.text(row)));
        texts.chain([column.title().len()]).max().unwrap_or(0)
    };
    let longest_name = widest(Name);
    let room = |set: &[Column]| {
        let others: usize = set.iter().filter(|column| **column != Name).map(|column| widest(*column)).sum();
        width.saturating_sub(others + GAP * (set.len() - 1))
    };
    let fits = |set: &&&[Column]| room(set) >= longest_name.min(NAME_ROOM);
    let set = sets.iter().find(fits).copied().unwrap_or(sets[3]);
    (set.to_vec(), room(set).max(9))
}

fn row_colour(verdict: Verdict) -> Option<Color> {
    match verdict {
        Verdict::Regressed | Verdict::Failed | Verdict::Missing => Some(Color::Red),
        Verdict::Waived | Verdict::Inconclusive => Some(Color::Yellow),
        Verdict::Improved => Some(Color::Green),
        Verdict::New => Some(Color::Cyan),
        Verdict::Unchanged | Verdict::Identical => None,
    }
}

/// The ANSI code of an outcome.
fn answer_colour(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Pass => 32,
        Outcome::Regressed | Outcome::Error(_) => 31,
        Outcome::Inconclusive | Outcome::Incomplete => 33,
    }
}

fn paint(lines: &str, colour: u8, style: Style) -> String {
    match style.colour {
        true => format!("\u{1b}[1;{colour}m{}\u{1b}[0m\n", lines.trim_end_matches('\n')),
        false => lines.to_owned(),
    }
}

/// A fact or warning: its label, then its text with the following lines indented.
fn labelled(label: &str, text: &str, width: usize) -> String {
    const INDENT: usize = 11;
    let wrapped = wrap(text, INDENT, width);
    let (_, first) = wrapped.split_at(INDENT.min(wrapped.len()));
    format!("{:<INDENT$}{first}", format!("{label}:"))
}

/// Breaks a text at spaces into indented lines of at most `width` columns, each with a newline. A longer word is cut.
fn wrap(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(10);
    let margin = " ".repeat(indent);
    let mut wrapped = margin.clone();
    let mut used = 0;
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        // A number keeps its per cent sign.
        let tail = words.peek().filter(|next| next.starts_with('%')).map_or(0, |next| columns(next) + 1);
        if used > 0 {
            if used + 1 + columns(word) + tail > room {
                wrapped += &format!("\n{margin}");
                used = 0;
            } else {
                wrapped.push(' ');
                used += 1;
            }
        }
        for (at, character) in word.char_indices() {
            let wide = columns(character.encode_utf8(&mut [0; 4]));
            if used + wide > room {
                wrapped += &format!("\n{margin}");
                used = 0;
            }
            // GitHub's runner obeys a line that begins with two colons.
            if used == 0 && word[at..].starts_with("::") {
                wrapped.push('\\');
                used = 1;
            }
            wrapped.push(character);
            used += wide;
        }
    }
    wrapped + "\n"
}

#[cfg(test)]
mod tests {
    use super::{Style, columns, render, wrap};
    use crate::format::example;
    use crate::model::{outcome::Outcome, verdict::Verdict};

    fn narrow(width: usize) -> Style {
        Style { width, ..Style::default() }
    }

    #[test]
    fn a_regressed_check_shows_what_matters_first() {
        insta::assert_snapshot!(render(&example::verdict(), Style::default()), @"
        regressed: 1 of 6 benchmarks got slower (num/sieve +5.0 %)
        also error: 1 benchmark could not be measured
        also incomplete: 1 benchmark is missing

        verdict       benchmark          base     head   change          interval  rounds  scatter
        regressed     num/sieve       17.3 µs  18.1 µs   +5.0 %    +4.3 to +5.7 %       6    0.9 %
            slower, by 4.3 % at least
        failed        io/read
            head exited with code 101: thread 'main' panicked at benches/io.rs:12:5: no such file
        missing       num/gone
            only base has it; rename it in `tollgate.toml` or take it out on purpose
        waived        tree/walk       1.21 ms  1.30 ms   +8.0 %    +7.2 to +8.7 %       6    0.9 %
            slower by 8.0 %, waived up to 10 % by ada until 2027-01-31: the new tree keeps parents
        inconclusive  sort/quick      5.22 µs  5.42 µs   +3.9 %    -1.1 to +8.9 %       6   0.98 %
            a slowdown of up to 8.9 % could not be ruled out; give it more time with `--budget`
        improved      hash/fnv        2.32 µs  2.11 µs   -9.0 %    -9.8 to -8.3 %       6    1.9 %
            faster, by 8.3 % at least; store it with `tollgate baseline accept`
        new           sort/new
            only head has it; nothing to compare with
        unchanged     num/fact         815 ns   818 ns  +0.32 %  -0.41 to +0.87 %       6   1.31 %
        identical     layout/a|b <i>

        compared:  6 of 9 benchmarks, 1 identical, 1 inconclusive, 1 new, 1 missing, 1 failed, 1 left out, 5
                   disturbed blocks thrown away
        ruled out: a slowdown beyond the margin of 2 % for 2 of 5 tested, one of 10 % for 5 of 5
        noise:     processes scatter by 0.98 % (median), 1.9 % at most; the smallest change found four times
                   in five: 0.9 %
        tests:     5 tests of time by Benjamini-Hochberg at 1 %; each end of an interval holds with 99.5 %
                   confidence
        revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
        machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0
                   (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
        again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again;
                   `tollgate judge` on its JSON judges it again
        warning:   `Cargo.lock` differs between base and head
        ");
    }

    #[test]
    fn a_narrow_terminal_keeps_the_verdict_the_name_and_the_change() {
        insta::assert_snapshot!(render(&example::verdict(), narrow(60)), @"
        regressed: 1 of 6 benchmarks got slower (num/sieve +5.0 %)
        also error: 1 benchmark could not be measured
        also incomplete: 1 benchmark is missing

        verdict       benchmark        change          interval
        regressed     num/sieve        +5.0 %    +4.3 to +5.7 %
            slower, by 4.3 % at least
        failed        io/read
            head exited with code 101: thread 'main' panicked at
            benches/io.rs:12:5: no such file
        missing       num/gone
            only base has it; rename it in `tollgate.toml` or take
            it out on purpose
        waived        tree/walk        +8.0 %    +7.2 to +8.7 %
            slower by 8.0 %, waived up to 10 % by ada until
            2027-01-31: the new tree keeps parents
        inconclusive  sort/quick       +3.9 %    -1.1 to +8.9 %
            a slowdown of up to 8.9 % could not be ruled out; give
            it more time with `--budget`
        improved      hash/fnv         -9.0 %    -9.8 to -8.3 %
            faster, by 8.3 % at least; store it with `tollgate
            baseline accept`
        new           sort/new
            only head has it; nothing to compare with
        unchanged     num/fact        +0.32 %  -0.41 to +0.87 %
        identical     layout/a|b <i>

        compared:  6 of 9 benchmarks, 1 identical, 1 inconclusive, 1
                   new, 1 missing, 1 failed, 1 left out, 5 disturbed
                   blocks thrown away
        ruled out: a slowdown beyond the margin of 2 % for 2 of 5
                   tested, one of 10 % for 5 of 5
        noise:     processes scatter by 0.98 % (median), 1.9 % at
                   most; the smallest change found four times in
                   five: 0.9 %
        tests:     5 tests of time by Benjamini-Hochberg at 1 %;
                   each end of an interval holds with 99.5 %
                   confidence
        revisions: base 4f2a91c03 (main), head work tree; measured
                   in turn, 71 s in all
        machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB,
                   linux-x86_64 6.8, kvm, rustc 1.95.0 (f2d3ce0bd
                   2026-03-21), profile bench; environment
                   a3f09c0d4e5b6172
        again:     `tollgate check --base 4f2a91c03 --seed
                   18446744073709551609` measures it again;
                   `tollgate judge` on its JSON judges it again
        warning:   `Cargo.lock` differs between base and head
        ");
        insta::assert_snapshot!(render(&example::verdict(), narrow(40)), @"
        regressed: 1 of 6 benchmarks got slower
        (num/sieve +5.0 %)
        also error: 1 benchmark could not be
        measured
        also incomplete: 1 benchmark is missing

        verdict       benchmark        change
        regressed     num/sieve        +5.0 %
            slower, by 4.3 % at least
        failed        io/read
            head exited with code 101: thread
            'main' panicked at
            benches/io.rs:12:5: no such file
        missing       num/gone
            only base has it; rename it in
            `tollgate.toml` or take it out on
            purpose
        waived        tree/walk        +8.0 %
            slower by 8.0 %, waived up to 10 %
            by ada until 2027-01-31: the new
            tree keeps parents
        inconclusive  sort/quick       +3.9 %
            a slowdown of up to 8.9 % could not
            be ruled out; give it more time with
            `--budget`
        improved      hash/fnv         -9.0 %
            faster, by 8.3 % at least; store it
            with `tollgate baseline accept`
        new           sort/new
            only head has it; nothing to compare
            with
        unchanged     num/fact        +0.32 %
        identical     layout/a|b <i>

        compared:  6 of 9 benchmarks, 1
                   identical, 1 inconclusive, 1
                   new, 1 missing, 1 failed, 1
                   left out, 5 disturbed blocks
                   thrown away
        ruled out: a slowdown beyond the margin
                   of 2 % for 2 of 5 tested, one
                   of 10 % for 5 of 5
        noise:     processes scatter by 0.98 %
                   (median), 1.9 % at most; the
                   smallest change found four
                   times in five: 0.9 %
        tests:     5 tests of time by
                   Benjamini-Hochberg at 1 %;
                   each end of an interval holds
                   with 99.5 % confidence
        revisions: base 4f2a91c03 (main), head
                   work tree; measured in turn,
                   71 s in all
        machine:   AMD EPYC 7763 64-Core
                   Processor, 4 cores, 16 GiB,
                   linux-x86_64 6.8, kvm, rustc
                   1.95.0 (f2d3ce0bd
                   2026-03-21), profile bench;
                   environment a3f09c0d4e5b6172
        again:     `tollgate check --base
                   4f2a91c03 --seed
                   18446744073709551609`
                   measures it again; `tollgate
                   judge` on its JSON judges it
                   again
        warning:   `Cargo.lock` differs between
                   base and head
        ");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut verdict = example::verdict();
        verdict.judgements[0].display_id = "größe/日本語/".repeat(40);
        verdict.judgements[1].reason = "x".repeat(5_000);
        for width in [0, 40, 47, 60, 72, 80, 100, 133, 400] {
            let text = render(&verdict, narrow(width));
            let widest = text.lines().map(columns).max().unwrap();
            assert!(widest <= width.max(40), "{widest} in {width}:\n{text}");
        }
    }

    #[test]
    fn a_clean_check_says_so() {
        let clean = example::verdict_of(&["num/fact", "hash/fnv", "layout/a|b <i>"], Outcome::Pass, "");
        insta::assert_snapshot!(render(&clean, Style::default()), @"
        pass: no regression in 3 benchmarks (1 improved, 1 unchanged, 1 identical)

        verdict    benchmark          base     head   change          interval  rounds  scatter
        improved   hash/fnv        2.32 µs  2.11 µs   -9.0 %    -9.8 to -8.3 %       6    1.9 %
            faster, by 8.3 % at least; store it with `tollgate baseline accept`
        unchanged  num/fact         815 ns   818 ns  +0.32 %  -0.41 to +0.87 %       6   1.31 %
        identical  layout/a|b <i>

        compared:  3 of 3 benchmarks, 1 identical
        ruled out: a slowdown beyond the margin of 2 % for 2 of 2 tested, one of 10 % for 2 of 2; none is
                   slower by more than 0.87 %
        noise:     processes scatter by 1.9 %; the smallest change found four times in five: 0.9 %
        tests:     3 tests of time by Benjamini-Hochberg at 1 %; each end of an interval holds with 99.5 %
                   confidence
        revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
        machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0
                   (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
        again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again;
                   `tollgate judge` on its JSON judges it again
        ");
        let identical = example::verdict_of(&["layout/a|b <i>"], Outcome::Pass, "");
        insta::assert_snapshot!(render(&identical, Style::default()).lines().next().unwrap(), @"pass: the one benchmark has the same machine code on both sides");
    }

    #[test]
    fn the_other_outcomes_give_their_reason() {
        let first = |ids: &[&str], outcome, reason| {
            render(&example::verdict_of(ids, outcome, reason), Style::default())
        };
        let blind = "a slowdown of 10 % could not be ruled out for 1 of 1 benchmark";
        let mut dark = example::verdict_of(&["sort/quick"], Outcome::Inconclusive, blind);
        dark.judgements[0].blind = Some(true);
        dark.judgements[0].change.as_mut().unwrap().upper = Some(0.171);
        dark.judgements[0].reason =
            "a slowdown of up to 17 % is possible; give it more time with `--budget`".into();
        insta::assert_snapshot!(render(&dark, Style { width: 120, ..Style::default() }), @"
        inconclusive: a slowdown of 10 % could not be ruled out for 1 of 1 benchmark

        verdict       benchmark      base     head  change         interval  rounds  scatter
        inconclusive  sort/quick  5.22 µs  5.42 µs  +3.9 %  -1.1 to +17.1 %       6   0.98 %
            a slowdown of up to 17 % is possible; give it more time with `--budget`

        compared:  1 of 1 benchmark, 1 inconclusive
        ruled out: a slowdown beyond the margin of 2 % for 0 of 1 tested, one of 10 % for 0 of 1; none is slower by more than
                   17.1 %
        noise:     processes scatter by 0.98 %; the smallest change found four times in five: 0.9 %
        tests:     1 test of time by Benjamini-Hochberg at 1 %; each end of an interval holds with 99.5 % confidence
        revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
        machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0 (f2d3ce0bd 2026-03-21),
                   profile bench; environment a3f09c0d4e5b6172
        again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again; `tollgate judge` on its JSON
                   judges it again
        ");
        insta::assert_snapshot!(first(&["sort/new", "num/gone"], Outcome::Incomplete, "1 benchmark vanished"), @"
        incomplete: 1 benchmark vanished

        verdict  benchmark  base  head  change  interval  rounds  scatter
        missing  num/gone
            only base has it; rename it in `tollgate.toml` or take it out on purpose
        new      sort/new
            only head has it; nothing to compare with

        compared:  0 of 2 benchmarks, 1 new, 1 missing
        revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
        machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0
                   (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
        again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again;
                   `tollgate judge` on its JSON judges it again
        ");
        let failed = Outcome::Error(crate::model::outcome::ErrorClass::Measurement);
        insta::assert_snapshot!(first(&["io/read"], failed, "1 benchmark could not be measured"), @"
        error: 1 benchmark could not be measured

        verdict  benchmark  base  head  change  interval  rounds  scatter
        failed   io/read
            head exited with code 101: thread 'main' panicked at benches/io.rs:12:5: no such file

        compared:  0 of 1 benchmark, 1 failed
        revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
        machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0
                   (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
        again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again;
                   `tollgate judge` on its JSON judges it again
        ");
        insta::assert_snapshot!(first(&[], Outcome::Incomplete, "no benchmarks were found"), @"
        incomplete: no benchmarks were found

        compared:  0 of 0 benchmarks
        revisions: base 4f2a91c03 (main), head work tree; measured in turn, 71 s in all
        machine:   AMD EPYC 7763 64-Core Processor, 4 cores, 16 GiB, linux-x86_64 6.8, kvm, rustc 1.95.0
                   (f2d3ce0bd 2026-03-21), profile bench; environment a3f09c0d4e5b6172
        again:     `tollgate check --base 4f2a91c03 --seed 18446744073709551609` measures it again;
                   `tollgate judge` on its JSON judges it again
        ");
    }

    #[test]
    fn colours_come_only_when_asked_for_and_change_no_text() {
        let plain = render(&example::verdict(), Style::default());
        assert!(!plain.contains('\u{1b}'));
        let painted = render(&example::verdict(), Style { colour: true, ..Style::default() });
        assert!(painted.starts_with("\u{1b}[1;31mregressed"));
        let mut stripped = String::new();
        let mut rest = painted.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            stripped += before;
            rest = after.split_once('m').unwrap().1;
        }
        stripped += rest;
        let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(trimmed(&stripped), trimmed(&plain));
    }

    #[test]
    fn a_long_table_counts_the_rows_without_news() {
        let mut verdict = example::verdict();
        for at in 0..30 {
            verdict.judgements.push(example::count_row(&format!("n/{at:02}"), 1e6, 1e6, Verdict::Unchanged));
        }
        let text = render(&verdict, Style::default());
        assert!(text.contains("and 31 unchanged, 1 identical (`-v` shows them)"), "{text}");
        assert!(!text.contains("n/07"));
        let text = render(&verdict, Style { verbose: true, ..Style::default() });
        assert!(text.contains("n/07 (instructions)"));
        assert!(text.contains("a slowdown of more than 0.9 % is ruled out"));
    }

    #[test]
    fn wrapping_cuts_words_only_when_it_must() {
        assert_eq!(wrap("aaa bbb ccc", 2, 12), "  aaa bbb\n  ccc\n");
        assert_eq!(wrap(&"x".repeat(12), 0, 10), "xxxxxxxxxx\nxx\n");
        assert_eq!(wrap("aaaaaaaa ::error::x", 1, 11), " aaaaaaaa\n \\::error::\n x\n");
        assert_eq!(wrap("xxxxxxxxxx::error::", 0, 10), "xxxxxxxxxx\n\\::error::\n");
        assert_eq!(wrap("aaaa 10 % bb", 0, 10), "aaaa 10 %\nbb\n");
        assert_eq!(wrap("aaaaa bb 10 % b", 0, 10), "aaaaa bb\n10 % b\n");
    }
}
