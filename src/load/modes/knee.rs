//! The rate that one service bears, as a value that many fresh services can be compared by.
//!
//! A search of its own for each slot of a check would be long where it begins far off, and too sure of itself where it asks each rate
//! five times: what counts is the scatter from slot to slot, which the check sees. So the neighbourhood is [`found`](survey) once, and then
//! each slot searches near it, one short probe a rate. The first rate is drawn anew for each slot, so that the steps of the
//! search are no steps of the result.

use std::time::Duration;

use super::{
    ground::Error,
    prober::{Hands, Patience, Prober, own_rate},
};
use crate::{
    load::scenario::Scenario,
    model::load::{Aim, Knee},
    plan::breaking_point::{BreakingPoint, Next, Planner, Search},
};

/// How long a probe records.
pub const PROBE: Duration = Duration::from_secs(1);
/// What a search near a known rate is expected to take, probes with their warm-up and rest, seconds.
pub const SECONDS: f64 = 10.0;
/// The first rate where nobody gave one, requests a second.
const START: f64 = 50.0;
/// How often a rate is asked again that was missed while the machine was taken away.
const DISTURBED: u32 = 1;
/// How narrow the interval of a survey is, as a share of its lower end.
const ROUGH: f64 = 0.2;
/// How much the rate of a slot's search grows or shrinks while one end is open.
const GROWTH: f64 = 1.2;
/// How narrow the interval of a slot is: half of the margin that a knee has by default.
const NARROW: f64 = 0.025;
/// The most probes of a slot's search.
const PROBES: u32 = 24;
/// The most probes of a survey.
const SURVEY: u32 = 60;

/// Why a service has no knee.
#[derive(Debug)]
pub enum Trouble {
    /// The user wants an end.
    Over,
    /// The service failed, or the load.
    Failed(Error),
    /// The generator was the bottleneck: its reason.
    Generator(String),
}

/// Where about the knee of a scenario's service is, requests a second: doubling from the scenario's own rate.
///
/// # Errors
/// See [`Trouble`].
pub fn survey(scenario: &Scenario, aim: &Aim, hands: Hands<'_>) -> Result<f64, Trouble> {
    let start = own_rate(scenario).unwrap_or(START);
    let wide = Search {
        start,
        least: 0.1,
        growth: 2.0,
        width: ROUGH,
        probes: SURVEY,
        agree: 2,
        hasty: true,
        ..Search::default()
    };
    // All slots begin near it, so one stray probe must not move it.
    match search(scenario, aim, wide, hands)? {
        BreakingPoint::Never { .. } => Err(Trouble::Generator("no rate that was tried was too much".into())),
        point => Ok(point.estimate()),
    }
}

/// The knee of one service, searched for near a rate. `draw` from 0 to 1 moves the first rate of the search.
///
/// # Errors
/// See [`Trouble`].
pub fn knee(
    scenario: &Scenario,
    aim: &Aim,
    (near, draw): (f64, f64),
    hands: Hands<'_>,
) -> Result<Knee, Trouble> {
    let start = near * GROWTH.powf(draw.clamp(0.0, 1.0) - 0.5);
    let narrow = Search { start, least: start / 1e3, growth: GROWTH, width: NARROW, ..one_by_one() };
    Ok(match search(scenario, aim, narrow, hands)? {
        BreakingPoint::Between { met, missed } => Knee { met: Some(met), missed: Some(missed) },
        BreakingPoint::Never { met } => Knee { met: Some(met), missed: None },
        BreakingPoint::AtOnce { missed } => Knee { met: None, missed: Some(missed) },
    })
}

fn one_by_one() -> Search {
    Search { probes: PROBES, agree: 1, hasty: false, ..Search::default() }
}

fn search(
    scenario: &Scenario,
    aim: &Aim,
    search: Search,
    hands: Hands<'_>,
) -> Result<BreakingPoint, Trouble> {
    let prober = Prober { scenario, aim, length: PROBE, hands };
    let mut planner = Planner::new(search);
    loop {
        match planner.next() {
            Next::Done(point) => return Ok(point),
            Next::Probe(rate) => planner.tell(probe(&prober, rate)?),
        }
    }
}

/// Whether a rate was met; asked again while the generator is too late, or the machine taken away.
fn probe(prober: &Prober<'_>, rate: f64) -> Result<bool, Trouble> {
    let mut patience = Patience::new(DISTURBED);
    loop {
        let mut answer = prober.probe(rate).map_err(Trouble::Failed)?;
        if (prober.hands.over)() {
            return Err(Trouble::Over);
        }
        prober.rest(&answer.probe);
        if let Some(met) = patience.judge(&mut answer).map_err(Trouble::Generator)? {
            return Ok(met);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use super::{Trouble, knee, survey};
    use crate::{
        load::{
            modes::{
                prober::Hands,
                stress::tests::{levels, scenario, service},
            },
            scenario::Scenario,
            watch::Observer,
        },
        model::load::Aim,
        progress::Silent,
    };

    #[test]
    fn a_slot_finds_the_knee_near_what_a_survey_found_wherever_it_begins() {
        for truth in [37.0, 730.0, 12_345.0] {
            let window = service(truth, 0.0);
            let hands =
                Hands { window: &window, over: &|| false, progress: &Silent, taken: &|| Duration::ZERO };
            let near = survey(&scenario(), &Aim::default(), hands).unwrap();
            assert!((near / truth).ln().abs() < 0.2, "{near} {truth}");
            let mut last = None;
            for draw in [0.0, 0.3, 0.9, 1.0] {
                let knee = knee(&scenario(), &Aim::default(), (near, draw), hands).unwrap();
                let (met, missed) = (knee.met.unwrap(), knee.missed.unwrap());
                // The service of these tests counts as borne up to 2 to 5 % more than it bears: that much backlog is noise.
                assert!(missed / met <= 1.03 && met < truth * 1.06 && missed > truth, "{knee:?} {truth}");
                assert_ne!(last.replace(met), Some(met), "the steps move with the draw");
            }
        }
    }

    #[test]
    fn a_head_that_bears_a_tenth_has_a_knee_too() {
        let window = service(73.0, 0.0);
        let hands = Hands { window: &window, over: &|| false, progress: &Silent, taken: &|| Duration::ZERO };
        let value = knee(&scenario(), &Aim::default(), (730.0, 0.5), hands).unwrap().value().unwrap();
        assert!((value / 73.0).ln().abs() < 0.06, "{value}");
    }

    #[test]
    fn a_generator_that_is_late_is_asked_three_times_and_a_user_who_wants_an_end_is_heard() {
        let asked = Cell::new(0);
        let late = |scenario: &Scenario, observer: &dyn Observer| {
            asked.set(asked.get() + 1);
            let mut trial = service(1e9, 0.0)(scenario, observer)?;
            trial.void = (levels(scenario)[0].0 > 100.0).then(|| "the generator was late".into());
            Ok(trial)
        };
        let hands = Hands { window: &late, over: &|| false, progress: &Silent, taken: &|| Duration::ZERO };
        let trouble = survey(&scenario(), &Aim::default(), hands).unwrap_err();
        assert!(matches!(trouble, Trouble::Generator(why) if why == "the generator was late"));
        assert_eq!(asked.get(), 2 + 3);
        let hands = Hands { over: &|| asked.get() > 5, ..hands };
        assert!(matches!(survey(&scenario(), &Aim::default(), hands), Err(Trouble::Over)));
    }
}
