//! A stored verdict in every format.

use tollgate::{
    format::verdict_v1,
    model::{outcome::Outcome, verdict::CheckVerdict},
    report::{
        annotations, code_quality, html, json, junit, markdown,
        places::Places,
        table::{self, Style},
        view::View,
    },
};

use crate::support::{fixtures, repository::Repository, tollgate::tollgate};

fn verdict() -> CheckVerdict {
    verdict_v1::from_json(&fixtures::bytes("tollgate/1/verdict.json")).unwrap()
}

#[test]
fn the_first_line_of_every_format_is_the_answer() {
    let answer = "regressed: 1 of 6 benchmarks got slower (";
    let table = table::render(&verdict(), Style::default());
    assert!(table.starts_with(answer), "{table}");
    let markdown = markdown::render(&verdict());
    assert!(markdown.lines().next().unwrap().contains(answer), "{markdown}");
}

#[test]
fn what_ci_systems_read_and_the_page_lead_with_the_answer_too() {
    let answer = "regressed: 1 of 6 benchmarks got slower (";
    let (verdict, places) = (verdict(), Places::unknown());
    assert!(annotations::render(&verdict, &places).starts_with(&format!("::error title=tollgate::{answer}")));
    assert!(junit::render(&verdict, &places).contains(answer));
    assert!(code_quality::render(&verdict, &places).contains("\"tollgate/regressed\""));
    let page = html::render(&verdict);
    assert!(page.contains("<span class=\"word\">regressed</span> 1 of 6 benchmarks got slower ("));
}

#[test]
fn json_is_the_stored_verdict_byte_by_byte() {
    assert_eq!(json::render(&verdict()), fixtures::bytes("tollgate/1/verdict.json"));
}

#[test]
fn formats_agree_on_order_numbers_and_sentences() {
    let view = View::of(&verdict());
    let table = table::render(&verdict(), Style { width: 400, verbose: true, ..Style::default() });
    let markdown = markdown::render(&verdict());
    let (mut in_table, mut in_markdown) = (0, 0);
    for row in &view.rows {
        // From where the row before was found: the order is the same.
        let at = table[in_table..].find(&row.name).unwrap_or_else(|| panic!("{} in {table}", row.name));
        in_table += at;
        if !row.name.contains('|') {
            let at = markdown[in_markdown..].find(&format!("`{}`", row.name));
            in_markdown += at.unwrap_or_else(|| panic!("{} in {markdown}", row.name));
        }
        for cell in [&row.change, &row.interval, &row.base, &row.head] {
            assert!(table.contains(cell.as_str()) && markdown.contains(cell.as_str()), "{cell}");
        }
        let sentence = row.sentence.lines().next().unwrap();
        assert!(table.contains(sentence), "{sentence} in\n{table}");
    }
}

#[test]
fn every_outcome_leads_with_its_word() {
    let classes = [
        tollgate::model::outcome::ErrorClass::Configuration,
        tollgate::model::outcome::ErrorClass::Measurement,
        tollgate::model::outcome::ErrorClass::Reporting,
    ];
    let outcomes = [Outcome::Pass, Outcome::Regressed, Outcome::Inconclusive, Outcome::Incomplete];
    for outcome in outcomes.into_iter().chain(classes.map(Outcome::Error)) {
        for judgements in [verdict().judgements, Vec::new()] {
            let verdict =
                CheckVerdict { outcome, outcomes: vec![(outcome, String::new())], judgements, ..verdict() };
            let table = table::render(&verdict, Style::default());
            assert!(table.starts_with(&format!("{}: ", outcome.as_str())), "{table}");
            let markdown = markdown::render(&verdict);
            assert!(
                markdown.lines().next().unwrap().contains(&format!(" {}: ", outcome.as_str())),
                "{markdown}"
            );
        }
    }
}

#[test]
fn an_empty_check_never_looks_like_a_pass() {
    let mut verdict = verdict();
    verdict.judgements.clear();
    verdict.census = Default::default();
    verdict.outcome = Outcome::Incomplete;
    verdict.outcomes = vec![(Outcome::Incomplete, "no benchmarks were found".into())];
    let table = table::render(&verdict, Style::default());
    assert!(table.starts_with("incomplete: no benchmarks were found\n"), "{table}");
    assert!(table.contains("compared:  0 of 0 benchmarks"));
    assert!(!markdown::render(&verdict).contains('✅'));
}

#[test]
fn the_program_writes_every_format_and_names_sources_only_where_they_are() {
    let repository = Repository::new();
    repository.write("sub/benches/kernels.rs", "fn main() {}\n");
    repository.commit("first");
    std::fs::write(repository.root().join("sub/verdict.json"), fixtures::bytes("tollgate/1/verdict.json"))
        .unwrap();
    let sub = repository.root().join("sub");
    let files =
        ["r.html", "r.xml", "r.json", "r.md", "table=r.txt", "annotations=a.txt", "code-quality=q.json"];
    let outputs = files.iter().flat_map(|file| ["--output", file]);
    let args: Vec<&str> =
        ["report", "verdict.json", "--format", "annotations"].into_iter().chain(outputs).collect();
    let ran = tollgate(&sub, &args).exits(0);
    assert!(
        ran.stdout.contains("::error file=sub/benches/kernels.rs,line=1,title=regressed%3A num/sieve::"),
        "{}",
        ran.stdout
    );
    let read = |name: &str| std::fs::read_to_string(sub.join(name)).unwrap();
    assert_eq!(read("a.txt"), ran.stdout);
    assert!(
        read("r.html").starts_with("<!doctype html>")
            && read("r.xml").contains("file=\"sub/benches/kernels.rs\"")
    );
    assert!(
        read("q.json").contains("\"path\": \"sub/benches/kernels.rs\"")
            && read("r.txt").starts_with("regressed: ")
    );
    assert!(
        read("r.md").starts_with("### ")
            && read("r.json").as_bytes() == fixtures::bytes("tollgate/1/verdict.json")
    );
    // Where there is no such file, none is named.
    std::fs::remove_file(sub.join("benches/kernels.rs")).unwrap();
    let ran = tollgate(&sub, &["report", "verdict.json", "--format", "annotations"]).exits(0);
    assert!(!ran.stdout.contains("file="), "{}", ran.stdout);
}
