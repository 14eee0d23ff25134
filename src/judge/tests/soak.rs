//! Series over time: leaks that must be seen, and warm-ups that must not be taken for one.

use crate::stats::random::Stream;
use crate::{
    judge::soak::{SoakVerdict, judge},
    model::soak::Allowed,
};

const MIB: f64 = 1_048_576.0;

/// One value a second: `level` at each second plus noise in which each second keeps half of the one before.
fn series(seconds: u32, noise: f64, seed: u64, level: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let mut stream = Stream::new(seed, "test", &[], 0);
    let mut wobble = 0.0;
    (0..seconds)
        .map(|second| {
            wobble = 0.5 * wobble + noise * stream.normal();
            (f64::from(second), level(f64::from(second)) + wobble)
        })
        .collect()
}

#[test]
fn a_slow_leak_that_end_points_miss_is_seen() {
    // 300 MiB that grow by 12 MiB an hour: 4 %, under "10 % and 20 MB", and out of memory within a day or two.
    for seed in 0..5 {
        let rss = series(3_600, 0.5 * MIB, seed, |t| (300.0 + 12.0 * t / 3_600.0) * MIB);
        let growth = rss.last().unwrap().1 - rss[0].1;
        assert!(growth < 20e6, "an end-point rule would see it");
        let soak = judge(&rss, Allowed::MEMORY, seed);
        assert_eq!(soak.verdict, SoakVerdict::Growing, "{seed} {soak:?}");
        assert!((soak.per_hour.unwrap() / MIB - 12.0).abs() < 3.0, "{soak:?}");
        assert!(soak.p_value.unwrap() < 0.01);
    }
}

#[test]
fn a_warm_up_that_saturates_is_no_leak() {
    // 60 MiB that become 160 within some minutes and stay there: 167 % more at the end than at the start.
    for (seed, tau) in [(1, 60.0), (2, 180.0), (3, 240.0), (4, 30.0), (5, 120.0)] {
        let rss = series(3_600, 0.3 * MIB, seed, |t| (60.0 + 100.0 * (1.0 - (-t / tau).exp())) * MIB);
        let soak = judge(&rss, Allowed::MEMORY, seed);
        assert_eq!(soak.verdict, SoakVerdict::Steady, "{tau} {soak:?}");
        assert!(soak.warmup_seconds > tau, "{tau} {soak:?}");
        assert!(soak.level / MIB > 155.0, "{tau} {soak:?}");
    }
}

#[test]
fn an_arena_that_jumps_to_its_high_water_mark_is_no_leak() {
    let rss = series(1_800, 0.1 * MIB, 7, |t| if t < 300.0 { 80.0 * MIB } else { 117.0 * MIB });
    assert_eq!(judge(&rss, Allowed::MEMORY, 7).verdict, SoakVerdict::Steady);
}

#[test]
fn a_leak_behind_a_warm_up_is_seen() {
    let rss = series(3_600, 0.3 * MIB, 3, |t| {
        (60.0 + 100.0 * (1.0 - (-t / 90.0).exp()) + 20.0 * t / 3_600.0) * MIB
    });
    let soak = judge(&rss, Allowed::MEMORY, 3);
    assert_eq!(soak.verdict, SoakVerdict::Growing, "{soak:?}");
    assert!(soak.warmup_seconds > 90.0 && (soak.per_hour.unwrap() / MIB - 20.0).abs() < 5.0, "{soak:?}");
}

#[test]
fn steady_memory_is_called_growing_in_hardly_any_soak() {
    let verdicts: Vec<SoakVerdict> = (0..20)
        .map(|seed| judge(&series(900, MIB, seed, |_| 200.0 * MIB), Allowed::MEMORY, seed).verdict)
        .collect();
    assert!(verdicts.iter().filter(|verdict| **verdict == SoakVerdict::Growing).count() <= 1, "{verdicts:?}");
}

#[test]
fn latency_that_begins_slow_and_then_stays_is_steady() {
    let latency = series(3_600, 20_000.0, 2, |t| 2e6 + 8e6 * (-t / 20.0).exp());
    let soak = judge(&latency, Allowed::LATENCY, 2);
    assert_eq!(soak.verdict, SoakVerdict::Steady, "{soak:?}");
    let tiring = series(3_600, 20_000.0, 2, |t| 2e6 * (1.0 + 0.5 * t / 3_600.0));
    assert_eq!(judge(&tiring, Allowed::LATENCY, 2).verdict, SoakVerdict::Growing);
}

#[test]
fn a_short_or_empty_series_says_nothing() {
    let short = judge(&series(10, 1.0, 1, |_| 5.0), Allowed::MEMORY, 1);
    assert_eq!((short.verdict, short.interval), (SoakVerdict::Unclear, None));
    let empty = judge(&[], Allowed::MEMORY, 1);
    assert_eq!((empty.verdict, empty.seconds), (SoakVerdict::Unclear, 0.0));
    let nonsense = judge(&[(0.0, f64::NAN); 100], Allowed::MEMORY, 1);
    assert_eq!(nonsense.verdict, SoakVerdict::Unclear);
    let flat: Vec<(f64, f64)> = (0..100).map(|t| (f64::from(t), 7.0 * MIB)).collect();
    assert_eq!(judge(&flat, Allowed::MEMORY, 1).verdict, SoakVerdict::Steady);
}
