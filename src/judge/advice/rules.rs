//! The rules, the weightiest first. Each gives the stable word of its advice and the sentence: what was seen, then what to look at.

use super::seen::Seen;
use crate::{
    judge::levels::amount,
    model::load::{ErrorKind, Interval, Summary},
    text::quantity,
};

/// What a rule gives.
type Found = Option<(&'static str, String)>;

/// In the order of their weight.
pub(super) const RULES: [fn(&Seen<'_>) -> Found; 13] = [
    cannot_connect,
    fails_above_a_level,
    waits_for_something,
    at_its_processors,
    grows_over_time,
    waits_for_a_connection,
    resets,
    near_its_memory,
    cache_falls,
    stalls,
    slow_body,
    slow_connect,
    closes_idle_connections,
];

/// From this share of the requests on, a kind of failure is a pattern.
const PATTERN: f64 = 0.01;
/// Below this share, a level is free of failures.
const CLEAN: f64 = 0.001;
/// The share of its processors, and of its memory, at which a service is at its limit.
const FULL_CPU: f64 = 0.85;
const FULL_MEMORY: f64 = 0.9;
/// A wait that a user notices, nanoseconds.
const FELT_NS: f64 = 1e8;

fn pattern((count, share): (u64, f64)) -> bool {
    count > 1 && share >= PATTERN
}

fn ns(value: f64) -> String {
    quantity::value(value, "ns")
}

/// `12 % of the requests (240)`.
fn of_the_requests((count, share): (u64, f64)) -> String {
    format!("{} of the requests ({})", quantity::share(share), quantity::count(count))
}

/// Others are answered, so it is there; it does not take them all.
fn cannot_connect(seen: &Seen<'_>) -> Found {
    let failed = seen.failed(ErrorKind::Connect);
    let others = seen.head.requests.completed > 0;
    (seen.is_enough() && others && pattern(failed)).then(|| {
        let descriptors = seen.head.costs.descriptors_peak;
        let descriptors = descriptors
            .map_or(String::new(), |most| format!(", the service had {} descriptors open", quantity::count(most)));
        let text = format!(
            "{} found no connection while {} were answered{descriptors}: look at the listen backlog, the limit of open files, and \
             whether the service restarts under load",
            of_the_requests(failed),
            quantity::count(seen.head.requests.completed)
        );
        ("connect_errors", text)
    })
}

/// The share of answers with a status of 500 and more.
fn server_errors(level: &Summary) -> (u64, f64) {
    let count: u64 = level.requests.statuses.range(500..).map(|(_, count)| *count).sum();
    (count, count as f64 / level.requests.scheduled.max(1) as f64)
}

/// Server errors at a level, and none at the one before it: not a bug of the request, but of how much there is of it.
fn fails_above_a_level(seen: &Seen<'_>) -> Found {
    let (before, failing) = seen
        .levels
        .windows(2)
        .map(|pair| (pair[0], pair[1]))
        .find(|(before, level)| pattern(server_errors(level)) && server_errors(before).1 < CLEAN)?;
    let (count, share) = server_errors(failing);
    let text = format!(
        "{} of the answers ({}) at {} were server errors{}, none of {} at {} was: look at what is limited in number (a pool, a queue, \
         workers, a rate limit) and at the service's log of that time",
        quantity::share(share),
        quantity::count(count),
        amount(failing),
        status_of(failing),
        quantity::count(before.requests.scheduled),
        amount(before),
    );
    Some(("server_errors_under_load", text))
}

/// ` (mostly 503)`.
fn status_of(level: &Summary) -> String {
    let most = level.requests.statuses.range(500..).max_by_key(|(_, count)| **count);
    most.map_or(String::new(), |(status, _)| format!(" (mostly {status})"))
}

/// Requests take long or run out of time while the processors have nothing to do: the service waits for something.
fn waits_for_something(seen: &Seen<'_>) -> Found {
    let idle = seen.is_idle();
    if !seen.is_enough() || idle == Some(false) {
        return None;
    }
    let busy = seen.processors().map(|busy| format!(" while the service kept {busy} busy"));
    let requests = &seen.head.requests;
    let (timeouts, _) = seen.failed(ErrorKind::Timeout);
    let unanswered = timeouts.saturating_add(requests.unfinished);
    let late = (unanswered, seen.share(unanswered));
    // That nothing at all is answered says enough, unless its processors tell more.
    if pattern(late) && (requests.completed > 0 || busy.is_some()) {
        let where_to = if busy.is_some() {
            "it waits for something: look at its pools of connections and threads, at locks, and at the services that it calls"
        } else {
            "what the service uses is not known here: look whether its processors are busy, and if not, at its pools, locks and the services that it calls"
        };
        let text = format!(
            "{} got no answer in time{}: {where_to}",
            of_the_requests(late),
            busy.unwrap_or_default()
        );
        return Some(("timeouts", text));
    }
    // Slow answers alone may be what the service is for; that they are slow because it waits is shown by idle processors only.
    let busy = busy?;
    queues_while_idle(seen, &busy).or_else(|| first_byte_while_idle(seen, &busy))
}

/// Answers became many times slower with the load.
fn queues_while_idle(seen: &Seen<'_>, busy: &str) -> Found {
    let (first, last) = (seen.levels.first()?, seen.levels.last()?);
    let p95 = |level: &Summary| Seen::ns(level.latency, "p95");
    let (there, here) = (p95(first)?, p95(last)?);
    (here >= 5.0 * there && here >= FELT_NS / 2.0).then(|| {
        let text = format!(
            "p95 went from {} at {} to {} at {}{busy}: requests queue for something other than a processor, look at the size of its pools \
             and at locks",
            ns(there),
            amount(first),
            ns(here),
            amount(last)
        );
        ("queueing", text)
    })
}

/// Nearly all of the time passes before the first byte.
fn first_byte_while_idle(seen: &Seen<'_>, busy: &str) -> Found {
    let (first, whole) = (Seen::ns(seen.head.first_byte, "p95")?, Seen::ns(seen.head.service_time, "p95")?);
    (first >= 2.0 * FELT_NS && first >= 0.9 * whole).then(|| {
        let text = format!(
            "the first byte of an answer came after {} (p95, of {} in all){busy}: look at queries and calls to other services before it",
            ns(first),
            ns(whole)
        );
        ("first_byte", text)
    })
}

fn at_its_processors(seen: &Seen<'_>) -> Found {
    let costs = &seen.head.costs;
    let busy = seen.processors()?;
    let each = costs.cpu_per_request_ns.map_or(String::new(), |each| format!(", {} a request", ns(each)));
    let at = amount(seen.head);
    if costs.cpu_share? >= FULL_CPU {
        let text = format!(
            "at {at} the service kept {busy} busy{each}: more load will queue; profile it, or give it more processors"
        );
        return Some(("cpu_limit", text));
    }
    let slow = Seen::ns(seen.head.latency, "p95").is_some_and(|p95| p95 >= FELT_NS);
    let failing = seen.head.requests.error_rate().is_some_and(|share| share >= PATTERN);
    (seen.is_one_thread() && (slow || failing)).then(|| {
        let text = format!(
            "at {at} the service kept {busy} busy{each}, as much as one thread can: look for work that only one thread does"
        );
        ("one_thread", text)
    })
}

fn grows_over_time(seen: &Seen<'_>) -> Found {
    let (what, words) = *seen.grown.first()?;
    Some(if what == "memory" {
        let where_to = "look for what is kept for each request: caches without a bound, listeners, sessions; compare two heap profiles";
        ("memory_grows", format!("memory grows {words}: {where_to}"))
    } else {
        let where_to =
            "look for what grows with each request: tables without an index, lists that are searched, files";
        ("latency_grows", format!("{what} grows {words}: {where_to}"))
    })
}

/// Response time far above service time, and not because the generator was late.
fn waits_for_a_connection(seen: &Seen<'_>) -> Found {
    let response = Seen::ns(seen.head.latency, "p95")?;
    let service = Seen::ns(seen.head.service_time, "p95")?;
    let wait = Seen::ns(seen.head.pool_wait, "p95")?;
    let lag = Seen::ns(seen.head.send_lag, "p95").unwrap_or(0.0);
    let gap = response - service;
    (response >= 3.0 * service && gap >= FELT_NS / 2.0 && wait >= gap / 2.0 && lag < gap / 2.0).then(|| {
        let text = format!(
            "p95 of the response time was {}, of the service time {}: requests waited {} for a free connection; allow more `connections`, or \
             make answers faster",
            ns(response),
            ns(service),
            ns(wait)
        );
        ("connections", text)
    })
}

fn resets(seen: &Seen<'_>) -> Found {
    let failed = seen.failed(ErrorKind::Reset);
    (seen.is_enough() && seen.head.requests.completed > 0 && pattern(failed)).then(|| {
        let text = format!(
            "{} ended with their connection before the answer was whole: look for a crash of a worker, a time limit of the server, or a \
             proxy in between",
            of_the_requests(failed)
        );
        ("resets", text)
    })
}

fn near_its_memory(seen: &Seen<'_>) -> Found {
    let costs = &seen.head.costs;
    let share = costs.memory_share.filter(|share| *share >= FULL_MEMORY)?;
    let peak = quantity::bytes(costs.rss_peak_bytes? as f64);
    let text = format!(
        "memory reached {peak}, {} of what the service may use: a little more ends it; bound its caches, or raise the limit",
        quantity::share(share)
    );
    Some(("memory_limit", text))
}

/// A hit rate of the scenario's own metrics that falls: within a window, or from the first level to the last.
fn cache_falls(seen: &Seen<'_>) -> Found {
    let names = seen.head.costs.metrics.keys();
    let mut rates = names.filter(|name| name.ends_with("hit_rate") || name.ends_with("hit_ratio"));
    rates.find_map(|name| {
        let (from, to, when) = levels_fall(seen, name).or_else(|| window_falls(seen, name))?;
        let text = format!(
            "{name} fell from {} to {} {when}: look at the size of the cache and at how long its entries live",
            quantity::share(from),
            quantity::share(to)
        );
        Some(("cache", text))
    })
}

/// A hit rate that fell by so much has fallen.
const FALL: f64 = 0.1;
/// Seconds with a hit rate in each third of a window.
const FEWEST_SECONDS: usize = 3;

fn levels_fall(seen: &Seen<'_>, name: &str) -> Option<(f64, f64, String)> {
    let (first, last) = (seen.levels.first()?, seen.levels.last()?);
    let value = |level: &Summary| level.costs.metrics.get(name).copied();
    let (from, to) = (value(first)?, value(last)?);
    (from - to >= FALL).then(|| (from, to, format!("from {} to {}", amount(first), amount(last))))
}

fn window_falls(seen: &Seen<'_>, name: &str) -> Option<(f64, f64, String)> {
    seen.trials.iter().find_map(|trial| {
        let value = |interval: &Interval| interval.metrics.get(name).copied();
        let values: Vec<f64> = trial.intervals.iter().filter_map(value).collect();
        let third = values.len() / 3;
        if third < FEWEST_SECONDS {
            return None;
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (from, to) = (mean(&values[..third]), mean(&values[values.len() - third..]));
        let when = format!("within {}", quantity::seconds(trial.seconds));
        (from - to >= FALL).then_some((from, to, when))
    })
}

/// A slow hundredth beside a fast half: the service stands still now and then.
fn stalls(seen: &Seen<'_>) -> Found {
    let latency = seen.head.latency.filter(|latency| latency.count >= 1_000)?;
    let (p50, p99) = (latency.named("p50")?.ns, latency.named("p99")?.ns);
    let lag = Seen::ns(seen.head.send_lag, "p99").unwrap_or(0.0);
    (p99 >= 20.0 * p50 && p99 >= FELT_NS && lag < p99 / 4.0).then(|| {
        let text = format!(
            "half of the requests took at most {}, one in a hundred {} or more: look for what stops the service now and then (collection of \
             garbage, a lock, a write to disk, a cold cache)",
            ns(p50),
            ns(p99)
        );
        ("stalls", text)
    })
}

/// Most of the time passes after the first byte.
fn slow_body(seen: &Seen<'_>) -> Found {
    let (first, whole) = (Seen::ns(seen.head.first_byte, "p95")?, Seen::ns(seen.head.service_time, "p95")?);
    (whole - first >= FELT_NS && whole >= 2.0 * first).then(|| {
        let size = seen.head.received_bytes as f64 / seen.head.requests.completed.max(1) as f64;
        let text = format!(
            "the first byte came after {} (p95), the whole answer of {} on average after {}: look at its size, compression, and how it is sent",
            ns(first),
            quantity::bytes(size),
            ns(whole)
        );
        ("slow_body", text)
    })
}

/// Connecting takes long, and happens often.
fn slow_connect(seen: &Seen<'_>) -> Found {
    let connect = seen.head.connect.filter(|connect| connect.count > 1)?;
    let (p95, share) = (connect.named("p95")?.ns, seen.share(connect.count));
    (seen.is_enough() && p95 >= FELT_NS && share >= PATTERN).then(|| {
        let text = format!(
            "opening a connection took {} (p95 of {}): look at the listen backlog, at TLS, and whether connections are kept open",
            ns(p95),
            quantity::count(connect.count)
        );
        ("slow_connect", text)
    })
}

fn closes_idle_connections(seen: &Seen<'_>) -> Found {
    let again = seen.head.requests.retried;
    let share = seen.share(again);
    (seen.is_enough() && share >= 5.0 * PATTERN).then(|| {
        let text = format!(
            "{} had to be sent again because the service had closed its idle connection: let it keep them open for longer",
            of_the_requests((again, share))
        );
        ("idle_connections", text)
    })
}
