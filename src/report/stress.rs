//! What every format says of a search for the rate that a service bears. Rounded, not escaped.

use super::load::Grid;
use crate::model::load::{Aim, Probe, Recovery, Scaling, StressResult};
use crate::text::quantity;

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StressView {
    /// `load:` and the scenario's name.
    pub name: String,
    /// `bears 200 requests/s, not 208 requests/s (p95 below 200 ms, errors below 2 %)`.
    pub summary: String,
    /// What gave first, how it came back, how it scales.
    pub lines: Vec<String>,
    /// The rates that were tried, the lowest first.
    pub steps: Grid,
}

impl StressView {
    /// The view of a search.
    #[must_use]
    pub fn of(result: &StressResult) -> Self {
        let stress = &result.stress;
        let rate = |rate: f64| quantity::value(rate, "requests/s");
        let aim = aim(&stress.aim);
        let summary = match (stress.lower, stress.upper, &stress.limit) {
            (Some(lower), Some(upper), _) => {
                format!("breaking point between {} and {} ({aim})", rate(lower), rate(upper))
            }
            (Some(lower), None, Some(_)) => {
                format!("breaking point at least {}: the generator's limit ({aim})", rate(lower))
            }
            (Some(lower), None, None) => format!("breaking point at least {} ({aim})", rate(lower)),
            (None, Some(upper), _) => format!("breaking point below {} ({aim})", rate(upper)),
            (None, None, _) => format!("no breaking point was found ({aim})"),
        };
        let gives = result.gives.iter().map(|gives| format!("first to give: {gives}"));
        let limit = stress.limit.iter().filter(|_| stress.upper.is_some());
        let limit = limit.map(|limit| format!("probes were repeated because of the generator: {limit}"));
        let lines = gives
            .chain(limit)
            .chain(stress.recovery.iter().map(recovery))
            .chain(result.scaling.iter().flat_map(scaling));
        Self {
            name: format!("load:{}", stress.scenario),
            summary,
            lines: lines.collect(),
            steps: steps(&stress.probes),
        }
    }
}

/// `p95 below 200 ms, errors below 2 %`.
fn aim(aim: &Aim) -> String {
    let limits = aim.within.iter().map(|within| {
        format!("p{} below {}", quantity::value(within.share * 100.0, ""), quantity::value(within.ns, "ns"))
    });
    let errors = format!("errors below {}", quantity::value(aim.errors, "ratio"));
    limits.chain([errors]).collect::<Vec<_>>().join(", ")
}

fn recovery(recovery: &Recovery) -> String {
    let overload = format!(
        "after {} of {}",
        quantity::seconds(recovery.overload_seconds),
        quantity::value(recovery.overload, "requests/s")
    );
    let calm = quantity::value(recovery.calm, "requests/s");
    match recovery.seconds {
        Some(seconds) => format!(
            "recovery: {overload} it met the target again at {calm} within {}",
            quantity::seconds(seconds + 1.0)
        ),
        None => format!(
            "recovery: {overload} it did not meet the target again at {calm} in {}",
            quantity::seconds(recovery.watched_seconds)
        ),
    }
}

/// The law, and what it says of replicas.
fn scaling(scaling: &Scaling) -> Vec<String> {
    let peak = match (scaling.peak_in_flight, scaling.capacity) {
        (Some(load), Some(capacity)) => format!(
            "peak of {} with {} requests in flight",
            quantity::value(capacity, "requests/s"),
            quantity::value(load, "")
        ),
        (None, Some(capacity)) => format!("no more than {}", quantity::value(capacity, "requests/s")),
        _ => "no peak within what was tried".to_owned(),
    };
    let law = format!(
        "Universal Scalability Law: {peak} (contention {}, coherency {}, explains {} of the steps)",
        quantity::value(scaling.contention, ""),
        quantity::value(scaling.coherency, ""),
        quantity::share(scaling.explained)
    );
    let replicas: Vec<String> = scaling
        .replicas
        .iter()
        .map(|replicas| {
            format!(
                "{} would carry {} to {}",
                replicas.count,
                quantity::value(replicas.lower, ""),
                quantity::value(replicas.upper, "requests/s")
            )
        })
        .collect();
    if replicas.is_empty() {
        return vec![law];
    }
    vec![law, format!("replicas (an extrapolation, nothing that was measured): {}", replicas.join(", "))]
}

/// One row a rate; its numbers are those of its middle probe by p95.
fn steps(probes: &[Probe]) -> Grid {
    let titles = ["rate", "target met", "in time", "errors", "left over", "p95", "throughput", "CPUs busy"];
    let mut rates: Vec<f64> = probes.iter().map(|probe| probe.rate).collect();
    rates.sort_unstable_by(f64::total_cmp);
    rates.dedup();
    let row = |rate: f64| {
        let all: Vec<&Probe> = probes.iter().filter(|probe| probe.rate.total_cmp(&rate).is_eq()).collect();
        let mut valid: Vec<&Probe> = all.iter().copied().filter(|probe| probe.void.is_none()).collect();
        let met = valid.iter().filter(|probe| probe.met).count();
        let void = all.len() - valid.len();
        let void = if void > 0 { format!(", {void} void") } else { String::new() };
        let word = format!("{met} of {}{void}", valid.len());
        let p95 = |probe: &Probe| probe.latency_ns.map_or(f64::INFINITY, |latency| latency[2]);
        valid.sort_by(|a, b| p95(a).total_cmp(&p95(b)));
        let middle = valid.get(valid.len() / 2).or(all.first());
        let rest = middle.map(|probe| numbers(probe)).unwrap_or_default();
        [quantity::value(rate, "requests/s"), word].into_iter().chain(rest).collect()
    };
    Grid { header: titles.map(str::to_owned).to_vec(), rows: rates.into_iter().map(row).collect() }
}

fn numbers(probe: &Probe) -> [String; 6] {
    let or_nothing = |text: Option<String>| text.unwrap_or_default();
    let within = probe.within.iter().copied().min_by(f64::total_cmp);
    [
        or_nothing(within.map(quantity::percent)),
        quantity::value(probe.error_rate(), "ratio"),
        or_nothing(probe.growth.map(|growth| quantity::share(growth.max(0.0)))),
        or_nothing(probe.latency_ns.map(|latency| quantity::value(latency[2], "ns"))),
        quantity::value(probe.throughput, "requests/s"),
        or_nothing(probe.cpu.map(|cpu| quantity::value(cpu, ""))),
    ]
}

#[cfg(test)]
mod tests {
    use super::StressView;
    use crate::{
        format::example,
        model::load::{Stress, StressResult},
        report::{
            markdown,
            table::{Style, render},
        },
    };

    fn result() -> StressResult {
        example::stress_verdict().stress[0].clone()
    }

    #[test]
    fn a_search_is_told_in_a_few_sentences() {
        let view = StressView::of(&result());
        assert_eq!(
            view.summary,
            "breaking point between 200 requests/s and 208 requests/s (p95 below 200 ms, errors below 2 %)"
        );
        let lines = view.lines.join("\n");
        for words in [
            "first to give: at 208 requests/s",
            "after 3.0 s of 312 requests/s it met the target again at 100 requests/s within 3.0 s",
            "peak of 215 requests/s with 30",
            "an extrapolation, nothing that was measured): 2 would carry 380 to 400 requests/s",
        ] {
            assert!(lines.contains(words), "{words}: {lines}");
        }
        assert_eq!(view.steps.rows.len(), 2);
        assert_eq!(view.steps.rows[0][1], "2 of 2");
        assert!(view.steps.rows.iter().all(|row| row.len() == view.steps.header.len()));
    }

    #[test]
    fn an_open_end_is_no_interval() {
        let summary = |change: &dyn Fn(&mut Stress)| {
            let mut result = result();
            change(&mut result.stress);
            StressView::of(&result).summary
        };
        let text = summary(&|stress| (stress.upper, stress.limit) = (None, Some("late".into())));
        assert!(text.starts_with("breaking point at least 200 requests/s: the generator's limit"), "{text}");
        let text = summary(&|stress| stress.lower = None);
        assert!(text.starts_with("breaking point below 208 requests/s"), "{text}");
    }

    #[test]
    fn both_formats_show_it_and_hostile_names_break_neither() {
        let mut verdict = example::stress_verdict();
        verdict.stress[0].stress.scenario = "a|b @ada <img src=x>\u{1b}[31m".into();
        verdict.stress[0].gives = Some("@ada </details> ![x](https://evil)\u{1b}[31m".into());
        let table = render(&verdict, Style::default());
        assert!(table.contains("breaking point between") && !table.contains('\u{1b}'), "{table}");
        let page = markdown::render(&verdict);
        let outside: String = page.split('`').step_by(2).collect();
        assert!(page.contains("Steps of the search") && !outside.contains("](https"), "{page}");
        assert!(!outside.contains('@') && !outside.contains("<img"), "{page}");
    }
}
