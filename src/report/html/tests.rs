//! What the page must hold, and what must never get into it.

use super::render;
use crate::format::example;
use crate::model::{outcome::Outcome, verdict::CheckVerdict};

fn hostile(text: &str) -> CheckVerdict {
    let mut verdict = example::load_verdict();
    verdict.judgements = example::verdict().judgements;
    for row in &mut verdict.judgements {
        row.display_id = text.into();
        row.reason = text.into();
        row.metric.name = text.into();
        row.metric.unit = text.into();
        row.benchmark.target = text.into();
    }
    verdict.head.label = text.into();
    verdict.environment.cpu = text.into();
    verdict.environment.flags = text.into();
    verdict.tool_version = text.into();
    for (_, reason) in &mut verdict.outcomes {
        *reason = text.into();
    }
    for load in &mut verdict.load {
        load.scenario = text.into();
    }
    for tier in &mut verdict.targets {
        tier.tier = text.into();
        tier.parts[0].note = text.into();
    }
    verdict
}

#[test]
fn the_answer_leads_and_every_row_is_there() {
    let page = render(&example::verdict());
    let answer = page.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap();
    assert_eq!(
        answer,
        "<span class=\"word\">regressed</span> 1 of 6 benchmarks got slower (<code>num/sieve</code> +5.0&nbsp;%)"
    );
    assert_eq!(page.matches("<tbody class=").count(), 9);
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(
        at("<h1>") < at("class=\"chips\"")
            && at("class=\"chips\"") < at("<table")
            && at("<table") < at("id=\"basis\"")
    );
    for text in [
        "<caption>",
        "scope=\"col\"",
        "aria-sort=\"ascending\"",
        "lang=\"en\"",
        "AMD EPYC 7763",
        "tollgate check --base 4f2a91c03",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn texts_of_others_stay_texts() {
    let calm = render(&hostile("calm"));
    let tags = |page: &str| {
        // What stands in the data is JSON, with every `<` written as its code.
        ["<script", "</script", "<img", "<a ", "<style", "<h1", "</td>", "<tbody", "<p>"]
            .map(|tag| page.matches(tag).count())
    };
    for text in [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\" onload=\"x",
        "<!--",
        "</title></style>",
        "]]>",
        "'><a href=//x>",
    ] {
        let page = render(&hostile(text));
        assert_eq!(tags(&page), tags(&calm), "{text}");
        assert!(!page.contains(text) || text == "]]>", "{text}");
    }
    let page = render(&hostile("a\u{202e}b\u{0}c\u{200b}"));
    assert!(!page.contains(['\u{202e}', '\u{0}', '\u{200b}']));
}

#[test]
fn the_page_names_no_other_place_and_has_no_style_or_handler_of_its_own() {
    for verdict in [example::verdict(), example::load_verdict()] {
        let page = render(&verdict);
        let body = page.replace("http://www.w3.org/2000/svg", "");
        for odd in ["http://", "https://", " src=", " style=", " onclick=", "@import", "url("] {
            assert!(!body.contains(odd), "{odd}");
        }
        assert!(page.contains("default-src 'none'; script-src 'sha256-"));
    }
}

#[test]
fn the_shell_is_small() {
    let mut verdict = example::verdict_of(&["num/fact"], Outcome::Pass, "");
    verdict.evidence = None;
    let bytes = render(&verdict).len();
    assert!(bytes < 60_000, "{bytes} bytes");
}

#[test]
fn the_same_verdict_gives_the_same_bytes() {
    assert_eq!(render(&example::load_verdict()), render(&example::load_verdict()));
}

#[test]
fn a_check_without_rows_says_so() {
    let mut verdict = example::verdict_of(&[], Outcome::Incomplete, "no benchmarks were found");
    verdict.judgements.clear();
    let page = render(&verdict);
    assert!(
        page.contains("There are no rows")
            && page.contains("<span class=\"word\">incomplete</span> no benchmarks were found")
    );
    assert!(!page.contains("<table id="));
}

/// The data of the script, as the page holds it.
fn data(verdict: &CheckVerdict) -> serde_json::Value {
    let page = render(verdict);
    let data = page.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
    serde_json::from_str(data).unwrap()
}

#[test]
fn very_many_points_are_thinned_to_their_extremes() {
    let mut verdict = example::verdict_of(&["num/sieve"], Outcome::Pass, "");
    verdict.evidence = None;
    let block = verdict.judgements[0].slots[0].clone();
    let most = block.iter().map(|slot| slot.fast).fold(0.0, f64::max);
    verdict.judgements[0].slots = vec![block; 3_000];
    verdict.judgements[0].slots[1_700][2].fast = most * 1.01;
    let plot = &data(&verdict)["rows"][0]["p"];
    let points = plot["v"].as_array().unwrap();
    assert!(points.len() <= 4_000 && points.len() == plot["w"].as_str().unwrap().len(), "{}", points.len());
    let highest = points.iter().filter_map(serde_json::Value::as_i64).max().unwrap();
    assert_eq!(
        points.iter().filter(|at| at.as_i64() == Some(highest)).count(),
        1,
        "the one late process is kept"
    );
    assert_eq!(plot["e"][0].as_array().unwrap().len(), 401);
}

#[test]
fn a_row_is_measured_again_by_a_filter_that_matches_only_it() {
    let mut verdict = example::verdict_of(&["num/sieve"], Outcome::Pass, "");
    let command = |verdict: &CheckVerdict| data(verdict)["rows"][0]["r"].as_str().map(str::to_owned);
    assert!(command(&verdict).unwrap().ends_with(" --filter '^num/sieve$'"));
    verdict.judgements[0].benchmark.id = crate::model::benchmark::BenchmarkId::new("a.b(c)|d").unwrap();
    assert!(command(&verdict).unwrap().ends_with(r" --filter '^a\.b\(c\)\|d$'"));
    // What a shell could read in another way gets no command.
    for odd in ["it's", "a\nb", "a`b`", "$(x)", "a\u{202e}b", "!x"] {
        verdict.judgements[0].benchmark.id = crate::model::benchmark::BenchmarkId::new(odd).unwrap();
        assert_eq!(command(&verdict), None, "{odd:?}");
    }
}
