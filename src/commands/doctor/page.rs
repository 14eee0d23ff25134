//! Lines of a report, broken between words, with facts in one column.

use crate::text::escape::{columns, terminal};

/// The column in which facts begin.
const LABEL_COLUMNS: usize = 16;
/// The columns of a cell.
const CELL_COLUMNS: usize = 20;
/// No line is broken into less than this.
const LEAST_WIDTH: usize = 40;

/// Lines of a page, broken between words.
pub(super) struct Page {
    text: String,
    width: usize,
}

impl Page {
    pub(super) fn new(width: usize) -> Self {
        Self { text: String::new(), width: width.max(LEAST_WIDTH) }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        self.broken("", 0, text);
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.text.push('\n');
        self.broken("", 0, text);
    }

    pub(super) fn fact(&mut self, label: &str, text: &str) {
        self.item(label, LABEL_COLUMNS, text);
    }

    /// A label, then text that stays in its column.
    pub(super) fn item(&mut self, label: &str, column: usize, text: &str) {
        self.broken(&format!("  {label}"), column.max(2), text);
    }

    pub(super) fn row(&mut self, label: &str, cells: &[String]) {
        let mut line = pad(&format!("  {label}"), LABEL_COLUMNS);
        for cell in cells {
            line.push_str(&pad(cell, CELL_COLUMNS));
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn broken(&mut self, label: &str, column: usize, text: &str) {
        let mut line = pad(label, column);
        let mut empty = true;
        for word in words(text) {
            if !empty && columns(&line) + 1 + columns(&word) > self.width {
                self.text.push_str(line.trim_end());
                self.text.push('\n');
                line = " ".repeat(column);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(&word);
            empty = false;
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

/// The words between which a line may be broken: not before a unit of per cent. Each is safe at the start of a line, where a CI log
/// would obey `::error::` in the name of some process.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match words.last_mut() {
            Some(last) if word.starts_with('%') => *last = format!("{last} {word}"),
            _ => words.push(terminal(word)),
        }
    }
    words
}

/// At least one blank follows a text that is not empty.
fn pad(text: &str, column: usize) -> String {
    let missing = column.saturating_sub(columns(text)).max(usize::from(!text.trim().is_empty()));
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_long_fact_stays_in_its_column_and_a_long_word_is_not_cut() {
        let mut page = Page::new(40);
        page.fact("load", "averages of one, five and fifteen minutes");
        page.item("1.", 4, &"x".repeat(50));
        page.heading("next");
        page.paragraph("");
        let expected = format!(
            "  load          averages of one, five\n                and fifteen minutes\n  1. {}\n\nnext\n\n",
            "x".repeat(50)
        );
        // The label reaches its column, so one blank is put between
        assert_eq!(page.into_text(), expected);
    }

    #[test]
    fn no_line_begins_with_a_workflow_command_or_a_lonely_per_cent() {
        let mut page = Page::new(40);
        page.paragraph("a process with the name of x and others ::error::y");
        let text = page.into_text();
        assert!(text.contains("\n\\u{3a}:error::y"), "{text}");
        let mut page = Page::new(40);
        page.paragraph("thirty-eight letters and blanks, and 17 %, which is too much for one line");
        assert!(page.into_text().contains("\n17 %, which"));
    }
}
