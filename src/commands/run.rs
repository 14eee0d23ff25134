//! `tollgate run`: measure only, and hand over the run.

use crate::{
    commands::{
        failure::Failure,
        session::{Session, Work, day},
    },
    config::resolve::Settings,
    format::run_v1,
    machine::fingerprint,
    measure::{self, trees::BaseChoice},
    model::{
        benchmark::{Benchmark, BenchmarkId},
        metric::Metric,
        outcome::{ErrorClass, Outcome},
        revision::Revision,
        run::{Fate, Measurement, Mode, Run, SlotMethod},
    },
    process::Interrupt,
    progress::{Event, Progress},
    text::plural,
};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// When a process of `--command` counts as hung, unless the file says otherwise.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(3600);

/// A command to measure in place of criterion benchmarks.
#[derive(Debug, Clone)]
pub struct CommandLine {
    /// The benchmark's id; `None`: the command's first word.
    pub name: Option<String>,
    /// What the shell gets.
    pub line: String,
}

/// What to measure.
#[derive(Debug, Clone)]
pub struct Request {
    /// A directory inside the repository, or anywhere for a command.
    pub directory: PathBuf,
    /// The path of this program, for the compiler wrapper.
    pub executable: PathBuf,
    /// Everything that flags and file say.
    pub settings: Settings,
    /// Fresh processes a benchmark.
    pub processes: u32,
    /// A command instead of benchmarks.
    pub command: Option<CommandLine>,
    /// The seed of every random choice.
    pub seed: u64,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// A run that was measured.
#[derive(Debug)]
pub struct Done {
    /// The run.
    pub run: Run,
    /// The folder of the repository's results, or the directory of a command.
    pub folder: PathBuf,
}

impl Done {
    /// The run file.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        run_v1::to_json(&self.run)
    }

    /// One line: what was measured.
    #[must_use]
    pub fn summary(&self) -> String {
        let count =
            |wanted: fn(&Fate) -> bool| self.run.measurements.iter().filter(|m| wanted(&m.fate)).count();
        let measured = count(|fate| matches!(fate, Fate::Measured));
        match count(|fate| matches!(fate, Fate::Failed { .. })) {
            0 => format!("measured {}", plural::count(measured, "benchmark")),
            failed => format!("measured {}, {failed} failed", plural::count(measured, "benchmark")),
        }
    }

    /// Pass, unless nothing was measured, something failed or the run was interrupted.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let fates = || self.run.measurements.iter().map(|measurement| &measurement.fate);
        if self.run.interrupted.is_some() || fates().any(|fate| matches!(fate, Fate::Failed { .. })) {
            Outcome::Error(ErrorClass::Measurement)
        } else if fates().any(|fate| matches!(fate, Fate::Measured)) {
            Outcome::Pass
        } else {
            Outcome::Incomplete
        }
    }
}

/// Measures head alone.
///
/// # Errors
/// When head cannot be built, or the command fails.
pub fn run(request: &Request, progress: &dyn Progress, interrupt: &Interrupt) -> Result<Done, Failure> {
    if let Some(command) = &request.command {
        return run_command(request, command, progress, interrupt);
    }
    let work = Work {
        directory: &request.directory,
        executable: &request.executable,
        settings: &request.settings,
        now: request.now,
        progress,
        interrupt,
    };
    if request.settings.only_commands {
        return run_both(request, work);
    }
    let session = Session::open(work, BaseChoice::Nothing)?;
    let measured = session.single(request.seed, request.processes)?;
    let mut run = session.frame(Mode::Single, request.seed);
    let spent = measured.spent;
    session.fill(&mut run, measured);
    if run.interrupted.is_none() && session.has_load() {
        let measured = session.load_alone(request.seed, request.processes, spent);
        session.add_load(&mut run, measured);
    }
    Ok(Done { run, folder: session.builds.state_folder.clone() })
}

/// A command on both revisions, in paired rounds.
fn run_both(request: &Request, work: Work<'_>) -> Result<Done, Failure> {
    let base = request.settings.base.clone().map_or(BaseChoice::Default, BaseChoice::Revision);
    let session = Session::open(work, base)?;
    let mut run = session.frame(Mode::Paired, request.seed);
    let measured = session.paired(request.seed, &[], None, &mut |_| {})?;
    session.fill(&mut run, measured);
    Ok(Done { run, folder: session.builds.state_folder.clone() })
}

fn run_command(
    request: &Request,
    command: &CommandLine,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Done, Failure> {
    let began = Instant::now();
    let name = command
        .name
        .clone()
        .unwrap_or_else(|| command.line.split_whitespace().next().unwrap_or("").to_owned());
    let id = BenchmarkId::new(name).map_err(|error| {
        Failure::message(
            ErrorClass::Configuration,
            format!("could not name the command: {error}"),
            "give a name with `--name`",
        )
    })?;
    progress.tell(Event::Phase(format!("measuring `{}`", command.line)));
    let plan = measure::command::Request {
        line: command.line.clone(),
        directory: request.directory.clone(),
        processes: request.processes,
        seed: request.seed,
        pin: request.settings.pin,
        timeout: request.settings.slot.timeout.unwrap_or(COMMAND_TIMEOUT),
        budget: Duration::from_secs_f64(request.settings.budget_seconds),
    };
    let (block, interrupted) =
        measure::command::measure(&plan, progress, interrupt).map_err(Failure::measurement)?;
    let measurement = Measurement {
        benchmark: Benchmark::new("command", id),
        metric: Metric::time(),
        fate: Fate::Measured,
        method: SlotMethod::Solo,
        blocks: vec![block],
    };
    let run = Run {
        tool_version: env!("CARGO_PKG_VERSION").into(),
        mode: Mode::Single,
        base: None,
        head: Revision { label: command.line.clone(), ..Revision::default() },
        environment: fingerprint::environment("", "", ""),
        seed: request.seed,
        started_at: request.now,
        duration_seconds: began.elapsed().as_secs_f64(),
        budget_seconds: request.settings.budget_seconds,
        interrupted,
        measurements: vec![measurement],
        load: Vec::new(),
        stress: Vec::new(),
        baselines: Vec::new(),
        policy: request.settings.policy.clone(),
        day: day(request.now),
        warnings: Vec::new(),
    };
    Ok(Done { run, folder: request.directory.clone() })
}
