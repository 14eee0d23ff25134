//! Each piece of advice as words: what was seen, then what to do about it.

use crate::{
    machine::{
        advice::{Advice, Unseen},
        inspect::{Busy, findings::Aslr},
    },
    model::policy::Policy,
    text::{
        escape::terminal,
        plural,
        quantity::{bytes, count, percent, seconds, share, value},
    },
};

/// Names of processes in a sentence.
const MOST_NAMES: usize = 3;

/// A stable word for scripts.
pub(super) fn code(advice: &Advice) -> &'static str {
    match advice {
        Advice::Steal(_) => "steal",
        Advice::Others { .. } => "other_processes",
        Advice::HiddenLoad { .. } => "hidden_load",
        Advice::Voided { .. } => "void_blocks",
        Advice::Governor(_) => "governor",
        Advice::Battery => "battery",
        Advice::Heat(_) => "heat",
        Advice::QuotaStopped { .. } => "quota_stopped",
        Advice::QuotaBelowOne(_) => "quota_below_one_core",
        Advice::OneCore => "one_core",
        Advice::Swapping(_) => "swapping",
        Advice::SwapUsed(_) => "swap_used",
        Advice::MemoryShort { .. } => "memory_short",
        Advice::MemoryPressure(_) => "memory_pressure",
        Advice::IoPressure(_) => "io_pressure",
        Advice::Aslr(_) => "address_randomisation",
        Advice::Clock { .. } => "clock",
        Advice::Turbo(_) => "turbo",
        Advice::Siblings(_) => "siblings",
        Advice::Unseen(_) => "scatter",
    }
}

/// The sentences for people, in one line; safe for a terminal.
pub(super) fn sentence(advice: &Advice) -> String {
    terminal(&raw(advice))
}

fn raw(advice: &Advice) -> String {
    match advice {
        Advice::Steal(_) | Advice::Others { .. } | Advice::HiddenLoad { .. } | Advice::Voided { .. } => {
            contention(advice)
        }
        Advice::Governor(governors) => governor(governors),
        Advice::Battery => {
            "the machine runs on battery, which slows cores down to save it: plug it in".into()
        }
        Advice::Heat(events) => format!(
            "heat slowed cores down {} during the self-test: cool the machine, or switch turbo off so that it stays below its limit",
            plural::count(usize::try_from(*events).unwrap_or(usize::MAX), "time"),
        ),
        Advice::Turbo(scatter) => format!(
            "slots scatter by {} with turbo on, whose frequency follows heat and load: switch it off for measuring (`echo 1 | sudo tee \
             /sys/devices/system/cpu/intel_pstate/no_turbo`, or `echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost`)",
            share(*scatter)
        ),
        Advice::Siblings(scatter) => format!(
            "slots scatter by {} while others used cores whose siblings are ours: leave the machine alone while it measures, or \
             switch multithreading off (`echo off | sudo tee /sys/devices/system/cpu/smt/control`)",
            share(*scatter)
        ),
        Advice::QuotaStopped { .. } | Advice::QuotaBelowOne(_) | Advice::OneCore => limits(advice),
        Advice::Swapping(_)
        | Advice::SwapUsed(_)
        | Advice::MemoryShort { .. }
        | Advice::MemoryPressure(_)
        | Advice::IoPressure(_) => memory(advice),
        Advice::Aslr(aslr) => randomisation(*aslr).into(),
        Advice::Clock { source, read_ns, step_ns } => clock(source.as_deref(), *read_ns, *step_ns),
        Advice::Unseen(unseen) => scatter(unseen),
    }
}

fn contention(advice: &Advice) -> String {
    match advice {
        Advice::Steal(part) => format!(
            "steal was {}: this host is overcommitted, and the hypervisor gave that time to others. Use a runner of your own or a \
             quieter hour; until then a longer `--budget` or a larger `--margin`",
            share(*part)
        ),
        Advice::Others { cores, busy } if busy.is_empty() => format!(
            "other processes took {} cores, none of them long enough to be named: run nothing beside the gate",
            value(*cores, "")
        ),
        Advice::Others { cores, busy } => {
            let names: Vec<String> = busy.iter().map(named).collect();
            format!(
                "other processes took {} cores ({}): stop them, or let the gate run when they are done",
                value(*cores, ""),
                plural::list(&names, MOST_NAMES)
            )
        }
        Advice::HiddenLoad { load, seen } => format!(
            "the load average was {} although others took only {} cores in plain sight: something has just ended, or runs outside of \
             this container. Run `tollgate doctor` again in a minute; if it stays, ask who else uses the host",
            value(*load, ""),
            value(*seen, "")
        ),
        Advice::Voided { voided, blocks } => format!(
            "{} of {} were thrown away because the machine was taken away from them: a check here needs that much more `--budget`",
            count(*voided as u64),
            plural::count(*blocks, "block")
        ),
        _ => String::new(),
    }
}

fn named(busy: &Busy) -> String {
    format!("`{}` {} (pid {})", busy.name, value(busy.cores, ""), busy.id)
}

fn governor(governors: &[(String, u32)]) -> String {
    let names: Vec<String> = governors
        .iter()
        .map(|(name, cores)| format!("`{name}` on {}", plural::count(*cores as usize, "core")))
        .collect();
    format!(
        "the frequency governor is {}, so clocks change while slots run: `sudo cpupower frequency-set -g performance`",
        plural::list(&names, MOST_NAMES)
    )
}

fn limits(advice: &Advice) -> String {
    match advice {
        Advice::QuotaStopped { share: part, cores } => {
            let quota = cores.map_or(String::new(), |cores| format!(" of {} cores", value(cores, "")));
            format!(
                "the container's quota{quota} was used up and stopped us for {} of the time: raise it by one core at least, or lift it",
                share(*part)
            )
        }
        Advice::QuotaBelowOne(cores) => format!(
            "the container may use {} of a core, so every slot is cut into pieces: give it two whole cores",
            value(*cores, "")
        ),
        Advice::OneCore => {
            "there is one core for the benchmarks, Tollgate and everything else: give it a second one".into()
        }
        _ => String::new(),
    }
}

fn memory(advice: &Advice) -> String {
    match advice {
        Advice::Swapping(pages) => format!(
            "{} were swapped while slots ran: close what takes the memory, or give the machine more",
            plural::count(usize::try_from(*pages).unwrap_or(usize::MAX), "page")
        ),
        Advice::SwapUsed(used) => format!(
            "{} of swap are in use: what was swapped out comes back at some slot's expense. Close what takes the memory, then \
             `sudo swapoff -a && sudo swapon -a`",
            bytes(*used as f64)
        ),
        Advice::MemoryShort { available, total } => format!(
            "{} of {} of memory are left: close what takes it, or the kernel takes time to find more",
            bytes(*available as f64),
            bytes(*total as f64)
        ),
        Advice::MemoryPressure(part) => {
            format!("tasks waited for memory {} of the time: close what takes it", share(*part))
        }
        Advice::IoPressure(part) => format!(
            "tasks waited for the disk {} of the time: let what writes or reads there end first (builds, downloads)",
            share(*part)
        ),
        _ => String::new(),
    }
}

fn randomisation(aslr: Aslr) -> &'static str {
    match aslr {
        Aslr::Full => "",
        Aslr::OffForUs => {
            "this process was started without random addresses (`setarch -R`, a debugger), so all slots share one lucky or unlucky \
             layout: start it plainly"
        }
        Aslr::Partial | Aslr::Off => {
            "addresses are not fully random, so all slots share one lucky or unlucky layout: \
             `sudo sysctl kernel.randomize_va_space=2`"
        }
    }
}

fn clock(source: Option<&str>, read_ns: f64, step_ns: f64) -> String {
    let source = source.map_or(String::new(), |source| format!(" `{source}`"));
    format!(
        "the clock{source} takes {} to read and moves in steps of {}: benchmarks below a microsecond need many iterations a sample here. \
         Let the kernel use `tsc` (its log tells why it does not), or another machine type",
        value(read_ns, "ns"),
        value(step_ns, "ns")
    )
}

fn scatter(unseen: &Unseen) -> String {
    let margin = percent(Policy::default().margin);
    let names: Vec<String> = unseen.kernels.iter().map(|kernel| format!("`{kernel}`")).collect();
    let names = plural::list(&names, names.len());
    let most = if unseen.kernels.len() > 1 { "up to " } else { "" };
    let seen = format!("slots of {names} scatter by {most}{}", share(unseen.scatter));
    match (unseen.budget_seconds.map(minutes), unseen.margin.map(percent)) {
        (Some(budget), Some(least)) => format!(
            "{seen}: for 8 benchmarks like that a slowdown of {margin} needs `--budget {budget}`; with the default one set their margin to \
             {least} or more"
        ),
        (Some(budget), None) => {
            format!(
                "{seen}: for 8 benchmarks like that a slowdown of {margin} needs `--budget {budget}`; the default one shows nothing"
            )
        }
        (None, Some(least)) => format!(
            "{seen}: no budget shows a slowdown of {margin} in benchmarks like that; set their margin to {least} or more"
        ),
        (None, None) => {
            format!("{seen}: nothing can be shown of benchmarks like that within the default budget")
        }
    }
}

/// A budget as the flag takes it, rounded up to whole minutes.
fn minutes(budget_seconds: f64) -> String {
    let minutes = (budget_seconds / 60.0).ceil();
    if minutes.is_finite() { format!("{minutes}m") } else { seconds(budget_seconds) }
}
