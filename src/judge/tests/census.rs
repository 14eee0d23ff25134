//! The census names every benchmark once.

use super::support::*;
use crate::{
    judge::judge,
    model::{
        benchmark::{Benchmark, BenchmarkId},
        metric::Metric,
        policy::{Rename, Rule},
        run::{Fate, Measurement, Mode, Side::Base, Side::Head},
        verdict::Verdict,
    },
};

fn elsewhere(measurement: Measurement) -> Measurement {
    Measurement { benchmark: Benchmark::new("other", measurement.benchmark.id.clone()), ..measurement }
}

#[test]
fn every_benchmark_is_counted_by_what_became_of_it() {
    let verdict = judge(&paired(vec![
        clean("clean"),
        slower("slower"),
        measured("blind", &Noise { scatter: 0.5, ..Noise::factor(1.0) }, 2),
        measured("unreached", &Noise::factor(1.0), 0),
        with_fate("same", Fate::Identical),
        with_fate("new", Fate::New),
        with_fate("gone", Fate::Missing),
        failed("broken"),
        with_fate("filtered", Fate::Ignored("--filter num".into())),
    ]));
    let census = &verdict.census;
    assert_eq!((census.expected, census.measured, census.compared), (8, 4, 4));
    assert_eq!((census.identical, census.inconclusive, census.blind), (1, 2, 2));
    assert_eq!(
        (&census.new[..], &census.missing[..], &census.failed[..]),
        (&["new".to_owned()][..], &["gone".to_owned()][..], &["broken".to_owned()][..])
    );
    assert_eq!(census.ignored, [("filtered".to_owned(), "--filter num".to_owned())]);
    assert!(verdict.judgements.iter().all(|row| row.display_id != "filtered"));
}

#[test]
fn an_id_that_two_targets_share_is_shown_with_its_target() {
    let verdict = judge(&paired(vec![clean("a"), elsewhere(with_fate("a", Fate::Missing)), clean("b")]));
    let shown: Vec<&str> = verdict.judgements.iter().map(|row| row.display_id.as_str()).collect();
    assert_eq!(shown, ["kernels:a", "b", "other:a"]);
    assert_eq!(verdict.census.missing, ["other:a"]);
}

#[test]
fn a_rule_leaves_a_benchmark_or_a_metric_out() {
    let counts = |id| {
        of_values(
            id,
            Metric::count("instructions", "instructions"),
            &[&[(Base, 9.0), (Base, 9.0), (Head, 9.0), (Head, 9.0)]],
        )
    };
    let rules = vec![
        Rule { ignore: Some(true), ..rule("a") },
        Rule { metrics: Some(vec!["instructions".into()]), ..rule("b") },
        Rule { metrics: Some(Vec::new()), ..rule("c") },
    ];
    let verdict = judge(&with_rules(
        paired(vec![slower("a"), slower("b"), counts("b"), slower("c"), clean("d")]),
        rules,
    ));
    let rows: Vec<_> =
        verdict.judgements.iter().map(|row| (row.display_id.as_str(), row.metric.name.as_str())).collect();
    assert_eq!(rows, [("b", "instructions"), ("d", "time")]);
    assert_eq!(verdict.census.expected, 2);
    let reasons: Vec<&str> = verdict.census.ignored.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(reasons, ["the rule for `a` ignores it", "the rule for `c` leaves out `time`"]);
}

#[test]
fn void_blocks_are_counted() {
    let mut measurement = clean("a");
    for block in &mut measurement.blocks[..2] {
        block.void = Some(crate::model::run::VoidReason { reason: "suspended".into() });
    }
    let census = judge(&paired(vec![measurement, clean("b")])).census;
    assert_eq!((census.voided_blocks, census.measured), (2, 2));
}

#[test]
fn a_renamed_benchmark_is_compared_under_its_new_name() {
    let old = Measurement {
        fate: Fate::Missing,
        ..of_values(
            "old",
            Metric::time(),
            &[
                &[(Base, 100.0), (Base, 101.0)],
                &[(Base, 99.0), (Base, 100.0)],
                &[(Base, 101.0), (Base, 102.0)],
            ],
        )
    };
    let new = Measurement {
        fate: Fate::New,
        ..of_values(
            "new",
            Metric::time(),
            &[
                &[(Head, 200.0), (Head, 201.0)],
                &[(Head, 199.0), (Head, 200.0)],
                &[(Head, 201.0), (Head, 202.0)],
            ],
        )
    };
    let mut apart = run(Mode::OneLook, vec![old, new]);
    let verdict = judge(&apart);
    assert_eq!((verdict.census.missing.len(), verdict.census.new.len()), (1, 1));
    apart.policy.renames = vec![Rename { from: "old".into(), to: "new".into() }];
    let verdict = judge(&apart);
    assert_eq!((verdict.census.expected, verdict.census.compared), (1, 1));
    let row = row(&verdict, "new");
    assert_eq!(row.verdict, Verdict::Regressed);
    assert_eq!(judge(verdict.evidence.as_ref().unwrap()), verdict);
}

#[test]
fn hostile_ids_are_judged_like_any_other() {
    let ids = ["a/b c", "böse\u{202e}", "[*?", "\u{1b}[31m", &"x".repeat(300)];
    let measurements: Vec<Measurement> = ids.iter().map(|id| clean(id)).collect();
    let rules = ids.iter().map(|id| Rule { margin: Some(0.5), ..rule(id) }).collect();
    let verdict = judge(&with_rules(paired(measurements), rules));
    assert_eq!(verdict.census.compared, ids.len());
    assert!(verdict.judgements.iter().all(|row| (row.margin - 0.5).abs() < 1e-12));
    assert!(BenchmarkId::new("").is_err());
}
