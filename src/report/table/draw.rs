//! The rows in columns, and the lines around them.

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets::NOTHING};

use super::{load, wrap::wrap};
use crate::model::{
    outcome::Outcome,
    verdict::{CheckVerdict, Verdict},
};
use crate::report::view::{Line, Piece, Row, View};
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
    if let Some(view) = &view.load {
        text += &load::render(view, style);
    }
    text += "\n";
    for fact in &view.facts {
        text += &labelled(fact.label, &plain(&fact.line), style.width);
    }
    for warning in &view.warnings {
        text += &labelled("warning", &terminal(warning), style.width);
    }
    text
}

/// The short form, for where somebody waits: the answer and the rows that are bad news, at most `most` of them; ends in a newline.
#[must_use]
pub fn brief(verdict: &CheckVerdict, style: Style, most: usize) -> String {
    let style = Style { width: style.width.max(NARROWEST), ..style };
    let view = View::of(verdict);
    let mut text = paint(&wrap(&plain(&view.summary), 0, style.width), answer_colour(verdict.outcome), style);
    let bad = |row: &&Row| matches!(row.verdict, Verdict::Regressed | Verdict::Failed | Verdict::Missing);
    let rows: Vec<&Row> = view.rows.iter().filter(bad).collect();
    let shown = &rows[..rows.len().min(most)];
    if !shown.is_empty() {
        text += &grid(shown, style).iter().map(|line| line.clone() + "\n").collect::<String>();
    }
    if rows.len() > shown.len() {
        text += &format!("and {} more\n", quantity::count((rows.len() - shown.len()) as u64));
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
