//! Long windows of load over time: whether memory grows, and whether answers become slower, while the load stays the same.
//!
//! Only windows of at least [`LONG_SECONDS`] are looked at, and only where the load itself was steady: what grows with the load is no leak.

use crate::{
    judge::soak::{Soak, SoakVerdict, judge},
    model::{
        load::{Interval, Offered, Trial},
        run::Warning,
        soak::Allowances,
    },
    text::quantity,
};

/// A shorter window says nothing over time, seconds.
pub const LONG_SECONDS: f64 = 600.0;

/// The load of each quarter of a window may be off its mean by this share.
const UNSTEADY: f64 = 0.1;

/// What long windows come to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct OverTime {
    /// A sentence for each series that was shown to grow.
    pub(super) growing: Vec<String>,
    /// The same in parts: the scenario, what grows, and by how much.
    pub(super) grown: Vec<(String, &'static str, String)>,
    /// What was shown to be steady: `load:x: memory and latency`.
    pub(super) steady: Vec<String>,
    /// What could not be told.
    pub(super) warnings: Vec<Warning>,
}

impl OverTime {
    /// Looks at all windows that count; what is allowed and the seed are the run's.
    pub(super) fn of(trials: &[Trial], allowed: &[Allowances], seed: u64) -> Self {
        let mut all = Self::default();
        let long = |trial: &&Trial| trial.void.is_none() && trial.seconds >= LONG_SECONDS - 0.5;
        for trial in trials.iter().filter(long) {
            all.add(trial, allowed, seed);
        }
        all
    }

    fn add(&mut self, trial: &Trial, allowed: &[Allowances], seed: u64) {
        let name = format!("load:{}", trial.scenario);
        if !is_steady(trial) {
            let text = format!(
                "{name}: its load changed over time, so its memory and latency are not judged over time"
            );
            self.warnings.push(Warning::new("soak_unsteady_load", text));
            return;
        }
        let bytes: fn(f64) -> String = quantity::bytes;
        let nanoseconds: fn(f64) -> String = |ns| quantity::value(ns, "ns");
        let memory = series(trial, |interval| interval.rss_bytes.map(|bytes| bytes as f64));
        let latency = series(trial, |interval| interval.latency_ns.map(|quantiles| quantiles[2]));
        let (may_memory, may_latency) = Allowances::of(allowed, &trial.scenario);
        let mut steady = Vec::new();
        for (what, points, allowed, shown) in
            [("memory", memory, may_memory, bytes), ("latency p95", latency, may_latency, nanoseconds)]
        {
            if points.is_empty() {
                continue;
            }
            let soak = judge(&points, allowed, seed);
            let words = sentence(&soak, shown);
            match soak.verdict {
                SoakVerdict::Growing => {
                    self.growing.push(format!("{name}: {what} grows {words}"));
                    self.grown.push((trial.scenario.clone(), what, words));
                }
                SoakVerdict::Steady => steady.push(what),
                SoakVerdict::Unclear => {
                    let text = format!(
                        "{name}: whether {what} grows is not clear: {words}; a longer run tells more"
                    );
                    self.warnings.push(Warning::new("soak_unclear", text));
                }
            }
        }
        if !steady.is_empty() {
            let time = quantity::seconds(trial.seconds);
            self.steady.push(format!("{} of {name} steady over {time}", steady.join(" and ")));
        }
    }
}

/// (seconds at the middle, value) of the intervals that have one.
fn series(trial: &Trial, of: impl Fn(&Interval) -> Option<f64>) -> Vec<(f64, f64)> {
    let point = |interval: &Interval| Some((interval.start_seconds + interval.seconds / 2.0, of(interval)?));
    trial.intervals.iter().filter_map(point).collect()
}

/// Whether what was asked of the service was the same all the time: at a rate the requests that were due tell, whatever was meant. Of users it is their
/// number that must not change: what they have in flight grows with the very latency that is looked at.
fn is_steady(trial: &Trial) -> bool {
    if matches!(trial.offered, Offered::Users(_)) {
        return !trial.varied && trial.intervals.len() > 4;
    }
    let amount = |interval: &Interval| interval.scheduled as f64 / interval.seconds.max(1e-9);
    let mean = |part: &[Interval]| part.iter().map(amount).sum::<f64>() / part.len().max(1) as f64;
    // The last interval may be a fraction of a second.
    let whole = &trial.intervals[..trial.intervals.len().saturating_sub(1)];
    let all = mean(whole);
    whole.len() >= 4
        && whole.chunks(whole.len().div_ceil(4)).all(|part| (mean(part) - all).abs() <= UNSTEADY * all)
}

/// `by 12 MiB an hour (98 % interval 8 MiB to 15 MiB, allowed 3 MiB) over 55 min`.
fn sentence(soak: &Soak, shown: fn(f64) -> String) -> String {
    let signed = |value: f64| if value < 0.0 { format!("−{}", shown(-value)) } else { shown(value) };
    let (Some(slope), Some(interval)) = (soak.per_hour, soak.interval) else {
        return format!("too little was seen in {}", quantity::seconds(soak.seconds));
    };
    let after = if soak.warmup_seconds > 0.0 {
        format!(" after {} of warm-up", quantity::seconds(soak.warmup_seconds))
    } else {
        String::new()
    };
    format!(
        "by {} an hour (98 % interval {} to {}, allowed {}) over {}{after}",
        signed(slope),
        signed(interval.lower),
        signed(interval.upper),
        shown(soak.allowed_per_hour),
        quantity::seconds(soak.seconds),
    )
}

#[cfg(test)]
mod tests {
    use super::OverTime;
    use crate::{
        model::{
            load::{Clocks, Costs, Interval, Offered, Requests, Trial},
            run::Side,
            soak::{Allowances, Allowed},
        },
        stats::random::Stream,
    };

    const MIB: f64 = 1_048_576.0;

    /// Half an hour at 100 requests a second; `rss` in MiB by the second.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive numbers of bytes")]
    fn trial(seconds: u32, rate: impl Fn(f64) -> u64, rss: impl Fn(f64) -> f64) -> Trial {
        let mut noise = Stream::new(1, "test", &[], 0);
        let interval = |second: u32| {
            let at = f64::from(second);
            let scheduled = rate(at);
            Interval {
                start_seconds: at,
                seconds: 1.0,
                scheduled,
                completed: scheduled,
                latency_ns: Some([1e6, 2e6, 3e6 + 2e4 * noise.normal(), 4e6]),
                rss_bytes: Some(((rss(at) + 0.05 * noise.normal()) * MIB) as u64),
                ..Interval::default()
            }
        };
        Trial {
            scenario: "x".into(),
            side: Side::Head,
            offered: Offered::Rate(100.0),
            seconds: f64::from(seconds),
            warmup_seconds: 0.0,
            requests: Requests::default(),
            clocks: Clocks::default(),
            endpoints: Vec::new(),
            in_flight_peak: 1,
            answered: None,
            received_bytes: 0,
            generator_cpu: 0.1,
            costs: Costs::default(),
            knee: None,
            varied: false,
            intervals: (0..seconds).map(interval).collect(),
            void: None,
        }
    }

    #[test]
    fn a_leak_is_told_with_its_interval_and_a_warm_up_is_none() {
        let leak = OverTime::of(&[trial(1_800, |_| 100, |at| 200.0 + 40.0 * at / 3_600.0)], &[], 3);
        assert_eq!(leak.growing.len(), 1, "{leak:?}");
        assert!(leak.growing[0].starts_with("load:x: memory grows by "), "{leak:?}");
        assert!(leak.growing[0].contains("MiB an hour (98 % interval"), "{leak:?}");
        let warming = |at: f64| 60.0 + 100.0 * (1.0 - (-at / 60.0).exp());
        let warm = OverTime::of(&[trial(1_800, |_| 100, warming)], &[], 3);
        assert!(warm.growing.is_empty() && !warm.steady.is_empty(), "{warm:?}");
        assert!(warm.steady[0].contains("memory"), "{warm:?}");
    }

    #[test]
    fn a_slope_between_the_default_and_what_a_scenario_allows_is_a_leak_of_others_only() {
        // 12 MiB an hour on 200 MiB: the default is 2 MiB.
        let trials = [trial(1_800, |_| 100, |at| 200.0 + 12.0 * at / 3_600.0)];
        let memory = |per_hour, mib: f64| Allowances {
            scenario: "x".into(),
            memory: Allowed { per_hour, floor_per_hour: mib * MIB },
            latency: Allowed::LATENCY,
        };
        let other = Allowances { scenario: "y".into(), ..memory(0.5, 0.0) };
        for strict in [vec![], vec![other], vec![memory(0.03, 1.0)]] {
            let found = OverTime::of(&trials, &strict, 3);
            assert_eq!(found.grown.len(), 1, "{strict:?}: {found:?}");
        }
        for generous in [memory(0.1, 1.0), memory(0.0, 20.0)] {
            let found = OverTime::of(&trials, std::slice::from_ref(&generous), 3);
            assert!(found.grown.is_empty() && found.warnings.is_empty(), "{generous:?}: {found:?}");
            assert_eq!(found.steady, ["memory and latency p95 of load:x steady over 30 min 0 s"]);
        }
    }

    #[test]
    fn short_void_and_unsteady_windows_are_not_judged() {
        let leaking = |at: f64| 200.0 + at;
        assert_eq!(OverTime::of(&[trial(500, |_| 100, leaking)], &[], 3), OverTime::default());
        let void = Trial { void: Some("late".into()), ..trial(700, |_| 100, leaking) };
        assert_eq!(OverTime::of(&[void], &[], 3), OverTime::default());
        let ramp = OverTime::of(&[trial(700, |at| if at < 350.0 { 50 } else { 150 }, leaking)], &[], 3);
        assert!(ramp.growing.is_empty(), "{ramp:?}");
        assert_eq!(ramp.warnings[0].code, "soak_unsteady_load");
    }

    #[test]
    fn of_users_their_number_must_not_change_and_what_they_have_in_flight_may() {
        // Ten users who think for a second have an answer under way now and then, and three times as often when it slows down.
        let leaking = |at: f64| 200.0 + at / 10.0;
        let mut users = Trial { offered: Offered::Users(10), ..trial(1_800, |_| 10, leaking) };
        for (second, interval) in (0_u64..).zip(&mut users.intervals) {
            let every = if second < 900 { 21 } else { 7 };
            interval.in_flight = u64::from(second.is_multiple_of(every));
        }
        let found = OverTime::of(std::slice::from_ref(&users), &[], 3);
        assert!(found.growing[0].contains("memory grows"), "{found:?}");
        users.varied = true;
        let found = OverTime::of(&[users], &[], 3);
        assert!(found.growing.is_empty() && found.warnings[0].code == "soak_unsteady_load", "{found:?}");
    }
}
