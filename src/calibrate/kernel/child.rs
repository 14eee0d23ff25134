//! What a slot's process does: it warms up, takes its samples in memory, and prints them when the last one is taken.
//!
//! The sampling is criterion's linear one: sample i of n runs i times as many iterations as the first, so that a slot here is
//! what a slot of a check is.

use std::{
    ffi::OsString,
    hint::black_box,
    io::Write,
    process::ExitCode,
    time::{Duration, Instant},
};

use super::protocol::{Order, answer};
use crate::process::resources::schedule;

/// The exit code for an order that is not one, as for any wrong usage.
const USAGE: u8 = 2;
/// The exit code when the answer could not be written.
const BROKEN: u8 = 5;

/// Acts as a slot's process when this program's arguments ask for one, and returns its exit code.
///
/// `None` for every ordinary command line: the caller then goes on as always. To be called first of all in `main`.
#[must_use]
pub fn child_main() -> Option<ExitCode> {
    serve(std::env::args_os(), &mut std::io::stdout().lock()).map(ExitCode::from)
}

/// The same with arguments (the program's name first) and output given.
fn serve(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write) -> Option<u8> {
    let arguments: Vec<OsString> = arguments.into_iter().skip(1).take(16).collect();
    let Some(order) = Order::parse(&arguments)? else { return Some(USAGE) };
    let samples = measure(&order);
    let waited = schedule(std::process::id()).unwrap_or_default().waiting_ns;
    let text = answer(&samples, Duration::from_nanos(waited));
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Some(if written.is_ok() { 0 } else { BROKEN })
}

/// Iterations and nanoseconds of every sample.
fn measure(order: &Order) -> Vec<(u64, u64)> {
    let mut routine = order.kernel.routine();
    let mut run = |iterations: u64| {
        let start = Instant::now();
        for _ in 0..iterations {
            black_box(routine(black_box(order.units)));
        }
        start.elapsed()
    };
    let one = warm_up(&mut run, Duration::from_millis(u64::from(order.shape.warm_up_ms)));
    let step = step(one, order.shape.measure_ms, order.shape.samples);
    (1..=u64::from(order.shape.samples))
        .map(|sample| {
            let iterations = sample * step;
            // A clock that did not move has a coarser step than this: one nanosecond is the least that can be told
            let took = u64::try_from(run(iterations).as_nanos()).unwrap_or(u64::MAX).max(1);
            (iterations, took)
        })
        .collect()
}

/// Runs for at least so long, doubling the iterations; returns the seconds of one.
fn warm_up(run: &mut impl FnMut(u64) -> Duration, limit: Duration) -> f64 {
    let (mut iterations, mut done, mut took) = (1_u64, 0_u64, Duration::ZERO);
    loop {
        took += run(iterations);
        done += iterations;
        if took >= limit {
            return took.as_secs_f64() / done as f64;
        }
        iterations = iterations.saturating_mul(2);
    }
}

/// Iterations of the first sample, so that all of them together take the time asked for; at least 1.
fn step(one_seconds: f64, measure_ms: u32, samples: u32) -> u64 {
    let shares = f64::from(samples) * f64::from(samples + 1) / 2.0;
    let wanted = f64::from(measure_ms) / 1000.0 / (one_seconds.max(1e-9) * shares);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1e9")]
    let step = wanted.ceil().clamp(1.0, 1e9) as u64;
    step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::kernel::{
        protocol::{MARK, Shape, read},
        work::Kernel,
    };

    fn arguments(words: &[&str]) -> Vec<OsString> {
        std::iter::once("tollgate").chain(words.iter().copied()).map(Into::into).collect()
    }

    #[test]
    fn a_slot_answers_with_the_samples_that_were_asked_for() {
        for kernel in Kernel::ALL {
            let order = Order { kernel, units: 3, shape: Shape { warm_up_ms: 0, measure_ms: 1, samples: 4 } };
            let mut out = Vec::new();
            let words = order.arguments();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            assert_eq!(serve(arguments(&words), &mut out), Some(0));
            let samples = read(&out, 4).unwrap().samples;
            assert!((samples[3].iterations - 4.0 * samples[0].iterations).abs() < 1e-9);
        }
    }

    #[test]
    fn an_ordinary_command_line_is_left_alone() {
        let mut out = Vec::new();
        assert_eq!(serve(arguments(&["doctor", "--quick"]), &mut out), None);
        assert_eq!(serve(arguments(&[]), &mut out), None);
        assert_eq!(serve(arguments(&["check", MARK]), &mut out), None);
        assert!(out.is_empty());
    }

    #[test]
    fn a_broken_order_is_wrong_usage_and_prints_nothing() {
        let mut out = Vec::new();
        assert_eq!(serve(arguments(&[MARK, "sort", "1"]), &mut out), Some(USAGE));
        assert!(out.is_empty());
    }

    #[test]
    fn the_samples_together_take_the_measuring_time() {
        // 55 shares of 50 ms are 0.909 ms: ninety-one iterations of 10 us
        assert_eq!(step(1e-5, 50, 10), 91);
        assert_eq!(step(1.0, 50, 10), 1);
        assert_eq!(step(0.0, 50, 1), 50_000_000);
    }
}
