//! Looks at the machine, measures the self-test on it, and draws the conclusions.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    calibrate::{Options, SelfTest, record, runner::Processes},
    commands::{
        doctor::{report::Report, slots},
        failure::Failure,
    },
    files::atomic,
    machine::{
        advice::advise,
        inspect::{Activity, System},
    },
    measure::trees,
    process::Interrupt,
    progress::{Event, Progress},
    text::quantity::seconds,
};

/// How often a rest looks up to see whether the user wants us to stop.
const HEARTBEAT: Duration = Duration::from_millis(50);

/// The file of the recorded slots within the state folder.
const SLOTS_FILE: &str = "doctor-slots.csv";

/// Where the recorded slots are kept: the user's own folder, not one that others can write to and lay links in.
#[must_use]
pub fn state_folder() -> PathBuf {
    trees::cache_folder()
}

/// What to examine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Under a minute, with wider bounds.
    pub quick: bool,
    /// The seed of every deal.
    pub seed: u64,
    /// The path of this program: its processes are the slots.
    pub executable: PathBuf,
    /// A folder for the recorded slots.
    pub state: PathBuf,
}

/// How much to measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How long the machine is watched at rest first.
    pub rest: Duration,
    /// The self-test.
    pub self_test: Options,
}

impl Plan {
    /// What a request asks for.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let self_test = if request.quick { Options::quick } else { Options::full };
        Self { rest: Duration::from_secs(1), self_test: self_test(request.seed) }
    }
}

/// Examines this machine. After an interrupt the report holds what was measured until then.
///
/// # Errors
/// When a slot of the self-test cannot be measured.
pub fn run(request: &Request, progress: &dyn Progress, interrupt: &Interrupt) -> Result<Report, Failure> {
    run_plan(request, &Plan::of(request), progress, interrupt)
}

/// The same with its own counts.
///
/// # Errors
/// When a slot of the self-test cannot be measured.
pub fn run_plan(
    request: &Request,
    plan: &Plan,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Report, Failure> {
    let clock = Instant::now();
    let (system, us) = (System::default(), std::process::id());
    progress.tell(Event::Phase("looking at the machine".into()));
    let findings = system.findings();
    let arrived = system.counters(clock.elapsed());
    rest(plan.rest, interrupt);
    let begun = system.counters(clock.elapsed());
    progress.tell(Event::Phase(phase(&plan.self_test)));
    let mut runner = Processes::new(request.executable.clone(), interrupt.clone());
    let recording = record(&plan.self_test, &mut runner, progress).map_err(Failure::measurement)?;
    let ended = system.counters(clock.elapsed());
    let self_test = SelfTest::new(recording, request.seed);
    let before = Activity::between(&arrived, &begun, us);
    let during = Activity::between(&begun, &ended, us);
    let advice = advise(&findings, &before, &during, &self_test.slots());
    let recorded = keep(&request.state, &self_test);
    Ok(Report {
        quick: request.quick,
        seed: request.seed,
        findings,
        before,
        during,
        self_test,
        advice,
        recorded,
    })
}

fn phase(options: &Options) -> String {
    let time = seconds(options.budget.as_secs_f64());
    format!("self-test: A/A and injected slowdowns, at most {time}")
}

fn rest(length: Duration, interrupt: &Interrupt) {
    let began = Instant::now();
    while began.elapsed() < length && interrupt.requested().is_none() {
        std::thread::sleep(HEARTBEAT.min(length));
    }
}

/// Keeps the slots, so that they can be judged by anybody; what cannot be kept is told in the report and no failure.
fn keep(state: &Path, self_test: &SelfTest) -> Result<PathBuf, String> {
    let path = state.join(SLOTS_FILE);
    match atomic::write(&path, slots::csv(&self_test.recording.series).as_bytes()) {
        Ok(()) => Ok(path),
        Err(error) => Err(error.to_string()),
    }
}
