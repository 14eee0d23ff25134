//! How the clock that times benchmarks behaves here, found by reading it.

use std::time::{Duration, Instant};

use super::findings::Timer;

/// Readings: enough to see the smallest step, few enough to take well under a tenth of a second.
const READINGS: usize = 20_000;

/// Readings of a stretch; the cost is that of the quickest stretch, since on a busy machine others run in the middle of one.
const STRETCH: usize = 200;

/// Reads the clock many times over. `None` where it never moved.
#[must_use]
pub fn timer() -> Option<Timer> {
    let readings: Vec<Instant> = (0..READINGS).map(|_| Instant::now()).collect();
    from_readings(&readings)
}

fn from_readings(readings: &[Instant]) -> Option<Timer> {
    let steps = readings.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0]));
    let step = steps.filter(|step| *step > Duration::ZERO).min()?;
    let read_ns = readings.chunks(STRETCH).filter_map(mean_step_ns).min_by(f64::total_cmp)?;
    Some(Timer { step_ns: step.as_secs_f64() * 1e9, read_ns })
}

/// What a reading of a stretch cost on average; `None` for a single one.
fn mean_step_ns(stretch: &[Instant]) -> Option<f64> {
    let whole = stretch.last()?.saturating_duration_since(*stretch.first()?);
    let steps = stretch.len().checked_sub(1).filter(|steps| *steps > 0)?;
    Some(whole.as_secs_f64() * 1e9 / steps as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_step_that_moves_is_the_resolution_and_the_mean_is_the_cost() {
        let start = Instant::now();
        let readings: Vec<Instant> =
            [0, 0, 100, 100, 300, 400].iter().map(|ns| start + Duration::from_nanos(*ns)).collect();
        let timer = from_readings(&readings).unwrap();
        assert!((timer.step_ns - 100.0).abs() < 1e-6);
        assert!((timer.read_ns - 80.0).abs() < 1e-6);
        // A stretch in which another process ran does not count
        let slow = (0..STRETCH as u64).map(|place| start + Duration::from_nanos(place * 900));
        let quick = (0..STRETCH as u64)
            .map(|place| start + Duration::from_micros(999) + Duration::from_nanos(place * 30));
        let timer = from_readings(&slow.chain(quick).collect::<Vec<_>>()).unwrap();
        assert!((timer.read_ns - 30.0).abs() < 1e-6);
        assert_eq!(from_readings(&[start, start]), None);
        assert_eq!(from_readings(&[]), None);
    }
}
