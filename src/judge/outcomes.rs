//! What the whole check came to: every outcome that applies, the deciding one first, with the reason of each.

use crate::{
    judge::{levels::Levels, over_time::OverTime},
    model::{
        census::Census,
        load::{ErrorKind, Summary},
        outcome::{ErrorClass, Outcome},
        policy::{Policy, Strictness},
        run::{Mode, Run, Side, Warning},
        verdict::{Judgement, Verdict},
    },
    text::{plural, quantity},
};

/// Names listed in a reason; the census lists all of them.
const NAMES: usize = 3;

/// All outcomes that apply; `Pass` alone when none does. `short` names benchmarks with too few stored runs, `load` is what services
/// under load reached, `time` what became of them over time, `levels` what they were asked one after the other, `demand` is what a demanded tier of targets forces.
pub(super) fn outcomes(
    run: &Run,
    census: &Census,
    judgements: &[Judgement],
    (short, load, time, levels): (&[String], &[Summary], &OverTime, &Levels),
    demand: Option<(Outcome, String)>,
) -> Vec<(Outcome, String)> {
    let mut outcomes: Vec<(Outcome, String)> = Vec::new();
    let mut applies = |outcome: Outcome, reason: Option<String>| {
        outcomes.extend(reason.map(|reason| (outcome, reason)));
    };
    applies(Outcome::Regressed, regressed(judgements));
    let (broken, other): (Vec<_>, Vec<_>) =
        demand.into_iter().partition(|(outcome, _)| *outcome == Outcome::Regressed);
    for (outcome, reason) in broken {
        applies(outcome, Some(reason));
    }
    for growing in &time.growing {
        applies(Outcome::Regressed, Some(growing.clone()));
    }
    applies(Outcome::Error(ErrorClass::Measurement), failed(census));
    applies(Outcome::Error(ErrorClass::Measurement), run.interrupted.clone());
    let only_load = is_load_alone(run, census);
    // A service that broke at a higher level was measured at the lower ones.
    let alone = |load: &&Summary| only_load && load.side == Side::Head && !levels.answered(&load.scenario);
    for load in load.iter().filter(alone) {
        applies(Outcome::Error(ErrorClass::Measurement), nothing_valid(load));
    }
    for reason in incomplete(run, census, short) {
        applies(Outcome::Incomplete, Some(reason));
    }
    if only_load {
        applies(Outcome::Incomplete, nothing_due(load));
    }
    for (outcome, reason) in other {
        applies(outcome, Some(reason));
    }
    applies(Outcome::Inconclusive, blind(census, &run.policy));
    applies(Outcome::Inconclusive, undecided(census, &run.policy));
    if outcomes.is_empty() {
        let passed = if only_load { answered(load, time, &levels.all) } else { passed(census) };
        outcomes.push((Outcome::Pass, passed));
    }
    outcomes
}

fn regressed(judgements: &[Judgement]) -> Option<String> {
    let mut names: Vec<&str> = judgements
        .iter()
        .filter(|judgement| judgement.verdict == Verdict::Regressed)
        .map(|judgement| judgement.display_id.as_str())
        .collect();
    names.dedup();
    let verb = "regressed";
    (!names.is_empty())
        .then(|| format!("{} {verb}: {}", benchmarks(names.len()), plural::list(&names, NAMES)))
}

fn failed(census: &Census) -> Option<String> {
    let names = &census.failed;
    (!names.is_empty()).then(|| format!("{} failed: {}", benchmarks(names.len()), plural::list(names, NAMES)))
}

/// Whether services were put under load for their own sake (`tollgate load`): no row is expected but those of scenarios that failed.
pub(super) fn is_load_alone(run: &Run, census: &Census) -> bool {
    let rows = census.expected - census.failed.len().min(census.expected);
    run.mode == Mode::Single && !run.load.is_empty() && rows == 0 && census.ignored.is_empty()
}

/// Why the load on a service says nothing of it, if so.
fn nothing_valid(load: &Summary) -> Option<String> {
    let due = load.requests.scheduled;
    if due > 0 && load.requests.completed == 0 {
        let errors = load.requests.error_kinds.iter().map(|(kind, count)| (kind.as_str(), *count));
        let all = errors.chain([("unfinished", load.requests.unfinished)]).filter(|(_, count)| *count > 0);
        let kinds: Vec<String> = all.map(|(kind, count)| format!("{kind} {count}")).collect();
        let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        let name = &load.scenario;
        let next = where_to_look(load);
        return Some(format!("none of {due} requests of load:{name} was answered as expected{kinds}{next}"));
    }
    let void = load.slots.void.first().filter(|_| !load.is_valid())?;
    Some(format!("no window of load:{} counts: {void}", load.scenario))
}

/// The scenarios of which no request was due: a service that was asked nothing passes nothing.
fn nothing_due(load: &[Summary]) -> Option<String> {
    let idle: Vec<&Summary> = load.iter().filter(|load| load.requests.scheduled == 0).collect();
    if idle.len() == load.len() {
        return Some("no request was due".to_owned());
    }
    let names: Vec<String> = idle.iter().map(|load| format!("load:{}", load.scenario)).collect();
    (!names.is_empty()).then(|| format!("no request of {} was due", plural::list(&names, NAMES)))
}

/// What it means that all requests failed, by what most of them did.
fn where_to_look(load: &Summary) -> String {
    let requests = &load.requests;
    let most = requests.error_kinds.iter().max_by_key(|(_, count)| **count);
    let Some((kind, _)) = most.filter(|(_, count)| **count >= requests.unfinished) else {
        return ": it gave no answer in time".to_owned();
    };
    let meaning = match kind {
        ErrorKind::Dns => "its host has no address",
        ErrorKind::Connect => {
            "no connection could be made; is the service started, and are host and port right?"
        }
        ErrorKind::Tls => {
            "its certificate is not trusted, or it speaks no TLS; `tls_ca` names a certificate, `--insecure` (`tls_insecure`) trusts any"
        }
        ErrorKind::Reset => {
            "it closes connections before it has answered; is it a port for https, or for something else?"
        }
        ErrorKind::Timeout => "it gave no answer in time",
        ErrorKind::Protocol => "what it answers is not HTTP; is it a port for https, or for something else?",
        ErrorKind::Status => {
            let status = requests.statuses.iter().max_by_key(|(_, count)| **count);
            return status
                .map_or_else(String::new, |(status, _)| format!(": it answered with status {status}"));
        }
        ErrorKind::Body => "its answers have another body than is expected",
        ErrorKind::TooLarge => "its answers are longer than is read",
    };
    format!(": {meaning}")
}

/// What a service that was put under load for its own sake did.
fn answered(load: &[Summary], time: &OverTime, levels: &[Summary]) -> String {
    let plain = |load: &&Summary| levels.iter().all(|level| level.scenario != load.scenario);
    let all = || load.iter().filter(plain).chain(levels);
    let due: u64 = all().map(|load| load.requests.scheduled).sum();
    let completed: u64 = all().map(|load| load.requests.completed).sum();
    let scenarios = plural::count(load.len(), "load scenario");
    let (due, completed) = (quantity::count(due), quantity::count(completed));
    let mut text = format!("{completed} of {due} requests of {scenarios} were answered as expected");
    for steady in &time.steady {
        text = format!("{text}; {steady}");
    }
    text
}

/// What keeps a check from saying what it was asked. `short` names benchmarks with too few stored runs.
fn incomplete(run: &Run, census: &Census, short: &[String]) -> Vec<String> {
    let shards = run.warnings.iter().filter(|warning| warning.code == Warning::MISSING_SHARD);
    let mut reasons: Vec<String> = shards.map(|warning| warning.message.clone()).collect();
    if !census.missing.is_empty() {
        let names = plural::list(&census.missing, NAMES);
        reasons.push(format!("{} vanished: {names}", benchmarks(census.missing.len())));
    }
    if !short.is_empty() {
        let have = plural::choose(short.len(), "has", "have");
        let names = plural::list(short, NAMES);
        reasons.push(format!("{} {have} too few stored runs: {names}", benchmarks(short.len())));
    }
    if let (0, Some(reason)) = (census.compared, nothing_compared(run, census)) {
        reasons.push(reason);
    }
    reasons
}

/// Why nothing was compared; `None` where that is allowed.
fn nothing_compared(run: &Run, census: &Census) -> Option<String> {
    let all_new = census.expected > 0 && census.new.len() == census.expected;
    let reason = match run.mode {
        _ if is_load_alone(run, census) => return None,
        _ if census.expected == 0 && census.ignored.is_empty() => "there are no benchmarks".to_owned(),
        _ if census.expected == 0 => format!("{} left out, none is left", benchmarks(census.ignored.len())),
        // That all of it failed says enough.
        Mode::Single if census.failed.len() == census.expected => return None,
        Mode::Single => "one revision was measured, so there is nothing to compare".to_owned(),
        Mode::Stored if run.baselines.is_empty() => {
            format!("there is no baseline for environment {}", run.environment.key)
        }
        _ if all_new && run.policy.allow_new => return None,
        _ if all_new => "every benchmark is new, so there is nothing to compare".to_owned(),
        _ => "no benchmark could be compared".to_owned(),
    };
    Some(reason)
}

/// The check was blind: too many benchmarks could not even rule out a large slowdown.
fn blind(census: &Census, policy: &Policy) -> Option<String> {
    let judged = judged(census);
    let share = census.blind as f64 / judged.max(1) as f64;
    (census.blind > 0 && share > policy.max_blind).then(|| {
        format!(
            "not even a slowdown of {} could be ruled out for {} of {}",
            quantity::percent(policy.must_rule_out),
            census.blind,
            benchmarks(judged),
        )
    })
}

fn undecided(census: &Census, policy: &Policy) -> Option<String> {
    let strict = policy.strictness == Strictness::Strict && census.inconclusive > 0;
    strict.then(|| {
        let are = plural::choose(census.inconclusive, "is", "are");
        format!("{} {are} inconclusive, which --strict does not tolerate", benchmarks(census.inconclusive))
    })
}

/// Benchmarks of which a verdict against base could be expected.
fn judged(census: &Census) -> usize {
    let apart = census.new.len() + census.missing.len() + census.failed.len();
    census.expected.saturating_sub(apart).max(census.blind)
}

fn passed(census: &Census) -> String {
    match (census.compared, census.identical) {
        (0, _) => format!("{} new, nothing to compare", plural::count(census.new.len(), "benchmark")),
        (compared, identical) if compared == identical => {
            format!("{}: the machine code is the same on both sides", benchmarks(compared))
        }
        (compared, _) => format!("none of {} regressed", benchmarks(compared)),
    }
}

fn benchmarks(count: usize) -> String {
    plural::count(count, "benchmark")
}
