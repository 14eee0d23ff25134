//! Prints false alarm rates and power on recorded measurements: ours with their binomial standard errors, the published figures of the design beside
//! them, and the rules of other tools on the same slots. Run it by `bench/figures DIR`; everything is seeded.
//!
//! `bench/figures DIR --cut OUT` writes the small cut of the recordings that the calibration tests use.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that prints tables, and stops at a broken recording"
)]

mod against;
mod calibration;
mod corpus;
mod procedure;
mod rivals;
mod tables;
#[path = "../tests/it/support/trial.rs"]
mod trial;

use std::{error::Error, fmt::Write as _, fs, path::Path};

use trial::Slot;

/// Every so many series of the Go recordings go into the cut, and so many of their values.
const CUT: (usize, usize) = (3, 252);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [directory] => figures(Path::new(directory)),
        [directory, "--cut", out] => cut(Path::new(directory), Path::new(out)),
        _ => Err("usage: figures DIR [--cut OUT]".into()),
    }
}

fn figures(directory: &Path) -> Result<(), Box<dyn Error>> {
    let go: Vec<Vec<f64>> = corpus::go(directory)?.into_iter().map(|(_, series)| series).collect();
    let lockstep = corpus::processes(directory, "lockstep_aa.jsonl")?;
    let runs = corpus::processes(directory, "criterion_runs.jsonl")?;
    let slots: Vec<(String, Vec<Slot>)> = lockstep
        .iter()
        .map(|(name, processes)| (name.clone(), processes.iter().map(corpus::Process::slot).collect()))
        .collect();
    calibration::false_alarms(&go);
    calibration::statistics_of_a_process(&lockstep, &runs);
    calibration::power_of_designs(&go);
    calibration::no_worse(&go);
    calibration::coverage(&go);
    procedure::one_benchmark(&slots);
    procedure::families(&go);
    against::rules_on_go(&go);
    against::rules_on_lockstep(&slots);
    against::criterion_against_itself(&runs, &lockstep);
    against::stored(&go);
    Ok(())
}

/// Writes `go_aa.csv`, `lockstep_aa.csv` and `criterion_runs.csv`: some of the Go series as they are, of the others the two statistics of every process.
fn cut(directory: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let original = fs::read_to_string(directory.join("go_aa.csv"))?;
    let mut text = String::from("vm;project;commit;benchmark;values_ns_per_op_in_time_order\n");
    for line in original.lines().skip(1).step_by(CUT.0) {
        let (name, values) = line.rsplit_once(';').ok_or("a line without values")?;
        let values: Vec<&str> = values.split_whitespace().take(CUT.1).collect();
        writeln!(text, "{name};{}", values.join(" "))?;
    }
    fs::write(out.join("go_aa.csv"), text)?;
    let mut text = String::from("benchmark,fastest_fifth_ns,median_ns\n");
    for (name, processes) in corpus::processes(directory, "lockstep_aa.jsonl")? {
        for slot in processes.iter().map(corpus::Process::slot) {
            writeln!(text, "{name},{:.2},{:.2}", slot.fast.exp(), slot.median.exp())?;
        }
    }
    fs::write(out.join("lockstep_aa.csv"), text)?;
    let mut text = String::from("benchmark,round,variant,fastest_fifth_ns,median_ns\n");
    for (name, processes) in corpus::processes(directory, "criterion_runs.jsonl")? {
        for process in &processes {
            let slot = process.slot();
            writeln!(
                text,
                "{name},{},{},{:.2},{:.2}",
                process.round,
                process.variant,
                slot.fast.exp(),
                slot.median.exp()
            )?;
        }
    }
    fs::write(out.join("criterion_runs.csv"), text)?;
    Ok(())
}
