//! What `check`, `run` and `baseline save` share: the builds, the environment, and measuring with the project's rules.

use crate::{
    cargo::aligned::Alignment,
    commands::failure::Failure,
    config::resolve::Settings,
    judge::{
        load::{PREFIX, is_load},
        paired,
        policy::Rules,
    },
    load::{
        gate::{
            self,
            services::{Shop, Trees},
            stand::Stand,
        },
        scenario::Service,
    },
    machine::fingerprint,
    measure::{
        self, IdenticalCode, Measured, SlotSettings,
        builds::{BuildRequest, Builds, build_both},
        listing::Listed,
        request::NOT_MATCHED,
        stage::VOID_SHARE,
        trees::{self, BaseChoice},
    },
    model::{
        benchmark::Benchmark,
        environment::Environment,
        load::Aim,
        metric::Metric,
        outcome::ErrorClass,
        run::{Fate, Measurement, Mode, Run, Side, SlotMethod, TrialBlock, Warning},
    },
    plan::looks::ROUNDS_PER_BLOCK,
    process::{Interrupt, registry},
    progress::{Event, Progress},
    stats::sequential::LOOK_ROUNDS,
};
use regex::Regex;
use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

/// Why a load benchmark or a command is left out where the user named bench targets.
pub(super) const NO_BENCH_TARGET: &str = "no bench target of `--bench`";

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
            crate_is_optional: !settings.loads.is_empty() || !settings.commands.is_empty(),
            trees_only: settings.only_commands,
            ..BuildRequest::new(work.directory)
        };
        let builds = build_both(&request, work.progress, work.interrupt).map_err(|error| {
            let class = if error.is_usage() { ErrorClass::Configuration } else { ErrorClass::Measurement };
            Failure::new(class, error)
        })?;
        let environment = fingerprint::environment(&builds.rustc, &builds.profile, &builds.flags);
        Ok(Self { work, builds, environment, filter, began })
    }

    /// Who works, on what.
    pub(super) fn work(&self) -> &Work<'a> {
        &self.work
    }

    /// The ids that are wanted.
    pub(super) fn filter(&self) -> Option<&Regex> {
        self.filter.as_ref()
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
            load: Vec::new(),
            stress: Vec::new(),
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

    /// Adds what was measured under load to a run.
    pub(super) fn add_load(&self, run: &mut Run, measured: gate::Measured) {
        run.measurements.extend(measured.measurements);
        run.load = measured.trials;
        run.interrupted = run.interrupted.take().or(measured.interrupted);
        run.warnings.extend(measured.warnings);
        run.duration_seconds = self.began.elapsed().as_secs_f64();
    }

    /// Measures criterion benchmarks of base and head, only those in `only` where that is given.
    pub(super) fn criterion_paired(
        &self,
        seed: u64,
        previous: &[Measurement],
        only: Option<&BTreeSet<Benchmark>>,
        keep: measure::Keep<'_>,
    ) -> Result<Measured, Failure> {
        self.work.progress.tell(Event::Phase("measuring".into()));
        self.with_request(seed, previous, only, |request| {
            measure::measure(request, self.work.progress, self.work.interrupt, keep)
                .map_err(Failure::measurement)
        })
    }

    /// Puts load benchmarks of both sides under load in dealt blocks, only those in `only` where that is given.
    pub(super) fn load_paired(
        &self,
        seed: u64,
        previous: (&[Measurement], &[TrialBlock]),
        only: Option<&BTreeSet<Benchmark>>,
        spent: Duration,
        keep: gate::request::Keep<'_>,
    ) -> gate::Measured {
        self.with_stand(seed, previous, only, spent, |request, stand| {
            gate::paired::measure(request, stand, self.work.progress, keep)
        })
    }

    /// Puts head's services alone under load, `processes` fresh servers a scenario.
    pub(super) fn load_alone(&self, seed: u64, processes: u32, spent: Duration) -> gate::Measured {
        self.with_stand(seed, (&[], &[]), None, spent, |request, stand| {
            gate::alone::measure_alone(request, processes, stand, self.work.progress)
        })
    }

    /// The rules of the project as load benchmarks need them, and what builds and starts their services.
    fn with_stand<T>(
        &self,
        seed: u64,
        previous: (&[Measurement], &[TrialBlock]),
        only: Option<&BTreeSet<Benchmark>>,
        spent: Duration,
        job: impl FnOnce(&gate::Request<'_>, &mut Stand<'_>) -> T,
    ) -> T {
        let settings = self.work.settings;
        let rules = Rules::new(&settings.policy);
        let limits = |benchmark: &Benchmark, metric: &Metric| rules.limits(benchmark, metric);
        let left_out = |benchmark: &Benchmark| match only {
            Some(only) if !only.contains(benchmark) => Some("not suspect".to_owned()),
            _ => self.load_left_out(benchmark),
        };
        let shop = Shop {
            folder: self.builds.state_folder.clone(),
            wrapper: self.work.executable.to_owned(),
            alignment: self.builds.alignment,
            timeout: settings.build_timeout,
        };
        let changed = self.builds.changed_files();
        let Some(head) = self.builds.tree(Side::Head) else { unreachable!("head always has a tree") };
        let trees = Trees { base: self.builds.tree(Side::Base), head, changed: &changed };
        let identical = if settings.measure_identical { IdenticalCode::Measure } else { IdenticalCode::Skip };
        let aim = Aim::of(&settings.policy.targets);
        let mut stand =
            Stand::new(&shop, trees, (identical, seed, aim), self.work.progress, self.work.interrupt);
        let request = gate::Request {
            scenarios: &settings.loads,
            left_out: &left_out,
            limits: &limits,
            seed,
            budget: Duration::from_secs_f64(settings.budget_seconds).saturating_sub(spent),
            false_discovery_rate: self.family_rate(),
            family: settings.policy.family,
            void_share: VOID_SHARE,
            previous,
        };
        job(&request, &mut stand)
    }

    /// Why a load benchmark is left out, if it is: by the filter, or by a rule that leaves out all of it.
    fn load_left_out(&self, benchmark: &Benchmark) -> Option<String> {
        let id = benchmark.id.as_str();
        if self.only_bench_targets() {
            return Some(NO_BENCH_TARGET.into());
        }
        if self.filter.as_ref().is_some_and(|filter| !filter.is_match(id)) {
            return Some(NOT_MATCHED.into());
        }
        let rules = Rules::new(&self.work.settings.policy);
        let scenario = self
            .work
            .settings
            .loads
            .iter()
            .find(|scenario| id.strip_prefix(PREFIX) == Some(&scenario.name))?;
        let reasons = gate::metrics::metrics(scenario)
            .iter()
            .map(|metric| rules.limits(benchmark, metric).left_out)
            .collect::<Option<Vec<String>>>();
        reasons.and_then(|reasons| reasons.into_iter().next())
    }

    /// Load benchmarks that would be measured, with what a block of each is expected to take, seconds.
    fn load_blocks(&self) -> impl Iterator<Item = (Benchmark, Option<String>, f64)> {
        self.work.settings.loads.iter().filter_map(|scenario| {
            let benchmark = gate::metrics::benchmark(scenario).ok()?;
            let running = matches!(scenario.service, Service::Running(_));
            let left_out = self
                .load_left_out(&benchmark)
                .or_else(|| running.then(|| "its service already runs at a URL".to_owned()));
            Some((benchmark, left_out, gate::metrics::block_seconds(scenario)))
        })
    }

    /// Whether the user named bench targets: what is none is left out then, as cargo does.
    pub(super) fn only_bench_targets(&self) -> bool {
        !self.work.settings.selection.benches.is_empty()
    }

    /// Whether there are load scenarios.
    pub(super) fn has_load(&self) -> bool {
        !self.work.settings.loads.is_empty()
    }

    /// Whether criterion benchmarks are to be measured at all.
    fn has_criterion(&self) -> bool {
        let measure_identical = self.work.settings.measure_identical;
        self.builds.pairs.iter().any(|pair| pair.head.is_some() && (measure_identical || !pair.identical))
    }

    /// The measuring time of criterion benchmarks: commands get half of it. What criterion benchmarks leave goes to them as well.
    fn criterion_budget(&self) -> Duration {
        if self.has_commands(None) { self.budget_before_load() / 2 } else { self.budget_before_load() }
    }

    /// The measuring time before load benchmarks: these get half of the budget, or what all their blocks take where that is less.
    /// What is left of the rest goes to them as well.
    pub(super) fn budget_before_load(&self) -> Duration {
        let budget = self.work.settings.budget_seconds;
        let load: f64 =
            self.load_blocks().filter(|(_, out, _)| out.is_none()).map(|(.., seconds)| seconds).sum();
        let most = f64::from(LOOK_ROUNDS[LOOK_ROUNDS.len() - 1] / ROUNDS_PER_BLOCK);
        Duration::try_from_secs_f64(budget - (load * most).min(budget / 2.0)).unwrap_or_default()
    }

    /// The share of false regressions that a family may have: it is split evenly over the families that have tests.
    pub(super) fn family_rate(&self) -> f64 {
        let load = self.load_blocks().any(|(_, left_out, _)| left_out.is_none());
        let families = if load && (self.has_criterion() || self.has_commands(None)) { 2.0 } else { 1.0 };
        self.work.settings.policy.false_discovery_rate / families
    }

    /// Measures head's criterion benchmarks alone, `processes` fresh processes a benchmark.
    pub(super) fn criterion_single(&self, seed: u64, processes: u32) -> Result<Measured, Failure> {
        self.work.progress.tell(Event::Phase("measuring".into()));
        self.with_request(seed, &[], None, |request| {
            measure::measure_alone(request, processes, self.work.progress, self.work.interrupt, &mut |_| {})
                .map_err(Failure::measurement)
        })
    }

    /// Whether a benchmark that is stored belongs to what was selected: one of a target that the user left out has not vanished.
    pub(super) fn asks_for(&self, benchmark: &Benchmark) -> bool {
        if self.work.settings.only_commands {
            return self.is_of_a_command(benchmark);
        }
        if is_load(benchmark) || self.is_of_a_command(benchmark) {
            return !self.only_bench_targets();
        }
        let selection = &self.work.settings.selection;
        let lists = [&selection.benches, &selection.packages, &selection.exclude];
        lists.iter().all(|list| list.is_empty())
            || self.builds.pairs.iter().any(|pair| pair.target == benchmark.target)
            || selection.benches.contains(&benchmark.target)
    }

    /// Says what would run and what it would cost.
    pub(super) fn listing(&self) -> Result<measure::Listing, Failure> {
        self.work.progress.tell(Event::Phase("asking the bench targets for their benchmarks".into()));
        let mut listing = self.with_request(0, &[], None, |request| {
            measure::list(request, self.work.progress, self.work.interrupt).map_err(Failure::measurement)
        })?;
        let load = self.load_blocks().map(|(benchmark, left_out, block_seconds)| Listed {
            benchmark,
            block_seconds: if left_out.is_none() { block_seconds } else { 0.0 },
            fate: left_out.map(Fate::Ignored),
            method: SlotMethod::Load,
        });
        listing.benchmarks.extend(self.listed_programs());
        listing.benchmarks.extend(load);
        Ok(listing)
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
            budget: self.criterion_budget(),
            false_discovery_rate: self.family_rate(),
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
        let typed = self.work.settings.only_commands.then(|| {
            Warning::new(
                "typed_command",
                "the command was typed: to measure it again, give `--command` and what belongs to it too, or write it into \
                 `tollgate.toml` as `[[command]]`",
            )
        });
        self.builds.warnings.iter().cloned().chain(skipped).chain(typed).collect()
    }
}

/// Ends what a killed run left alive, and writes down what this one starts: compilers too, not only benches.
pub(super) fn put_on_record(interrupt: &Interrupt) {
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
