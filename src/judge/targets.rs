//! Whether the service under load reached the tiers of targets: facts about head alone, never mixed with the comparison.
//!
//! A part is *missed* by what was seen, and *met* only when enough was seen to show it; what lies between is *not shown*:
//!
//! - a latency needs so many requests that at least one lies beyond the quantile (20 for p95); where requests without an answer
//!   reach down to it, the quantile must hold even if none of them had ever ended;
//! - an error rate needs so many requests that a single error would be within the limit (200 for 0.5 %);
//! - an availability is a share of seconds, not of requests, and needs so many that a single bad one would be within the limit
//!   (100 s for 99 %, 1,000 s for 99.9 %): a window of 8 s cannot show that a service is there 99.9 % of the time;
//! - concurrent users are the most requests that were in flight at once. Fewer than the limit is no miss, the load just did not ask
//!   for them; as many or more is met when nothing else of the tier was missed, and missed else;
//! - a throughput below the limit is a miss only where more than that was asked for: a rate that is hardly above the limit, and was met but for 2 %, shows no
//!   miss, since arrivals scatter and a single error takes it below;
//! - of users who do not think, a latency or a throughput that misses is not shown when the generator used up a processor.
//!
//! Of several scenarios the worst one counts; of users, the one with the most.

use crate::{
    model::{
        load::{FULL_CPU, Offered, QUANTILES, Summary},
        run::Side,
        targets::{Limit, Part, PartResult, Targets, Tier, TierResult},
    },
    text::{plural, quantity},
};

/// The share of a rate from which on it was met but for chance.
const NEARLY: f64 = 0.98;

/// What became of each tier, in their order. Empty without load on head.
#[must_use]
pub fn assess(load: &[Summary], targets: &Targets) -> Vec<TierResult> {
    let heads = heads(load);
    if heads.is_empty() {
        return Vec::new();
    }
    let required = |tier: &Tier| targets.require.as_ref() == Some(&tier.name);
    targets.tiers.iter().map(|tier| assess_tier(&heads, tier, required(tier))).collect()
}

/// The summaries that speak of the revision under test.
pub(super) fn heads(load: &[Summary]) -> Vec<&Summary> {
    load.iter().filter(|summary| summary.side == Side::Head).collect()
}

fn assess_tier(heads: &[&Summary], tier: &Tier, required: bool) -> TierResult {
    let mut parts: Vec<PartResult> = tier.limits.iter().map(|limit| part(heads, *limit)).collect();
    if parts.iter().any(|part| part.part != Part::ConcurrentUsers && part.met == Some(false)) {
        for part in
            parts.iter_mut().filter(|part| part.part == Part::ConcurrentUsers && part.met == Some(true))
        {
            part.met = Some(false);
            part.note = "so many were in flight, but other parts of the tier were missed".to_owned();
        }
    }
    let met = if parts.iter().any(|part| part.met == Some(false)) {
        Some(false)
    } else {
        (!parts.is_empty() && parts.iter().all(|part| part.met == Some(true))).then_some(true)
    };
    TierResult { tier: tier.name.clone(), met, required, parts }
}

/// One limit over all scenarios: the one that decides it.
fn part(heads: &[&Summary], limit: Limit) -> PartResult {
    let results = heads.iter().map(|summary| scenario_part(summary, limit));
    let decides = |a: &PartResult, b: &PartResult| {
        let users = limit.part == Part::ConcurrentUsers;
        let order = urgency(a).cmp(&urgency(b)).then_with(|| worse_first(limit.part, a.measured, b.measured));
        if users { order.reverse() } else { order }
    };
    results.min_by(decides).unwrap_or_else(|| unknown(limit, "no load".to_owned()))
}

/// What was missed decides before what is not shown, and that before what was met.
fn urgency(part: &PartResult) -> u8 {
    match part.met {
        Some(false) => 0,
        None => 1,
        Some(true) => 2,
    }
}

fn worse_first(part: Part, a: Option<f64>, b: Option<f64>) -> std::cmp::Ordering {
    let badness = |value: Option<f64>| match value {
        Some(value) if part.higher_is_better() => -value,
        Some(value) => value,
        None => f64::INFINITY,
    };
    badness(b).total_cmp(&badness(a))
}

fn unknown(limit: Limit, note: String) -> PartResult {
    PartResult {
        part: limit.part,
        scenario: String::new(),
        measured: None,
        limit: limit.limit,
        met: None,
        note,
    }
}

/// One limit of one scenario.
fn scenario_part(load: &Summary, limit: Limit) -> PartResult {
    let Limit { part, limit: bound } = limit;
    if !load.is_valid() {
        return unknown(limit, "no window of load counts".to_owned());
    }
    let Some(measured) = part.value(load) else {
        return unknown(limit, why_unknown(part, load));
    };
    let better = if part.higher_is_better() { measured >= bound } else { measured < bound };
    let (met, note) = match shortcoming(part, load, bound, better) {
        Some(note) => (None, note),
        None => (Some(better), String::new()),
    };
    PartResult { part, scenario: load.scenario.clone(), measured: Some(measured), limit: bound, met, note }
}

/// Why a part has no value.
pub(super) fn why_unknown(part: Part, load: &Summary) -> String {
    match part {
        _ if load.requests.scheduled == 0 => "no request was due".to_owned(),
        Part::CacheHitRate => "the scenario has no metric `cache_hit_rate`".to_owned(),
        Part::Memory | Part::Cpu => "what the service uses was not measured".to_owned(),
        _ => "it was not recorded".to_owned(),
    }
}

/// Why the run does not show whether the limit is met, if it does not.
fn shortcoming(part: Part, load: &Summary, limit: f64, better: bool) -> Option<String> {
    match part {
        Part::LatencyP50 | Part::LatencyP90 | Part::LatencyP95 | Part::LatencyP99 if better => {
            unsure_latency(part, load, limit)
        }
        Part::ErrorRate if better => {
            too_few(load.requests.scheduled as f64, 1.0 / limit, |n| requests(load.requests.scheduled, n))
        }
        Part::Availability if better => {
            let seconds = load.availability.seconds;
            too_few(seconds, 1.0 / (1.0 - limit), |n| {
                let (seconds, needed) = (quantity::seconds(seconds), quantity::seconds(n as f64));
                format!("{seconds} of load, {needed} would show it")
            })
        }
        Part::ConcurrentUsers if !better => Some(format!(
            "at most {} in flight, more were not asked for",
            quantity::count(load.in_flight_peak)
        )),
        Part::Throughput if !better => match load.offered {
            Offered::Rate(rate) if asks_too_little(rate, limit, load.throughput.unwrap_or(0.0)) => {
                Some(format!("only {} were asked for", quantity::value(rate, "requests/s")))
            }
            // A closed loop asks for as much as it gets, and gets as much as the generator can ask for.
            Offered::Users(_) => full(load),
            Offered::Rate(_) => None,
        },
        // What waits in the generator looks slow.
        Part::LatencyP50 | Part::LatencyP90 | Part::LatencyP95 | Part::LatencyP99 => match load.offered {
            Offered::Users(_) => full(load),
            Offered::Rate(_) => None,
        },
        _ => None,
    }
}

/// Whether a throughput that is short of a limit was short because of the rate: what arrives scatters around it, and a single error takes it below.
fn asks_too_little(rate: f64, limit: f64, throughput: f64) -> bool {
    rate < limit || (rate * NEARLY < limit && throughput > rate * NEARLY)
}

/// That the generator had no more to give, if so: users who do not think are as fast as it is.
fn full(load: &Summary) -> Option<String> {
    (load.generator_cpu > FULL_CPU).then(|| {
        format!(
            "the generator used {} of a processor, so it may be its own limit",
            quantity::percent(load.generator_cpu)
        )
    })
}

/// The sentence, when there is less than needed. A need without end (a limit of 0 or 1) is never fulfilled.
fn too_few(have: f64, needed: f64, sentence: impl Fn(u64) -> String) -> Option<String> {
    // 1 / (1 - 0.99) is a little more than 100.
    let needed = (needed - 1e-6).ceil();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "only shown, and saturating is right"
    )]
    let shown = needed as u64;
    if !needed.is_finite() {
        return Some("no run is long enough to show that".to_owned());
    }
    (have + 1e-6 < needed).then(|| sentence(shown))
}

fn requests(have: u64, needed: u64) -> String {
    format!("{}, {} would show it", plural::count(saturating(have), "request"), quantity::count(needed))
}

fn saturating(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// A latency within the limit that rests on too few requests, or that requests without an answer could lift over it.
fn unsure_latency(part: Part, load: &Summary, limit: f64) -> Option<String> {
    let latency = load.latency?;
    let (name, q) = QUANTILES.into_iter().find(|(name, _)| Some(*name) == part.quantile())?;
    let few = too_few(latency.count as f64, 1.0 / (1.0 - q), |n| requests(latency.count, n));
    let quantile = latency.named(name)?;
    if few.is_some() || !quantile.lower_bound {
        return few;
    }
    // Were none of the unanswered requests ever to end, then each would push the quantile up by one place: the true one is at
    // most the one that lies their share higher.
    let unanswered = (load.requests.errors + load.requests.unfinished) as f64 / latency.count as f64;
    let higher = QUANTILES.into_iter().find(|(_, higher)| *higher >= q + unanswered);
    let holds = higher.and_then(|(name, _)| latency.named(name)).is_some_and(|bound| bound.ns < limit);
    (!holds).then(|| "at least this: requests without an answer reach down to it".to_owned())
}
