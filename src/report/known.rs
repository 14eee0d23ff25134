//! Reports of ours told from other files by how they begin, so that an old one can be taken away and nothing else is.

/// Whether a file begins like a report of ours, whatever its format. A few thousand bytes are enough.
#[must_use]
pub fn is_ours(bytes: &[u8]) -> bool {
    let first =
        String::from_utf8_lossy(bytes.split(|byte| *byte == b'\n').next().unwrap_or_default()).into_owned();
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1_500)]).into_owned();
    let words = ["pass: ", "regressed: ", "inconclusive: ", "incomplete: ", "error: "];
    // An empty list is what code quality says of a check without findings.
    let ours = [
        "\"tollgate.verdict/",
        "<testsuites name=\"tollgate\"",
        "<meta name=\"generator\" content=\"tollgate ",
    ];
    let annotation = ["::error ", "::warning ", "::notice "].iter().any(|level| first.starts_with(level))
        && first.contains("title=tollgate::");
    let findings =
        bytes.trim_ascii() == b"[]" || (first == "[" && start.contains("\"check_name\": \"tollgate/"));
    annotation
        || findings
        || ours.iter().any(|mark| start.contains(mark))
        || words
            .iter()
            .any(|word| first.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::is_ours;
    use crate::{
        format::example,
        model::{outcome::Outcome, verdict::CheckVerdict},
        report::{annotations, code_quality, html, json, junit, markdown, places::Places, table},
    };

    fn reports(verdict: &CheckVerdict) -> [Vec<u8>; 7] {
        let places = Places::unknown();
        [
            table::render(verdict, table::Style::default()).into_bytes(),
            markdown::render(verdict).into_bytes(),
            json::render(verdict),
            html::render(verdict).into_bytes(),
            junit::render(verdict, &places).into_bytes(),
            annotations::render(verdict, &places).into_bytes(),
            code_quality::render(verdict, &places).into_bytes(),
        ]
    }

    #[test]
    fn every_report_of_ours_is_known_by_its_beginning_and_nothing_else_is() {
        let clean = example::verdict_of(&["num/fact"], Outcome::Pass, "");
        let incomplete = example::verdict_of(&["sort/new"], Outcome::Incomplete, "all benchmarks are new");
        for verdict in [example::verdict(), clean, incomplete, example::load_verdict()] {
            for report in reports(&verdict) {
                let beginning = &report[..report.len().min(4096)];
                assert!(is_ours(beginning), "{}", String::from_utf8_lossy(beginning));
            }
        }
        for other in [
            "<!doctype html><title>mine</title>",
            "<testsuites name=\"mine\"></testsuites>",
            "[1]",
            "[{\"check_name\": \"lint\"}]",
            "::error title=mine::x",
            "fn main() {}",
            "",
        ] {
            assert!(!is_ours(other.as_bytes()), "{other}");
        }
    }
}
