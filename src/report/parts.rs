//! The pieces of a verdict in GitHub's Markdown that a comment, a job summary and a file share. All that a pull request can
//! name goes through [`escape`] here.

use super::{
    bar,
    fit::Detail,
    view::{Fact, Line, Piece, Row, View},
};
use crate::model::verdict::Verdict;
use crate::text::{escape, plural, quantity};

/// A longer part of a line loses its middle.
const LONGEST_TEXT: usize = 600;

/// A sign for the eye; the word stands beside it.
pub(super) fn mark(exit_code: u8) -> &'static str {
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

/// A line with names of at most `most` columns.
pub(super) fn line(line: &Line, most: usize) -> String {
    let pieces = line.iter().map(|piece| match piece {
        Piece::Text(text) => escape::markdown_inline(&escape::shortened(text, LONGEST_TEXT.min(most * 5))),
        Piece::Name(name) => code(name, most),
    });
    pieces.collect()
}

/// A name as code, in at most `most` columns.
pub(super) fn code(name: &str, most: usize) -> String {
    escape::markdown_code(&escape::shortened(&escape::visible(name), most))
}

/// The benchmark of a row, with the metric behind it where that is not time.
pub(super) fn label(row: &Row, most: usize) -> String {
    match &row.metric {
        Some(metric) => {
            format!("{} {}", code(&row.name, most), escape::markdown_inline(&escape::shortened(metric, 40)))
        }
        None => code(&row.name, most),
    }
}

/// What a person can do with a row; empty where there is no room for it.
pub(super) fn sentence(row: &Row, detail: &Detail) -> String {
    let lines = row.sentence_lines();
    let shown = lines.iter().take(detail.lines);
    let shown = shown.map(|line| escape::markdown_inline(&escape::shortened(line, detail.sentence)));
    shown.collect::<Vec<_>>().join("<br>")
}

/// The answer and what is asked of the reader, as a heading: the first line is what a mail notification shows.
pub(super) fn heading(view: &View, exit_code: u8, detail: &Detail) -> String {
    format!("### {} {} · {}\n\n", mark(exit_code), line(&view.summary, detail.name), view.action)
}

/// What else applied, and how many rows have each verdict: that it ran, and on what.
pub(super) fn counts(view: &View, detail: &Detail) -> String {
    let mut text = String::new();
    for also in view.also.iter().take(detail.also) {
        text += &format!("{}\n\n", line(also, detail.name));
    }
    if view.also.len() > detail.also {
        text += &format!("and {}\n\n", plural::count(view.also.len() - detail.also, "more reason"));
    }
    let counts: Vec<String> = view
        .counts
        .iter()
        .map(|(verdict, n)| {
            let count = format!("{} {}", quantity::count(*n as u64), verdict.as_str());
            if *verdict == Verdict::Regressed { format!("**{count}**") } else { count }
        })
        .collect();
    if !counts.is_empty() {
        text += &format!("{}\n\n", counts.join(" · "));
    }
    text
}

/// The rows that matter, the first `detail.open` of them, and how many are further down.
pub(super) fn open_rows(view: &View, detail: &Detail) -> String {
    let notable: Vec<&Row> = view.notable().collect();
    let open = &notable[..notable.len().min(detail.open)];
    if open.is_empty() {
        return String::new();
    }
    let has_numbers = open.iter().any(|row| !row.change.is_empty());
    let mut text = match has_numbers {
        true => "| benchmark | change | ←\u{a0}better\u{a0}·\u{a0}worse\u{a0}→ | base\u{a0}→\u{a0}head |\n|---|--:|---|--:|\n".to_owned(),
        false => "| benchmark |\n|---|\n".to_owned(),
    };
    for row in open {
        text += &open_row(row, has_numbers, detail);
    }
    if notable.len() > open.len() {
        let more = plural::count(notable.len() - open.len(), "more row");
        text += &format!("\nand {more} below\n");
    }
    text + "\n"
}

fn open_row(row: &Row, has_numbers: bool, detail: &Detail) -> String {
    let sentence = sentence(row, detail);
    let apart = if sentence.is_empty() { "" } else { "<br>" };
    let about = format!(
        "{} **{}** {}{apart}{sentence}",
        row_mark(row.verdict),
        row.verdict.as_str(),
        label(row, detail.name)
    );
    if !has_numbers {
        return format!("| {about} |\n");
    }
    let change = match row.change.as_str() {
        "" => String::new(),
        change if row.interval.is_empty() => format!("**{}**", unbroken(change)),
        // A change and its interval are our own text, which has no markup in it.
        change => format!("**{}**<br>{}", unbroken(change), unbroken(&row.interval)),
    };
    let bar = if row.bar.is_empty() { String::new() } else { format!("`{}`", row.bar) };
    format!("| {about} | {change} | {bar} | {} |\n", values_apart(row))
}

/// Base's value over head's.
fn values_apart(row: &Row) -> String {
    unbroken(&values(row)).replace("\u{a0}→\u{a0}", "<br>→\u{a0}")
}

/// A short text that stays in one line.
fn unbroken(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

/// A value with its unit, which a metric may name as it likes.
pub(super) fn value(text: &str) -> String {
    escape::markdown_inline(&escape::shortened(text, 60))
}

/// Base's value and head's, as far as there are any.
pub(super) fn values(row: &Row) -> String {
    match (row.base.as_str(), row.head.as_str()) {
        ("", "") => String::new(),
        (base, "") => format!("{} →", value(base)),
        ("", head) => format!("→ {}", value(head)),
        (base, head) => format!("{} → {}", value(base), value(head)),
    }
}

/// What the reader should be warned of.
pub(super) fn warnings(view: &View, detail: &Detail) -> String {
    let shown = view.warnings.iter().take(detail.warnings);
    let mut lines: Vec<String> = shown
        .map(|warning| {
            let warning = escape::shortened(warning, detail.sentence.max(100));
            format!("> ⚠️ {}", escape::markdown_inline(&warning))
        })
        .collect();
    let more = view.warnings.len().saturating_sub(detail.warnings);
    if more > 0 {
        let and = if lines.is_empty() { "" } else { "and " };
        let noun = if lines.is_empty() { "warning" } else { "more warning" };
        lines.push(format!("> {and}{}", plural::count(more, noun)));
    }
    if lines.is_empty() { String::new() } else { lines.join("\n>\n") + "\n\n" }
}

/// Facts of some labels as a list.
pub(super) fn facts(view: &View, wanted: impl Fn(&Fact) -> bool) -> String {
    let facts = view.facts.iter().filter(|fact| wanted(fact));
    facts.map(|fact| format!("- {}: {}\n", fact.label, line(&fact.line, 120))).collect()
}

/// How to read the bars of the rows, as a list item.
pub(super) fn legend(view: &View) -> String {
    match view.rows.iter().any(|row| !row.bar.is_empty()) {
        true => format!("- bars: {}\n", escape::markdown_inline(bar::LEGEND)),
        false => String::new(),
    }
}

/// A section that is folded; nothing for one without a body.
pub(super) fn folded(title: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!("<details><summary>{title}</summary>\n\n{body}\n</details>\n\n")
}

/// A link to a web address of others; `None` for anything but a plain address of the web.
pub(super) fn link(text: &str, address: &str) -> Option<String> {
    let plain = address.len() <= 2000 && (address.starts_with("https://") || address.starts_with("http://"));
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&+,;=%".contains(&byte);
    (plain && address.bytes().all(safe)).then(|| format!("[{text}](<{address}>)"))
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn only_plain_addresses_of_the_web_become_links() {
        assert_eq!(
            link("report", "https://github.com/o/r/actions/runs/1#x").unwrap(),
            "[report](<https://github.com/o/r/actions/runs/1#x>)"
        );
        for odd in
            ["javascript:x", "https://a.b/>c", "https://a.b/ c", "https://a.b/\n", "ftp://a.b", "https://ä.b"]
        {
            assert_eq!(link("report", odd), None, "{odd}");
        }
        assert_eq!(link("report", &format!("https://a.b/{}", "x".repeat(3000))), None);
    }
}
