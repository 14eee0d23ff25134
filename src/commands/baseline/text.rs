//! The words of the baseline commands' reports, for a terminal: one function a report, text out.

use std::fmt::Write as _;

use super::{
    list, prune,
    save::{self, Recorded},
    show::{self, ShownRun},
};
use crate::{
    commands::baseline::accept,
    hint::Hint,
    model::{baseline::Level, environment::Environment},
    store::{
        prune::{Effect, Pruned, Reason},
        verify::{Severity, Verified},
    },
    text::{
        escape::{columns, terminal},
        plural, quantity,
    },
};

/// How many names a line lists.
const MOST_NAMES: usize = 5;

/// What was saved, and what was not.
#[must_use]
pub fn saved(report: &save::Report) -> String {
    let record = &report.record;
    let mut text = format!(
        "saved {} of {} in environment `{}` ({})\n",
        plural::count(record.series.len(), "benchmark"),
        described(&record.rev, &record.label),
        record.environment.key,
        machine(&record.environment)
    );
    if let Some(saved) = &report.saved {
        for path in &saved.files {
            line(&mut text, &format!("  wrote `{}`", terminal(&path.display().to_string())));
        }
        if saved.already_there > 0 {
            let count = plural::count(saved.already_there, "benchmark");
            line(&mut text, &format!("  {count} held this run already"));
        }
        if !saved.before_level.is_empty() {
            let ids: Vec<String> =
                saved.before_level.iter().map(|one| format!("`{}`", terminal(one.id.as_str()))).collect();
            let verb = plural::choose(ids.len(), "was", "were");
            let names = plural::list(&ids, MOST_NAMES);
            line(&mut text, &format!("  {names} {verb} left out: the run is from before an accepted change"));
        }
    }
    match report.recorded {
        Some(Recorded::New) => line(&mut text, "  recorded in `refs/tollgate/history`"),
        Some(Recorded::AlreadyThere) => {
            line(&mut text, "  `refs/tollgate/history` held this run already");
        }
        None => {}
    }
    match &report.pushed {
        Some(Ok(pushed)) => {
            line(&mut text, &format!("  pushed {}", plural::count(pushed.sent, "run record")));
        }
        Some(Err(error)) => {
            line(&mut text, &format!("  not pushed: {}", terminal(&error.to_string())));
            if let Some(hint) = error.hint() {
                line(&mut text, &format!("  help: {hint}"));
            }
        }
        None => {}
    }
    for refused in &report.refused {
        let id = terminal(refused.benchmark.id.as_str());
        line(&mut text, &format!("  not saved: `{id}` ({}) {}", terminal(&refused.metric), refused.why));
    }
    text
}

/// What is stored, environment by environment.
#[must_use]
pub fn listed(report: &list::Report) -> String {
    let mut text = String::new();
    if report.environments.is_empty() && report.broken.is_empty() {
        return "nothing is stored yet; `tollgate baseline save` stores a run\n".into();
    }
    for listed in &report.environments {
        let mark = if listed.current { ", this machine" } else { "" };
        let words = listed.environment.as_ref().map_or_else(|| "unknown machine".into(), machine);
        line(&mut text, &format!("environment {} ({words}{mark})", listed.key));
        let rows: Vec<Vec<String>> = listed.targets.iter().map(|one| target_row(one, report.now)).collect();
        text.push_str(&table(&["target", "series", "runs", "levels", "newest"], &rows));
        if listed.records > 0 {
            line(&mut text, &format!("  {} in the history", plural::count(listed.records, "run record")));
        }
    }
    for error in &report.broken {
        line(&mut text, &format!("broken: {}", chain(error)));
    }
    text
}

fn target_row(target: &list::Target, now: u64) -> Vec<String> {
    let runs = if target.fewest_runs == target.most_runs {
        target.most_runs.to_string()
    } else {
        format!("{} to {}", target.fewest_runs, target.most_runs)
    };
    let newest = target.newest.as_ref().map_or_else(
        || "none of this level".into(),
        |newest| {
            let behind = match newest.behind {
                Some(0) => ", at HEAD".into(),
                Some(commits) => format!(", {} behind HEAD", plural::count(commits, "commit")),
                None => String::new(),
            };
            format!("{}, {}{behind}", short(&newest.rev), age(newest.recorded_at, now))
        },
    );
    vec![terminal(&target.target), target.series.to_string(), runs, target.levels.to_string(), newest]
}

/// The stored runs of one benchmark.
#[must_use]
pub fn shown(report: &show::Report) -> String {
    let mut text = String::new();
    for series in &report.series {
        let words = series.environment.as_ref().map_or_else(|| "unknown machine".into(), machine);
        line(
            &mut text,
            &format!(
                "{} of `{}` ({}) in environment {} ({words})",
                terminal(&series.metric.name),
                terminal(series.benchmark.id.as_str()),
                terminal(&series.benchmark.target),
                series.key
            ),
        );
        for level in &series.levels {
            line(&mut text, &format!("  {}", level_line(level, &series.metric.unit, report.now)));
        }
        if series.runs.is_empty() {
            line(&mut text, "  no run of this level yet");
            continue;
        }
        let rows: Vec<Vec<String>> =
            series.runs.iter().map(|run| run_row(run, &series.metric.unit, report.now)).collect();
        text.push_str(&table(&["commit", "recorded", "processes", "median", "range"], &rows));
    }
    text
}

fn run_row(run: &ShownRun, unit: &str, now: u64) -> Vec<String> {
    let range = format!("{} to {}", quantity::value(run.lowest, unit), quantity::value(run.highest, unit));
    vec![
        short(&run.rev),
        age(run.recorded_at, now),
        run.processes.to_string(),
        quantity::value(run.median, unit),
        range,
    ]
}

fn level_line(level: &Level, unit: &str, now: u64) -> String {
    let before =
        level.before.map_or_else(String::new, |before| format!(", was {}", quantity::value(before, unit)));
    format!(
        "new level at {} ({}, by {}{before}): {}",
        short(&level.rev),
        age(level.accepted_at, now),
        terminal(&level.by),
        terminal(&level.reason)
    )
}

/// What was accepted, and what it means for the next checks.
#[must_use]
pub fn accepted(report: &accept::Report) -> String {
    let acceptance = &report.acceptance;
    let mut text = format!(
        "accepted {} as the new level of {}: {}\n",
        short(&acceptance.rev),
        quantity::count(report.accepted.len() as u64) + " series",
        terminal(&acceptance.reason)
    );
    for one in &report.accepted {
        let before = one.before.map_or_else(
            || "no runs until now".into(),
            |before| format!("was {}", quantity::value(before, &one.metric.unit)),
        );
        line(
            &mut text,
            &format!(
                "  `{}` ({}) in {}: {before}; {} no longer {}, {} already of the new level",
                terminal(one.benchmark.id.as_str()),
                terminal(&one.metric.name),
                one.environment,
                plural::count(one.dropped, "run"),
                plural::choose(one.dropped, "counts", "count"),
                one.kept,
            ),
        );
    }
    if report.already > 0 {
        line(&mut text, &format!("  accepted there before: {}", report.already));
    }
    text
}

/// What was pruned, and why.
#[must_use]
pub fn pruned(report: &prune::Report) -> String {
    let mut text = String::new();
    let (dropped, wrote) = match report.effect {
        Effect::Apply => ("dropped", "wrote or removed"),
        Effect::Preview => ("would be dropped", "would write or remove"),
    };
    if let Some(pruned) = &report.baselines {
        line(&mut text, &format!("reviewed files: {}", pruned_line(pruned, dropped)));
        for path in &pruned.files {
            line(&mut text, &format!("  {wrote} `{}`", terminal(&path.display().to_string())));
        }
    }
    if let Some(pruned) = &report.history {
        line(&mut text, &format!("history: {}", pruned_line(pruned, dropped)));
    }
    text
}

fn pruned_line(pruned: &Pruned, dropped: &str) -> String {
    let kept = format!("{} kept", plural::count(pruned.kept, "run"));
    if pruned.dropped.is_empty() {
        return format!("{kept}, nothing to drop");
    }
    let mut reasons: Vec<(Reason, usize)> = Vec::new();
    for &reason in &pruned.dropped {
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    reasons.sort();
    let words: Vec<String> =
        reasons.iter().map(|(reason, count)| format!("{count} {}", reason_words(*reason))).collect();
    format!("{kept}, {} {dropped} ({})", pruned.dropped.len(), words.join(", "))
}

fn reason_words(reason: Reason) -> &'static str {
    match reason {
        Reason::Environment => "of other environments",
        Reason::TooMany => "beyond the newest",
        Reason::TooOld => "too old",
        Reason::UnknownCommit => "of commits that are gone",
        Reason::Broken => "that cannot be trusted",
    }
}

/// What is wrong, and what to do about each.
#[must_use]
pub fn verified(verified: &Verified) -> String {
    let mut text = String::new();
    for finding in &verified.findings {
        let word = match finding.severity {
            Severity::Broken => "broken",
            Severity::Warning => "warning",
        };
        line(&mut text, &format!("{word}: `{}`: {}", terminal(&finding.place), terminal(&finding.problem)));
        line(&mut text, &format!("  help: {}", terminal(&finding.remedy)));
    }
    let broken = verified.findings.iter().filter(|finding| finding.severity == Severity::Broken).count();
    let sum = match broken {
        0 => "all can be trusted".to_owned(),
        count => format!("{count} {} wrong", plural::choose(count, "thing is", "things are")),
    };
    let records = match verified.records {
        0 => String::new(),
        records => format!(" and {}", plural::count(records, "run record")),
    };
    line(
        &mut text,
        &format!(
            "{} with {}{records}: {sum}",
            plural::count(verified.files, "baseline file"),
            plural::count(verified.runs, "run")
        ),
    );
    text
}

/// A machine in a few words: `AMD EPYC 7763, 4 cores, 16 GiB, linux-x86_64, rustc 1.95.0`.
#[must_use]
pub fn machine(environment: &Environment) -> String {
    let mut words = Vec::new();
    if !environment.cpu.is_empty() {
        words.push(terminal(&environment.cpu));
    }
    if environment.cores > 0 {
        words.push(plural::count(environment.cores as usize, "core"));
    }
    if environment.memory_gib > 0 {
        words.push(format!("{} GiB", environment.memory_gib));
    }
    let rustc = environment.rustc.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let rest = [environment.os.as_str(), &rustc, &environment.profile];
    words.extend(rest.iter().filter(|word| !word.is_empty()).map(|word| terminal(word)));
    if words.is_empty() { "nothing is known of it".into() } else { words.join(", ") }
}

/// How long ago a moment was: `3 days ago`.
fn age(moment: u64, now: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400 * 365, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute")];
    let seconds = now.saturating_sub(moment);
    let unit = UNITS.iter().find(|(length, _)| seconds >= *length);
    unit.map_or_else(
        || "just now".into(),
        |(length, name)| {
            let count = usize::try_from(seconds / length).unwrap_or(usize::MAX);
            format!("{} ago", plural::count(count, name))
        },
    )
}

fn short(rev: &str) -> String {
    terminal(rev.get(..9).unwrap_or(rev))
}

fn described(rev: &str, label: &str) -> String {
    if label.is_empty() { short(rev) } else { format!("{} ({})", short(rev), terminal(label)) }
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    terminal(&text)
}

fn line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

/// Rows in columns, two spaces in; nothing where there are no rows.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    if rows.is_empty() {
        return text;
    }
    let head: Vec<String> = head.iter().map(|&word| word.to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&head).chain(rows).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| all.iter().map(|row| columns(&row[column])).max().unwrap_or(0))
        .collect();
    for row in all {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(columns(cell)))));
        let cells: Vec<String> = cells.collect();
        line(&mut text, &format!("  {}", cells.join("  ").trim_end()));
    }
    text
}
