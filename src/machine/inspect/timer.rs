//! How the clock that times benchmarks behaves here, found by reading it.

use std::time::{Duration, Instant};

use super::findings::Timer;

/// Readings: enough to see the smallest step, few enough to take well under a tenth of a second.
const READINGS: usize = 20_000;

/// Reads the clock many times over. `None` where it never moved.
#[must_use]
pub fn timer() -> Option<Timer> {
    let readings: Vec<Instant> = (0..READINGS).map(|_| Instant::now()).collect();
    from_readings(&readings)
}

fn from_readings(readings: &[Instant]) -> Option<Timer> {
    let steps = readings.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0]));
    let step = steps.filter(|step| *step > Duration::ZERO).min()?;
    let (first, last) = (readings.first()?, readings.last()?);
    let whole = last.saturating_duration_since(*first).as_secs_f64() * 1e9;
    Some(Timer { step_ns: step.as_secs_f64() * 1e9, read_ns: whole / (readings.len() - 1) as f64 })
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
        assert_eq!(from_readings(&[start, start]), None);
        assert_eq!(from_readings(&[]), None);
    }
}
