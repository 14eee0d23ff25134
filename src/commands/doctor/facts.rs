//! The machine as facts, one line each.

use crate::{
    commands::doctor::{page::Page, report::Report},
    machine::inspect::{
        Activity, Busy,
        findings::{Aslr, Container, Findings, Pressure, Quota, Switch, Virtualisation},
    },
    text::{
        escape::terminal,
        plural,
        quantity::{bytes, count, share, value},
    },
};

/// Names of processes or governors in a line.
const MOST_NAMES: usize = 3;

/// Writes a line for each fact of which anything is known; what is not known is listed at the end.
pub(super) fn facts(report: &Report, page: &mut Page) {
    let findings = &report.findings;
    let facts = [
        ("processor", findings.cpu.as_deref().map(terminal)),
        ("cores", Some(cores(findings))),
        ("runs on", host(findings)),
        ("frequency", frequency(findings)),
        ("load", load(report)),
        ("steal", at_rest_and_during(report.before.steal, report.during.steal)),
        ("memory", memory(findings, &report.during)),
        ("pressure", pressure(&findings.pressure)),
        ("clock", clock(findings)),
    ];
    for (label, fact) in facts {
        if let Some(fact) = fact {
            page.fact(label, &fact);
        }
    }
    let unknown = findings.unknown();
    if !unknown.is_empty() {
        page.fact("not readable", &unknown.join(", "));
    }
    if !findings.os.starts_with("linux") {
        let why = "steal, other processes, throttling and waiting for a core: only Linux tells them";
        page.fact("not measured", why);
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

fn host(findings: &Findings) -> Option<String> {
    let machine = findings.virtualisation.as_ref().map(|kind| match kind {
        Virtualisation::Bare => "hardware, no hypervisor seen".to_owned(),
        Virtualisation::Virtual(name) => format!("a virtual machine ({})", terminal(name)),
    });
    let container = findings.container.as_ref().map(|kind| match kind {
        Container::None => "no container seen".to_owned(),
        Container::Named(name) => format!("signs of a container ({})", terminal(name)),
    });
    let known: Vec<String> = [machine, container].into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

fn frequency(findings: &Findings) -> Option<String> {
    let switch = |name: &str, switch: Option<Switch>| match switch? {
        Switch::On => Some(format!("{name} on")),
        Switch::Off => Some(format!("{name} off")),
    };
    let governor = findings.governors.as_ref().map(|governors| {
        let named = governors.iter().map(|(name, cores)| format!("{} on {cores}", terminal(name)));
        format!("governor {}", plural::list(&named.collect::<Vec<_>>(), MOST_NAMES))
    });
    let known = [governor, switch("turbo", findings.boost), switch("multithreading", findings.smt)];
    let known: Vec<String> = known.into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

fn load(report: &Report) -> Option<String> {
    let averages = report.findings.load.map(|load| {
        let averages = [load.one, load.five, load.fifteen].map(|average| value(average, ""));
        format!("averages {}", averages.join(", "))
    });
    let cores =
        |activity: &Activity| Some(format!("{}{}", value(activity.others?, ""), busy(&activity.busy)));
    let (before, during) = (cores(&report.before), cores(&report.during));
    let others = (before.is_some() || during.is_some()).then(|| {
        format!("cores used by others: {} at rest, {} during the self-test", known(before), known(during))
    });
    let known: Vec<String> = [averages, others].into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join("; "))
}

fn busy(busy: &[Busy]) -> String {
    let names: Vec<String> =
        busy.iter().map(|busy| format!("{} {}", terminal(&busy.name), value(busy.cores, ""))).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", plural::list(&names, MOST_NAMES)) }
}

fn at_rest_and_during(before: Option<f64>, during: Option<f64>) -> Option<String> {
    let text =
        || format!("{} at rest, {} during the self-test", known(before.map(share)), known(during.map(share)));
    (before.is_some() || during.is_some()).then(text)
}

fn memory(findings: &Findings, during: &Activity) -> Option<String> {
    let memory = findings.memory?;
    let swap = match (memory.swap_total, memory.swap_used) {
        (0, _) => "no swap".to_owned(),
        (total, used) => format!("{} of {} swap in use", bytes(used as f64), bytes(total as f64)),
    };
    let swapped = during.swapped_pages.filter(|pages| *pages > 0);
    let swapped =
        swapped.map_or(String::new(), |pages| format!(", {} pages swapped meanwhile", count(pages)));
    let (available, total) = (bytes(memory.available as f64), bytes(memory.total as f64));
    Some(format!("{available} of {total} available, {swap}{swapped}"))
}

fn pressure(pressure: &Pressure) -> Option<String> {
    let part = |waited: Option<f64>| known(waited.map(share));
    let any = *pressure != Pressure::default();
    let Pressure { cpu, memory, io } = *pressure;
    any.then(|| format!("waited for cores {}, memory {}, disk {}", part(cpu), part(memory), part(io)))
}

fn clock(findings: &Findings) -> Option<String> {
    let source = findings.clock_source.as_deref().map(terminal);
    let timer = findings.timer.map(|timer| {
        format!("reads in {}, steps of {}", value(timer.read_ns, "ns"), value(timer.step_ns, "ns"))
    });
    let addresses = findings.aslr.map(|aslr| match aslr {
        Aslr::Full => "addresses random".to_owned(),
        Aslr::Partial => "addresses partly random".to_owned(),
        Aslr::Off | Aslr::OffForUs => "addresses not random".to_owned(),
    });
    let known: Vec<String> = [source, timer, addresses].into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(", "))
}

fn known(text: Option<String>) -> String {
    text.unwrap_or_else(|| "unknown".into())
}
