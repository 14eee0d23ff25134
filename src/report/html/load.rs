//! Load: percentile curves of both clocks, the load second by second, what became of the requests, targets and score.

use super::{
    chart::{Chart, Look, Series},
    page::prose,
    seconds,
};
use crate::model::{
    load::{Clocks, Distribution, Quantiles, Summary, Trial},
    run::Side,
    verdict::CheckVerdict,
};
use crate::report::load::{Grid, LoadView, Met, ScenarioView, ScoreView, TierView};
use crate::report::stress::StressView;
use crate::text::{escape, plural, quantity};

/// Shares of the requests at which a curve is drawn, and how they are called below it.
const SHARES: [(f64, &str); 21] = [
    (0.1, ""),
    (0.2, ""),
    (0.3, ""),
    (0.4, ""),
    (0.5, "50 %"),
    (0.6, ""),
    (0.7, ""),
    (0.75, ""),
    (0.8, ""),
    (0.85, ""),
    (0.9, "90 %"),
    (0.925, ""),
    (0.95, ""),
    (0.97, ""),
    (0.98, ""),
    (0.99, "99 %"),
    (0.995, ""),
    (0.998, ""),
    (0.999, "99.9 %"),
    (0.9995, ""),
    (0.9999, "99.99 %"),
];

/// The sections of a verdict's load.
pub(super) fn render(verdict: &CheckVerdict, view: &LoadView) -> String {
    let mut html =
        String::from("<section aria-labelledby=\"load\"><h2 id=\"load\">Service under load</h2>\n");
    if !view.tiers.is_empty() {
        html +=
            &format!("<div class=\"tiers\">\n{}</div>\n", view.tiers.iter().map(tier).collect::<String>());
    }
    html += &advice(&view.advice);
    html += &view.stress.iter().map(search).collect::<String>();
    html += &view.score.as_ref().map(score).unwrap_or_default();
    for scenario in &view.scenarios {
        html += &self::scenario(verdict, scenario);
    }
    if view.more > 0 {
        html += &format!(
            "<p class=\"empty\">and {} in the JSON</p>\n",
            plural::count(view.more, "more scenario")
        );
    }
    html + "</section>\n"
}

/// What to look at, each a sentence with its figures.
fn advice(advice: &[String]) -> String {
    if advice.is_empty() {
        return String::new();
    }
    let items: String = advice.iter().map(|text| format!("<li>{}</li>\n", prose(text))).collect();
    format!("<article class=\"scenario\"><h3>What to look at</h3>\n<ul>\n{items}</ul></article>\n")
}

/// What a search for the breaking point found, with its steps.
fn search(view: &StressView) -> String {
    let lines: String = view.lines.iter().map(|line| format!("<li>{}</li>\n", prose(line))).collect();
    format!(
        "<article class=\"scenario\"><h3><code>{}</code> <span>{}</span></h3>\n<ul>\n{lines}</ul>\n<div class=\"grids\">\n{}</div></article>\n",
        escape::html(&escape::shortened(&escape::visible(&view.name), 200)),
        prose(&view.summary),
        grid(&view.steps, "Steps of the search"),
    )
}

fn met_class(met: Met) -> &'static str {
    match met {
        Met::Yes => "met",
        Met::No => "missed",
        Met::NotShown => "unknown",
    }
}

fn tier(tier: &TierView) -> String {
    let parts = tier.parts.iter().map(|(met, part)| {
        format!(
            "<li class=\"{}\"><span class=\"sign\">{}</span><span>{}</span></li>\n",
            met_class(*met),
            met.as_str(),
            prose(part)
        )
    });
    format!(
        "<article class=\"tier {}\"><h3>{}</h3><p class=\"standing\">{}{}</p><ul>\n{}</ul></article>\n",
        met_class(tier.met),
        prose(&tier.name),
        tier.met.as_str(),
        if tier.required { ", demanded" } else { "" },
        parts.collect::<String>()
    )
}

fn score(score: &ScoreView) -> String {
    let (points, rest) = score.summary.split_once(": ").unwrap_or((&score.summary, ""));
    let head = ["part", "value", "points", "", "mark", "weight", "what it rests on"]
        .map(|title| {
            format!(
                "<th scope=\"col\"{}>{title}</th>",
                if title.starts_with("what") { " class=\"text\"" } else { "" }
            )
        })
        .concat();
    let row = |part: &[String; 6]| {
        let [name, value, points, mark, weight, basis] = part;
        let width = points.parse::<f64>().unwrap_or(0.0).clamp(0.0, 10.0) * 10.0;
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td class=\"bar\"><svg viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <path class=\"track\" d=\"M0 3H100\"/><path class=\"fill {}\" d=\"M0 3H{width:.1}\"/></svg></td><td class=\"mark {}\">{}</td><td>{}</td><td class=\"text\">{}</td></tr>\n",
            escape::html(name),
            escape::html(value),
            escape::html(points),
            mark_class(mark),
            mark_class(mark),
            escape::html(mark),
            escape::html(weight),
            prose(basis)
        )
    };
    let rows: String = score.parts.iter().map(row).collect();
    let notes: String =
        score.notes.iter().map(|note| format!("<p class=\"note\">{}</p>\n", prose(note))).collect();
    format!(
        "<article class=\"score\"><p class=\"points\"><b>{}</b> {}</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Score by part\">\
         <table class=\"grid\"><caption>The score by part</caption><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>\n{notes}</article>\n",
        escape::html(points),
        prose(rest)
    )
}

/// The class of a mark; whatever else stands in its place has none.
fn mark_class(mark: &str) -> &'static str {
    match mark {
        "excellent" => "excellent",
        "good" => "good",
        "fair" => "fair",
        "poor" => "poor",
        _ => "none",
    }
}

fn scenario(verdict: &CheckVerdict, view: &ScenarioView) -> String {
    let sides: Vec<&Summary> =
        verdict.load.iter().filter(|load| format!("load:{}", load.scenario) == view.name).collect();
    let trials: Vec<&Trial> = verdict
        .evidence
        .iter()
        .flat_map(|run| &run.load)
        .filter(|block| sides.first().is_some_and(|load| load.scenario == block.scenario))
        .flat_map(|block| &block.trials)
        .collect();
    let notes: String = view.notes.iter().map(|note| format!("<li>{}</li>\n", prose(note))).collect();
    let notes =
        if notes.is_empty() { String::new() } else { format!("<ul class=\"notes\">\n{notes}</ul>\n") };
    let curves = curves(&sides, &trials).map(|chart| chart.figure()).unwrap_or_default();
    format!(
        "<article class=\"scenario\"><h3><code>{}</code> <span>{}</span></h3>\n{notes}<div class=\"charts\">\n{curves}{}</div>\n<div class=\"grids\">\n{}{}</div>\n{}</article>\n",
        escape::html(&escape::shortened(&escape::visible(&view.name), 200)),
        prose(&view.load),
        seconds::charts(&trials),
        grid(&view.levels, "Levels of load, one after the other")
            + &grid(
                &view.clocks,
                "Response time, from when a request was due, and service time, from when it was sent"
            ),
        grid(&view.numbers, "What became of the requests, and what the service used"),
        grid(&view.endpoints, "Head by kind of request"),
    )
}

fn grid(grid: &Grid, caption: &str) -> String {
    if grid.rows.is_empty() {
        return String::new();
    }
    let head: String = if grid.header.iter().all(String::is_empty) {
        String::new()
    } else {
        let cells: String = grid
            .header
            .iter()
            .map(|title| {
                if title.is_empty() {
                    "<td></td>".to_owned()
                } else {
                    format!("<th scope=\"col\">{}</th>", prose(title))
                }
            })
            .collect();
        format!("<thead><tr>{cells}</tr></thead>")
    };
    let row = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(at, cell)| match at {
            0 => format!("<th scope=\"row\">{}</th>", prose(&escape::shortened(cell, 120))),
            _ => format!("<td>{}</td>", escape::html(cell)),
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let rows: String = grid.rows.iter().map(row).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table class=\"grid\"><caption>{caption}</caption>{head}<tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// A curve: share of the requests, the time that they took at most, whether that is a lower bound.
type Curve = Vec<(f64, f64, bool)>;

/// The curves of both clocks and sides; from the histograms where the evidence has them, else through the quantiles.
fn curves(sides: &[&Summary], trials: &[&Trial]) -> Option<Chart> {
    let mut all: Vec<(String, Look, Curve)> = Vec::new();
    for load in sides.iter().rev() {
        let clocks = merged(load, trials);
        let named = |clock: &str| {
            if sides.len() > 1 { format!("{clock}, {}", load.side.as_str()) } else { clock.to_owned() }
        };
        let (first, second) = if load.side == Side::Head {
            (Look::Head, Look::HeadSecond)
        } else {
            (Look::Base, Look::BaseSecond)
        };
        let histograms = clocks.as_ref().map(|clocks| (&clocks.response_time, &clocks.service_time));
        let response =
            histograms.and_then(|(of, _)| by_histogram(of)).or_else(|| load.latency.map(by_quantiles));
        let service =
            histograms.and_then(|(_, of)| by_histogram(of)).or_else(|| load.service_time.map(by_quantiles));
        all.extend(response.map(|curve| (named("response"), first, curve)));
        all.extend(service.map(|curve| (named("service"), second, curve)));
    }
    let points = || all.iter().flat_map(|(_, _, curve)| curve).filter(|point| point.1 > 0.0);
    let furthest = points().map(|point| reach(point.0)).fold(1.0, f64::max);
    let least = points().map(|point| point.1).min_by(f64::total_cmp)?;
    let most = points().map(|point| point.1).max_by(f64::total_cmp)?;
    let (low, high) = ((least * 0.8).log10(), (most * 1.25).log10());
    let across = |share: f64| reach(share) / furthest * 1_000.0;
    let up = |ns: f64| ((ns.max(1.0).log10() - low) / (high - low) * 1_000.0).clamp(0.0, 1_000.0);
    let words: Vec<String> = sides.iter().filter_map(|load| in_words(load)).collect();
    Some(Chart {
        title: "Response and service time by percentile".to_owned(),
        words: words.join("; "),
        x: SHARES
            .iter()
            .filter(|(share, label)| !label.is_empty() && reach(*share) <= furthest * 1.000_1)
            .map(|(share, label)| (across(*share), (*label).to_owned()))
            .collect(),
        y: decades(low, high).into_iter().map(|ns| (up(ns), quantity::tick(ns, "ns"))).collect(),
        cuts: Vec::new(),
        series: all
            .iter()
            .map(|(name, look, curve)| {
                let known = curve.iter().filter(|point| !point.2);
                let from = curve.iter().position(|point| point.2);
                // The dotted part begins where the known one ends.
                let bound = from.map(|from| curve[from.saturating_sub(1)..].iter());
                let place = |point: &(f64, f64, bool)| (across(point.0), up(point.1));
                Series {
                    name: name.clone(),
                    look: *look,
                    pieces: vec![known.map(place).collect::<Vec<_>>()]
                        .into_iter()
                        .filter(|piece| !piece.is_empty())
                        .collect(),
                    bounds: bound.map(|points| points.map(place).collect()).into_iter().collect(),
                }
            })
            .collect(),
    })
}

/// How far to the right a share stands: each step is ten times rarer.
fn reach(share: f64) -> f64 {
    -(1.0 - share).max(1e-9).log10()
}

/// 1, 2 and 5 times the powers of ten between two logarithms; fewer where there are many.
fn decades(low: f64, high: f64) -> Vec<f64> {
    let steps: &[f64] = if high - low > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let powers = std::iter::successors(Some(low.floor()), |power| Some(power + 1.0))
        .take_while(|power| *power <= high);
    let values = powers.flat_map(|power| steps.iter().map(move |step| step * 10_f64.powf(power)));
    values.filter(|ns| ns.log10() >= low && ns.log10() <= high).collect()
}

/// The clocks of a side's windows that count.
fn merged(load: &Summary, trials: &[&Trial]) -> Option<Clocks> {
    let mut clocks: Option<Clocks> = None;
    let counted = |trial: &&&Trial| trial.side == load.side && (trial.void.is_none() || !load.is_valid());
    for trial in trials.iter().filter(counted) {
        clocks.get_or_insert_with(Clocks::default).merge(&trial.clocks);
    }
    clocks
}

fn by_histogram(distribution: &Distribution) -> Option<Curve> {
    let count = distribution.count();
    let last = 1.0 - 1.0 / count.max(2) as f64;
    let mut curve: Curve = SHARES
        .iter()
        .filter(|(share, _)| *share <= last)
        .filter_map(|(share, _)| {
            distribution.quantile(*share).map(|quantile| (*share, quantile.ns, quantile.lower_bound))
        })
        .collect();
    let most = distribution.max()?;
    curve.push((last, most.ns, most.lower_bound));
    Some(curve)
}

fn by_quantiles(quantiles: Quantiles) -> Curve {
    let shares = [0.5, 0.9, 0.95, 0.99, 0.999];
    let last = 1.0 - 1.0 / quantiles.count.max(2) as f64;
    let points = shares.iter().zip(quantiles.quantiles).filter(|(share, _)| **share <= last);
    let mut curve: Curve =
        points.map(|(share, quantile)| (*share, quantile.ns, quantile.lower_bound)).collect();
    curve.push((last, quantiles.max.ns, quantiles.max.lower_bound));
    curve
}

fn in_words(load: &Summary) -> Option<String> {
    let clock = |name: &str, quantiles: Option<Quantiles>| {
        let list: Vec<String> = quantiles?
            .iter()
            .map(|(name, quantile)| {
                let least = if quantile.lower_bound { "at least " } else { "" };
                format!("{name} {least}{}", quantity::value(quantile.ns, "ns"))
            })
            .collect();
        Some(format!("{}, {name}: {}", load.side.as_str(), list.join(", ")))
    };
    let both: Vec<String> = [clock("response", load.latency), clock("service", load.service_time)]
        .into_iter()
        .flatten()
        .collect();
    (!both.is_empty()).then(|| both.join("; "))
}
