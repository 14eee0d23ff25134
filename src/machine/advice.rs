//! What to change about a machine, each piece tied to something that was seen on it: rules, pure. The words are the report's.
//!
//! A setting alone is no reason for advice where the slots do not scatter: turbo or siblings are mentioned only when they do.

use crate::machine::inspect::{
    Activity, Busy, Findings,
    findings::{Aslr, Power, Quota, Switch},
};

/// Scatter within blocks from which a machine counts as noisy: the figures of the statistics hold up to it.
pub const NOISY_SCATTER: f64 = 0.02;

/// Steal from which time is worth a word: less is lost in the blocks.
const STEAL: f64 = 0.02;
/// Cores' worth of other processes from which they disturb.
const OTHERS: f64 = 0.1;
/// Load average beyond what is seen of other processes from which something hidden must run.
const HIDDEN_LOAD: f64 = 1.0;
/// Memory left, as a share of all, below which the kernel starts to reclaim.
const MEMORY_LEFT: f64 = 0.05;
/// Share of time waited for memory, and for the disk, from which it shows.
const MEMORY_PRESSURE: f64 = 0.01;
const IO_PRESSURE: f64 = 0.1;
/// Share of time stopped by the quota from which it shows.
const QUOTA_STOPPED: f64 = 0.001;
/// A reading of a fast clock takes 20 to 60 ns; from here it is one that asks a device or the hypervisor.
const SLOW_READ_NS: f64 = 500.0;
/// A step from which the shortest samples lose a per mille.
const COARSE_STEP_NS: f64 = 1000.0;

/// What the self-test says of the slots: all that the rules need of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Slots {
    /// The largest scatter within blocks over the kernels; `None` when none could be told.
    pub worst_scatter: Option<f64>,
    /// Blocks that were void, and all blocks.
    pub voided: (usize, usize),
    /// The kernels whose slowdowns stay unseen at the default margin and budget, if any, with what would help.
    pub unseen: Option<Unseen>,
}

/// Kernels in which a slowdown of the default margin does not show within the default budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Unseen {
    /// Their names; at least one.
    pub kernels: Vec<String>,
    /// The largest scatter within blocks among them; what follows is for it.
    pub scatter: f64,
    /// The margin from which a slowdown shows within the default budget, relative; `None`: none does.
    pub margin: Option<f64>,
    /// The budget in seconds in which a slowdown of the default margin shows; `None`: none does.
    pub budget_seconds: Option<f64>,
}

/// One thing to change, with what was seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Advice {
    /// The hypervisor gave this share of the time that was wanted to somebody else.
    Steal(f64),
    /// Other processes took so many cores' worth of time; those that could be named.
    Others {
        /// Cores' worth of time of all of them.
        cores: f64,
        /// The largest ones.
        busy: Vec<Busy>,
    },
    /// The load average says that more runs than can be seen from here.
    HiddenLoad {
        /// Over one minute, before the self-test.
        load: f64,
        /// Cores' worth of other processes that were seen.
        seen: f64,
    },
    /// Blocks were thrown away because the machine was taken away.
    Voided {
        /// Thrown away.
        voided: usize,
        /// All blocks.
        blocks: usize,
    },
    /// Cores are governed by something else than `performance`.
    Governor(Vec<(String, u32)>),
    /// The machine is on battery.
    Battery,
    /// Heat slowed cores down so many times during the self-test.
    Heat(u64),
    /// The quota stopped us for this share of the time.
    QuotaStopped {
        /// Share of the time.
        share: f64,
        /// The quota, cores.
        cores: Option<f64>,
    },
    /// The quota is below one core.
    QuotaBelowOne(f64),
    /// There is one core for the benchmark, Tollgate and everything else.
    OneCore,
    /// Pages were swapped during the self-test.
    Swapping(u64),
    /// So many bytes of swap space are in use.
    SwapUsed(u64),
    /// So little memory is left.
    MemoryShort {
        /// Bytes left.
        available: u64,
        /// Bytes in all.
        total: u64,
    },
    /// Tasks waited for memory for this share of the last ten seconds.
    MemoryPressure(f64),
    /// Tasks waited for the disk for this share of the last ten seconds.
    IoPressure(f64),
    /// Address space randomisation is not full.
    Aslr(Aslr),
    /// The clock is slow to read or coarse.
    Clock {
        /// The kernel's clock source, where known.
        source: Option<String>,
        /// What a reading costs, nanoseconds.
        read_ns: f64,
        /// Its smallest step, nanoseconds.
        step_ns: f64,
    },
    /// The slots scatter so much, and turbo is on.
    Turbo(f64),
    /// The slots scatter so much, and cores are shared by siblings.
    Siblings(f64),
    /// Slowdowns stay unseen at the default margin and budget.
    Unseen(Unseen),
}

/// What to change, the most harmful first: `before` is the machine at rest, `during` while the slots ran.
#[must_use]
pub fn advise(findings: &Findings, before: &Activity, during: &Activity, slots: &Slots) -> Vec<Advice> {
    let groups = [
        contention(findings, before, during, slots),
        frequency(findings, during, slots),
        limits(findings, during),
        memory(findings, before, during),
        timing(findings),
        slots.unseen.iter().cloned().map(Advice::Unseen).collect(),
    ];
    groups.into_iter().flatten().collect()
}

/// Who else wants the cores.
fn contention(findings: &Findings, before: &Activity, during: &Activity, slots: &Slots) -> Vec<Advice> {
    let mut advice = Vec::new();
    let steal = larger(before.steal, during.steal);
    advice.extend(steal.filter(|steal| *steal >= STEAL).map(Advice::Steal));
    // The stretch in which others took more is the one to show with its names
    let others = if before.others > during.others { before } else { during };
    let seen = others.others.unwrap_or(0.0);
    if seen >= OTHERS {
        advice.push(Advice::Others { cores: seen, busy: others.busy.clone() });
    }
    // Where others fill the cores a long queue is theirs, and hides nobody
    let room = findings.cores_allowed.is_some_and(|cores| seen < f64::from(cores) / 2.0);
    let hidden = |load: f64| room && others.others.is_some() && load - seen >= HIDDEN_LOAD;
    if let Some(load) = findings.load.filter(|load| hidden(load.one)) {
        advice.push(Advice::HiddenLoad { load: load.one, seen });
    }
    let (voided, blocks) = slots.voided;
    if voided > 0 {
        advice.push(Advice::Voided { voided, blocks });
    }
    if let (Some(scatter), Some(Switch::On)) = (noisy(slots), findings.smt)
        && seen >= OTHERS
    {
        advice.push(Advice::Siblings(scatter));
    }
    advice
}

/// What changes how fast the cores run.
fn frequency(findings: &Findings, during: &Activity, slots: &Slots) -> Vec<Advice> {
    let mut advice = Vec::new();
    let governors = findings.governors.iter().flatten();
    let sleepy: Vec<(String, u32)> = governors.filter(|(name, _)| name != "performance").cloned().collect();
    if !sleepy.is_empty() {
        advice.push(Advice::Governor(sleepy));
    }
    if findings.power == Some(Power::Battery) {
        advice.push(Advice::Battery);
    }
    advice.extend(during.throttle_events.filter(|events| *events > 0).map(Advice::Heat));
    if let (Some(scatter), Some(Switch::On)) = (noisy(slots), findings.boost) {
        advice.push(Advice::Turbo(scatter));
    }
    advice
}

/// What we may use.
fn limits(findings: &Findings, during: &Activity) -> Vec<Advice> {
    let mut advice = Vec::new();
    let quota = match findings.quota {
        Some(Quota::Cores(cores)) => Some(cores),
        _ => None,
    };
    if let Some(share) = during.quota_stopped.filter(|share| *share >= QUOTA_STOPPED) {
        advice.push(Advice::QuotaStopped { share, cores: quota });
    } else if let Some(cores) = quota.filter(|cores| *cores < 1.0) {
        advice.push(Advice::QuotaBelowOne(cores));
    }
    if findings.cores_allowed == Some(1) {
        advice.push(Advice::OneCore);
    }
    advice
}

fn memory(findings: &Findings, before: &Activity, during: &Activity) -> Vec<Advice> {
    let mut advice = Vec::new();
    let swapped = before.swapped_pages.unwrap_or(0) + during.swapped_pages.unwrap_or(0);
    if swapped > 0 {
        advice.push(Advice::Swapping(swapped));
    }
    if let Some(memory) = findings.memory {
        if swapped == 0 && memory.swap_used > 0 {
            advice.push(Advice::SwapUsed(memory.swap_used));
        }
        if (memory.available as f64) < MEMORY_LEFT * memory.total as f64 {
            advice.push(Advice::MemoryShort { available: memory.available, total: memory.total });
        }
    }
    let pressure = findings.pressure;
    advice.extend(pressure.memory.filter(|share| *share >= MEMORY_PRESSURE).map(Advice::MemoryPressure));
    advice.extend(pressure.io.filter(|share| *share >= IO_PRESSURE).map(Advice::IoPressure));
    advice
}

/// What makes readings wrong or one-sided.
fn timing(findings: &Findings) -> Vec<Advice> {
    let mut advice = Vec::new();
    advice.extend(findings.aslr.filter(|aslr| *aslr != Aslr::Full).map(Advice::Aslr));
    let slow = findings.timer.filter(|timer| timer.read_ns > SLOW_READ_NS || timer.step_ns > COARSE_STEP_NS);
    advice.extend(slow.map(|timer| Advice::Clock {
        source: findings.clock_source.clone(),
        read_ns: timer.read_ns,
        step_ns: timer.step_ns,
    }));
    advice
}

fn noisy(slots: &Slots) -> Option<f64> {
    slots.worst_scatter.filter(|scatter| *scatter >= NOISY_SCATTER)
}

fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    [a, b].into_iter().flatten().max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::inspect::findings::{Load, Memory, Pressure, Timer};

    fn quiet() -> (Findings, Activity, Slots) {
        let findings = Findings {
            os: "linux-x86_64".into(),
            cores_allowed: Some(8),
            quota: Some(Quota::None),
            load: Some(Load { one: 0.3, five: 0.2, fifteen: 0.1 }),
            governors: Some(vec![("performance".into(), 8)]),
            boost: Some(Switch::On),
            smt: Some(Switch::On),
            memory: Some(Memory { total: 100, available: 90, swap_total: 10, swap_used: 0 }),
            pressure: Pressure { cpu: Some(0.0), memory: Some(0.0), io: Some(0.01) },
            aslr: Some(Aslr::Full),
            timer: Some(Timer { step_ns: 20.0, read_ns: 25.0 }),
            power: Some(Power::Mains),
            ..Findings::default()
        };
        let activity = Activity {
            seconds: 1.0,
            steal: Some(0.0),
            others: Some(0.02),
            swapped_pages: Some(0),
            throttle_events: Some(0),
            ..Activity::default()
        };
        let slots = Slots { worst_scatter: Some(0.008), voided: (0, 60), unseen: None };
        (findings, activity, slots)
    }

    #[test]
    fn a_quiet_machine_gets_no_advice_although_turbo_and_siblings_are_on() {
        let (findings, activity, slots) = quiet();
        assert_eq!(advise(&findings, &activity, &activity, &slots), []);
    }

    #[test]
    fn what_is_unknown_gives_no_advice() {
        let none = Activity::default();
        assert_eq!(advise(&Findings::default(), &none, &none, &Slots::default()), []);
    }

    #[test]
    fn an_overcommitted_host_and_busy_neighbours_come_first() {
        let (findings, activity, slots) = quiet();
        let rustc = Busy { id: 7, name: "rustc".into(), cores: 1.4 };
        let during =
            Activity { steal: Some(0.12), others: Some(1.6), busy: vec![rustc.clone()], ..activity.clone() };
        let slots = Slots { voided: (4, 64), worst_scatter: Some(0.05), ..slots };
        let expected = [
            Advice::Steal(0.12),
            Advice::Others { cores: 1.6, busy: vec![rustc] },
            Advice::Voided { voided: 4, blocks: 64 },
            Advice::Siblings(0.05),
            Advice::Turbo(0.05),
        ];
        assert_eq!(advise(&findings, &activity, &during, &slots), expected);
    }

    #[test]
    fn neighbours_that_ended_before_the_slots_ran_are_named_too() {
        let (findings, activity, slots) = quiet();
        let before = Activity { others: Some(0.9), ..activity.clone() };
        let expected = [Advice::Others { cores: 0.9, busy: Vec::new() }];
        assert_eq!(advise(&findings, &before, &activity, &slots), expected);
    }

    #[test]
    fn a_load_that_nobody_here_makes_is_somebody_elses() {
        let (findings, activity, slots) = quiet();
        let findings = Findings { load: Some(Load { one: 3.1, five: 3.0, fifteen: 2.9 }), ..findings };
        let expected = [Advice::HiddenLoad { load: 3.1, seen: 0.02 }];
        assert_eq!(advise(&findings, &activity, &activity, &slots), expected);
        let blind = Activity { others: None, ..activity };
        assert_eq!(
            advise(&findings, &blind, &blind, &slots),
            [],
            "nothing is hidden where nothing was looked at"
        );
        let full = Activity { others: Some(7.5), ..blind };
        let findings = Findings { load: Some(Load { one: 16.0, five: 3.0, fifteen: 2.9 }), ..findings };
        let expected = [Advice::Others { cores: 7.5, busy: Vec::new() }];
        assert_eq!(
            advise(&findings, &full, &full, &slots),
            expected,
            "a queue behind full cores is in plain sight"
        );
    }

    #[test]
    fn a_hot_laptop_on_battery_is_told_all_of_it() {
        let (findings, activity, slots) = quiet();
        let governors = Some(vec![("performance".to_owned(), 2), ("powersave".to_owned(), 6)]);
        let findings = Findings { governors, power: Some(Power::Battery), ..findings };
        let during = Activity { throttle_events: Some(3), ..activity.clone() };
        let expected = [Advice::Governor(vec![("powersave".into(), 6)]), Advice::Battery, Advice::Heat(3)];
        assert_eq!(advise(&findings, &activity, &during, &slots), expected);
    }

    #[test]
    fn a_tight_container_is_told_its_quota_once() {
        let (findings, activity, slots) = quiet();
        let findings = Findings { quota: Some(Quota::Cores(0.5)), cores_allowed: Some(1), ..findings };
        let expected = [Advice::QuotaBelowOne(0.5), Advice::OneCore];
        assert_eq!(advise(&findings, &activity, &activity, &slots), expected);
        let during = Activity { quota_stopped: Some(0.3), ..activity.clone() };
        let expected = [Advice::QuotaStopped { share: 0.3, cores: Some(0.5) }, Advice::OneCore];
        assert_eq!(advise(&findings, &activity, &during, &slots), expected);
    }

    #[test]
    fn swapping_is_worse_than_swap_in_use_and_stands_for_it() {
        let (findings, activity, slots) = quiet();
        let memory = Memory { total: 100, available: 4, swap_total: 10, swap_used: 6 };
        let pressure = Pressure { memory: Some(0.2), io: Some(0.4), cpu: None };
        let findings = Findings { memory: Some(memory), pressure, ..findings };
        let rest = [
            Advice::MemoryShort { available: 4, total: 100 },
            Advice::MemoryPressure(0.2),
            Advice::IoPressure(0.4),
        ];
        let advice = advise(&findings, &activity, &activity, &slots);
        assert_eq!((&advice[0], &advice[1..]), (&Advice::SwapUsed(6), &rest[..]));
        let during = Activity { swapped_pages: Some(40), ..activity.clone() };
        let advice = advise(&findings, &activity, &during, &slots);
        assert_eq!((&advice[0], &advice[1..]), (&Advice::Swapping(40), &rest[..]));
    }

    #[test]
    fn a_slow_clock_and_missing_randomisation_are_told() {
        let (findings, activity, slots) = quiet();
        let timer = Timer { step_ns: 1000.0, read_ns: 1400.0 };
        let findings = Findings {
            aslr: Some(Aslr::OffForUs),
            timer: Some(timer),
            clock_source: Some("acpi_pm".into()),
            ..findings
        };
        let clock = Advice::Clock { source: Some("acpi_pm".into()), read_ns: 1400.0, step_ns: 1000.0 };
        assert_eq!(advise(&findings, &activity, &activity, &slots), [Advice::Aslr(Aslr::OffForUs), clock]);
    }
}
