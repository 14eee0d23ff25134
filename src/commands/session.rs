//! What `check`, `run` and `baseline save` share: the builds, the environment, and measuring with the project's rules.

use crate::{
    cargo::aligned::Alignment,
    commands::failure::Failure,
    config::resolve::Settings,
    judge::{paired, policy::Rules},
    machine::fingerprint,
    measure::{
        self, IdenticalCode, Measured, SlotSettings,
        builds::{BuildRequest, Builds, build_both},
        trees::{self, BaseChoice},
    },
    model::{
        benchmark::Benchmark,
        environment::Environment,
        metric::Metric,
        outcome::ErrorClass,
        run::{Measurement, Mode, Run, Warning},
    },
    process::{Interrupt, registry},
    progress::{Event, Progress},
    text::quantity,
};
use regex::Regex;
use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

/// Who works, on what, and who listens.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    /// A directory inside the repository.
    pub(super) directory: &'a Path,
    /// The path of this program, for the compiler wrapper.
    pub(super) executable: &'a Path,
    /// Everything that flags and file say.
    pub(super) settings: &'a Settings,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(super) now: u64,
    /// Who hears of it.
    pub(super) progress: &'a dyn Progress,
    /// Whether the user wants us to stop.
    pub(super) interrupt: &'a Interrupt,
}

/// Built executables on a known machine.
pub(super) struct Session<'a> {
    work: Work<'a>,
    /// The executables; dropping them removes their trees.
    pub(super) builds: Builds,
    /// Where they are measured.
    pub(super) environment: Environment,
    filter: Option<Regex>,
    began: Instant,
}

impl<'a> Session<'a> {
    /// Builds what is to be measured.
    ///
    /// # Errors
    /// When the filter is no regular expression, a revision is unknown, or head cannot be built.
    pub(super) fn open(work: Work<'a>, base: BaseChoice) -> Result<Self, Failure> {
        let began = Instant::now();
        put_on_record(work.interrupt);
        let settings = work.settings;
        let filter = settings.filter.as_deref().map(compile).transpose()?;
        let request = BuildRequest {
            base,
            head: settings.head.clone(),
            copy: settings.copy.clone(),
            selection: settings.selection.clone(),
            alignment: if settings.as_built { Alignment::AsBuilt } else { Alignment::default() },
            wrapper: Some(work.executable.to_owned()),
            timeout: settings.build_timeout,
            ..BuildRequest::new(work.directory)
        };
        let builds = build_both(&request, work.progress, work.interrupt).map_err(|error| {
            let class = if error.is_usage() { ErrorClass::Configuration } else { ErrorClass::Measurement };
            Failure::new(class, error)
        })?;
        let environment = fingerprint::environment(&builds.rustc, &builds.profile, &builds.flags);
        Ok(Self { work, builds, environment, filter, began })
    }

    /// A run of this session without measurements.
    pub(super) fn frame(&self, mode: Mode, seed: u64) -> Run {
        Run {
            tool_version: env!("CARGO_PKG_VERSION").into(),
            mode,
            base: self.builds.base.clone(),
            head: self.builds.head.clone(),
            environment: self.environment.clone(),
            seed,
            started_at: self.work.now,
            duration_seconds: 0.0,
            budget_seconds: self.work.settings.budget_seconds,
            interrupted: None,
            measurements: Vec::new(),
            baselines: Vec::new(),
            policy: self.work.settings.policy.clone(),
            day: day(self.work.now),
            warnings: self.warnings(),
        }
    }

    /// Puts what was measured into a run.
    pub(super) fn fill(&self, run: &mut Run, measured: Measured) {
        run.measurements = measured.measurements;
        run.interrupted = measured.interrupted;
        run.warnings.extend(measured.warnings);
        run.duration_seconds = self.began.elapsed().as_secs_f64();
    }

    /// Measures base and head in paired rounds, only the benchmarks in `only` where that is given.
    pub(super) fn paired(
        &self,
        seed: u64,
        previous: &[Measurement],
        only: Option<&BTreeSet<Benchmark>>,
        keep: measure::Keep<'_>,
    ) -> Result<Measured, Failure> {
        self.work.progress.tell(Event::Phase("measuring".into()));
        let measured = self.with_request(seed, previous, only, |request| {
            measure::measure(request, self.work.progress, self.work.interrupt, keep)
                .map_err(Failure::measurement)
        })?;
        let (spent, outside) = (measured.spent.as_secs_f64(), measured.outside.as_secs_f64());
        if spent > 0.0 {
            self.work.progress.tell(Event::Note(format!(
                "measured for {}, {} of it outside the benchmark processes",
                quantity::seconds(spent),
                quantity::seconds(outside)
            )));
        }
        Ok(measured)
    }

    /// Measures head alone, `processes` fresh processes a benchmark.
    pub(super) fn single(&self, seed: u64, processes: u32) -> Result<Measured, Failure> {
        self.work.progress.tell(Event::Phase("measuring".into()));
        self.with_request(seed, &[], None, |request| {
            measure::measure_alone(request, processes, self.work.progress, self.work.interrupt, &mut |_| {})
                .map_err(Failure::measurement)
        })
    }

    /// Whether a benchmark that is stored belongs to what was selected: one of a target that the user left out has not vanished.
    pub(super) fn asks_for(&self, benchmark: &Benchmark) -> bool {
        let selection = &self.work.settings.selection;
        let lists = [&selection.benches, &selection.packages, &selection.exclude];
        lists.iter().all(|list| list.is_empty())
            || self.builds.pairs.iter().any(|pair| pair.target == benchmark.target)
            || selection.benches.contains(&benchmark.target)
    }

    /// Says what would run and what it would cost.
    pub(super) fn listing(&self) -> Result<measure::Listing, Failure> {
        self.work.progress.tell(Event::Phase("asking the bench targets for their benchmarks".into()));
        self.with_request(0, &[], None, |request| {
            measure::list(request, self.work.progress, self.work.interrupt).map_err(Failure::measurement)
        })
    }

    /// The rules of the project as measuring needs them.
    fn with_request<T>(
        &self,
        seed: u64,
        previous: &[Measurement],
        only: Option<&BTreeSet<Benchmark>>,
        job: impl FnOnce(&measure::Request<'_>) -> T,
    ) -> T {
        let settings = self.work.settings;
        let rules = Rules::new(&settings.policy);
        let limits = |benchmark: &Benchmark| rules.limits(benchmark, &Metric::time());
        let ignored = |benchmark: &Benchmark| match only {
            Some(only) if !only.contains(benchmark) => Some("not suspect".to_owned()),
            _ => limits(benchmark).left_out,
        };
        let margin = |benchmark: &Benchmark| limits(benchmark).margin;
        let standing =
            |measurement: &Measurement| paired::standing(measurement, &limits(&measurement.benchmark));
        let identical = if settings.measure_identical { IdenticalCode::Measure } else { IdenticalCode::Skip };
        job(&measure::Request {
            pairs: &self.builds.pairs,
            filter: self.filter.as_ref(),
            ignored: &ignored,
            renames: &settings.policy.renames,
            identical,
            seed,
            budget: Duration::from_secs_f64(settings.budget_seconds),
            false_discovery_rate: settings.policy.false_discovery_rate,
            family: settings.policy.family,
            margin: &margin,
            standing: &standing,
            slot: SlotSettings {
                warm_up: Duration::from_secs_f64(settings.slot.warm_up_seconds),
                measurement: Duration::from_secs_f64(settings.slot.measurement_seconds),
                samples: settings.slot.samples,
                timeout: settings.slot.timeout,
                ..SlotSettings::default()
            },
            pin: settings.pin,
            folder: &self.builds.state_folder,
            previous,
        })
    }

    /// What the reader should know before anything was measured.
    fn warnings(&self) -> Vec<Warning> {
        let skipped = self.builds.skipped.iter().map(|skipped| {
            Warning::new(
                "skipped_target",
                format!("bench target `{}` is not measured: {}", skipped.target, skipped.reason),
            )
        });
        self.builds.warnings.iter().cloned().chain(skipped).collect()
    }
}

/// Ends what a killed run left alive, and writes down what this one starts: compilers too, not only benches.
fn put_on_record(interrupt: &Interrupt) {
    let folder = trees::cache_folder().join("processes");
    let _ended = registry::sweep(&folder);
    // Without a record only a `kill -9` of ours leaves something behind; that is no reason not to work.
    let _ = interrupt.registry().record_in(&folder);
}

/// The day of a time, `YYYY-MM-DD` (UTC).
pub(super) fn day(now: u64) -> String {
    let time = i64::try_from(now).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.unwrap_or_default().strftime("%Y-%m-%d").to_string()
}

fn compile(filter: &str) -> Result<Regex, Failure> {
    Regex::new(filter).map_err(|error| {
        Failure::message(
            ErrorClass::Configuration,
            format!("could not read `--filter {filter}`: {error}"),
            "a filter is a regular expression over benchmark ids; escape `(`, `[`, `*` and `+` with a backslash",
        )
    })
}
