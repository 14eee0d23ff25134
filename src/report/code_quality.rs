//! The verdict as GitLab's code quality report: a list of findings that a merge request shows as new or solved.
//!
//! GitLab tells findings apart by their fingerprint, so it is made of what stays: the benchmark, its metric and its verdict, never of
//! measured numbers.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    places::Places,
    view::{self, Line, Piece, Row, View},
};
use crate::model::verdict::{CheckVerdict, Judgement, Verdict};
use crate::text::escape;

/// A longer description loses its middle, columns.
const LONGEST: usize = 1_000;
/// A change of so many margins is critical.
const CRITICAL_MARGINS: f64 = 10.0;
/// A finding must name a file; this one says what is measured.
const ELSEWHERE: &str = "tollgate.toml";

/// The findings as JSON, with a newline at its end; an empty list when all is well.
#[must_use]
pub fn render(verdict: &CheckVerdict, places: &Places) -> String {
    let view = View::of(verdict);
    let judgements = view::ordered(verdict);
    let mut findings: Vec<Value> = judgements
        .iter()
        .zip(&view.rows)
        .filter_map(|(judgement, row)| finding(judgement, row, places))
        .collect();
    let blocking = judgements.iter().any(|row| matches!(row.verdict, Verdict::Regressed | Verdict::Failed));
    // A check that failed for another reason than a row must not look clean.
    if verdict.outcome.exit_code() != 0 && !blocking {
        let word = verdict.outcome.as_str();
        findings.insert(0, entry(word, "major", &plain(&view.summary), &["check", word], ELSEWHERE));
    }
    tell_apart(&mut findings);
    let mut text = serde_json::to_string_pretty(&findings).unwrap_or_else(|_| "[]".to_owned());
    text.push('\n');
    text
}

fn finding(judgement: &Judgement, row: &Row, places: &Places) -> Option<Value> {
    let severity = severity(judgement)?;
    let change =
        if row.change.is_empty() { String::new() } else { format!(" {} ({})", row.change, row.interval) };
    let sentence = row.sentence_lines().join(" ");
    let description = format!("{}: {}{change}: {sentence}", row.verdict.as_str(), row.label());
    let word = row.verdict.as_str();
    let what = [
        word,
        &judgement.benchmark.target,
        judgement.benchmark.id.as_str(),
        &judgement.display_id,
        &judgement.metric.name,
    ];
    Some(entry(word, severity, &description, &what, places.of(judgement).unwrap_or(ELSEWHERE)))
}

fn severity(row: &Judgement) -> Option<&'static str> {
    let huge = row
        .change
        .is_some_and(|change| row.margin > 0.0 && change.estimate.abs() >= CRITICAL_MARGINS * row.margin);
    match row.verdict {
        Verdict::Regressed if huge => Some("critical"),
        Verdict::Regressed | Verdict::Failed => Some("major"),
        Verdict::Missing => Some("minor"),
        Verdict::Inconclusive | Verdict::Waived => Some("info"),
        Verdict::Improved | Verdict::New | Verdict::Unchanged | Verdict::Identical => None,
    }
}

fn entry(word: &str, severity: &str, description: &str, what: &[&str], path: &str) -> Value {
    json!({
        "description": escape::shortened(&escape::visible(description), LONGEST),
        "check_name": format!("tollgate/{word}"),
        "fingerprint": fingerprint(what),
        "severity": severity,
        "location": { "path": escape::visible(path), "lines": { "begin": 1 } },
    })
}

/// The digest of parts, each with its length, so that no two lists of parts run into each other.
fn fingerprint(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// GitLab keeps one of those with the same fingerprint, so a repeated one gets a number.
fn tell_apart(findings: &mut [Value]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for finding in findings {
        let own = finding["fingerprint"].as_str().unwrap_or_default().to_owned();
        let count = seen.entry(own.clone()).or_default();
        *count += 1;
        if *count > 1 {
            finding["fingerprint"] = fingerprint(&[&own, &count.to_string()]).into();
        }
    }
}

fn plain(line: &Line) -> String {
    line.iter()
        .map(|piece| match piece {
            Piece::Text(text) | Piece::Name(text) => text.as_str(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::render;
    use crate::format::example;
    use crate::model::{outcome::Outcome, verdict::CheckVerdict};
    use crate::report::places::Places;

    fn findings(verdict: &CheckVerdict) -> Vec<Value> {
        serde_json::from_str(&render(verdict, &Places::unknown())).unwrap()
    }

    #[test]
    fn what_needs_a_look_is_a_finding_and_nothing_else() {
        let names: Vec<String> = findings(&example::verdict())
            .iter()
            .map(|finding| {
                format!(
                    "{} {}",
                    finding["severity"].as_str().unwrap(),
                    finding["check_name"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(
            names,
            [
                "major tollgate/regressed",
                "major tollgate/failed",
                "minor tollgate/missing",
                "info tollgate/waived",
                "info tollgate/inconclusive"
            ]
        );
        assert!(findings(&example::verdict_of(&["num/fact"], Outcome::Pass, "")).is_empty());
    }

    #[test]
    fn a_check_that_failed_without_a_row_is_a_finding() {
        let found =
            findings(&example::verdict_of(&["sort/new"], Outcome::Incomplete, "all benchmarks are new"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["description"], "incomplete: all benchmarks are new");
        assert_eq!(found[0]["location"]["path"], "tollgate.toml");
    }

    #[test]
    fn fingerprints_stay_when_numbers_change_and_tell_rows_apart() {
        let mut verdict = example::verdict();
        let before: Vec<Value> =
            findings(&verdict).iter().map(|finding| finding["fingerprint"].clone()).collect();
        for row in &mut verdict.judgements {
            row.head = row.head.map(|head| head * 1.01);
            row.reason.push_str(", a little more");
        }
        let after: Vec<Value> =
            findings(&verdict).iter().map(|finding| finding["fingerprint"].clone()).collect();
        assert_eq!(before, after);
        verdict.judgements.extend(verdict.judgements.clone());
        let mut all: Vec<String> =
            findings(&verdict).iter().map(|finding| finding["fingerprint"].to_string()).collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!((all.len(), count), (10, 10));
    }
}
