//! The self-test on made-up machines: quiet, noisy, stolen from, interrupted. No clock, no process.

use std::time::Duration;

use crate::{
    calibrate::{
        Error, Options, SelfTest,
        kernel::{Order, Reading},
        record,
        runner::Runner,
        self_test::Sight,
        series::Series,
        simulated::Machine,
    },
    machine::noise::Disturbance,
    progress::Silent,
};

fn self_test(options: Options, mut machine: Machine) -> SelfTest {
    SelfTest::new(record(&options, &mut machine, &Silent).unwrap(), options.seed)
}

#[test]
fn a_quiet_machine_alarms_at_nothing_and_finds_what_was_injected() {
    let test = self_test(Options::quick(7), Machine::with_scatter(0.005));
    let null = test.null.as_ref().unwrap();
    assert_eq!((null.false_alarms.hits, null.false_alarms.cases), (0, 8));
    assert!((null.false_alarms.upper - (1.0 - 0.05_f64.powf(1.0 / 8.0))).abs() < 1e-9);
    assert_eq!(null.unchanged, 8);
    assert_eq!((null.redealt.cases, null.plain.alarms), (200, 0));
    let sizes: Vec<u32> = test.injected.iter().map(|detection| detection.injected_percent).collect();
    assert_eq!(sizes, [2, 5, 10]);
    for detection in &test.injected {
        assert_eq!((detection.found, detection.series), (4, 4), "{detection:?}");
        let measured = detection.measured.unwrap();
        assert!((measured - f64::from(detection.injected_percent) / 100.0).abs() < 0.004, "{measured}");
    }
    assert_eq!(test.injected[2].plain.unwrap().alarms, test.injected[2].plain.unwrap().pairs);
    let floor = test.floor.as_ref().unwrap();
    assert!((floor.typical_scatter() - 0.005).abs() < 0.001);
    assert!((floor.round_seconds - 0.16).abs() < 1e-9);
    assert_eq!(test.sight(), Sight::Clear);
    assert!(!test.recording.cut_short);
}

#[test]
fn a_noisy_machine_is_blind_and_ends_with_its_budget() {
    let test = self_test(Options::quick(7), Machine::with_scatter(0.3));
    assert!(matches!(test.sight(), Sight::Blind(kernels) if kernels.len() == 4));
    assert!(test.recording.cut_short);
    assert!(test.recording.seconds <= 46.0 && test.recording.seconds > 44.0, "{}", test.recording.seconds);
    let null = test.null.unwrap();
    assert_eq!(null.false_alarms.hits, 0);
    assert!(null.plain.rate() > 0.3, "a fixed rule alarms at noise");
}

#[test]
fn a_full_test_measures_whole_waves_within_its_budget() {
    let test = self_test(Options::full(3), Machine::with_scatter(0.01));
    let cases = test.null.as_ref().unwrap().false_alarms.cases;
    let waves = test.injected[0].series / 4;
    assert!(test.injected.iter().all(|detection| detection.series == 4 * waves));
    // Sixteen A/A series a wave, then four at a time in the rest
    assert!(waves >= 3 && cases >= 16 * waves && cases.is_multiple_of(4), "{waves} waves, {cases} verdicts");
    let worst = 13.0 * 4.0 * 0.48;
    assert!((240.0 - worst..=240.0).contains(&test.recording.seconds), "{}", test.recording.seconds);
    let mut names: Vec<&str> = test.recording.series.iter().map(Series::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), test.recording.series.len(), "every series has deals of its own");
    // Fisher: one in twenty blocks has all head slots above all base slots by chance
    let blocks = test.null.unwrap().one_sided_blocks;
    assert!(blocks.lower <= 0.05 && 0.05 <= blocks.upper, "{blocks:?}");
}

#[test]
fn the_same_seed_measures_the_same() {
    let run = || self_test(Options::quick(5), Machine::with_scatter(0.01));
    let (one, other) = (run(), run());
    assert_eq!(one.null, other.null);
    assert_eq!(one.floor, other.floor);
}

#[test]
fn stolen_blocks_are_void_and_measured_again() {
    let machine = Machine { taken: 0.9, ..Machine::with_scatter(0.005) };
    let test = self_test(Options { budget: Duration::from_secs(120), ..Options::quick(7) }, machine);
    let (voided, blocks) = test.voided_blocks();
    assert!(voided * 3 <= blocks && voided * 4 >= blocks, "{voided} of {blocks}");
    let null = test.null.unwrap();
    assert_eq!(null.unchanged, null.false_alarms.cases);
}

#[test]
fn a_machine_that_is_always_taken_away_is_measured_all_the_same_and_passes_if_it_can() {
    let machine = Machine { taken: 0.9, every: 1, ..Machine::with_scatter(0.005) };
    let test = self_test(Options { budget: Duration::from_secs(120), ..Options::quick(7) }, machine);
    let (voided, blocks) = test.voided_blocks();
    assert!(2 * voided > blocks && 3 * voided < 2 * blocks, "{voided} of {blocks}");
    assert_eq!(test.sight(), Sight::Clear);
    let noisy = Machine { taken: 0.9, every: 1, ..Machine::with_scatter(0.3) };
    assert!(matches!(self_test(Options::quick(7), noisy).sight(), Sight::Taken { .. }));
}

#[test]
fn what_was_measured_before_an_interrupt_is_kept() {
    let machine = Machine { patience: 6 * 9 + 2, ..Machine::with_scatter(0.005) };
    let test = self_test(Options::quick(7), machine);
    assert_eq!(test.recording.interrupted, Some("SIGINT"));
    assert_eq!(test.voided_blocks(), (0, 9));
    assert_eq!(test.null.as_ref().unwrap().false_alarms.cases, 8);
    assert_eq!(test.sight(), Sight::Unknown);
}

#[test]
fn an_interrupt_before_the_first_block_leaves_nothing_to_conclude() {
    let test = self_test(Options::quick(7), Machine { patience: 3, ..Machine::with_scatter(0.005) });
    assert!(test.recording.series.is_empty());
    assert_eq!((test.null.is_none(), test.floor.is_none(), test.sight()), (true, true, Sight::Unknown));
}

#[test]
fn any_other_error_ends_the_test() {
    struct Broken;
    impl Runner for Broken {
        fn slot(&mut self, order: &Order, _padding: u32) -> Result<Reading, Error> {
            let source = crate::calibrate::kernel::protocol::Garbled::Frame;
            Err(Error::Garbled { kernel: order.kernel, source })
        }
        fn begin_block(&mut self) {}
        fn disturbance(&self, _waited: Duration) -> Disturbance {
            Disturbance::default()
        }
        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }
    }
    let error = record(&Options::quick(7), &mut Broken, &Silent).unwrap_err();
    assert_eq!(error.to_string(), "could not read the answer of kernel `sort` of the self-test");
}
