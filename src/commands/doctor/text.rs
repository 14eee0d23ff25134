//! The report for people: the answer first, then what was seen, what was measured, what to do.

use crate::{
    calibrate::{
        floor::{BENCHMARKS, BUDGET_SECONDS, Check, DEFAULT_BUDGET_SECONDS, Floor, Visible},
        injected::Detection,
        kernel::Kernel,
        null::NullRates,
        plain::PLAIN_RATIO,
        self_test::Sight,
    },
    commands::doctor::{report::Report, words},
    machine::inspect::{
        Activity, Busy,
        findings::{Aslr, Container, Findings, Pressure, Quota, Switch, Virtualisation},
    },
    model::{outcome::Outcome, policy::Policy},
    text::{
        escape::{columns, terminal},
        plural,
        quantity::{bytes, change, count, percent, seconds, value},
    },
};

/// The column in which facts begin.
const LABEL_COLUMNS: usize = 16;
/// No line is broken into less than this.
const LEAST_WIDTH: usize = 40;
/// Names of processes in a line.
const MOST_NAMES: usize = 3;

const DEFAULT: Check = Check { budget_seconds: DEFAULT_BUDGET_SECONDS, benchmarks: BENCHMARKS[0] };

pub(super) fn render(report: &Report, width: usize) -> String {
    let mut page = Page { text: String::new(), width: width.max(LEAST_WIDTH) };
    page.paragraph(&headline(report));
    page.heading(&format!("machine ({})", terminal(&report.findings.os)));
    machine(report, &mut page);
    self_test(report, &mut page);
    if let Some(floor) = &report.self_test.floor {
        floor_table(floor, &mut page);
    }
    page.heading("what to change");
    match report.advice.as_slice() {
        [] => page.paragraph("nothing: no harm was seen in what could be read"),
        advice => advice.iter().enumerate().for_each(|(place, advice)| {
            page.item(&format!("{}.", place + 1), 4, &words::sentence(advice));
        }),
    }
    page.text
}

/// The answer in one sentence.
fn headline(report: &Report) -> String {
    let must = percent(Policy::default().must_rule_out);
    let (budget, benchmarks) = (seconds(f64::from(DEFAULT_BUDGET_SECONDS)), BENCHMARKS[0]);
    let test = &report.self_test;
    if let Some(signal) = test.recording.interrupted {
        return format!(
            "interrupted by {signal} after {}: this is what was measured",
            seconds(test.recording.seconds)
        );
    }
    let outcome = report.outcome();
    let answer = match test.sight() {
        Sight::Clear => return format!("{}: {}", outcome.as_str(), clear(test.floor.as_ref())),
        Sight::Blind(kernels) => format!(
            "a slowdown of {must} would stay unseen in {} of {} kernels with the default budget ({budget}, {benchmarks} benchmarks)",
            kernels.len(),
            test.floor.as_ref().map_or(0, |floor| floor.scatter.len()),
        ),
        Sight::Missed { found, series } => {
            format!("a slowdown of {must} was injected {series} times and found {}", times(found))
        }
        Sight::Alarming { alarms, verdicts } => format!(
            "{alarms} of {verdicts} A/A verdicts were false alarms, more than chance allows: please report this machine"
        ),
        Sight::Unknown => "too little was measured to tell".into(),
    };
    debug_assert!(outcome != Outcome::Pass, "only clear sight passes");
    format!("{}: this machine is no gate as it is: {answer}", outcome.as_str())
}

fn clear(floor: Option<&Floor>) -> String {
    let gated =
        |scatter: f64| floor.and_then(|floor| floor.gated(scatter, DEFAULT)).map_or("?".into(), percent);
    let typical = floor.map_or("?".into(), |floor| gated(floor.typical_scatter()));
    let worst = floor.and_then(Floor::worst_scatter).map_or("?".into(), |(_, scatter)| gated(scatter));
    format!(
        "this machine can gate: with the default budget and margin a slowdown of {typical} is found ({worst} where slots scatter most)"
    )
}

fn times(count: u64) -> String {
    match count {
        0 => "never".into(),
        1 => "once".into(),
        count => format!("{count} times"),
    }
}

fn machine(report: &Report, page: &mut Page) {
    let findings = &report.findings;
    page.fact("processor", &known(findings.cpu.as_deref().map(terminal)));
    page.fact("cores", &cores(findings));
    page.fact("runs on", &host(findings));
    page.fact("frequency", &frequency(findings));
    page.fact("load", &load(report));
    page.fact("steal", &at_rest_and_during(report.before.steal, report.during.steal));
    page.fact("memory", &memory(findings, &report.during));
    page.fact("pressure", &pressure(&findings.pressure));
    page.fact("clock", &clock(findings));
    let unknown = findings.unknown();
    if !unknown.is_empty() {
        page.fact("not readable", &unknown.join(", "));
    }
    if !findings.os.starts_with("linux") {
        page.fact(
            "not measured",
            "steal, other processes, throttling and waiting for a core: only Linux tells them",
        );
    }
}

fn cores(findings: &Findings) -> String {
    let number = |cores: Option<u32>| cores.map_or("unknown".to_owned(), |cores| count(u64::from(cores)));
    let quota = match findings.quota {
        None => "quota unknown".into(),
        Some(Quota::None) => "no quota".into(),
        Some(Quota::Cores(cores)) => format!("a quota of {} cores", value(cores, "")),
    };
    format!("{} online, {} for us, {quota}", number(findings.cores_online), number(findings.cores_allowed))
}

fn host(findings: &Findings) -> String {
    let machine = match &findings.virtualisation {
        None => "unknown whether hardware or a virtual machine".into(),
        Some(Virtualisation::Bare) => "hardware, no hypervisor seen".into(),
        Some(Virtualisation::Virtual(name)) => format!("a virtual machine ({})", terminal(name)),
    };
    match &findings.container {
        None => format!("{machine}, unknown whether in a container"),
        Some(Container::None) => format!("{machine}, no container seen"),
        Some(Container::Named(name)) => format!("{machine}, signs of a container ({})", terminal(name)),
    }
}

fn frequency(findings: &Findings) -> String {
    let switch = |switch: Option<Switch>| match switch {
        None => "unknown",
        Some(Switch::On) => "on",
        Some(Switch::Off) => "off",
    };
    let governor = findings.governors.as_ref().map(|governors| {
        let names: Vec<String> =
            governors.iter().map(|(name, cores)| format!("{} on {cores}", terminal(name))).collect();
        plural::list(&names, MOST_NAMES)
    });
    format!(
        "governor {}, turbo {}, multithreading {}",
        known(governor),
        switch(findings.boost),
        switch(findings.smt)
    )
}

fn load(report: &Report) -> String {
    let averages = report
        .findings
        .load
        .map(|load| [load.one, load.five, load.fifteen].map(|average| value(average, "")).join(", "));
    let cores = |activity: &Activity| match activity.others {
        None => "unknown".to_owned(),
        Some(others) => format!("{}{}", value(others, ""), busy(&activity.busy)),
    };
    format!(
        "averages {}; cores used by others: {} at rest, {} during the self-test",
        known(averages),
        cores(&report.before),
        cores(&report.during)
    )
}

fn busy(busy: &[Busy]) -> String {
    let names: Vec<String> =
        busy.iter().map(|busy| format!("{} {}", terminal(&busy.name), value(busy.cores, ""))).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", plural::list(&names, MOST_NAMES)) }
}

fn at_rest_and_during(before: Option<f64>, during: Option<f64>) -> String {
    format!("{} at rest, {} during the self-test", known(before.map(percent)), known(during.map(percent)))
}

fn memory(findings: &Findings, during: &Activity) -> String {
    let Some(memory) = findings.memory else { return "unknown".into() };
    let swap = match (memory.swap_total, memory.swap_used) {
        (0, _) => "no swap".to_owned(),
        (total, used) => format!("{} of {} swap in use", bytes(used as f64), bytes(total as f64)),
    };
    let swapped = during.swapped_pages.filter(|pages| *pages > 0);
    let swapped =
        swapped.map_or(String::new(), |pages| format!(", {} pages swapped meanwhile", count(pages)));
    format!("{} of {} available, {swap}{swapped}", bytes(memory.available as f64), bytes(memory.total as f64))
}

fn pressure(pressure: &Pressure) -> String {
    let share = |share: Option<f64>| known(share.map(percent));
    format!("cores {}, memory {}, disk {}", share(pressure.cpu), share(pressure.memory), share(pressure.io))
}

fn clock(findings: &Findings) -> String {
    let timer = findings.timer.map_or("speed unknown".to_owned(), |timer| {
        format!("reads in {}, steps of {}", value(timer.read_ns, "ns"), value(timer.step_ns, "ns"))
    });
    let addresses = match findings.aslr {
        None => "unknown whether random",
        Some(Aslr::Full) => "random",
        Some(Aslr::Partial) => "partly random",
        Some(Aslr::Off | Aslr::OffForUs) => "not random",
    };
    format!("{}, {timer}; addresses {addresses}", known(findings.clock_source.as_deref().map(terminal)))
}

fn self_test(report: &Report, page: &mut Page) {
    let test = &report.self_test;
    let recording = &test.recording;
    page.heading(&format!("self-test ({}, seed {})", seconds(recording.seconds), report.seed));
    let (voided, blocks) = test.voided_blocks();
    let round = recording.round_seconds.map_or("?".into(), seconds);
    let cut = if recording.cut_short { "; the time ended before all was settled" } else { "" };
    page.fact(
        "measured",
        &format!(
            "{} in {} of six fresh processes, {} a round, {} void{cut}",
            plural::count(recording.series.len(), "comparison"),
            plural::count(blocks, "block"),
            round,
            count(voided as u64)
        ),
    );
    if let Some(floor) = &test.floor {
        let scatter =
            floor.scatter.iter().map(|(kernel, scatter)| format!("{} {}", kernel.name(), percent(*scatter)));
        page.fact("scatter", &scatter.collect::<Vec<_>>().join(", "));
    }
    if let Some(null) = &test.null {
        null_rates(null, page);
    }
    for detection in &test.injected {
        page.fact(&format!("+{} % injected", detection.injected_percent), &injected(detection));
    }
    match &report.recorded {
        Ok(path) => page.fact(
            "slots",
            &format!("`{}` (for `tollgate compare --slots`)", terminal(&path.display().to_string())),
        ),
        Err(reason) => page.fact("slots", &format!("not kept: {}", terminal(reason))),
    }
}

fn null_rates(null: &NullRates, page: &mut Page) {
    let alarms = null.false_alarms;
    page.fact(
        "A/A",
        &format!(
            "{} of {} false: the true rate is below {} (95 %, exact), {} is promised; {} unchanged, {} inconclusive, {} improved",
            count(alarms.hits),
            plural::count(usize::try_from(alarms.cases).unwrap_or(usize::MAX), "independent verdict"),
            percent(alarms.upper),
            percent(null.promised),
            count(null.unchanged),
            count(null.inconclusive),
            count(null.improved)
        ),
    );
    let blocks = null.one_sided_blocks;
    page.fact(
        "",
        &format!(
            "in {} of {} blocks all of head was slower than all of base: {} ({} to {}), by chance 5 %",
            count(blocks.hits),
            count(blocks.cases),
            percent(blocks.hits as f64 / blocks.cases as f64),
            percent(blocks.lower),
            percent(blocks.upper)
        ),
    );
    page.fact(
        "",
        &format!(
            "the same slots dealt anew on paper: {} of {} verdicts false (resampled, not independent)",
            count(null.redealt.hits),
            count(null.redealt.cases)
        ),
    );
    let [few, many] = BENCHMARKS;
    page.fact(
        "",
        &format!(
            "a fixed rule (\"{} slower\", one process a side) alarms on {} of these pairs: on {} of clean checks of {few} benchmarks, {} of {many}",
            percent(PLAIN_RATIO - 1.0),
            percent(null.plain.rate()),
            percent(null.plain.any_of(few)),
            percent(null.plain.any_of(many))
        ),
    );
}

fn injected(detection: &Detection) -> String {
    let rounds = detection
        .rounds
        .map_or(String::new(), |rounds| format!(" after {} rounds", value(rounds.round(), "")));
    let missed: Vec<&str> = detection.missed.iter().map(|kernel: &Kernel| kernel.name()).collect();
    let missed =
        if missed.is_empty() { String::new() } else { format!(" (missed in {})", missed.join(", ")) };
    let plain =
        detection.plain.map_or(String::new(), |plain| format!("; the fixed rule: {}", percent(plain.rate())));
    format!(
        "{} of {} found{rounds}{missed}, measured as {}, margin {}{plain}",
        count(detection.found),
        count(detection.series),
        detection.measured.map_or("?".into(), change),
        percent(detection.margin)
    )
}

fn floor_table(floor: &Floor, page: &mut Page) {
    page.heading("smallest slowdown it can show (80 % power, typical to noisiest kernel)");
    let cell = |visible: &Visible| match (visible.typical, visible.worst) {
        (Some(typical), Some(worst)) => format!("{} to {}", percent(typical), percent(worst)),
        _ => "none".into(),
    };
    let titles = BENCHMARKS.map(|benchmarks| format!("{benchmarks} benchmarks"));
    page.row("budget", &titles);
    for budget in BUDGET_SECONDS {
        let row: Vec<String> =
            floor.visible.iter().filter(|visible| visible.check.budget_seconds == budget).map(cell).collect();
        page.row(&seconds(f64::from(budget)), &row);
    }
    let gated = floor.gated(floor.typical_scatter(), DEFAULT).map_or("nothing".into(), percent);
    page.item(
        "",
        2,
        &format!(
            "margin aside, {} a round; a check fails only for what reaches its margin: {} at the default {}",
            seconds(floor.round_seconds),
            gated,
            percent(Policy::default().margin)
        ),
    );
}

fn known(text: Option<String>) -> String {
    text.unwrap_or_else(|| "unknown".into())
}

/// Lines of a page, broken between words.
struct Page {
    text: String,
    width: usize,
}

impl Page {
    fn paragraph(&mut self, text: &str) {
        self.broken("", 0, text);
    }

    fn heading(&mut self, text: &str) {
        self.text.push('\n');
        self.broken("", 0, text);
    }

    fn fact(&mut self, label: &str, text: &str) {
        self.item(label, LABEL_COLUMNS, text);
    }

    /// A label, then text that stays in its column.
    fn item(&mut self, label: &str, column: usize, text: &str) {
        self.broken(&format!("  {label}"), column.max(2), text);
    }

    fn row(&mut self, label: &str, cells: &[String]) {
        let mut line = pad(&format!("  {label}"), LABEL_COLUMNS);
        for cell in cells {
            line.push_str(&pad(cell, 20));
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn broken(&mut self, label: &str, column: usize, text: &str) {
        let mut line = pad(label, column);
        let mut empty = true;
        for word in text.split(' ') {
            if !empty && columns(&line) + 1 + columns(word) > self.width {
                self.text.push_str(line.trim_end());
                self.text.push('\n');
                line = " ".repeat(column);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

/// At least one blank follows a text that is not empty.
fn pad(text: &str, column: usize) -> String {
    let missing = column.saturating_sub(columns(text)).max(usize::from(column > 0 && !text.is_empty()));
    format!("{text}{}", " ".repeat(missing))
}
