//! What the self-test measured: scatter, false alarms, detections, and the smallest visible slowdown.

use crate::{
    calibrate::{
        floor::{BENCHMARKS, BUDGET_SECONDS, Floor, Visible},
        injected::Detection,
        kernel::Kernel,
        null::NullRates,
        plain::PLAIN_RATIO,
    },
    commands::doctor::{
        page::Page,
        report::Report,
        text::{DEFAULT, budget_label},
    },
    model::policy::Policy,
    text::{
        escape::terminal,
        plural,
        quantity::{change, count, percent, seconds, share, value},
    },
};

/// Kernels in a line.
const MOST_NAMES: usize = 3;

pub(super) fn self_test(report: &Report, page: &mut Page) {
    let test = &report.self_test;
    let recording = &test.recording;
    page.heading(&format!("self-test ({}, seed {})", seconds(recording.seconds), report.seed));
    let (voided, blocks) = test.voided_blocks();
    let cut = if recording.cut_short { "; the time ended before all was settled" } else { "" };
    page.fact(
        "measured",
        &format!(
            "{} in {} of six fresh processes, {} of them void{cut}",
            plural::count(recording.series.len(), "comparison"),
            plural::count(blocks, "block"),
            count(voided as u64)
        ),
    );
    if let Some(floor) = &test.floor {
        let scatter =
            floor.scatter.iter().map(|(kernel, part)| format!("{} {}", kernel.name(), share(*part)));
        page.fact("scatter", &scatter.collect::<Vec<_>>().join(", "));
    }
    if let Some(null) = &test.null {
        null_rates(null, report.quick, page);
    }
    for detection in &test.injected {
        page.fact(&format!("+{} % work", detection.injected_percent), &injected(detection));
    }
    match &report.recorded {
        Ok(path) => {
            let path = terminal(&path.display().to_string());
            page.fact("slots", &format!("`{path}`, for `tollgate compare --slots`"));
        }
        Err(reason) => page.fact("slots", &format!("not kept: {}", terminal(reason))),
    }
}

fn null_rates(null: &NullRates, quick: bool, page: &mut Page) {
    let alarms = null.false_alarms;
    let verdicts = plural::count(usize::try_from(alarms.cases).unwrap_or(usize::MAX), "independent verdict");
    let longer = if quick { "; without `--quick` it is tighter" } else { "" };
    page.fact(
        "A/A",
        &format!(
            "{} of {verdicts} were false alarms: the true rate is below {} (95 %, exact{longer}), at most 1 in {} is promised",
            count(alarms.hits),
            share(alarms.upper),
            value((1.0 / null.promised).round(), "")
        ),
    );
    let (same, open, better) = (count(null.unchanged), count(null.inconclusive), count(null.improved));
    page.fact("", &format!("the verdicts: {same} unchanged, {open} inconclusive, {better} improved"));
    let blocks = null.one_sided_blocks;
    page.fact(
        "",
        &format!(
            "in {} of {} blocks all of head was slower than all of base: {} ({} to {}), by chance 5 %",
            count(blocks.hits),
            count(blocks.cases),
            share(blocks.hits as f64 / blocks.cases as f64),
            share(blocks.lower),
            share(blocks.upper)
        ),
    );
    let redealt = null.redealt;
    page.fact(
        "",
        &format!(
            "dealt anew on paper: {} of {} verdicts false (resampled from the same slots, not independent)",
            count(redealt.hits),
            count(redealt.cases)
        ),
    );
    let [few, many] = BENCHMARKS;
    page.fact(
        "",
        &format!(
            "a fixed rule (\"{} slower\", one process a side) alarms on {} of these pairs: on {} of clean checks of {few} benchmarks, \
             {} of {many}",
            percent(PLAIN_RATIO - 1.0),
            share(null.plain.rate()),
            share(null.plain.any_of(few)),
            share(null.plain.any_of(many))
        ),
    );
}

fn injected(detection: &Detection) -> String {
    let rounds = detection.rounds.map(|rounds| format!(" after {} rounds", value(rounds.round(), "")));
    let names: Vec<&str> = detection.missed.iter().map(|kernel| kernel.name()).collect();
    let missed = match names.len() {
        0 => String::new(),
        all if all == Kernel::ALL.len() => " (missed in every kernel)".into(),
        _ => format!(" (missed in {})", plural::list(&names, MOST_NAMES)),
    };
    let plain = detection.plain.map(|plain| format!("; the fixed rule finds {}", share(plain.rate())));
    format!(
        "{} of {} found{}{missed}, measured as {}, margin {}{}",
        count(detection.found),
        count(detection.series),
        rounds.unwrap_or_default(),
        detection.measured.map_or("?".into(), change),
        percent(detection.margin),
        plain.unwrap_or_default()
    )
}

pub(super) fn floor_table(floor: &Floor, page: &mut Page) {
    page.heading("smallest slowdown it can show (80 % power, typical to noisiest kernel)");
    let cell = |visible: &Visible| match (visible.typical, visible.worst) {
        (Some(typical), Some(worst)) => format!("{} to {}", share(typical), share(worst)),
        _ => "none".into(),
    };
    page.row("budget", &BENCHMARKS.map(|benchmarks| format!("{benchmarks} benchmarks")));
    for budget in BUDGET_SECONDS {
        let of_budget = floor.visible.iter().filter(|visible| visible.check.budget_seconds == budget);
        page.row(&budget_label(budget), &of_budget.map(cell).collect::<Vec<_>>());
    }
    let gated = floor.gated(floor.typical_scatter(), DEFAULT).map_or("nothing".into(), share);
    page.item(
        "",
        2,
        &format!(
            "at {} a round as measured here, margin aside. A check fails only for what reaches its margin: {gated} at the default {}",
            seconds(floor.round_seconds),
            percent(Policy::default().margin)
        ),
    );
}
