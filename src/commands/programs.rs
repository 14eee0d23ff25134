//! Commands of the user beside criterion benchmarks: both are measured in one go, and come back as one.

use crate::{
    commands::{
        failure::Failure,
        session::{NO_BENCH_TARGET, Session},
    },
    files::scratch::Scratch,
    judge::policy::Rules,
    measure::{
        self, Measured, SlotSettings,
        listing::Listed,
        program::{Request, Site, alone, paired, runner},
        request::NOT_MATCHED,
    },
    model::{
        benchmark::Benchmark,
        metric::Metric,
        revision::Revision,
        run::{Fate, Measurement, Side, SlotMethod},
    },
    progress::Event,
    text::quantity,
};
use std::{collections::BTreeSet, time::Duration};

/// How the names of our folders begin; the process id of their owner follows.
const SCRATCH: &str = "commands-";

/// Which sides commands run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sides {
    Both,
    Head,
}

impl Session<'_> {
    /// Measures base and head in paired rounds: criterion benchmarks, then commands; only the benchmarks in `only` where that is
    /// given.
    pub(super) fn paired(
        &self,
        seed: u64,
        previous: &[Measurement],
        only: Option<&BTreeSet<Benchmark>>,
        keep: measure::Keep<'_>,
    ) -> Result<Measured, Failure> {
        let (of_commands, previous): (Vec<Measurement>, Vec<Measurement>) =
            previous.iter().cloned().partition(|measurement| measurement.method == SlotMethod::Command);
        let mut measured = if self.has_nothing_for_criterion() {
            Measured::default()
        } else {
            self.criterion_paired(seed, &previous, only, &mut |so_far| {
                keep(&[so_far, &of_commands].concat());
            })?
        };
        if measured.interrupted.is_some() {
            measured.measurements.extend(of_commands);
        } else if self.has_commands(only) {
            let done = measured.measurements.clone();
            let more =
                self.with_programs(seed, (&of_commands, only), Sides::Both, measured.spent, |request| {
                    paired::measure(request, self.work().progress, &mut |so_far| {
                        keep(&[&done, so_far].concat());
                    })
                })?;
            measured = joined(measured, more);
        }
        measured.measurements.extend(self.programs_left_out());
        self.tell_time(&measured);
        Ok(measured)
    }

    /// Measures head alone, `processes` fresh processes a benchmark or command.
    pub(super) fn single(&self, seed: u64, processes: u32) -> Result<Measured, Failure> {
        let mut measured = if self.has_nothing_for_criterion() {
            Measured::default()
        } else {
            self.criterion_single(seed, processes)?
        };
        measured.measurements.extend(self.programs_left_out());
        if measured.interrupted.is_some() || !self.has_commands(None) {
            return Ok(measured);
        }
        let more = self.with_programs(seed, (&[], None), Sides::Head, measured.spent, |request| {
            alone::measure_alone(request, processes, self.work().progress)
        })?;
        Ok(joined(measured, more))
    }

    /// What would be measured of commands: their benchmarks are known when they run.
    pub(super) fn listed_programs(&self) -> impl Iterator<Item = Listed> {
        self.work().settings.commands.iter().map(|program| Listed {
            benchmark: runner::whole(program),
            block_seconds: 0.0,
            fate: self.only_bench_targets().then(|| Fate::Ignored(NO_BENCH_TARGET.into())),
            method: SlotMethod::Command,
        })
    }

    /// Commands that are no bench targets where the user named some: each is told of once.
    fn programs_left_out(&self) -> impl Iterator<Item = Measurement> {
        let left_out = self.listed_programs().filter_map(|listed| Some((listed.benchmark, listed.fate?)));
        left_out.map(|(benchmark, fate)| Measurement {
            benchmark,
            metric: Metric::time(),
            fate,
            method: SlotMethod::Command,
            blocks: Vec::new(),
        })
    }

    /// Whether a benchmark that is stored is one of a command's.
    pub(super) fn is_of_a_command(&self, benchmark: &Benchmark) -> bool {
        let id = benchmark.id.as_str();
        self.work().settings.commands.iter().any(|program| {
            let rest = id.strip_prefix(program.name.as_str());
            rest.is_some_and(|rest| {
                rest.starts_with(':') || (rest.is_empty() && benchmark.target == runner::TARGET)
            })
        })
    }

    /// Whether there are commands to measure.
    pub(super) fn has_commands(&self, only: Option<&BTreeSet<Benchmark>>) -> bool {
        !self.work().settings.commands.is_empty()
            && !self.only_bench_targets()
            && only.is_none_or(|only| only.iter().any(|benchmark| self.is_of_a_command(benchmark)))
    }

    /// Without bench targets there may be something else to measure.
    fn has_nothing_for_criterion(&self) -> bool {
        self.builds.pairs.is_empty() && (self.has_load() || self.has_commands(None))
    }

    fn tell_time(&self, measured: &Measured) {
        let (spent, outside) = (measured.spent.as_secs_f64(), measured.outside.as_secs_f64());
        if spent > 0.0 {
            self.work().progress.tell(Event::Note(format!(
                "measured for {}, {} of it outside the benchmark processes",
                quantity::seconds(spent),
                quantity::seconds(outside)
            )));
        }
    }

    /// The rules of the project as commands need them.
    fn with_programs<T>(
        &self,
        seed: u64,
        (previous, only): (&[Measurement], Option<&BTreeSet<Benchmark>>),
        sides: Sides,
        spent: Duration,
        job: impl FnOnce(&Request<'_>) -> T,
    ) -> Result<T, Failure> {
        let work = self.work();
        let settings = work.settings;
        let rules = Rules::new(&settings.policy);
        let left_out = |benchmark: &Benchmark, metric: &Metric| {
            let (id, whole) = (benchmark.id.as_str(), format!("{}:{}", benchmark.target, benchmark.id));
            if only.is_some_and(|only| !only.contains(benchmark)) {
                Some("not suspect".to_owned())
            } else if self.filter().is_some_and(|filter| !filter.is_match(id) && !filter.is_match(&whole)) {
                Some(NOT_MATCHED.to_owned())
            } else {
                rules.limits(benchmark, metric).left_out
            }
        };
        let limits = |benchmark: &Benchmark, metric: &Metric| rules.limits(benchmark, metric);
        let builds = &self.builds;
        let scratch = Scratch::new_in(&builds.state_folder, SCRATCH).map_err(Failure::measurement)?;
        let base = builds.tree(Side::Base).filter(|_| sides == Sides::Both);
        let Some(head) = builds.tree(Side::Head) else { unreachable!("head always has a tree") };
        let revs = (builds.base.as_ref().map_or("", rev), rev(&builds.head));
        let same_tree =
            builds.base.as_ref().is_some_and(|base| base.tree.is_some() && base.tree == builds.head.tree);
        let site = Site {
            root: &builds.root,
            base,
            head,
            revs,
            same_files: same_tree && !settings.measure_identical,
            scratch: scratch.path(),
            build_timeout: settings.build_timeout,
            pin: settings.pin,
            void_share: SlotSettings::default().void_share,
            interrupt: work.interrupt,
        };
        let request = Request {
            programs: &settings.commands,
            site,
            left_out: &left_out,
            limits: &limits,
            seed,
            budget: self.budget_before_load().saturating_sub(spent),
            false_discovery_rate: self.family_rate(),
            family: settings.policy.family,
            previous,
        };
        Ok(job(&request))
    }
}

/// What `{rev}` is: the commit, or the tree where that is no commit's.
fn rev(revision: &Revision) -> &str {
    revision.rev.as_deref().or(revision.tree.as_deref()).unwrap_or_default()
}

/// Both as one.
fn joined(one: Measured, other: Measured) -> Measured {
    let mut measurements = [one.measurements, other.measurements].concat();
    measurements.sort_by(|a, b| (&a.benchmark, &a.metric.name).cmp(&(&b.benchmark, &b.metric.name)));
    Measured {
        measurements,
        warnings: [one.warnings, other.warnings].concat(),
        interrupted: one.interrupted.or(other.interrupted),
        spent: one.spent + other.spent,
        outside: one.outside + other.outside,
    }
}
