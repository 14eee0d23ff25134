//! The words of the view: the answer in one line, and the facts beside the rows.

use std::collections::{BTreeMap, BTreeSet};

use super::view::{Fact, Line, Piece};
use crate::model::{
    outcome::Outcome,
    revision::Revision,
    run::Mode,
    verdict::{CheckVerdict, Judgement, Verdict},
};
use crate::text::{plural, quantity};

/// Names in the answer before "and 3 more".
const NAMED: usize = 3;

/// The answer, the outcome's word first. `ordered` are the rows in the order of the view.
pub(super) fn summary(verdict: &CheckVerdict, ordered: &[&Judgement]) -> Line {
    let word = verdict.outcome.as_str();
    match verdict.outcome {
        Outcome::Regressed => regressed(verdict, ordered),
        Outcome::Pass => vec![text(format!("{word}: {}", passed(verdict)))],
        _ => vec![text(format!("{word}: {}", stated(verdict)))],
    }
}

/// What is asked of the reader.
pub(super) fn action(verdict: &CheckVerdict) -> &'static str {
    if verdict.outcome == Outcome::Pass { "no action needed" } else { "please read" }
}

/// The reason that came with the deciding outcome.
fn stated(verdict: &CheckVerdict) -> &str {
    let reason = verdict.outcomes.first().map_or("", |(_, reason)| reason.as_str());
    match (reason, verdict.outcome) {
        ("", Outcome::Inconclusive) => "too little could be ruled out",
        ("", Outcome::Incomplete) => "there was nothing to compare",
        ("", _) => "something went wrong",
        (reason, _) => reason,
    }
}

fn regressed(verdict: &CheckVerdict, ordered: &[&Judgement]) -> Line {
    let rows: Vec<&&Judgement> = ordered.iter().filter(|row| row.verdict == Verdict::Regressed).collect();
    if rows.is_empty() {
        return vec![text(format!("regressed: {}", stated(verdict)))];
    }
    let slower = rows.iter().all(|row| row.metric.name == "time");
    // A load benchmark has a row for each metric.
    let benchmarks = rows.iter().map(|row| &row.benchmark).collect::<BTreeSet<_>>().len();
    let mut line = vec![text(format!(
        "regressed: {} of {} got {} (",
        quantity::count(benchmarks as u64),
        plural::count(verdict.census.compared.max(benchmarks), "benchmark"),
        if slower { "slower" } else { "worse" },
    ))];
    for (at, row) in rows.iter().take(NAMED).enumerate() {
        if at > 0 {
            line.push(text(", "));
        }
        let id = &row.display_id;
        let is_time = row.metric.name == "time";
        line.push(Piece::Name(if is_time { id.clone() } else { format!("{id} {}", row.metric.name) }));
        if let Some(change) = row.change {
            line.push(text(format!(" {}", quantity::change(change.estimate))));
        }
    }
    let more = rows.len().saturating_sub(NAMED);
    line.push(text(if more > 0 {
        format!(" and {} more)", quantity::count(more as u64))
    } else {
        ")".into()
    }));
    line
}

fn passed(verdict: &CheckVerdict) -> String {
    let census = &verdict.census;
    if census.compared > 0 && census.identical == census.compared {
        let subject = match census.compared {
            1 => "the one benchmark has".to_owned(),
            n => format!("all {} have", plural::count(n, "benchmark")),
        };
        return format!("{subject} the same machine code on both sides");
    }
    if census.compared == 0 {
        return match stated(verdict) {
            "something went wrong" => "nothing to compare".to_owned(),
            reason => reason.to_owned(),
        };
    }
    let count = |wanted: Verdict| verdict.judgements.iter().filter(|row| row.verdict == wanted).count();
    let parts: Vec<String> =
        [Verdict::Waived, Verdict::Inconclusive, Verdict::Improved, Verdict::Unchanged, Verdict::Identical]
            .into_iter()
            .filter(|&wanted| count(wanted) > 0)
            .map(|wanted| format!("{} {}", quantity::count(count(wanted) as u64), wanted.as_str()))
            .collect();
    let compared = || verdict.judgements.iter().filter(|row| is_compared(row.verdict));
    let rows = compared().count();
    let metrics = match rows == compared().map(|row| &row.benchmark).collect::<BTreeSet<_>>().len() {
        true => String::new(),
        false => format!("{}: ", plural::count(rows, "metric")),
    };
    format!(
        "no regression in {} ({metrics}{})",
        plural::count(census.compared, "benchmark"),
        parts.join(", ")
    )
}

/// Whether a row of a check that passed stands for something that was compared.
fn is_compared(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::New | Verdict::Missing | Verdict::Failed)
}

/// The outcomes that applied besides the deciding one.
pub(super) fn also(verdict: &CheckVerdict) -> Vec<Line> {
    let rest = verdict.outcomes.iter().skip(1).filter(|(_, reason)| !reason.is_empty());
    rest.map(|(outcome, reason)| vec![text(format!("also {}: {reason}", outcome.as_str()))]).collect()
}

/// What to know about the check as a whole.
pub(super) fn facts(verdict: &CheckVerdict) -> Vec<Fact> {
    let facts = [
        ("compared", Some(compared(verdict))),
        ("left out", left_out(verdict)),
        ("ruled out", ruled_out(verdict)),
        ("noise", noise(verdict)),
        ("tests", tests(verdict)),
        ("revisions", Some(revisions(verdict))),
        ("machine", Some(vec![text(machine(verdict))])),
        ("again", Some(again(verdict))),
    ];
    facts.into_iter().filter_map(|(label, line)| line.map(|line| Fact { label, line })).collect()
}

/// The census: a check that ran on nothing must not look like one that ran.
fn compared(verdict: &CheckVerdict) -> Line {
    let census = &verdict.census;
    let mut parts = vec![format!(
        "{} of {}",
        quantity::count(census.compared as u64),
        plural::count(census.expected, "benchmark")
    )];
    let counts = [
        (census.identical, "identical"),
        (census.inconclusive, "inconclusive"),
        (census.blind, "blind"),
        (census.new.len(), "new"),
        (census.missing.len(), "missing"),
        (census.failed.len(), "failed"),
        (census.ignored.len(), "left out"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    parts.extend(counts.map(|(count, word)| format!("{} {word}", quantity::count(count as u64))));
    if census.voided_blocks > 0 {
        parts.push(format!("{} thrown away", plural::count(census.voided_blocks, "disturbed block")));
    }
    vec![text(parts.join(", "))]
}

/// Benchmarks that a filter or rule left out have no row, so they are named here.
fn left_out(verdict: &CheckVerdict) -> Option<Line> {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, reason) in &verdict.census.ignored {
        by_reason.entry(reason).or_default().push(id);
    }
    let mut line = Vec::new();
    for (reason, ids) in by_reason.iter().take(NAMED) {
        line.push(text(if line.is_empty() { "" } else { "; " }));
        for (at, id) in ids.iter().take(NAMED).enumerate() {
            line.push(text(if at == 0 { "" } else { ", " }));
            line.push(Piece::Name((*id).to_owned()));
        }
        let more = ids.len().saturating_sub(NAMED);
        let more =
            if more > 0 { format!(" and {} more", quantity::count(more as u64)) } else { String::new() };
        line.push(text(format!("{more} ({reason})")));
    }
    let reasons = by_reason.len().saturating_sub(NAMED);
    if reasons > 0 {
        line.push(text(format!("; and more for {}", plural::count(reasons, "other reason"))));
    }
    line.retain(|piece| *piece != text(""));
    (!line.is_empty()).then_some(line)
}

/// What the check would have seen: silence about a benchmark is worth only as much as this.
fn ruled_out(verdict: &CheckVerdict) -> Option<Line> {
    let tested: Vec<&Judgement> = verdict.judgements.iter().filter(|row| row.blind.is_some()).collect();
    if tested.is_empty() {
        return None;
    }
    let time = tested.iter().all(|row| row.metric.name == "time");
    let worsening = if time { "slowdown" } else { "worsening" };
    let of_tested = |count: usize| {
        format!("{} of {}", quantity::count(count as u64), quantity::count(tested.len() as u64))
    };
    let no_worse = tested.iter().filter(|row| matches!(row.verdict, Verdict::Unchanged | Verdict::Improved));
    let margin = match uniform_margin(&tested) {
        Some(margin) => format!("the margin of {}", quantity::percent(margin)),
        None => "its margin".to_owned(),
    };
    let mut sentence = format!("a {worsening} beyond {margin} for {} tested", of_tested(no_worse.count()));
    if let Some(run) = &verdict.evidence {
        let seeing = tested.iter().filter(|row| row.blind == Some(false)).count();
        let bound = quantity::percent(run.policy.must_rule_out);
        sentence += &format!(", one of {bound} for {}", of_tested(seeing));
    }
    Some(vec![text(sentence)])
}

fn uniform_margin(tested: &[&Judgement]) -> Option<f64> {
    let first = tested.first()?.margin;
    tested.iter().all(|row| row.margin.total_cmp(&first).is_eq()).then_some(first)
}

/// How restless the machine was, and what could be seen in spite of it.
fn noise(verdict: &CheckVerdict) -> Option<Line> {
    let spread = |pick: fn(&Judgement) -> Option<f64>| {
        let mut values: Vec<f64> = verdict.judgements.iter().filter_map(pick).collect();
        values.sort_by(f64::total_cmp);
        let median = quantity::share(*values.get(values.len() / 2)?);
        let most = quantity::share(*values.last()?);
        Some(if median == most { median } else { format!("{median} (median), {most} at most") })
    };
    let scatter = spread(|row| row.scatter).map(|spread| format!("processes scatter by {spread}"));
    let seen = spread(|row| row.minimum_detectable)
        .map(|spread| format!("the smallest change found four times in five: {spread}"));
    let parts: Vec<String> = scatter.into_iter().chain(seen).collect();
    (!parts.is_empty()).then(|| vec![text(parts.join("; "))])
}

fn revisions(verdict: &CheckVerdict) -> Line {
    let mut line = Vec::new();
    if let Some(base) = &verdict.base {
        line.push(text("base "));
        line.push(Piece::Name(base.describe()));
        line.push(text(", "));
    }
    line.push(text("head "));
    line.push(Piece::Name(verdict.head.describe()));
    let took = quantity::seconds(verdict.duration_seconds);
    let how = match verdict.mode {
        Mode::Paired => "measured in turn",
        Mode::Stored => "head against stored runs",
        Mode::OneLook => "values of a finished measurement, one look",
        Mode::Single => "one revision alone",
    };
    // A finished measurement does not say how long it took.
    let took = if verdict.mode == Mode::OneLook { String::new() } else { format!(", {took} in all") };
    line.push(text(format!("; {how}{took}")));
    line
}

fn tests(verdict: &CheckVerdict) -> Option<Line> {
    let families: Vec<String> = verdict
        .families
        .iter()
        .filter(|family| family.tests > 0)
        .map(|family| {
            let method = match family.method.as_str() {
                "benjamini-hochberg" => "Benjamini-Hochberg",
                "holm" => "Holm",
                other => other,
            };
            let rate = quantity::percent(family.false_discovery_rate);
            format!("{} of {} by {method} at {rate}", plural::count(family.tests, "test"), family.name)
        })
        .collect();
    let confidences: Vec<f64> =
        verdict.judgements.iter().filter_map(|row| Some(row.change?.confidence)).collect();
    let lowest = confidences.iter().copied().min_by(f64::total_cmp);
    let highest = confidences.iter().copied().max_by(f64::total_cmp);
    // The looks share an error of 10 % for "unchanged" and for what is ruled out, less than for an interval.
    let unchanged = match verdict.mode {
        Mode::Paired | Mode::OneLook => ", what is ruled out with 90 %",
        Mode::Stored | Mode::Single => "",
    };
    let intervals = match (lowest, highest) {
        (Some(low), Some(high)) => {
            let (low, high) = (quantity::percent(low), quantity::percent(high));
            let range = if low == high { low } else { format!("{low} to {high}") };
            format!("; each end of an interval holds with {range} confidence{unchanged}")
        }
        _ => String::new(),
    };
    (!families.is_empty()).then(|| vec![text(families.join(", ") + &intervals)])
}

fn machine(verdict: &CheckVerdict) -> String {
    let environment = &verdict.environment;
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let os = format!("{} {}", environment.os, environment.kernel);
    let parts = [
        known(&environment.cpu),
        (environment.cores > 0).then(|| plural::count(environment.cores as usize, "core")),
        (environment.memory_gib > 0).then(|| format!("{} GiB", environment.memory_gib)),
        known(os.trim()),
        known(&environment.virtualisation).filter(|word| word != "none"),
        known(&environment.rustc),
        known(&environment.profile).map(|profile| format!("profile {profile}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => "not known: the values come from another tool".to_owned(),
        false => format!("{}; environment {}", parts.join(", "), environment.key),
    }
}

fn again(verdict: &CheckVerdict) -> Line {
    let judge = "`tollgate judge` on its JSON judges it again";
    let seed = verdict.seed;
    vec![text(match reproduce(verdict) {
        Some(command) => format!("`{command} --seed {seed}` measures it again; {judge}"),
        None => judge.to_owned(),
    })]
}

/// The command that measures the same revisions again, where there is one.
pub(super) fn reproduce(verdict: &CheckVerdict) -> Option<String> {
    matches!(verdict.mode, Mode::Paired | Mode::Stored).then(|| check_command(verdict))
}

/// The command that measures the same again.
pub(super) fn check_command(verdict: &CheckVerdict) -> String {
    let mut command = "tollgate check".to_owned();
    let rev = |revision: &Revision| revision.rev.as_deref().map(|rev| rev.get(..9).unwrap_or(rev).to_owned());
    if let Some(base) = verdict.base.as_ref().and_then(rev) {
        command += &format!(" --base {base}");
    }
    // A head without a commit is the work tree, which is the default.
    if let Some(head) = rev(&verdict.head) {
        command += &format!(" --head {head}");
    }
    if verdict.mode == Mode::Stored {
        command += " --mode stored";
    }
    command
}

fn text(text: impl Into<String>) -> Piece {
    Piece::Text(text.into())
}
