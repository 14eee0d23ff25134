//! One corpus of nasty names and broken files through every reader and renderer. Nothing may panic, and nothing that others
//! chose may steer a terminal, a page or a log.

use serde_json::{Value, json};
use tollgate::{
    format::{baseline_v1, history_v1, run_v1, verdict_v1, version},
    hint::Hint,
    model::verdict::CheckVerdict,
    report::{
        annotations, code_quality, comment, html, json as json_report, junit, markdown,
        places::Places,
        table::{self, Style},
    },
    sources::{
        input::{Input, InputFile, parse},
        slots_csv,
    },
    text::escape,
};

use crate::support::fixtures::{self, FOREIGN, LOAD, file, input};

/// What somebody may call a benchmark.
fn names() -> Vec<String> {
    let fixed = [
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "a\u{202e}b\u{2066}c\u{200b}d\u{feff}",
        "a\nb\r\nc\td\u{0}e\u{7f}f\u{9b}31m",
        "::error::gone",
        "  ::add-mask::x",
        "##[error]x",
        "@everyone #1 GH-2 octo/cat#3 deadbeef",
        "`|`|``\\|\\\\|",
        "</code></td></details><script>alert(1)</script>",
        "![x](https://evil.example/a.png) [y](javascript:z) <https://a.b> www.a.b mailto:a@b.c",
        "```\n# heading\n```",
        "---\n- x\n1. y\n> z\n|a|b|",
        "<!-- -->&lt;&#64;&amp;",
        "$\\sqrt{2}$ :tada: [^1] ~~a~~ **b** __c__",
        "=cmd|' /C calc'!A0",
        "größe/日本語/🦀/مرحبا/e\u{301}\u{301}\u{301}",
        " leading and trailing ",
        "..//../etc/passwd",
        "%s%n{}{:?}",
        "\u{e0041}\u{3164}\u{ffa0}\u{fe0f}\u{10ffff}",
        "]]>&#0;<?xml?>",
        "'; DROP TABLE benchmarks; --",
        ".",
    ];
    let mut names: Vec<String> = fixed.iter().map(|name| (*name).to_owned()).collect();
    names.push("x".repeat(4096));
    names.push("日本".repeat(600));
    names.push("|`".repeat(1000));
    names.push("a b ".repeat(1000));
    names
}

/// The frozen verdict with every text that others choose replaced.
fn named(name: &str) -> Value {
    let mut verdict: Value = serde_json::from_slice(&fixtures::bytes("tollgate/1/verdict.json")).unwrap();
    for (at, row) in verdict["benchmarks"].as_array_mut().unwrap().iter_mut().enumerate() {
        for key in ["id", "metric", "unit", "reason", "target"] {
            row[key] = name.into();
        }
        row["benchmark"] = format!("{at}").into();
    }
    for key in ["new", "missing", "failed", "warnings"] {
        let list = json!([name]);
        let place = if key == "warnings" { &mut verdict[key] } else { &mut verdict["census"][key] };
        *place = list;
    }
    for key in ["cpu", "os", "kernel", "virtualisation", "rustc", "profile", "flags"] {
        verdict["environment"][key] = name.into();
    }
    for place in ["base", "head"] {
        verdict[place]["label"] = name.into();
    }
    verdict["families"][0]["name"] = name.into();
    verdict["families"][0]["method"] = name.into();
    for outcome in verdict["outcomes"].as_array_mut().unwrap() {
        outcome["reason"] = name.into();
    }
    verdict["evidence"] = Value::Null;
    let mut load: Value = serde_json::from_slice(&fixtures::bytes("tollgate/1/load-verdict.json")).unwrap();
    for key in ["load", "targets", "score"] {
        verdict[key] = load[key].take();
    }
    for load in verdict["load"].as_array_mut().unwrap() {
        load["id"] = format!("load:{name}").into();
        load["void_slots"] = json!([name]);
        load["costs"]["metrics"] = json!({ name: 0.5 });
        let mut second = load["endpoints"][0].clone();
        second["name"] = name.into();
        load["endpoints"].as_array_mut().unwrap().push(second);
    }
    for tier in verdict["targets"].as_array_mut().unwrap() {
        tier["tier"] = name.into();
        for part in tier["parts"].as_array_mut().unwrap() {
            part["scenario"] = format!("load:{name}").into();
            part["note"] = name.into();
        }
    }
    verdict["score"]["notes"] = json!([name]);
    for part in verdict["score"]["parts"].as_array_mut().unwrap() {
        part["basis"] = name.into();
    }
    verdict
}

fn verdicts() -> impl Iterator<Item = (String, CheckVerdict)> {
    names().into_iter().map(|name| {
        let bytes = named(&name).to_string();
        let verdict =
            verdict_v1::from_json(bytes.as_bytes()).unwrap_or_else(|error| panic!("{name:?}: {error}"));
        (name, verdict)
    })
}

/// Whether a character hides, moves or reorders what is shown.
fn is_odd(character: char) -> bool {
    escape::visible(&character.to_string()).starts_with('\\') && character != '\\'
}

#[test]
fn a_terminal_shows_every_name_as_plain_text_within_its_width() {
    for (name, verdict) in verdicts() {
        for width in [40, 80, 200] {
            let text = table::render(&verdict, Style { width, ..Style::default() });
            for line in text.lines() {
                assert!(!line.chars().any(is_odd), "{name:?} as {line:?}");
                assert!(escape::columns(line) <= width, "{name:?}: {line:?} in {width}");
                assert!(!line.trim_start().starts_with("::"), "{name:?} as {line:?}");
                assert!(!line.contains("##["), "{name:?} as {line:?}");
            }
        }
        let painted = table::render(&verdict, Style { colour: true, ..Style::default() });
        let codes = painted.split('\u{1b}').skip(1);
        assert!(codes.clone().all(|code| code.starts_with('[') && code.contains('m')), "{name:?}");
    }
}

/// Markdown without its code: what is left may do something.
fn active(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, after)) = rest.split_once("<code>") {
        text += before;
        rest = after.split_once("</code>").expect("code is closed").1;
    }
    text += rest;
    // In one line, backticks come in pairs, since names with backticks become `<code>`.
    text.lines()
        .map(|line| {
            assert!(line.matches('`').count().is_multiple_of(2), "{line}");
            // An entity is a character that does nothing.
            let outside = line.split('`').step_by(2).collect::<String>();
            let mut parts = outside.split("&#");
            let first = parts.next().unwrap_or("").to_owned();
            let rest = parts.map(|part| part.split_once(';').map_or(part, |(_, after)| after));
            let literal = first + &rest.collect::<String>();
            // What stands behind a backslash is literal too.
            ["\\[", "\\]", "\\*", "\\_", "\\~", "\\^"]
                .iter()
                .fold(literal, |text, escaped| text.replace(escaped, ""))
                + "\n"
        })
        .collect()
}

#[test]
fn markdown_keeps_its_shape_whatever_the_names_are() {
    let calm =
        active(&markdown::render(&verdict_v1::from_json(named("calm").to_string().as_bytes()).unwrap()));
    let shape = |text: &str| {
        let tags =
            ["<details>", "</details>", "<summary>", "</summary>"].map(|tag| text.matches(tag).count());
        let lines =
            ["|", "- ", "> ", "#"].map(|start| text.lines().filter(|line| line.starts_with(start)).count());
        (tags, lines)
    };
    for (name, verdict) in verdicts() {
        let markdown = markdown::render(&verdict);
        assert!(!markdown.chars().any(|c| is_odd(c) && !matches!(c, '\n' | '\u{fe0f}')), "{name:?}");
        let active = active(&markdown);
        assert_eq!(shape(&active), shape(&calm), "{name:?}:\n{markdown}");
        for line in active.lines().filter(|line| line.starts_with('|')) {
            assert!(matches!(line.matches('|').count(), 3..=7 | 12), "{name:?}: {line}");
        }
        let odd = [
            "@", "http:", "https:", "www.", "](", "![", "<script", "<!--", "mailto:", "GH-", "#1", "$",
            ":tada",
        ];
        for odd in odd {
            assert!(!active.contains(odd), "{name:?}: {odd} in\n{active}");
        }
        assert!(markdown.len() < 500_000, "{name:?}: {} bytes", markdown.len());
    }
}

/// What others may put beside a verdict: everything that is text.
fn context(name: &str) -> comment::Context {
    let text = || name.to_owned();
    comment::Context {
        html_url: Some(text()),
        job_url: Some(text()),
        earlier: vec![comment::Earlier { commit: text(), outcome: text(), summary: text() }],
        acceptances: vec![comment::Acceptance {
            benchmark: text(),
            by: text(),
            reason: text(),
            until: text(),
            url: Some(text()),
        }],
    }
}

#[test]
fn a_comment_calls_nobody_and_hides_nothing_whatever_the_names_are() {
    for (name, verdict) in verdicts() {
        for limit in [2_000, 10_000, 65_000] {
            let comment = comment::render(&verdict, &context(&name), limit).text;
            assert!(comment.encode_utf16().count() <= limit, "{name:?}");
            assert!(!comment.chars().any(|c| is_odd(c) && !matches!(c, '\n' | '\u{fe0f}')), "{name:?}");
            let (open, fences): (Vec<&str>, Vec<&str>) = comment.split("```").enumerate().fold(
                (vec![], vec![]),
                |(mut open, mut fences), (at, part)| {
                    if at % 2 == 0 {
                        open.push(part);
                    } else {
                        fences.push(part);
                    }
                    (open, fences)
                },
            );
            assert!(
                fences.len() <= 1 && fences.iter().all(|fence| fence.starts_with("console\ntollgate check ")),
                "{comment}"
            );
            let active = active(&open.join("\n"));
            let odd = [
                "@", "http:", "https:", "www.", "](", "![", "<script", "<!--", "mailto:", "GH-", "#1", "$",
                ":tada",
            ];
            for odd in odd {
                assert!(!active.contains(odd), "{name:?}: {odd} in\n{active}");
            }
            assert_eq!(active.matches("<details>").count(), active.matches("</details>").count(), "{name:?}");
        }
    }
}

/// The tags of a page and how often each occurs; texts of others must not change them.
fn tags(page: &str) -> std::collections::BTreeMap<String, usize> {
    let mut tags = std::collections::BTreeMap::new();
    for tag in page.split('<').skip(1) {
        let name: String =
            tag.chars().take_while(|c| c.is_ascii_alphanumeric() || "/!-".contains(*c)).collect();
        // A word in backticks is code, and a sentence may end up without any.
        if !["code", "/code", "p", "/p"].contains(&name.as_str()) {
            *tags.entry(name).or_default() += 1;
        }
    }
    tags
}

#[test]
fn a_page_keeps_its_shape_whatever_the_names_are() {
    let calm = tags(&html::render(&verdict_v1::from_json(named("calm").to_string().as_bytes()).unwrap()));
    for (name, verdict) in verdicts() {
        let page = html::render(&verdict);
        assert_eq!(tags(&page), calm, "{name:?}");
        assert!(!page.chars().any(|c| is_odd(c) && !matches!(c, '\n')), "{name:?}");
        assert!(page.len() < 2_000_000, "{name:?}: {} bytes", page.len());
    }
}

#[test]
fn ci_systems_read_every_name_as_a_name() {
    let places = Places::unknown();
    for (name, verdict) in verdicts() {
        let xml = junit::render(&verdict, &places);
        let report = quick_junit::Report::deserialize_from_str(&xml)
            .unwrap_or_else(|error| panic!("{name:?}: {error}"));
        assert_eq!(
            report.test_suites.iter().map(|suite| suite.test_cases.len()).sum::<usize>(),
            10 + verdict.targets.len()
        );
        let commands = annotations::render(&verdict, &places);
        for line in commands.lines() {
            let ours = ["::error title=", "::warning title=", "::notice title="];
            assert!(ours.iter().any(|start| line.starts_with(start)), "{name:?}: {line}");
            assert!(!line.chars().any(is_odd), "{name:?}: {line}");
        }
        let findings: Value = serde_json::from_str(&code_quality::render(&verdict, &places)).unwrap();
        for finding in findings.as_array().unwrap() {
            assert_eq!(finding["location"]["path"], "tollgate.toml", "{name:?}");
            assert!(!finding["description"].as_str().unwrap().chars().any(is_odd), "{name:?}");
        }
    }
}

#[test]
fn json_keeps_every_name_bit_by_bit() {
    for (name, verdict) in verdicts() {
        let read = verdict_v1::from_json(&json_report::render(&verdict)).unwrap();
        assert_eq!(read.judgements[0].display_id, name);
        assert_eq!(read, verdict);
    }
}

/// What goes wrong is told in one short line of plain text.
fn check_error(error: &(impl std::error::Error + Hint), input: &str) {
    let text = format!("{error}{}", error.hint().unwrap_or_default());
    assert!(!text.chars().any(is_odd), "{input}: {text:?}");
    assert!(text.chars().count() < 1200, "{input}: {} characters", text.chars().count());
}

/// Bytes through every reader of documents; those that read come back.
fn through_documents(input: &str, bytes: &[u8]) {
    if let Err(error) = version::kind(bytes) {
        check_error(&error.in_file("a\u{1b}.json"), input);
    }
    match run_v1::from_json(bytes) {
        Ok(run) => drop(run_v1::from_json(&run_v1::to_json(&run)).unwrap()),
        Err(error) => check_error(&error.in_file(input), input),
    }
    match verdict_v1::from_json(bytes) {
        Ok(verdict) => {
            drop(table::render(&verdict, Style::default()));
            drop(markdown::render(&verdict));
            drop(html::render(&verdict));
            drop(junit::render(&verdict, &Places::unknown()));
            drop(annotations::render(&verdict, &Places::unknown()));
            drop(code_quality::render(&verdict, &Places::unknown()));
            drop(verdict_v1::from_json(&verdict_v1::to_json(&verdict)).unwrap());
        }
        Err(error) => check_error(&error.in_file(input), input),
    }
    if let Err(error) = baseline_v1::from_json(bytes) {
        check_error(&error, input);
    }
    baseline_v1::verify(bytes).iter().for_each(|error| check_error(error, input));
    if let Err(error) = history_v1::from_json(input, bytes) {
        check_error(&error, input);
    }
}

fn through_sources(name: &str, bytes: &[u8]) {
    if let Err(error) = parse(&file(name, bytes)) {
        check_error(&error, name);
    }
    if let Err(error) = slots_csv::parse(name, bytes) {
        check_error(&error, name);
    }
}

/// A small generator that repeats itself: SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }
}

/// The bytes cut off, with bytes exchanged, with parts doubled or left out.
fn broken(bytes: &[u8], rounds: usize, dice: &mut Dice) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = (0..12).map(|cut| bytes[..bytes.len() * cut / 12].to_vec()).collect();
    let odd = [b'"', b'{', b'[', b'}', b',', b'-', b'9', b'e', 0, 0xff, b'\n', b'\\'];
    for _ in 0..rounds {
        let mut edited = bytes.to_vec();
        for _ in 0..=dice.roll(3) {
            let at = dice.roll(edited.len());
            match dice.roll(3) {
                0 => edited[at] = odd[dice.roll(odd.len())],
                1 => drop(edited.drain(at..(at + 1 + dice.roll(40)).min(edited.len()))),
                _ => {
                    let part = edited[at..(at + dice.roll(60)).min(edited.len())].to_vec();
                    drop(edited.splice(at..at, part));
                }
            }
            if edited.is_empty() {
                break;
            }
        }
        all.push(edited);
    }
    all
}

#[test]
fn broken_documents_are_refused_or_read_but_never_panic() {
    let mut dice = Dice(7);
    for name in ["run.json", "verdict.json", "load-verdict.json"] {
        let bytes = fixtures::bytes(&format!("tollgate/1/{name}"));
        for edited in broken(&bytes, 60, &mut dice) {
            through_documents(name, &edited);
        }
    }
}

#[test]
fn broken_outputs_of_other_tools_are_refused_or_read_but_never_panic() {
    let mut dice = Dice(11);
    let load = LOAD.iter().map(|name| format!("load/{name}"));
    for name in FOREIGN.iter().map(|name| (*name).to_owned()).chain(load) {
        let whole = input(&name);
        for at in 0..whole.files.len().min(4) {
            for edited in broken(&whole.files[at].bytes, 25, &mut dice) {
                let mut input: Input = whole.clone();
                input.files[at] = InputFile { bytes: edited.clone(), ..input.files[at].clone() };
                if let Err(error) = parse(&input) {
                    check_error(&error, &name);
                }
                through_sources(&name, &edited);
            }
        }
    }
}

#[test]
fn oversized_inputs_are_refused_at_once() {
    let long_id = "x".repeat(10 << 20);
    let frozen: Value = serde_json::from_slice(&fixtures::bytes("tollgate/1/verdict.json")).unwrap();
    let mut verdict = frozen;
    verdict["benchmarks"][0]["id"] = long_id.clone().into();
    let cases: [(&str, Vec<u8>); 8] = [
        ("long id", verdict.to_string().into_bytes()),
        ("deep lists", "[".repeat(1 << 20).into_bytes()),
        ("deep objects", "{\"a\":".repeat(1 << 18).into_bytes()),
        (
            "deep in a key",
            format!("{{\"schema\": \"tollgate.run/1\", \"x\": {}", "[".repeat(1 << 20)).into_bytes(),
        ),
        ("unending string", format!("{{\"schema\": \"{long_id}").into_bytes()),
        ("huge number", format!("{{\"seed\": {}}}", "9".repeat(1 << 20)).into_bytes()),
        ("nothing", Vec::new()),
        ("zeros", vec![0; 1 << 20]),
    ];
    for (name, bytes) in cases {
        through_documents(name, &bytes);
        through_sources(name, &bytes);
        assert!(run_v1::from_json(&bytes).is_err() && verdict_v1::from_json(&bytes).is_err(), "{name}");
    }
    let hyperfine = format!("{{\"results\": [{{\"command\": \"{long_id}\", \"times\": [1.0]}}]}}");
    let error = parse(&file("a.json", hyperfine)).unwrap_err();
    assert!(error.to_string().contains("at most 4096 are accepted"), "{error}");
    let csv = format!("benchmark,position,block,side,value\n{long_id},1,1,A,5\n");
    assert!(slots_csv::parse("a.csv", csv.as_bytes()).is_err());
}

#[test]
fn names_from_files_of_slots_reach_the_reader_or_are_refused_by_line() {
    for name in names() {
        let quoted = name.replace('"', "\"\"");
        let csv =
            format!("benchmark,position,block,side,value\n\"{quoted}\",1,1,A,5\n\"{quoted}\",2,1,B,6\n");
        match slots_csv::parse("a.csv", csv.as_bytes()) {
            Ok(run) => assert_eq!(run.measurements[0].benchmark.id.as_str(), name.trim()),
            Err(error) => check_error(&error, &name),
        }
    }
}
