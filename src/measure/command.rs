//! Any program as a slot: one fresh process, its wall time the value.

use crate::{
    hint::Hint,
    model::run::{Block, Sample, Side, Slot},
    plan::deal,
    process::{self, Child, ExitStatus, Interrupt, Spec, affinity},
    progress::{Event, Measuring, Progress},
};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// The variable that carries the padding. Its name is as long as its like in other slots, so that only the value differs.
const PADDING_VARIABLE: &str = "TOLLGATE_PADDING";

/// What to run, and how often.
#[derive(Debug, Clone)]
pub struct Request {
    /// The command line, given to the shell.
    pub line: String,
    /// Where it runs.
    pub directory: PathBuf,
    /// How many counted processes; one more runs first to warm caches and is not counted.
    pub processes: u32,
    /// The seed of the padding.
    pub seed: u64,
    /// A processor to pin to.
    pub pin: Option<usize>,
    /// When a process counts as hung.
    pub timeout: Duration,
    /// When to stop starting processes.
    pub budget: Duration,
}

/// Why a command could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be run to its end.
    #[error("could not measure the command `{line}`")]
    Process {
        /// The command.
        line: String,
        /// Why.
        source: process::Error,
    },
    /// It ended with a failure: its time says nothing.
    #[error("the command `{line}` {status}{}", tail(.last_words))]
    Failed {
        /// The command.
        line: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of its standard error, or of its standard output where that is empty.
        last_words: String,
    },
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Process { source, .. } => source.hint(),
            Self::Failed { .. } => Some("run the command by hand in the same directory".into()),
        }
    }
}

fn tail(words: &str) -> String {
    if words.trim().is_empty() { String::new() } else { format!(":\n{}", words.trim_end()) }
}

/// Measures the command: one block of head slots, and why it ended early, if it did.
///
/// # Errors
/// When it cannot be started, fails, hangs, or is interrupted before anything was measured.
pub fn measure(
    request: &Request,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<(Block, Option<String>), Error> {
    let started = Instant::now();
    time_once(request, 0, interrupt)?;
    let mut slots = Vec::new();
    for index in 0..request.processes {
        let padding = deal::padding(request.seed, &request.line, u64::from(index), 0);
        let seconds = match time_once(request, padding, interrupt) {
            Err(Error::Process { source: process::Error::Interrupted { signal, .. }, .. })
                if !slots.is_empty() =>
            {
                return Ok((Block { slots, void: None }, Some(format!("interrupted by {signal}"))));
            }
            other => other?,
        };
        slots.push(Slot {
            side: Side::Head,
            padding,
            samples: vec![Sample { iterations: 1.0, total: seconds * 1e9 }],
        });
        let elapsed = started.elapsed();
        let left = f64::from(request.processes - index - 1) * elapsed.as_secs_f64() / f64::from(index + 2);
        progress.tell(Event::Measuring(Measuring {
            benchmark: request.line.clone(),
            rounds: index + 1,
            next_look: 0,
            decided: index as usize + 1,
            benchmarks: request.processes as usize,
            elapsed,
            remaining: Duration::from_secs_f64(left),
        }));
        if elapsed >= request.budget {
            break;
        }
    }
    Ok((Block { slots, void: None }, None))
}

/// Seconds that one process takes from its start to its end.
fn time_once(request: &Request, padding: u32, interrupt: &Interrupt) -> Result<f64, Error> {
    let failed = |source| Error::Process { line: request.line.clone(), source };
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let spec = Spec::new(shell, &request.directory)
        .args([flag, request.line.as_str()])
        .set(PADDING_VARIABLE, "x".repeat(padding as usize))
        .timeout(request.timeout);
    let started = Instant::now();
    let mut child = Child::spawn(&spec, interrupt).map_err(failed)?;
    if let Some(cpu) = request.pin {
        // Where the system refuses, the process runs unpinned; `doctor` says what this machine can do.
        let _ = affinity::pin(child.id(), cpu);
    }
    let status = child.wait().map_err(failed)?;
    let seconds = started.elapsed().as_secs_f64();
    if status.success() {
        return Ok(seconds);
    }
    Err(Error::Failed { line: request.line.clone(), status, last_words: child.last_words() })
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Error, Request, measure};
    use crate::{process::Interrupt, progress::Silent};
    use std::time::Duration;

    fn request(line: &str) -> Request {
        Request {
            line: line.into(),
            directory: std::env::temp_dir(),
            processes: 3,
            seed: 1,
            pin: None,
            timeout: Duration::from_secs(30),
            budget: Duration::from_secs(30),
        }
    }

    #[test]
    fn each_process_is_a_slot_of_one_positive_sample() {
        let (block, ended_early) = measure(&request("exit 0"), &Silent, &Interrupt::new()).unwrap();
        assert_eq!(ended_early, None);
        assert_eq!(block.slots.len(), 3);
        assert!(block.slots.iter().all(|slot| slot.samples.len() == 1 && slot.samples[0].total > 0.0));
    }

    #[test]
    fn a_failing_command_is_an_error_that_shows_its_last_words() {
        let error = measure(&request("echo lost >&2; exit 3"), &Silent, &Interrupt::new()).unwrap_err();
        assert!(matches!(error, Error::Failed { .. }));
        assert!(error.to_string().contains("lost"), "{error}");
        // Some programs tell their errors on standard output.
        let error = measure(&request("echo 'no such flag'; exit 3"), &Silent, &Interrupt::new()).unwrap_err();
        assert!(error.to_string().ends_with(":\nno such flag"), "{error}");
    }
}
