//! The verdict as JUnit XML, as GitLab, Jenkins and the reporters of GitHub read it.
//!
//! One suite holds the check and its targets, one each group of benchmarks. GitLab shows `classname` as the suite and the text of `failure`,
//! `error` and `skipped`, and keeps one of two cases with the same names: so every message stands as text too, and names are told apart.

use std::{collections::BTreeMap, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::{
    load::{LoadView, Met, TierView},
    places::Places,
    view::{self, Line, Piece, Row, View},
};
use crate::model::{
    outcome::Outcome,
    verdict::{CheckVerdict, Judgement, Verdict},
};
use crate::text::escape;

/// The suite of the check as a whole.
const CHECK: &str = "tollgate";
/// A longer name or message loses its middle, columns.
const LONGEST: usize = 2_000;

/// The XML of a verdict.
#[must_use]
pub fn render(verdict: &CheckVerdict, places: &Places) -> String {
    let view = View::of(verdict);
    let mut report = Report::new(CHECK);
    let seconds = Duration::try_from_secs_f64(verdict.duration_seconds).unwrap_or_default();
    report.set_time(seconds);
    let began = verdict.evidence.as_ref().and_then(|run| timestamp(run.started_at));
    let mut suites = vec![check(verdict, &view, seconds)];
    suites.extend(groups(verdict, &view, places));
    for suite in &mut suites {
        if let Some(began) = &began {
            suite.extra.insert(XmlString::new("timestamp"), XmlString::new(began));
        }
    }
    report.add_test_suites(suites);
    // It fails only where the writer fails, and memory does not.
    report.to_string().unwrap_or_default()
}

/// `2026-11-23T09:20:00+00:00`.
fn timestamp(seconds: u64) -> Option<String> {
    let moment = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    (seconds > 0).then(|| moment.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string())
}

fn shown(text: &str) -> String {
    escape::shortened(&escape::visible(text), LONGEST)
}

fn plain(line: &Line) -> String {
    line.iter()
        .map(|piece| match piece {
            Piece::Text(text) | Piece::Name(text) => text.as_str(),
        })
        .collect()
}

/// An attribute has no lines.
fn in_one_line(text: &str) -> String {
    text.replace('\n', " ")
}

/// A case that did not succeed, with its message as text too.
fn bad(kind: NonSuccessKind, word: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(in_one_line(message)).set_type(word).set_description(message);
    status
}

/// A case that neither passed nor failed. The message is an attribute for some readers and text for others.
fn skipped(word: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(in_one_line(message)).set_type(word).set_description(message);
    status
}

/// The check as a whole, so that no report is empty, and none looks better than its outcome; then the targets.
fn check(verdict: &CheckVerdict, view: &View, seconds: Duration) -> TestSuite {
    let word = verdict.outcome.as_str();
    let lines: Vec<String> =
        std::iter::once(&view.summary).chain(&view.also).map(|line| shown(&plain(line))).collect();
    let message = lines.join("\n");
    let status = match verdict.outcome {
        Outcome::Pass => TestCaseStatus::success(),
        Outcome::Regressed => bad(NonSuccessKind::Failure, word, &message),
        Outcome::Inconclusive | Outcome::Incomplete | Outcome::Error(_) => {
            bad(NonSuccessKind::Error, word, &message)
        }
    };
    let mut case = TestCase::new("check", status);
    let facts: Vec<String> =
        view.facts.iter().map(|fact| format!("{}: {}", fact.label, shown(&plain(&fact.line)))).collect();
    let warnings = view.warnings.iter().map(|warning| format!("warning: {}", shown(warning)));
    case.set_classname(CHECK).set_time(seconds);
    case.set_system_out(std::iter::once(message).chain(facts).chain(warnings).collect::<Vec<_>>().join("\n"));
    let mut suite = TestSuite::new(CHECK);
    suite.set_time(seconds);
    suite.add_test_case(case);
    suite.add_test_cases(view.load.as_ref().map(targets).unwrap_or_default());
    suite
}

fn targets(load: &LoadView) -> Vec<TestCase> {
    let mut names = Names::default();
    load.tiers.iter().map(|tier| target(tier, &mut names)).collect()
}

fn target(tier: &TierView, names: &mut Names) -> TestCase {
    let parts: Vec<String> =
        tier.parts.iter().map(|(met, part)| format!("{}: {}", met.as_str(), shown(part))).collect();
    let text = parts.join("\n");
    let status = match (tier.met, tier.required) {
        (Met::Yes, _) => TestCaseStatus::success(),
        (Met::No, true) => bad(NonSuccessKind::Failure, "missed", &text),
        (Met::NotShown, true) => bad(NonSuccessKind::Error, "not shown", &text),
        (met, false) => skipped(met.as_str(), &text),
    };
    let mut case = TestCase::new(names.unique(CHECK, &format!("target: {}", shown(&tier.name))), status);
    case.set_classname(CHECK).set_system_out(text);
    case
}

/// The rows by group, groups in the order of their worst rows.
fn groups(verdict: &CheckVerdict, view: &View, places: &Places) -> Vec<TestSuite> {
    let mut order: Vec<String> = Vec::new();
    let mut cases: BTreeMap<String, Vec<TestCase>> = BTreeMap::new();
    let mut names = Names::default();
    for (judgement, row) in view::ordered(verdict).into_iter().zip(&view.rows) {
        let group = group(judgement);
        if !cases.contains_key(&group) {
            order.push(group.clone());
        }
        let case = case(verdict.outcome, judgement, row, &group, places, &mut names);
        cases.entry(group).or_default().push(case);
    }
    let suite = |group: String| {
        let mut suite = TestSuite::new(&group);
        suite.add_test_cases(cases.remove(&group).unwrap_or_default());
        suite
    };
    order.into_iter().map(suite).collect()
}

/// Criterion's group, the load scenario, or else the bench target.
fn group(row: &Judgement) -> String {
    let id = row.display_id.as_str();
    let group = match id.split_once('/') {
        _ if id.starts_with("load:") => id,
        Some((group, _)) if !group.trim().is_empty() => group,
        _ => row.benchmark.target.as_str(),
    };
    let group = shown(group);
    // The check's own suite stays apart from what a benchmark may be called.
    if group.trim().is_empty() || group == CHECK { format!("benchmarks: {group}") } else { group }
}

fn case(
    outcome: Outcome,
    judgement: &Judgement,
    row: &Row,
    group: &str,
    places: &Places,
    names: &mut Names,
) -> TestCase {
    let message = message(row);
    let word = row.verdict.as_str();
    let status = match row.verdict {
        Verdict::Regressed => bad(NonSuccessKind::Failure, word, &message),
        Verdict::Failed => bad(NonSuccessKind::Error, word, &message),
        // Blind, or what the check failed for: it could not be judged. Else something was ruled out, which is neither good nor bad.
        Verdict::Inconclusive if judgement.blind == Some(true) || outcome == Outcome::Inconclusive => {
            bad(NonSuccessKind::Error, word, &message)
        }
        Verdict::Inconclusive | Verdict::New | Verdict::Missing | Verdict::Waived => skipped(word, &message),
        Verdict::Improved | Verdict::Unchanged | Verdict::Identical => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(names.unique(group, &shown(&row.label())), status);
    case.set_classname(group).set_system_out(numbers(row, &message));
    if let Some(file) = places.of(judgement) {
        case.extra.insert(XmlString::new("file"), XmlString::new(escape::visible(file)));
        case.extra.insert(XmlString::new("line"), XmlString::new("1"));
    }
    case
}

/// `+5.0 % (+4.3 to +5.7 %): slower, by 4.3 % at least`
fn message(row: &Row) -> String {
    let sentence: Vec<String> = row.sentence_lines().iter().map(|line| shown(line)).collect();
    let change =
        if row.change.is_empty() { String::new() } else { format!("{} ({}): ", row.change, row.interval) };
    format!("{change}{}", sentence.join("\n"))
}

fn numbers(row: &Row, message: &str) -> String {
    let cells = [
        ("base", &row.base),
        ("head", &row.head),
        ("margin", &row.margin),
        ("rounds", &row.rounds),
        ("scatter", &row.scatter),
        ("adjusted p", &row.q_value),
    ];
    let cells = cells
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| format!("{name} {}", shown(text)));
    let cells: Vec<String> = cells.collect();
    format!("{}: {message}\n{}", row.verdict.as_str(), cells.join(", "))
}

/// Names that were given, so that none is given twice within a suite.
#[derive(Default)]
struct Names(BTreeMap<(String, String), usize>);

impl Names {
    fn unique(&mut self, group: &str, name: &str) -> String {
        let mut candidate = name.to_owned();
        loop {
            let count = self.0.entry((group.to_owned(), candidate.clone())).or_default();
            *count += 1;
            if *count == 1 {
                return candidate;
            }
            candidate = format!("{name} #{count}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use quick_junit::{NonSuccessKind, Report, TestCaseStatus};

    use super::render;
    use crate::format::example;
    use crate::model::{
        outcome::Outcome,
        verdict::{CheckVerdict, Verdict},
    };
    use crate::report::places::Places;

    /// Read back by a parser: what does not parse fails here.
    fn read(verdict: &CheckVerdict) -> Report {
        let xml = render(verdict, &Places::unknown());
        Report::deserialize_from_str(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"))
    }

    fn words(report: &Report) -> Vec<(String, &'static str)> {
        let word = |status: &TestCaseStatus| match status {
            TestCaseStatus::Success { .. } => "success",
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => "failure",
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => "error",
            TestCaseStatus::Skipped { .. } => "skipped",
        };
        let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
        cases.map(|case| (case.name.as_str().to_owned(), word(&case.status))).collect()
    }

    #[test]
    fn each_verdict_has_its_kind_of_case() {
        let report = read(&example::verdict());
        let words = words(&report);
        let words: Vec<(&str, &str)> = words.iter().map(|(name, word)| (name.as_str(), *word)).collect();
        assert_eq!(
            words,
            [
                ("check", "failure"),
                ("num/sieve", "failure"),
                ("num/gone", "skipped"),
                ("num/fact", "success"),
                ("io/read", "error"),
                ("tree/walk", "skipped"),
                ("sort/quick", "skipped"),
                ("sort/new", "skipped"),
                ("hash/fnv", "success"),
                ("layout/a|b <i>", "success"),
            ]
        );
        assert_eq!((report.tests, report.failures, report.errors), (10, 2, 1));
    }

    #[test]
    fn the_message_of_a_failure_stands_as_text_too() {
        let xml = render(&example::verdict(), &Places::unknown());
        assert!(
            xml.contains(
                "name=\"tollgate\" tests=\"10\" skipped=\"4\" failures=\"2\" errors=\"1\" time=\"71.300\""
            ),
            "{xml}"
        );
        assert!(xml.contains("timestamp=\"2026-11-23T18:00:00+00:00\""), "{xml}");
        let case = xml
            .split("<testcase name=\"num/sieve\"")
            .nth(1)
            .and_then(|rest| rest.split("</testcase>").next())
            .unwrap();
        insta::assert_snapshot!(case, @r#"
         classname="num">
                    <failure message="+5.0 % (+4.3 to +5.7 %): slower, by 4.3 % at least" type="regressed">+5.0 % (+4.3 to +5.7 %): slower, by 4.3 % at least</failure>
                    <system-out>regressed: +5.0 % (+4.3 to +5.7 %): slower, by 4.3 % at least
        base 17.3 µs, head 18.1 µs, margin 2 %, rounds 6, scatter 0.9 %, adjusted p 5.0e-5</system-out>
        "#);
    }

    #[test]
    fn a_check_that_judged_nothing_is_an_error_whatever_its_rows_say() {
        let report = read(&example::verdict_of(&["sort/new"], Outcome::Incomplete, "all benchmarks are new"));
        assert_eq!(words(&report), [("check".to_owned(), "error"), ("sort/new".to_owned(), "skipped")]);
        let mut blind = example::verdict_of(&["sort/quick"], Outcome::Pass, "");
        blind.judgements[0].blind = Some(true);
        assert_eq!(words(&read(&blind))[1].1, "error");
    }

    #[test]
    fn demanded_targets_that_were_missed_fail() {
        let words = words(&read(&example::load_verdict()));
        let targets: Vec<&str> =
            words.iter().filter(|(name, _)| name.starts_with("target: ")).map(|(_, word)| *word).collect();
        assert_eq!(targets, ["success", "failure", "skipped"]);
    }

    #[test]
    fn no_two_cases_share_their_names_and_no_name_breaks_the_file() {
        let mut verdict = example::verdict();
        let hostile = [
            "]]>\u{0}\u{fffe}\u{1b}[2J",
            "<testsuite>&#0;",
            "a/b",
            "a/b",
            "tollgate",
            " /x",
            "a/b #2",
            "load:x",
            "\u{d7ff}/\u{e000}",
        ];
        for (row, name) in verdict.judgements.iter_mut().zip(hostile) {
            row.display_id = name.into();
            row.reason = name.repeat(3);
            row.verdict = Verdict::Regressed;
        }
        let report = read(&verdict);
        let names: BTreeSet<(String, String)> = report
            .test_suites
            .iter()
            .flat_map(|suite| &suite.test_cases)
            .map(|case| (case.classname.as_ref().unwrap().as_str().to_owned(), case.name.as_str().to_owned()))
            .collect();
        assert_eq!(names.len(), 10);
        let xml = render(&verdict, &Places::unknown());
        assert!(
            xml.chars().all(|c| c == '\n' || c == '\t' || (c >= ' ' && c != '\u{fffe}' && c != '\u{ffff}')),
            "{xml}"
        );
    }
}
