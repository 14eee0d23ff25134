//! `tollgate check`, the main job: build both sides, measure what differs, judge, keep the results.
//!
//! What was measured is one [`Run`], and the verdict is `judge(&run)` and nothing else, so that `tollgate judge` gives the same
//! bytes from the file. The run is kept while it is measured: a re-run goes on from it, and a killed one loses little.

use crate::{
    commands::{
        baseline::{place::Place, text::machine},
        failure::Failure,
        listing::listing_text,
        session::{Session, Work},
        state::{State, forget_results},
    },
    config::resolve::{ModeChoice, Settings},
    judge::{self, load::is_load, stored::suspects},
    load::gate::metrics::ERROR_RATE,
    machine::fingerprint,
    measure::{Measured, listing::Listed, trees::BaseChoice},
    model::{
        benchmark::Benchmark,
        environment::Environment,
        metric::Metric,
        outcome::ErrorClass,
        run::{Fate, Measurement, Mode, Run, SlotMethod, Warning},
        verdict::CheckVerdict,
    },
    process::Interrupt,
    progress::{Event, Progress},
    store::load::{From, Loaded, load_from},
    text::plural,
};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    time::{Duration, Instant},
};

/// Processes a benchmark in a check against stored baselines: as many as a stored run has at the least.
const STORED_PROCESSES: u32 = 6;

/// What to check.
#[derive(Debug, Clone)]
pub struct Request {
    /// A directory inside the repository.
    pub directory: PathBuf,
    /// The path of this program, for the compiler wrapper.
    pub executable: PathBuf,
    /// Everything that flags and file say.
    pub settings: Settings,
    /// A seed that was asked for: starts afresh.
    pub seed: Option<u64>,
    /// The seed of a check that has nothing to go on from.
    pub fresh_seed: u64,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// A finished check.
#[derive(Debug)]
pub struct Done {
    /// What it came to.
    pub verdict: CheckVerdict,
    /// Where the last results are kept: `run.json`, `verdict.json`, `verdict.md`.
    pub folder: PathBuf,
    /// A result that could not be kept; the verdict stands.
    pub not_kept: Option<Failure>,
    /// What measuring by paired rounds took, without the builds; of any other check all that it took.
    pub spent: Duration,
}

/// Checks head against its base.
///
/// # Errors
/// When a revision is unknown, head cannot be built, or there is no room to work. A benchmark that fails is part of the verdict.
pub fn run(request: &Request, progress: &dyn Progress, interrupt: &Interrupt) -> Result<Done, Failure> {
    let work = work(request, progress, interrupt);
    forget_results(&request.directory, interrupt);
    if request.settings.mode == ModeChoice::Stored {
        return against_baselines(request, work, Session::open(work, BaseChoice::Nothing)?);
    }
    let session = Session::open(work, base_choice(&request.settings))?;
    let Some(why) = session.builds.base_failed.clone() else { return paired(request, &session) };
    progress.tell(Event::Warning(format!("the base could not be built: {why}")));
    let stored = load(&session)?;
    if request.settings.mode == ModeChoice::Auto && !stored.is_empty() {
        progress.tell(Event::Note("comparing with the stored baselines of this environment instead".into()));
        return against_baselines(request, work, session);
    }
    head_alone(request, &session, &why)
}

/// Checks head against its base by paired rounds and in no other way: where the base cannot be built, nothing is measured.
///
/// # Errors
/// As [`run`], and when the base cannot be built.
pub fn run_paired(
    request: &Request,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Done, Failure> {
    let work = work(request, progress, interrupt);
    forget_results(&request.directory, interrupt);
    let session = Session::open(work, base_choice(&request.settings))?;
    match &session.builds.base_failed {
        None => paired(request, &session),
        Some(why) => Err(Failure::message(
            ErrorClass::Measurement,
            format!("the base could not be built: {why}"),
            "what is new in head cannot be compared with a base that does not build",
        )),
    }
}

/// What would run and what it would cost, as text.
///
/// # Errors
/// As [`run`].
pub fn list(request: &Request, progress: &dyn Progress, interrupt: &Interrupt) -> Result<String, Failure> {
    let base = match request.settings.mode {
        ModeChoice::Stored => BaseChoice::Nothing,
        ModeChoice::Paired | ModeChoice::Auto => base_choice(&request.settings),
    };
    let session = Session::open(work(request, progress, interrupt), base)?;
    Ok(listing_text(&session.listing()?, request.settings.budget_seconds))
}

fn work<'a>(request: &'a Request, progress: &'a dyn Progress, interrupt: &'a Interrupt) -> Work<'a> {
    Work {
        directory: &request.directory,
        executable: &request.executable,
        settings: &request.settings,
        now: request.now,
        progress,
        interrupt,
    }
}

fn base_choice(settings: &Settings) -> BaseChoice {
    settings.base.clone().map_or(BaseChoice::Default, BaseChoice::Revision)
}

/// Both sides in turns, going on from an earlier check of the same trees.
fn paired(request: &Request, session: &Session<'_>) -> Result<Done, Failure> {
    let began = Instant::now();
    let state = State::of(session, &request.settings);
    let earlier = if request.seed.is_some() { None } else { state.load() };
    let seed = request.seed.or(earlier.as_ref().map(|run| run.seed)).unwrap_or(request.fresh_seed);
    let (previous, trials) = earlier.map(|run| (run.measurements, run.load)).unwrap_or_default();
    let (loads, previous): (Vec<Measurement>, Vec<Measurement>) =
        previous.into_iter().partition(|measurement| is_load(&measurement.benchmark));
    let mut run = session.frame(Mode::Paired, seed);
    run.warnings.extend(only_uncommitted(request, &run));
    let mut not_kept = None;
    run.load = trials;
    let measured = session.paired(seed, &previous, None, &mut |measurements| {
        not_kept = state.save(&run, &[measurements, &loads].concat()).err();
    })?;
    let spent = measured.spent;
    session.fill(&mut run, measured);
    let trials = std::mem::take(&mut run.load);
    if run.interrupted.is_none() && session.has_load() {
        let measured =
            session.load_paired(seed, (&loads, &trials), None, spent, &mut |measurements, trials| {
                let so_far = Run { load: trials.to_vec(), ..run.clone() };
                not_kept = state.save(&so_far, &[&run.measurements, measurements].concat()).err();
            });
        session.add_load(&mut run, measured);
    } else {
        run.measurements.extend(loads.iter().cloned());
        run.load = trials;
    }
    if !(previous.is_empty() && loads.is_empty())
        && run.measurements.iter().any(|measurement| !measurement.blocks.is_empty())
    {
        let words = "went on from an earlier check of the same two trees; `--seed N` starts afresh";
        run.warnings.push(Warning::new("resumed", words));
    }
    not_kept = state.save(&run, &run.measurements).err().or(not_kept);
    let spent = began.elapsed();
    Ok(Done { spent, ..finish(&state, &run, not_kept) })
}

/// Head's slots against stored runs; suspects are confirmed by paired rounds where the base can be built.
fn against_baselines(request: &Request, work: Work<'_>, session: Session<'_>) -> Result<Done, Failure> {
    let state = State::of(&session, &request.settings);
    let seed = request.seed.unwrap_or(request.fresh_seed);
    let mut run = session.frame(Mode::Stored, seed);
    let loaded = load(&session)?;
    run.warnings.extend(warnings_of(&loaded, &session.environment));
    run.baselines = loaded.series;
    run.baselines.retain(|series| session.asks_for(&series.benchmark));
    if run.baselines.is_empty() {
        // Without a baseline there is nothing to compare: say what there is, measure nothing.
        run.measurements = session.listing()?.benchmarks.into_iter().map(unmeasured).collect();
        return Ok(finish(&state, &run, None));
    }
    let measured = session.single(seed, STORED_PROCESSES)?;
    fill_alone(&session, &mut run, measured);
    let suspects: BTreeSet<Benchmark> = suspects(&run).into_iter().collect();
    let can_confirm = session.builds.base_failed.is_none() && run.interrupted.is_none();
    if can_confirm && !suspects.is_empty() {
        // The trees of the first session are in the way of the second.
        drop(session);
        confirm(&mut run, &suspects, request, work)?;
    }
    Ok(finish(&state, &run, None))
}

/// Puts head's slots into the run, and those of its services under load.
fn fill_alone(session: &Session<'_>, run: &mut Run, measured: Measured) {
    let spent = measured.spent;
    session.fill(run, measured);
    if run.interrupted.is_none() && session.has_load() {
        let measured = session.load_alone(run.seed, STORED_PROCESSES, spent);
        session.add_load(run, measured);
    }
}

/// Measures suspects against the rebuilt base and puts what comes in the place of their lone slots.
fn confirm(
    run: &mut Run,
    suspects: &BTreeSet<Benchmark>,
    request: &Request,
    work: Work<'_>,
) -> Result<(), Failure> {
    work.progress.tell(Event::Note(format!(
        "{} {} slower than stored runs: confirming by paired rounds",
        plural::count(suspects.len(), "benchmark"),
        plural::choose(suspects.len(), "looks", "look")
    )));
    let session = match Session::open(work, base_choice(&request.settings)) {
        Ok(session) if session.builds.base_failed.is_none() => session,
        Ok(session) => {
            let why = session.builds.base_failed.clone().unwrap_or_default();
            run.warnings
                .push(Warning::new("not_confirmed", format!("suspects could not be confirmed: {why}")));
            return Ok(());
        }
        Err(failure) => {
            run.warnings
                .push(Warning::new("not_confirmed", format!("suspects could not be confirmed: {failure}")));
            return Ok(());
        }
    };
    let measured = session.paired(run.seed, &[], Some(suspects), &mut |_| {})?;
    let (spent, mut confirmed) = (measured.spent, measured.measurements);
    run.base = session.builds.base.clone();
    run.interrupted = measured.interrupted;
    run.warnings.extend(measured.warnings);
    if run.interrupted.is_none() && suspects.iter().any(is_load) {
        let measured = session.load_paired(run.seed, (&[], &[]), Some(suspects), spent, &mut |_, _| {});
        confirmed.extend(measured.measurements);
        run.interrupted = measured.interrupted;
        run.warnings.extend(measured.warnings);
        // The trials of head alone stand behind no row any more.
        run.load.retain(|lone| !measured.trials.iter().any(|block| block.scenario == lone.scenario));
        run.load.extend(measured.trials);
    }
    for confirmed in confirmed.iter().filter(|measurement| suspects.contains(&measurement.benchmark)) {
        let is_identical = confirmed.fate == Fate::Identical;
        for place in &mut run.measurements {
            let same = place.benchmark == confirmed.benchmark
                && (place.metric.name == confirmed.metric.name || is_identical);
            // What is identical to the base cannot have been made slower by the change, whatever the stored runs say.
            if same && is_identical {
                *place = Measurement { metric: place.metric.clone(), ..confirmed.clone() };
            } else if same && !confirmed.blocks.is_empty() {
                *place = confirmed.clone();
            }
        }
    }
    Ok(())
}

/// Base does not compile: head is still measured and shown, and the check is an error.
fn head_alone(request: &Request, session: &Session<'_>, why: &str) -> Result<Done, Failure> {
    let state = State::of(session, &request.settings);
    let mut run = session.frame(Mode::Single, request.seed.unwrap_or(request.fresh_seed));
    let measured = session.single(run.seed, STORED_PROCESSES)?;
    fill_alone(session, &mut run, measured);
    run.interrupted = Some(format!("the base could not be built: {why}"));
    Ok(finish(&state, &run, None))
}

/// On the default branch a changed work tree is compared with HEAD: then the last commit is not checked, and the reader must know.
fn only_uncommitted(request: &Request, run: &Run) -> Option<Warning> {
    let by_default = request.settings.base.is_none() && request.settings.head.is_none();
    let is_head = run.base.as_ref().is_some_and(|base| base.label == "HEAD");
    (by_default && is_head && run.head.rev.is_none()).then(|| {
        let words = "the work tree differs from HEAD, which is on the default branch: only the uncommitted changes are checked, \
                     against HEAD; `--base HEAD~1` checks the last commit too";
        Warning::new("only_uncommitted", words)
    })
}

fn load(session: &Session<'_>) -> Result<Loaded, Failure> {
    let place = Place::open(&session.builds.root)?;
    let key = &session.environment.key;
    place.check_keys(key, &fingerprint::key)?;
    load_from(From::Both, &place.baselines, &place.history, &place.commits, key)
        .map_err(|error| Failure::new(ErrorClass::Configuration, error))
}

/// What the reader should know of the stored runs: which records cannot be trusted, and where there are any when not here.
fn warnings_of(loaded: &Loaded, environment: &Environment) -> Vec<Warning> {
    let broken = loaded.broken.iter().map(|(name, error)| {
        Warning::new("broken_record", format!("the stored record `{name}` was left out: {error}"))
    });
    let mut warnings: Vec<Warning> = broken.collect();
    if loaded.is_empty() {
        let others: Vec<_> = loaded
            .others
            .iter()
            .map(|known| match &known.environment {
                Some(other) => format!("{} ({})", known.key, machine(other)),
                None => known.key.to_string(),
            })
            .collect();
        let elsewhere = if others.is_empty() {
            "there are none of any other either".to_owned()
        } else {
            format!("there are baselines of {}, which are never compared with", others.join("; "))
        };
        // A check never talks to a remote of its own accord
        warnings.push(Warning::new(
            "no_baseline",
            format!(
                "no baseline for environment {} ({}): {elsewhere}; `tollgate baseline list --fetch` brings run records that the \
                 remote may have",
                environment.key,
                machine(environment)
            ),
        ));
    }
    warnings
}

fn unmeasured(listed: Listed) -> Measurement {
    let metric = if listed.method == SlotMethod::Load { Metric::of_load(ERROR_RATE) } else { None };
    Measurement {
        benchmark: listed.benchmark,
        metric: metric.unwrap_or_else(Metric::time),
        fate: listed.fate.unwrap_or(Fate::Measured),
        method: listed.method,
        blocks: Vec::new(),
    }
}

fn finish(state: &State, run: &Run, not_kept: Option<Failure>) -> Done {
    let verdict = judge::judge(run);
    let not_kept = state.keep_results(run, &verdict).err().or(not_kept);
    let spent = Duration::try_from_secs_f64(run.duration_seconds).unwrap_or_default();
    Done { verdict, folder: state.folder().to_owned(), not_kept, spent }
}
