//! What the machine did between two moments: counters that only grow are read twice, and the difference is the answer.

use std::{collections::BTreeMap, time::Duration};

/// Processes with less than this share of a core are not worth naming.
const WORTH_NAMING: f64 = 0.02;

/// The most processes that are named.
const MOST_NAMED: usize = 5;

/// The first line of `/proc/stat`: ticks of all cores together since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CpuTicks {
    /// All of them.
    pub total: u64,
    /// Nothing to do, or waiting for the disk.
    pub idle: u64,
    /// The hypervisor ran somebody else.
    pub steal: u64,
}

/// One process as `/proc/PID/stat` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessTicks {
    /// Its id.
    pub id: u32,
    /// Its parent's id.
    pub parent: u32,
    /// When it started, ticks since boot: an id is given again.
    pub start: u64,
    /// Its name, at most fifteen bytes, whatever its owner wants: hostile until escaped.
    pub name: String,
    /// Its ticks on a core, children excluded.
    pub own: u64,
    /// The ticks of its children that ended.
    pub children: u64,
}

/// Counters that only grow. A field that is `None` could not be read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counters {
    /// Time since some moment in the past.
    pub at: Duration,
    /// Ticks of all cores.
    pub cpu: Option<CpuTicks>,
    /// Cores that those ticks are the sum of.
    pub cores: Option<u32>,
    /// Pages swapped in or out.
    pub swapped_pages: Option<u64>,
    /// Times that heat slowed a core down.
    pub throttle_events: Option<u64>,
    /// Microseconds for which this control group was stopped because its quota was used up.
    pub quota_stopped_us: Option<u64>,
    /// Every process that could be seen.
    pub processes: Option<Vec<ProcessTicks>>,
}

/// A process other than us that kept a core busy.
#[derive(Debug, Clone, PartialEq)]
pub struct Busy {
    /// Its id.
    pub id: u32,
    /// Its name as it gives it: hostile until escaped.
    pub name: String,
    /// Cores' worth of time that it took: 1.0 is one whole core.
    pub cores: f64,
}

/// What the machine did between two moments. `None` is "could not be read".
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Activity {
    /// How far the two moments are apart, seconds.
    pub seconds: f64,
    /// The share of the time wanted that the hypervisor gave to somebody else, 0 to 1: of the ticks that were not idle.
    pub steal: Option<f64>,
    /// Cores' worth of time that all processes other than us and our children took.
    pub others: Option<f64>,
    /// Those of them that lived through it and took most, largest first.
    pub busy: Vec<Busy>,
    /// Pages swapped in or out.
    pub swapped_pages: Option<u64>,
    /// Times that heat slowed a core down.
    pub throttle_events: Option<u64>,
    /// The share of the time for which our quota was used up, 0 to 1.
    pub quota_stopped: Option<f64>,
}

impl Activity {
    /// The difference of two sets of counters, `us` being our process id.
    #[must_use]
    pub fn between(before: &Counters, after: &Counters, us: u32) -> Self {
        let seconds = after.at.saturating_sub(before.at).as_secs_f64();
        let grown = |a: Option<u64>, b: Option<u64>| Some(b?.saturating_sub(a?));
        let quota = grown(before.quota_stopped_us, after.quota_stopped_us);
        Self {
            seconds,
            steal: steal(before, after),
            others: others(before, after, us),
            busy: busy(before, after, us),
            swapped_pages: grown(before.swapped_pages, after.swapped_pages),
            throttle_events: grown(before.throttle_events, after.throttle_events),
            quota_stopped: quota
                .filter(|_| seconds > 0.0)
                .map(|stopped| (stopped as f64 / 1e6 / seconds).min(1.0)),
        }
    }
}

/// Steal out of the ticks that somebody here wanted: an idle machine has none to steal.
fn steal(before: &Counters, after: &Counters) -> Option<f64> {
    let (from, to) = (before.cpu?, after.cpu?);
    let wanted = to.total.saturating_sub(from.total).saturating_sub(to.idle.saturating_sub(from.idle));
    let stolen = to.steal.saturating_sub(from.steal);
    Some(if wanted == 0 { 0.0 } else { (stolen as f64 / wanted as f64).min(1.0) })
}

/// Ticks that are neither idle, nor stolen, nor ours, in cores.
fn others(before: &Counters, after: &Counters, us: u32) -> Option<f64> {
    let (from, to) = (before.cpu?, after.cpu?);
    let whole = to.total.saturating_sub(from.total);
    let free = to.idle.saturating_sub(from.idle) + to.steal.saturating_sub(from.steal);
    let ours = family_ticks(after, us)?.saturating_sub(family_ticks(before, us)?);
    let foreign = whole.saturating_sub(free).saturating_sub(ours);
    let cores = f64::from(after.cores?);
    (whole > 0).then(|| foreign as f64 / whole as f64 * cores)
}

/// Our ticks, those of our children that ended, and those of our children that run.
fn family_ticks(counters: &Counters, us: u32) -> Option<u64> {
    let processes = counters.processes.as_ref()?;
    let me = processes.iter().find(|process| process.id == us)?;
    let running = processes.iter().filter(|process| process.parent == us).map(|process| process.own);
    Some(me.own + me.children + running.sum::<u64>())
}

fn busy(before: &Counters, after: &Counters, us: u32) -> Vec<Busy> {
    let (Some(from), Some(to)) = (&before.processes, &after.processes) else { return Vec::new() };
    let (Some(start), Some(end), Some(cores)) = (before.cpu, after.cpu, after.cores) else {
        return Vec::new();
    };
    let whole = end.total.saturating_sub(start.total);
    if whole == 0 {
        return Vec::new();
    }
    let earlier: BTreeMap<(u32, u64), u64> = from.iter().map(|p| ((p.id, p.start), p.own)).collect();
    let share = |process: &ProcessTicks| {
        // One that started in between has all its ticks from there
        let known = earlier.get(&(process.id, process.start)).copied().unwrap_or(0);
        process.own.saturating_sub(known) as f64 / whole as f64 * f64::from(cores)
    };
    let mut busy: Vec<Busy> = to
        .iter()
        .filter(|process| process.id != us && process.parent != us)
        .map(|process| Busy { id: process.id, name: process.name.clone(), cores: share(process) })
        .filter(|busy| busy.cores >= WORTH_NAMING)
        .collect();
    busy.sort_by(|a, b| b.cores.total_cmp(&a.cores).then(a.id.cmp(&b.id)));
    busy.truncate(MOST_NAMED);
    busy
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal. Guest time is part of user time.
#[must_use]
pub fn cpu_ticks(text: &str) -> Option<CpuTicks> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line.split_ascii_whitespace().map_while(|word| word.parse().ok()).take(8).collect();
    let idle = ticks.get(3)?.checked_add(ticks.get(4).copied().unwrap_or(0))?;
    let total = ticks.iter().try_fold(0_u64, |sum, ticks| sum.checked_add(*ticks))?;
    Some(CpuTicks { total, idle, steal: ticks.get(7).copied().unwrap_or(0) })
}

/// The cores whose ticks `/proc/stat` counts.
#[must_use]
pub fn counted_cores(text: &str) -> Option<u32> {
    let is_core = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    u32::try_from(text.lines().filter(is_core).count()).ok().filter(|cores| *cores > 0)
}

/// `/proc/PID/stat`. The name is in brackets and may hold brackets and blanks itself.
#[must_use]
pub fn process_ticks(text: &str) -> Option<ProcessTicks> {
    let (front, rest) = text.rsplit_once(')')?;
    let (id, name) = front.split_once('(')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |place: usize| -> Option<u64> { fields.get(place)?.parse().ok() };
    // Ticks of children may be negative for a moment on some kernels
    let lenient = |place: usize| number(place).unwrap_or(0);
    Some(ProcessTicks {
        id: id.trim().parse().ok()?,
        parent: u32::try_from(number(1)?).ok()?,
        start: number(19)?,
        name: name.to_owned(),
        own: number(11)?.checked_add(number(12)?)?,
        children: lenient(13).checked_add(lenient(14))?,
    })
}

/// Pages swapped in or out since boot: `pswpin` and `pswpout` of `/proc/vmstat`.
#[must_use]
pub fn swapped_pages(text: &str) -> Option<u64> {
    let counter = |name: &str| -> Option<u64> {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?.trim().parse().ok()
    };
    counter("pswpin")?.checked_add(counter("pswpout")?)
}

/// Microseconds for which a control group was stopped: `throttled_usec` (version 2) or `throttled_time` (version 1, nanoseconds)
/// of its `cpu.stat`.
#[must_use]
pub fn quota_stopped_us(text: &str) -> Option<u64> {
    let counter = |name: &str| -> Option<u64> {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?.trim().parse().ok()
    };
    counter("throttled_usec").or_else(|| Some(counter("throttled_time")? / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  41026 377 10526 322506 1634 0 103 86 0 0\ncpu0 20900 191 4322 162343 305 0 16 41 0 0\ncpu1 20126 185 6204 160163 1329 0 86 44 0 0\nintr 486392 0 0\nctxt 661675\n";

    fn process(id: u32, parent: u32, name: &str, own: u64, children: u64) -> ProcessTicks {
        ProcessTicks { id, parent, start: 7, name: name.into(), own, children }
    }

    /// 1,000 ticks of two cores pass: 400 idle, 60 stolen, 300 ours, 240 of others.
    fn scene() -> (Counters, Counters) {
        let before = Counters {
            at: Duration::from_secs(10),
            cpu: Some(CpuTicks { total: 5000, idle: 2000, steal: 100 }),
            cores: Some(2),
            swapped_pages: Some(10),
            throttle_events: Some(3),
            quota_stopped_us: Some(1_000_000),
            processes: Some(vec![process(1, 0, "init", 50, 900), process(42, 7, "tollgate", 20, 100)]),
        };
        let after = Counters {
            at: Duration::from_secs(15),
            cpu: Some(CpuTicks { total: 6000, idle: 2400, steal: 160 }),
            cores: Some(2),
            swapped_pages: Some(35),
            throttle_events: Some(3),
            quota_stopped_us: Some(1_500_000),
            processes: Some(vec![
                process(1, 0, "init", 50, 900),
                process(42, 7, "tollgate", 30, 350),
                process(50, 42, "tollgate", 40, 0),
                process(60, 1, "rustc\u{1b}[31m", 200, 0),
                process(61, 1, "sshd", 5, 0),
            ]),
        };
        (before, after)
    }

    #[test]
    fn ticks_of_a_two_core_virtual_machine_are_read() {
        let ticks = cpu_ticks(STAT).unwrap();
        assert_eq!(ticks, CpuTicks { total: 376_258, idle: 324_140, steal: 86 });
        assert_eq!(counted_cores(STAT), Some(2));
        assert_eq!(cpu_ticks("cpu  1 2 3\n"), None);
        assert_eq!(cpu_ticks("intr 5\n"), None);
        let old = cpu_ticks("cpu  1 2 3 4\n").unwrap();
        assert_eq!((old.total, old.steal), (10, 0));
    }

    #[test]
    fn a_process_with_a_hostile_name_is_read_whole() {
        let text = "77 (a) b (c)) S 1 42 7 0 -1 4194304 1 0 0 0 3 4 5 6 20 0 1 0 123456 9 9 9";
        let process = process_ticks(text).unwrap();
        assert_eq!((process.id, process.name.as_str(), process.parent), (77, "a) b (c)", 1));
        assert_eq!((process.own, process.children, process.start), (7, 11, 123_456));
        assert_eq!(process_ticks("77 (a"), None);
        assert_eq!(process_ticks("77 (a) S 1"), None);
    }

    #[test]
    fn counters_of_swap_and_quota_are_read_in_both_versions() {
        assert_eq!(swapped_pages("nr_free 1\npswpin 12\npswpout 30\n"), Some(42));
        assert_eq!(swapped_pages("pswpin 12\n"), None);
        let second = "usage_usec 5\nnr_periods 4\nnr_throttled 2\nthrottled_usec 150000\n";
        assert_eq!(quota_stopped_us(second), Some(150_000));
        assert_eq!(quota_stopped_us("nr_periods 4\nnr_throttled 2\nthrottled_time 3000000\n"), Some(3000));
        assert_eq!(quota_stopped_us("usage_usec 5\n"), None);
    }

    #[test]
    fn steal_is_a_share_of_what_was_wanted() {
        let (before, after) = scene();
        let activity = Activity::between(&before, &after, 42);
        assert!((activity.steal.unwrap() - 0.1).abs() < 1e-12);
        assert!((activity.seconds - 5.0).abs() < 1e-12);
        assert!((activity.quota_stopped.unwrap() - 0.1).abs() < 1e-12);
        assert_eq!((activity.swapped_pages, activity.throttle_events), (Some(25), Some(0)));
    }

    #[test]
    fn others_are_everybody_but_us_and_our_children() {
        let (before, after) = scene();
        let activity = Activity::between(&before, &after, 42);
        assert!((activity.others.unwrap() - 0.48).abs() < 1e-12);
        let named: Vec<&str> = activity.busy.iter().map(|busy| busy.name.as_str()).collect();
        assert_eq!(named, ["rustc\u{1b}[31m"], "sshd took 1 % of a core");
        assert!((activity.busy[0].cores - 0.4).abs() < 1e-12);
    }

    #[test]
    fn what_was_not_read_stays_unknown() {
        let (before, _) = scene();
        let activity = Activity::between(&before, &Counters::default(), 42);
        assert_eq!((activity.steal, activity.others, activity.swapped_pages), (None, None, None));
        assert!(activity.busy.is_empty());
    }

    #[test]
    fn nothing_is_stolen_from_an_idle_machine() {
        let (before, _) = scene();
        let activity = Activity::between(&before, &before, 42);
        assert_eq!((activity.steal, activity.others), (Some(0.0), None));
    }
}
