//! Scenarios in turn, each on its own service, and what came of them as one run with its verdict.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    commands::{
        failure::Failure,
        session::{day, put_on_record},
        state,
    },
    files::atomic,
    format::{run_v1, verdict_v1},
    git::{Repository, revision},
    judge::{
        self,
        levels::{Bounds, amount, first_trouble, trouble},
    },
    load::{
        gate::metrics::{ERROR_RATE, benchmark},
        generator::{MOST_CONNECTIONS, most_connections},
        modes::{
            ground::{Error, Ground, Standing},
            quick::{self, Quick},
            stress::{self, Hands, Settings},
        },
        scenario::{Model, Scenario},
        watch::Observer,
    },
    machine::{fingerprint, noise::taken_so_far},
    model::{
        load::{Distribution, FULL_CPU, Offered, Stress, Summary, Trial},
        metric::Metric,
        outcome::ErrorClass,
        policy::Policy,
        revision::Revision,
        run::{Fate, Measurement, Mode, Run, Side, SlotMethod, TrialBlock, VoidReason, Warning},
        verdict::CheckVerdict,
    },
    process::Interrupt,
    progress::{Event, Progress},
    report,
    text::{plural, quantity},
};

/// What to put under load.
#[derive(Debug, Clone)]
pub struct Request {
    /// A directory inside the project, if there is one.
    pub directory: PathBuf,
    /// The scenarios, in their order.
    pub scenarios: Vec<Scenario>,
    /// The URL, where that was given instead of scenarios.
    pub url: Option<String>,
    /// Growing levels instead of the scenarios' own load.
    pub quick: Option<Quick>,
    /// How the rate that services bear is searched for, if it is.
    pub stress: Option<Settings>,
    /// Targets and strictness.
    pub policy: Policy,
    /// How long a build step may take.
    pub build_timeout: Duration,
    /// The seed of arrivals and sessions.
    pub seed: u64,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub now: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    /// The verdict.
    pub verdict: CheckVerdict,
    /// Where the results are kept, of a project's scenarios.
    pub folder: Option<PathBuf>,
    /// A result that could not be kept; the verdict stands.
    pub not_kept: Option<Failure>,
}

/// Puts the scenarios under load, one after the other.
///
/// # Errors
/// When what was asked makes no sense. A service that fails is part of the verdict.
pub fn run(request: &Request, progress: &dyn Progress, interrupt: &Interrupt) -> Result<Done, Failure> {
    let began = Instant::now();
    put_on_record(interrupt);
    let (tree, head) = place(request);
    let folder = tree.join("target/tollgate/load");
    if request.url.is_none() {
        state::forget_results_in(&folder);
    }
    let ground = Ground {
        tree: &tree,
        logs: &folder,
        build_timeout: request.build_timeout,
        seed: request.seed,
        progress,
        interrupt,
    };
    let mut taken = Taken::default();
    for scenario in &request.scenarios {
        if interrupt.requested().is_some() || progress.wants_stop() {
            break;
        }
        taken.scenario(&ground, scenario, request)?;
    }
    if progress.wants_stop() {
        let text = "the run was stopped from its page before its end: what was recorded until then counts";
        taken.warnings.push(Warning::new("stopped", text));
    }
    let run = Run {
        tool_version: env!("CARGO_PKG_VERSION").into(),
        mode: Mode::Single,
        base: None,
        head,
        environment: fingerprint::environment("", "", ""),
        seed: request.seed,
        started_at: request.now,
        duration_seconds: began.elapsed().as_secs_f64(),
        budget_seconds: 0.0,
        interrupted: interrupt.requested().map(|signal| format!("interrupted by {signal}")),
        measurements: taken.failed,
        load: taken.load,
        stress: taken.stress,
        baselines: Vec::new(),
        policy: request.policy.clone(),
        day: day(request.now),
        warnings: taken.warnings,
    };
    let verdict = judge::judge(&run);
    if request.url.is_some() {
        return Ok(Done { verdict, folder: None, not_kept: None });
    }
    let not_kept = keep(&folder, &run, &verdict).err();
    Ok(Done { verdict, folder: Some(folder), not_kept })
}

/// The folder in which services are built and started, and what is in it.
fn place(request: &Request) -> (PathBuf, Revision) {
    if let Some(url) = &request.url {
        return (request.directory.clone(), Revision { label: url.clone(), ..Revision::default() });
    }
    let work_tree = Revision { label: "work tree".into(), ..Revision::default() };
    // A project need not be in git to be put under load; then nobody knows which commit it was.
    let Ok(repository) = Repository::discover(&request.directory) else {
        let folder = request.scenarios.first().map(|scenario| scenario.folder.clone());
        return (folder.unwrap_or_else(|| request.directory.clone()), work_tree);
    };
    let is_head = repository.differs_only_below(Path::new("")).is_ok_and(|differs| !differs);
    let rev = revision::head(&repository).ok().filter(|_| is_head).map(|head| head.rev);
    (repository.root().to_owned(), Revision { rev, ..work_tree })
}

/// What scenarios left.
#[derive(Debug, Default)]
struct Taken {
    load: Vec<TrialBlock>,
    stress: Vec<Stress>,
    failed: Vec<Measurement>,
    warnings: Vec<Warning>,
}

impl Taken {
    /// One scenario from its build to its service's end.
    fn scenario(
        &mut self,
        ground: &Ground<'_>,
        scenario: &Scenario,
        request: &Request,
    ) -> Result<(), Failure> {
        let standing = match ground.open(scenario) {
            Ok(standing) => standing,
            Err(error) => return self.failed(scenario, error, ""),
        };
        if let Some(settings) = &request.stress {
            return self.stressed(ground, scenario, settings, standing);
        }
        let ended = match request.quick {
            Some(quick) => {
                let levels = quick::levels(scenario, quick, request.url.is_some());
                self.levels(ground, &standing, &levels, Bounds::of(&request.policy.targets))
            }
            None => self.window(ground, &standing, scenario),
        };
        let tail = standing.stop();
        ended.or_else(|error| self.failed(scenario, error, &tail))
    }

    /// One window of a scenario's own load.
    fn window(
        &mut self,
        ground: &Ground<'_>,
        standing: &Standing<'_>,
        scenario: &Scenario,
    ) -> Result<(), Error> {
        ground.progress.tell(Event::Phase(format!(
            "load on {} for {}",
            scenario.name,
            quantity::seconds((scenario.warmup + scenario.window).as_secs_f64())
        )));
        let trial = standing.trial(scenario)?;
        self.warnings.extend(warnings(scenario, &trial));
        self.push(trial);
        Ok(())
    }

    /// Levels of load until one is not sane, or somebody wants us to stop.
    fn levels(
        &mut self,
        ground: &Ground<'_>,
        standing: &Standing<'_>,
        levels: &[Scenario],
        bounds: Bounds,
    ) -> Result<(), Error> {
        let mut lowest: Option<Summary> = None;
        for (at, level) in levels.iter().enumerate() {
            if at > 0 && (ground.interrupt.requested().is_some() || ground.progress.wants_stop()) {
                break;
            }
            let seconds = quantity::seconds((level.warmup + level.window).as_secs_f64());
            let place = format!("level {} of {}", at + 1, levels.len());
            ground.progress.tell(Event::Phase(format!("load on {}, {place}, for {seconds}", level.name)));
            let trial = standing.trial(level)?;
            self.warnings.extend(full_generator(&trial));
            self.warnings.extend(connections_used_up(level, &trial));
            let summary = Summary::of_one(&[&trial]);
            self.push(trial);
            let Some(summary) = summary else { break };
            ground.progress.tell(Event::Note(format!("{place}: {}", line(&summary))));
            if at == 0 {
                self.warnings.extend(first_trouble(&summary, bounds));
            }
            let first = lowest.get_or_insert_with(|| summary.clone());
            // What is beyond the generator, or too much for the service, is more so at the next level.
            if !summary.is_valid() || trouble(&summary, first, bounds).is_some() {
                break;
            }
        }
        Ok(())
    }

    /// A search for the rate that the service of one scenario bears.
    fn stressed(
        &mut self,
        ground: &Ground<'_>,
        scenario: &Scenario,
        settings: &Settings,
        standing: Standing<'_>,
    ) -> Result<(), Failure> {
        let window = |scenario: &Scenario, observer: &dyn Observer| standing.watched(scenario, observer);
        let over = || ground.interrupt.requested().is_some() || ground.progress.wants_stop();
        let hands = Hands { window: &window, over: &over, progress: ground.progress, taken: &taken_so_far };
        let found = stress::search(scenario, settings, hands);
        let tail = standing.stop();
        self.warnings.extend(too_few_descriptors(scenario, &found.stress));
        if !found.stress.probes.is_empty() {
            self.stress.push(found.stress);
        }
        if let Some(trial) = found.trial {
            self.warnings.extend(warnings(scenario, &trial));
            self.push(trial);
        }
        found.error.map_or(Ok(()), |error| self.failed(scenario, error, &tail))
    }

    fn push(&mut self, trial: Trial) {
        let void = trial.void.clone().map(|reason| VoidReason { reason });
        self.load.push(TrialBlock { scenario: trial.scenario.clone(), void, trials: vec![trial] });
    }

    /// A scenario that failed is a row of the verdict, unless what was asked makes no sense or the user wants us to stop.
    fn failed(&mut self, scenario: &Scenario, error: Error, tail: &str) -> Result<(), Failure> {
        if error.signal().is_some() {
            return Ok(());
        }
        if error.is_usage() {
            return Err(Failure::configuration(error));
        }
        let benchmark = benchmark(scenario).map_err(|invalid| {
            Failure::message(
                ErrorClass::Configuration,
                format!("could not name the scenario: {invalid}"),
                "give it a shorter name",
            )
        })?;
        let Some(metric) = Metric::of_load(ERROR_RATE) else { unreachable!("a metric of every scenario") };
        self.failed.push(Measurement {
            benchmark,
            metric,
            fate: Fate::Failed { side: Some(Side::Head), message: error.told(tail) },
            method: SlotMethod::Load,
            blocks: Vec::new(),
        });
        Ok(())
    }
}

/// `50 requests/s: p50 2.10 ms, p95 4.00 ms, p99 5.20 ms, 0 of 1,400 failed, 0.12 processors`.
fn line(level: &Summary) -> String {
    let quantile = |name: &str| {
        let shown = level.latency.and_then(|latency| latency.named(name));
        shown.map_or_else(|| quantity::NONE.to_owned(), |quantile| quantity::value(quantile.ns, "ns"))
    };
    let failed = level.requests.errors.saturating_add(level.requests.unfinished);
    let cpu = level.costs.cpu.map(|cpu| format!(", {} processors", quantity::value(cpu, "")));
    format!(
        "{}: p50 {}, p95 {}, p99 {}, {} of {} failed{}",
        amount(level),
        quantile("p50"),
        quantile("p95"),
        quantile("p99"),
        quantity::count(failed),
        quantity::count(level.requests.scheduled),
        cpu.unwrap_or_default()
    )
}

/// The share of the response time, at p95, from which on the wait for a connection is worth a word.
const NOTABLE_WAIT: f64 = 0.1;

/// What the reader of a trial must not miss.
fn warnings(scenario: &Scenario, trial: &Trial) -> Vec<Warning> {
    let used_up = connections_used_up(scenario, trial);
    wrong_answers(trial).into_iter().chain(full_generator(trial)).chain(used_up).collect()
}

/// Where nobody said how many connections there may be, the most that are opened are a limit that nobody asked for. It matters where requests waited for one.
fn connections_used_up(scenario: &Scenario, trial: &Trial) -> Option<Warning> {
    let p95 = |clock: &Distribution| clock.quantile(0.95).map_or(0.0, |quantile| quantile.ns);
    let waited = p95(&trial.clocks.pool_wait) > NOTABLE_WAIT * p95(&trial.clocks.response_time);
    if !waited || trial.in_flight_peak < most_connections() {
        return None;
    }
    all_in_use(scenario, trial.in_flight_peak)
}

/// The same of a search. More than a service bears piles up until all connections are in use: only a machine that allows fewer than usual is worth a word.
fn too_few_descriptors(scenario: &Scenario, stress: &Stress) -> Option<Warning> {
    let most = most_connections();
    let peak = stress.probes.iter().map(|probe| probe.in_flight_peak).max()?;
    if most >= MOST_CONNECTIONS || peak < most {
        return None;
    }
    all_in_use(scenario, peak)
}

/// `None` where the scenario itself says how many there may be, or shares them.
fn all_in_use(scenario: &Scenario, in_flight_peak: u64) -> Option<Warning> {
    let unbounded = matches!(scenario.model, Model::Rate { connections: None, .. });
    let more = if most_connections() < MOST_CONNECTIONS { "raise `ulimit -n`, or " } else { "" };
    (unbounded && !scenario.transport.http2).then(|| {
        let text = format!(
            "load:{}: {} requests were in flight at once, and more connections are not opened unasked: what came beyond waited for one of \
             them; {more}set `connections` to what the service will see",
            scenario.name,
            quantity::count(in_flight_peak)
        );
        Warning::new("connections_used_up", text)
    })
}

fn wrong_answers(trial: &Trial) -> Option<Warning> {
    let requests = &trial.requests;
    let wrong = requests.errors + requests.unfinished;
    // That nothing at all was answered is the outcome's reason.
    (wrong > 0 && requests.completed > 0).then(|| {
        let mut kinds: Vec<String> = requests
            .error_kinds
            .iter()
            .map(|(kind, count)| format!("{} {}", kind.as_str(), quantity::count(*count)))
            .collect();
        if requests.unfinished > 0 {
            kinds.push(format!("unfinished {}", quantity::count(requests.unfinished)));
        }
        let text = format!(
            "load:{}: {} of {} requests were not answered as expected ({})",
            trial.scenario,
            quantity::count(wrong),
            quantity::count(requests.scheduled),
            plural::list(&kinds, 6)
        );
        Warning::new("load_errors", text)
    })
}

/// Users who do not think are as fast as the generator: then its own limit is the throughput that is seen.
fn full_generator(trial: &Trial) -> Option<Warning> {
    let users = matches!(trial.offered, Offered::Users(_));
    (users && trial.void.is_none() && trial.generator_cpu > FULL_CPU).then(|| {
        let text = format!(
            "load:{}: the generator used all of a processor, so the users were as fast as it is: the service may well answer more \
             requests a second than are shown; fewer `users`, or a `think` time, leave room",
            trial.scenario
        );
        Warning::new("generator_full", text)
    })
}

fn keep(folder: &Path, run: &Run, verdict: &CheckVerdict) -> Result<(), Failure> {
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        atomic::write(&path, bytes).map_err(|error| {
            Failure::reporting(error).while_doing(format!("could not write `{}`", path.display()))
        })
    };
    std::fs::create_dir_all(folder).map_err(|error| {
        let message = format!("could not create the folder `{}`: {error}", folder.display());
        Failure::message(
            ErrorClass::Reporting,
            message,
            "make room or give write permission; the verdict stands",
        )
    })?;
    write("run.json", &run_v1::to_json(run))?;
    write("verdict.json", &verdict_v1::to_json(verdict))?;
    write("verdict.md", report::markdown::render(verdict).as_bytes())
}
