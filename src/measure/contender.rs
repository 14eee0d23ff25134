//! The benchmarks that will be measured, those that will not, and what the reader is told about both.

use super::{
    cost::{Cost, in_time},
    slot::Failure,
    stage::{Sampling, SlotSettings, whole_seconds},
    subject::Match,
};
use crate::{
    model::{
        benchmark::Benchmark,
        metric::Metric,
        run::{Fate, Measurement, Side, SlotMethod, Warning},
    },
    progress::{Event, Progress},
    text::{escape, plural},
};

/// Ids that a warning names.
const NAMED: usize = 5;
/// Why slots are long with an old criterion, and what to do about it.
pub(super) const WHOLE_SECONDS: &str = "are measured for whole seconds, since criterion before 0.4 takes no shorter times: update it for slots twenty times shorter";
/// What a process that writes files does beside its slot: analysis and writing, seconds.
const FILE_SECONDS: f64 = 0.1;

/// A benchmark that will be measured.
#[derive(Debug, Clone)]
pub(super) struct Contender {
    /// Where the two sides have it.
    pub(super) found: Match,
    /// The index of its pair.
    pub(super) pair: usize,
    /// What it costs and how its samples are taken.
    pub(super) cost: Cost,
    /// How its slots are had.
    pub(super) method: SlotMethod,
    /// What is measured of it.
    pub(super) metric: Metric,
}

/// What is known of a target before its first slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ground {
    /// The number of benchmarks that base and head hold: a pass that seats all of them needs no filter.
    pub(super) entries: (usize, usize),
    /// What starting six processes takes, seconds.
    pub(super) start_seconds: f64,
}

/// Everything before the first slot.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// Who will be measured.
    pub(super) contenders: Vec<Contender>,
    /// Who will not, and why.
    pub(super) settled: Vec<Measurement>,
    /// What the reader should know.
    pub(super) warnings: Vec<Warning>,
    /// By pair; `None` where nothing is measured.
    pub(super) grounds: Vec<Option<Ground>>,
}

impl Prepared {
    /// Adds a warning and tells it.
    pub(super) fn warn(&mut self, progress: &dyn Progress, code: &str, message: String) {
        progress.tell(Event::Warning(message.clone()));
        self.warnings.push(Warning::new(code, message));
    }

    pub(super) fn settle(&mut self, benchmark: Benchmark, fate: Fate) {
        self.settled.push(unmeasured(benchmark, fate));
    }
}

/// A measurement without blocks.
#[must_use]
pub(super) fn unmeasured(benchmark: Benchmark, fate: Fate) -> Measurement {
    Measurement { benchmark, metric: Metric::time(), fate, method: SlotMethod::default(), blocks: Vec::new() }
}

/// Ids as a warning names them.
#[must_use]
pub(super) fn named<'a>(benchmarks: impl IntoIterator<Item = &'a Benchmark>) -> String {
    let shown = |benchmark: &Benchmark| {
        format!("`{}`", escape::shortened(&escape::visible(benchmark.id.as_str()), 60))
    };
    plural::list(&benchmarks.into_iter().map(shown).collect::<Vec<_>>(), NAMED)
}

/// Which benchmarks of a target are not measured for the times that were asked for, as warnings with their codes.
pub(super) fn samplings(target: &str, costs: &[(&Benchmark, &Cost)]) -> Vec<(&'static str, String)> {
    let quick = "so their slots are taken with criterion's `--quick`";
    let kinds = [
        ("own_times", Sampling::Quick, true, format!("set their own times, {quick}")),
        ("own_times", Sampling::Timed, true, "set their own times, which this criterion keeps to".into()),
        (
            "own_times",
            Sampling::WholeSeconds,
            true,
            "set their own times, which this criterion keeps to".into(),
        ),
        ("whole_seconds", Sampling::WholeSeconds, false, WHOLE_SECONDS.into()),
        ("long_iteration", Sampling::Quick, false, format!("run long, {quick}")),
    ];
    let mut told = Vec::new();
    for (code, sampling, own, text) in kinds {
        let such = |(_, cost): &&(&Benchmark, &Cost)| cost.sampling == sampling && cost.own_times == own;
        let chosen: Vec<_> = costs.iter().filter(such).collect();
        if !chosen.is_empty() {
            let longest = chosen.iter().map(|(_, cost)| cost.slot_seconds()).fold(0.0, f64::max);
            let names = named(chosen.iter().map(|(benchmark, _)| *benchmark));
            told.push((code, format!("in `{target}`, {names} {text}: a slot takes up to {longest:.2} s")));
        }
    }
    told
}

/// What a slot costs that is had by files.
pub(super) fn file_cost(settings: &SlotSettings, sampling: Sampling) -> Cost {
    let (warm_up, measurement) = match sampling {
        Sampling::WholeSeconds => (whole_seconds(settings.warm_up), whole_seconds(settings.measurement)),
        Sampling::Timed | Sampling::Quick => (settings.warm_up, settings.measurement),
    };
    Cost {
        iteration_seconds: 0.0,
        before_seconds: FILE_SECONDS,
        warm_up,
        measurement,
        samples: u64::from(settings.samples),
        own_times: false,
        asked_seconds: in_time(warm_up, measurement),
        sampling,
        unit: "ns".into(),
        scale: 1.0,
    }
}

/// Wall-clock time where it is that; a measurement of the bench's own is named by its unit, and less of it is better.
pub(super) fn metric(unit: &str) -> Metric {
    let time = Metric::time();
    if unit == time.unit { time } else { Metric { name: unit.to_owned(), unit: unit.to_owned(), ..time } }
}

/// A failure of one side as a fate.
#[must_use]
pub(super) fn failed(side: Side, failure: &Failure) -> Fate {
    Fate::Failed { side: Some(side), message: failure.message() }
}
