//! Real benches of criterion 0.5 to 0.8 over the link, and real ones that do not connect by their files.

use crate::support::{
    measuring::{Scene, pair},
    samples::executable,
};
use std::time::Duration;
use tollgate::{
    measure::IdenticalCode,
    model::{
        metric::Metric,
        run::{Fate, Side, SlotMethod},
    },
};

const KERNELS: [&str; 4] = ["kernels05", "kernels06", "kernels07", "kernels08"];

fn ids() -> Vec<String> {
    let odd = "odd (a|b)[c]* ^$ #&-~";
    let names = ["größe 🦀", "two\nlines", "tab\t and \u{7}bell", "back\\slash", "x", "X"];
    let mut ids: Vec<String> = names.iter().map(|name| format!("{odd}/{name}")).collect();
    ids.push(format!("{odd}/{}", "l".repeat(300)));
    ids.extend(["plain/sum/100", "plain/sum/1000", "own/times", "long iteration"].map(String::from));
    ids.extend(["twice", "twice #2", "twice #3"].map(String::from));
    ids.sort();
    ids
}

#[test]
fn every_version_of_criterion_is_measured_whatever_its_benchmarks_are_called() {
    for target in KERNELS {
        let outcome = Scene::of(target).measure();
        assert_eq!(outcome.ids(), ids(), "{target}");
        for measurement in &outcome.measured.measurements {
            assert_eq!(measurement.fate, Fate::Measured, "{target} {:?}", measurement.benchmark);
            assert_eq!((measurement.method, &measurement.metric), (SlotMethod::Lockstep, &Metric::time()));
            let [block] = measurement.blocks.as_slice() else { panic!("{measurement:?}") };
            let sides: Vec<Side> = block.slots.iter().map(|slot| slot.side).collect();
            assert_eq!(sides.iter().filter(|side| **side == Side::Base).count(), 3);
            assert_eq!(sides.len(), 6);
        }
        // Ten samples where the times are ours, the longer of two where `--quick` had to be taken.
        for (id, samples) in
            [("plain/sum/100", 10), ("twice #3", 10), ("own/times", 1), ("long iteration", 1)]
        {
            let block = &outcome.of(id).blocks[0];
            assert!(block.slots.iter().all(|slot| slot.samples.len() == samples), "{target} {id} {block:?}");
        }
        let sleeps = &outcome.of("long iteration").blocks[0].slots[0].samples[0];
        assert!(sleeps.total / sleeps.iterations >= 60e6, "{sleeps:?}");
        // The group's own minutes were never waited for, and the reader is told which benchmarks that concerns.
        let warnings = &outcome.measured.warnings;
        let own: Vec<_> = warnings.iter().filter(|warning| warning.code == "own_times").collect();
        assert!(own.len() == 1 && own[0].message.contains("`own/times`"), "{warnings:?}");
        assert!(outcome.has_warning("long_iteration") && outcome.has_warning("duplicate_id"));
        assert!(outcome.measured.spent < Duration::from_secs(60));
    }
}

#[test]
fn criterion_before_0_4_is_measured_for_whole_seconds_and_the_reader_is_told() {
    let outcome = Scene::of("old03").measure();
    let short = outcome.of("short");
    assert_eq!((&short.fate, short.method), (&Fate::Measured, SlotMethod::Lockstep));
    let slots = &short.blocks[0].slots;
    assert_eq!(slots.len(), 6);
    for slot in slots {
        assert_eq!(slot.samples.len(), 10);
        let seconds: f64 = slot.samples.iter().map(|sample| sample.total).sum::<f64>() / 1e9;
        assert!(seconds > 0.5, "{seconds} s in samples");
    }
    assert!(outcome.has_warning("whole_seconds"), "{:?}", outcome.measured.warnings);
}

#[test]
fn criterion_before_0_3_3_is_measured_by_files_for_whole_seconds() {
    let outcome = Scene::of("old03").set("UNLINKED", "1").measure_alone(1);
    let short = outcome.of("short");
    assert_eq!((&short.fate, short.method), (&Fate::Measured, SlotMethod::Files));
    assert_eq!((short.blocks.len(), short.blocks[0].slots[0].samples.len()), (1, 10));
    assert!(outcome.has_warning("files") && outcome.has_warning("whole_seconds"));
}

#[test]
fn base_and_head_may_have_different_versions_of_criterion() {
    let mut scene = Scene::with(pair(executable("kernels05"), executable("kernels08")));
    scene.filter = Some(regex::Regex::new("^plain/|slash$").unwrap());
    let outcome = scene.measure();
    assert_eq!(outcome.ids(), ids());
    for (id, measured) in
        [("plain/sum/100", true), ("odd (a|b)[c]* ^$ #&-~/back\\slash", true), ("twice", false)]
    {
        let measurement = outcome.of(id);
        assert_eq!(measurement.blocks.len(), usize::from(measured), "{id}");
        assert_eq!(measurement.fate == Fate::Ignored("not matched by `--filter`".into()), !measured, "{id}");
    }
}

#[test]
fn a_listing_names_everything_with_its_cost() {
    let listing = Scene::of("kernels08").list();
    let listed: Vec<&str> = listing.benchmarks.iter().map(|listed| listed.benchmark.id.as_str()).collect();
    assert_eq!(listed, ids());
    let cost = |id: &str| {
        let found = listing.benchmarks.iter().find(|listed| listed.benchmark.id.as_str() == id).unwrap();
        found.block_seconds
    };
    assert!(cost("long iteration") > 6.0 * 3.0 * 0.06, "{}", cost("long iteration"));
    assert!(cost("plain/sum/100") < cost("long iteration") / 2.0, "{}", cost("plain/sum/100"));
    assert!(listing.seconds(2) > 2.0 * cost("long iteration"));
}

#[test]
fn the_same_machine_code_is_identical_at_once_unless_it_is_to_be_measured() {
    let mut scene = Scene::of("odd");
    scene.pairs[0].identical = true;
    let outcome = scene.measure();
    assert_eq!(outcome.ids(), ["first", "last", "suspect"]);
    assert!(outcome.measured.measurements.iter().all(|m| m.fate == Fate::Identical && m.blocks.is_empty()));
    scene.identical = IdenticalCode::Measure;
    assert!(
        scene.measure().measured.measurements.iter().all(|m| m.fate == Fate::Measured && m.blocks.len() == 1)
    );
}

#[test]
fn a_bench_that_does_not_connect_is_measured_by_its_files() {
    let outcome = Scene::of("unlinked").measure();
    assert_eq!(outcome.ids(), ["files/one", "files/two/with slash"]);
    assert!(outcome.has_warning("files"));
    for measurement in &outcome.measured.measurements {
        assert_eq!((&measurement.fate, measurement.method), (&Fate::Measured, SlotMethod::Files));
        assert!(measurement.blocks[0].slots.len() == 6);
        assert!(measurement.blocks[0].slots.iter().all(|slot| slot.samples.len() == 10));
    }
    let alone = Scene::of("unlinked").measure_alone(2);
    assert!(alone.measured.measurements.iter().all(|m| m.blocks.len() == 2 && m.method == SlotMethod::Files));
}

#[test]
fn a_bench_without_benchmarks_is_left_out_with_a_warning() {
    let outcome = Scene::of("foreign").measure();
    assert!(outcome.measured.measurements.is_empty());
    assert!(outcome.has_warning("no_benchmarks"));
    // A connected one without benchmarks is what it says it is.
    let outcome = Scene::of("odd").set("BENCHES", "none").measure();
    assert!(outcome.measured.measurements.is_empty() && outcome.measured.warnings.is_empty());
}

#[test]
fn one_revision_alone_gives_a_slot_a_process() {
    let outcome = Scene::of("kernels08").measure_alone(3);
    assert_eq!(outcome.ids(), ids());
    for measurement in &outcome.measured.measurements {
        assert_eq!(measurement.fate, Fate::Measured);
        let slots: Vec<_> = measurement.blocks.iter().flat_map(|block| &block.slots).collect();
        assert_eq!(slots.len(), 3, "{:?}", measurement.benchmark);
        assert!(slots.iter().all(|slot| slot.side == Side::Head));
    }
}
