//! The rows of the verdict table, each with its interval against the margin.

use std::fmt::Write as _;

use super::{details, page::prose};
use crate::model::verdict::Judgement;
use crate::report::view::Row;
use crate::text::escape;

/// A longer name loses its middle; the opened row has more of it.
const LONGEST_NAME: usize = 160;
/// A longer value has an odd unit, which loses its middle.
const LONGEST_VALUE: usize = 28;
/// Half the width of the bar, in its own units.
const HALF: f64 = 60.0;
/// Margins from the middle of the bar to its end.
const MARGINS: f64 = 15.0;
/// What a margin of 0 is drawn as, relative.
const TINY_MARGIN: f64 = 0.000_1;

/// The row at this place of the table.
pub(super) fn row(judgement: &Judgement, row: &Row, index: usize) -> String {
    let verdict = row.verdict.as_str();
    let name = escape::html(&escape::shortened(&escape::visible(&row.name), LONGEST_NAME));
    let metric = row.metric.as_ref().map_or_else(String::new, |metric| {
        format!(" <span class=\"metric\">{}</span>", escape::html(&escape::shortened(metric, 40)))
    });
    let sentence = row
        .sentence_lines()
        .first()
        .filter(|_| row.is_notable())
        .map_or_else(String::new, |line| format!("<p>{}</p>", prose(line)));
    format!(
        "<tbody class=\"{verdict}\" data-row=\"{index}\"><tr><td><span class=\"verdict\">{verdict}</span></td>\
         <th scope=\"row\"><button type=\"button\" class=\"open\" aria-expanded=\"false\">{name}{metric}</button>{sentence}</th>\
         <td class=\"wide\">{}</td><td class=\"wide\">{}</td><td class=\"change\">{}{}</td><td class=\"bar\">{}</td>\
         <td class=\"wide\">{}</td><td class=\"wide\">{}</td></tr></tbody>\n",
        escape::html(&escape::shortened(&row.base, LONGEST_VALUE)),
        escape::html(&escape::shortened(&row.head, LONGEST_VALUE)),
        row.change,
        if row.interval.is_empty() { String::new() } else { format!("<small>{}</small>", row.interval) },
        bar(judgement),
        if judgement.change.is_some() { &row.margin } else { "" },
        row.rounds,
    )
}

/// The interval on a scale of margins: its middle is no change, the band is the margin, and the distance grows like a logarithm, so
/// that every row has the same scale. The numbers stand beside it, so it is left to the eye.
fn bar(judgement: &Judgement) -> String {
    let Some(change) = judgement.change else { return String::new() };
    let margin = if judgement.margin > 0.0 { judgement.margin } else { TINY_MARGIN };
    let place = |value: f64| HALF + HALF * ((value / margin).asinh() / MARGINS.asinh()).clamp(-1.0, 1.0);
    let (lower, upper) = (change.lower.map_or(0.0, place), change.upper.map_or(2.0 * HALF, place));
    let (low, high) = (place(-margin), place(margin));
    let mut bar = format!(
        "<svg viewBox=\"-3 0 126 14\" aria-hidden=\"true\"><path class=\"band\" d=\"M{low:.0} 1H{high:.0}V13H{low:.0}z\"/>"
    );
    // An interval of no width is still seen: the ends are round.
    let _ = write!(
        bar,
        "<path class=\"axis\" d=\"M60 0V14\"/><path class=\"range\" d=\"M{lower:.1} 7H{upper:.1}\"/><path class=\"dot\" d=\"M{:.1} 7h0\"/></svg>",
        place(change.estimate)
    );
    bar
}

/// The table's head: what is sorted by, its title, how its cells look.
const COLUMNS: [(&str, &str, &str); 8] = [
    ("verdict", "verdict", ""),
    ("benchmark", "benchmark", ""),
    ("base", "base", "wide number"),
    ("head", "head", "wide number"),
    ("change", "change", "number"),
    ("", "against the margin", "bar"),
    ("margin", "margin", "wide number"),
    ("rounds", "rounds", "wide number"),
];

/// The head of the table. The buttons sort once the script runs; the rows come sorted by what they mean.
pub(super) fn head() -> String {
    let cell = |(key, title, class): (&str, &str, &str)| {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        match key {
            "" => format!("<th scope=\"col\"{class}>{title}</th>"),
            "verdict" => format!(
                "<th scope=\"col\"{class} aria-sort=\"ascending\"><button type=\"button\" data-sort=\"{key}\">{title}</button></th>"
            ),
            _ => format!(
                "<th scope=\"col\"{class}><button type=\"button\" data-sort=\"{key}\">{title}</button></th>"
            ),
        }
    };
    format!("<thead><tr>{}</tr></thead>\n", COLUMNS.map(cell).concat())
}

/// What the facts of an opened row are about.
pub(super) fn labels() -> serde_json::Value {
    serde_json::json!(details::LABELS)
}
