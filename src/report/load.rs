//! What every format says of load: the numbers of each scenario, the tiers of targets, the score. Rounded, not escaped.

use crate::model::{
    load::{Advice, ErrorKind, Offered, QUANTILES, Quantile, Quantiles, Summary},
    run::Side,
    targets::{Part, PartResult, Score, ScorePart, TierResult},
    verdict::CheckVerdict,
};
use crate::report::stress::StressView;
use crate::text::{plural, quantity};

/// Scenarios that are shown; the JSON has all.
pub const MAX_SCENARIOS: usize = 20;
/// Kinds of request that are shown of a scenario.
pub const MAX_ENDPOINTS: usize = 20;
/// Metrics of a scenario's own that are shown.
const MAX_METRICS: usize = 20;
/// Void windows whose reasons are shown.
const MAX_VOID: usize = 3;

/// The load of a verdict as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadView {
    /// Searches for the rate that services bear.
    pub stress: Vec<StressView>,
    /// The scenarios, at most [`MAX_SCENARIOS`].
    pub scenarios: Vec<ScenarioView>,
    /// How many more the JSON has.
    pub more: usize,
    /// The tiers of targets.
    pub tiers: Vec<TierView>,
    /// The score.
    pub score: Option<ScoreView>,
    /// What to look at: `load:x: …`, the weightiest first.
    pub advice: Vec<String>,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioView {
    /// `load:` and its name.
    pub name: String,
    /// `200 requests/s for 8.0 s after 1.0 s of warm-up`.
    pub load: String,
    /// What keeps windows from counting.
    pub notes: Vec<String>,
    /// Its levels, where it was asked at several; else without rows.
    pub levels: Grid,
    /// Quantiles of response and service time.
    pub clocks: Grid,
    /// Requests by what became of them, and what the service used.
    pub numbers: Grid,
    /// Head by kind of request; without rows where there is only one kind.
    pub endpoints: Grid,
}

/// A small table. The first column has names, the others numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grid {
    /// Titles of the columns.
    pub header: Vec<String>,
    /// Rows with as many cells.
    pub rows: Vec<Vec<String>>,
}

/// What a target's sign means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// It was met.
    Yes,
    /// It was missed.
    No,
    /// This run does not show it.
    NotShown,
}

impl Met {
    fn of(met: Option<bool>) -> Self {
        match met {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::NotShown,
        }
    }

    /// `✓`, `✗` or `?`.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Yes => "✓",
            Self::No => "✗",
            Self::NotShown => "?",
        }
    }

    /// `met`, `missed` or `not shown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "met",
            Self::No => "missed",
            Self::NotShown => "not shown",
        }
    }
}

/// A tier of targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierView {
    /// Its name.
    pub name: String,
    /// Whether it was met.
    pub met: Met,
    /// Whether the project demands it.
    pub required: bool,
    /// Its parts: sign and sentence.
    pub parts: Vec<(Met, String)>,
}

/// The score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreView {
    /// `6.8 of 10: not production ready, combat-capable; 60 % of the table was measured`.
    pub summary: String,
    /// The lines of the grading table: part, value, points, mark, weight, and the honest sentence.
    pub parts: Vec<[String; 6]>,
    /// What a reader must know of it.
    pub notes: Vec<String>,
}

impl LoadView {
    /// The view of a verdict's load; `None` where there is none.
    #[must_use]
    pub fn of(verdict: &CheckVerdict) -> Option<Self> {
        // Where nothing was asked, tiers and a score of nothing hide why; a tier that is demanded says that it was not shown.
        if verdict.load.is_empty()
            && verdict.stress.is_empty()
            && !verdict.targets.iter().any(|tier| tier.required)
        {
            return None;
        }
        let mut names: Vec<&str> = Vec::new();
        for load in &verdict.load {
            if !names.contains(&load.scenario.as_str()) {
                names.push(&load.scenario);
            }
        }
        let scenario = |name: &&str| {
            let sides: Vec<&Summary> = verdict.load.iter().filter(|load| load.scenario == **name).collect();
            let levels: Vec<&Summary> =
                verdict.levels.iter().filter(|level| level.scenario == **name).collect();
            ScenarioView::of(&sides, &levels)
        };
        // Where no request at all was answered, every tier is missed and every mark is poor: only the reason counts, and what is demanded.
        let silent = is_silent(verdict);
        let tiers = verdict.targets.iter().filter(|tier| tier.required || !silent);
        Some(Self {
            stress: verdict.stress.iter().take(MAX_SCENARIOS).map(StressView::of).collect(),
            scenarios: names.iter().take(MAX_SCENARIOS).filter_map(scenario).collect(),
            more: names.len().saturating_sub(MAX_SCENARIOS),
            tiers: tiers.map(TierView::of).collect(),
            score: verdict.score.as_ref().filter(|_| !silent).map(ScoreView::of),
            advice: verdict.advice.iter().map(advice).collect(),
        })
    }
}

/// Whether requests were due, and none of any scenario was answered as expected.
fn is_silent(verdict: &CheckVerdict) -> bool {
    let all = || verdict.load.iter().chain(&verdict.levels);
    all().any(|load| load.requests.scheduled > 0) && all().all(|load| load.requests.completed == 0)
}

fn advice(advice: &Advice) -> String {
    format!("load:{}: {}", advice.scenario, advice.text)
}

impl ScenarioView {
    fn of(sides: &[&Summary], levels: &[&Summary]) -> Option<Self> {
        let first = sides.iter().find(|load| load.side == Side::Head).or(sides.first())?;
        let asked = asked(first);
        let (seconds, warmup) = (quantity::seconds(first.seconds), quantity::seconds(first.warmup_seconds));
        let warmup =
            if first.warmup_seconds > 0.0 { format!(" after {warmup} of warm-up") } else { String::new() };
        let windows = match first.slots.valid().max(1) {
            1 => String::new(),
            windows => format!(" in {} windows", quantity::count(windows)),
        };
        Some(Self {
            name: format!("load:{}", first.scenario),
            load: format!("{asked} for {seconds}{windows}{warmup}"),
            notes: notes(sides, levels),
            levels: self::levels(levels),
            clocks: clocks(sides),
            numbers: numbers(sides),
            endpoints: endpoints(first),
        })
    }
}

/// `200 requests/s`, `50 users`.
fn asked(load: &Summary) -> String {
    match load.offered {
        Offered::Rate(rate) => quantity::value(rate, "requests/s"),
        Offered::Users(users) => plural::count(users as usize, "user"),
    }
}

fn notes(sides: &[&Summary], levels: &[&Summary]) -> Vec<String> {
    let several = (!levels.is_empty()).then(|| {
        let levels = plural::count(levels.len(), "level");
        format!("{levels}; the numbers below them are of the last one that counts")
    });
    several.into_iter().chain(sides.iter().flat_map(|load| void(load))).collect()
}

/// A line for each level.
fn levels(levels: &[&Summary]) -> Grid {
    let titles = ["level", "due", "failed", "p50", "p95", "p99", "CPUs"];
    let row = |level: &&Summary| {
        let quantile = |name: &str| latency(level.latency.and_then(|quantiles| quantiles.named(name)));
        let failed = level.requests.errors.saturating_add(level.requests.unfinished);
        let cpu = level.costs.cpu.map(|cpu| quantity::value(cpu, ""));
        let void = if level.is_valid() { "" } else { " (does not count)" };
        vec![
            format!("{}{void}", asked(level)),
            quantity::count(level.requests.scheduled),
            quantity::count(failed),
            quantile("p50"),
            quantile("p95"),
            quantile("p99"),
            cpu.unwrap_or_else(|| "–".to_owned()),
        ]
    };
    Grid { header: titles.map(str::to_owned).to_vec(), rows: levels.iter().map(row).collect() }
}

fn void(load: &Summary) -> Vec<String> {
    let all = load.slots.void.len();
    if all == 0 {
        return Vec::new();
    }
    let none = if load.is_valid() { "" } else { ", so none is left and the numbers are of those" };
    let windows = plural::count(usize::try_from(load.slots.measured).unwrap_or(usize::MAX), "window");
    let verb = if all == 1 { "does" } else { "do" };
    let head = format!("{all} of {windows} of {} {verb} not count{none}", load.side.as_str());
    let reasons = load.slots.void.iter().take(MAX_VOID).cloned();
    std::iter::once(head).chain(reasons).collect()
}

fn side_titles(sides: &[&Summary], what: &str) -> Vec<String> {
    match sides {
        [_] => vec![what.to_owned()],
        sides => sides.iter().map(|load| format!("{what}, {}", load.side.as_str())).collect(),
    }
}

fn clocks(sides: &[&Summary]) -> Grid {
    let mut columns: Vec<Option<Quantiles>> = sides.iter().map(|load| load.latency).collect();
    columns.extend(sides.iter().map(|load| load.service_time));
    // Where nothing was answered, there is no time to show.
    if columns.iter().all(Option::is_none) {
        return Grid::default();
    }
    let header = std::iter::once(String::new())
        .chain(side_titles(sides, "response"))
        .chain(side_titles(sides, "service"))
        .collect();
    let names = QUANTILES.iter().map(|(name, _)| *name).chain(["max"]);
    let row = |name: &str| {
        let cells = columns.iter().map(|column| latency(column.and_then(|quantiles| quantiles.named(name))));
        std::iter::once(name.to_owned()).chain(cells).collect()
    };
    Grid { header, rows: names.map(row).collect() }
}

/// `1.09 s`, or `≥ 1.09 s` where requests without an answer reach down to it.
fn latency(quantile: Option<Quantile>) -> String {
    quantile.map_or_else(String::new, |quantile| {
        let text = quantity::value(quantile.ns, "ns");
        if quantile.lower_bound { format!("≥ {text}") } else { text }
    })
}

fn numbers(sides: &[&Summary]) -> Grid {
    let header = match sides {
        [_] => vec![String::new(), String::new()],
        sides => std::iter::once(String::new())
            .chain(sides.iter().map(|load| load.side.as_str().to_owned()))
            .collect(),
    };
    let mut grid = Grid { header, rows: Vec::new() };
    let mut row = |name: &str, cell: Cell<'_>| {
        let cells: Vec<Option<String>> = sides.iter().map(|load| cell(load)).collect();
        if cells.iter().any(Option::is_some) {
            let cells = cells.into_iter().map(Option::unwrap_or_default);
            grid.rows.push(std::iter::once(name.to_owned()).chain(cells).collect());
        }
    };
    let count = |count: u64| Some(quantity::count(count));
    let some = |value: u64| (value > 0).then(|| quantity::count(value));
    row("requests due", &|load| count(load.requests.scheduled));
    row("answered as expected", &|load| count(load.requests.completed));
    row("errors", &|load| count(load.requests.errors));
    for kind in ErrorKind::ALL {
        row(&format!("· {}", kind.as_str()), &|load| some(*load.requests.error_kinds.get(&kind)?));
    }
    row("unfinished", &|load| count(load.requests.unfinished));
    row("sent again", &|load| some(load.requests.retried));
    for part in [Part::ErrorRate, Part::Availability, Part::Throughput, Part::ConcurrentUsers] {
        row(title(part), &|load| Some(quantity::value(part.value(load)?, part.unit())));
    }
    let p95 =
        |quantiles: Option<Quantiles>| Some(latency(quantiles?.named("p95"))).filter(|text| !text.is_empty());
    row("pool wait, p95", &|load| p95(load.pool_wait));
    row("connecting, p95", &|load| p95(load.connect));
    row("first byte, p95", &|load| p95(load.first_byte));
    costs(&mut row);
    let metrics: std::collections::BTreeSet<&String> =
        sides.iter().flat_map(|load| load.costs.metrics.keys()).collect();
    for name in metrics.into_iter().take(MAX_METRICS) {
        row(name, &|load| Some(quantity::value(*load.costs.metrics.get(name)?, "")));
    }
    row("generator late, p99", &|load| Some(latency(load.send_lag?.named("p99"))));
    grid
}

fn title(part: Part) -> &'static str {
    match part {
        Part::ErrorRate => "error rate",
        Part::Availability => "availability",
        Part::Throughput => "throughput",
        Part::ConcurrentUsers => "concurrent users, peak",
        other => other.as_str(),
    }
}

/// What a row says of one side; `None` where there is nothing to say.
type Cell<'a> = &'a dyn Fn(&Summary) -> Option<String>;

/// What the service used.
fn costs(row: &mut dyn FnMut(&str, Cell<'_>)) {
    row("CPU per request", &|load| Some(quantity::value(load.costs.cpu_per_request_ns?, "ns")));
    row("CPUs busy", &|load| Some(quantity::value(load.costs.cpu?, "")));
    row("CPU of its limit", &|load| Some(quantity::share(load.costs.cpu_share?)));
    row("memory, peak", &|load| Some(quantity::bytes(load.costs.rss_peak_bytes? as f64)));
    row("memory of its limit", &|load| Some(quantity::share(load.costs.memory_share?)));
    row("threads, peak", &|load| Some(quantity::count(load.costs.threads_peak?)));
    row("descriptors, peak", &|load| Some(quantity::count(load.costs.descriptors_peak?)));
    row("answers", &|load| (load.received_bytes > 0).then(|| quantity::bytes(load.received_bytes as f64)));
}

fn endpoints(load: &Summary) -> Grid {
    let titles = ["request", "due", "errors", "p50", "p95", "p99"];
    let mut grid = Grid { header: titles.map(str::to_owned).to_vec(), rows: Vec::new() };
    if load.endpoints.len() < 2 {
        return grid;
    }
    for endpoint in load.endpoints.iter().take(MAX_ENDPOINTS) {
        let requests = &endpoint.requests;
        let quantile = |name: &str| latency(endpoint.latency.and_then(|quantiles| quantiles.named(name)));
        grid.rows.push(vec![
            endpoint.name.clone(),
            quantity::count(requests.scheduled),
            quantity::count(requests.errors.saturating_add(requests.unfinished)),
            quantile("p50"),
            quantile("p95"),
            quantile("p99"),
        ]);
    }
    grid
}

impl TierView {
    fn of(tier: &TierResult) -> Self {
        Self {
            name: tier.tier.clone(),
            met: Met::of(tier.met),
            required: tier.required,
            parts: tier.parts.iter().map(|part| (Met::of(part.met), sentence(part))).collect(),
        }
    }
}

/// `error_rate 2.5 %, to be below 2 %`.
fn sentence(part: &PartResult) -> String {
    let value = |value: f64| quantity::value(value, part.part.unit());
    let demand = if part.part.higher_is_better() { "to be at least" } else { "to be below" };
    let measured = part.measured.map_or_else(|| "not measured".to_owned(), value);
    let note = if part.note.is_empty() { String::new() } else { format!(" ({})", part.note) };
    format!("{} {measured}, {demand} {}{note}", part.part.as_str(), value(part.limit))
}

impl ScoreView {
    fn of(score: &Score) -> Self {
        let points = quantity::points(score.points);
        let summary = format!(
            "{points} of {}: {}, {}; {} of the table was measured",
            quantity::value(Score::OF, ""),
            score.grade(),
            score.standing(),
            quantity::percent(score.coverage),
        );
        Self { summary, parts: score.parts.iter().map(score_line).collect(), notes: score.notes.clone() }
    }
}

fn score_line(part: &ScorePart) -> [String; 6] {
    [
        part.part.as_str().to_owned(),
        part.value.map_or_else(|| "–".to_owned(), |value| quantity::value(value, part.part.unit())),
        part.points.map_or_else(|| "–".to_owned(), quantity::points),
        part.mark.map_or_else(|| "–".to_owned(), |mark| mark.as_str().to_owned()),
        quantity::percent(part.weight),
        part.basis.clone(),
    ]
}
