//! What every format says of a verdict: the answer, the rows in order with rounded cells, the facts beside them.
//!
//! Nothing here is escaped: names, units and sentences are still the producer's, and each format makes them safe in its
//! own way. Our own words carry no markup but backticks around commands.

use super::{bar, load::LoadView, sentences};
use crate::model::{
    metric::Direction,
    run::Warning,
    verdict::{CheckVerdict, Judgement, Verdict},
};
use crate::text::{escape, quantity};

/// A sentence of more lines shows its first and its last ones.
const SENTENCE_LINES: usize = 8;
/// A longer line loses its middle.
const SENTENCE_COLUMNS: usize = 600;

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A sentence or a part of it.
    Text(String),
    /// The name of a benchmark, revision or file, set apart where the format can.
    Name(String),
}

/// A line of text with names in it.
pub type Line = Vec<Piece>;

/// A verdict as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The outcome's word.
    pub outcome: &'static str,
    /// What is asked of the reader: `no action needed` or `please read`.
    pub action: &'static str,
    /// The answer in one line, the outcome's word first.
    pub summary: Line,
    /// What else applied besides the deciding outcome.
    pub also: Vec<Line>,
    /// How many rows have each verdict, in the order of the rows; verdicts without rows are left out.
    pub counts: Vec<(Verdict, usize)>,
    /// All rows, those that matter most first.
    pub rows: Vec<Row>,
    /// The load with its targets and score, where there was any.
    pub load: Option<LoadView>,
    /// What to know about the check as a whole.
    pub facts: Vec<Fact>,
    /// What the reader should be warned of.
    pub warnings: Vec<String>,
}

/// One row: cells are rounded, empty where there is no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The conclusion.
    pub verdict: Verdict,
    /// The benchmark's id as shown.
    pub name: String,
    /// The metric; `None` for time.
    pub metric: Option<String>,
    /// Base's value with its unit.
    pub base: String,
    /// Head's value with its unit.
    pub head: String,
    /// The estimated change.
    pub change: String,
    /// The interval that holds the true change.
    pub interval: String,
    /// The interval as a bar against the margin, for text of one width.
    pub bar: String,
    /// The margin.
    pub margin: String,
    /// The rounds it rests on.
    pub rounds: String,
    /// How much its processes scatter.
    pub scatter: String,
    /// The adjusted p-value.
    pub q_value: String,
    /// What a person can do with it.
    pub sentence: String,
}

/// Something to know about the check as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is about: `compared`, `machine`, …
    pub label: &'static str,
    /// What there is to say.
    pub line: Line,
}

impl View {
    /// The view of a verdict.
    #[must_use]
    pub fn of(verdict: &CheckVerdict) -> Self {
        let judgements = ordered(verdict);
        Self {
            outcome: verdict.outcome.as_str(),
            action: sentences::action(verdict),
            summary: sentences::summary(verdict, &judgements),
            also: sentences::also(verdict),
            counts: counts(&judgements),
            rows: judgements.into_iter().map(Row::of).collect(),
            load: LoadView::of(verdict),
            facts: sentences::facts(verdict),
            // That a shard is missing is an outcome, and said as such.
            warnings: verdict
                .warnings
                .iter()
                .filter(|warning| warning.code != Warning::MISSING_SHARD)
                .map(|warning| warning.message.clone())
                .collect(),
        }
    }

    /// The rows that somebody should look at: all but unchanged and identical ones.
    pub fn notable(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.is_notable())
    }
}

impl Row {
    fn of(row: &Judgement) -> Self {
        let value =
            |value: Option<f64>| value.map_or_else(String::new, |v| quantity::value(v, &row.metric.unit));
        Self {
            verdict: row.verdict,
            name: row.display_id.clone(),
            metric: (row.metric.name != "time").then(|| row.metric.name.clone()),
            base: value(row.base),
            head: value(row.head),
            change: row.change.map_or_else(String::new, |change| quantity::change(change.estimate)),
            interval: row.change.map_or_else(String::new, |c| quantity::interval(c.lower, c.upper)),
            bar: row.change.map_or_else(String::new, |c| bar::draw(&c, row.margin, row.metric.direction)),
            margin: quantity::percent(row.margin),
            rounds: if row.rounds == 0 { String::new() } else { row.rounds.to_string() },
            scatter: row.scatter.map_or_else(String::new, quantity::share),
            q_value: row.q_value.map_or_else(String::new, quantity::p_value),
            sentence: row.reason.clone(),
        }
    }

    /// Whether somebody should look at it.
    #[must_use]
    pub fn is_notable(&self) -> bool {
        !matches!(self.verdict, Verdict::Unchanged | Verdict::Identical)
    }

    /// The sentence in lines that fit a report: a crash brings the tail of its stderr along. Long ones lose their middle.
    #[must_use]
    pub fn sentence_lines(&self) -> Vec<String> {
        let lines: Vec<&str> = self.sentence.lines().filter(|line| !line.trim().is_empty()).collect();
        let skipped = lines.len().saturating_sub(SENTENCE_LINES);
        let kept = lines.iter().take(1).chain(lines.iter().skip(1 + skipped));
        kept.map(|line| escape::shortened(line, SENTENCE_COLUMNS)).collect()
    }

    /// The benchmark's id, with the metric behind it where that is not time: `num/sieve (instructions)`.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.metric {
            Some(metric) => format!("{} ({metric})", self.name),
            None => self.name.clone(),
        }
    }
}

/// The judgements in the order of [`View::rows`].
pub(super) fn ordered(verdict: &CheckVerdict) -> Vec<&Judgement> {
    let mut judgements: Vec<&Judgement> = verdict.judgements.iter().collect();
    judgements.sort_by(|a, b| {
        let by_verdict = rank(a.verdict).cmp(&rank(b.verdict));
        let by_name = (&a.display_id, &a.metric.name).cmp(&(&b.display_id, &b.metric.name));
        by_verdict.then_with(|| weight(b).total_cmp(&weight(a))).then(by_name)
    });
    judgements
}

/// What fails a check comes first, what cannot have changed last.
pub(super) fn rank(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Regressed => 0,
        Verdict::Failed => 1,
        Verdict::Missing => 2,
        Verdict::Waived => 3,
        Verdict::Inconclusive => 4,
        Verdict::Improved => 5,
        Verdict::New => 6,
        Verdict::Unchanged => 7,
        Verdict::Identical => 8,
    }
}

/// How much a row matters among those of its verdict: the size of its change, or of what could not be ruled out.
fn weight(row: &Judgement) -> f64 {
    let Some(change) = row.change else { return 0.0 };
    let worse_end = match row.metric.direction {
        Direction::Lower => change.upper,
        Direction::Higher => change.lower.map(|lower| -lower),
    };
    match row.verdict {
        Verdict::Inconclusive => worse_end.unwrap_or(f64::INFINITY),
        Verdict::Unchanged => 0.0,
        _ => change.estimate.abs(),
    }
}

fn counts(ordered: &[&Judgement]) -> Vec<(Verdict, usize)> {
    let mut counts: Vec<(Verdict, usize)> = Vec::new();
    for row in ordered {
        match counts.last_mut() {
            Some((verdict, count)) if *verdict == row.verdict => *count += 1,
            _ => counts.push((row.verdict, 1)),
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::{Piece, View};
    use crate::format::example;
    use crate::model::{
        metric::Direction,
        outcome::Outcome,
        verdict::{Change, Verdict},
    };

    fn order(view: &View) -> Vec<(&str, &str)> {
        view.rows.iter().map(|row| (row.verdict.as_str(), row.name.as_str())).collect()
    }

    #[test]
    fn rows_come_by_what_they_mean_for_the_check() {
        let words: Vec<&str> =
            View::of(&example::verdict()).rows.iter().map(|row| row.verdict.as_str()).collect();
        assert_eq!(
            words,
            [
                "regressed",
                "failed",
                "missing",
                "waived",
                "inconclusive",
                "improved",
                "new",
                "unchanged",
                "identical"
            ]
        );
    }

    #[test]
    fn the_largest_regression_comes_first_whatever_its_direction() {
        let mut verdict = example::verdict();
        verdict.judgements = vec![
            example::count_row("small", 100.0, 102.0, Verdict::Regressed),
            example::count_row("large", 100.0, 150.0, Verdict::Regressed),
            example::count_row("throughput", 100.0, 70.0, Verdict::Regressed),
        ];
        verdict.judgements[2].metric.direction = Direction::Higher;
        let view = View::of(&verdict);
        assert_eq!(
            order(&view),
            [("regressed", "large"), ("regressed", "throughput"), ("regressed", "small")]
        );
        insta::assert_debug_snapshot!(view.summary, @r#"
        [
            Text(
                "regressed: 3 of 6 benchmarks got worse (",
            ),
            Name(
                "large instructions",
            ),
            Text(
                " +50.0 %",
            ),
            Text(
                ", ",
            ),
            Name(
                "throughput instructions",
            ),
            Text(
                " -30.0 %",
            ),
            Text(
                ", ",
            ),
            Name(
                "small instructions",
            ),
            Text(
                " +2.0 %",
            ),
            Text(
                ")",
            ),
        ]
        "#);
    }

    #[test]
    fn metrics_of_one_benchmark_count_it_once() {
        let mut verdict = example::verdict();
        let row = |metric: &str, verdict| {
            let mut row = example::count_row("load:chat", 100.0, 120.0, verdict);
            row.metric.name = metric.into();
            row
        };
        verdict.judgements = vec![row("latency.p50", Verdict::Regressed), row("cpu", Verdict::Regressed)];
        verdict.census.compared = 1;
        let text = |view: &View| -> String {
            view.summary.iter().map(|(Piece::Text(text) | Piece::Name(text))| text.as_str()).collect()
        };
        assert_eq!(
            text(&View::of(&verdict)),
            "regressed: 1 of 1 benchmark got worse (load:chat cpu +20.0 %, load:chat latency.p50 +20.0 %)"
        );
        verdict.judgements = vec![row("latency.p50", Verdict::Unchanged), row("cpu", Verdict::Unchanged)];
        (verdict.outcome, verdict.census.identical) = (Outcome::Pass, 0);
        let passed = text(&View::of(&verdict));
        assert!(passed.ends_with("no regression in 1 benchmark (2 metrics: 2 unchanged)"), "{passed}");
    }

    #[test]
    fn the_least_known_benchmark_leads_the_inconclusive_ones() {
        let mut verdict = example::verdict();
        let change = |upper| Some(Change { estimate: 0.01, lower: None, upper, confidence: 0.95 });
        let row = |id, upper| {
            let mut row = example::count_row(id, 1.0, 1.0, Verdict::Inconclusive);
            row.change = change(upper);
            row
        };
        verdict.judgements = vec![row("a", Some(0.05)), row("b", Some(0.3)), row("c", None)];
        assert_eq!(order(&View::of(&verdict)).iter().map(|(_, name)| *name).collect::<String>(), "cba");
    }

    #[test]
    fn a_long_sentence_keeps_its_first_and_last_lines() {
        let mut verdict = example::verdict();
        verdict.judgements.truncate(1);
        verdict.judgements[0].reason = (0..50).map(|n| format!("line {n}\n\n")).collect();
        let lines = View::of(&verdict).rows[0].sentence_lines();
        assert_eq!(lines.len(), 8);
        assert_eq!(
            (lines[0].as_str(), lines[1].as_str(), lines[7].as_str()),
            ("line 0", "line 43", "line 49")
        );
    }
}
