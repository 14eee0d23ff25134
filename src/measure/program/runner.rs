//! One process of a command on one side, and its build.

use super::{
    Program, Reads, Site,
    line::{Filling, filled, writes_file},
};
use crate::{
    files::{self, scratch},
    hint::Hint,
    model::{
        benchmark::{Benchmark, BenchmarkId},
        metric::Metric,
        run::{Sample, Side, Warning},
    },
    process::{self, Finished, Spec, run::run_pinned},
    sources::{
        input::{Input, InputFile, MAX_FILE_BYTES, parse_from},
        pairing::SourceRun,
    },
};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The target of benchmarks whose format knows none.
pub const TARGET: &str = "command";
/// The variable that carries the padding.
const PADDING_VARIABLE: &str = "TOLLGATE_PADDING";
/// More samples of one slot add nothing to its two values but their size in the run file.
const MOST_SAMPLES: usize = 200;
/// What a format says of every file, although a check knows it: commits, machines, rounds.
const SAID_OF_FILES: [&str; 6] =
    ["go_text", "jmh_file", "divan_text", "google_benchmark_file", "libtest_text", "criterion_files"];

/// Why a slot has no values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The command or its output: what happened, ending with its last words.
    Failed(String),
    /// The user wants us to stop; the name of the signal.
    Interrupted(&'static str),
}

/// One benchmark's share of a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Which benchmark.
    pub benchmark: Benchmark,
    /// Which metric.
    pub metric: Metric,
    /// Its samples, at least one, or why there are none.
    pub samples: Result<Vec<Sample>, String>,
}

/// What one process gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// All its benchmarks.
    pub readings: Vec<Reading>,
    /// What its format says of them.
    pub warnings: Vec<Warning>,
}

/// Builds a side.
///
/// # Errors
/// When the build fails or takes too long, or the user wants us to stop.
pub fn build(program: &Program, site: &Site<'_>, side: Side) -> Result<(), Trouble> {
    let Some(line) = &program.build else { return Ok(()) };
    let spec = spec(program, line, site, side)?.timeout(site.build_timeout);
    let finished = finished("the build", process::run(&spec, site.interrupt))?;
    succeeded("the build", &finished, site)
}

/// Runs one process to its end and reads what it gave.
///
/// # Errors
/// When it fails, takes too long or writes nothing that can be read, or the user wants us to stop.
pub fn slot(program: &Program, site: &Site<'_>, side: Side, padding: u32) -> Result<Slot, Trouble> {
    let out = out_file(site);
    // What an earlier process wrote must not be taken for this one's.
    scratch::remove(&out).map_err(|error| Trouble::Failed(error.to_string()))?;
    let spec = spec(program, &program.line, site, side)?
        .set(PADDING_VARIABLE, "x".repeat(padding as usize))
        .timeout(program.timeout);
    let started = Instant::now();
    let finished = finished("the command", run_pinned(&spec, site.pin, site.interrupt))?;
    let took = started.elapsed();
    succeeded("the command", &finished, site)?;
    match &program.reads {
        Reads::WallTime => Ok(wall_time(program, took)),
        Reads::Output(format) => {
            let (name, bytes) = match writes_file(&program.line) {
                true => ("{out}", written(&out)?),
                false => ("the output", finished.stdout),
            };
            read(program, format, name, bytes)
        }
    }
}

/// The benchmark that stands for a command of which nothing else is known.
#[must_use]
pub fn whole(program: &Program) -> Benchmark {
    let id = BenchmarkId::new(program.name.clone()).or_else(|_| BenchmarkId::new("command"));
    let Ok(id) = id else { unreachable!("`command` is an id") };
    Benchmark::new(TARGET, id)
}

fn out_file(site: &Site<'_>) -> PathBuf {
    site.scratch.join("out")
}

fn spec(program: &Program, line: &str, site: &Site<'_>, side: Side) -> Result<Spec, Trouble> {
    let out = out_file(site);
    let dir = site.tree(side);
    let line = filled(line, &Filling { out: &out, dir, rev: site.rev(side), side });
    let folder = folder(program, site, dir);
    if !folder.is_dir() {
        let below = folder.strip_prefix(dir).unwrap_or(&folder).display().to_string();
        return Err(Trouble::Failed(format!("there is no folder `{below}` on this side to run it in")));
    }
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    Ok(Spec::new(shell, folder).args([flag, line.as_str()]))
}

/// The folder of the side that is the counterpart of the one that the command is written for.
fn folder(program: &Program, site: &Site<'_>, tree: &Path) -> PathBuf {
    let Some(folder) = &program.folder else { return tree.to_owned() };
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.clone());
    let root = site.root.canonicalize().unwrap_or_else(|_| site.root.to_owned());
    whole.strip_prefix(root).map_or_else(|_| tree.to_owned(), |below| tree.join(below))
}

fn finished(what: &str, result: Result<Finished, process::Error>) -> Result<Finished, Trouble> {
    result.map_err(|error| match error {
        process::Error::Interrupted { signal, .. } => Trouble::Interrupted(signal),
        process::Error::TimedOut { limit, stderr_tail, .. } => {
            let tail = if stderr_tail.is_empty() { String::new() } else { format!(":\n{stderr_tail}") };
            Trouble::Failed(format!("{what} did not end within {} s{tail}", limit.as_secs_f64()))
        }
        other => Trouble::Failed(other.to_string()),
    })
}

fn succeeded(what: &str, finished: &Finished, site: &Site<'_>) -> Result<(), Trouble> {
    if finished.status.success() {
        return Ok(());
    }
    // An interrupt ends children too, and that is no failure of theirs.
    if let Some(signal) = site.interrupt.requested() {
        return Err(Trouble::Interrupted(signal));
    }
    let words = finished.last_words();
    let tail = if words.is_empty() { String::new() } else { format!(":\n{words}") };
    Err(Trouble::Failed(format!("{what} {}{tail}", finished.status)))
}

fn written(out: &Path) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let limit = MAX_FILE_BYTES as u64 + 1;
    File::open(out)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(files::Error::at("read", out))
        .map_err(|_| Trouble::Failed("the command wrote no file `{out}`".into()))?;
    Ok(bytes)
}

fn wall_time(program: &Program, took: Duration) -> Slot {
    let samples = Ok(vec![Sample { iterations: 1.0, total: took.as_secs_f64() * 1e9 }]);
    let reading = Reading { benchmark: whole(program), metric: Metric::time(), samples };
    Slot { readings: vec![reading], warnings: Vec::new() }
}

fn read(program: &Program, format: &str, name: &str, bytes: Vec<u8>) -> Result<Slot, Trouble> {
    let file = InputFile { path: name.to_owned(), bytes };
    let input = Input { name: name.to_owned(), files: vec![file], baseline: None };
    let run = parse_from(&input, Some(format)).map_err(|error| {
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        Trouble::Failed(format!("{error}{hint}"))
    })?;
    readings(program, run)
}

fn readings(program: &Program, run: SourceRun) -> Result<Slot, Trouble> {
    let mut readings = Vec::with_capacity(run.measurements.len());
    for measurement in run.measurements {
        let id = BenchmarkId::new(format!("{}:{}", program.name, measurement.benchmark.id))
            .map_err(|invalid| Trouble::Failed(invalid.to_string()))?;
        let samples: Vec<Sample> = measurement.processes.into_iter().flatten().collect();
        let samples = match measurement.failure {
            Some(failure) => Err(failure),
            None if samples.is_empty() => Err("it has no value".to_owned()),
            None => Ok(thinned(samples)),
        };
        let benchmark = Benchmark::new(measurement.benchmark.target, id);
        readings.push(Reading { benchmark, metric: measurement.metric, samples });
    }
    let mut warnings = run.warnings;
    warnings.retain(|warning| !SAID_OF_FILES.contains(&warning.code.as_str()));
    Ok(Slot { readings, warnings })
}

/// At most [`MOST_SAMPLES`] of the samples, evenly spread in time.
fn thinned(samples: Vec<Sample>) -> Vec<Sample> {
    let step = samples.len().div_ceil(MOST_SAMPLES).max(1);
    samples.into_iter().step_by(step).collect()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::{Trouble, build, slot};
    use crate::{
        measure::program::{Program, Reads, Site},
        model::run::Side,
        process::Interrupt,
    };
    use std::{path::Path, time::Duration};

    fn site<'a>(tree: &'a Path, interrupt: &'a Interrupt) -> Site<'a> {
        Site {
            root: tree,
            base: Some(tree),
            head: tree,
            revs: ("b", "h"),
            same_files: false,
            scratch: tree,
            build_timeout: Duration::from_secs(30),
            pin: None,
            void_share: f64::INFINITY,
            interrupt,
        }
    }

    fn program(line: &str) -> Program {
        Program {
            name: "go".into(),
            line: line.into(),
            build: None,
            reads: Reads::Output("go".into()),
            timeout: Duration::from_secs(30),
            folder: None,
        }
    }

    fn failure(line: &str) -> String {
        let (folder, interrupt) = (tempfile::tempdir().unwrap(), Interrupt::new());
        match slot(&program(line), &site(folder.path(), &interrupt), Side::Head, 3) {
            Err(Trouble::Failed(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_benchmark_of_the_output_is_a_reading_named_after_the_command() {
        let (folder, interrupt) = (tempfile::tempdir().unwrap(), Interrupt::new());
        let site = site(folder.path(), &interrupt);
        for line in ["echo 'BenchmarkA 1 5 ns/op'", "echo nothing; echo 'BenchmarkA 1 5 ns/op' > {out}"] {
            let slot = slot(&program(line), &site, Side::Base, 0).unwrap();
            assert_eq!(slot.readings[0].benchmark.id.as_str(), "go:BenchmarkA");
            assert_eq!(slot.readings[0].samples.as_ref().unwrap().len(), 1);
            assert!(slot.warnings.is_empty());
        }
    }

    #[test]
    fn sides_have_their_own_words_and_padding() {
        let (folder, interrupt) = (tempfile::tempdir().unwrap(), Interrupt::new());
        let line = "test {side}:{rev}:{dir} = base:b:$PWD && test ${#TOLLGATE_PADDING} = 7 && echo 'BenchmarkA 1 5 ns/op'";
        let tree = folder.path().canonicalize().unwrap();
        slot(&program(line), &site(&tree, &interrupt), Side::Base, 7).unwrap();
    }

    #[test]
    fn what_fails_says_its_last_words() {
        assert!(failure("echo lost >&2; exit 3").ends_with(":\nlost"));
        assert!(failure("echo 'no such flag'; exit 3").ends_with(":\nno such flag"));
        assert!(failure("echo 'BenchmarkA 1 x ns/op'").contains("line 1: `x` is no number"));
        assert!(failure("echo hello").contains("holds no benchmark of go"));
        assert_eq!(failure("true {out}"), "the command wrote no file `{out}`");
    }

    #[test]
    fn what_hangs_is_ended_and_a_folder_that_is_not_there_is_told() {
        let (folder, interrupt) = (tempfile::tempdir().unwrap(), Interrupt::new());
        let site = site(folder.path(), &interrupt);
        let hung = Program { timeout: Duration::from_millis(50), ..program("sleep 600") };
        let Err(Trouble::Failed(message)) = slot(&hung, &site, Side::Head, 0) else { panic!() };
        assert!(message.starts_with("the command did not end within 0.05 s"), "{message}");
        let gone = Program { folder: Some(folder.path().join("gone")), ..program("true") };
        let Err(Trouble::Failed(message)) = slot(&gone, &site, Side::Head, 0) else { panic!() };
        assert!(message.contains("no folder"), "{message}");
    }

    #[test]
    fn what_an_interrupt_ends_has_not_failed() {
        let (folder, interrupt) = (tempfile::tempdir().unwrap(), Interrupt::new());
        let site = site(folder.path(), &interrupt);
        let marker = folder.path().join("begun");
        let line = format!("touch {}; sleep 600", marker.display());
        let ended = std::thread::scope(|scope| {
            let slot = scope.spawn(|| slot(&program(&line), &site, Side::Head, 0));
            while !marker.exists() {
                std::thread::sleep(Duration::from_millis(1));
            }
            interrupt.request("SIGINT");
            slot.join().unwrap()
        });
        assert_eq!(ended, Err(Trouble::Interrupted("SIGINT")));
    }

    #[test]
    fn a_build_runs_in_the_tree_and_its_failure_is_told() {
        let (folder, interrupt) = (tempfile::tempdir().unwrap(), Interrupt::new());
        let site = site(folder.path(), &interrupt);
        let built = Program { build: Some("echo {side} > built".into()), ..program("true") };
        build(&built, &site, Side::Head).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("built")).unwrap(), "head\n");
        let broken = Program { build: Some("echo broken; exit 1".into()), ..program("true") };
        let Err(Trouble::Failed(message)) = build(&broken, &site, Side::Head) else { panic!() };
        assert!(message.starts_with("the build ") && message.ends_with("broken"), "{message}");
    }
}
