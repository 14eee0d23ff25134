//! The document: the answer, the counts, the table, the load, what it all rests on.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{details, load, rows};
use crate::model::{
    run::Mode,
    verdict::{CheckVerdict, Verdict},
};
use crate::report::{
    json as json_report, sentences,
    view::{self, Fact, Line, Piece, View},
};
use crate::text::{escape, plural, quantity};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Rows of the table; the JSON has all.
const MAX_ROWS: usize = 5_000;
/// Warnings that are shown.
const MAX_WARNINGS: usize = 100;
/// A longer name or warning loses its middle.
const LONGEST: usize = 600;
/// The fact that has a command to copy.
const AGAIN: &str = "again";
/// These say what the answer rests on.
const FIRST_FACTS: [&str; 3] = ["compared", "left out", "ruled out"];

/// The page of a verdict: one file that asks nothing of anybody.
#[must_use]
pub fn render(verdict: &CheckVerdict) -> String {
    let view = View::of(verdict);
    let mut page = head(verdict, &view);
    page += "<main>\n";
    page += &warnings(&view);
    page += &table(verdict, &view);
    page += &view.load.as_ref().map(|load| load::render(verdict, load)).unwrap_or_default();
    page += &basis(verdict, &view);
    page += "</main>\n";
    page += &end(verdict, &view);
    page
}

/// A sentence: what stands between backticks is code.
pub(super) fn prose(text: &str) -> String {
    let text = escape::shortened(text, LONGEST);
    let mut html = String::new();
    let mut rest = text.as_str();
    while let Some((before, code, after)) = code_span(rest) {
        html += &format!("{}<code>{}</code>", escape::html(before), escape::html(code));
        rest = after;
    }
    html += &escape::html(rest);
    // A number keeps its sign.
    html.replace(" %", "&nbsp;%")
}

fn code_span(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    (!code.trim().is_empty()).then_some((before, code, after))
}

fn line(line: &Line) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => prose(text),
        Piece::Name(name) => {
            format!("<code>{}</code>", escape::html(&escape::shortened(&escape::visible(name), 120)))
        }
    };
    line.iter().map(piece).collect()
}

/// The answer's line without its first word, which stands apart.
fn answer(view: &View, word: &str) -> String {
    let mut summary = view.summary.clone();
    if let Some(Piece::Text(text)) = summary.first_mut() {
        *text = text.strip_prefix(word).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(text).to_owned();
    }
    line(&summary)
}

/// Up to the answer and its counts.
fn head(verdict: &CheckVerdict, view: &View) -> String {
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        digest(SCRIPT),
        digest(STYLE)
    );
    let word = verdict.outcome.as_str();
    let version = escape::html(&escape::shortened(&verdict.tool_version, 40));
    let also: String =
        view.also.iter().map(|also| format!("<p class=\"also\">{}</p>\n", line(also))).collect();
    let mut sides = String::new();
    if let Some(base) = &verdict.base {
        sides +=
            &format!("{} <span aria-label=\"against\">→</span> ", line(&vec![Piece::Name(base.describe())]));
    }
    sides += &line(&vec![Piece::Name(verdict.head.describe())]);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"generator\" content=\"tollgate {version}\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{word} · tollgate</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#rows\">To the table</a>\n\
         <header class=\"outcome {word}\">\n<div class=\"top\"><p class=\"brand\"><b>tollgate</b> {sides}</p>\
         <p class=\"tools\"><button type=\"button\" id=\"download\" hidden>Verdict as JSON</button> <button type=\"button\" id=\"print\" hidden>Print</button></p></div>\n\
         <h1><span class=\"word\">{word}</span> {}</h1>\n{also}</header>\n",
        answer(view, word),
    )
}

fn warnings(view: &View) -> String {
    if view.warnings.is_empty() {
        return String::new();
    }
    let shown = view.warnings.iter().take(MAX_WARNINGS);
    let mut items: String = shown.map(|warning| format!("<li>{}</li>\n", prose(warning))).collect();
    if view.warnings.len() > MAX_WARNINGS {
        items += &format!(
            "<li>and {} in the JSON</li>\n",
            plural::count(view.warnings.len() - MAX_WARNINGS, "more warning")
        );
    }
    format!("<section class=\"warnings\" aria-label=\"Warnings\"><ul>\n{items}</ul></section>\n")
}

fn facts<'a>(facts: impl Iterator<Item = &'a Fact>) -> String {
    facts.map(|fact| format!("<div><dt>{}</dt><dd>{}</dd></div>\n", fact.label, line(&fact.line))).collect()
}

fn first(fact: &&Fact) -> bool {
    FIRST_FACTS.contains(&fact.label)
}

fn table(verdict: &CheckVerdict, view: &View) -> String {
    let basis = format!("<dl class=\"facts\">\n{}</dl>\n", facts(view.facts.iter().filter(first)));
    if view.rows.is_empty() {
        let words = if view.load.is_some() {
            "Nothing was compared: this is load without a base."
        } else {
            "There are no rows: nothing was measured."
        };
        return format!(
            "<section id=\"rows\" tabindex=\"-1\" aria-label=\"Benchmarks\">\n<p class=\"empty\">{words}</p>\n{basis}</section>\n"
        );
    }
    let chip = |(verdict, count): &(Verdict, usize)| {
        let word = verdict.as_str();
        let count = quantity::count(*count as u64);
        format!(
            "<button type=\"button\" class=\"chip {word}\" data-verdict=\"{word}\" aria-pressed=\"false\"><span class=\"verdict\">{word}</span> <b>{count}</b></button>\n"
        )
    };
    let chips: String = view.counts.iter().map(chip).collect();
    let judgements = view::ordered(verdict);
    let pairs = judgements.iter().zip(&view.rows).take(MAX_ROWS).enumerate();
    let body: String = pairs.map(|(index, (judgement, row))| rows::row(judgement, row, index)).collect();
    let more = view.rows.len().saturating_sub(MAX_ROWS);
    let more = if more > 0 {
        format!("<p class=\"empty\">and {} in the JSON</p>\n", plural::count(more, "more row"))
    } else {
        String::new()
    };
    let all = plural::count(view.rows.len(), "row");
    format!(
        "<section id=\"rows\" tabindex=\"-1\" aria-label=\"Benchmarks\">\n\
         <div class=\"controls\"><div class=\"chips\" role=\"group\" aria-label=\"Show only rows with these verdicts\">{chips}</div>\
         <p class=\"find\"><input id=\"search\" type=\"search\" placeholder=\"Find a benchmark\" aria-label=\"Find a benchmark\" autocomplete=\"off\" spellcheck=\"false\" disabled>\
         <span id=\"shown\" role=\"status\">{all}</span></p></div>\n\
         <table id=\"table\"><caption>Each benchmark with its change from base to head, the interval that holds the true change, and the margin. \
         The band of the picture is the margin; every row has the same scale.</caption>\n{}{body}</table>\n\
         <p id=\"none\" class=\"empty\" hidden>No row is like that. <button type=\"button\" id=\"reset\">Show all rows</button></p>\n{more}{basis}</section>\n",
        rows::head(),
    )
}

/// Method, machine, how to repeat it.
fn basis(verdict: &CheckVerdict, view: &View) -> String {
    let environment = &verdict.environment;
    let flags = if environment.flags.is_empty() {
        String::new()
    } else {
        format!(
            "<div><dt>flags</dt><dd><code>{}</code></dd></div>\n",
            escape::html(&escape::shortened(&escape::visible(&environment.flags), LONGEST))
        )
    };
    let again = view.facts.iter().filter(|fact| fact.label == AGAIN).map(|fact| {
        let command = match verdict.mode {
            Mode::Paired | Mode::Stored => escape::html(&sentences::check_command(verdict)),
            Mode::OneLook | Mode::Single => String::new(),
        };
        let copy = if command.is_empty() {
            String::new()
        } else {
            format!(" <button type=\"button\" data-copy=\"{command}\" hidden>Copy</button>")
        };
        format!(
            "<div><dt>{}</dt><dd class=\"copy\"><span>{}</span>{copy}</dd></div>\n",
            fact.label,
            line(&fact.line)
        )
    });
    let again: String = again.collect();
    let seed = format!("<div><dt>seed</dt><dd><code>{}</code></dd></div>\n", verdict.seed);
    format!(
        "<section aria-labelledby=\"basis\"><h2 id=\"basis\">Method, machine, how to repeat it</h2>\n<dl class=\"facts\">\n{}{flags}{seed}{again}</dl>\n\
         <p class=\"note\">{}</p></section>\n",
        facts(view.facts.iter().filter(|fact| !first(fact) && fact.label != AGAIN)),
        method(verdict.mode),
    )
}

/// What a reader must know to trust a row, by how base and head were compared. The long version is in `docs/statistics.md`.
fn method(mode: Mode) -> String {
    let how = match mode {
        Mode::Paired => {
            "Each point is one fresh process, or one load trial. Base and head take turns in blocks of six, in an order dealt at random, and the change \
            is tested by that very order: how often would another deal have shown as much?"
        }
        Mode::Stored => "Head was measured now; base's values come from stored runs of the same environment.",
        Mode::OneLook => {
            "The values come from a finished measurement and were judged in one look; how they were measured is not known here."
        }
        Mode::Single => return "One revision was measured alone: nothing was compared.".to_owned(),
    };
    format!(
        "{how} A benchmark is <em>regressed</em> when head is shown to be worse and the estimate reaches the margin, <em>unchanged</em> when a worsening beyond the \
         margin is ruled out, and <em>inconclusive</em> when neither could be shown."
    )
}

/// The data for the script, the script, and the verdict itself.
fn end(verdict: &CheckVerdict, view: &View) -> String {
    let judgements = view::ordered(verdict);
    let pairs = judgements.iter().zip(&view.rows).take(MAX_ROWS);
    let all: Vec<Value> = pairs
        .map(|(judgement, row)| details::row(verdict, judgement, row, view::rank(row.verdict)))
        .collect();
    // `<` could end the element that holds the data; in JSON it stands in strings only, where its code means the same.
    let data = json!({ "labels": rows::labels(), "rows": all }).to_string().replace('<', "\\u003c");
    format!(
        "<footer><p>Made by tollgate {}. This file holds all its data and asks no other place for anything.</p>\
         <noscript><p>Without its script this page neither sorts nor draws; every number of the table stands above.</p></noscript></footer>\n\
         <script type=\"application/json\" id=\"data\">{data}</script>\n<script>{SCRIPT}</script>\n\
         <script type=\"application/octet-stream\" id=\"verdict\">{}</script>\n</body>\n</html>\n",
        escape::html(&escape::shortened(&verdict.tool_version, 40)),
        packed(verdict),
    )
}

/// The verdict's JSON, packed: it goes into the page whole, and pages of many samples stay small.
fn packed(verdict: &CheckVerdict) -> String {
    // No name, no time: the same verdict gives the same bytes.
    let mut packer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    // Writing to memory cannot fail.
    let _ = packer.write_all(&json_report::render(verdict));
    STANDARD.encode(packer.finish().unwrap_or_default())
}

fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}
