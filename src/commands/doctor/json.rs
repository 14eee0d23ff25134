//! The report as its JSON document.

use crate::{
    calibrate::{
        injected::Detection,
        null::{Counted, NullRates},
    },
    commands::doctor::{report::Report, text, words},
    format::doctor_v1 as v1,
    machine::inspect::{
        Activity,
        findings::{Aslr, Container, Findings, Power, Quota, Switch, Virtualisation},
    },
};

pub(super) fn document(report: &Report) -> v1::Document {
    let outcome = report.outcome();
    let advice = report.advice.iter();
    v1::Document {
        schema: v1::SCHEMA,
        tool_version: env!("CARGO_PKG_VERSION").into(),
        outcome: outcome.as_str(),
        exit_code: outcome.exit_code(),
        answer: text::headline(report),
        seed: report.seed,
        interrupted: report.self_test.recording.interrupted.map(str::to_owned),
        machine: machine(&report.findings),
        at_rest: activity(&report.before),
        during: activity(&report.during),
        self_test: self_test(report),
        advice: advice.map(|a| v1::Advice { code: words::code(a), message: words::sentence(a) }).collect(),
    }
}

fn machine(findings: &Findings) -> v1::Machine {
    let on = |switch: Option<Switch>| switch.map(|switch| switch == Switch::On);
    let Findings { load, memory, pressure, timer, .. } = findings;
    v1::Machine {
        os: findings.os.clone(),
        cpu: findings.cpu.clone(),
        cores_online: findings.cores_online,
        cores_allowed: findings.cores_allowed,
        quota_cores: match findings.quota {
            Some(Quota::Cores(cores)) => Some(cores),
            _ => None,
        },
        load: load.map(|load| [load.one, load.five, load.fifteen]),
        virtualisation: findings.virtualisation.as_ref().map(|kind| match kind {
            Virtualisation::Bare => "none".into(),
            Virtualisation::Virtual(name) => name.clone(),
        }),
        container: findings.container.as_ref().map(|kind| match kind {
            Container::None => "none".into(),
            Container::Named(name) => name.clone(),
        }),
        governors: findings.governors.clone(),
        turbo: on(findings.boost),
        multithreading: on(findings.smt),
        memory_bytes: memory.map(|memory| memory.total),
        memory_available_bytes: memory.map(|memory| memory.available),
        swap_used_bytes: memory.map(|memory| memory.swap_used),
        pressure: v1::Pressure { cpu: pressure.cpu, memory: pressure.memory, io: pressure.io },
        address_randomisation: findings.aslr.map(|aslr| match aslr {
            Aslr::Full => "full",
            Aslr::Partial => "partial",
            Aslr::Off => "off",
            Aslr::OffForUs => "off for this process",
        }),
        clock_source: findings.clock_source.clone(),
        clock_read_ns: timer.map(|timer| timer.read_ns),
        clock_step_ns: timer.map(|timer| timer.step_ns),
        on_battery: findings.power.map(|power| power == Power::Battery),
        unknown: findings.unknown(),
    }
}

fn activity(activity: &Activity) -> v1::Activity {
    let busy = activity.busy.iter();
    v1::Activity {
        seconds: activity.seconds,
        steal: activity.steal,
        others_cores: activity.others,
        busy: busy.map(|b| v1::Busy { pid: b.id, name: b.name.clone(), cores: b.cores }).collect(),
        swapped_pages: activity.swapped_pages,
        throttle_events: activity.throttle_events,
        quota_stopped: activity.quota_stopped,
    }
}

fn self_test(report: &Report) -> v1::SelfTest {
    let test = &report.self_test;
    let (voided_blocks, blocks) = test.voided_blocks();
    let scatter = test.floor.iter().flat_map(|floor| &floor.scatter);
    let visible = test.floor.iter().flat_map(|floor| &floor.visible);
    v1::SelfTest {
        seconds: test.recording.seconds,
        round_seconds: test.recording.round_seconds,
        blocks,
        voided_blocks,
        cut_short: test.recording.cut_short,
        slots: report.recorded.as_ref().ok().map(|path| path.display().to_string()),
        null: test.null.as_ref().map(null),
        injected: test.injected.iter().map(injected).collect(),
        scatter: scatter
            .map(|(kernel, scatter)| v1::Scatter { kernel: kernel.name(), scatter: *scatter })
            .collect(),
        visible: visible
            .map(|visible| v1::Visible {
                budget_seconds: visible.check.budget_seconds,
                benchmarks: visible.check.benchmarks,
                rounds: visible.rounds,
                typical: visible.typical,
                worst: visible.worst,
            })
            .collect(),
    }
}

fn null(null: &NullRates) -> v1::Null {
    let Counted { hits, cases, lower, upper } = null.one_sided_blocks;
    v1::Null {
        verdicts: null.false_alarms.cases,
        false_alarms: null.false_alarms.hits,
        false_alarm_rate_upper: null.false_alarms.upper,
        promised: null.promised,
        unchanged: null.unchanged,
        improved: null.improved,
        inconclusive: null.inconclusive,
        one_sided_blocks: v1::Counted { hits, cases, lower, upper },
        redealt_verdicts: null.redealt.cases,
        redealt_false_alarms: null.redealt.hits,
        fixed_rule_rate: null.plain.rate(),
    }
}

fn injected(detection: &Detection) -> v1::Injected {
    v1::Injected {
        injected: f64::from(detection.injected_percent) / 100.0,
        margin: detection.margin,
        series: detection.series,
        found: detection.found,
        measured: detection.measured,
        missed: detection.missed.iter().map(|kernel| kernel.name()).collect(),
        fixed_rule_rate: detection.plain.map(|plain| plain.rate()),
    }
}
