//! The scenario's own metrics, the page that they come from, and which metrics are judged.

use super::{
    keys::{Driver, Load},
    service::check_page,
    troubles::Troubles,
    values::Direction,
};
use crate::load::{formula, scenario::Formula};

/// Metrics that every scenario has, beside percentiles of its latency.
const STANDARD: [&str; 5] = ["error_rate", "throughput", "cpu", "rss.max", "knee"];
/// The longest name of a metric, and of a unit.
const MAX_NAME: usize = 60;

/// The page with the service's metrics.
pub(super) fn page(load: &Load, allow_remote: bool, troubles: &mut Troubles) -> String {
    let page = load.metrics_url.clone().unwrap_or_else(|| "/metrics".into());
    check_page(&page, "metrics_url", allow_remote, troubles);
    page
}

/// The scenario's own metrics by name.
pub(super) fn formulas(load: &Load, troubles: &mut Troubles) -> Vec<Formula> {
    let mut formulas = Vec::new();
    for (name, metric) in &load.metrics {
        let table = &metric.0;
        if !is_name(name) {
            troubles.add_at(
                &["metrics", name],
                "a name is letters, digits, `_` and `.`, and begins with a letter",
            );
        } else if is_standard(name) {
            troubles.add_at(&["metrics", name], "every scenario has a metric of this name already");
        }
        let formula = table.formula.clone().unwrap_or_default();
        if formula.trim().is_empty() {
            troubles.add_at(&["metrics", name], "there is no formula: write `\"hits / (hits + misses)\"`");
        } else if let Err(error) = formula::Formula::parse(&formula) {
            troubles.add_at(&["metrics", name], format!("`{formula}` is no formula: {error}"));
        }
        let unit = table.unit.clone().unwrap_or_default();
        if unit.chars().any(char::is_control) || unit.chars().count() > MAX_NAME {
            troubles.add_at(&["metrics", name, "unit"], "a unit is a short word");
        }
        let higher_is_better = match table.direction {
            Some(direction) => direction == Direction::Higher,
            None => name.ends_with("hit_rate") || name.ends_with("hit_ratio"),
        };
        formulas.push(Formula { name: name.clone(), formula, higher_is_better, unit });
    }
    formulas
}

/// The metrics to judge; empty where the scenario says nothing.
pub(super) fn gate(load: &Load, troubles: &mut Troubles) -> Vec<String> {
    for name in &load.gate {
        if !is_standard(name) && !load.metrics.contains_key(name) {
            let message = format!(
                "there is no metric `{name}`: there are `latency.p50` and other percentiles, `{}`, and those of `metrics`",
                STANDARD.join("`, `")
            );
            troubles.add("gate", message);
        } else if name == "throughput" && !has_users(load) {
            let message = "at a fixed rate the throughput is what was asked: it is judged only with `users`";
            troubles.add("gate", message);
        } else if name == "knee" && has_users(load) {
            let message =
                "users wait for a slow service, so no rate is too much for it: a `knee` needs a `rate`";
            troubles.add("gate", message);
        } else if name == "knee" && load.driver == Some(Driver::Locust) {
            let message =
                "a `knee` is searched for by Tollgate's own generator: leave out `driver`, or the knee";
            troubles.add("gate", message);
        }
    }
    load.gate.clone()
}

fn has_users(load: &Load) -> bool {
    load.users.is_some() || load.stage.iter().any(|stage| stage.users.is_some())
}

fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name) || name.strip_prefix("latency.p").is_some_and(is_percentile)
}

/// `50`, `99`, `99.9`: above 0 and below 100, as people write them.
fn is_percentile(text: &str) -> bool {
    let plain = text.len() <= 8
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    plain && text.parse::<f64>().is_ok_and(|share| share > 0.0 && share < 100.0)
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
}
