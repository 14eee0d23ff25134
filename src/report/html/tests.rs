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
