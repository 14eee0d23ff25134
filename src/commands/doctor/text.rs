//! The report for people: the answer first, then what was seen, what was measured, what to do.

use crate::{
    calibrate::{
        floor::{BENCHMARKS, Check, DEFAULT_BUDGET_SECONDS, Floor},
        self_test::Sight,
    },
    commands::doctor::{facts, measured, page::Page, report::Report, words},
    model::policy::Policy,
    text::{
        escape::terminal,
        plural,
        quantity::{count, percent, seconds, share},
    },
};

/// What the headline speaks of: eight benchmarks in the default budget.
pub(super) const DEFAULT: Check = Check { budget_seconds: DEFAULT_BUDGET_SECONDS, benchmarks: BENCHMARKS[0] };

pub(super) fn render(report: &Report, width: usize) -> String {
    let mut page = Page::new(width);
    page.paragraph(&headline(report));
    page.heading(&format!("machine ({})", terminal(&report.findings.os)));
    facts::facts(report, &mut page);
    measured::self_test(report, &mut page);
    if let Some(floor) = &report.self_test.floor {
        measured::floor_table(floor, &mut page);
    }
    page.heading("what to change");
    for (place, advice) in report.advice.iter().enumerate() {
        page.item(&format!("{}.", place + 1), 5, &words::sentence(advice));
    }
    if report.advice.is_empty() {
        page.item("", 2, "nothing: no harm was seen in what could be read");
    }
    page.into_text()
}

/// The answer in one sentence.
pub(super) fn headline(report: &Report) -> String {
    let test = &report.self_test;
    if let Some(signal) = test.recording.interrupted {
        let time = seconds(test.recording.seconds);
        return format!("interrupted by {signal} after {time}: this is what was measured");
    }
    let outcome = report.outcome().as_str();
    match test.sight() {
        Sight::Clear => format!("{outcome}: {}", clear(test.floor.as_ref())),
        sight => {
            format!("{outcome}: this machine is no gate as it is: {}", why_not(&sight, test.floor.as_ref()))
        }
    }
}

fn clear(floor: Option<&Floor>) -> String {
    let gated =
        |scatter: f64| floor.and_then(|floor| floor.gated(scatter, DEFAULT)).map_or("?".into(), share);
    let typical = floor.map_or("?".into(), |floor| gated(floor.typical_scatter()));
    let worst = floor.and_then(Floor::worst_scatter).map_or("?".into(), |(_, scatter)| gated(scatter));
    format!(
        "this machine can gate: with the default budget and margin a slowdown of {typical} is found ({worst} where slots scatter \
         most)"
    )
}

fn why_not(sight: &Sight, floor: Option<&Floor>) -> String {
    let must = percent(Policy::default().must_rule_out);
    match sight {
        Sight::Blind(kernels) => format!(
            "a slowdown of {must} would stay unseen in {} of {} kernels within {} for {} benchmarks",
            kernels.len(),
            floor.map_or(0, |floor| floor.scatter.len()),
            budget_label(DEFAULT.budget_seconds),
            DEFAULT.benchmarks
        ),
        Sight::Taken { voided, blocks } => format!(
            "it was taken away so much that {} of {} do not count, and the rest show too little",
            count(*voided as u64),
            plural::count(*blocks, "block")
        ),
        Sight::Missed { found, series } => {
            format!("a slowdown of {must} was injected {series} times and found {}", times(*found))
        }
        Sight::Alarming { alarms, verdicts } => format!(
            "{alarms} of {verdicts} A/A verdicts were false alarms, more than chance allows: please report this machine"
        ),
        Sight::Unknown | Sight::Clear => "too little was measured to tell".into(),
    }
}

fn times(count: u64) -> String {
    match count {
        0 => "never".into(),
        1 => "once".into(),
        count => format!("{count} times"),
    }
}

/// A budget as people say it: `30 s`, `5 min`.
pub(super) fn budget_label(budget_seconds: u32) -> String {
    if budget_seconds.is_multiple_of(60) {
        format!("{} min", budget_seconds / 60)
    } else {
        format!("{budget_seconds} s")
    }
}
