//! What a slot of a benchmark costs, and so how its samples are taken.

use super::{
    criterion::protocol::Complete,
    stage::{Sampling, SlotSettings, knows_quick, whole_seconds},
};
use std::time::Duration;

/// criterion's `--quick` doubles its iterations until this has passed.
const QUICK_SECONDS: f64 = 0.1;
/// criterion's sample size where nobody sets one.
const DEFAULT_SAMPLES: u64 = 100;
/// Ten timed samples say more than one quick one: timed slots may cost this much more before quick ones are taken …
const TIMED_UP_TO: f64 = 1.5;
/// … and are taken again when they cost no more than this; the gap keeps a benchmark from going to and fro.
const TIMED_FROM: f64 = 1.2;

/// Warm-up doubles its iterations until its time has passed: it takes one to two times that.
const WARM_UP_EXCESS: f64 = 1.5;
/// Sampling plans for its time, but takes whole iterations and has some work of its own.
const SAMPLING_EXCESS: f64 = 1.2;

/// What is known of a benchmark's cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// One iteration, set-up of its batch included, seconds.
    pub iteration_seconds: f64,
    /// The code before it that runs in every process, seconds.
    pub before_seconds: f64,
    /// Warm-up time in force when we ask for ours.
    pub warm_up: Duration,
    /// Measurement time in force when we ask for ours.
    pub measurement: Duration,
    /// Samples in force when we ask for ours.
    pub samples: u64,
    /// Whether its group sets its own times.
    pub own_times: bool,
    /// What a slot takes that keeps to the times we ask for, seconds.
    pub asked_seconds: f64,
    /// How its samples are best taken.
    pub sampling: Sampling,
    /// What is measured: `ns` for wall-clock time.
    pub unit: String,
    /// One of the measurement's own units in `unit`.
    pub scale: f64,
}

impl Cost {
    /// What a scout learnt: `complete` came `seconds` after its beginning.
    #[must_use]
    pub fn of_scout(
        settings: &SlotSettings,
        version: [u8; 3],
        complete: &Complete,
        seconds: f64,
        before_seconds: f64,
        (unit, scale): (String, f64),
    ) -> Self {
        // Old ones count in whole seconds, also what a scout asks of them.
        let (warm_up, measurement, sampling) = if knows_quick(version) {
            (settings.warm_up, settings.measurement, Sampling::Timed)
        } else {
            (whole_seconds(settings.warm_up), whole_seconds(settings.measurement), Sampling::WholeSeconds)
        };
        // What the scout asked for (at most that) is in force unless the group sets its own.
        let asked = |time: Option<Duration>, ours: Duration| time.filter(|time| *time > ours);
        let own_warm_up = asked(complete.warm_up, warm_up);
        let own_measurement = asked(complete.measurement, measurement);
        let own_samples = complete.sample_size.filter(|size| *size != DEFAULT_SAMPLES);
        let mut cost = Self {
            iteration_seconds: seconds / scout_iterations(version, complete),
            before_seconds,
            warm_up: own_warm_up.unwrap_or(warm_up),
            measurement: own_measurement.unwrap_or(measurement),
            samples: own_samples.unwrap_or_else(|| u64::from(settings.samples)),
            own_times: own_warm_up.is_some() || own_measurement.is_some(),
            asked_seconds: in_time(warm_up, measurement),
            sampling,
            unit,
            scale,
        };
        if knows_quick(version) {
            cost.choose();
        }
        cost
    }

    /// What a slot takes, seconds.
    #[must_use]
    pub fn slot_seconds(&self) -> f64 {
        self.before_seconds
            + match self.sampling {
                Sampling::Timed | Sampling::WholeSeconds => self.timed_seconds(),
                Sampling::Quick => self.quick_seconds(),
            }
    }

    /// What a slot takes with the times in force, seconds.
    #[must_use]
    pub fn timed_seconds(&self) -> f64 {
        let iteration = self.iteration_seconds;
        let warm_up = self.warm_up.as_secs_f64();
        let warm_up = if iteration > warm_up { iteration } else { WARM_UP_EXCESS * warm_up };
        #[expect(clippy::cast_precision_loss, reason = "a sample size is far below 2^53")]
        let samples = self.samples as f64;
        warm_up + SAMPLING_EXCESS * self.measurement.as_secs_f64().max(samples * iteration)
    }

    /// Takes a better guess at an iteration into account; returns whether samples are taken otherwise from now on.
    pub fn relearn(&mut self, iteration_seconds: f64, samples: u64) -> bool {
        let before = self.sampling;
        self.iteration_seconds = iteration_seconds;
        if self.sampling != Sampling::Quick {
            self.samples = samples;
        }
        self.choose();
        self.sampling != before
    }

    fn quick_seconds(&self) -> f64 {
        let mut iterations = 1.0;
        let mut total = self.iteration_seconds;
        loop {
            iterations *= 2.0;
            total += iterations * self.iteration_seconds;
            if total > QUICK_SECONDS || iterations > 1e12 {
                return total;
            }
        }
    }

    fn choose(&mut self) {
        // Nothing is gained by being quicker than what was asked for.
        let (timed, quick) = (self.timed_seconds(), self.quick_seconds().max(self.asked_seconds));
        self.sampling = match self.sampling {
            Sampling::Timed if timed > TIMED_UP_TO * quick => Sampling::Quick,
            Sampling::Quick if timed < TIMED_FROM * quick => Sampling::Timed,
            same => same,
        };
    }
}

/// What a slot of a short routine takes with these times, seconds.
#[must_use]
pub fn in_time(warm_up: Duration, measurement: Duration) -> f64 {
    WARM_UP_EXCESS * warm_up.as_secs_f64() + SAMPLING_EXCESS * measurement.as_secs_f64()
}

/// How often a scout ran the routine. With `--quick` its samples are the last two doublings, or twice the first when that took
/// longer than the time in force.
fn scout_iterations(version: [u8; 3], complete: &Complete) -> f64 {
    let counts: Vec<f64> = complete.samples.iter().map(|sample| sample.iterations).collect();
    match counts.as_slice() {
        [first, second] if knows_quick(version) => {
            if second > first {
                4.0 * first - 1.0
            } else {
                *first
            }
        }
        // Without `--quick` one iteration of warm-up goes before.
        _ => counts.iter().sum::<f64>() + 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Cost, Sampling, SlotSettings};
    use crate::{measure::criterion::protocol::Complete, model::run::Sample};
    use std::time::Duration;

    fn complete(iterations: [f64; 2], measurement: Duration) -> Complete {
        let samples = iterations.map(|iterations| Sample { iterations, total: 1.0 }).to_vec();
        let warm_up = Some(Duration::from_millis(20));
        Complete { id: "x".into(), samples, warm_up, measurement: Some(measurement), sample_size: Some(100) }
    }

    fn cost(version: [u8; 3], iterations: [f64; 2], measurement: Duration, seconds: f64) -> Cost {
        let complete = complete(iterations, measurement);
        Cost::of_scout(&SlotSettings::default(), version, &complete, seconds, 0.0, ("ns".into(), 1.0))
    }

    const NANO: Duration = Duration::from_nanos(1);

    #[test]
    fn a_short_routine_is_timed_and_costs_the_times_we_ask_for() {
        let cost = cost([0, 8, 2], [1.0, 1.0], NANO, 1e-6);
        assert_eq!((cost.sampling, cost.own_times), (Sampling::Timed, false));
        assert!((0.07..0.1).contains(&cost.slot_seconds()), "{}", cost.slot_seconds());
    }

    #[test]
    fn a_group_with_times_of_its_own_is_quick_where_criterion_can() {
        let long = Duration::from_secs(8);
        // 1023 iterations in all: 1, 2, 4 … 512, of which the last two are told.
        let quick = cost([0, 5, 1], [256.0, 512.0], long, 0.1023);
        assert_eq!((quick.sampling, quick.own_times), (Sampling::Quick, true));
        assert!((quick.iteration_seconds - 1e-4).abs() < 1e-12);
        assert!(quick.slot_seconds() < 0.3);
        let old = cost([0, 3, 6], [1.0, 1.0], long, 0.1);
        assert_eq!((old.sampling, old.own_times), (Sampling::WholeSeconds, true));
        assert!(old.slot_seconds() > 8.0);
    }

    #[test]
    fn criterion_before_0_4_keeps_to_whole_seconds_however_long_an_iteration_is() {
        let second = Duration::from_secs(1);
        let mut old = cost([0, 3, 6], [1.0, 1.0], second, 2.0);
        assert_eq!((old.sampling, old.own_times), (Sampling::WholeSeconds, false));
        assert!((2.0..12.0).contains(&old.slot_seconds()), "{}", old.slot_seconds());
        assert!(!old.relearn(30.0, 100), "it does not know `--quick`");
        assert_eq!(old.sampling, Sampling::WholeSeconds);
    }

    #[test]
    fn a_long_iteration_is_quick_and_timed_again_once_its_first_one_proves_an_exception() {
        let mut cost = cost([0, 8, 2], [1.0, 1.0], NANO, 0.5);
        assert_eq!(cost.sampling, Sampling::Quick);
        assert!((cost.slot_seconds() - 1.5).abs() < 1e-9, "one iteration and two");
        assert!(!cost.relearn(0.4, 1));
        assert!(cost.relearn(0.001, 1));
        assert_eq!(cost.sampling, Sampling::Timed);
    }

    #[test]
    fn long_slots_that_were_asked_for_are_no_reason_to_be_quick() {
        let (warm_up, measurement) = (Duration::from_secs(3), Duration::from_secs(5));
        let settings = SlotSettings { warm_up, measurement, ..SlotSettings::default() };
        let complete = complete([1.0, 1.0], NANO);
        let cost = Cost::of_scout(&settings, [0, 8, 2], &complete, 1e-6, 0.0, ("ns".into(), 1.0));
        assert_eq!((cost.sampling, cost.own_times), (Sampling::Timed, false));
        assert!(cost.slot_seconds() > 8.0);
    }

    #[test]
    fn a_group_with_many_samples_turns_quick_when_its_first_slots_show_it() {
        let mut cost = cost([0, 8, 2], [1.0, 1.0], NANO, 0.005);
        assert_eq!(cost.sampling, Sampling::Timed);
        assert!(cost.relearn(0.005, 100));
        assert_eq!(cost.sampling, Sampling::Quick);
    }
}
