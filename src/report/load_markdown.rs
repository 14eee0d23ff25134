//! Load in GitHub's Markdown: targets and score stand open, the numbers are folded.

use super::{
    load::{Grid, LoadView, Met, ScenarioView},
    stress::StressView,
};
use crate::text::{escape, plural};

/// A longer name or sentence loses its middle.
const LONGEST: usize = 200;
/// Tiers of targets that are shown; a project has three or so.
const MAX_TIERS: usize = 20;
/// Parts of a tier that are shown.
const MAX_PARTS: usize = 20;
/// The same of a piece of advice, which names its evidence first and what to look at last.
const LONGEST_ADVICE: usize = 500;
/// So does a sentence on a search, which names all that was seen.
const LONGEST_OF_A_SEARCH: usize = 600;

/// Targets and score, with an empty line after them.
pub(super) fn open(view: &LoadView) -> String {
    let mut text = String::new();
    if !view.tiers.is_empty() {
        text += "| target | |\n|---|---|\n";
    }
    for tier in view.tiers.iter().take(MAX_TIERS) {
        let demanded = if tier.required { ", demanded" } else { "" };
        let open = tier.parts.iter().filter(|(met, _)| *met != Met::Yes).take(MAX_PARTS);
        let open: Vec<String> = open.map(|(met, part)| format!("{} {}", met.sign(), inline(part))).collect();
        let parts = if open.is_empty() { String::new() } else { format!("<br>{}", open.join("<br>")) };
        let (sign, word) = (sign(tier.met), tier.met.as_str());
        text += &format!("| {} | {sign} {word}{demanded}{parts} |\n", inline(&tier.name));
    }
    if !view.tiers.is_empty() {
        text += "\n";
    }
    if let Some(score) = &view.score {
        text += &format!("Score {}\n\n", inline(&score.summary));
    }
    text += &view.stress.iter().map(stress).collect::<String>();
    text += &advice(&view.advice);
    text
}

/// The numbers of each scenario and the parts of the score, folded, with an empty line after them.
pub(super) fn folded_numbers(view: &LoadView) -> String {
    folded("Load", &view.scenarios.iter().map(scenario).collect::<String>(), view.more) + &score(view)
}

/// What to look at stands open: each is a sentence with its figures.
fn advice(advice: &[String]) -> String {
    if advice.is_empty() {
        return String::new();
    }
    let line =
        |text: &String| format!("- {}\n", escape::markdown_inline(&escape::shortened(text, LONGEST_ADVICE)));
    format!("What to look at:\n\n{}\n", advice.iter().map(line).collect::<String>())
}

fn sign(met: Met) -> &'static str {
    match met {
        Met::Yes => "✅",
        Met::No => "❌",
        Met::NotShown => "⚠️",
    }
}

fn inline(text: &str) -> String {
    escape::markdown_inline(&escape::shortened(text, LONGEST))
}

fn folded(title: &str, body: &str, more: usize) -> String {
    if body.is_empty() {
        return String::new();
    }
    let more = if more > 0 {
        format!("and {} in the JSON\n\n", plural::count(more, "more scenario"))
    } else {
        String::new()
    };
    format!("<details><summary>{title}</summary>\n\n{body}{more}</details>\n\n")
}

/// A search: what it came to stands open, its steps are folded.
fn stress(view: &StressView) -> String {
    let name = escape::markdown_code(&escape::shortened(&escape::visible(&view.name), LONGEST));
    let mut text = format!("{name}: **{}**\n\n", inline(&view.summary));
    for line in &view.lines {
        text += &format!("- {}\n", escape::markdown_inline(&escape::shortened(line, LONGEST_OF_A_SEARCH)));
    }
    if !view.lines.is_empty() {
        text += "\n";
    }
    text + &folded("Steps of the search", &grid(&view.steps), 0)
}

fn scenario(scenario: &ScenarioView) -> String {
    let name = escape::markdown_code(&escape::shortened(&escape::visible(&scenario.name), LONGEST));
    let mut text = format!("{name}: {}\n\n", inline(&scenario.load));
    for note in &scenario.notes {
        text += &format!("- {}\n", inline(note));
    }
    if !scenario.notes.is_empty() {
        text += "\n";
    }
    for drawn in [&scenario.levels, &scenario.clocks, &scenario.numbers, &scenario.endpoints] {
        text += &grid(drawn);
    }
    text
}

/// A grid with its numbers to the right, and an empty line after it; nothing for one without rows.
fn grid(grid: &Grid) -> String {
    if grid.rows.is_empty() {
        return String::new();
    }
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| inline(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let numbers = grid.header.len().saturating_sub(1);
    let rows: String = grid.rows.iter().map(|row| line(row)).collect();
    format!("{}|---|{}\n{rows}\n", line(&grid.header), "--:|".repeat(numbers))
}

/// The parts of the score.
fn score(view: &LoadView) -> String {
    let Some(score) = &view.score else { return String::new() };
    let mut text = "| part | value | points | | weight | |\n|---|--:|--:|---|--:|---|\n".to_owned();
    for part in &score.parts {
        let cells: Vec<String> = part.iter().map(|cell| inline(cell)).collect();
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text += "\n";
    for note in &score.notes {
        text += &format!("- {}\n", inline(note));
    }
    if !score.notes.is_empty() {
        text += "\n";
    }
    folded("Score, part by part", &text, 0)
}

#[cfg(test)]
mod tests {
    use super::{folded_numbers, open};
    use crate::format::example;
    use crate::model::load::Advice;
    use crate::report::load::{LoadView, MAX_SCENARIOS};

    fn render(view: &LoadView) -> String {
        open(view) + &folded_numbers(view)
    }

    #[test]
    fn targets_and_score_stand_open_and_the_numbers_are_folded() {
        let view = LoadView::of(&example::load_verdict()).unwrap();
        insta::assert_snapshot!(render(&view), @r"
        | target | |
        |---|---|
        | minimum viable | ✅ met |
        | production | ❌ missed, demanded<br>✗ error_rate 2.5 %, to be below 2 %<br>? concurrent_users 12, to be at least 1,000 (at most 12 in flight, more were not asked for) |
        | battle-tested | ⚠️ not shown<br>? availability 100 %, to be at least 99.5 % (8.0 s of load, 3 min 20 s would show it) |

        Score 6.8 of 10: not production ready, combat-capable; 60 % of the table was measured

        <details><summary>Load</summary>

        `load:checkout`: 200 requests/s for 8.0 s after 1.0 s of warm-up

        - 1 of 2 windows of base does not count
        - the generator was late: send lag p99 12 ms
        - 1 of 2 windows of head does not count
        - the generator was late: send lag p99 12 ms

        |  | response, base | response, head | service, base | service, head |
        |---|--:|--:|--:|--:|
        | p50 | 211 µs | 232 µs | 106 µs | 116 µs |
        | p90 | 4.00 ms | 4.40 ms | 2.00 ms | 2.20 ms |
        | p95 | 100 ms | 110 ms | 50.0 ms | 55.0 ms |
        | p99 | 420 ms | 462 ms | 210 ms | 231 ms |
        | p99.9 | ≥ 990 ms | ≥ 1.09 s | 495 ms | 544 ms |
        | max | ≥ 1.00 s | ≥ 1.10 s | 500 ms | 550 ms |

        |  | base | head |
        |---|--:|--:|
        | requests due | 1,600 | 1,600 |
        | answered as expected | 1,560 | 1,560 |
        | errors | 30 | 30 |
        | · timeout | 12 | 12 |
        | · status | 18 | 18 |
        | unfinished | 10 | 10 |
        | sent again | 2 | 2 |
        | error rate | 2.5 % | 2.5 % |
        | availability | 100 % | 100 % |
        | throughput | 195 requests/s | 195 requests/s |
        | concurrent users, peak | 12 | 12 |
        | pool wait, p95 | 1.00 ms | 1.10 ms |
        | first byte, p95 | 40.0 ms | 44.0 ms |
        | CPU per request | 612 µs | 673 µs |
        | CPUs busy | 0.12 | 0.13 |
        | memory, peak | 41.0 MiB | 41.0 MiB |
        | memory of its limit | 4 % | 4 % |
        | threads, peak | 9 | 9 |
        | descriptors, peak | 64 | 64 |
        | answers | 1.00 MiB | 1.00 MiB |
        | pool_use | 0.31 | 0.31 |
        | generator late, p99 | 420 µs | 462 µs |

        </details>

        <details><summary>Score, part by part</summary>

        | part | value | points | | weight | |
        |---|--:|--:|---|--:|---|
        | latency.p95 | 110 ms | 8.8 | good | 25 % | measured over 8.0 s at 200 requests/s (1,600 requests) |
        | error_rate | 2.5 % | 6.8 | fair | 25 % | measured over 8.0 s at 200 requests/s (1,600 requests) |
        | concurrent_users | – | – | – | 20 % | not measured: at most 12 in flight, 500 are the least that counts |
        | cache_hit_rate | – | – | – | 10 % | not measured: the scenario has no metric `cache_hit_rate` |
        | memory | 4 % | 10.0 | excellent | 10 % | measured over 8.0 s at 200 requests/s (1,600 requests) |
        | cpu | – | – | – | 10 % | not measured: what the service uses was not measured |

        - never above the points of the error rate: failing fast is no merit

        </details>
        ");
    }

    #[test]
    fn advice_stands_open_and_levels_are_folded_with_the_numbers() {
        let mut verdict = example::load_verdict();
        verdict.load.remove(0);
        verdict.levels = vec![verdict.load[0].clone()];
        let advice = Advice { code: "x".into(), scenario: "a|b".into(), text: "<b>look</b>\nhere".into() };
        verdict.advice = vec![advice];
        let text = render(&LoadView::of(&verdict).unwrap());
        let (open, rest) = text.split_once("<details>").unwrap();
        assert!(
            open.contains("What to look at:\n\n- ") && open.contains("look") && !open.contains("<b>"),
            "{open}"
        );
        assert!(!open.contains("a|b"), "{open}");
        assert!(rest.contains("| level | due | failed | p50 | p95 | p99 | CPUs |"), "{rest}");
        assert!(rest.contains("| 200 requests/s | 1,600 | 40 | 232 µs |"), "{rest}");
    }

    #[test]
    fn a_service_that_answers_nothing_shows_no_tier_but_the_demanded_one() {
        let mut verdict = example::load_verdict();
        for load in &mut verdict.load {
            load.requests.errors += load.requests.completed;
            load.requests.completed = 0;
        }
        let view = LoadView::of(&verdict).unwrap();
        assert_eq!(view.tiers.iter().map(|tier| tier.name.as_str()).collect::<Vec<_>>(), ["production"]);
        assert!(view.score.is_none());
    }

    #[test]
    fn a_verdict_without_load_has_no_section() {
        assert_eq!(LoadView::of(&example::verdict()), None);
    }

    #[test]
    fn of_many_scenarios_the_first_are_shown_and_the_rest_counted() {
        let mut verdict = example::load_verdict();
        verdict.load = (0..50)
            .map(|at| {
                let mut load = verdict.load[1].clone();
                load.scenario = format!("s{at}");
                load
            })
            .collect();
        let view = LoadView::of(&verdict).unwrap();
        assert_eq!((view.scenarios.len(), view.more), (MAX_SCENARIOS, 30));
        assert!(render(&view).contains("and 30 more scenarios in the JSON"));
    }

    #[test]
    fn names_can_neither_break_the_tables_nor_call_anybody() {
        for text in [
            "a|b\n| x |",
            "@ada <img src=x onerror=y>",
            "</details></code><h1>",
            "![x](https://evil)",
            "`|`@ada",
        ] {
            let mut verdict = example::load_verdict();
            for load in &mut verdict.load {
                load.scenario = text.into();
                load.slots.void = vec![text.into()];
                load.costs.metrics = [(text.to_owned(), 1.0)].into();
                load.endpoints.push(load.endpoints[0].clone());
                load.endpoints[0].name = text.into();
            }
            for tier in &mut verdict.targets {
                tier.tier = text.into();
                for part in &mut tier.parts {
                    (part.note, part.met) = (text.into(), None);
                }
            }
            if let Some(score) = &mut verdict.score {
                score.parts[0].basis = text.into();
                score.notes = vec![text.into()];
            }
            let markdown = render(&LoadView::of(&verdict).unwrap());
            for line in markdown.lines().filter(|line| line.starts_with('|')) {
                let cells = line.matches('|').count();
                assert!([3, 4, 6, 7].contains(&cells), "{line}");
            }
            let outside: String = markdown.split('`').step_by(2).collect();
            assert!(!outside.contains("<img") && !outside.contains("<h1"), "{markdown}");
            assert_eq!(outside.matches("</details>").count(), 2);
            assert!(!outside.contains("](https") && !outside.contains('@'), "{markdown}");
        }
    }
}
