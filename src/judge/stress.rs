//! What follows from a search for the rate that a service bears: what gave first, and how it scales.
//!
//! What gave first is read from the lowest rate that was missed, beside the highest that was borne. Scaling is the Universal Scalability Law
//! ([`scalability`]) through the steps, with requests in flight as the load, since an open loop has no other. What it says of
//! replicas is an extrapolation: between replicas that share nothing and replicas that wait for each other as the requests
//! inside one do.

use crate::{
    model::load::{Probe, Replicas, Scaling, Stress, StressResult},
    stats::scalability::{self, Law},
    text::{plural, quantity},
};

/// From this share of its processors on, a service has none left.
const FULL: f64 = 0.85;
/// Below this share it has plenty.
const IDLE: f64 = 0.6;
/// Requests without an answer that grow by more than this share of what comes are a backlog.
const BACKLOG: f64 = 0.02;
/// Numbers of replicas that are extrapolated to.
const REPLICAS: [u32; 3] = [2, 4, 8];
/// A law that explains less than this share of the variance says nothing.
const EXPLAINED: f64 = 0.5;
/// Kinds of error that are named.
const KINDS: usize = 3;

/// Judges all searches of a run.
pub(super) fn results(searches: &[Stress]) -> Vec<StressResult> {
    searches.iter().map(result).collect()
}

fn result(stress: &Stress) -> StressResult {
    StressResult { gives: gives(stress), scaling: scaling(stress), stress: stress.clone() }
}

/// What gave first, as a sentence.
fn gives(stress: &Stress) -> Option<String> {
    let valid = || stress.probes.iter().filter(|probe| probe.void.is_none());
    let Some(upper) = stress.upper else {
        let limit = stress.limit.as_ref()?;
        return Some(format!(
            "the generator's own limit came first, nothing is known against the service: {limit}"
        ));
    };
    let missed = valid().filter(|probe| !probe.met);
    let missed = missed.min_by(|a, b| (a.rate - upper).abs().total_cmp(&(b.rate - upper).abs()))?;
    let borne = valid().filter(|probe| probe.met && probe.rate < missed.rate);
    let borne = borne.max_by(|a, b| a.rate.total_cmp(&b.rate));
    Some(format!(
        "at {}: {}{}",
        quantity::value(missed.rate, "requests/s"),
        symptom(stress, missed),
        cause(missed, borne)
    ))
}

/// What the aim was missed by.
fn symptom(stress: &Stress, probe: &Probe) -> String {
    let mut seen = Vec::new();
    if probe.error_rate() >= stress.aim.errors && probe.errors + probe.unfinished > 0 {
        let mut kinds: Vec<_> = probe.error_kinds.iter().collect();
        kinds.sort_by_key(|(kind, count)| (std::cmp::Reverse(**count), **kind));
        let mut kinds: Vec<String> = kinds
            .iter()
            .map(|(kind, count)| format!("{} {}", kind.as_str(), quantity::count(**count)))
            .collect();
        if probe.unfinished > 0 {
            kinds.push(format!("unfinished {}", quantity::count(probe.unfinished)));
        }
        let kinds = plural::list(&kinds, KINDS);
        seen.push(format!("{} of the requests failed ({kinds})", quantity::share(probe.error_rate())));
    }
    for (limit, share) in stress.aim.within.iter().zip(&probe.within) {
        if *share < limit.share {
            seen.push(format!(
                "{} of the requests were answered within {}, {} must be",
                quantity::percent(*share),
                quantity::value(limit.ns, "ns"),
                quantity::percent(limit.share)
            ));
        }
    }
    if let Some(growth) = probe.growth.filter(|growth| *growth > BACKLOG) {
        seen.push(format!("{} of what came was left over, so a backlog grew", quantity::share(growth)));
    }
    seen.join("; ")
}

/// What the service had left then.
fn cause(missed: &Probe, borne: Option<&Probe>) -> String {
    let mut text = match (missed.cpu, missed.cpu_limit, missed.cpu_share()) {
        (Some(cpu), Some(limit), Some(share)) => {
            let used = format!(
                "it used {} of its {} processors",
                quantity::value(cpu, ""),
                quantity::value(limit, "")
            );
            match share {
                share if share >= FULL => format!("; {used}: processor time gave first"),
                // One thread that does everything fills one processor and no more.
                share if share < IDLE && (0.9..=1.1).contains(&cpu) => {
                    format!("; {used}: what runs on one thread gave first")
                }
                share if share < IDLE => format!(
                    "; {used}: not processor time gave first but waiting, for a lock, a pool or another service"
                ),
                _ => format!("; {used}"),
            }
        }
        _ => String::new(),
    };
    let descriptors = borne.and_then(|borne| Some((borne.descriptors?, missed.descriptors?)));
    if let Some((before, at)) =
        descriptors.filter(|(before, at)| *at >= before.saturating_mul(2) && *at > 100)
    {
        text += &format!(
            "; it held {} descriptors, {} at the highest rate that it bore",
            quantity::count(at),
            quantity::count(before)
        );
    }
    text
}

/// The law through the steps of a search.
fn scaling(stress: &Stress) -> Option<Scaling> {
    let valid = stress.probes.iter().filter(|probe| probe.void.is_none());
    let points: Vec<(f64, f64)> =
        valid.filter_map(|probe| Some((probe.in_flight?, probe.throughput))).collect();
    let fit = scalability::fit(&points).filter(|fit| fit.explained >= EXPLAINED)?;
    let one = stress.lower?;
    Some(Scaling {
        contention: fit.law.sigma,
        coherency: fit.law.kappa,
        explained: fit.explained,
        peak_in_flight: fit.law.peak(),
        capacity: fit.law.capacity(),
        replicas: REPLICAS.map(|count| replicas(count, one, fit.law)).to_vec(),
    })
}

/// What so many replicas would carry, each of which bears `one` requests a second alone.
fn replicas(count: u32, one: f64, law: Law) -> Replicas {
    let n = f64::from(count);
    Replicas { count, lower: Law { lambda: one, ..law }.throughput(n), upper: one * n }
}

#[cfg(test)]
mod tests {
    use super::{gives, result};
    use crate::{
        model::load::{Aim, ErrorKind, Probe, Stress},
        stats::scalability::Law,
    };

    fn probe(rate: f64, met: bool) -> Probe {
        Probe {
            rate,
            seconds: 3.0,
            scheduled: 600,
            completed: if met { 600 } else { 540 },
            errors: if met { 0 } else { 60 },
            unfinished: 0,
            error_kinds: [(ErrorKind::Status, 60)].into_iter().filter(|_| !met).collect(),
            throughput: 200.0,
            within: vec![if met { 1.0 } else { 0.6 }],
            growth: Some(if met { 0.0 } else { 0.05 }),
            latency_ns: None,
            in_flight: Some(1.5),
            in_flight_peak: 12,
            cpu: Some(1.9),
            cpu_limit: Some(2.0),
            rss_bytes: None,
            descriptors: None,
            met,
            void: None,
        }
    }

    fn stress() -> Stress {
        Stress {
            scenario: "checkout".into(),
            aim: Aim::default(),
            probes: vec![probe(200.0, true), probe(208.0, false), probe(200.0, true)],
            lower: Some(200.0),
            upper: Some(208.0),
            limit: None,
            recovery: None,
        }
    }

    #[test]
    fn what_gave_first_is_read_from_the_lowest_rate_that_was_missed() {
        let mut search = stress();
        let text = gives(&search).unwrap();
        assert!(
            text.starts_with("at 208 requests/s: 10 % of the requests failed (status 60); 60 % of"),
            "{text}"
        );
        assert!(text.contains("a backlog grew") && text.ends_with("processor time gave first"), "{text}");
        search.probes[1].cpu = Some(0.2);
        assert!(gives(&search).unwrap().contains("but waiting"));
        search.probes[1].cpu = Some(1.0);
        assert!(gives(&search).unwrap().contains("one thread"));
        search.probes[1].cpu = None;
        assert!(!gives(&search).unwrap().contains("processor"));
    }

    #[test]
    fn the_generators_limit_is_not_blamed_on_the_service() {
        let search = Stress { upper: None, limit: Some("it was late".into()), ..stress() };
        let text = gives(&search).unwrap();
        assert!(text.starts_with("the generator's own limit") && text.ends_with("it was late"), "{text}");
        assert_eq!(gives(&Stress { upper: None, ..stress() }), None);
    }

    #[test]
    fn steps_that_follow_the_law_give_it_back_and_replicas_lie_between_sharing_and_not() {
        let law = Law { lambda: 100.0, sigma: 0.05, kappa: 0.002 };
        let mut search = stress();
        let probe = search.probes[0].clone();
        search.probes = [1.0, 2.0, 5.0, 10.0, 20.0, 40.0]
            .map(|load| Probe { in_flight: Some(load), throughput: law.throughput(load), ..probe.clone() })
            .to_vec();
        let scaling = result(&search).scaling.unwrap();
        assert!((scaling.capacity.unwrap() / law.capacity().unwrap() - 1.0).abs() < 0.01, "{scaling:?}");
        let four = scaling.replicas[1];
        assert_eq!((four.count, four.upper), (4, 800.0));
        assert!(four.lower > 600.0 && four.lower < 800.0, "{four:?}");
        search.probes.truncate(2);
        assert_eq!(result(&search).scaling, None);
    }
}
