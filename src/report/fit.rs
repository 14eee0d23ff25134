//! A report within a size: the least important goes first, a regression never.
//!
//! What surrounds the rows gets shorter in steps ([`DETAILS`]). Into the room that is left go the rows in their order, which is
//! that of importance; where not even the regressions fit, they get shorter lines, then only their names and a count.

use super::{
    parts,
    view::{Row, View},
};
use crate::model::verdict::Verdict;
use crate::text::plural;

/// A text cut to a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// The Markdown, at most as large as was asked for.
    pub text: String,
    /// Rows that were left out for size. Regressions are not among them: the text names them, or counts those for whose names
    /// there was no room.
    pub left_out: usize,
}

/// How much is shown around the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Detail {
    /// Rows that stand open.
    pub(super) open: usize,
    /// Columns of a name.
    pub(super) name: usize,
    /// Columns of a line of a sentence.
    pub(super) sentence: usize,
    /// Lines of a sentence.
    pub(super) lines: usize,
    /// Warnings in full.
    pub(super) warnings: usize,
    /// Outcomes besides the deciding one.
    pub(super) also: usize,
    /// Acceptances in full.
    pub(super) accepted: usize,
    /// Earlier verdicts.
    pub(super) earlier: usize,
    /// Whether the facts that say what the answer rests on are shown, and what to do now.
    pub(super) basis: bool,
    /// Whether method, machine and the numbers of load are shown, folded.
    pub(super) folds: bool,
    /// Whether targets and score are shown.
    pub(super) load: bool,
}

/// Everything.
pub(super) const FULL: Detail = Detail {
    open: 10,
    name: 100,
    sentence: 600,
    lines: 8,
    warnings: 20,
    also: 6,
    accepted: 20,
    earlier: 10,
    basis: true,
    folds: true,
    load: true,
};

/// From everything to the bare answer.
const DETAILS: [Detail; 4] = [
    FULL,
    Detail { name: 60, sentence: 160, lines: 1, warnings: 5, accepted: 10, earlier: 3, ..FULL },
    Detail {
        name: 40,
        sentence: 0,
        lines: 0,
        warnings: 0,
        also: 2,
        accepted: 3,
        earlier: 0,
        folds: false,
        load: false,
        ..FULL
    },
    Detail {
        open: 0,
        name: 24,
        sentence: 0,
        lines: 0,
        warnings: 0,
        also: 0,
        accepted: 0,
        earlier: 0,
        basis: false,
        folds: false,
        load: false,
    },
];

/// How a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Characters as the strictest server counts them: UTF-16 code units.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
}

impl Unit {
    pub(super) fn length(self, text: &str) -> usize {
        match self {
            Self::Characters => text.chars().map(char::len_utf16).sum(),
            Self::Bytes => text.len(),
        }
    }
}

/// What stands before and after the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) before: String,
    pub(super) after: String,
}

/// How rows that do not stand open are drawn.
pub(super) struct Layout<'a> {
    /// Whether the rows that stand open are repeated.
    pub(super) all: bool,
    /// The table's header with its delimiter line.
    pub(super) header: &'a str,
    /// One row of the table.
    pub(super) row: &'a dyn Fn(&Row, &Detail) -> String,
    /// Who has all rows: `the JSON`, as Markdown.
    pub(super) elsewhere: &'a str,
}

/// The largest text within `limit`.
pub(super) fn fit(
    view: &View,
    (limit, unit): (usize, Unit),
    frame: impl Fn(&Detail) -> Frame,
    layout: &Layout,
) -> Fitted {
    for (at, detail) in DETAILS.iter().enumerate() {
        let Frame { before, after } = frame(detail);
        let used = unit.length(&before) + unit.length(&after);
        let Some(room) = limit.checked_sub(used) else { continue };
        // A frame that takes little would make no room for regressions by getting smaller.
        let is_small = used * 4 <= limit || at + 1 == DETAILS.len();
        let rest = rest(view, detail, layout.all);
        let is_all = rest.len() == view.rows.len();
        if let Some(filled) = (Filling { rest: &rest, is_all, room, unit, layout, detail }).fill(is_small) {
            return Fitted { text: before + &filled.text + &after, left_out: filled.left_out };
        }
    }
    bare(view, limit, unit)
}

/// The rows that the table holds, in their order.
fn rest<'a>(view: &'a View, detail: &Detail, all: bool) -> Vec<&'a Row> {
    let mut open = if all { 0 } else { detail.open };
    let is_open = |row: &&Row| {
        let shown = open > 0 && row.is_notable();
        open -= usize::from(shown);
        shown
    };
    let (_, rest): (Vec<&Row>, Vec<&Row>) = view.rows.iter().partition(is_open);
    rest
}

/// The answer's word and a count, where hostile texts leave no room for anything else.
fn bare(view: &View, limit: usize, unit: Unit) -> Fitted {
    let regressed = view.rows.iter().filter(|row| row.verdict == Verdict::Regressed).count();
    let word = view.outcome;
    let text = format!(
        "### {word}: too long to be shown here · {}\n\n{}, {}; the JSON has all of it\n",
        view.action,
        plural::count(view.rows.len(), "row"),
        plural::count(regressed, "regression"),
    );
    let fits = unit.length(&text) <= limit;
    Fitted { text: if fits { text } else { String::new() }, left_out: view.rows.len() - regressed }
}

/// Rows on their way into a room.
struct Filling<'a> {
    rest: &'a [&'a Row],
    /// Whether no row stands elsewhere, or those that do are repeated.
    is_all: bool,
    room: usize,
    unit: Unit,
    detail: &'a Detail,
    layout: &'a Layout<'a>,
}

impl Filling<'_> {
    /// The rows in the largest form that fits; `None` where regressions would be cut to names, unless that `is_last`.
    fn fill(&self, is_last: bool) -> Option<Fitted> {
        if self.rest.is_empty() {
            return Some(Fitted { text: String::new(), left_out: 0 });
        }
        let regressed = self.rest.iter().take_while(|row| row.verdict == Verdict::Regressed).count();
        let in_table = self.table(regressed);
        in_table.or_else(|| self.lines(regressed)).or_else(|| is_last.then(|| self.names(regressed)))
    }

    /// As many rows as fit, if all regressions do.
    fn table(&self, regressed: usize) -> Option<Fitted> {
        let frame =
            self.unit.length(&self.folded(0, self.layout.header)) + self.unit.length(&self.note(usize::MAX));
        let mut room = self.room.checked_sub(frame).or((regressed == 0).then_some(0))?;
        let mut rows = String::new();
        let mut shown = 0;
        for row in self.rest {
            let line = (self.layout.row)(row, self.detail);
            let Some(left) = room.checked_sub(self.unit.length(&line)) else { break };
            (room, shown) = (left, shown + 1);
            rows += &line;
        }
        let left_out = self.rest.len() - shown;
        match shown {
            _ if shown < regressed => None,
            0 => Some(Fitted { text: self.note_alone(left_out), left_out }),
            _ => {
                let body = format!("{}{rows}{}", self.layout.header, self.note(left_out));
                Some(Fitted { text: self.folded(shown, &body), left_out })
            }
        }
    }

    /// The regressions in short lines.
    fn lines(&self, regressed: usize) -> Option<Fitted> {
        let left_out = self.rest.len() - regressed;
        let lines = self.rest[..regressed].iter().map(|row| {
            let change = if row.change.is_empty() { String::new() } else { format!(" {}", row.change) };
            format!("- {}{change}\n", parts::label(row, 60))
        });
        let body = lines.collect::<String>() + &self.note(left_out);
        let text = self.folded(regressed, &body);
        (self.unit.length(&text) <= self.room).then_some(Fitted { text, left_out })
    }

    /// As many names of regressions as fit, with a count of the others.
    fn names(&self, regressed: usize) -> Fitted {
        let left_out = self.rest.len() - regressed;
        let more = |count: usize| format!(" and {}\n", plural::count(count, "more regression"));
        let around = self.folded(regressed, &(more(usize::MAX) + &self.note(usize::MAX)));
        let mut room = self.room.saturating_sub(self.unit.length(&around));
        let mut names = Vec::new();
        for row in &self.rest[..regressed] {
            let name = parts::code(&row.name, 40);
            let Some(left) = room.checked_sub(self.unit.length(&name) + 2) else { break };
            room = left;
            names.push(name);
        }
        let unnamed = regressed - names.len();
        let more = match (unnamed, names.is_empty()) {
            (0, _) => "\n".to_owned(),
            (count, true) => {
                format!("{}, for whose names there is no room\n", plural::count(count, "more regression"))
            }
            (count, false) => more(count),
        };
        let text = self.folded(regressed, &format!("{}{more}{}", names.join(", "), self.note(left_out)));
        match self.unit.length(&text) <= self.room {
            true => Fitted { text, left_out },
            false => Fitted { text: String::new(), left_out },
        }
    }

    /// The folded section that holds `shown` rows.
    fn folded(&self, shown: usize, body: &str) -> String {
        let rows = plural::count(shown, "row");
        let title = match (self.is_all, shown == self.rest.len()) {
            (true, true) => format!("All {rows}"),
            (true, false) => rows,
            (false, true) if shown == 1 => "The other row".to_owned(),
            (false, true) => format!("The other {rows}"),
            (false, false) => format!("{rows} more"),
        };
        parts::folded(&title, body)
    }

    /// How many rows are not there, and where they are.
    fn note(&self, left_out: usize) -> String {
        match left_out {
            0 => String::new(),
            count => format!(
                "\n{} left out for size; {} has all of them\n",
                self.left(count),
                self.layout.elsewhere
            ),
        }
    }

    fn note_alone(&self, left_out: usize) -> String {
        let text = self.note(left_out) + "\n";
        if self.unit.length(&text) <= self.room { text } else { String::new() }
    }

    /// `1,200 rows (unchanged, identical)`.
    fn left(&self, count: usize) -> String {
        let mut words: Vec<&str> = Vec::new();
        for row in self.rest.iter().rev().take(count.min(self.rest.len())).rev() {
            if row.verdict != Verdict::Regressed && words.last() != Some(&row.verdict.as_str()) {
                words.push(row.verdict.as_str());
            }
        }
        format!("{} ({})", plural::count(count, "row"), words.join(", "))
    }
}
