//! The report on hand-made findings and made-up machines.

use std::path::PathBuf;

use crate::{
    calibrate::{Options, SelfTest, record, simulated::Machine},
    commands::doctor::report::Report,
    machine::{
        advice::advise,
        inspect::{
            Activity, Busy, Findings,
            findings::{
                Aslr, Container, Load, Memory, Power, Pressure, Quota, Switch, Timer, Virtualisation,
            },
        },
    },
    model::outcome::{ErrorClass, Outcome},
    progress::Silent,
};

fn workstation() -> Findings {
    Findings {
        os: "linux-x86_64".into(),
        cpu: Some("AMD Ryzen 7 5800X 8-Core Processor".into()),
        cores_online: Some(16),
        cores_allowed: Some(16),
        quota: Some(Quota::None),
        load: Some(Load { one: 0.21, five: 0.35, fifteen: 0.4 }),
        virtualisation: Some(Virtualisation::Bare),
        container: Some(Container::None),
        governors: Some(vec![("performance".into(), 16)]),
        boost: Some(Switch::On),
        smt: Some(Switch::On),
        memory: Some(Memory { total: 32 << 30, available: 20 << 30, swap_total: 0, swap_used: 0 }),
        pressure: Pressure { cpu: Some(0.0), memory: Some(0.0), io: Some(0.004) },
        aslr: Some(Aslr::Full),
        clock_source: Some("tsc".into()),
        timer: Some(Timer { step_ns: 10.0, read_ns: 21.4 }),
        power: Some(Power::Mains),
    }
}

fn calm() -> Activity {
    Activity {
        seconds: 1.0,
        steal: Some(0.0),
        others: Some(0.03),
        swapped_pages: Some(0),
        throttle_events: Some(0),
        ..Activity::default()
    }
}

fn report(findings: Findings, before: Activity, during: Activity, mut machine: Machine) -> Report {
    let options = Options::quick(7);
    let self_test = SelfTest::new(record(&options, &mut machine, &Silent).unwrap(), options.seed);
    let advice = advise(&findings, &before, &during, &self_test.slots());
    let recorded = Ok(PathBuf::from("/tmp/tollgate-doctor-slots.csv"));
    Report { quick: true, seed: options.seed, findings, before, during, self_test, advice, recorded }
}

#[test]
fn a_quiet_workstation_passes_with_nothing_to_change() {
    let report = report(workstation(), calm(), calm(), Machine::with_scatter(0.005));
    assert_eq!(report.outcome(), Outcome::Pass);
    insta::assert_snapshot!(report.to_text(100), @r#"
    pass: this machine can gate: with the default budget and margin a slowdown of 2.1 % is found (2.1 %
    where slots scatter most)

    machine (linux-x86_64)
      processor     AMD Ryzen 7 5800X 8-Core Processor
      cores         16 online, 16 for us, no quota
      runs on       hardware, no hypervisor seen, no container seen
      frequency     governor performance on 16, turbo on, multithreading on
      load          averages 0.21, 0.35, 0.40; cores used by others: 0.03 at rest, 0.03 during the
                    self-test
      steal         0 % at rest, 0 % during the self-test
      memory        20.0 GiB of 32.0 GiB available, no swap
      pressure      waited for cores 0 %, memory 0 %, disk 0.4 %
      clock         tsc, reads in 21.4 ns, steps of 10.0 ns, addresses random

    self-test (27 s, seed 7)
      measured      20 comparisons in 57 blocks of six fresh processes, 0 of them void
      scatter       sort 0.36 %, hash 0.44 %, chase 0.46 %, alloc 0.47 %
      A/A           0 of 8 independent verdicts were false alarms: the true rate is below 31 % (95 %,
                    exact; without `--quick` it is tighter), at most 1 in 800 is promised
                    the verdicts: 8 unchanged, 0 inconclusive, 0 improved
                    in 0 of 9 blocks all of head was slower than all of base: 0 % (0 % to 34 %), by
                    chance 5 %
                    dealt anew on paper: 0 of 200 verdicts false (resampled from the same slots, not
                    independent)
                    a fixed rule ("5 % slower", one process a side) alarms on 0 % of these pairs: on 0 %
                    of clean checks of 8 benchmarks, 0 % of 50
      +2 % work     4 of 4 found after 12 rounds, measured as +2.3 %, margin 1 %; the fixed rule finds
                    0 %
      +5 % work     4 of 4 found after 12 rounds, measured as +5.1 %, margin 2 %; the fixed rule finds
                    55 %
      +10 % work    4 of 4 found after 12 rounds, measured as +9.8 %, margin 2 %; the fixed rule finds
                    100 %
      slots         `/tmp/tollgate-doctor-slots.csv`, for `tollgate compare --slots`

    smallest slowdown it can show (80 % power, typical to noisiest kernel)
      budget        8 benchmarks        50 benchmarks
      30 s          0.66 % to 0.7 %     none
      1 min         0.46 % to 0.49 %    none
      2 min         0.46 % to 0.49 %    0.89 % to 0.94 %
      5 min         0.46 % to 0.49 %    0.61 % to 0.64 %
      10 min        0.46 % to 0.49 %    0.51 % to 0.54 %
      at 160 ms a round as measured here, margin aside. A check fails only for what reaches its margin:
      2.1 % at the default 2 %

    what to change
      nothing: no harm was seen in what could be read
    "#);
}

#[test]
fn a_crowded_runner_is_inconclusive_and_told_why() {
    let findings = Findings {
        cpu: Some("Intel(R) Xeon(R) Platinum 8259CL\u{1b}[2J".into()),
        cores_online: Some(2),
        cores_allowed: Some(2),
        quota: Some(Quota::Cores(1.5)),
        load: Some(Load { one: 3.1, five: 2.4, fifteen: 1.05 }),
        virtualisation: Some(Virtualisation::Virtual("Amazon EC2".into())),
        container: Some(Container::Named("kubernetes".into())),
        governors: None,
        boost: None,
        memory: Some(Memory { total: 8 << 30, available: 3 << 30, swap_total: 2 << 30, swap_used: 1 << 30 }),
        ..workstation()
    };
    let busy = vec![
        Busy { id: 812, name: "rustc".into(), cores: 0.92 },
        Busy { id: 77, name: "::error::\u{1b}[31m".into(), cores: 0.11 },
    ];
    let during = Activity {
        steal: Some(0.124),
        others: Some(1.1),
        busy,
        quota_stopped: Some(0.07),
        swapped_pages: Some(4096),
        ..calm()
    };
    let report = report(findings, calm(), during, Machine { taken: 0.9, ..Machine::with_scatter(0.16) });
    assert_eq!(report.outcome(), Outcome::Inconclusive);
    insta::assert_snapshot!(report.to_text(100), @r#"
    inconclusive: this machine is no gate as it is: a slowdown of 10 % would stay unseen in 4 of 4
    kernels within 5 min for 8 benchmarks

    machine (linux-x86_64)
      processor     Intel(R) Xeon(R) Platinum 8259CL\u{1b}[2J
      cores         2 online, 2 for us, a quota of 1.50 cores
      runs on       a virtual machine (Amazon EC2), signs of a container (kubernetes)
      frequency     multithreading on
      load          averages 3.10, 2.40, 1.05; cores used by others: 0.03 at rest, 1.10 (rustc 0.92 and
                    \u{3a}:error::\u{1b}[31m 0.11) during the self-test
      steal         0 % at rest, 12 % during the self-test
      memory        3.00 GiB of 8.00 GiB available, 1.00 GiB of 2.00 GiB swap in use, 4,096 pages
                    swapped meanwhile
      pressure      waited for cores 0 %, memory 0 %, disk 0.4 %
      clock         tsc, reads in 21.4 ns, steps of 10.0 ns, addresses random
      not readable  frequency governor, turbo

    self-test (46 s, seed 7)
      measured      20 comparisons in 95 blocks of six fresh processes, 31 of them void; the time ended
                    before all was settled
      scatter       sort 18 %, hash 15 %, chase 17 %, alloc 15 %
      A/A           0 of 8 independent verdicts were false alarms: the true rate is below 31 % (95 %,
                    exact; without `--quick` it is tighter), at most 1 in 800 is promised
                    the verdicts: 1 unchanged, 7 inconclusive, 0 improved
                    in 0 of 27 blocks all of head was slower than all of base: 0 % (0 % to 13 %), by
                    chance 5 %
                    dealt anew on paper: 0 of 200 verdicts false (resampled from the same slots, not
                    independent)
                    a fixed rule ("5 % slower", one process a side) alarms on 38 % of these pairs: on
                    98 % of clean checks of 8 benchmarks, 100 % of 50
      +2 % work     0 of 4 found (missed in every kernel), measured as +18.6 %, margin 1 %; the fixed
                    rule finds 71 %
      +5 % work     0 of 4 found (missed in every kernel), measured as +5.3 %, margin 2 %; the fixed
                    rule finds 47 %
      +10 % work    0 of 4 found (missed in every kernel), measured as +12.1 %, margin 2 %; the fixed
                    rule finds 57 %
      slots         `/tmp/tollgate-doctor-slots.csv`, for `tollgate compare --slots`

    smallest slowdown it can show (80 % power, typical to noisiest kernel)
      budget        8 benchmarks        50 benchmarks
      30 s          33 % to 39 %        none
      1 min         22 % to 25 %        none
      2 min         18 % to 21 %        none
      5 min         18 % to 21 %        30 % to 35 %
      10 min        18 % to 21 %        20 % to 23 %
      at 238 ms a round as measured here, margin aside. A check fails only for what reaches its margin:
      18 % at the default 2 %

    what to change
      1. steal was 12 %: this host is overcommitted, and the hypervisor gave that time to others. Use a
         runner of your own or a quieter hour; until then a longer `--budget` or a larger `--margin`
      2. other processes took 1.10 cores (`rustc` 0.92 (pid 812) and `::error::\u{1b}[31m` 0.11 (pid
         77)): stop them, or let the gate run when they are done
      3. 31 of 95 blocks were thrown away because the machine was taken away from them: a check here
         needs that much more `--budget`
      4. slots scatter by 18 % while others used cores whose siblings are ours: leave the machine alone
         while it measures, or switch multithreading off (`echo off | sudo tee
         /sys/devices/system/cpu/smt/control`)
      5. the container's quota of 1.50 cores was used up and stopped us for 7 % of the time: raise it by
         one core at least, or lift it
      6. 4,096 pages were swapped while slots ran: close what takes the memory, or give the machine more
      7. slots of `sort`, `hash`, `chase` and `alloc` scatter by up to 18 %: no budget shows a slowdown
         of 2 % in benchmarks like that; set their margin to 21 % or more
    "#);
}

#[test]
fn an_unknown_system_says_what_it_cannot_tell() {
    let findings = Findings { os: "macos-aarch64".into(), cores_allowed: Some(8), ..Findings::default() };
    let nothing = Activity { seconds: 1.0, ..Activity::default() };
    let report = report(findings, nothing.clone(), nothing, Machine::with_scatter(0.03));
    let text = report.to_text(100);
    let machine = text.split("\n\n").nth(1).unwrap();
    insta::assert_snapshot!(machine, @r#"
    machine (macos-aarch64)
      cores         unknown online, 8 for us, quota unknown
      not readable  processor model, processor quota, load average, virtualisation, container, frequency
                    governor, turbo, simultaneous multithreading, memory and swap, pressure stall
                    information, address space randomisation, clock source, power supply
      not measured  steal, other processes, throttling and waiting for a core: only Linux tells them
    "#);
    let advice = text.split("what to change\n").nth(1).unwrap();
    insta::assert_snapshot!(advice, @r#"
    1. slots of `sort`, `hash`, `chase` and `alloc` scatter by up to 3.4 %: no budget shows a slowdown
       of 2 % in benchmarks like that; set their margin to 4 % or more
    "#);
}

#[test]
fn an_interrupted_test_is_an_error_that_keeps_what_was_measured() {
    let report =
        report(workstation(), calm(), calm(), Machine { patience: 6 * 9, ..Machine::with_scatter(0.005) });
    assert_eq!(report.outcome(), Outcome::Error(ErrorClass::Measurement));
    assert_eq!(report.outcome().exit_code(), 5);
    let text = report.to_text(100);
    assert!(text.starts_with("interrupted by SIGINT after 4.3 s: this is what was measured\n"), "{text}");
    assert!(text.contains("9 comparisons in 9 blocks"), "{text}");
}

#[test]
fn a_machine_that_is_mostly_taken_away_is_told_that_first() {
    let taken = Machine { taken: 1.0, every: 1, ..Machine::with_scatter(0.3) };
    let report = report(workstation(), calm(), calm(), taken);
    assert_eq!(report.outcome(), Outcome::Inconclusive);
    let first = report.to_text(200).lines().next().unwrap().to_owned();
    insta::assert_snapshot!(first, @"inconclusive: this machine is no gate as it is: it was taken away so much that 60 of 95 blocks do not count, and the rest show too little");
}

#[test]
fn no_line_is_wider_than_asked_where_words_allow_it() {
    let report = report(workstation(), calm(), calm(), Machine::with_scatter(0.05));
    for width in [60, 80, 120] {
        let text = report.to_text(width);
        let widest = text.lines().map(crate::text::escape::columns).max().unwrap();
        assert!(widest <= width, "{widest} > {width}\n{text}");
    }
    assert!(!report.to_text(0).is_empty());
}

#[test]
fn the_document_holds_the_same_answer_and_null_for_what_is_unknown() {
    let findings = Findings { governors: None, load: None, ..workstation() };
    let report = report(findings, calm(), calm(), Machine::with_scatter(0.005));
    let json: serde_json::Value = serde_json::from_slice(&report.to_json()).unwrap();
    assert_eq!(json["schema"], "tollgate.doctor/1");
    assert_eq!((&json["outcome"], &json["exit_code"]), (&"pass".into(), &0.into()));
    assert!(json["machine"]["governors"].is_null() && json["machine"]["load"].is_null());
    assert_eq!(json["machine"]["unknown"], serde_json::json!(["load average", "frequency governor"]));
    assert_eq!(json["self_test"]["null"]["verdicts"], 8);
    assert_eq!(json["self_test"]["visible"].as_array().unwrap().len(), 10);
    assert!(report.to_text(400).starts_with(json["answer"].as_str().unwrap()));
}

#[test]
fn the_kept_slots_are_a_file_that_compare_reads() {
    let report = report(workstation(), calm(), calm(), Machine::with_scatter(0.005));
    let csv = super::slots::csv(&report.self_test.recording.series);
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("benchmark,position,block,side,value"));
    let first: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!((first[0], first[1], first[2]), ("sort +0 % #0", "0", "0"));
    assert!(["base", "head"].contains(&first[3]) && first[4].parse::<f64>().unwrap() > 0.0);
    let heads = csv.lines().filter(|line| line.contains(",head,")).count();
    assert_eq!(2 * heads, csv.lines().count() - 1);
}
