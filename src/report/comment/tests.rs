//! Comments as they were looked at in a browser (`tests/fixtures/comments`), and their size.

use std::path::Path;

use proptest::prelude::{ProptestConfig, prop_assert, proptest};

use super::{Acceptance, Context, Earlier, render};
use crate::format::example;
use crate::model::{
    metric::Metric,
    outcome::{ErrorClass, Outcome},
    run::Warning,
    verdict::{Change, CheckVerdict, Family, Judgement, Verdict},
};
use crate::report::{markdown, parts};
use crate::text::escape;

/// What GitHub takes, less the hidden marker.
const LIMIT: usize = 65_000;

fn context() -> Context {
    Context {
        html_url: Some("https://github.com/octo/cat/actions/runs/7/artifacts/9".into()),
        job_url: Some("https://github.com/octo/cat/actions/runs/7".into()),
        earlier: vec![
            Earlier {
                commit: "77aa".repeat(10),
                outcome: "regressed".into(),
                summary: "regressed: 2 of 42 benchmarks got slower (num/sieve +5.1 %, num/fact +3.0 %)"
                    .into(),
            },
            Earlier {
                commit: "12bc".repeat(10),
                outcome: "pass".into(),
                summary: "pass: no regression in 42 benchmarks (42 unchanged)".into(),
            },
        ],
        acceptances: Vec::new(),
    }
}

/// A row of time with everything that a judged one has.
fn row(id: &str, base: f64, estimate: f64, verdict: Verdict, reason: &str) -> Judgement {
    let half = 0.007;
    Judgement {
        metric: Metric::time(),
        base: Some(base),
        head: Some(base * (1.0 + estimate)),
        change: Some(Change {
            estimate,
            lower: Some(estimate - half),
            upper: Some(estimate + half),
            confidence: 0.995,
        }),
        margin: 0.02,
        rounds: 18,
        minimum_detectable: Some(0.011),
        scatter: Some(0.009),
        blind: Some(false),
        q_value: Some(0.4),
        reason: reason.into(),
        ..example::count_row(id, base, base, verdict)
    }
}

/// A project's usual check: three dozen calm benchmarks and those given.
fn usual(outcome: Outcome, reason: &str, rows: Vec<Judgement>) -> CheckVerdict {
    let groups = ["parse", "render", "hash", "sort", "tree", "text"];
    let calm = (0..36_u32).map(|at| {
        let id = format!(
            "{}/{}",
            groups[at as usize % 6],
            ["small", "medium", "large", "huge", "odd", "even"][at as usize / 6]
        );
        let estimate = f64::from(at * 7 % 11) / 1000.0 - 0.005;
        let verdict = if at % 9 == 0 { Verdict::Identical } else { Verdict::Unchanged };
        let mut calm =
            row(&id, 1_000.0 * f64::from(1 + at * at), estimate, verdict, "not slower by more than 1.4 %");
        if verdict == Verdict::Identical {
            calm.reason = "the machine code is the same on both sides, so it cannot have changed".into();
            (calm.change, calm.base, calm.head, calm.blind) = (None, None, None, None);
        }
        calm
    });
    let mut verdict = example::verdict_of(&[], outcome, reason);
    verdict.judgements = calm.chain(rows).collect();
    let count = |wanted: Verdict| verdict.judgements.iter().filter(|row| row.verdict == wanted).count();
    let all = verdict.judgements.len();
    let names = |wanted: Verdict| -> Vec<String> {
        let rows = verdict.judgements.iter().filter(|row| row.verdict == wanted);
        rows.map(|row| row.display_id.clone()).collect()
    };
    let apart = count(Verdict::New) + count(Verdict::Missing) + count(Verdict::Failed);
    verdict.census.expected = all;
    verdict.census.measured = all - apart;
    verdict.census.compared = all - apart;
    verdict.census.identical = count(Verdict::Identical);
    verdict.census.inconclusive = count(Verdict::Inconclusive);
    verdict.census.new = names(Verdict::New);
    verdict.census.missing = names(Verdict::Missing);
    verdict.census.failed = names(Verdict::Failed);
    let tests = all - apart - count(Verdict::Identical);
    verdict.families = vec![Family { tests, ..example::verdict().families[0].clone() }];
    verdict.head = example::revision("c0ff", "refs/pull/12/merge");
    verdict.head.rev = Some("c0ffee1234".repeat(4));
    verdict
}

fn regressions() -> Vec<Judgement> {
    vec![
        row(
            "num/sieve",
            17_203.0,
            0.05,
            Verdict::Regressed,
            "5.0 % slower (+4.3 to +5.7 %), beyond the margin of 2 %: fix it, or accept it by a waiver in `tollgate.toml`",
        ),
        row(
            "num/factorial/20",
            812.0,
            0.31,
            Verdict::Regressed,
            "31.0 % slower (+30.3 to +31.7 %), beyond the margin of 2 %: fix it, or accept it by a waiver in `tollgate.toml`",
        ),
        row(
            "sort/quick",
            5_200.0,
            0.021,
            Verdict::Inconclusive,
            "looks 2.1 % slower (+1.4 to +2.8 %), not proven after 39 rounds: raise the margin, or quieten the machine (`tollgate doctor`)",
        ),
        row(
            "hash/fnv",
            2_310.0,
            -0.09,
            Verdict::Improved,
            "9.0 % faster (-9.7 to -8.3 %), more than the margin of 2 %",
        ),
    ]
}

fn without_numbers(id: &str, verdict: Verdict, reason: &str) -> Judgement {
    let mut row = row(id, 1.0, 0.0, verdict, reason);
    (row.change, row.base, row.head, row.blind, row.scatter, row.minimum_detectable) =
        (None, None, None, None, None, None);
    row.rounds = 0;
    row
}

fn waived() -> Judgement {
    row(
        "tree/walk",
        1_204_000.0,
        0.0797,
        Verdict::Waived,
        "8.0 % slower (+7.3 to +8.7 %), beyond the margin of 2 %; waived up to 10 % until 2027-01-31 by ada (the new tree keeps parents)",
    )
}

/// A verdict and its context for each outcome, by the name of its golden file.
fn cases() -> Vec<(&'static str, CheckVerdict, Context)> {
    let measurement = Outcome::Error(ErrorClass::Measurement);
    let crash = without_numbers(
        "io/read",
        Verdict::Failed,
        "failed on head: exited with code 101\nthread 'main' panicked at benches/io.rs:12:5:\nno such file `tests/data/large.bin`",
    );
    let gone = without_numbers(
        "num/gone",
        Verdict::Missing,
        "only base has it: if it was renamed, name it under `renames`; if it was removed on purpose, ignore it by a rule",
    );
    let fresh =
        without_numbers("sort/new", Verdict::New, "only head has it, so there is nothing to compare it with");
    let mut accepted = context();
    accepted.acceptances = vec![Acceptance {
        benchmark: "tree/*".into(),
        by: "ada".into(),
        reason: "the new tree keeps parents, which #12 needs".into(),
        until: "this pull request is merged or closed".into(),
        url: Some("https://github.com/octo/cat/pull/12#issuecomment-3".into()),
    }];
    let identical: Vec<Judgement> = usual(Outcome::Pass, "", Vec::new())
        .judgements
        .into_iter()
        .map(|row| {
            without_numbers(
                &row.display_id,
                Verdict::Identical,
                "the machine code is the same on both sides, so it cannot have changed",
            )
        })
        .collect();
    let mut same = usual(Outcome::Pass, "", Vec::new());
    same.census.identical = identical.len();
    same.judgements = identical;
    same.families[0].tests = 0;
    let mut shards = usual(Outcome::Incomplete, "1 of 4 shards is missing", Vec::new());
    shards.warnings = vec![
        Warning::new(
            "several_environments",
            "the shards were measured in 2 environments: linux-x86_64-a3f09c0d4e5b6172 (AMD EPYC 7763 64-Core Processor, environment a3f09c0d4e5b6172) and linux-x86_64-b4e1770d4e5b6172 (Intel Xeon Platinum 8370C, environment b4e1770d4e5b6172); each benchmark's base and head in one of them",
        ),
        Warning::new(Warning::MISSING_SHARD, "1 of 4 shards is missing"),
    ];
    let blind = "not even a slowdown of 10 % could be ruled out for 30 of 42 benchmarks";
    let wide = (0..6).map(|at| {
        let mut row = row(
            &format!("net/{at}"),
            9e5,
            0.04,
            Verdict::Inconclusive,
            "not slower by more than 19.0 % is all that could be shown after 9 rounds: raise `--budget`, or the margin",
        );
        row.change = row.change.map(|change| Change { lower: Some(-0.11), upper: Some(0.19), ..change });
        row.blind = Some(true);
        row
    });
    let mut many: Vec<Judgement> = (0..40)
        .map(|at| {
            row(
                &format!("kernel/{at:04}"),
                1e4,
                0.05 + f64::from(at) / 100.0,
                Verdict::Regressed,
                "5.0 % slower (+4.3 to +5.7 %), beyond the margin of 2 %: fix it, or accept it by a waiver in `tollgate.toml`",
            )
        })
        .collect();
    many.extend((0..1924).map(|at| {
        row(
            &format!("calm/group-{}/case-{at:04}", at % 7),
            1e4,
            0.001,
            Verdict::Unchanged,
            "not slower by more than 0.9 %",
        )
    }));
    vec![
        ("pass", usual(Outcome::Pass, "", vec![regressions().swap_remove(3)]), Context::default()),
        ("regressed", usual(Outcome::Regressed, "2 benchmarks regressed", regressions()), context()),
        ("improved", usual(Outcome::Pass, "", regressions().split_off(3)), context()),
        ("inconclusive", usual(Outcome::Inconclusive, blind, wide.collect()), context()),
        (
            "incomplete",
            usual(Outcome::Incomplete, "1 benchmark vanished: num/gone", vec![gone, fresh]),
            context(),
        ),
        ("error", usual(measurement, "1 benchmark failed: io/read", vec![crash]), context()),
        ("identical", same, Context::default()),
        ("waived", usual(Outcome::Pass, "", vec![waived()]), context()),
        ("accepted", usual(Outcome::Pass, "", vec![waived()]), accepted),
        ("shards", shards, context()),
        ("load", example::load_verdict(), context()),
        ("every-verdict", example::verdict(), context()),
        ("two-thousand", usual(Outcome::Regressed, "40 benchmarks regressed", many), context()),
    ]
}

#[test]
fn comments_are_those_that_were_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/comments");
    for (name, verdict, context) in cases() {
        let fitted = render(&verdict, &context, LIMIT);
        check_golden(&folder.join(format!("{name}.md")), &fitted.text);
    }
    check_golden(&folder.join("summary.md"), &markdown::render(&example::verdict()));
    let clean = example::verdict_of(&["num/fact", "layout/a|b <i>"], Outcome::Pass, "");
    check_golden(&folder.join("summary-clean.md"), &markdown::render(&clean));
}

fn check_golden(path: &Path, text: &str) {
    if std::env::var_os("TOLLGATE_WRITE_COMMENTS").is_some() {
        std::fs::write(path, text).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    let how = "look at it in a browser, then TOLLGATE_WRITE_COMMENTS=1 cargo test --lib comments_are";
    assert_eq!(text, golden, "{}: {how}", path.display());
}

#[test]
fn a_usual_comment_is_short_and_its_first_line_is_the_answer() {
    for (name, verdict, context) in cases() {
        let text = render(&verdict, &context, LIMIT).text;
        let open = text.split("<details>").next().unwrap();
        assert!(open.len() < 4_000, "{name}: {} bytes stand open", open.len());
        if !["two-thousand", "load"].contains(&name) {
            assert!(text.len() < 7_000, "{name}: {} bytes", text.len());
        }
        let first = text.lines().next().unwrap();
        assert!(first.contains(&format!(" {}: ", verdict.outcome.as_str())), "{first}");
        let asked = if verdict.outcome == Outcome::Pass { "· no action needed" } else { "· please read" };
        assert!(first.ends_with(asked) && first.chars().count() < 200, "{first}");
    }
}

/// Every regression is named, or counted as one without a name.
fn tells_all_regressions(
    text: &str,
    verdict: &CheckVerdict,
    id: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let regressed: Vec<&Judgement> =
        verdict.judgements.iter().filter(|row| row.verdict == Verdict::Regressed).collect();
    let unnamed = regressed.iter().filter(|row| !id(&row.display_id)).count();
    let counted = |noun: &str| -> usize {
        let before = text.split(noun).next().unwrap_or_default();
        let number = before.rsplit(|c: char| !c.is_ascii_digit() && c != ',').next().unwrap_or_default();
        number.replace(',', "").parse().unwrap_or(0)
    };
    let counted = counted(" more regression").max(counted(" regression;")).max(counted(" regressions;"));
    if unnamed > counted {
        Err(format!("{unnamed} unnamed, {counted} counted of {}", regressed.len()))
    } else {
        Ok(())
    }
}

fn is_named(text: &str) -> impl Fn(&str) -> bool {
    move |id| [100, 60, 40, 24].iter().any(|most| text.contains(&parts::code(id, *most)))
}

#[test]
fn two_thousand_and_ten_thousand_benchmarks_fit_with_every_regression() {
    let (_, two, context) = cases().pop().unwrap();
    let fitted = render(&two, &context, LIMIT);
    assert!(fitted.left_out > 1_000 && fitted.text.contains("rows (unchanged, identical) left out for size"));
    assert_eq!(
        two.judgements
            .iter()
            .filter(|row| row.verdict == Verdict::Regressed && is_named(&fitted.text)(&row.display_id))
            .count(),
        40
    );
    // All of them got slower: names as far as they go, and a count.
    let mut all = two;
    all.judgements = (0..10_000)
        .map(|at| {
            row(
                &format!("group/with/a/long/name/of/case-{at:05}"),
                1e4,
                0.05,
                Verdict::Regressed,
                "5.0 % slower (+4.3 to +5.7 %), beyond the margin of 2 %: fix it, or accept it by a waiver in `tollgate.toml`",
            )
        })
        .collect();
    for limit in [2_000, 20_000, LIMIT] {
        let fitted = render(&all, &context, limit);
        assert!(fitted.text.encode_utf16().count() <= limit && fitted.left_out == 0);
        assert!(fitted.text.len() > limit * 8 / 10, "{} of {limit}: room is used", fitted.text.len());
        tells_all_regressions(&fitted.text, &all, is_named(&fitted.text)).unwrap();
    }
    let summary = markdown::render_within(&all, markdown::MAX_BYTES);
    assert!(summary.text.len() <= markdown::MAX_BYTES);
    tells_all_regressions(&summary.text, &all, is_named(&summary.text)).unwrap();
}

#[test]
fn the_least_important_rows_go_first() {
    let (_, verdict, context) = cases().swap_remove(1);
    let whole = render(&verdict, &context, LIMIT);
    let size = |text: &str| text.encode_utf16().count();
    let mut last = size(&whole.text);
    for limit in (2_000..6_000).rev().step_by(250) {
        let fitted = render(&verdict, &context, limit);
        assert!(size(&fitted.text) <= limit.min(last));
        for id in ["num/sieve", "num/factorial/20"] {
            assert!(fitted.text.contains(&format!("`{id}`")), "{id} in {limit}");
        }
        let rows = |word: &str| fitted.text.matches(&format!("| {word} |")).count();
        assert!(fitted.left_out > 0 || rows("identical") == 4, "{limit}: {}", fitted.text);
        assert!(rows("identical") == 0 || rows("unchanged") == 32, "{limit}: {}", fitted.text);
        last = size(&fitted.text).max(limit - 250);
    }
}

#[test]
fn the_answer_survives_texts_that_leave_no_room() {
    let long = "@|`<".repeat(50_000);
    let mut verdict = example::verdict();
    for row in &mut verdict.judgements {
        (row.reason, row.metric.name, row.metric.unit) = (long.clone(), long.clone(), long.clone());
    }
    verdict.outcomes = vec![(Outcome::Regressed, long.clone()); 300];
    verdict.warnings = vec![Warning::new("x", &*long); 300];
    verdict.environment.cpu = long.clone();
    verdict.head.label = long.clone();
    let mut context = context();
    context.acceptances = vec![
        Acceptance {
            benchmark: long.clone(),
            by: long.clone(),
            reason: long.clone(),
            until: long.clone(),
            url: Some(long.clone())
        };
        50
    ];
    context.earlier = vec![Earlier { commit: long.clone(), outcome: long.clone(), summary: long }; 50];
    for limit in [2_000, 10_000, LIMIT] {
        let text = render(&verdict, &context, limit).text;
        assert!(text.starts_with("### ❌ regressed: ") || text.starts_with("### regressed: "), "{text}");
        assert!(text.encode_utf16().count() <= limit);
        tells_all_regressions(&text, &verdict, is_named(&text)).unwrap();
    }
}

#[test]
fn what_others_say_on_the_pull_request_is_escaped() {
    let mut context = context();
    let text = "<!-- tollgate:comment --> @ada fixes #1\n# x\u{202e} | ![a](b)";
    context.acceptances = vec![Acceptance {
        benchmark: text.into(),
        by: text.into(),
        reason: text.into(),
        until: text.into(),
        url: Some("javascript:x".into()),
    }];
    context.earlier = vec![Earlier { commit: text.into(), outcome: text.into(), summary: text.into() }];
    context.html_url = Some("https://x/)![a](b)".into());
    let shown = render(&example::verdict(), &context, LIMIT).text;
    for live in ["<!-- t", "@ada", "#1\n", "\n# x", "![a]", "javascript", "\u{202e}", "https://x"] {
        assert!(!shown.contains(live), "{live:?} in {shown}");
    }
}

const PIECES: [&str; 12] =
    ["num/", "|", "`", "<!--", "@ada", "日本", "\u{301}", "x", "\\", "[a](b)", "\u{202e}", "🦀"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_verdict_fits_any_limit_and_hides_no_regression(
        names in proptest::collection::vec((proptest::collection::vec(0..PIECES.len(), 1..40), 0..9_usize), 0..60),
        limit in 2_000..40_000_usize,
    ) {
        let verdicts = [Verdict::Regressed, Verdict::Failed, Verdict::Missing, Verdict::Waived, Verdict::Inconclusive, Verdict::Improved, Verdict::New, Verdict::Unchanged, Verdict::Identical];
        let rows = names.iter().enumerate().map(|(at, (pieces, verdict))| {
            let name: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
            let id = format!("{at}{name}");
            row(&id, 1e4, 0.05, verdicts[*verdict], &name)
        }).collect();
        let verdict = usual(Outcome::Regressed, "x", rows);
        let fitted = render(&verdict, &context(), limit);
        prop_assert!(fitted.text.encode_utf16().count() <= limit);
        let told = tells_all_regressions(&fitted.text, &verdict, is_named(&fitted.text));
        prop_assert!(told.is_ok(), "{told:?} in {}", fitted.text);
        let odd = |c: char| c != '\n' && c != '\u{fe0f}' && escape::visible(&c.to_string()).starts_with("\\u");
        prop_assert!(!fitted.text.contains(odd));
        let summary = markdown::render_within(&verdict, limit);
        prop_assert!(summary.text.len() <= limit);
        let told = tells_all_regressions(&summary.text, &verdict, is_named(&summary.text));
        prop_assert!(told.is_ok(), "{told:?} in {}", summary.text);
    }
}
