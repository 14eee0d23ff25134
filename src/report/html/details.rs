//! What the page's script draws of one benchmark when it is opened: texts, and positions on axes that were laid out here, so that
//! nothing is rounded or scaled in two places.

use serde_json::{Value, json};

use super::scale::Scale;
use crate::model::{
    metric::Direction,
    run::{Mode, Side},
    verdict::{CheckVerdict, Judgement, SlotValue, Verdict},
};
use crate::report::{sentences, view::Row};
use crate::text::{escape, plural, quantity};

/// More points of one benchmark are thinned to the extremes of each stretch.
const MOST_POINTS: usize = 5_000;
/// Stretches that a thinned series has.
const STRETCHES: usize = 1_000;
/// Steps of a distribution whose points were thinned.
const STEPS: usize = 400;
/// A longer name loses its middle, also in the address of its row.
const LONGEST_NAME: usize = 400;

/// A longer value has an odd unit, which loses its middle.
const LONGEST_VALUE: usize = 40;

/// What the facts of a row are about, in their order.
pub(super) const LABELS: [&str; 11] = [
    "base",
    "head",
    "change",
    "interval",
    "confidence of each end",
    "margin",
    "rounds",
    "adjusted p",
    "scatter",
    "smallest change found four times in five",
    "bench target",
];

/// The name under which a row is found, by search and by address.
pub(super) fn name(row: &Row) -> String {
    escape::shortened(&escape::visible(&row.label()), LONGEST_NAME)
}

/// All of one row: `n` name, `k` keys to sort by, `s` sentences, `f` facts, `r` the command that measures it again, `p` the plot.
pub(super) fn row(verdict: &CheckVerdict, judgement: &Judgement, row: &Row, rank: usize) -> Value {
    let lines: Vec<String> = row.sentence_lines().iter().map(|line| escape::visible(line)).collect();
    let estimate = judgement.change.map(|change| change.estimate);
    json!({
        "n": name(row),
        "k": [rank, key(judgement.base), key(judgement.head), key(estimate), key(Some(judgement.margin)), judgement.rounds],
        "s": lines,
        "f": facts(judgement, row),
        "r": again(verdict, judgement),
        "p": plot(judgement, noun(verdict, judgement)),
    })
}

/// A key for sorting: six digits are enough to order by.
fn key(value: Option<f64>) -> Option<f64> {
    format!("{:.5e}", value?).parse().ok().filter(|key: &f64| key.is_finite())
}

fn facts(judgement: &Judgement, row: &Row) -> [String; 11] {
    let confidence = judgement.change.map_or_else(String::new, |change| quantity::percent(change.confidence));
    let detectable = judgement.minimum_detectable.map_or_else(String::new, quantity::share);
    let target = escape::shortened(&escape::visible(&judgement.benchmark.target), LONGEST_NAME);
    [
        escape::shortened(&escape::visible(&row.base), LONGEST_VALUE),
        escape::shortened(&escape::visible(&row.head), LONGEST_VALUE),
        row.change.clone(),
        row.interval.clone(),
        confidence,
        row.margin.clone(),
        row.rounds.clone(),
        row.q_value.clone(),
        row.scatter.clone(),
        detectable,
        target,
    ]
}

/// The command that measures this benchmark again; none where a shell could read its name in another way, or where nothing of ours
/// measured it.
fn again(verdict: &CheckVerdict, judgement: &Judgement) -> Option<String> {
    let measured = matches!(verdict.mode, Mode::Paired | Mode::Stored)
        && !matches!(judgement.verdict, Verdict::Missing | Verdict::New);
    let id = judgement.benchmark.id.as_str();
    let plain =
        id.len() <= 200 && id.chars().all(|c| c.is_alphanumeric() || " _-/:.,=+()[]<>|*#@".contains(c));
    (measured && plain).then(|| format!("{} --filter '^{}$'", sentences::check_command(verdict), literal(id)))
}

/// A text as a regular expression that matches only it.
fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for character in text.chars() {
        if ".+*?()|[]{}^$#&-~\\".contains(character) && character != '-' {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// What one value of a row is: one and several.
type Noun = [&'static str; 2];

fn noun(verdict: &CheckVerdict, row: &Judgement) -> Noun {
    match verdict.mode {
        _ if row.benchmark.id.as_str().starts_with("load:") => ["trial", "trials"],
        Mode::OneLook => ["value", "values"],
        Mode::Paired | Mode::Stored | Mode::Single => ["process", "processes"],
    }
}

/// The value of a process that leads the judgement: its fast end where less is better, else its median.
fn shown(slot: &SlotValue, direction: Direction) -> f64 {
    match direction {
        Direction::Lower => slot.fast,
        Direction::Higher => slot.median,
    }
}

/// The processes on one axis, relative to base's value; `u` is what they are called. `y` ticks; `b` slots of each block; `w` whose each slot is (`b`, `h`); `v` where each
/// stands; `m` base's and head's value; `g` the margin's ends; `c` the change (lower, estimate, upper); `e` distributions of thinned points;
/// `o` how many stand beyond the axis; `t` and `d` say it in words.
fn plot(row: &Judgement, noun: Noun) -> Option<Value> {
    let value = |slot: &SlotValue| (slot.side, shown(slot, row.metric.direction));
    let blocks: Vec<Vec<(Side, f64)>> = row
        .slots
        .iter()
        .map(|block| block.iter().map(value).filter(|(_, v)| v.is_finite()).collect())
        .collect();
    let all: Vec<(Side, f64)> = blocks.iter().flatten().copied().collect();
    let reference =
        [row.base, row.head].into_iter().flatten().find(|value| *value > 0.0 && value.is_finite())?;
    if all.is_empty() {
        return None;
    }
    let relative: Vec<(Side, f64)> =
        all.iter().map(|(side, value)| (*side, value / reference - 1.0)).collect();
    let scale = axis(row, &relative);
    let place = |value: f64| scale.place(value);
    let beyond = relative.iter().filter(|(_, value)| !scale.holds(*value)).count();
    let (points, lengths, thinned) = if relative.len() > MOST_POINTS {
        (thin(&relative), Vec::new(), true)
    } else {
        (relative.clone(), blocks.iter().map(Vec::len).collect(), false)
    };
    let whose: String = points.iter().map(|(side, _)| if *side == Side::Base { 'b' } else { 'h' }).collect();
    let steps = |side| distribution(&relative, side, place);
    let shift = |value: Option<f64>| value.map(|value| place(value / reference - 1.0));
    Some(json!({
        "y": scale.changes(),
        "b": lengths,
        "w": whose,
        "v": points.iter().map(|(_, value)| place(*value)).collect::<Vec<_>>(),
        "m": [shift(row.base), shift(row.head)],
        "g": [place(-row.margin), place(row.margin)],
        "z": place(0.0),
        "c": row.change.map(|change| [change.lower.map(place), Some(place(change.estimate)), change.upper.map(place)]),
        "e": thinned.then(|| [steps(Side::Base), steps(Side::Head)]),
        "o": beyond,
        "u": noun[1],
        "t": in_words(row, &all, Side::Base, noun).into_iter().chain(in_words(row, &all, Side::Head, noun)).collect::<Vec<_>>().join("; "),
        "d": change_in_words(row),
    }))
}

/// An axis that holds the processes, the margin and the interval, but does not stretch for a few that are far away.
fn axis(row: &Judgement, relative: &[(Side, f64)]) -> Scale {
    let mut sorted: Vec<f64> = relative.iter().map(|(_, value)| *value).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |per_cent: usize| sorted[(sorted.len() - 1) * per_cent / 100];
    let (low, high) = (at(5), at(95));
    let spread = (high - low).max(row.margin).max(1e-4);
    let near = |value: &f64| *value >= low - 3.0 * spread && *value <= high + 3.0 * spread;
    let interval = row.change.map(|change| [change.lower, Some(change.estimate), change.upper]);
    let ends = interval.into_iter().flatten().flatten().chain([-row.margin, row.margin]);
    let kept: Vec<f64> = sorted.iter().copied().chain(ends).filter(near).chain([0.0]).collect();
    let least = kept.iter().copied().fold(f64::INFINITY, f64::min);
    let most = kept.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Scale::new(least, most).padded(0.05)
}

/// The smallest and largest of each side in each stretch, in time order.
fn thin(points: &[(Side, f64)]) -> Vec<(Side, f64)> {
    let mut kept = Vec::new();
    for stretch in points.chunks(points.len().div_ceil(STRETCHES)) {
        for side in [Side::Base, Side::Head] {
            let mine = || stretch.iter().filter(|(whose, _)| *whose == side).copied();
            kept.extend(mine().min_by(|a, b| a.1.total_cmp(&b.1)));
            kept.extend(mine().max_by(|a, b| a.1.total_cmp(&b.1)));
        }
    }
    kept
}

/// Where the quantiles of one side stand, from the smallest to the largest.
fn distribution(points: &[(Side, f64)], side: Side, place: impl Fn(f64) -> i32) -> Vec<i32> {
    let mut mine: Vec<f64> =
        points.iter().filter(|(whose, _)| *whose == side).map(|(_, value)| *value).collect();
    mine.sort_by(f64::total_cmp);
    let last = mine.len().saturating_sub(1);
    (0..=STEPS).filter_map(|step| mine.get(last * step / STEPS)).map(|value| place(*value)).collect()
}

/// `base: 9 processes, 17.1 µs to 17.4 µs, value 17.2 µs`; `None` without processes.
fn in_words(row: &Judgement, all: &[(Side, f64)], side: Side, noun: Noun) -> Option<String> {
    let unit = escape::visible(&row.metric.unit);
    let mine: Vec<f64> = all.iter().filter(|(whose, _)| *whose == side).map(|(_, value)| *value).collect();
    let least = mine.iter().copied().min_by(f64::total_cmp)?;
    let most = mine.iter().copied().max_by(f64::total_cmp)?;
    let value = if side == Side::Base { row.base } else { row.head };
    let value = value.map_or_else(String::new, |value| format!(", value {}", quantity::value(value, &unit)));
    let count = quantity::count(mine.len() as u64);
    let processes = format!("{count} {}", plural::choose(mine.len(), noun[0], noun[1]));
    let (least, most) = (quantity::value(least, &unit), quantity::value(most, &unit));
    Some(format!("{}: {processes}, {least} to {most}{value}", side.as_str()))
}

fn change_in_words(row: &Judgement) -> String {
    let margin = format!("margin {}", quantity::percent(row.margin));
    match row.change {
        Some(change) => format!(
            "change {}, interval {}, {margin}, over {}",
            quantity::change(change.estimate),
            quantity::interval(change.lower, change.upper),
            plural::count(row.rounds as usize, "round"),
        ),
        None => format!("no change was estimated; {margin}"),
    }
}
